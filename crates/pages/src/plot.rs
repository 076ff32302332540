//! How the fleet stood over time, as a drawing that is made here: no script, and a table beside it.

use api::standing::StandingHour;

const HOUR_MS: i64 = 3_600_000;

/// Hours of the drawing: a week.
const N_HOURS: i64 = 7 * 24;

/// How high the drawing is, in its own units. A host among many is a unit high, so that it is seen where it is wrong.
const HEIGHT: u64 = 100;

/// A piece of a bar: how it looks, where it begins, how high it is.
pub(crate) type Piece = (&'static str, u64, u64);

/// The drawing: one bar for each hour that was counted.
#[derive(Debug)]
pub(crate) struct Plot {
    /// Where a bar stands, and its pieces from above: what is wrong is on top.
    pub(crate) bars: Vec<(i64, Vec<Piece>)>,
    /// The last hour of each day that was counted, the newest first.
    pub(crate) days: Vec<StandingHour>,
}

impl Plot {
    /// Of the hours of the week up to `now_ms`; `None` where less than two were counted: that shows nothing.
    pub(crate) fn of(hours: &[StandingHour], now_ms: i64) -> Option<Self> {
        let first = now_ms.div_euclid(HOUR_MS).saturating_sub(N_HOURS.saturating_sub(1));
        let place = |hour: &StandingHour| hour.hour_ms.div_euclid(HOUR_MS).saturating_sub(first);
        let shown: Vec<_> =
            hours.iter().filter(|hour| (0..N_HOURS).contains(&place(hour))).collect();
        if shown.len() < 2 {
            return None;
        }
        let most = shown.iter().map(|hour| all(hour)).max().unwrap_or(0).max(1);
        let bars = shown.iter().map(|hour| (place(hour), pieces(hour, most))).collect();
        let day = |hour: &StandingHour| hour.hour_ms.div_euclid(24 * HOUR_MS);
        let mut days: Vec<StandingHour> = Vec::new();
        for hour in shown.into_iter().rev() {
            if days.last().is_none_or(|last| day(last) != day(hour)) {
                days.push(*hour);
            }
        }
        Some(Self { bars, days })
    }
}

const fn all(hour: &StandingHour) -> u64 {
    hour.n_accepted.saturating_add(hour.n_not_accepted).saturating_add(hour.n_not_appraised)
}

fn pieces(hour: &StandingHour, most: u64) -> Vec<Piece> {
    let high = |n: u64| match n {
        0 => 0,
        n => n.saturating_mul(HEIGHT).checked_div(most).unwrap_or(0).max(1),
    };
    let (bad, hold) = (high(hour.n_not_accepted), high(hour.n_not_appraised));
    let whole = high(all(hour)).max(bad.saturating_add(hold));
    let good = if hour.n_accepted > 0 { whole.saturating_sub(bad).saturating_sub(hold) } else { 0 };
    let mut at = HEIGHT.saturating_sub(bad.saturating_add(hold).saturating_add(good));
    let mut pieces = Vec::new();
    for (look, n) in [("bad", bad), ("hold", hold), ("good", good)] {
        if n > 0 {
            pieces.push((look, at, n));
            at = at.saturating_add(n);
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(n: i64, n_accepted: u64, n_not_accepted: u64, n_not_appraised: u64) -> StandingHour {
        let n_not_responding = 0;
        let hour_ms = n * HOUR_MS;
        StandingHour { hour_ms, n_accepted, n_not_accepted, n_not_appraised, n_not_responding }
    }

    #[test]
    fn a_bar_says_how_many_and_one_bad_host_is_seen() {
        let hours = [hour(1000, 50, 0, 0), hour(1001, 99_999, 1, 0)];
        let plot = Plot::of(&hours, 1001 * HOUR_MS + 5).unwrap();
        assert_eq!(plot.bars[0], (166, vec![("good", 99, 1)]));
        assert_eq!(plot.bars[1], (167, vec![("bad", 0, 1), ("good", 1, 99)]));
    }

    #[test]
    fn hours_that_nobody_counted_are_left_out() {
        let hours = [hour(800, 1, 0, 0), hour(1000, 1, 1, 2), hour(1030, 4, 0, 0)];
        let plot = Plot::of(&hours, 1030 * HOUR_MS).unwrap();
        assert_eq!(plot.bars.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [137, 167]);
        assert_eq!(plot.bars[0].1, [("bad", 0, 25), ("hold", 25, 50), ("good", 75, 25)]);
        assert_eq!(plot.days.len(), 2);
        assert!(Plot::of(&hours[..2], 1001 * HOUR_MS).is_none(), "one of the week");
        assert!(Plot::of(&[], 0).is_none());
    }
}
