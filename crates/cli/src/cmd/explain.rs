//! `bootproof explain`

use api::finding::{CatalogueEntry, catalogue};
use diagnose::{Role, Signature};
use firmware::assess::CODES;

use super::{Exit, response_code};
use crate::{
    args::Explain,
    error::CliError,
    output::{Output, Tone},
};

pub(super) fn run(command: &Explain, output: &Output) -> Result<Exit, CliError> {
    let entries = catalogue();
    let Some(code) = &command.code else { return all(&entries, output) };
    if let Some(entry) = entries.iter().find(|entry| entry.code == *code) {
        if output.is_json() {
            output.json(entry)?;
        } else {
            one(entry, output)?;
        }
        return Ok(Exit::Done);
    }
    if let Some(row) = diagnose::signatures().find(|row| row.id.eq_ignore_ascii_case(code)) {
        signature(row, output)?;
        return Ok(Exit::Done);
    }
    // What BMCs say has findings of its own; where both have a name they mean the same.
    if let Some(entry) = CODES.iter().find(|entry| entry.name == *code) {
        let entry = of_firmware(entry);
        if output.is_json() {
            output.json(&entry)?;
        } else {
            one(&entry, output)?;
        }
        return Ok(Exit::Done);
    }
    if let Some(code) = response_code::number(code) {
        return response_code::show(code, output);
    }
    let hint = "`bootproof explain` lists the findings; a line of logs has a name as L01, a response code is written as 0x18b";
    let names =
        entries.iter().map(|entry| &*entry.code).chain(CODES.iter().map(|entry| entry.name));
    let hint = match policy::alike(code, names, ALIKE_MIN) {
        Some(name) => format!("is `{name}` meant? {hint}"),
        None => hint.to_owned(),
    };
    Err(CliError::with_hint(
        anyhow::anyhow!("{code:?} is neither a finding, a line of logs nor a TPM response code"),
        hint,
    ))
}

/// From how much likeness on a name is taken for one that was mistyped.
pub(super) const ALIKE_MIN: f64 = 0.85;

/// What `bootproof diagnose` tells of a line.
fn signature(row: &Signature, output: &Output) -> Result<(), CliError> {
    let finding = row.finding.map(|code| code.as_str().to_owned());
    if output.is_json() {
        output.json(&api::diagnosis::Signature {
            signature: row.id.to_owned(),
            source: row.source.as_str().to_owned(),
            role: row.role.as_str().to_owned(),
            texts: row.texts.iter().map(|text| (*text).to_owned()).collect(),
            says: row.says.to_owned(),
            cause: row.cause.to_owned(),
            next_step: row.next_step.to_owned(),
            finding,
        })?;
        return Ok(());
    }
    let tone = match row.role {
        Role::Cause => Tone::Bad,
        Role::Symptom => Tone::Unsure,
        Role::Harmless => Tone::Good,
    };
    let id = output.paint(tone, row.id);
    output.line(&format!("{id} ({}, {})", row.source.as_str(), row.role.as_str()))?;
    output.line(&format!("\n{}", row.says))?;
    for text in row.texts {
        output.line(&format!("  {text}"))?;
    }
    for (heading, text) in [("Cause", row.cause), ("Next step", row.next_step)] {
        output.line("")?;
        output.line(&output.paint(Tone::Strong, heading))?;
        output.line(text)?;
    }
    if let Some(finding) = finding {
        output.line(&format!("\nSee also: bootproof explain {finding}"))?;
    }
    Ok(())
}

fn of_firmware(entry: &firmware::assess::Entry) -> CatalogueEntry {
    CatalogueEntry {
        code: entry.name.to_owned(),
        group: "Firmware settings".to_owned(),
        severity: entry.severity.as_str().to_owned(),
        title: entry.title.to_owned(),
        cause: entry.cause.to_owned(),
        next_step: entry.next_step.to_owned(),
    }
}

fn all(entries: &[CatalogueEntry], output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&entries)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["code", "severity", "what it says"]);
    for entry in entries {
        table.add_row([&entry.code, &entry.severity, &entry.title]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

fn one(entry: &CatalogueEntry, output: &Output) -> Result<(), CliError> {
    let code = output.paint(Tone::of_severity(&entry.severity), &entry.code);
    output.line(&format!("{code} ({}, {})", entry.group, entry.severity))?;
    for (heading, text) in
        [("", &entry.title), ("Cause", &entry.cause), ("Next step", &entry.next_step)]
    {
        output.line("")?;
        if !heading.is_empty() {
            output.line(&output.paint(Tone::Strong, heading))?;
        }
        output.line(text)?;
    }
    Ok(())
}
