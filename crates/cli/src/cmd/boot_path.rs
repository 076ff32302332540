//! The path of a boot, for people.

use api::appraisal::{BootStep, Facts, WindowsFacts};

use crate::{
    error::CliError,
    output::{Output, plain},
};

/// What was loaded, attempt by attempt: what the log calls it, and below it what was measured.
pub(super) fn show(facts: &Facts, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    if let Some(windows) = &facts.windows {
        line("windows", &windows_words(windows))?;
    }
    if facts.boot.is_empty() {
        return Ok(());
    }
    line("boot path", "names and places are what the log says, digests are what was measured")?;
    // One attempt that took over needs no heading.
    let is_plain = matches!(&facts.boot_attempts[..], [one] if one.outcome == "took over");
    let mut headed = 0;
    for step in &facts.boot {
        let attempt = step.attempt.unwrap_or_default();
        if !is_plain && attempt > headed {
            let told = facts.boot_attempts.iter().find(|told| told.number == attempt);
            let outcome = told.map_or("not told", |told| told.outcome.as_str());
            line(&format!("attempt {attempt}"), outcome)?;
            headed = attempt;
        }
        match step.kind.as_str() {
            "entry-called" | "entry-returned" => {}
            "attempts-omitted" => line("", "the firmware does not say which entries it tries")?,
            "command-line" => line("command line", &step_words(step))?,
            // A tag names what was measured, and that is all there is to say of it.
            kind if step.text.is_none() && step.untrusted_path.is_none() && kind.contains(' ') => {
                line(kind, &digest_words(step))?;
            }
            kind => {
                line(kind, &step_words(step))?;
                line("", &digest_words(step))?;
            }
        }
    }
    if facts.n_more_boot_steps > 0 {
        line("", &format!("and {} more", facts.n_more_boot_steps))?;
    }
    Ok(())
}

fn step_words(step: &BootStep) -> String {
    let mut words = match (&step.untrusted_role, step.kind.as_str()) {
        (Some(role), "application" | "file") => format!("{role}: "),
        _ => String::new(),
    };
    match (&step.text, &step.untrusted_path) {
        (Some(text), _) => words.push_str(&format!("{text} ({})", step.belief)),
        (None, Some(path)) => words.push_str(path),
        (None, None) => words.push_str("no path in the log"),
    }
    if let Some(entry) = &step.untrusted_entry {
        words.push_str(&format!(", of {entry}"));
    }
    if step.kind == "application" && step.phase.as_deref() == Some("firmware") {
        words.push_str(", before the firmware handed over");
    }
    words
}

fn digest_words(step: &BootStep) -> String {
    let digest = step.digest.as_deref().unwrap_or("not measured in a verified bank");
    let place = format!("event {}, PCR {}", step.event, step.pcr);
    match step.again {
        Some(event) => format!("{digest}, {place}, as in event {event}"),
        None => format!("{digest}, {place}"),
    }
}

fn windows_words(windows: &WindowsFacts) -> String {
    let boot = windows.boot_count.map_or("boot of no number".to_owned(), |n| format!("boot {n}"));
    let how = match windows.resumed {
        Some(true) => ", woken from hibernation",
        Some(false) => ", started",
        None => "",
    };
    format!("{boot}{how} ({})", windows.belief)
}
