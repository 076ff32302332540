//! `bootproof verify`: the server's judgement, offline.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use api::{
    appraisal::{Appraisal, Facts},
    finding::Finding,
    machine::{Lockdown, Machine, Platform, TpmLockout},
};
use appraise::{
    Challenge, Claims, Context, EkEvidence, Known, Policy, QuoteEvidence, appraise, examine,
};
use references::Applied;
use secure_boot_facts::{REVOCATIONS_BYTES_MAX, Revocations};
use verify::{EnrolledKey, Nonce, RootStore, UnixTime};

use super::{Exit, reference};
use crate::{
    args::{FolderOfEvidence, Verify},
    error::CliError,
    evidence_dir::{self, EvidenceFolder, read_limited},
    output::{Output, Tone, plain},
};

/// A file of roots: all roots of all vendors, in PEM, are below 4 MiB.
const ROOTS_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The roots in all of these files.
pub(super) fn read_roots(files: &[PathBuf]) -> Result<RootStore, CliError> {
    let mut roots = RootStore::new();
    for file in files {
        let bytes = read_limited(file, ROOTS_BYTES_MAX)?;
        let read = RootStore::from_file_bytes(&bytes);
        roots.extend(read.with_context(|| format!("{} holds no roots", file.display()))?);
    }
    Ok(roots)
}

/// The policy of a file, else the default one, with a newer list of revoked images where one is named.
pub(super) fn read_policy(file: Option<&Path>, dbx: Option<&Path>) -> Result<Policy, CliError> {
    let mut policy = match file {
        None => Policy::default(),
        Some(file) => super::policy::load(file)?.0,
    };
    if let Some(file) = dbx {
        let bytes = read_limited(file, REVOCATIONS_BYTES_MAX as u64)?;
        let read = Revocations::with_update(&bytes);
        let read = read.with_context(|| format!("{} revokes nothing", file.display()))?;
        policy.secure_boot.revocations = Arc::new(read);
    }
    Ok(policy)
}

/// A folder of evidence, and by what it is judged.
pub(super) struct Case {
    folder: EvidenceFolder,
    roots: RootStore,
    policy: Policy,
    now: UnixTime,
}

impl Case {
    /// Reads all of it.
    pub(super) fn read(command: &FolderOfEvidence) -> Result<Self, CliError> {
        let roots = read_roots(&command.ek_root)?;
        let mut folder = evidence_dir::read(&command.folder)?;
        if let Some(file) = &command.nonce {
            folder.nonce = evidence_dir::read_nonce(file)?;
        }
        let now = super::local_time::now();
        let policy = read_policy(command.policy.as_deref(), command.dbx.as_deref())?;
        Ok(Self { folder, roots, policy, now })
    }

