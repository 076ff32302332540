//! CPU time, in rounds.

use std::fmt;

use rustix::time::{ClockId, clock_gettime};

/// Rounds of one walk.
const ROUNDS: usize = 15;

/// The least CPU time of one measurement: ten thousand times what reading the clock costs.
const BATCH_US: f64 = 8_000.0;

/// CPU time of this thread, in microseconds.
fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// Microseconds that `n` runs take, each.
fn batch(run: &dyn Fn(), n: u32) -> f64 {
    let start = cpu_us();
    (0..n).for_each(|_| run());
    (cpu_us() - start) / f64::from(n)
}

/// Microseconds of each function in each round, the functions one after another in every round.
pub(crate) fn rounds<const N: usize>(functions: [&dyn Fn(); N]) -> [Vec<f64>; N] {
    let batches = functions.map(|run| {
        let once = batch(run, 3).max(0.1);
        (BATCH_US / once).clamp(1.0, 1e6) as u32
    });
    let mut times = functions.map(|_| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for ((times, run), n) in times.iter_mut().zip(functions).zip(batches) {
            times.push(batch(run, n));
        }
    }
    times
}

/// Median, least and most of some rounds.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        Self { median, least: sorted[0], most: sorted[sorted.len() - 1] }
    }

    /// Of the ratios, round by round.
    pub(crate) fn ratio(above: &[f64], below: &[f64]) -> Self {
        Self::of(&above.iter().zip(below).map(|(above, below)| above / below).collect::<Vec<_>>())
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} [{:.2}-{:.2}]", self.median, self.least, self.most)
    }
}
