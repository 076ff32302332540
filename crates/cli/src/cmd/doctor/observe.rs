//! The examination's claims -> what was observed: findings, and what was looked at.

use std::collections::BTreeMap;

use api::appraisal::{Facts, SecureBootFacts};
use appraise::{KeyRole, is_weak_key, weak_key_finding};
use doctor::{Check, Objection, Observed};
use findings::{Argument, Code, Finding};
use secure_boot_facts::DBX_DATE;
use tpm_wire::TpmAlgId;
use verify::{RootStore, UnixTime, check_ek};

use super::{
    collect::{Collected, Tpm},
    kernel::{KernelTpm, StartedBy},
};
use crate::cmd::{
    measured::{all_alike, is_extended},
    tpm::lockout_objection,
};

/// What was collected, and what the examination made of it.
pub(super) struct Examined<'a> {
    pub(super) collected: &'a Collected,
    pub(super) findings: Vec<Finding>,
    pub(super) facts: Facts,
    pub(super) roots: &'a RootStore,
    /// The time of the machine that is looked at; `None` for a copy, which has none.
    pub(super) clock: Option<UnixTime>,
}

pub(super) fn observe(examined: Examined<'_>) -> Observed {
    let Examined { collected, findings, facts, roots, clock } = examined;
    let mut observed = Observed { findings, ..Observed::default() };
    let asked = collected.tpm == Tpm::Asked;
    observed.findings.retain(|finding| match finding.code() {
        // Who enrols a host is a server.
        Code::NoIdentityKey => false,
        // Who did not ask got no answer.
        Code::NoQuote => asked,
        // Who names no roots cannot know.
        Code::EkCertUntrusted => roots.iter().next().is_some(),
        _ => true,
    });
    of_kernel(&mut observed, collected);
    of_tpm(&mut observed, collected, &facts);
    if facts.quote_verified {
        of_log(&mut observed.seen, &facts);
    }
    if let Some(log) = facts.event_log.as_ref().filter(|log| log.n_events > 0) {
        let seen = format!("{} events, {} bytes", log.n_events, log.n_bytes);
        observed.seen.insert(Check::EventLog, seen);
    }
    if let Some(interface) = &facts.interface {
        observed.seen.insert(Check::Interface, format!("{interface}, as the ACPI table says"));
    }
    of_clock(&mut observed, clock);
    observed
}

/// Adds a finding of the kernel's word, where the examination did not find the same.
fn add(observed: &mut Observed, finding: Finding) {
    if observed.findings.iter().all(|other| other.code() != finding.code()) {
        observed.findings.push(finding);
    }
}

fn of_kernel(observed: &mut Observed, collected: &Collected) {
    const SAYS: &str = "so the firmware's variable says";
    let kernel = &collected.kernel;
    match kernel.started_by() {
        Some(StartedBy::Uefi) => {
            observed.seen.insert(Check::Uefi, "the kernel was started by UEFI firmware".to_owned());
        }
        Some(StartedBy::Legacy) => observed.objections.push(Objection::LegacyBoot),
        None => {}
    }
    let platform = collected.folder.machine.as_ref().map(|machine| machine.platform);
    match platform.and_then(|platform| platform.secure_boot) {
        Some(true) => {
            let seen = "on, as the firmware's variable says".to_owned();
            observed.seen.insert(Check::SecureBoot, seen);
        }
        Some(false) => add(observed, Finding::new(Code::SecureBootOff).because(SAYS)),
        None => {}
    }
    if platform.and_then(|platform| platform.tboot) == Some(true) {
        const BENEATH: &str = "tboot is beneath the kernel";
        add(observed, Finding::new(Code::DynamicLaunch).because(BENEATH));
        observed.seen.insert(Check::DynamicLaunch, BENEATH.to_owned());
    }
    for (name, code) in [("SetupMode", Code::SetupMode), ("AuditMode", Code::AuditMode)] {
        if kernel.mode(name) == Some(true) {
            add(observed, Finding::new(code).because(SAYS));
        }
    }
    if collected.tpm == Tpm::NotAsked {
        of_kernels_tpm(observed, collected);
    }
}