    /// What `each` makes of the claims.
    pub(super) fn with_claims<T>(
        &self,
        each: impl FnOnce(&Claims<'_>, &Policy, UnixTime) -> T,
    ) -> T {
        with_claims(&self.policy, &self.folder, &self.roots, self.now, |claims| {
            each(claims, &self.policy, self.now)
        })
    }

    /// What machine the host said it is.
    pub(super) const fn machine(&self) -> Option<&Machine> {
        self.folder.machine.as_ref()
    }

    /// Why a rule of the policy sets changes aside.
    pub(super) fn ignore_reason(&self, rule: usize) -> Option<&str> {
        self.policy.references.ignore.get(rule).map(|rule| rule.reason.as_str())
    }
}

pub(super) fn run(command: &Verify, output: &Output) -> Result<Exit, CliError> {
    let case = Case::read(&command.evidence)?;
    let folder = &command.evidence.folder;
    if evidence_dir::is_of_something_else(folder) {
        output.note(&format!(
            "{} has no file of evidence: is another folder meant? `bootproof host evidence HOST --out FOLDER` makes one",
            folder.display()
        ));
    }
    let mut named = Vec::new();
    for file in &command.reference {
        let baseline = reference::offline::load(file)?;
        reference::offline::check_model(file, &baseline, case.machine())?;
        named.push((file.display().to_string(), baseline));
    }
    let references: Vec<_> =
        named.iter().map(|(name, baseline)| reference::offline::applied(name, baseline)).collect();
    let appraisal = judge_with(&case.policy, &references, &case.folder, &case.roots, case.now);
    if output.is_json() {
        output.json(&appraisal)?;
    } else {
        output.at_once(|output| {
            let verdict = output.paint(Tone::of_verdict(&appraisal.verdict), &appraisal.verdict);
            output.line(&format!("{}: {verdict}", command.evidence.folder.display()))?;
            output.line("")?;
            show_findings(&appraisal.findings, output)?;
            show_facts(&appraisal.facts, output)
        })?;
    }
    Ok(if appraisal.verdict == "accepted" { Exit::Done } else { Exit::No })
}

/// Judges `folder` at `now` under the default policy, trusting `roots`: the server's judgement,
/// without a server.
pub fn judge(folder: &EvidenceFolder, roots: &RootStore, now: UnixTime) -> Appraisal {
    judge_under(&Policy::default(), folder, roots, now)
}

/// Judges `folder` at `now` under `policy`, trusting `roots`.
pub fn judge_under(
    policy: &Policy,
    folder: &EvidenceFolder,
    roots: &RootStore,
    now: UnixTime,
) -> Appraisal {
    judge_with(policy, &[], folder, roots, now)
}

/// Judges `folder` at `now` under `policy`, trusting `roots`, where `references` say what the host
/// is expected to boot.
pub fn judge_with(
    policy: &Policy,
    references: &[Applied<'_>],
    folder: &EvidenceFolder,
    roots: &RootStore,
    now: UnixTime,
) -> Appraisal {
    with_claims(policy, folder, roots, now, |claims| {
        let context = Context { references, ..Context::default() };
        let mut document = report::appraisal(claims, &appraise(claims, &context, policy, now));
        document.facts.untrusted_machine = folder.machine.clone();
        document
    })
}

/// What `each` makes of the claims of `folder`.
pub fn with_claims<T>(
    policy: &Policy,
    folder: &EvidenceFolder,
    roots: &RootStore,
    now: UnixTime,
    each: impl FnOnce(&Claims<'_>) -> T,
) -> T {
    with_inputs(folder, roots, |evidence, known, ek, challenge| {
        each(&examine(evidence, known, ek, challenge, policy, now))
    })
}

/// What `each` makes of the evidence of `folder`, what it says of the host, the endorsement
/// certificate and the challenge.
pub fn with_inputs<T>(
    folder: &EvidenceFolder,
    roots: &RootStore,
    each: impl FnOnce(&appraise::Evidence<'_>, &Known<'_>, &EkEvidence<'_>, &Challenge<'_>) -> T,
) -> T {
    let later = folder.userspace_log.as_deref().map(userspace_log::parse);
    let evidence = appraise::Evidence {
        quote: folder.quote.as_ref().map(|(attest, signature)| QuoteEvidence { attest, signature }),
        tpm_error: folder.tpm_error.as_deref(),
        pcrs: &folder.pcrs,
        event_log: folder.event_log.as_deref(),
        later: later.as_ref(),
        ima_list: folder.ima_list.as_deref(),
        ak_public: folder.ak_public.as_deref(),
        acpi_tpm2: folder.acpi_tpm2.as_deref(),
        active_banks: folder.active_banks.as_deref(),
        tpm: folder.tpm.as_ref().map(report::tpm_said),
        machine: folder.machine.as_ref().map(report::machine_said),
    };
    let known = match folder.enrolled {
        None => Known::Nothing,
        Some(ref enrolled) => Known::Names(EnrolledKey {
            ak_name: enrolled.ak_name,
            ek_spki_sha256: enrolled.ek_spki_sha256,
        }),
    };
    let intermediates: Vec<&[u8]> =
        folder.untrusted_intermediates.iter().map(Vec::as_slice).collect();
    let ek = match &folder.ek_certificate {
        Some(certificate) => {
            EkEvidence::Certificate { certificate, untrusted_intermediates: &intermediates, roots }
        }
        None if folder.enrolled.is_none() => EkEvidence::NotAsked,
        None => EkEvidence::NoCertificate,
    };
    let nonce = folder.nonce.as_deref().and_then(Nonce::new);
    let challenge = nonce.as_ref().map_or(Challenge::Absent, Challenge::Nonce);
    each(&evidence, &known, &ek, &challenge)
}

pub(super) fn show_findings(findings: &[Finding], output: &Output) -> Result<(), CliError> {
    for finding in findings {
        let tone = Tone::of_severity(&finding.severity);
        let code = output.paint(tone, &finding.code);
        output.line(&format!("  {code} ({})", finding.severity))?;
        output.line(&format!("    {}", plain(&finding.cause)))?;
        output.line(&format!("    next: {}", plain(&finding.next_step)))?;
        output.line("")?;
    }
    Ok(())
}

pub(super) fn show_facts(facts: &Facts, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    let known = |value: Option<bool>| match value {
        Some(true) => "on",
        Some(false) => "off",
        None => "not proved",
    };
    line("secure boot", known(facts.secure_boot))?;
    if let Some(state) = &facts.secure_boot_state {
        super::secure_boot::show(facts, state, output)?;
    }
    line("quote", if facts.quote_verified { "verified" } else { "not verified" })?;
    if let Some(quote) = &facts.quote {
        line("  covers", &quote.selection.join(" "))?;
        line("  resets", &format!("{}, restarts {}", quote.reset_count, quote.restart_count))?;
        line("  signer's name", &quote.signer)?;
    }
    match &facts.event_log {
        None => line("event log", "none")?,
        Some(log) => {
            let banks = log.banks.join(" ");
            line("event log", &format!("{} events, {} bytes, {banks}", log.n_events, log.n_bytes))?;
            line("  replays", &log.replayed.join(" "))?;
            if !log.led_on.is_empty() {
                line("  led on", &log.led_on.join(", "))?;
            }
            if !log.quirks.is_empty() {
                line("  quirks", &log.quirks.join(", "))?;
            }
        }
    }
    if let Some(endorsement) = &facts.endorsement {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
        let tpm = format!("{} {}", part(&endorsement.manufacturer), part(&endorsement.model));
        line("tpm", &tpm)?;
        let root = endorsement.root.as_deref().unwrap_or("not a known root of a TPM vendor");
        line("  root", root)?;
    }
    if let Some(tpm) = &facts.tpm {
        let (maker, text) = (&tpm.untrusted_manufacturer, &tpm.untrusted_vendor_string);
        let version = &tpm.untrusted_firmware_version;
        line("  says", &format!("{maker} {text}, firmware {version}"))?;
    }
    if let Some(interface) = &facts.interface {
        line("interface", &format!("{interface}, as the host says"))?;
    }
    if let Some(machine) = &facts.untrusted_machine {
        show_machine(machine, output)?;
    }
    if let Some(reference) = &facts.reference {
        line("reference", &format!("fits {}, which is {}", reference.name, reference.state))?;
    }
    super::boot_path::show(facts, output)
}

fn show_machine(machine: &Machine, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, parts: &[&Option<String>]| {
        let said: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).collect();
        if said.is_empty() {
            return Ok(());
        }
        output.line(&format!("{name:<16} {}, as the host says", plain(&said.join(" "))))
    };
    let Machine { system_vendor, product_name, product_version, product_sku, .. } = machine;
    line("machine", &[system_vendor, product_name, product_version, product_sku])?;
    line("board", &[&machine.board_vendor, &machine.board_name, &machine.board_version])?;
    let Machine { firmware_vendor, firmware_version, firmware_date, .. } = machine;
    line("firmware", &[firmware_vendor, firmware_version, firmware_date])?;
    line("system", &[&machine.os_name])?;
    line("kernel", &[&machine.kernel_release])?;
    show_platform(&machine.platform, output)
}

/// One line of what is said, and one of the TPM's guard: nobody attested either.
fn show_platform(platform: &Platform, output: &Output) -> Result<(), CliError> {
    let on = |what: &str, said: Option<bool>| {
        said.map(|on| format!("{what} {}", if on { "on" } else { "off" }))
    };
    let there = |what: &str, said: Option<bool>| {
        said.map(|there| format!("{what} {}", if there { "yes" } else { "no" }))
    };
    let lockdown = platform.lockdown.map(|mode| match mode {
        Lockdown::None => "lockdown none",
        Lockdown::Integrity => "lockdown integrity",
        Lockdown::Confidentiality => "lockdown confidentiality",
    });
    let said: Vec<String> = [
        on("SecureBoot", platform.secure_boot),
        lockdown.map(str::to_owned),
        on("IOMMU", platform.iommu),
        there("TXT in the processor", platform.txt_capable),
        there("tboot", platform.tboot),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !said.is_empty() {
        let said = said.join(", ");
        output.line(&format!("{:<16} {said}; as the host says, not attested", "platform"))?;
    }
    if let Some(lockout) = platform.tpm_lockout {
        let TpmLockout { locked, failures, failures_max, interval_s } = lockout;
        let state = if locked { "LOCKED" } else { "not locked" };
        let tries =
            format!("{failures} of {failures_max} failures, one forgotten in {interval_s} s");
        output.line(&format!(
            "{:<16} {state}, {tries}; as the host says, not attested",
            "TPM lockout"
        ))?;
    }
    Ok(())
}
