//! Hosts that are changed, while a person may stop it.

use std::sync::Arc;

use redfish::{
    Pace,
    apply::{
        Act, Campaign, Execution, Happening, HostReport, Journal, JournalError, Resets, Stop,
        Stopper, Task,
    },
};

use super::look::runtime;
use crate::{args::Changes, error::CliError, output::Output};

/// The exit code of a program that was interrupted twice: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

pub(super) fn pace(changes: &Changes) -> Pace {
    Pace { poll: changes.poll, boot: changes.boot_limit, lag: changes.settle, ..Pace::default() }
}

/// Opens the journal, which no other run may have.
pub(super) fn journal(changes: &Changes) -> Result<Journal, CliError> {
    Ok(Journal::open(&changes.journal)?)
}

/// Changes the hosts of `tasks`, and tells on standard error what happens.
pub(super) fn run(
    changes: &Changes,
    journal: Journal,
    tasks: Vec<Task>,
    output: &Output,
) -> Result<Vec<HostReport>, CliError> {
    let stopper = Stopper::default();
    let teller = output.clone();
    let listener = output.clone();
    let execution = Execution {
        journal: journal.into(),
        stopper: stopper.clone(),
        resets: if changes.force_restart { Resets::Forced } else { Resets::Graceful },
        window: changes.window,
        tell: Arc::new(move |host, happening| {
            teller.note(&format!("{host}: {}", words(happening)))
        }),
    };
    let campaign =
        Campaign { execution: execution.into(), tasks, unavailable_max: changes.max_unavailable };
    Ok(runtime()?.block_on(async {
        let listening = tokio::spawn(listen(stopper, listener));
        let reports = campaign.run().await;
        listening.abort();
        reports
    }))
}

/// The first signal stops between two acts, the second at once: the journal has what was done.
async fn listen(stopper: Stopper, output: Output) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    let mut is_second = false;
    loop {
        tokio::select! {
            _ = interrupt.recv() => (),
            _ = terminate.recv() => (),
        }
        if is_second {
            std::process::exit(INTERRUPTED);
        }
        is_second = true;
        output.note("stops between two acts; the same command goes on. Once more ends it at once");
        stopper.stop(Stop::Now);
    }
}

fn words(happening: &Happening) -> String {
    match happening {
        Happening::Step { number, n } => format!("step {number} of {n}"),
        Happening::Act(act) => act_words(act),
        Happening::Waits => "waits until it is in force".to_owned(),
        Happening::InForce { number } => format!("step {number} is in force"),
    }
}

fn act_words(act: &Act) -> String {
    match act {
        Act::AssertPresence => "asserts physical presence".to_owned(),
        Act::Settings => "sets what the next boot brings into force".to_owned(),
        Act::Job => "asks for a job".to_owned(),
        Act::SecureBoot => "sets Secure Boot".to_owned(),
        Act::Reset(kind) => format!("restarts ({kind})"),
    }
}

impl From<JournalError> for CliError {
    fn from(err: JournalError) -> Self {
        let hint = match err {
            JournalError::Busy { .. } => "wait for it, or name another file with --journal",
            JournalError::Line { .. } => {
                "is it another file, or of another version? Name a new one with --journal; nothing was \
                 changed"
            }
            _ => {
                "without a journal nothing is changed: name a file that can be written with --journal"
            }
        };
        Self::with_hint(err, hint)
    }
}
