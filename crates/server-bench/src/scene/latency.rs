//! How long a verdict takes on a busy server.

use std::time::Duration;

use server_bench::{
    crew::{Lines, Until},
    serve::{Base, Settings},
};

use super::{server, warm};
use crate::{
    Bench,
    outcome::{Bar, median},
};

/// The part of the most attestations of a second that come.
const LOAD: f64 = 0.7;

pub(crate) async fn play(bench: &mut Bench) -> anyhow::Result<()> {
    let (served, guests) = server(bench, Base::Sqlite, bench.hosts, Settings::default()).await?;
    let mut crew = warm(&served, guests, Lines::Kept, 2).await?;
    let [mut peaks, mut halves, mut most, mut ratios] = [const { Vec::new() }; 4];
    for _ in 0..bench.turns {
        let peak = crew.hurry(Lines::Kept, Until::Time(bench.turn)).await?.per_s();
        let times = crew.at_rate(LOAD * peak, bench.turn).await?;
        let ms = |percent: usize| {
            let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(index).map_or(f64::NAN, Duration::as_secs_f64) * 1000.0
        };
        peaks.push(peak);
        halves.push(ms(50));
        most.push(ms(99));
        ratios.push(ms(99) / ms(50));
    }
    let figures = &mut bench.figures;
    figures.add("peak rate (sqlite, kept)", median(peaks), "/s", Bar::None);
    figures.add("p50 at 70 % of the peak", median(halves), "ms", Bar::None);
    figures.add("p99 at 70 % of the peak", median(most), "ms", Bar::None);
    figures.add("ratio p99/p50 at 70 % of the peak", median(ratios), "", Bar::AtMost(5.0));
    Ok(())
}
