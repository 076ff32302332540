//! Evidence of this host, collected as the agent does, with a challenge of its own.

use std::path::Path;

use agent::{
    Sources,
    evidence::{self, Asked},
    session::{Presence, Session, TpmChoice},
    source,
    tpm::{Address, DeviceError, TpmError},
};
use anyhow::{Context as _, anyhow};
use api::agent::{Evidence, TpmKeys};
use tpm_wire::{PcrSet, TpmAlgId};
use verify::{check_ak, check_ek};

use super::kernel::{Kernel, KernelTpm};
use crate::{
    args::Doctor,
    error::CliError,
    evidence_dir::{Enrolled, EvidenceFolder},
};

/// What became of the TPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tpm {
    /// It was not asked.
    NotAsked,
    /// There is none.
    Absent,
    /// It gave its keys and a quote, or said why not.
    Asked,
}

/// What was collected.
#[derive(Debug)]
pub(super) struct Collected {
    pub(super) folder: EvidenceFolder,
    pub(super) tpm: Tpm,
    /// TPMT_PUBLIC of the endorsement key.
    pub(super) ek_public: Option<Vec<u8>>,
    pub(super) kernel: Kernel,
}

/// Collects it. An error where this user may not look: that would show a sound host as a broken one.
pub(super) fn collect(command: &Doctor) -> Result<Collected, CliError> {
    let root = command.root.as_deref().unwrap_or(Path::new("/"));
    if !root.is_dir() {
        return Err(anyhow!("{} is not a folder", root.display()).into());
    }
    let kernel = Kernel::below(root);
    let mut sources = Sources::below(root);
    if let Some(log) = &command.event_log {
        // A log that was named is there: another answer would be one about another file.
        std::fs::metadata(log).with_context(|| format!("{} cannot be read", log.display()))?;
        sources.event_log.clone_from(log);
    }
    readable(&sources.event_log, source::event_log::read)?;
    readable(&sources.acpi_tpm2, source::acpi::read)?;
    let mut session = Session::new(match tpm_choice(command, &kernel)? {
        Some(choice) => choice,
        None => {
            let folder = folder(evidence::without_tpm(&sources), None)?;
            return Ok(Collected { folder, tpm: Tpm::NotAsked, ek_public: None, kernel });
        }
    });
    if session.presence() == Presence::Absent {
        let folder = folder(evidence::without_tpm(&sources), None)?;
        return Ok(Collected { folder, tpm: Tpm::Absent, ek_public: None, kernel });
    }
    let (evidence, keys) = match session.keys(None) {
        Ok((keys, _, ak)) => {
            let mut nonce = [0; 32];
            aws_lc_rs::rand::fill(&mut nonce).map_err(|_| anyhow!("no randomness"))?;
            // As a server asks for before it saw a log of the host.
            let pcrs = PcrSet::NAMED_BY_LOGS;
            let asked = Asked { nonce: &nonce, pcrs, known_log_sha256: None };
            let (evidence, _) = evidence::with_tpm(&mut session, &sources, Some(&ak), asked);
            (evidence, Some(keys))
        }
        // Neither says anything of the TPM.
        Err(TpmError::Device {
            source: source @ (DeviceError::Denied { .. } | DeviceError::Busy { .. }),
            ..
        }) => {
            let hint = source.hint().unwrap_or("run as root");
            return Err(CliError::with_hint(source, hint));
        }
        Err(err) => {
            let tpm_error = Some(evidence::tpm_error(&err));
            (Evidence { tpm_error, ..evidence::without_tpm(&sources) }, None)
        }
    };
    let ek_public = keys.as_ref().map(|keys| keys.ek_public.0.clone());
    Ok(Collected { folder: folder(evidence, keys)?, tpm: Tpm::Asked, ek_public, kernel })
}

/// Which TPM to ask; `None`: none. A TPM 1.2 understands no question.
fn tpm_choice(command: &Doctor, kernel: &Kernel) -> Result<Option<TpmChoice>, CliError> {
    Ok(match command.tpm.as_deref() {
        Some("none") => None,
        None | Some("") if command.root.is_some() => None,
        None | Some("") => {
            (kernel.tpm() != Some(KernelTpm::Version1)).then_some(TpmChoice::Discover)
        }
        Some(address) => {
            let address = address.parse::<Address>().context("--tpm names no TPM")?;
            Some(TpmChoice::At(address))
        }
    })
}

fn readable(
    path: &Path,
    read: impl Fn(&Path) -> std::io::Result<Option<Vec<u8>>>,
) -> Result<(), CliError> {
    match read(path).with_context(|| format!("{} cannot be read", path.display())) {
        Ok(_) => Ok(()),
        Err(err) => Err(CliError::with_hint(err, "run this as root: only root may read it")),
    }
}

/// The evidence as a server would have it that enrolled these very keys: on the host itself nobody else
/// can say which are its own.
fn folder(evidence: Evidence, keys: Option<TpmKeys>) -> Result<EvidenceFolder, CliError> {
    let bytes = |bytes: Option<api::Bytes>| bytes.map(|bytes| bytes.0);
    let enrolled = keys.as_ref().and_then(|keys| {
        // A key that is unfit is no key that a server enrols: then nothing verifies the quote.
        let (ak, ek) = (check_ak(&keys.ak_public).ok()?, check_ek(&keys.ek_public).ok()?);
        Some(Enrolled { ak_name: *ak.name(), ek_spki_sha256: ek.spki_sha256() })
    });
    let (ek_certificate, ek_chain) = match keys {
        None => (None, Vec::new()),
        Some(keys) => (bytes(keys.ek_certificate), keys.ek_chain),
    };
    let banks: Vec<_> =
        evidence.active_banks.iter().filter_map(|name| TpmAlgId::from_hash_name(name)).collect();
    Ok(EvidenceFolder {
        quote: evidence.quote.map(|quote| (quote.attest.0, quote.signature.0)),
        pcrs: evidence.pcrs.to_banks().context("the TPM's PCR values")?,
        nonce: Some(evidence.nonce.0).filter(|nonce| !nonce.is_empty()),
        ak_public: bytes(evidence.ak_public),
        event_log: bytes(evidence.event_log),
        userspace_log: bytes(evidence.userspace_log),
        ima_list: None,
        ek_certificate,
        untrusted_intermediates: ek_chain.into_iter().map(|der| der.0).collect(),
        acpi_tpm2: bytes(evidence.acpi_tpm2),
        active_banks: (!banks.is_empty()).then_some(banks),
        tpm_error: evidence.tpm_error,
        machine: evidence.machine,
        tpm: evidence.tpm,
        enrolled,
    })
}
