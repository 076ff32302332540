//! Many hosts: one wave after the other, a few hosts at once, an end at the first failure.

use std::{collections::VecDeque, sync::Arc};

use tokio::task::JoinSet;

use super::{
    error::ApplyError,
    journal::Progress,
    run::{Execution, Outcome},
    stop::Stop,
};
use crate::Bmc;

/// One host that is to be changed.
#[derive(Debug)]
pub struct Task {
    /// What people call it.
    pub name: String,
    /// Its wave, from 1.
    pub wave: u32,
    /// Its BMC.
    pub bmc: Bmc,
    /// What is left to do.
    pub progress: Progress,
}

/// What became of one host.
#[derive(Debug)]
pub struct HostReport {
    /// What people call it.
    pub name: String,
    /// Its wave.
    pub wave: u32,
    /// How it ended; `None` where it was not begun.
    pub result: Option<Result<Outcome, ApplyError>>,
}

/// Hosts, and how many of them may be away at once.
pub struct Campaign {
    /// How each is changed.
    pub execution: Arc<Execution>,
    /// The hosts.
    pub tasks: Vec<Task>,
    /// Hosts that may boot at the same time, at least 1.
    pub unavailable_max: usize,
}

impl Campaign {
    /// Changes all hosts. After the first failure no host and no step begins any more; those that
    /// are in the middle of a step end it.
    pub async fn run(self) -> Vec<HostReport> {
        let mut tasks = self.tasks;
        tasks.sort_by_key(|task| task.wave);
        let mut waiting = VecDeque::from(tasks);
        let mut reports = Vec::new();
        let mut running: JoinSet<HostReport> = JoinSet::new();
        let mut wave = waiting.front().map(|task| task.wave);
        loop {
            let may_begin = self.execution.stopper.wish() == Stop::No;
            let has_room = running.len() < self.unavailable_max.max(1);
            let is_next = waiting.front().is_some_and(|task| Some(task.wave) == wave);
            if may_begin
                && has_room
                && is_next
                && let Some(task) = waiting.pop_front()
            {
                running.spawn(host(Arc::clone(&self.execution), task));
                continue;
            }
            match running.join_next().await {
                Some(Ok(report)) => {
                    if matches!(report.result, Some(Err(_))) {
                        self.execution.stopper.stop(Stop::AfterStep);
                    }
                    reports.push(report);
                }
                // It panicked, which the runtime has told: nothing more begins.
                Some(Err(_)) => self.execution.stopper.stop(Stop::AfterStep),
                None if may_begin && !waiting.is_empty() => {
                    wave = waiting.front().map(|task| task.wave);
                }
                None => break,
            }
        }
        let not_begun = waiting.into_iter();
        reports.extend(not_begun.map(|task| HostReport {
            name: task.name,
            wave: task.wave,
            result: None,
        }));
        reports
    }
}

async fn host(execution: Arc<Execution>, task: Task) -> HostReport {
    let result = execution.run(&task.name, &task.bmc, &task.progress).await;
    HostReport { name: task.name, wave: task.wave, result: Some(result) }
}
