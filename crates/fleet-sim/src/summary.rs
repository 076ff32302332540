//! What came of a run.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;

/// What came of one attestation.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The server judged the evidence.
    Judged { verdict: String, took: Duration },
    /// It took none.
    Refused { code: String, took: Duration },
}

/// One round of all hosts.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Round {
    /// How many hosts came to each verdict.
    pub verdicts: BTreeMap<String, usize>,
    /// How many were refused, by code.
    pub refused: BTreeMap<String, usize>,
    /// How many had no answer.
    pub errors: usize,
    /// The first error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_error: Option<String>,
    /// Seconds for all of them.
    pub seconds: f64,
    /// Attestations in a second.
    pub per_second: f64,
    /// Milliseconds from evidence to answer: half took no more.
    pub p50_ms: f64,
    /// Milliseconds from evidence to answer: 99 of 100 took no more.
    pub p99_ms: f64,
}

/// What came of all.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Hosts that joined.
    pub hosts: usize,
    /// Seconds in which they did.
    pub join_seconds: f64,
    /// The rounds.
    pub rounds: Vec<Round>,
}

impl Round {
    pub(crate) fn of(answers: Vec<anyhow::Result<Answer>>, time: Duration) -> Self {
        let mut round = Self { seconds: time.as_secs_f64(), ..Self::default() };
        let mut all = Vec::with_capacity(answers.len());
        for answer in answers {
            match answer {
                Ok(Answer::Judged { verdict, took }) => {
                    *round.verdicts.entry(verdict).or_default() += 1;
                    all.push(took);
                }
                Ok(Answer::Refused { code, took }) => {
                    *round.refused.entry(code).or_default() += 1;
                    all.push(took);
                }
                Err(err) => {
                    round.errors += 1;
                    round.first_error.get_or_insert_with(|| format!("{err:#}"));
                }
            }
        }
        all.sort_unstable();
        round.p50_ms = percentile_ms(&all, 50);
        round.p99_ms = percentile_ms(&all, 99);
        if time > Duration::ZERO {
            let n = u32::try_from(all.len()).unwrap_or(u32::MAX);
            round.per_second = f64::from(n) / time.as_secs_f64();
        }
        round
    }
}

/// The time that so many of a hundred took no more than; `sorted` is.
fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let index = sorted.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |counts: &BTreeMap<String, usize>| {
            counts.iter().map(|(word, n)| format!("{n} {word}")).collect::<Vec<_>>()
        };
        let mut words = told(&self.verdicts);
        words.extend(told(&self.refused).into_iter().map(|word| format!("{word} (refused)")));
        if self.errors > 0 {
            words.push(format!("{} without an answer", self.errors));
        }
        write!(
            f,
            "{} in {:.1} s: {:.0} a second, {:.1} ms (half), {:.1} ms (99 of 100)",
            words.join(", "),
            self.seconds,
            self.per_second,
            self.p50_ms,
            self.p99_ms
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_those_that_were_answered() {
        let times: Vec<_> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!((percentile_ms(&times, 50), percentile_ms(&times, 99)), (50.0, 99.0));
        assert_eq!(percentile_ms(&times[..1], 99), 1.0);
        assert_eq!(percentile_ms(&[], 50), 0.0);
    }

    #[test]
    fn what_has_no_answer_is_counted_apart() {
        let judged = |verdict: &str| {
            Ok(Answer::Judged { verdict: verdict.to_owned(), took: Duration::from_millis(2) })
        };
        let answers = vec![judged("accepted"), judged("accepted"), Err(anyhow::anyhow!("gone"))];
        let round = Round::of(answers, Duration::from_secs(1));
        assert_eq!((round.verdicts["accepted"], round.errors), (2, 1));
        assert_eq!((round.per_second, round.first_error.as_deref()), (2.0, Some("gone")));
        assert!(round.to_string().contains("1 without an answer"), "{round}");
    }
}
