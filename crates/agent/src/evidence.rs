//! Evidence for a challenge, out of all sources.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use api::{agent::Evidence, machine::Machine};
use tpm_device::TpmError;
use tpm_wire::PcrSet;

use crate::{
    session::Session,
    source::{
        acpi, event_log, ima,
        log_memo::{LogMemo, Read},
        machine, platform, userspace_log,
    },
    spent::Spent,
    state::WrappedKey,
};

/// Characters of what the TPM answered: what the server takes.
const TPM_ERROR_CHARS_MAX: usize = 400;

/// Where evidence is read from.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The event log.
    pub event_log: PathBuf,
    /// The ACPI table TPM2.
    pub acpi_tpm2: PathBuf,
    /// The running system's log of its own measurements.
    pub userspace_log: PathBuf,
    /// The measurement list of IMA; `None`: it is not sent. It names each program that ran.
    pub ima_list: Option<PathBuf>,
    /// The folder of the texts of SMBIOS.
    pub dmi: PathBuf,
    /// The file in which the system says its name.
    pub os_release: PathBuf,
    /// The folder in which the kernel's `proc` and `sys` are.
    pub root: PathBuf,
    /// What of it was read before.
    pub fixed: Fixed,
}

/// What stays as it is while a kernel runs: read once. Each look at a variable of UEFI may stop all
/// processors for the firmware, and the rest would be fifteen files for each attestation.
#[derive(Clone, Debug, Default)]
pub struct Fixed {
    machine: Arc<OnceLock<Machine>>,
    event_log: LogMemo,
}

impl Sources {
    /// Where they are in a copy of another machine's files, or where such are mounted.
    pub fn below(root: &Path) -> Self {
        let Self { event_log, acpi_tpm2, userspace_log, dmi, os_release, .. } = Self::default();
        // `join` would leave the copy for an absolute path.
        let below = |path: PathBuf| root.join(path.strip_prefix("/").unwrap_or(&path));
        Self {
            event_log: below(event_log),
            acpi_tpm2: below(acpi_tpm2),
            userspace_log: below(userspace_log),
            ima_list: None,
            dmi: below(dmi),
            os_release: below(os_release),
            root: root.to_owned(),
            fixed: Fixed::default(),
        }
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            event_log: PathBuf::from(event_log::SECURITYFS),
            acpi_tpm2: PathBuf::from(acpi::TPM2_TABLE),
            userspace_log: PathBuf::from(userspace_log::SYSTEMD),
            ima_list: None,
            dmi: PathBuf::from(machine::DMI),
            os_release: PathBuf::from(machine::OS_RELEASE),
            root: PathBuf::from("/"),
            fixed: Fixed::default(),
        }
    }
}

/// What is asked of a host.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The challenge.
    pub nonce: &'a [u8],
    /// Which PCRs to quote.
    pub pcrs: PcrSet,
    /// SHA-256 of the event log that need not be sent.
    pub known_log_sha256: Option<&'a [u8]>,
}

/// The logs of a host, as they were read.
struct Logs {
    event_log: Option<Read>,
    userspace_log: Option<api::Bytes>,
    ima_list: Option<api::Bytes>,
}

impl Logs {
    fn read(sources: &Sources, known_log_sha256: Option<&[u8]>) -> Self {
        let ima_list = sources.ima_list.as_ref().map(|path| ima::read(path));
        Self {
            event_log: said(
                "event log",
                sources.fixed.event_log.read(&sources.event_log, known_log_sha256),
            ),
            userspace_log: said_bytes(
                "log of the running system",
                userspace_log::read(&sources.userspace_log),
            ),
            ima_list: ima_list.and_then(|read| said_bytes("measurement list of IMA", read)),
        }
    }
}

/// Evidence, the attestation key where one was loaded or made, and what both took.
pub(crate) struct Collected {
    pub(crate) evidence: Evidence,
    pub(crate) ak: Option<WrappedKey>,
    pub(crate) spent: Spent,
}

/// Collects evidence; a source that fails is absent from it and told in the agent's own log.
pub(crate) fn collect(
    session: &mut Session,
    sources: &Sources,
    kept: Option<&WrappedKey>,
    asked: Asked<'_>,
) -> Collected {
    let ((evidence, ak), spent) =
        Spent::of(session, |session| with_tpm(session, sources, kept, asked));
    Collected { evidence, ak, spent }
}

