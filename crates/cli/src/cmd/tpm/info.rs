//! `bootproof tpm info`: what a TPM says of itself.

use api::tpm::{Description, Interface};
use doctor::State;

use super::{
    describe::describe,
    device::{failed, open_to_look},
};
use crate::{
    args::TpmInfo,
    cmd::Exit,
    error::CliError,
    output::{Output, Tone, plain},
};

pub(in crate::cmd) fn run(command: &TpmInfo, output: &Output) -> Result<Exit, CliError> {
    let mut opened = open_to_look(&command.device)?;
    let tpm = describe(&mut opened, command.acpi_tpm2.as_deref()).map_err(failed)?;
    if output.is_json() {
        output.json(&tpm)?;
    } else {
        in_words(&tpm, output)?;
    }
    let stands_in_the_way = tpm.concerns.iter().any(|why| why.state == State::Fail.as_str());
    Ok(if stands_in_the_way { Exit::No } else { Exit::Done })
}

fn in_words(tpm: &Description, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    line("TPM", &format!("{} {}", tpm.vendor, tpm.vendor_string))?;
    if let Some(program) = &tpm.software {
        line("", &format!("a program, not a chip: {program}"))?;
    }
    line("  at", &tpm.address)?;
    line("firmware", &tpm.firmware_version)?;
    line("specification", &specification(tpm))?;
    let (on, off): (Vec<_>, Vec<_>) = tpm.banks.iter().partition(|bank| bank.active);
    let names = |banks: Vec<&api::tpm::Bank>| {
        let names: Vec<_> = banks.iter().map(|bank| bank.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(" ") }
    };
    line("PCR banks", &format!("on: {}; off: {}", names(on), names(off)))?;
    line("interface", &interface(&tpm.interface))?;
    line("lockout", &lockout(tpm))?;
    line("passwords", &passwords(tpm))?;
    line("hierarchies", &hierarchies(tpm))?;
    line("left", &left(tpm))?;
    match tpm.advisories.as_slice() {
        [] => line("advisories", "none is known of this firmware")?,
        known => {
            for known in known {
                let known = format!("{} ({}): {}", known.id, known.name, known.impact);
                line("advisory", &known)?;
            }
        }
    }
    for why in &tpm.concerns {
        let tone = if why.state == State::Fail.as_str() { Tone::Bad } else { Tone::Unsure };
        output.line("")?;
        output.line(&format!(
            "{} {}: {}",
            output.paint(tone, &why.state),
            why.code,
            plain(&why.cause)
        ))?;
        output.line(&format!("  next: {}", plain(&why.next_step)))?;
    }
    Ok(())
}

fn specification(tpm: &Description) -> String {
    let said = &tpm.specification;
    let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let revision = said.revision.as_deref().unwrap_or("?");
    format!(
        "TPM {}, level {}, revision {revision}, day {} of {}",
        said.family,
        number(said.level),
        number(said.day_of_year),
        number(said.year)
    )
}

fn interface(said: &Interface) -> String {
    let kind = match said.kind.as_deref() {
        Some("fifo") => "FIFO",
        Some("crb") => "CRB",
        _ => "not known",
    };
    let mut words = format!("{kind}, as says {}", said.known_by);
    if said.kind.is_none() {
        words = format!("{kind}; known by {}", said.known_by);
    }
    if let Some(method) = said.start_method {
        words.push_str(&format!("; start method {method}"));
    }
    if let Some(driver) = &said.driver {
        words.push_str(&format!("; driver {driver}"));
    }
    words
}

fn lockout(tpm: &Description) -> String {
    let Some(said) = tpm.lockout else { return "not said".to_owned() };
    let state = if said.locked { "LOCKED" } else { "not locked" };
    let mut words = format!(
        "{state}, {} of {} failures, one forgotten in {} s",
        said.failures, said.failures_max, said.interval_s
    );
    match tpm.lockout_recovery_s {
        Some(0) => words.push_str("; a wrong lockout password is forgiven at the next start"),
        Some(s) => words.push_str(&format!("; a wrong lockout password is forgiven in {s} s")),
        None => {}
    }
    words
}

fn passwords(tpm: &Description) -> String {
    let Some(said) = tpm.ownership else { return "not said".to_owned() };
    let set = [
        ("owner", said.owner_password),
        ("endorsement", said.endorsement_password),
        ("lockout", said.lockout_password),
    ];
    let set: Vec<_> = set.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
    let set =
        if set.is_empty() { "none set".to_owned() } else { format!("set: {}", set.join(", ")) };
    let clear = if said.clear_permitted { "" } else { "; TPM2_Clear by the lockout is off" };
    format!("{set}{clear}")
}

fn hierarchies(tpm: &Description) -> String {
    let Some(said) = tpm.hierarchies else { return "not said".to_owned() };
    let on = |on| if on { "on" } else { "off" };
    format!(
        "owner {}, endorsement {}, platform {}",
        on(said.storage),
        on(said.endorsement),
        on(said.platform)
    )
}

fn left(tpm: &Description) -> String {
    let said = &tpm.resources;
    let number = |value: Option<u32>| value.map_or_else(|| "?".to_owned(), |n| n.to_string());
    format!(
        "{} objects, {} sessions ({} to open), {} persistent keys beside {}, {} NV counters ({} indices)",
        number(said.transient_left),
        number(said.sessions_loaded_left),
        number(said.sessions_active_left),
        number(said.persistent_left),
        number(said.persistent),
        number(said.nv_counters_left),
        number(said.nv_indices)
    )
}
