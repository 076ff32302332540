//! References as files, without a server.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use api::machine::Machine;
use appraise::{Context, LearnError, Learning, boot};
use references::{Applied, Baseline, Scope, State};

use super::{
    super::{Exit, verify},
    vendor,
};
use crate::{
    args::{ReferenceCompare, ReferenceFile, ReferenceLearn},
    error::CliError,
    evidence_dir::read_limited,
    output::{Output, Tone, plain},
};

/// The baseline in `file`.
pub(crate) fn load(file: &Path) -> Result<Baseline, CliError> {
    let bytes = read_limited(file, api::reference::REFERENCE_BYTES_MAX as u64)?;
    let baseline = report::reference::read(&bytes);
    Ok(baseline.with_context(|| format!("{} is no reference", file.display()))?)
}

/// A file that somebody names is one that he accepts: it is active, and for this host.
pub(crate) fn applied<'r>(name: &'r str, baseline: &'r Baseline) -> Applied<'r> {
    Applied {
        name,
        scope: Scope::Host,
        state: State::Active,
        accepted_by: "",
        accepted_at: None,
        until: None,
        baseline,
    }
}

/// Whether a vendor's manifest is about the machine that the evidence names: it says nothing of others.
pub(crate) fn check_model(
    file: &Path,
    baseline: &Baseline,
    machine: Option<&Machine>,
) -> Result<(), CliError> {
    let Some(manifest) = &baseline.content().manifest else { return Ok(()) };
    let meant = report::reference::cohort(&manifest.model);
    let named = match machine.and_then(Machine::cohort) {
        Some(cohort) if cohort == meant => return Ok(()),
        Some(cohort) => format!("is of {cohort}"),
        None => "does not say vendor, model and firmware".to_owned(),
    };
    let file = file.display();
    Err(anyhow!("{file} is for {meant}, and the evidence {named}").into())
}

pub(super) fn learn(command: &ReferenceLearn, output: &Output) -> Result<Exit, CliError> {
    let case = verify::Case::read(&command.evidence)?;
    let context = Context::default();
    let learnt = case.with_claims(|claims, policy, now| {
        appraise::learn(claims, &context, policy, now, Learning::Accepted)
    });
    let baseline = learnt.map_err(|err| {
        let hint = match &err {
            LearnError::NotAccepted { .. } => "`bootproof verify` with the same files says why",
            LearnError::Content(_) => "`bootproof eventlog` shows what was measured",
        };
        let named = format!("{} teaches nothing", command.evidence.folder.display());
        CliError::with_hint(anyhow::Error::from(err).context(named), hint)
    })?;
    let bytes = report::reference::write(&baseline).context("the reference is too large")?;
    fs::write(&command.out, bytes)
        .with_context(|| format!("{} cannot be written", command.out.display()))?;
    if output.is_json() {
        output.json(&report::reference::document(&baseline))?;
    } else {
        let n = baseline.content().events.len();
        let pcrs = baseline.pcrs();
        output.line(&format!("{}: {n} events, PCR {pcrs}", command.out.display()))?;
    }
    Ok(Exit::Done)
}

pub(super) fn show(command: &ReferenceFile, output: &Output) -> Result<Exit, CliError> {
    let baseline = load(&command.file)?;
    if output.is_json() {
        output.json(&report::reference::document(&baseline))?;
        return Ok(Exit::Done);
    }
    show_baseline(&baseline, &command.file.display().to_string(), output)
}

/// The content of a reference that the server keeps, as [`show`] shows that of a file.
pub(super) fn show_document(bytes: &[u8], named: &str, output: &Output) -> Result<Exit, CliError> {
    let baseline = report::reference::read(bytes);
    let baseline = baseline.with_context(|| format!("{named} cannot be read"))?;
    show_baseline(&baseline, named, output)
}

fn show_baseline(baseline: &Baseline, named: &str, output: &Output) -> Result<Exit, CliError> {
    let document = report::reference::document(baseline);
    let line = |text: &str| output.line(&plain(text));
    let pcrs = baseline.pcrs();
    line(&format!("{named}: {}, PCR {pcrs}", document.origin))?;
    vendor::show(baseline, output)?;
    let content = baseline.content();
    let whose = match content.manifest {
        Some(_) => " (so the vendor says)",
        None => " (so the host says)",
    };
    for pcr in content.complete.iter() {
        let events = document.events.iter().filter(|event| event.pcr == pcr);
        output.line("")?;
        output.line(&output.paint(Tone::Strong, &format!("PCR {pcr}")))?;
        let mut n_events = 0;
        for event in events {
            n_events += 1;
            hint(&event.hint, whose, output)?;
        }
        if n_events == 0 {
            line("  never extended")?;
        }
    }
    for value in &document.values {
        let n = value.any_of.len();
        line(&format!("PCR {} of bank {}: one of {n} values", value.pcr, value.bank))?;
    }
    if !document.images.is_empty() {
        output.line("")?;
        output.line(&output.paint(Tone::Strong, "images that PCR 4 may hold"))?;
        // Read from the images themselves, by whoever made this reference.
        document.images.iter().try_for_each(|image| hint(&image.hint, "", output))?;
    }
    Ok(Exit::Done)
}

/// One line; `untrusted` is what to say of words that no digest covers.
fn hint(hint: &api::reference::Hint, untrusted: &str, output: &Output) -> Result<(), CliError> {
    let what = references::What::from_name(&hint.what).map_or("event", |what| what.words());
    let mut text = format!("  {what}");
    let names = hint.names.join(", ");
    let parts = [&hint.subject, &hint.text, &names];
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        text.push_str(&format!(" · {part}"));
    }
    let says_something = !hint.subject.is_empty() || !hint.text.is_empty();
    if says_something && !hint.measured {
        text.push_str(untrusted);
    }
    Ok(output.line(&plain(&text))?)
}

pub(super) fn compare(command: &ReferenceCompare, output: &Output) -> Result<Exit, CliError> {
    let baseline = load(&command.file)?;
    let case = verify::Case::read(&command.evidence)?;
    check_model(&command.file, &baseline, case.machine())?;
    let compared = case.with_claims(|claims, policy, now| {
        boot(claims).map(|boot| baseline.compare(&boot, &policy.references, now))
    });
    let comparison = compared.ok_or_else(|| {
        CliError::with_hint(
            anyhow!("{} proves nothing", command.evidence.folder.display()),
            "`bootproof verify` with the same files says why",
        )
    })?;
    if output.is_json() {
        output.json(&report::reference::comparison(&comparison))?;
    } else {
        let (tone, answer) = match comparison.is_match() {
            true => (Tone::Good, "fits"),
            false => (Tone::Bad, "differs"),
        };
        let answer = output.paint(tone, answer);
        output.line(&format!("{}: {answer}", command.evidence.folder.display()))?;
        let all = [("", &comparison.changes), ("not held to be equal: ", &comparison.varied)];
        for (kind, changes) in all {
            for change in changes {
                let event = change.event.map_or(String::new(), |event| format!(", event {event}"));
                let text = format!("  {kind}{} (PCR {}{event})", change.words, change.pcrs);
                output.line(&plain(&text))?;
            }
        }
        for (change, rule) in &comparison.ignored {
            let reason = case.ignore_reason(*rule).unwrap_or_default();
            let text = format!("  set aside, {reason}: {} (PCR {})", change.words, change.pcrs);
            output.line(&plain(&text))?;
        }
        if comparison.n_more > 0 {
            output.line(&format!("  and {} more changes", comparison.n_more))?;
        }
    }
    Ok(if comparison.is_match() { Exit::Done } else { Exit::No })
}
