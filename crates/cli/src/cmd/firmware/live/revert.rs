//! `bootproof firmware revert`

use anyhow::anyhow;
use redfish::apply::{Direction, Task, Work};

use super::{Target, apply, campaign, show, targets};
use crate::{
    args::FirmwareRevert,
    cmd::Exit,
    error::CliError,
    output::{Output, n_hosts},
};

/// One host whose changes are taken back.
struct Back<'a> {
    target: &'a Target,
    work: Work,
    /// Attributes that stay as they are.
    left: Vec<String>,
    task: Task,
    is_new: bool,
}

pub(crate) fn run(command: &FirmwareRevert, output: &Output) -> Result<Exit, CliError> {
    let journal = campaign::journal(&command.changes)?;
    let mut targets = targets(&command.bmcs, campaign::pace(&command.changes))?;
    targets.retain(|target| command.changes.wave.is_none_or(|wave| wave == target.wave));
    let mut backs = Vec::new();
    for target in &targets {
        for (_, progress) in apply::known(&journal, target) {
            let is_new = progress.direction == Direction::Apply;
            if !is_new && progress.is_done {
                continue;
            }
            let (work, left) =
                if is_new { progress.work.reversed() } else { (progress.work.clone(), Vec::new()) };
            let progress = match is_new {
                true => redfish::apply::Progress::begun(Direction::Revert, work.clone()),
                false => progress,
            };
            let (name, wave, bmc) = (target.name.clone(), target.wave, target.bmc.clone());
            let task = Task { name, wave, bmc, progress };
            backs.push(Back { target, work, left, task, is_new });
        }
    }
    backs.retain(|back| !back.work.steps.is_empty());
    if backs.is_empty() {
        let hint = "the journal knows of no change of these hosts: name it with --journal";
        return Err(CliError::with_hint(anyhow!("there is nothing to take back"), hint));
    }
    if !output.is_json() {
        let rows =
            backs.iter().map(|back| (&*back.task.name, back.task.wave, &back.work, &*back.left));
        show::backs(rows, output)?;
    }
    let n = n_hosts(backs.len());
    let question = format!("Take the changes of {n} back, which restarts them?");
    if !command.changes.yes && !apply::confirmed(&question, output)? {
        output.note("nothing was changed");
        return Ok(Exit::No);
    }
    let mut tasks = Vec::new();
    for back in backs {
        if back.is_new {
            apply::begin(&journal, back.target, Direction::Revert, &back.work)?;
        }
        tasks.push(back.task);
    }
    let reports = campaign::run(&command.changes, journal, tasks, output)?;
    if output.is_json() {
        show::json(&[], &reports, output)?;
    } else {
        show::reports(&reports, output)?;
    }
    Ok(if show::all_done(&reports) { Exit::Done } else { Exit::No })
}
