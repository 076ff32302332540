//! Secure Boot's keys and lists, for people.

use api::appraisal::{Facts, SecureBootFacts};

use crate::{
    error::CliError,
    output::{Output, plain},
};

/// Modes, a line for each key, dbx, what allowed what, and shim's state.
pub(super) fn show(
    facts: &Facts,
    state: &SecureBootFacts,
    output: &Output,
) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("  {name:<14} {}", plain(value)));
    let modes = [
        ("setup mode", facts.setup_mode),
        ("audit mode", state.audit_mode),
        ("deployed mode", state.deployed_mode),
    ];
    for (name, mode) in modes.into_iter().filter_map(|(name, mode)| Some((name, mode?))) {
        line(name, if mode { "on" } else { "off" })?;
    }
    for key in &state.keys {
        let subject = key.subject.as_deref().unwrap_or("a certificate that cannot be read");
        let strength = key.key.as_deref().unwrap_or("unknown");
        let mut text = format!("{subject} ({strength}), {}", key.belief);
        if key.is_test_key {
            text.push_str(", made for tests");
        }
        line(&key.variable, &text)?;
    }
    if let Some(dbx) = &state.dbx {
        let release = dbx.release.as_deref().unwrap_or("unknown content");
        let text = match dbx.n_releases_behind {
            0 => format!("{release}, up to date with {}", dbx.newest),
            n => format!("{release}, {n} releases behind {}", dbx.newest),
        };
        let unknown = match dbx.n_unknown {
            0 => String::new(),
            n => format!(", {n} unknown"),
        };
        line(
            "dbx",
            &format!("{text}; {} images{unknown}, {} missing", dbx.n_known, dbx.n_missing),
        )?;
        if let Some(n) = dbx.operator_list_entries {
            let signed = dbx.operator_list_signed.as_deref().unwrap_or("no date");
            line("dbx file", &format!("{n} images, {signed}"))?;
        }
    }
    for authority in state.authorities.iter().filter(|a| a.subject.is_some()) {
        let subject = authority.subject.as_deref().unwrap_or_default();
        let mut text = format!("{subject}, {} ({})", authority.standing, authority.belief);
        // db is named by its standing.
        if authority.variable != "db" {
            text.push_str(&format!(", as {}", authority.variable));
        }
        if let Some(event) = authority.again {
            text.push_str(&format!(", as in event {event}"));
        }
        line(
            &format!("allowed {}", if authority.allowed == "driver" { "drv" } else { "app" }),
            &text,
        )?;
    }
    if let Some(level) = &state.sbat_level {
        line("SBAT", level)?;
    }
    if state.mok_enrolled {
        line("MOK", "the owner enrolled keys in shim")?;
    }
    if state.mok_revokes {
        line("MOK", "the owner revoked keys or images in shim")?;
    }
    if state.mok_enrolled && state.mok_list_trusted == Some(true) {
        line("MOK", "the kernel may trust them for modules")?;
    }
    if state.shim_validates_nothing {
        line("shim", "verifies nothing")?;
    }
    Ok(())
}
