//! History that grew old goes, in slices between which attestations are served.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use store::{By, Thinning, ThinningStep};
use tokio::time::sleep;

use super::App;
use crate::{config::Config, http::problem::Chain};

/// Judgements of one slice: with their evidence some milliseconds, for which a writer waits.
const SLICE: u32 = 100;

/// Pages of a file that are given back in one slice: 1 MiB.
const PAGES: u32 = 256;

/// The least between two slices; else as long as the last one took, so that half of the time is others'.
const REST_MIN: Duration = Duration::from_millis(20);

/// Between two looks whether it is time, or whether the server that was doing it went away.
const LOOK_AGAIN: Duration = Duration::from_secs(600);

/// Between the end of a run and the next: history ages by whole days.
const RUN_EVERY_MS: i64 = 20 * 3600 * 1000;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// What goes at `now_ms`; `None` where all stays for ever.
pub fn thinning(config: &Config, now_ms: i64) -> Option<Thinning> {
    let before = |days: u32| {
        (days > 0).then(|| now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS)))
    };
    let rule = Thinning {
        now_ms,
        thin_before_ms: before(config.history_all_days),
        end_before_ms: before(config.history_thinned_days),
        pause_ms: RUN_EVERY_MS,
    };
    (rule.thin_before_ms.is_some() || rule.end_before_ms.is_some()).then_some(rule)
}

impl App {
    /// Thins the history, for as long as the program runs. Servers that share a store take turns.
    pub async fn thin(self: Arc<Self>) {
        loop {
            let start = Instant::now();
            let rest = match self.thin_slice().await {
                Ok(ThinningStep::NotNow) => LOOK_AGAIN,
                Ok(ThinningStep::More(_)) => start.elapsed().max(REST_MIN),
                Ok(ThinningStep::Done(n)) => {
                    if n > 0 {
                        tracing::info!(n_judgements = n, "history was thinned");
                    }
                    self.return_space().await;
                    LOOK_AGAIN
                }
                Err(err) => {
                    tracing::warn!(error = %Chain(&err), "history is not thinned now");
                    LOOK_AGAIN
                }
            };
            sleep(rest).await;
        }
    }

    async fn thin_slice(&self) -> Result<ThinningStep, store::StoreError> {
        let now_ms = self.store.now_ms().await?;
        match thinning(&self.rules().config, now_ms) {
            None => Ok(ThinningStep::NotNow),
            Some(rule) => self.store.thin_history(rule, SLICE, By::new("server", now_ms)).await,
        }
    }

    async fn return_space(&self) {
        loop {
            match self.store.return_space(PAGES).await {
                Ok(0) => return,
                Ok(_) => sleep(REST_MIN).await,
                Err(err) => {
                    return tracing::warn!(error = %Chain(&err), "no room is given back now");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_days_and_none_is_for_ever() {
        let config = |all, thinned| Config {
            history_all_days: all,
            history_thinned_days: thinned,
            ..Config::default()
        };
        let rule = thinning(&config(1, 2), 10 * DAY_MS).unwrap();
        assert_eq!(rule.thin_before_ms, Some(9 * DAY_MS));
        assert_eq!(rule.end_before_ms, Some(8 * DAY_MS));
        assert_eq!(thinning(&config(0, 0), 1), None);
        assert_eq!(thinning(&config(0, 2), 1).unwrap().thin_before_ms, None);
        assert!(thinning(&Config::default(), 1).is_some());
    }
}
