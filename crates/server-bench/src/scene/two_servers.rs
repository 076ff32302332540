//! Two servers on one PostgreSQL.

use server_bench::{
    crew::{Lines, Until},
    serve::{Base, Settings},
};
use testkit::postgres::Cluster;

use super::{AT_ONE_TIME, server, turn, warm};
use crate::{
    Bench,
    outcome::{Bar, median},
};

pub(crate) async fn play(bench: &mut Bench) -> anyhow::Result<()> {
    let cluster = Cluster::start_durable()?;
    let base = Base::Postgres(&cluster);
    let (first, guests) = server(bench, base, bench.hosts, Settings::default()).await?;
    let data = bench.programs.data()?;
    for name in ["ca.pem", "ca.key"] {
        std::fs::copy(first.data.path().join(name), data.path().join(name))?;
    }
    let second = bench.programs.serve(data, base, Settings::default()).await?;
    let mut crew = warm(&first, guests, Lines::Kept, 2).await?;
    let both = vec![first.dialer.clone(), second.dialer.clone()];
    let [mut rates, mut gains] = [const { Vec::new() }; 2];
    for _ in 0..bench.turns {
        crew = crew.moved_to(vec![first.dialer.clone()], AT_ONE_TIME);
        crew.hurry(Lines::Kept, Until::EachOnce).await?;
        let (one, cpu_of_one) = turn(bench, &mut crew, Lines::Kept, &first.program).await?;
        // Each as busy as the one was: what comes at one time is committed together.
        crew = crew.moved_to(both.clone(), 2 * AT_ONE_TIME);
        // The second has to get to know half of the hosts: their logs first, and then what it asks of them.
        for _ in 0..2 {
            crew.hurry(Lines::Kept, Until::EachOnce).await?;
        }
        let before = second.program.cpu()?;
        let (two, cpu_of_first) = turn(bench, &mut crew, Lines::Kept, &first.program).await?;
        let of_second =
            (second.program.cpu()? - before).as_secs_f64() * 1e6 / f64::from(two.n.max(1));
        rates.push(two.per_s() / one.per_s());
        gains.push(2.0 * cpu_of_one / (cpu_of_first + of_second));
    }
    let figures = &mut bench.figures;
    figures.add("rate of two servers/one, all on this machine", median(rates), "", Bar::None);
    figures.add("ratio two servers/one, by cpu", median(gains), "", Bar::AtLeast(1.6));
    Ok(())
}
