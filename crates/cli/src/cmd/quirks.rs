//! `bootproof quirks`

use api::quirk::QuirkEntry;

use super::Exit;
use crate::{
    args::Quirks,
    error::CliError,
    output::{Output, Tone},
};

pub(super) fn run(command: &Quirks, output: &Output) -> Result<Exit, CliError> {
    let entries = report::quirks();
    let Some(name) = &command.name else { return all(&entries, output) };
    let Some(entry) = entries.iter().find(|entry| entry.name == *name) else {
        let error = anyhow::anyhow!("there is no quirk {name:?}");
        return Err(CliError::with_hint(error, "`bootproof quirks` lists them"));
    };
    if output.is_json() {
        output.json(entry)?;
    } else {
        one(entry, output)?;
    }
    Ok(Exit::Done)
}

fn all(entries: &[QuirkEntry], output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&entries)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["quirk", "effect", "finding", "who"]);
    for entry in entries {
        let finding = entry.finding.as_deref().unwrap_or("-");
        table.add_row([entry.name.as_str(), &entry.effect, finding, &entry.who]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

fn one(entry: &QuirkEntry, output: &Output) -> Result<(), CliError> {
    output.line(&format!("{} ({})", output.paint(Tone::Strong, &entry.name), entry.effect))?;
    let named = |key: &str| format!("[quirks]\n{key} = [\"{}\"]", entry.name);
    let in_policy = match (entry.refusable, entry.permissible) {
        (true, _) => ("To refuse it, in a policy", &named("refuse")),
        (false, true) => ("To permit it, in a policy", &named("permit")),
        (false, false) => ("To refuse it, in a policy", &"There is nothing to refuse.".to_owned()),
    };
    for (heading, text) in [
        ("Who", &entry.who),
        ("What deviates", &entry.deviates),
        ("What is permitted", &entry.permits),
        ("What the match rests on", &entry.rests_on),
        ("How it is known", &entry.known),
        in_policy,
    ] {
        output.line("")?;
        output.line(&output.paint(Tone::Strong, heading))?;
        output.line(text)?;
    }
    Ok(())
}
