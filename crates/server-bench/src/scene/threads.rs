//! What the second processor is good for.
//!
//! On a machine of two the load has to run somewhere too, so that rates say more of it than of the server.
//! What the server needs for an attestation with both, against what it needs with one, says how many it could
//! do where the load is elsewhere: a server that waits for itself would burn its time, or leave one idle.

use server_bench::{
    crew::Lines,
    serve::{Base, Settings},
};

use super::{server, turn, warm};
use crate::{
    Bench,
    outcome::{Bar, median},
};

pub(crate) async fn play(bench: &mut Bench) -> anyhow::Result<()> {
    let one = Settings { threads: Some(1), processor: Some(0), ..Settings::default() };
    let (one, guests_of_one) = server(bench, Base::Sqlite, bench.hosts, one).await?;
    let two = Settings { threads: Some(2), ..Settings::default() };
    let (two, guests_of_two) = server(bench, Base::Sqlite, bench.hosts, two).await?;
    let mut at_one = warm(&one, guests_of_one, Lines::Kept, 2).await?;
    let mut at_two = warm(&two, guests_of_two, Lines::Kept, 2).await?;
    let [mut rates, mut gains] = [const { Vec::new() }; 2];
    for _ in 0..bench.turns {
        let (tally_of_one, cpu_of_one) =
            turn(bench, &mut at_one, Lines::Kept, &one.program).await?;
        let (tally_of_two, cpu_of_two) =
            turn(bench, &mut at_two, Lines::Kept, &two.program).await?;
        rates.push(tally_of_two.per_s() / tally_of_one.per_s());
        gains.push(2.0 * cpu_of_one / cpu_of_two);
    }
    let figures = &mut bench.figures;
    figures.add("rate of two threads/one, the load on both", median(rates), "", Bar::None);
    figures.add("ratio two threads/one, by cpu", median(gains), "", Bar::AtLeast(1.8));
    Ok(())
}
