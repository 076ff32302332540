//! `bootproof firmware apply`

use std::collections::BTreeSet;

use anyhow::anyhow;
use firmware::{
    ResourcePath, Snapshot,
    plan::{Goal, Plan},
    read,
};
use redfish::{
    RedfishError,
    apply::{Direction, Event, Journal, Progress, Task, Work, planned},
};

use super::{Target, campaign, look::look, show, targets};
use crate::{
    args::FirmwareApply,
    cmd::{Exit, firmware::goal},
    error::CliError,
    output::{Output, n_hosts},
};

/// What one host asks for.
#[derive(Debug)]
pub(super) enum Wanted {
    /// This, which is new.
    New { plan: Box<Plan>, work: Box<Work> },
    /// What a run before began.
    GoOn(Box<Progress>),
    /// Nothing.
    Nothing,
    /// Nothing that is done without a person, and why.
    Not(String),
}

/// What is done with a host whose plan does not mend all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Incomplete {
    LeftAlone,
    Begun,
}

/// A host behind one of the targets.
#[derive(Debug)]
pub(super) struct Host {
    /// Which target.
    pub(super) target: usize,
    pub(super) name: String,
    pub(super) wave: u32,
    pub(super) wanted: Wanted,
}

pub(crate) fn run(command: &FirmwareApply, output: &Output) -> Result<Exit, CliError> {
    let journal = campaign::journal(&command.changes)?;
    let mut targets = targets(&command.bmcs, campaign::pace(&command.changes))?;
    targets.retain(|target| command.changes.wave.is_none_or(|wave| wave == target.wave));
    if targets.is_empty() {
        let hint = "waves stand in the column or key `wave` of the inventory; without, a host is of wave 1";
        return Err(CliError::with_hint(anyhow!("no host is of that wave"), hint));
    }
    let hosts = hosts(command, &targets, &journal, output)?;
    let n_changed = hosts.iter().filter(|host| host.is_changed()).count();
    let n_not = hosts.iter().filter(|host| matches!(host.wanted, Wanted::Not(_))).count();
    if !output.is_json() {
        show::hosts(&hosts, output)?;
    }
    if n_changed == 0 {
        if output.is_json() {
            show::json(&hosts, &[], output)?;
        } else {
            output.note("nothing is changed");
        }
        return Ok(if n_not == 0 { Exit::Done } else { Exit::No });
    }
    let question = format!("Change {}, which restarts them?", n_hosts(n_changed));
    if !command.changes.yes && !confirmed(&question, output)? {
        output.note("nothing was changed");
        return Ok(Exit::No);
    }
    let tasks = tasks(&hosts, &targets, &journal)?;
    let reports = campaign::run(&command.changes, journal, tasks, output)?;
    if output.is_json() {
        show::json(&hosts, &reports, output)?;
    } else {
        show::reports(&reports, output)?;
    }
    Ok(if n_not == 0 && show::all_done(&reports) { Exit::Done } else { Exit::No })
}

/// A person's word; without a person there is none.
pub(super) fn confirmed(question: &str, output: &Output) -> Result<bool, CliError> {
    output.ask(question)?.ok_or_else(|| {
        CliError::with_hint(
            anyhow!("there is nobody to ask, and nothing was changed"),
            "look at the plan, then give the same command with --yes",
        )
    })
}

impl Host {
    pub(super) const fn is_changed(&self) -> bool {
        matches!(self.wanted, Wanted::New { .. } | Wanted::GoOn(_))
    }
}

fn hosts(
    command: &FirmwareApply,
    targets: &[Target],
    journal: &Journal,
    output: &Output,
) -> Result<Vec<Host>, CliError> {
    let mut hosts = Vec::new();
    let mut fresh = Vec::new();
    for (place, target) in targets.iter().enumerate() {
        let open = if command.plan_anew { Vec::new() } else { open(journal, target) };
        if open.is_empty() {
            fresh.push(place);
        }
        let several = open.len() > 1;
        hosts.extend(open.into_iter().map(|(system, progress)| {
            let wanted = match progress.direction {
                Direction::Apply => Wanted::GoOn(Box::new(progress)),
                Direction::Revert => {
                    let why = "its changes are being taken back: end that with `firmware revert`, or \
                               begin anew with --plan-anew";
                    Wanted::Not(why.to_owned())
                }
            };
            host(place, target, several.then_some(&system), wanted)
        }));
    }
    let goal = goal(&command.goal);
    let incomplete = if command.incomplete { Incomplete::Begun } else { Incomplete::LeftAlone };
    let asked: Vec<_> = fresh.iter().map(|place| targets[*place].shared()).collect();
    let read = move |gathered| wanted(gathered, goal, incomplete);
    let results = look(&asked, command.bmcs.at_once, output, read)?;
    for (place, results) in fresh.into_iter().zip(results) {
        let several = results.len() > 1;
        hosts.extend(results.into_iter().map(|(system, wanted)| {
            host(place, &targets[place], system.as_ref().filter(|_| several), wanted)
        }));
    }
    hosts.sort_by_key(|host| (host.wave, host.target));
    Ok(hosts)
}

