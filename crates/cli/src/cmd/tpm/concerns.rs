//! What of a TPM's own word stands in the way of attestation, or is worth a look.

use api::{doctor::Reason, machine::TpmLockout, tpm::Description};
use doctor::{Objection, State};
use findings::{Argument, Code, Finding, Severity};
use tpm_vendors::{Advisory, FirmwareVersion};
use tpm_wire::TpmAlgId;

/// What its guard against guessing has to say.
pub(in crate::cmd) fn lockout_objection(lockout: &TpmLockout) -> Option<Objection> {
    let TpmLockout { locked, failures, failures_max, interval_s } = *lockout;
    if locked {
        Some(Objection::LockedOut { interval_s })
    } else if failures > 0 && failures >= failures_max.div_ceil(2) {
        Some(Objection::NearLockout { failures, failures_max })
    } else {
        None
    }
}

/// All concerns of `tpm`, what fails first.
pub(super) fn concerns(
    tpm: &Description,
    advisories: &[&Advisory],
    version: &FirmwareVersion,
) -> Vec<Reason> {
    let mut objections: Vec<_> = tpm.lockout.iter().filter_map(lockout_objection).collect();
    if let Some(on) = tpm.hierarchies {
        for (hierarchy, on) in [("owner", on.storage), ("endorsement", on.endorsement)] {
            objections.extend((!on).then_some(Objection::HierarchyOff { hierarchy }));
        }
    }
    if let Some(own) = tpm.ownership {
        let passwords = [("owner", own.owner_password), ("endorsement", own.endorsement_password)];
        for (hierarchy, has) in passwords {
            objections.extend(has.then_some(Objection::HierarchyPassword { hierarchy }));
        }
    }
    let left = &tpm.resources;
    for (places, left) in
        [("objects", left.transient_left), ("sessions", left.sessions_loaded_left)]
    {
        objections.extend((left == Some(0)).then_some(Objection::Exhausted { places }));
    }
    let mut findings = Vec::new();
    let active = tpm.banks.iter().filter(|bank| bank.active);
    let names: Vec<_> = active.map(|bank| bank.name.as_str()).collect();
    let is_strong =
        |name: &&str| TpmAlgId::from_hash_name(name).is_some_and(|alg| alg.is_strong_hash());
    if !names.iter().any(is_strong) {
        let finding = Finding::new(Code::Sha256BankInactive);
        findings.push(finding.with("active", Argument::Text(names.join(" "))));
    }
    findings.extend(
        advisories.iter().map(|known| appraise::advisory_finding(known, version, "the TPM")),
    );
    let mut reasons: Vec<_> = objections.iter().map(of_objection).collect();
    reasons.extend(findings.iter().map(of_finding));
    // Stable: within a state the order stays.
    reasons.sort_by_key(|reason| reason.state != State::Fail.as_str());
    reasons
}

fn of_objection(objection: &Objection) -> Reason {
    Reason {
        code: objection.code().to_owned(),
        state: objection.state().as_str().to_owned(),
        cause: objection.cause(),
        next_step: objection.next_step().to_owned(),
    }
}

fn of_finding(finding: &Finding) -> Reason {
    let state = match finding.severity() {
        Severity::Fail | Severity::Hold => State::Fail,
        Severity::Warn | Severity::Info | Severity::Ignore => State::Warn,
    };
    Reason {
        code: finding.code().as_str().to_owned(),
        state: state.as_str().to_owned(),
        cause: finding.cause(),
        next_step: finding.entry().next_step.to_owned(),
    }
}
