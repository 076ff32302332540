//! Boot mode and Secure Boot's switch.

use super::{Code, Looked, Severity};
use crate::plan::Installed;
use crate::system::Mode;
use crate::vendor::{Intent, Reading};

pub(super) fn look(looked: &mut Looked<'_>) {
    legacy(looked);
    secure_boot(looked);
}

fn legacy(looked: &mut Looked<'_>) {
    let off: Vec<_> =
        looked.of(Intent::UefiBoot).filter(|s| s.reading == Reading::Off).cloned().collect();
    for setting in &off {
        let mut detail = format!("{} is {}", setting.attribute, setting.value);
        if let Some(mode) = &looked.system.boot_source_mode
            && looked.goal.installed == Installed::Unknown
        {
            detail.push_str(&format!("; overrides of the boot device are for {}", mode.value));
        }
        looked.find(Code::LegacyBoot, detail, Some(&setting.source));
    }
    let video: Vec<_> =
        looked.of(Intent::NoLegacyVideo).filter(|s| s.reading == Reading::Off).cloned().collect();
    for setting in &video {
        let detail = format!("{} is {}", setting.attribute, setting.value);
        looked.find(Code::LegacyVideo, detail, Some(&setting.source));
    }
}

fn secure_boot(looked: &mut Looked<'_>) {
    let system = looked.system;
    let Some(secure_boot) = &system.secure_boot else {
        // The setting tells what is wanted; what is in force the resource would.
        let settings: Vec<_> = looked.of(Intent::SecureBoot).cloned().collect();
        match settings.iter().find(|setting| setting.reading == Reading::Off) {
            Some(setting) => {
                let detail = format!("{} is {}", setting.attribute, setting.value);
                looked.find(Code::SecureBootOff, detail, Some(&setting.source));
            }
            None => {
                let detail = match settings.first() {
                    Some(setting) => format!(
                        "{} is {}, and whether that is in force is not said",
                        setting.attribute, setting.value
                    ),
                    None => "there is no SecureBoot resource".to_owned(),
                };
                looked.find(Code::SecureBootUnknown, detail, settings.first().map(|s| &s.source));
            }
        }
        return;
    };
    let mode = secure_boot.mode.as_ref();
    match mode.map(|mode| &mode.value) {
        Some(Mode::Setup) => {
            let n = |id| secure_boot.database(id).map_or(0, |database| database.certificates.len());
            let detail = match n("KEK").saturating_add(n("db")) {
                0 => "it is in setup mode".to_owned(),
                n => format!("it is in setup mode, while KEK and db hold {n} certificates"),
            };
            looked.find(Code::SetupMode, detail, mode.map(|mode| &mode.source));
        }
        Some(Mode::Audit) => {
            looked.find(Code::AuditMode, "it is in audit mode", mode.map(|mode| &mode.source));
        }
        Some(Mode::Other(other)) => {
            let detail = format!("its mode is {other}, which this program does not know");
            looked.find(Code::SecureBootUnknown, detail, mode.map(|mode| &mode.source));
        }
        Some(Mode::User | Mode::Deployed) | None => {}
    }
    let enable = secure_boot.enable.as_ref();
    match (&secure_boot.current, enable.map(|enable| enable.value)) {
        (Some(current), Some(true)) if !current.value => {
            let detail = "SecureBootEnable is true, SecureBootCurrentBoot is Disabled";
            // Without a platform key a restart changes nothing.
            let severity = match mode.map(|mode| &mode.value) {
                Some(Mode::Setup) => Severity::Info,
                _ => Severity::Fail,
            };
            looked.find_as(Code::SecureBootPending, severity, detail, Some(&current.source));
        }
        (Some(current), _) if !current.value => {
            looked.find(
                Code::SecureBootOff,
                "SecureBootCurrentBoot is Disabled",
                Some(&current.source),
            );
        }
        (Some(_), Some(false)) => {
            let detail = "it is on, and set to be off after the next start";
            looked.find(Code::SecureBootOff, detail, enable.map(|enable| &enable.source));
        }
        (Some(_), _) => {}
        (None, Some(false)) => {
            looked.find(
                Code::SecureBootOff,
                "SecureBootEnable is false",
                enable.map(|enable| &enable.source),
            );
        }
        (None, _) => {
            let detail = "SecureBootCurrentBoot, what is in force, is not given";
            looked.find(Code::SecureBootUnknown, detail, None);
        }
    }
}
