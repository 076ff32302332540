//! Whether settings can be read and changed at all.

use super::{Code, Looked};
use crate::Unread;
use crate::system::{Bios, Source};

pub(super) fn look(looked: &mut Looked<'_>) {
    let system = looked.system;
    if let Some(bios) = &system.bios {
        of_bios(looked, bios);
    }
    for job in system.jobs.iter().filter(|job| job.of_settings) {
        let code = if job.is_stuck { Code::JobStuck } else { Code::JobPending };
        let source = Source::new(&job.path, "JobState");
        looked.find(code, format!("{} is {}", job.path.name(), job.state), Some(&source));
    }
    unread(looked);
}

fn of_bios(looked: &mut Looked<'_>, bios: &Bios) {
    if let Some(settings) = bios.settings.as_ref().filter(|settings| !settings.pending.is_empty()) {
        let shown: Vec<_> = settings.pending.iter().take(8).collect();
        let more = settings.pending.len().saturating_sub(shown.len());
        let mut detail: Vec<_> =
            shown.iter().map(|(name, value)| format!("{name} to {value}")).collect();
        if more > 0 {
            detail.push(format!("{more} more"));
        }
        let source = Source::new(&settings.path, "Attributes");
        looked.find(Code::SettingsPending, detail.join(", "), Some(&source));
    }
    for refused in &bios.refused {
        looked.find(Code::SettingsRefused, refused.value.clone(), Some(&refused.source));
    }
    match &bios.registry {
        None => {
            let detail = match &bios.registry_name {
                Some(name) => format!("the BIOS names {name}"),
                None => "the BIOS names none".to_owned(),
            };
            let source = Source::new(&bios.path, "AttributeRegistry");
            looked.find(Code::RegistryMissing, detail, Some(&source));
        }
        Some((path, registry)) => {
            // What tells only is read-only by nature. Of a host that nothing locks a tenth is.
            let settable: Vec<_> = registry
                .attributes()
                .filter(|attribute| !attribute.immutable && !attribute.values.is_empty())
                .collect();
            let n_locked = settable.iter().filter(|attribute| attribute.read_only).count();
            if settable.len() >= 20 && n_locked.saturating_mul(2) > settable.len() {
                let detail = format!("{n_locked} of {} settings are read-only", settable.len());
                looked.find(
                    Code::SettingsLocked,
                    detail,
                    Some(&Source::new(path, "RegistryEntries")),
                );
            }
        }
    }
}

/// What is not there is so by its own absence; what could not be read is told.
fn unread(looked: &mut Looked<'_>) {
    let system = looked.system;
    let counts = |why: &Unread| !matches!(why, Unread::NotFound | Unread::Elsewhere);
    let all: Vec<_> = system.unread.iter().filter(|(_, why)| counts(why)).collect();
    if let Some((path, why)) = all.first() {
        let more = match all.len().saturating_sub(1) {
            0 => String::new(),
            n => format!("; {n} more"),
        };
        let source = Source::new(path, "");
        looked.find(Code::NotRead, format!("{path}: {why}{more}"), Some(&source));
    }
}
