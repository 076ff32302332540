//! What the commands of a host say -> what was observed.

use findings::{Argument, Code, Finding};
use tpm_vendors::{FirmwareVersion, Vendor, advisories};

use super::outputs::{Outputs, Said};
use crate::{Check, Objection, Observed, Profile, System};

pub(super) fn observe(outputs: &Outputs, profile: Profile) -> Observed {
    let mut of = Observing { observed: Observed { system: System::Esxi, ..Observed::default() } };
    of.vibs(outputs);
    let secure_boot = of.is(Check::SecureBoot, &outputs.secure_boot);
    match secure_boot {
        Some(true) => of.seen(Check::SecureBoot, "secureBoot.py -s says Enabled"),
        Some(false) => {
            of.find(Finding::new(Code::SecureBootOff).because("secureBoot.py -s says Disabled"))
        }
        None => {}
    }
    match of.is(Check::Tpm, &outputs.tpm_present) {
        Some(true) => of.seen(Check::Tpm, "trustedboot get says that there is one"),
        Some(false) => {
            of.find(Finding::new(Code::NoTpm).because("trustedboot get says that there is none"))
        }
        None => {}
    }
    match of.is(Check::DynamicLaunch, &outputs.dynamic_launch) {
        Some(true) => {
            of.launch(profile.of_dynamic_launch(), "trustedboot get says Drtm Enabled: true")
        }
        Some(false) => {
            of.launch(profile.of_no_dynamic_launch(), "trustedboot get says Drtm Enabled: false");
        }
        None => {}
    }
    of.is_or(
        Check::SecureBootEnforced,
        &outputs.secure_boot_enforced,
        true,
        Objection::NotEnforced,
    );
    let sealed = of.is_or(Check::SealedConfiguration, &outputs.sealed, true, Objection::NotSealed);
    of.is_or(Check::InstalledOnly, &outputs.installed_only, true, Objection::AnyProgramRuns);
    of.is_or(Check::KeyPersistence, &outputs.key_persistence, false, Objection::KeysPersist);
    match (of.is(Check::RecoveryKey, &outputs.recovery_keys), sealed) {
        (Some(0), Some(true)) => of.observed.objections.push(Objection::NoRecoveryKey),
        (Some(0) | None, Some(false)) => {
            of.seen(Check::RecoveryKey, "nothing is sealed, so none is needed");
        }
        (Some(1..), _) => of.seen(
            Check::RecoveryKey,
            "there is one, which is not shown; that it is kept off the host nobody can see here",
        ),
        (Some(0) | None, _) => {}
    }
    of.firmware(outputs);
    of.observed
}

struct Observing {
    observed: Observed,
}

impl Observing {
    fn seen(&mut self, check: Check, words: &str) {
        self.observed.seen.insert(check, words.to_owned());
    }

    fn find(&mut self, finding: Finding) {
        self.observed.findings.push(finding);
    }

    /// What is said, where it is one thing.
    fn is<T: Copy + PartialEq>(&mut self, check: Check, said: &Said<T>) -> Option<T> {
        if matches!(said, Said::Contradicted) {
            self.observed.objections.push(Objection::Contradiction { check });
        }
        said.known().copied()
    }

    /// The same of what should be `wanted`.
    fn is_or(
        &mut self,
        check: Check,
        said: &Said<bool>,
        wanted: bool,
        objection: Objection,
    ) -> Option<bool> {
        let is = self.is(check, said)?;
        if is == wanted {
            self.seen(check, if is { "yes" } else { "no keys are kept" });
        } else {
            self.observed.objections.push(objection);
        }
        Some(is)
    }

    fn launch(&mut self, objection: Option<Objection>, words: &str) {
        self.observed.objections.extend(objection);
        self.seen(Check::DynamicLaunch, words);
    }

    fn vibs(&mut self, outputs: &Outputs) {
        // That it cannot be is told by the line itself, with the log's signatures.
        let could = self.is(Check::SignedVibs, &outputs.could_be_on);
        if !outputs.unsigned_vibs.is_empty() {
            let vibs = outputs.unsigned_vibs.join(", ");
            self.observed.objections.push(Objection::UnsignedVibs { vibs });
        }
        if self.is(Check::SignedVibs, &outputs.takes_unsigned) == Some(true) {
            self.observed.objections.push(Objection::CommunitySupported);
        }
        if could == Some(true) {
            self.seen(Check::SignedVibs, "secureBoot.py -c says that Secure Boot can be on");
        }
    }

    fn firmware(&mut self, outputs: &Outputs) {
        for said in [&outputs.vendor, &outputs.firmware_version] {
            if matches!(said, Said::Contradicted) {
                let check = Check::TpmFirmware;
                self.observed.objections.push(Objection::Contradiction { check });
            }
        }
        let (Some(vendor), Some(version)) =
            (outputs.vendor.known(), outputs.firmware_version.known())
        else {
            return;
        };
        let known = Vendor::from_short_name(vendor).zip(version.parse::<FirmwareVersion>().ok());
        let Some((vendor, version)) = known else { return };
        for known in advisories(vendor, &version) {
            let finding = Finding::new(Code::TpmFirmwareAdvisory)
                .with("advisory", Argument::text(format_args!("{} ({})", known.id, known.name)))
                .with("vendor", Argument::text(vendor))
                .with("version", Argument::text(version))
                .with("fixed", Argument::text(known.fixed));
            self.find(finding.because(known.impact));
        }
        self.seen(Check::TpmFirmware, &format!("{vendor}, firmware {version}"));
    }
}
