//! How the fleet stands, in numbers.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use store::{CensusRow, CensusTimes};

use super::{App, AppError, schedule, standing};

/// What a count may take for a page to wait for it; 10,000 hosts take about that.
const SLOW: Duration = Duration::from_millis(20);

/// An older count is not told: the timer of metrics counts more often.
const OLD_MAX: Duration = Duration::from_secs(40);

/// How many hosts stand how.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct FleetStanding {
    /// All hosts.
    pub n_hosts: u64,
    /// Whose boot is as it should be.
    pub n_accepted: u64,
    /// Whose is not.
    pub n_not_accepted: u64,
    /// Of which nothing counts now.
    pub n_not_appraised: u64,
    /// Which should speak and do not, whatever their verdict.
    pub n_not_responding: u64,
}

impl App {
    /// How hosts stand at `now_ms`: each row is read once, which takes the store some milliseconds for
    /// thousands of hosts.
    pub(super) async fn census(&self, now_ms: i64) -> Result<Vec<CensusRow>, AppError> {
        let rules = self.rules();
        let answers_s = i64::try_from(rules.config.challenge_good_for_s).unwrap_or(i64::MAX);
        let times = CensusTimes {
            now_ms,
            good_since_ms: now_ms.saturating_sub(schedule::longest_good_for_ms(&rules.config)),
            heard_since_ms: now_ms.saturating_sub(standing::SILENCE_S_MAX * 1000),
            answers_within_ms: answers_s.saturating_mul(1000),
        };
        Ok(self.store.census(times).await?)
    }

    /// How many hosts stand how. Where counting takes longer than a page may, what was counted last is told, and
    /// counted anew meanwhile.
    pub async fn fleet_standing(self: &Arc<Self>) -> Result<Standing, AppError> {
        let last = *self.counted.last();
        match last {
            Some(count) if count.is_fresh() => Ok(Standing { fleet: count.fleet, is_old: false }),
            Some(count) if count.took > SLOW && count.at.elapsed() < OLD_MAX => {
                let app = Arc::clone(self);
                tokio::spawn(async move {
                    // One at a time: who comes while one counts is told what that finds.
                    let Ok(_turn) = app.counted.turn.try_lock() else { return };
                    if let Err(error) = app.count_fleet().await {
                        tracing::debug!(%error, "hosts were not counted");
                    }
                });
                Ok(Standing { fleet: count.fleet, is_old: true })
            }
            _ => {
                let fleet = self.count_fleet().await?;
                Ok(Standing { fleet, is_old: false })
            }
        }
    }

    async fn count_fleet(&self) -> Result<FleetStanding, AppError> {
        let begun = Instant::now();
        let now_ms = self.store.now_ms().await?;
        let fleet = FleetStanding::of(&self.census(now_ms).await?);
        self.counted.keep(fleet, begun);
        Ok(fleet)
    }
}

impl FleetStanding {
    /// The same out of a census.
    pub(super) fn of(rows: &[CensusRow]) -> Self {
        let mut fleet = Self::default();
        for row in rows {
            fleet.n_hosts += row.n_hosts;
            match row.verdict.as_str() {
                "accepted" => fleet.n_accepted += row.n_hosts,
                "not accepted" => fleet.n_not_accepted += row.n_hosts,
                _ => fleet.n_not_appraised += row.n_hosts,
            }
            if row.connection == "not responding" {
                fleet.n_not_responding += row.n_hosts;
            }
        }
        fleet
    }
}

/// How the fleet stands, as far as a page tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// In numbers.
    pub fleet: FleetStanding,
    /// Whether it is being counted anew: who looks again in a moment is told that.
    pub is_old: bool,
}

/// What was counted last.
#[derive(Debug, Default)]
pub(super) struct Counted {
    last: Mutex<Option<Count>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    fleet: FleetStanding,
    at: Instant,
    took: Duration,
}

impl Count {
    /// So long that counting takes a thirtieth of a core at most, whoever looks.
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < self.took.saturating_mul(30)
    }
}

impl Counted {
    fn last(&self) -> std::sync::MutexGuard<'_, Option<Count>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a count that began then found.
    pub(super) fn keep(&self, fleet: FleetStanding, begun: Instant) {
        let at = Instant::now();
        *self.last() = Some(Count { fleet, at, took: at.duration_since(begun) });
    }
}
