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

#[cfg(test)]
mod tests {
    use api::tpm::{Bank, Interface, Resources, Specification};
    use tpm_vendors::{Vendor, advisories};

    use super::*;

    fn tpm() -> Description {
        Description {
            address: "device:/dev/tpmrm0".to_owned(),
            vendor: "Nuvoton".to_owned(),
            vendor_string: "rls NPCT".to_owned(),
            firmware_version: "1.3.2.8".to_owned(),
            software: None,
            specification: Specification {
                family: "2.0".to_owned(),
                level: None,
                revision: None,
                year: None,
                day_of_year: None,
            },
            banks: vec![Bank { name: "sha256".to_owned(), active: true, n_pcrs: 24 }],
            interface: Interface::default(),
            lockout: None,
            lockout_recovery_s: None,
            ownership: None,
            hierarchies: None,
            resources: Resources::default(),
            advisories: Vec::new(),
            concerns: Vec::new(),
        }
    }

    fn codes(tpm: &Description, version: &str) -> Vec<(String, String)> {
        let version = version.parse().unwrap();
        let known: Vec<_> = advisories(Vendor::NUVOTON, &version).collect();
        let concerns = concerns(tpm, &known, &version);
        concerns.into_iter().map(|why| (why.state, why.code)).collect()
    }

    #[test]
    fn firmware_with_a_known_fault_is_a_concern_and_the_mended_is_none() {
        let expected = ("warn".to_owned(), "tpm-firmware-advisory".to_owned());
        assert_eq!(codes(&tpm(), "1.3.2.8"), [expected]);
        assert!(codes(&tpm(), "1.3.2.20").is_empty());
    }

    #[test]
    fn what_the_tpm_does_not_say_is_no_concern_and_no_place_left_is_one() {
        assert!(codes(&tpm(), "7.2.3.1").is_empty());
        let left = |n| Resources { transient_left: Some(n), ..Resources::default() };
        assert!(codes(&Description { resources: left(1), ..tpm() }, "7.2.3.1").is_empty());
        let full = Description { resources: left(0), ..tpm() };
        assert_eq!(codes(&full, "7.2.3.1"), [("warn".to_owned(), "tpm-exhausted".to_owned())]);
        let lockout = |failures| {
            Some(TpmLockout { locked: false, failures, failures_max: 32, interval_s: 7200 })
        };
        assert!(codes(&Description { lockout: lockout(15), ..tpm() }, "7.2.3.1").is_empty());
        let near = codes(&Description { lockout: lockout(16), ..tpm() }, "7.2.3.1");
        assert_eq!(near, [("warn".to_owned(), "tpm-near-lockout".to_owned())]);
    }
}
