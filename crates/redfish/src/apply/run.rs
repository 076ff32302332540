//! One host: step after step, each written down, done, and read back.

use std::{sync::Arc, time::Instant};

use firmware::ResourcePath;

use super::{
    error::ApplyError,
    journal::{Act, Event, Journal, JournalError, Progress},
    observe::{BootSign, JobSign, Observed, Observer, Power},
    reset::Resets,
    stop::{Stop, Stopper},
    window::Window,
    work::{Step, Work},
};
use crate::{Bmc, RedfishError};

/// Boots of one step: some firmware turns Secure Boot on in the second.
const BOOTS_MAX: u32 = 2;

/// How a host ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is in force, and was read back.
    Done,
    /// It stands between two acts, and the same command goes on.
    Stopped {
        /// Why.
        why: String,
    },
}

/// What a person may want to see of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A step begins.
    Step {
        /// Which, from 1.
        number: usize,
        /// Of so many.
        n: usize,
    },
    /// An act is sent.
    Act(Act),
    /// A boot is waited for.
    Waits,
    /// A step is in force.
    InForce {
        /// Which, from 1.
        number: usize,
    },
}

/// Who is told what happens to the host of this name.
pub type Tell = Arc<dyn Fn(&str, &Happening) + Send + Sync>;

/// How hosts are changed.
#[derive(Clone)]
pub struct Execution {
    /// Where each act is written first.
    pub journal: Arc<Journal>,
    /// Who may stop it.
    pub stopper: Stopper,
    /// Which resets may be used.
    pub resets: Resets,
    /// The hours in which steps and resets may begin; always, where there is none.
    pub window: Option<Window>,
    /// Who is told.
    pub tell: Tell,
}

/// Why a step does not go on.
pub(super) enum Halt {
    Stopped(String),
    Failed(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for Halt {
    fn from(err: E) -> Self {
        Self::Failed(err.into())
    }
}

/// One host while it is changed.
pub(super) struct Host<'a> {
    pub(super) execution: &'a Execution,
    pub(super) name: &'a str,
    pub(super) bmc: &'a Bmc,
    pub(super) system: ResourcePath,
    pub(super) work: &'a Work,
    pub(super) observer: Observer,
    /// The step that is under way.
    pub(super) index: usize,
    pub(super) job: Option<String>,
    n_resets: u32,
    is_last_act_open: bool,
    /// Messages that stood beside the settings before this step changed them.
    pub(super) old_messages: Vec<String>,
}

/// Since when a boot is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    FromItsReset,
    /// A run before sent the reset: it may be over already.
    FromLater,
}

/// What became of a boot.
enum Booted {
    Converged,
    /// All is set, and Secure Boot is not in force yet.
    OnceMore,
}

impl Execution {
    /// Carries out what `progress` has left, on the host behind `bmc`.
    pub async fn run(
        &self,
        name: &str,
        bmc: &Bmc,
        progress: &Progress,
    ) -> Result<Outcome, ApplyError> {
        if progress.is_done {
            return Ok(Outcome::Done);
        }
        let system = progress.work.places.system.clone();
        let mut host = Host {
            execution: self,
            name,
            bmc,
            system: system.clone(),
            work: &progress.work,
            observer: Observer::default(),
            index: progress.n_steps_done,
            job: progress.job.clone(),
            n_resets: progress.n_resets,
            is_last_act_open: progress.is_last_act_open,
            old_messages: Vec::new(),
        };
        let ended = host.steps().await;
        let index = host.index;
        bmc.log_out().await;
        let write = |event| self.journal.write(bmc.address(), &system, event);
        match ended {
            Ok(()) => {
                write(Event::Done)?;
                Ok(Outcome::Done)
            }
            Err(Halt::Stopped(why)) => {
                write(Event::Stopped { why: why.clone() })?;
                Ok(Outcome::Stopped { why })
            }
            Err(Halt::Failed(err)) => {
                write(Event::Failed { step: index, why: chain(&err) })?;
                Err(err)
            }
        }
    }
}

