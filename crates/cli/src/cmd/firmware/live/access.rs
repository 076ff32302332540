//! From what was said on the command line to BMCs that can be asked.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use redfish::{
    Address, AddressError, Bmc, Credential, CredentialError, Credentials, Entry, Inventory,
    InventoryError, Pace, Tls, Trust,
};
use zeroize::Zeroizing;

use crate::{args::Bmcs, cmd::prompt, error::CliError};

/// Environment variables with one account for all BMCs.
const USER_ENV: &str = "BOOTPROOF_BMC_USER";
const PASSWORD_ENV: &str = "BOOTPROOF_BMC_PASSWORD";

/// Largest file of authorities: a hundred certificates have 200 KB.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// A BMC that was chosen.
#[derive(Debug)]
pub(crate) struct Target {
    /// What people call its host.
    pub(crate) name: String,
    /// Its wave, from 1.
    pub(crate) wave: u32,
    /// The BMC. Nothing was asked yet.
    pub(crate) bmc: Bmc,
}

impl Target {
    /// The same BMC with the same session.
    pub(crate) fn shared(&self) -> Self {
        Self { name: self.name.clone(), wave: self.wave, bmc: self.bmc.clone() }
    }
}

/// The chosen BMCs, in the order of the inventory.
pub(crate) fn targets(command: &Bmcs, pace: Pace) -> Result<Vec<Target>, CliError> {
    let entries = entries(command)?;
    let mut trusts = Trusts::new(command.ca.as_deref())?;
    let mut accounts = Accounts::new(command)?;
    let pace = Pace { request: command.answer_limit, ..pace };
    let mut targets = Vec::with_capacity(entries.len());
    for entry in entries {
        let tls = trusts.of(&entry)?;
        let credential = accounts.of(&entry)?;
        let bmc = Bmc::new(entry.address, &tls, credential, pace);
        targets.push(Target { name: entry.name, wave: entry.wave, bmc });
    }
    Ok(targets)
}

fn entries(command: &Bmcs) -> Result<Vec<Entry>, CliError> {
    if let Some(path) = &command.inventory {
        let mut entries = Inventory::read(path)?.entries;
        if !command.label.is_empty() {
            entries.retain(|entry| entry.labels.iter().any(|label| command.label.contains(label)));
            if entries.is_empty() {
                let hint = "labels stand in the column or key `labels` of the inventory";
                return Err(CliError::with_hint(anyhow!("no BMC has such a label"), hint));
            }
        }
        return Ok(entries);
    }
    let Some(text) = &command.bmc else {
        let hint = "name one with --bmc, many with --inventory, or a saved tree with --tree";
        return Err(CliError::with_hint(anyhow!("no BMC is named"), hint));
    };
    let address: Address = text.parse().map_err(|err: AddressError| {
        CliError::with_hint(err, "for example --bmc https://bmc-1.example")
    })?;
    let pin = command.pin.as_deref().map(str::parse).transpose().context("--pin")?;
    let name = address.as_str().trim_start_matches("https://").to_owned();
    let entry = Entry { address, name, credential: None, pin, wave: 1, labels: Vec::new() };
    Ok(vec![entry])
}

/// How BMCs are known: those with a pin by it, the others by the authorities.
struct Trusts {
    by_authority: Option<Tls>,
}

impl Trusts {
    fn new(ca: Option<&Path>) -> Result<Self, CliError> {
        let Some(path) = ca else { return Ok(Self { by_authority: None }) };
        let what = || format!("{} holds no authorities", path.display());
        let pem = read_text(path, CA_BYTES_MAX).with_context(what)?;
        let tls = Trust::Authorities(pem).tls().with_context(what)?;
        Ok(Self { by_authority: Some(tls) })
    }

    fn of(&mut self, entry: &Entry) -> Result<Tls, CliError> {
        if let Some(pin) = entry.pin {
            return Ok(Trust::Pin(pin).tls().context("the pin cannot be used")?);
        }
        self.by_authority.clone().ok_or_else(|| {
            CliError::with_hint(
                anyhow!("nothing says how {} is to be known", entry.name),
                "name the authorities of the BMCs' certificates with --ca, or the SHA-256 of the \
                 certificate with --pin or in the inventory; without one nothing is asked",
            )
        })
    }
}

fn read_text(path: &Path, bytes_max: u64) -> std::io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(bytes_max).read_to_string(&mut text)?;
    Ok(text)
}

/// Accounts: out of the file, out of the environment, or of a person, who is asked once.
struct Accounts {
    file: Option<Credentials>,
    default: Option<String>,
    /// That of the environment or of a person, once it was asked for.
    other: Option<Credential>,
}

impl Accounts {
    fn new(command: &Bmcs) -> Result<Self, CliError> {
        let file = command.credentials.as_deref().map(Credentials::read).transpose()?;
        Ok(Self { file, default: command.credential.clone(), other: None })
    }

    fn of(&mut self, entry: &Entry) -> Result<Credential, CliError> {
        let missing = |text: String| {
            let hint = "write it to a file as [NAME] with user and password, mode 0600, and name the \
                        file with --credentials";
            CliError::with_hint(anyhow!(text), hint)
        };
        if let Some(name) = entry.credential.as_deref().or(self.default.as_deref()) {
            let found = self.file.as_ref().and_then(|file| file.named(name));
            return found.cloned().ok_or_else(|| {
                missing(format!("there is no credential {name} for {}", entry.name))
            });
        }
        if let Some(file) = &self.file {
            return file.single().cloned().ok_or_else(|| {
                missing(format!("the file has several credentials, and {} names none", entry.name))
            });
        }
        if let Some(credential) = &self.other {
            return Ok(credential.clone());
        }
        let credential = match from_environment() {
            Some(credential) => credential,
            None => match prompt::account()? {
                Some((user, password)) => Credential::new(user, password),
                None => return Err(missing("there is no account for the BMCs".to_owned())),
            },
        };
        self.other = Some(credential.clone());
        Ok(credential)
    }
}

fn from_environment() -> Option<Credential> {
    let user = std::env::var(USER_ENV).ok()?;
    let password = Zeroizing::new(std::env::var(PASSWORD_ENV).ok()?);
    Some(Credential::new(user, password))
}

impl From<CredentialError> for CliError {
    fn from(err: CredentialError) -> Self {
        let hint = match err {
            CredentialError::Mode { .. } => "take the rights of others away: chmod 600 FILE",
            _ => "it is TOML: [NAME], user = \"…\", password = \"…\"",
        };
        Self::with_hint(err, hint)
    }
}

impl From<InventoryError> for CliError {
    fn from(err: InventoryError) -> Self {
        Self::with_hint(
            err,
            "TOML has a [[bmc]] with address for each BMC; CSV has a first line with the names of its \
             columns: address,name,credential,pin,wave,labels",
        )
    }
}
