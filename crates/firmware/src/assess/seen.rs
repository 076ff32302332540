//! What the BMC says, in a line each, whether or not anything is wrong with it.

use super::tpm::{maker, system_values};
use super::{Looked, Seen};
use crate::system::{Database, Interface, Known, Source};

pub(super) fn seen(looked: &Looked<'_>) -> Vec<Seen> {
    let system = looked.system;
    let mut seen = Vec::new();
    let mut tell = |what: &'static str, value: String, source: &Source| {
        seen.push(Seen { what, value, source: source.clone() });
    };
    let maker = maker(&system_values(looked)).map(|maker| format!("{maker} ")).unwrap_or_default();
    for module in system.trusted_modules.iter().flatten() {
        let kind = match &module.interface {
            Some(Interface::Tpm20) => "TPM 2.0",
            Some(Interface::Tpm12) => "TPM 1.2",
            Some(Interface::Other(other)) => other,
            None => "kind not said",
        };
        let version = module.firmware.as_deref().unwrap_or("not said");
        let second = module.firmware_2.as_deref().map(|v| format!(" / {v}")).unwrap_or_default();
        let state = module.state.as_deref().unwrap_or("state not said");
        tell("TPM", format!("{kind}, {maker}firmware {version}{second}, {state}"), &module.source);
    }
    for setting in looked.settings {
        let value = format!("{} = {}", setting.attribute, setting.value);
        tell(setting.intent.title(), value, &setting.source);
    }
    if let Some(secure_boot) = &system.secure_boot {
        if let Some(enable) = &secure_boot.enable {
            tell("Secure Boot wanted", enable.value.to_string(), &enable.source);
        }
        if let Some(current) = &secure_boot.current {
            tell("Secure Boot in force", current.value.to_string(), &current.source);
        }
        if let Some(mode) = &secure_boot.mode {
            tell("Secure Boot mode", format!("{:?}", mode.value), &mode.source);
        }
        for database in &secure_boot.databases {
            let source = Source::new(&database.path, "");
            tell("database", of_database(database), &source);
        }
    }
    for bank in &system.measured_banks {
        tell("PCR values shown", bank.value.clone(), &bank.source);
    }
    if let Some(required) = &system.trusted_module_required {
        tell("TPM required to boot", required.value.clone(), &required.source);
    }
    if let Some(progress) = &system.boot_progress {
        tell("boot progress", progress.value.clone(), &progress.source);
    }
    seen
}

fn of_database(database: &Database) -> String {
    let names: Vec<_> = database
        .certificates
        .iter()
        .map(|certificate| match certificate.known {
            Some(Known::Certificate(known)) => known.name.to_owned(),
            // Its content was not shown, so that the name is all there is.
            Some(Known::Name(known)) => format!("{} (by name)", known.name),
            None => certificate.subject.clone(),
        })
        .collect();
    let digests = match (&database.dbx, database.n_digests) {
        (_, 0) => String::new(),
        (Some(state), n) => {
            let level = state.release.map_or_else(|| "none".to_owned(), |day| day.to_string());
            format!("{n} digests, level {level}")
        }
        (None, n) => format!("{n} digests"),
    };
    let parts: Vec<_> =
        [names.join(", "), digests].into_iter().filter(|part| !part.is_empty()).collect();
    let parts = if parts.is_empty() { "empty".to_owned() } else { parts.join("; ") };
    format!("{}: {parts}", database.id)
}
