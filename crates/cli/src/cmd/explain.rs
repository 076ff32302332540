//! `bootproof explain`

use api::finding::{CatalogueEntry, catalogue};

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
    if let Some(code) = response_code::number(code) {
        return response_code::show(code, output);
    }
    Err(CliError::with_hint(
        anyhow::anyhow!("{code:?} is neither a finding nor a TPM response code"),
        "`bootproof explain` lists the findings; a response code is written as 0x18b",
    ))
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
