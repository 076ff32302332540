//! Evidence for a challenge, out of all sources.

use std::path::{Path, PathBuf};

use api::agent::Evidence;
use tpm_device::TpmError;
use tpm_wire::PcrSet;

use crate::{
    session::Session,
    source::{acpi, event_log, ima, machine, platform, userspace_log},
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
}

impl Sources {
    /// Where they are in a copy of another machine's files, or where such are mounted.
    pub fn below(root: &Path) -> Self {
        let Self { event_log, acpi_tpm2, userspace_log, ima_list: _, dmi, os_release, root: _ } =
            Self::default();
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
        }
    }
}

/// The logs of a host, as they were read.
struct Logs {
    event_log: Option<api::Bytes>,
    userspace_log: Option<api::Bytes>,
    ima_list: Option<api::Bytes>,
}

impl Logs {
    fn read(sources: &Sources) -> Self {
        let ima_list = sources.ima_list.as_ref().map(|path| ima::read(path));
        Self {
            event_log: said("event log", event_log::read(&sources.event_log)),
            userspace_log: said(
                "log of the running system",
                userspace_log::read(&sources.userspace_log),
            ),
            ima_list: ima_list.and_then(|read| said("measurement list of IMA", read)),
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
    nonce: &[u8],
    pcrs: PcrSet,
) -> Collected {
    let ((evidence, ak), spent) =
        Spent::of(session, |session| with_tpm(session, sources, kept, nonce, pcrs));
    Collected { evidence, ak, spent }
}

/// Evidence for `nonce`, and the attestation key that signed: `kept` where the TPM loads it, else a new
/// one. A source that fails is absent from it.
pub fn with_tpm(
    session: &mut Session,
    sources: &Sources,
    kept: Option<&WrappedKey>,
    nonce: &[u8],
    pcrs: PcrSet,
) -> (Evidence, Option<WrappedKey>) {
    let mut evidence = Evidence { nonce: nonce.into(), ..Evidence::default() };
    let attested = session.attest_with_logs(kept, nonce, pcrs, || Logs::read(sources));
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
            add_sources(&mut evidence, sources, Logs::read(sources));
            (evidence, None)
        }
    }
}

/// What a host shows beside its TPM, which is not asked: for copies of other machines.
pub fn without_tpm(sources: &Sources) -> Evidence {
    let mut evidence = Evidence::default();
    add_sources(&mut evidence, sources, Logs::read(sources));
    evidence
}

fn add_sources(evidence: &mut Evidence, sources: &Sources, logs: Logs) {
    let mut machine = machine::says(&sources.dmi, &sources.os_release);
    machine.platform = platform::says(&sources.root);
    let Logs { event_log, userspace_log, ima_list } = logs;
    evidence.event_log = event_log;
    evidence.userspace_log = userspace_log;
    evidence.ima_list = ima_list;
    evidence.acpi_tpm2 = said("ACPI table TPM2", acpi::read(&sources.acpi_tpm2));
    evidence.machine = Some(machine);
}

fn said(what: &str, read: std::io::Result<Option<Vec<u8>>>) -> Option<api::Bytes> {
    match read {
        Ok(bytes) => bytes.map(Into::into),
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