/// A host; `system` names it where its BMC has several.
fn host(place: usize, target: &Target, system: Option<&ResourcePath>, wanted: Wanted) -> Host {
    let name = match system {
        Some(system) => format!("{} {}", target.name, system.name()),
        None => target.name.clone(),
    };
    Host { target: place, name, wave: target.wave, wanted }
}

/// What the journal has of this BMC that is not over.
pub(super) fn open(journal: &Journal, target: &Target) -> Vec<(ResourcePath, Progress)> {
    known(journal, target).into_iter().filter(|(_, progress)| !progress.is_done).collect()
}

/// What the journal has of the hosts of this BMC, each once.
pub(super) fn known(journal: &Journal, target: &Target) -> Vec<(ResourcePath, Progress)> {
    let address = target.bmc.address();
    let records = journal.records();
    let own = records.iter().filter(|record| record.bmc == address.as_str());
    let systems: BTreeSet<_> = own.map(|record| record.system.clone()).collect();
    let progress = systems.into_iter().filter_map(|system| {
        let progress = Progress::of(records, address, &system)?;
        Some((system, progress))
    });
    progress.collect()
}

/// What each host of a BMC asks for.
fn wanted(
    gathered: Result<Snapshot, RedfishError>,
    goal: Goal,
    incomplete: Incomplete,
) -> Vec<(Option<ResourcePath>, Wanted)> {
    let snapshot = match gathered {
        Ok(snapshot) => snapshot,
        Err(err) => return vec![(None, Wanted::Not(show::chain(&err)))],
    };
    let systems = read(&snapshot);
    if systems.is_empty() {
        let why = "the BMC shows no host: nothing was found that could be judged";
        return vec![(None, Wanted::Not(why.to_owned()))];
    }
    // A part of a machine that has neither settings nor Secure Boot of its own is no host to change.
    let several = systems.len() > 1;
    let hosts = systems.iter().filter(|s| !several || s.bios.is_some() || s.secure_boot.is_some());
    let hosts = hosts.map(|system| {
        let plan = firmware::plan(system, goal);
        let wanted = match plan.blocked.first() {
            Some(blocked) if incomplete == Incomplete::LeftAlone => {
                let text = format!("{}: {}", blocked.because, blocked.next_step);
                Wanted::Not(text)
            }
            _ if plan.steps.is_empty() => Wanted::Nothing,
            _ => match planned(&plan, system, &snapshot) {
                Ok(work) => Wanted::New { plan: Box::new(plan), work: Box::new(work) },
                Err(err) => Wanted::Not(err.to_string()),
            },
        };
        (Some(system.path.clone()), wanted)
    });
    hosts.collect()
}

/// Writes what is new into the journal: from here on the same command goes on with it.
fn tasks(hosts: &[Host], targets: &[Target], journal: &Journal) -> Result<Vec<Task>, CliError> {
    let mut tasks = Vec::new();
    for host in hosts {
        let target = &targets[host.target];
        let progress = match &host.wanted {
            Wanted::New { work, .. } => begin(journal, target, Direction::Apply, work)?,
            Wanted::GoOn(progress) => (**progress).clone(),
            Wanted::Nothing | Wanted::Not(_) => continue,
        };
        let (name, wave, bmc) = (host.name.clone(), host.wave, target.bmc.clone());
        tasks.push(Task { name, wave, bmc, progress });
    }
    Ok(tasks)
}

pub(super) fn begin(
    journal: &Journal,
    target: &Target,
    direction: Direction,
    work: &Work,
) -> Result<Progress, CliError> {
    let event = Event::Planned { direction, work: Box::new(work.clone()) };
    journal.write(target.bmc.address(), &work.places.system, event)?;
    Ok(Progress::begun(direction, work.clone()))
}
