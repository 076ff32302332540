//! What is going to be changed, and what became of it.

use std::{error::Error, io};

use redfish::apply::{ApplyError, HostReport, Outcome, Step, Work};
use serde::Serialize;
use serde_json::Value;

use super::apply::{Host, Wanted};
use crate::output::{Output, Tone, plain};

/// An error with its causes, in one line.
pub(super) fn chain(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// The hosts, wave after wave, with each change.
pub(super) fn hosts(hosts: &[Host], output: &Output) -> io::Result<()> {
    let mut table = output.table(&["host", "wave", "restarts", "what is changed"]);
    for host in hosts {
        let (restarts, what) = match &host.wanted {
            Wanted::New { work, .. } => (work.steps.len().to_string(), steps(work, 0)),
            Wanted::GoOn(progress) => {
                let done = progress.n_steps_done;
                let left = progress.work.steps.len() - done;
                (left.to_string(), format!("goes on:\n{}", steps(&progress.work, done)))
            }
            Wanted::Nothing => ("0".to_owned(), "nothing: all is as it should be".to_owned()),
            Wanted::Not(why) => ("-".to_owned(), format!("not changed: {why}")),
        };
        table.add_row([plain(&host.name), host.wave.to_string(), restarts, plain(&what)]);
    }
    output.line(&table.to_string())?;
    let mut effects: Vec<String> = Vec::new();
    for host in hosts {
        let Wanted::New { plan, .. } = &host.wanted else { continue };
        for effect in &plan.effects {
            let pcrs: Vec<_> = effect.pcrs.iter().map(u8::to_string).collect();
            let text = format!("PCR {}: {}", pcrs.join(", "), effect.what);
            if !effects.contains(&text) {
                effects.push(text);
            }
        }
    }
    effects.iter().try_for_each(|effect| output.line(&plain(effect)))
}

/// The hosts whose changes are taken back.
pub(super) fn backs<'a>(
    rows: impl Iterator<Item = (&'a str, u32, &'a Work, &'a [String])>,
    output: &Output,
) -> io::Result<()> {
    let mut table = output.table(&["host", "wave", "restarts", "what is taken back"]);
    for (name, wave, work, left) in rows {
        let mut what = steps(work, 0);
        if !left.is_empty() {
            what.push_str(&format!("\nstays as it is: {}", left.join(", ")));
        }
        table.add_row([plain(name), wave.to_string(), work.steps.len().to_string(), plain(&what)]);
    }
    output.line(&table.to_string())
}

fn steps(work: &Work, n_done: usize) -> String {
    let steps = work.steps.iter().enumerate().skip(n_done);
    let lines = steps.flat_map(|(index, step)| {
        let changes = changes(step).into_iter();
        changes.map(move |change| format!("{}. {change}", index + 1)).collect::<Vec<_>>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn changes(step: &Step) -> Vec<String> {
    let mut lines: Vec<_> = step
        .changes
        .iter()
        .map(|change| {
            let from = change.from.as_ref().map_or_else(|| "?".to_owned(), value);
            match &change.told_by {
                Some(_) => format!("{}: {}", change.attribute, value(&change.to)),
                None => format!("{}: {from} → {}", change.attribute, value(&change.to)),
            }
        })
        .collect();
    if let Some(switch) = step.secure_boot {
        let word = |on| if on { "on" } else { "off" };
        lines.push(format!("Secure Boot: {} → {}", word(switch.from), word(switch.to)));
    }
    if lines.is_empty() {
        lines.push("a restart, which what was set before waits for".to_owned());
    }
    lines
}

fn value(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn all_done(reports: &[HostReport]) -> bool {
    reports.iter().all(|report| matches!(report.result, Some(Ok(Outcome::Done))))
}

/// What became of each host.
pub(super) fn reports(reports: &[HostReport], output: &Output) -> io::Result<()> {
    let mut table = output.table(&["host", "wave", "result", "next step"]);
    for report in reports {
        let told = told(&report.name, report.wave, report.result.as_ref());
        let tone = match told.result {
            "done" => Tone::Good,
            "failed" => Tone::Bad,
            _ => Tone::Unsure,
        };
        let result = match &told.why {
            Some(why) => format!("{}: {}", output.paint(tone, told.result), plain(why)),
            None => output.paint(tone, told.result),
        };
        let next = told.next_step.unwrap_or_default();
        table.add_row([plain(&report.name), report.wave.to_string(), result, plain(&next)]);
    }
    output.line(&table.to_string())
}

/// One host in JSON.
#[derive(Serialize)]
struct Told {
    host: String,
    wave: u32,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

fn told(name: &str, wave: u32, result: Option<&Result<Outcome, ApplyError>>) -> Told {
    let again = "the same command goes on".to_owned();
    let (result, why, next_step) = match result {
        Some(Ok(Outcome::Done)) => ("done", None, None),
        Some(Ok(Outcome::Stopped { why })) => ("stopped", Some(why.clone()), Some(again)),
        Some(Err(err)) => ("failed", Some(chain(err)), Some(err.hint().to_owned())),
        None => ("not begun", None, Some(again)),
    };
    Told { host: name.to_owned(), wave, result, why, next_step }
}

/// All hosts, those that were not changed too.
pub(super) fn json(hosts: &[Host], reports: &[HostReport], output: &Output) -> io::Result<()> {
    let unchanged = hosts.iter().filter_map(|host| {
        let (result, why) = match &host.wanted {
            Wanted::Nothing => ("nothing to change", None),
            Wanted::Not(why) => ("not changed", Some(why.clone())),
            Wanted::New { .. } | Wanted::GoOn(_) => return None,
        };
        Some(Told { host: host.name.clone(), wave: host.wave, result, why, next_step: None })
    });
    let changed = reports.iter().map(|r| told(&r.name, r.wave, r.result.as_ref()));
    output.json(&changed.chain(unchanged).collect::<Vec<_>>())
}
