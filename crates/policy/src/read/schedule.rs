//! `[[schedule]]`: how often hosts are judged, by their labels.

use std::collections::BTreeMap;

use api::inventory::label_fault;
use appraise::{Policy, Schedule};
use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::{GOOD_FOR_S_MAX, PolicyError};

/// Schedules of one policy: each is compared with each host that is shown, and nobody oversees more.
const SCHEDULES_MAX: usize = 64;

/// Seconds between two judgements: 30 days. A verdict that is older says little of a machine.
const INTERVAL_S_MAX: u64 = 30 * 24 * 3600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(default)]
    labels: BTreeMap<Spanned<String>, Spanned<String>>,
    interval_s: Spanned<u64>,
    jitter_pct: Option<Spanned<u8>>,
    verdict_good_for_s: Option<Spanned<u64>>,
}

/// The schedules in their order: the first that fits a host counts.
pub(super) fn apply(
    tables: Vec<Table>,
    policy: &mut Policy,
    source: &Source<'_>,
) -> Result<(), PolicyError> {
    for table in tables {
        let place = table.interval_s.span();
        if policy.schedules.len() == SCHEDULES_MAX {
            let message = format!("at most {SCHEDULES_MAX} schedules");
            return Err(source.error(&place, message));
        }
        let schedule = table.schedule(source)?;
        let before = policy.schedules.iter().position(|known| known.fits(&schedule.labels));
        if let Some(index) = before {
            let number = index + 1;
            let error = source.error(
                &place,
                format!("no host comes to this schedule: number {number} takes them all"),
            );
            return Err(error.with_hint("the first that fits counts: put the narrower one first"));
        }
        policy.schedules.push(schedule);
    }
    Ok(())
}

impl Table {
    fn schedule(self, source: &Source<'_>) -> Result<Schedule, PolicyError> {
        let interval_s = *self.interval_s.get_ref();
        if !(1..=INTERVAL_S_MAX).contains(&interval_s) {
            let message = format!("interval_s must be 1 to {INTERVAL_S_MAX}");
            return Err(source.error(&self.interval_s.span(), message));
        }
        let jitter_pct =
            self.jitter_pct.as_ref().map_or(Schedule::JITTER_PCT, |pct| *pct.get_ref());
        if let Some(jitter) = self.jitter_pct.filter(|_| jitter_pct > Schedule::JITTER_PCT_MAX) {
            let message = format!("jitter_pct must be 0 to {}", Schedule::JITTER_PCT_MAX);
            return Err(source.error(&jitter.span(), message));
        }
        let mut labels = BTreeMap::new();
        for (key, value) in self.labels {
            if let Some(fault) = label_fault(key.get_ref(), value.get_ref()) {
                return Err(source.error(&key.span(), fault));
            }
            labels.insert(key.into_inner(), value.into_inner());
        }
        let mut schedule = Schedule { labels, interval_s, jitter_pct, verdict_good_for_s: 0 };
        schedule.verdict_good_for_s = interval_s.saturating_mul(2);
        if let Some(seconds) = self.verdict_good_for_s {
            let least = schedule.interval_s_max();
            schedule.verdict_good_for_s = *seconds.get_ref();
            if !(least..=GOOD_FOR_S_MAX).contains(seconds.get_ref()) {
                let message = format!("verdict_good_for_s must be {least} to {GOOD_FOR_S_MAX}");
                let error = source.error(&seconds.span(), message);
                let hint =
                    "a verdict that ends before the next one is due would end on sound hosts";
                return Err(error.with_hint(hint));
            }
        }
        Ok(schedule)
    }
}
