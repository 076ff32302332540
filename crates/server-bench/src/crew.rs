//! Hosts that attest, many at one time: as fast as they are answered, or at a rate.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;

use crate::{
    guest::{Guest, Peer},
    line::{Dialer, Line},
};

/// How hosts reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Each host keeps a connection, as agents do.
    Kept,
    /// A new one for each attestation.
    New,
    /// Some connections carry all hosts in turns: more hosts than a machine has ports.
    Shared,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this time.
    Time(Duration),
    /// When each host has attested once.
    EachOnce,
}

/// A host and its connection.
struct Seat {
    guest: Guest,
    line: Option<Line>,
}

/// Hosts of one target, in so many groups: one host of each attests at a time.
pub struct Crew {
    /// Whom they attest to.
    pub peer: Peer,
    dialers: Vec<Dialer>,
    groups: Vec<Group>,
}

/// Hosts that take turns.
struct Group {
    dialer: Dialer,
    seats: VecDeque<Seat>,
    line: Option<Line>,
}

/// What was done.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// Attestations, each with its verdict.
    pub n: u32,
    /// In this time.
    pub time: Duration,
}

impl Tally {
    /// Attestations in a second.
    pub fn per_s(&self) -> f64 {
        f64::from(self.n) / self.time.as_secs_f64()
    }
}

impl Crew {
    /// Of `guests`, `at_one_time` of them at a time; to several servers in turns.
    pub fn new(peer: Peer, dialers: Vec<Dialer>, guests: Vec<Guest>, at_one_time: usize) -> Self {
        let mut groups: Vec<Group> = dialers
            .iter()
            .cycle()
            .take(at_one_time)
            .map(|dialer| Group { dialer: dialer.clone(), seats: VecDeque::new(), line: None })
            .collect();
        for (n, guest) in guests.into_iter().enumerate() {
            groups[n % at_one_time].seats.push_back(Seat { guest, line: None });
        }
        Self { peer, dialers, groups }
    }

    /// The same hosts at other servers, `at_one_time` of them at a time, without connections.
    #[must_use]
    pub fn moved_to(self, dialers: Vec<Dialer>, at_one_time: usize) -> Self {
        Self::new(self.peer, dialers, self.into_guests(), at_one_time)
    }

    /// The hosts, without their connections.
    pub fn into_guests(self) -> Vec<Guest> {
        self.groups.into_iter().flat_map(|group| group.seats).map(|seat| seat.guest).collect()
    }

    /// Attests as fast as there are answers.
    pub async fn hurry(&mut self, lines: Lines, until: Until) -> anyhow::Result<Tally> {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for mut group in self.groups.drain(..) {
            // One of a turn long ago is closed by the server.
            group.line = None;
            let peer = self.peer;
            tasks.spawn(async move {
                let mut n = 0_u32;
                let mut result = Ok(());
                let n_once = u32::try_from(group.seats.len()).unwrap_or(u32::MAX);
                while result.is_ok() {
                    let goes_on = match until {
                        Until::Time(time) => begun.elapsed() < time,
                        Until::EachOnce => n < n_once,
                    };
                    if !goes_on {
                        break;
                    }
                    result = group.next(peer, lines).await;
                    n += 1;
                }
                (group, n, result)
            });
        }
        let mut n_all = 0;
        let mut failed = Ok(());
        while let Some(done) = tasks.join_next().await {
            let (group, n, result) = done?;
            self.groups.push(group);
            n_all += n;
            failed = failed.and(result);
        }
        failed.context("a host got no verdict")?;
        Ok(Tally { n: n_all, time: begun.elapsed() })
    }

    /// All hosts out of their groups, those first that attested longest ago: others are not due yet, and would be
    /// left waiting rightly.
    fn longest_ago_first(&mut self) -> VecDeque<Seat> {
        let mut all = VecDeque::new();
        loop {
            let before = all.len();
            all.extend(self.groups.iter_mut().filter_map(|group| group.seats.pop_front()));
            if all.len() == before {
                return all;
            }
        }
    }

    /// Attests at `per_s`, whatever the answers do: the time of each counts from when it was to begin, so
    /// that a server that stops for a moment is not spared what would have come in it. Sorted times.
    pub async fn at_rate(&mut self, per_s: f64, time: Duration) -> anyhow::Result<Vec<Duration>> {
        let n = (per_s * time.as_secs_f64()).floor();
        let peer = self.peer;
        let dialer = self.dialers.first().context("no server")?.clone();
        let seats = Arc::new(Mutex::new(self.longest_ago_first()));
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        let mut times = Vec::new();
        let mut next = 0.0;
        while next < n {
            let at = begun + Duration::from_secs_f64(next / per_s);
            tokio::time::sleep_until(at.into()).await;
            let seat = seats.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let mut seat = seat.context("all hosts wait for answers")?;
            let (seats, dialer) = (Arc::clone(&seats), dialer.clone());
            tasks.spawn(async move {
                let result = seat.attest(peer, &dialer).await;
                let took = at.elapsed();
                seats.lock().unwrap_or_else(PoisonError::into_inner).push_back(seat);
                result.map(|()| took)
            });
            while let Some(done) = tasks.try_join_next() {
                times.push(done??);
            }
            next += 1.0;
        }
        while let Some(done) = tasks.join_next().await {
            times.push(done??);
        }
        let mut seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
        let n_groups = self.groups.len();
        for (n, seat) in seats.drain(..).enumerate() {
            self.groups[n % n_groups].seats.push_back(seat);
        }
        times.sort_unstable();
        ensure!(!times.is_empty(), "nothing was attested");
        Ok(times)
    }
}

impl Seat {
    async fn attest(&mut self, peer: Peer, dialer: &Dialer) -> anyhow::Result<()> {
        let line = match &mut self.line {
            Some(line) => line,
            none => none.insert(dialer.dial().await?),
        };
        self.guest.attest(peer, line).await
    }
}

impl Group {
    async fn next(&mut self, peer: Peer, lines: Lines) -> anyhow::Result<()> {
        let mut seat = self.seats.pop_front().context("a group without hosts")?;
        let result = match lines {
            Lines::Kept => seat.attest(peer, &self.dialer).await,
            Lines::New => {
                seat.line = None;
                let result = seat.attest(peer, &self.dialer).await;
                seat.line = None;
                result
            }
            Lines::Shared => {
                let line = match &mut self.line {
                    Some(line) => line,
                    none => none.insert(self.dialer.dial().await?),
                };
                seat.guest.attest(peer, line).await
            }
        };
        self.seats.push_back(seat);
        result
    }
}