/// What the kernel shows of a TPM that was not asked.
fn of_kernels_tpm(observed: &mut Observed, collected: &Collected) {
    let kernel = &collected.kernel;
    match kernel.tpm() {
        Some(KernelTpm::Absent) => add(observed, Finding::new(Code::NoTpm)),
        Some(KernelTpm::Version1) => observed.objections.push(Objection::TpmOfVersion1),
        // That it is there does not say that it answers.
        Some(KernelTpm::Version2) | None => {}
    }
    let Some(banks) = kernel.banks() else { return };
    let shown = banks.join(" ");
    let is_strong =
        |bank: &&String| TpmAlgId::from_hash_name(bank).is_some_and(|alg| alg.is_strong_hash());
    let Some(strong) = banks.iter().find(is_strong) else {
        let finding = Finding::new(Code::Sha256BankInactive);
        return add(observed, finding.with("active", Argument::Text(shown)));
    };
    observed.seen.insert(Check::Sha256Bank, format!("{shown}, as the kernel shows"));
    of_extended(observed, kernel.is_extended(strong));
}

fn of_extended(observed: &mut Observed, extended: Option<bool>) {
    match extended {
        Some(true) => {
            let seen = "PCR 0 to 7 hold measurements".to_owned();
            observed.seen.insert(Check::Sha256Extended, seen);
        }
        Some(false) => observed.objections.push(Objection::NotExtended),
        None => {}
    }
}

fn of_tpm(observed: &mut Observed, collected: &Collected, facts: &Facts) {
    match collected.tpm {
        Tpm::NotAsked => return,
        Tpm::Absent => return add(observed, Finding::new(Code::NoTpm)),
        Tpm::Asked => {}
    }
    let folder = &collected.folder;
    if let Some(tpm) = &facts.tpm {
        let (maker, text) = (&tpm.untrusted_manufacturer, &tpm.untrusted_vendor_string);
        let seen = format!("{maker} {text}, firmware {}", tpm.untrusted_firmware_version);
        observed.seen.insert(Check::TpmFirmware, seen.clone());
        observed.seen.insert(Check::Tpm, seen);
    }
    if let Some(banks) = folder.active_banks.as_ref().filter(|banks| !banks.is_empty()) {
        let shown: Vec<_> = banks.iter().map(ToString::to_string).collect();
        observed.seen.insert(Check::Sha256Bank, shown.join(" "));
    }
    if facts.quote_verified {
        let strong = folder.pcrs.iter().find(|bank| bank.alg().is_strong_hash());
        let values: Option<Vec<_>> = strong.and_then(|bank| {
            (0..8).map(|pcr| Some(is_extended(bank.get(pcr)?.as_bytes()))).collect()
        });
        of_extended(observed, values.and_then(all_alike));
        // shim has measured its lists there for as long as it measures a level of SBAT, and longer.
        if strong.and_then(|bank| bank.get(14)).is_some_and(|value| !is_extended(value.as_bytes()))
        {
            let seen = "PCR 14 was not extended: no shim started".to_owned();
            observed.seen.insert(Check::Sbat, seen);
        }
        let launch = strong.filter(|bank| bank.get(17).is_some() && bank.get(18).is_some());
        if launch.is_some() {
            let platform = folder.machine.as_ref().map(|machine| machine.platform);
            let capable = match platform.and_then(|platform| platform.txt_capable) {
                Some(true) => "; the processor has Intel TXT",
                Some(false) => "; the processor has no Intel TXT",
                None => "",
            };
            observed.seen.insert(Check::DynamicLaunch, format!("PCR 17 and 18 were read{capable}"));
        }
    }
    if let Some(certificate) = &folder.ek_certificate {
        let seen = format!("{} bytes", certificate.len());
        observed.seen.insert(Check::EkCertificate, seen);
    }
    if let Some(endorsement) = &facts.endorsement {
        let root = endorsement.root.as_ref().unwrap_or(&endorsement.root_sha256);
        observed.seen.insert(Check::EkChain, format!("root {root}"));
    }
    let lockout = folder.machine.as_ref().and_then(|machine| machine.platform.tpm_lockout);
    if let Some(lockout) = lockout {
        observed.objections.extend(lockout_objection(&lockout));
        let api::machine::TpmLockout { failures, failures_max, .. } = lockout;
        let seen = format!("{failures} of {failures_max} wrong authorisations");
        observed.seen.insert(Check::TpmLockout, seen);
    }
    of_keys(observed, collected, facts);
}

