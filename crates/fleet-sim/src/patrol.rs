//! Hosts that attest whenever they are asked to, through whatever happens to the server; and a record of what
//! they were told, to compare with what is stored.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use client::ClientError;
use tokio::task::JoinSet;

use crate::{
    Host,
    fleet::Fleet,
    host::{Attested, Fault},
};

/// The pause of a host after its first failure, as that of an agent: twice as long each time.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest: shorter than an agent's, since a test waits for it.
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What hosts were told.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Challenges whose answers were acknowledged with a verdict, by the identifier of their host.
    pub acknowledged: BTreeMap<String, BTreeSet<Vec<u8>>>,
    /// How many verdicts of each kind there were.
    pub verdicts: BTreeMap<String, usize>,
    /// How often each refusal came.
    pub refused: BTreeMap<String, usize>,
    /// How often there was no answer, or one that asks to come again.
    pub n_unanswered: usize,
    /// Challenges that were acknowledged twice, or errors that nothing excuses.
    pub faults: Vec<String>,
}

impl Record {
    /// How many verdicts were acknowledged.
    pub fn n_acknowledged(&self) -> usize {
        self.acknowledged.values().map(BTreeSet::len).sum()
    }

    /// How many each host was acknowledged that has the fewest.
    pub fn fewest(&self) -> usize {
        self.acknowledged.values().map(BTreeSet::len).min().unwrap_or(0)
    }

    fn note(&mut self, host: &Host, result: Result<Attested, ClientError>) {
        match result {
            Ok(Attested::Judged { nonce, verdict }) => {
                *self.verdicts.entry(verdict).or_default() += 1;
                let is_new =
                    self.acknowledged.entry(host.id().to_owned()).or_default().insert(nonce);
                if !is_new {
                    self.faults.push(format!("{}: a challenge was taken twice", host.name()));
                }
            }
            Ok(Attested::Other(what)) => self.faults.push(format!("{}: {what}", host.name())),
            Err(err) if err.is_transient() => self.n_unanswered += 1,
            Err(err) => match err.code() {
                Some(code) => *self.refused.entry(code.to_owned()).or_default() += 1,
                None => self.faults.push(format!("{}: {err}", host.name())),
            },
        }
    }
}

/// Hosts on patrol. Dropping it ends them.
pub struct Patrol {
    record: Arc<Mutex<Record>>,
    ended: Arc<AtomicBool>,
    hosts: JoinSet<()>,
}

impl Fleet {
    /// All hosts that speak attest from now on, each whenever the server asks it to.
    pub fn patrol(self) -> Patrol {
        Patrol::of(self.into_hosts())
    }
}

impl Patrol {
    /// These hosts, which have joined.
    pub fn of(all: Vec<Host>) -> Self {
        let record = Arc::new(Mutex::new(Record::default()));
        let ended = Arc::new(AtomicBool::new(false));
        let mut hosts = JoinSet::new();
        for (n, host) in all.into_iter().enumerate() {
            if host.fault == Fault::Silence {
                continue;
            }
            let (record, ended) = (Arc::clone(&record), Arc::clone(&ended));
            of(&record).acknowledged.entry(host.id().to_owned()).or_default();
            // Up to a quarter less, as chance has it for an agent.
            let part = 1.0 - f64::from(u8::try_from(n % 64).unwrap_or(0)) / 256.0;
            hosts.spawn(async move {
                let mut pause = PAUSE;
                while !ended.load(Ordering::Relaxed) {
                    let result = host.attest_once().await;
                    let has_failed = result.is_err();
                    of(&record).note(&host, result);
                    if has_failed {
                        tokio::time::sleep(pause.mul_f64(part)).await;
                        pause = PAUSE_MAX.min(pause * 2);
                    } else {
                        pause = PAUSE;
                    }
                }
            });
        }
        Self { record, ended, hosts }
    }
}

fn of(record: &Mutex<Record>) -> std::sync::MutexGuard<'_, Record> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Patrol {
    /// What they were told until now.
    pub fn record(&self) -> Record {
        of(&self.record).clone()
    }

    /// Waits until `is_so` of the record; false where it is not after `time`.
    pub async fn until(&self, time: Duration, is_so: impl Fn(&Record) -> bool) -> bool {
        /// Between two looks.
        const LOOK_AGAIN: Duration = Duration::from_millis(20);
        let deadline = tokio::time::Instant::now() + time;
        while !is_so(&of(&self.record)) {
            if tokio::time::Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        true
    }

    /// Ends it when each host has done what it is at, and gives what they were told.
    pub async fn end(mut self) -> Record {
        self.ended.store(true, Ordering::Relaxed);
        while self.hosts.join_next().await.is_some() {}
        of(&self.record).clone()
    }
}