fn chain(err: &ApplyError) -> String {
    let mut text = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

impl Host<'_> {
    async fn steps(&mut self) -> Result<(), Halt> {
        let work = self.work;
        let n = work.steps.len();
        for (index, step) in work.steps.iter().enumerate().skip(self.index) {
            self.index = index;
            self.tell(&Happening::Step { number: index + 1, n });
            self.step(step).await?;
            self.write(Event::StepDone { step: index })?;
            self.tell(&Happening::InForce { number: index + 1 });
            (self.job, self.n_resets, self.is_last_act_open) = (None, 0, false);
        }
        // A later step may have taken back what an earlier one set.
        let all = all_of(work);
        let seen = self.look().await?;
        if seen.is_converged(&all) { Ok(()) } else { Err(not_taken(&seen, &all).into()) }
    }

    async fn step(&mut self, step: &Step) -> Result<(), Halt> {
        self.gate()?;
        let seen = self.look().await?;
        self.old_messages.clone_from(&seen.messages);
        if seen.is_converged(step) {
            return Ok(());
        }
        let mut watched = Watched::FromLater;
        if self.n_resets == 0 {
            self.set(step, seen).await?;
            self.boot().await?;
            watched = Watched::FromItsReset;
        }
        loop {
            match self.wait(step, watched).await {
                Ok(Booted::Converged) => return Ok(()),
                Ok(Booted::OnceMore) if self.n_resets >= BOOTS_MAX => {
                    let wanted = if step.secure_boot_in_force == Some(true) { "on" } else { "off" };
                    return Err(ApplyError::SecureBoot { wanted }.into());
                }
                Ok(Booted::OnceMore) => self.boot().await?,
                // The reset may never have left this machine: then it is sent now.
                Err(Halt::Failed(ApplyError::TooLong { .. })) if self.is_last_act_open => {
                    self.is_last_act_open = false;
                    let seen = self.look().await?;
                    self.set(step, seen).await?;
                    self.boot().await?;
                }
                Err(halt) => return Err(halt),
            }
            watched = Watched::FromItsReset;
        }
    }

    async fn boot(&mut self) -> Result<(), Halt> {
        self.gate()?;
        let seen = self.look().await?;
        self.n_resets += 1;
        self.is_last_act_open = false;
        self.reset(seen.power).await
    }

    /// Looks until all of a step is in force, or cannot be any more.
    async fn wait(&mut self, step: &Step, watched: Watched) -> Result<Booted, Halt> {
        self.tell(&Happening::Waits);
        let begun = Instant::now();
        let pace = *self.bmc.pace();
        let mut has_begun = false;
        loop {
            match self.observer.look(self.bmc, &self.work.places, self.job.as_deref()).await {
                Ok(seen) => {
                    has_begun |= seen.boot == BootSign::Under || seen.power == Power::Off;
                    if seen.is_converged(step) {
                        return Ok(Booted::Converged);
                    }
                    self.check_jobs(&seen)?;
                    let waited = begun.elapsed() >= pace.lag;
                    let is_over = match seen.boot {
                        BootSign::Over => has_begun || (watched == Watched::FromLater && waited),
                        BootSign::Under => false,
                        BootSign::None => waited,
                    };
                    if is_over && let Some(booted) = self.judge(&seen, step)? {
                        return Ok(booted);
                    }
                }
                // A BMC that restarts with its host is away for a while.
                Err(err) if err.is_transient() => has_begun = true,
                Err(err) => return Err(err.into()),
            }
            if begun.elapsed() >= pace.boot {
                let seconds = pace.boot.as_secs();
                return Err(ApplyError::TooLong { what: "what was set".to_owned(), seconds }.into());
            }
            self.execution.stopper.pause(pace.poll).await;
            if self.execution.stopper.wish() == Stop::Now {
                return Err(Halt::Stopped("asked to stop, while the host boots".to_owned()));
            }
        }
    }

    /// What a host shows after its boot, where not all is in force; `None` while something waits.
    fn judge(&self, seen: &Observed, step: &Step) -> Result<Option<Booted>, Halt> {
        let still_waits =
            seen.job_waits().is_some() || step.changes.iter().any(|change| seen.waits(change));
        if still_waits {
            return Ok(None);
        }
        if !seen.lacks(step).is_empty() {
            return Err(not_taken(seen, step).into());
        }
        if !seen.secure_boot_is_set(step) {
            let what = "SecureBootEnable".to_owned();
            return Err(ApplyError::NotTaken { what, messages: seen.messages.clone() }.into());
        }
        Ok(Some(Booted::OnceMore))
    }

    pub(super) fn check_jobs(&self, seen: &Observed) -> Result<(), Halt> {
        let failed = seen.jobs.iter().find(|job| job.state == JobSign::Failed);
        if let Some(job) = failed {
            return Err(ApplyError::JobFailed { message: job.message.clone() }.into());
        }
        let stuck = seen.jobs.iter().find(|job| job.state == JobSign::Stuck);
        if let Some(job) = stuck {
            return Err(ApplyError::JobStuck { message: job.message.clone() }.into());
        }
        Ok(())
    }

    /// Looks at the host; waits for a BMC that is away.
    pub(super) async fn look(&mut self) -> Result<Observed, Halt> {
        let begun = Instant::now();
        let pace = *self.bmc.pace();
        loop {
            let looked = self.observer.look(self.bmc, &self.work.places, self.job.as_deref()).await;
            match looked {
                Err(err) if err.is_transient() && begun.elapsed() < pace.away => (),
                looked => return self.is_the_planned_one(looked?),
            }
            self.execution.stopper.pause(pace.poll).await;
            if self.execution.stopper.wish() == Stop::Now {
                return Err(Halt::Stopped("asked to stop, while the BMC is away".to_owned()));
            }
        }
    }

    fn is_the_planned_one(&self, seen: Observed) -> Result<Observed, Halt> {
        match (&self.work.places.serial, &seen.serial) {
            (Some(planned), Some(found)) if planned != found => {
                let (planned, found) = (planned.clone(), found.clone());
                Err(ApplyError::OtherMachine { found, planned }.into())
            }
            _ => Ok(seen),
        }
    }

    /// Whether something new may begin.
    pub(super) fn gate(&self) -> Result<(), Halt> {
        if self.execution.stopper.wish() != Stop::No {
            return Err(Halt::Stopped("asked to stop".to_owned()));
        }
        match self.execution.window {
            Some(window) if !window.is_open_now() => {
                Err(Halt::Stopped(format!("the window {window} is closed")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, event: Event) -> Result<(), JournalError> {
        self.execution.journal.write(self.bmc.address(), &self.system, event)
    }

    pub(super) fn tell(&self, happening: &Happening) {
        (self.execution.tell)(self.name, happening);
    }

    /// Writes that `act` is done next.
    pub(super) fn does(&self, act: &Act) -> Result<(), JournalError> {
        self.tell(&Happening::Act(act.clone()));
        self.write(Event::Does { step: self.index, act: act.clone() })
    }

    /// Writes that `act` was done.
    pub(super) fn did(
        &self,
        act: Act,
        status: u16,
        job: Option<String>,
    ) -> Result<(), JournalError> {
        self.write(Event::Did { step: self.index, act, status, job })
    }
}

/// All that must hold at the end, the later steps over the earlier.
fn all_of(work: &Work) -> Step {
    let mut all = Step::default();
    for step in &work.steps {
        for change in &step.changes {
            all.changes.retain(|earlier| earlier.attribute != change.attribute);
            all.changes.push(change.clone());
        }
        all.secure_boot = step.secure_boot.or(all.secure_boot);
        all.secure_boot_in_force = step.secure_boot_in_force.or(all.secure_boot_in_force);
    }
    all
}

fn not_taken(seen: &Observed, step: &Step) -> ApplyError {
    let mut names: Vec<_> =
        seen.lacks(step).iter().map(|change| change.attribute.clone()).collect();
    if names.is_empty() {
        names.push("SecureBootCurrentBoot".to_owned());
    }
    ApplyError::NotTaken { what: names.join(", "), messages: seen.messages.clone() }
}

/// For who decides what an error of a write means.
pub(super) const fn may_have_been_done(err: &RedfishError) -> bool {
    matches!(err, RedfishError::Unreachable { .. } | RedfishError::Timeout { .. })
}