/// The examination looks at the endorsement key where its certificate is trusted; here the key itself
/// is at hand.
fn of_keys(observed: &mut Observed, collected: &Collected, facts: &Facts) {
    let ek = collected.ek_public.as_ref().and_then(|public| check_ek(public).ok());
    let Some(ek) = ek else { return };
    if is_weak_key(ek.key()) {
        add(observed, weak_key_finding(KeyRole::Endorsement));
    }
    if facts.quote_verified {
        let seen = "the endorsement and the attestation key".to_owned();
        observed.seen.insert(Check::TpmKeys, seen);
    }
}

/// What a verified quote vouches for.
fn of_log(seen: &mut BTreeMap<Check, String>, facts: &Facts) {
    if let Some(quote) = &facts.quote {
        seen.insert(Check::Quote, quote.selection.join(" "));
    }
    if let Some(log) = facts.event_log.as_ref().filter(|log| !log.replayed.is_empty()) {
        seen.insert(Check::LogComplete, format!("replays {}", log.replayed.join(" ")));
        seen.insert(Check::Other, "quote and event log were judged".to_owned());
    }
    if let Some(on) = facts.secure_boot {
        let state = if on { "on" } else { "off" };
        seen.insert(Check::SecureBootProved, format!("it was {state}"));
        seen.insert(Check::SecureBoot, format!("{state}, as PCR 7 proves"));
    }
    if let Some(state) = &facts.secure_boot_state {
        of_secure_boot(seen, state);
    }
}

fn of_secure_boot(seen: &mut BTreeMap<Check, String>, state: &SecureBootFacts) {
    let proved = |variable: &str| {
        let keys = state.keys.iter().filter(|key| key.variable == variable);
        let names: Vec<_> = keys
            .filter(|key| key.belief == "verified")
            .filter_map(|key| key.known.as_ref().or(key.subject.as_ref()))
            .map(String::as_str)
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    };
    if let Some(key) = proved("PK") {
        seen.insert(Check::PlatformKey, key);
    }
    if let (Some(kek), Some(db)) = (proved("KEK"), proved("db")) {
        seen.insert(Check::Authorities, format!("KEK: {kek}; db: {db}"));
    }
    if let Some(dbx) = &state.dbx {
        let release = dbx.release.as_deref().unwrap_or("not known");
        let seen_dbx = format!("release {release}, the newest known is {}", dbx.newest);
        seen.insert(Check::Dbx, seen_dbx);
    }
    if let Some(level) = &state.sbat_level {
        seen.insert(Check::Sbat, level.clone());
    }
}

/// The day of the newest list of this program is over: it was made later.
fn of_clock(observed: &mut Observed, clock: Option<UnixTime>) {
    let Some(UnixTime(now)) = clock else { return };
    let passed = DBX_DATE.to_string();
    match format!("{passed}T00:00:00Z").parse::<jiff::Timestamp>() {
        Ok(day) if now >= day.as_second() => {
            observed.seen.insert(Check::Clock, format!("after {passed}"));
        }
        Ok(_) => observed.objections.push(Objection::ClockBehind { passed }),
        // A day that cannot be read is none to compare with.
        Err(_) => {}
    }
}
