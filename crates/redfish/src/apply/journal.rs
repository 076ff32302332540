//! What was done, written before it is done.
//!
//! A file of JSON lines, each on disk before the act that it tells of. It is read when a run goes on,
//! and when changes are taken back. It holds no secret.

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use firmware::ResourcePath;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::work::Work;
use crate::Address;

/// Largest journal that is read: a host writes 20 lines of about 300 bytes, so that it has room for
/// 100,000 hosts some times over.
const BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// The form of the lines.
const VERSION: u32 = 1;

/// Which way a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Towards what was planned.
    Apply,
    /// Back to the values of before.
    Revert,
}

/// One act on a BMC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Physical presence was asserted.
    AssertPresence,
    /// Settings were changed: they are pending.
    Settings,
    /// A job for pending settings was asked for.
    Job,
    /// `SecureBootEnable` was changed.
    SecureBoot,
    /// The host was reset, in this way.
    Reset(String),
}

/// What happened to one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// This is what is going to be done.
    Planned {
        /// Which way.
        direction: Direction,
        /// All of it, with the values of before.
        work: Box<Work>,
    },
    /// This is done next: whether it was is not known until `did` follows.
    Does {
        /// The step, from 0.
        step: usize,
        /// What.
        act: Act,
    },
    /// This was done.
    Did {
        /// The step.
        step: usize,
        /// What.
        act: Act,
        /// The status of the answer.
        status: u16,
        /// The job that the BMC made for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<String>,
    },
    /// All of a step is in force, and was read back.
    StepDone {
        /// The step.
        step: usize,
    },
    /// All of it is in force.
    Done,
    /// It was stopped between two acts; the same command goes on.
    Stopped {
        /// Why.
        why: String,
    },
    /// It cannot go on like this.
    Failed {
        /// The step.
        step: usize,
        /// Why.
        why: String,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    v: u32,
    /// When.
    pub at: jiff::Timestamp,
    /// The BMC.
    pub bmc: String,
    /// The host behind it.
    pub system: ResourcePath,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// A journal cannot be used. Without one nothing is changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("the journal {} cannot be used", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another run has it.
    #[error("another run writes to the journal {}", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// A line is none of a journal.
    #[error("line {line} of {} is none of a journal", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
    },
}

/// An open journal. One run at a time has it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
    records: Vec<Record>,
}

impl Journal {
    /// Opens or makes the file at `path`, for its owner alone, and reads what is in it. A last line
    /// that was cut when a machine failed is taken off: what it was to tell of was not done yet.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => (),
            Err(rustix::io::Errno::WOULDBLOCK) => {
                return Err(JournalError::Busy { path: path.to_owned() });
            }
            Err(err) => return Err(failed(err.into())),
        }
        // A name that is not on disk is a journal that is not there after a power cut.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all()).map_err(failed)?;
        let mut bytes = Vec::new();
        std::io::Read::by_ref(&mut file).take(BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < bytes.len() {
            let length = u64::try_from(whole).unwrap_or(u64::MAX);
            file.set_len(length).and_then(|()| file.sync_all()).map_err(failed)?;
            file.seek(std::io::SeekFrom::End(0)).map_err(failed)?;
        }
        let lines = bytes[..whole].split(|byte| *byte == b'\n').enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty());
        let records = lines.map(|(index, line)| {
            let record: Option<Record> = serde_json::from_slice(line).ok();
            record
                .filter(|record| record.v == VERSION)
                .ok_or_else(|| JournalError::Line { path: path.to_owned(), line: index + 1 })
        });
        let records = records.collect::<Result<_, _>>()?;
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), records })
    }

    /// What was in it when it was opened, oldest first.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Writes a line, and returns when it is on disk.
    pub fn write(
        &self,
        bmc: &Address,
        system: &ResourcePath,
        event: Event,
    ) -> Result<(), JournalError> {
        let record = Record {
            v: VERSION,
            at: jiff::Timestamp::now(),
            bmc: bmc.as_str().to_owned(),
            system: system.clone(),
            event,
        };
        let failed = |source| JournalError::File { path: self.path.clone(), source };
        let mut line = serde_json::to_vec(&record).map_err(|err| failed(err.into()))?;
        line.push(b'\n');
        // Nobody panics while the lock is held; a line that was half written is taken off later.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(failed)
    }
}

/// How far one host is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// Which way it goes.
    pub direction: Direction,
    /// What was planned.
    pub work: Work,
    /// Steps that are in force.
    pub n_steps_done: usize,
    /// Whether all of it is in force.
    pub is_done: bool,
    /// Resets of the step that is under way.
    pub n_resets: u32,
    /// The job of the step that is under way.
    pub job: Option<String>,
    /// Whether the last act has no answer in the journal: it may have been done or not.
    pub is_last_act_open: bool,
}

impl Progress {
    /// The beginning of what was just planned.
    pub const fn begun(direction: Direction, work: Work) -> Self {
        Self {
            direction,
            work,
            n_steps_done: 0,
            is_done: false,
            n_resets: 0,
            job: None,
            is_last_act_open: false,
        }
    }

    /// What the records say of one host; `None` where nothing was ever planned for it.
    pub fn of(records: &[Record], bmc: &Address, system: &ResourcePath) -> Option<Self> {
        let mut progress: Option<Self> = None;
        let own = records.iter().filter(|r| r.bmc == bmc.as_str() && r.system == *system);
        for record in own {
            match (&record.event, &mut progress) {
                (Event::Planned { direction, work }, _) => {
                    progress = Some(Self::begun(*direction, (**work).clone()));
                }
                (event, Some(progress)) => progress.follow(event),
                (_, None) => (),
            }
        }
        progress
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::Does { act, .. } => {
                self.is_last_act_open = true;
                if matches!(act, Act::Reset(kind) if super::reset::boots(kind)) {
                    self.n_resets += 1;
                }
            }
            Event::Did { job, .. } => {
                self.is_last_act_open = false;
                if job.is_some() {
                    self.job.clone_from(job);
                }
            }
            Event::StepDone { step } => {
                self.n_steps_done = step + 1;
                self.n_resets = 0;
                self.job = None;
                self.is_last_act_open = false;
            }
            Event::Done => self.is_done = true,
            // A person looked at it since: what a failed step did counts no more than what is seen.
            Event::Failed { .. } => {
                self.n_resets = 0;
                self.job = None;
                self.is_last_act_open = false;
            }
            Event::Planned { .. } | Event::Stopped { .. } => (),
        }
    }
}