/// Evidence for what is `asked`, and the attestation key that signed: `kept` where the TPM loads it, else a new
/// one. A source that fails is absent from it.
pub fn with_tpm(
    session: &mut Session,
    sources: &Sources,
    kept: Option<&WrappedKey>,
    Asked { nonce, pcrs, known_log_sha256 }: Asked<'_>,
) -> (Evidence, Option<WrappedKey>) {
    let read_logs = || Logs::read(sources, known_log_sha256);
    let mut evidence = Evidence { nonce: nonce.into(), ..Evidence::default() };
    let attested = session.attest_with_logs(kept, nonce, pcrs, read_logs);
    match attested {
        Ok((attested, logs)) => {
            evidence.quote = Some(attested.quote);
            evidence.pcrs = attested.pcrs;
            evidence.active_banks = attested
                .active_banks
                .iter()
                .filter_map(|alg| alg.hash_name())
                .map(Into::into)
                .collect();
            evidence.ak_public = Some(attested.ak.public.clone());
            evidence.tpm = Some(attested.tpm);
            add_sources(&mut evidence, sources, logs);
            if let Some(machine) = &mut evidence.machine {
                machine.platform.tpm_lockout = attested.lockout;
            }
            (evidence, Some(attested.ak))
        }
        Err(err) => {
            let text = tpm_error(&err);
            tracing::error!(hint = err.hint(), "no quote: {text}");
            evidence.tpm_error = Some(text);
            add_sources(&mut evidence, sources, read_logs());
            (evidence, None)
        }
    }
}

/// What a host shows beside its TPM, which is not asked: for copies of other machines.
pub fn without_tpm(sources: &Sources) -> Evidence {
    let mut evidence = Evidence::default();
    add_sources(&mut evidence, sources, Logs::read(sources, None));
    evidence
}

/// The event log, where the server wants it after all.
pub(crate) fn whole_log(sources: &Sources) -> Option<api::Bytes> {
    said_bytes("event log", event_log::read(&sources.event_log))
}

fn add_sources(evidence: &mut Evidence, sources: &Sources, logs: Logs) {
    let Logs { event_log, userspace_log, ima_list } = logs;
    match event_log {
        None => {}
        Some(Read::Whole(log)) => evidence.event_log = Some(log.into()),
        Some(Read::Known(sha256)) => evidence.event_log_sha256 = Some(sha256.as_slice().into()),
    }
    evidence.userspace_log = userspace_log;
    evidence.ima_list = ima_list;
    evidence.acpi_tpm2 = said_bytes("ACPI table TPM2", acpi::read(&sources.acpi_tpm2));
    evidence.machine = Some(machine(sources));
}

/// What the host says of its machine and of what it runs.
pub fn machine(sources: &Sources) -> Machine {
    let fixed = sources.fixed.machine.get_or_init(|| Machine {
        platform: platform::says(&sources.root),
        ..machine::says(&sources.dmi)
    });
    let mut machine = fixed.clone();
    // A system is renewed, and a kernel locked down, while it runs.
    machine.os_name = machine::os_name(&sources.os_release);
    machine.platform.lockdown = platform::lockdown(&sources.root);
    machine
}

fn said_bytes(what: &str, read: std::io::Result<Option<Vec<u8>>>) -> Option<api::Bytes> {
    said(what, read).map(Into::into)
}

fn said<T>(what: &str, read: std::io::Result<Option<T>>) -> Option<T> {
    match read {
        Ok(read) => read,
        Err(err) => {
            tracing::error!(%err, "the {what} cannot be read");
            None
        }
    }
}

/// The error and its causes, as the server shows them.
pub fn tpm_error(err: &TpmError) -> String {
    let mut text = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text.chars().take(TPM_ERROR_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use api::machine::Lockdown;

    use super::*;

    #[test]
    fn what_may_change_while_a_kernel_runs_is_read_anew_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("sys/class/dmi/id/product_name", "Model 9\n");
        put("etc/os-release", "NAME=Tree 12\n");
        put("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
        let sources = Sources::below(folder.path());
        let said = |sources: &Sources| {
            let machine = without_tpm(&sources.clone()).machine.unwrap();
            (machine.product_name.unwrap(), machine.os_name.unwrap(), machine.platform.lockdown)
        };
        let (model, name) = ("Model 9".to_owned(), "Tree 12".to_owned());
        assert_eq!(said(&sources), (model.clone(), name, Some(Lockdown::None)));

        put("sys/class/dmi/id/product_name", "Model 10\n");
        put("etc/os-release", "NAME=Tree 13\n");
        put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
        let name = "Tree 13".to_owned();
        assert_eq!(said(&sources), (model, name, Some(Lockdown::Integrity)));
        // Another program's first look.
        assert_eq!(said(&Sources::below(folder.path())).0, "Model 10");
    }
}
