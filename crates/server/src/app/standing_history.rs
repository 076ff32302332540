//! How the fleet stood over time: a count for each hour, which the timer of counts keeps.

use std::sync::{Mutex, PoisonError};

use api::standing::{STANDING_DAYS_MAX, StandingHistory, StandingHour, StandingQuery};
use store::HOUR_MS;

use super::{App, AppError, RefusalKind, census::FleetStanding};

/// Days that are told, where nobody says how many.
const DAYS: u32 = 7;

const DAY_MS: i64 = 24 * HOUR_MS;

/// What was kept last: the same is not written once more.
#[derive(Debug, Default)]
pub(super) struct KeptHour(Mutex<Option<store::StandingHour>>);

impl App {
    /// Keeps a count for the hour of `now_ms`.
    pub(super) async fn keep_standing(
        &self,
        fleet: FleetStanding,
        now_ms: i64,
    ) -> Result<(), AppError> {
        let hour = store::StandingHour {
            hour_ms: now_ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS),
            n_accepted: fleet.n_accepted,
            n_not_accepted: fleet.n_not_accepted,
            n_not_appraised: fleet.n_not_appraised,
            n_not_responding: fleet.n_not_responding,
        };
        let last = || self.kept_hour.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *last() == Some(hour) {
            return Ok(());
        }
        self.store.put_standing(hour).await?;
        *last() = Some(hour);
        Ok(())
    }

    /// How many hosts stood how in the hours of the last days.
    pub async fn standing_history(
        &self,
        query: StandingQuery,
    ) -> Result<StandingHistory, AppError> {
        let days = query.days.unwrap_or(DAYS);
        if !(1..=STANDING_DAYS_MAX).contains(&days) {
            let title = format!("days are 1 to {STANDING_DAYS_MAX}");
            return Err(AppError::plain(RefusalKind::Invalid, "query-invalid", title));
        }
        let now_ms = self.store.now_ms().await?;
        let since_ms = now_ms.saturating_sub(DAY_MS.saturating_mul(i64::from(days)));
        let hours = self.store.standing_hours(since_ms).await?;
        let hour = |hour: store::StandingHour| StandingHour {
            hour_ms: hour.hour_ms,
            n_accepted: hour.n_accepted,
            n_not_accepted: hour.n_not_accepted,
            n_not_appraised: hour.n_not_appraised,
            n_not_responding: hour.n_not_responding,
        };
        Ok(StandingHistory { hours: hours.into_iter().map(hour).collect() })
    }
}
