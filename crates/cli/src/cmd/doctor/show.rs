//! The checklist as text and as JSON.

use api::doctor as document;
use doctor::{Checklist, First, Item, MEND_ABOVE, Outcome, Profile, Reason, State};

use crate::{
    error::CliError,
    output::{Output, Tone, plain},
};

/// The code of a check that nobody could make.
const NOT_CHECKED: &str = "not-checked";
const UNKNOWN: &str = State::Unknown.as_str();

pub(super) fn document(checklist: &Checklist) -> document::Checklist {
    let first = checklist.first();
    let mut failed = false;
    let checks = checklist.items().iter().map(|item| {
        let after_first_failure = failed;
        failed |= item.state == State::Fail;
        document::Check {
            check: item.row.name.to_owned(),
            title: item.row.title.to_owned(),
            state: item.state.as_str().to_owned(),
            seen: item.seen.clone(),
            reasons: reasons(item),
            stig: item.stig.map(str::to_owned),
            after_first_failure,
        }
    });
    document::Checklist {
        checks: checks.collect(),
        profile: checklist.profile().as_str().to_owned(),
        outcome: checklist.outcome().as_str().to_owned(),
        first: first.map(|First { item, reason: why }| document::First {
            check: item.row.name.to_owned(),
            reason: reason(why),
        }),
    }
}

fn reason(reason: &Reason) -> document::Reason {
    document::Reason {
        code: reason.code.to_owned(),
        state: reason.state.as_str().to_owned(),
        cause: reason.cause.clone(),
        next_step: reason.next_step.to_owned(),
    }
}

/// Those of the item, and where nobody could look, why.
fn reasons(item: &Item) -> Vec<document::Reason> {
    let mut reasons: Vec<_> = item.reasons.iter().map(reason).collect();
    // One that somebody gave says more.
    if item.state == State::Unknown && !reasons.iter().any(|why| why.state == UNKNOWN) {
        reasons.insert(
            0,
            document::Reason {
                code: NOT_CHECKED.to_owned(),
                state: UNKNOWN.to_owned(),
                cause: item.unknown.why.trim_end_matches('.').to_owned(),
                next_step: item.unknown.next_step.to_owned(),
            },
        );
    }
    reasons
}

const fn tone(state: State) -> Tone {
    match state {
        State::Pass => Tone::Good,
        State::Fail => Tone::Bad,
        State::Warn | State::Unknown => Tone::Unsure,
    }
}

pub(super) fn text(checklist: &Checklist, output: &Output) -> Result<(), CliError> {
    for item in checklist.items() {
        let state = output.paint(tone(item.state), &format!("{:<8}", item.state.as_str()));
        let stig = item.stig.map(|rule| format!(" [{rule}]")).unwrap_or_default();
        output.line(&format!("{state} {}{stig}", item.row.title))?;
        if let Some(seen) = &item.seen {
            output.line(&format!("         {}", plain(seen)))?;
        }
        for reason in reasons(item) {
            output.line(&format!("         {}: {}", reason.code, plain(&reason.cause)))?;
            // A remark asks for nothing, and that something stands above is plain to see.
            if reason.state != State::Pass.as_str() && reason.next_step != MEND_ABOVE {
                output.line(&format!("         next: {}", plain(&reason.next_step)))?;
            }
        }
    }
    output.line("")?;
    if checklist.profile() != Profile::Linux {
        output.line(&format!("Judged by what {} wants.", checklist.profile().as_str()))?;
    }
    summary(checklist, output)
}

fn summary(checklist: &Checklist, output: &Output) -> Result<(), CliError> {
    let first = checklist.first().map(|first| (first.item.row.title, first.reason));
    match (checklist.outcome(), first) {
        (Outcome::Failed, Some((title, reason))) => {
            let mend = output.paint(Tone::Bad, "Mend this first");
            output.line(&format!("{mend}: {}", plain(&reason.cause)))?;
            output.line(&format!("  next: {}", reason.next_step))?;
            output.line(&format!(
                "What stands below \"{title}\" may only follow from it. Change one thing at a time, \
                 restart, and look again."
            ))?;
        }
        (_, Some((_, reason))) => {
            let look = output.paint(Tone::Unsure, "Nothing failed. Look at this first");
            output.line(&format!("{look}: {}", plain(&reason.cause)))?;
            output.line(&format!("  next: {}", reason.next_step))?;
        }
        (Outcome::Sound, None) => {
            output.line(&output.paint(Tone::Good, "Nothing to mend."))?;
        }
        (_, None) => output.line("Nothing failed, as far as could be looked.")?,
    }
    let n_unknown = checklist.items().iter().filter(|item| item.state == State::Unknown).count();
    if n_unknown > 0 {
        output.line(&format!("{n_unknown} of the checks could not be made; that is no pass."))?;
    }
    Ok(output.line("This is the host's own word; a server's verdict proves it.")?)
}
