//! How the fleet stands, in numbers.

use store::{CensusRow, CensusTimes};

use super::{App, AppError, schedule, standing};

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

    /// How many hosts stand how, now.
    pub async fn fleet_standing(&self) -> Result<FleetStanding, AppError> {
        let now_ms = self.store.now_ms().await?;
        let mut fleet = FleetStanding::default();
        for row in self.census(now_ms).await? {
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
        Ok(fleet)
    }
}
