//! What an attestation costs among many enrolled hosts, and what lists of them cost.
//!
//! All of them attest, not some: what the server and its database keep in memory of each is what counts.

use std::time::Instant;

use anyhow::ensure;
use api::{admin::HostPage, inventory::HostQuery};
use server_bench::{
    crew::Lines,
    serve::{Base, Served, Settings},
};

use super::{server, turn, warm};
use crate::{
    Bench,
    outcome::{Bar, median},
};

/// Pages that are asked for of each kind.
const N_PAGES: usize = 40;

pub(crate) async fn play(bench: &mut Bench) -> anyhow::Result<()> {
    let n = bench.enrolled;
    ensure!(n > bench.hosts, "--enrolled must be more than --hosts");
    let (few, guests) = server(bench, Base::Sqlite, bench.hosts, Settings::default()).await?;
    let mut at_few = warm(&few, guests, Lines::Shared, 2).await?;
    let resident_of_few = few.program.resident_bytes()?;
    let (many, guests) = server(bench, Base::Sqlite, n, Settings::default()).await?;
    let mut at_many = warm(&many, guests, Lines::Shared, 2).await?;
    let resident = many.program.resident_bytes()?.saturating_sub(resident_of_few);
    let [mut of_few, mut of_many, mut ratios] = [const { Vec::new() }; 3];
    for _ in 0..bench.turns {
        let (_, cpu_of_few) = turn(bench, &mut at_few, Lines::Shared, &few.program).await?;
        let (_, cpu_of_many) = turn(bench, &mut at_many, Lines::Shared, &many.program).await?;
        of_few.push(cpu_of_few);
        of_many.push(cpu_of_many);
        ratios.push(cpu_of_many / cpu_of_few);
    }
    let pages = pages(&many, n).await?;
    let name = format!("ratio of cpu at {n} hosts to {}", bench.hosts);
    let figures = &mut bench.figures;
    figures.add(format!("server cpu ({} hosts)", bench.hosts), median(of_few), "us", Bar::None);
    figures.add(format!("server cpu ({n} hosts)"), median(of_many), "us", Bar::None);
    figures.add(name, median(ratios), "", Bar::AtMost(1.15));
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let kib = (resident / (n - bench.hosts) as u64) as f64 / 1024.0;
    figures.add("resident for each enrolled host", kib, "KiB", Bar::AtMost(4.0));
    for (name, ms) in pages {
        figures.add(format!("{name}, the slowest of {N_PAGES}"), ms, "ms", Bar::AtMost(50.0));
    }
    Ok(())
}

/// Milliseconds of the server's time for the slowest page of each kind: its CPU time, since the line and this
/// program's reading are not the server's.
async fn pages(served: &Served, n: usize) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let some = || HostQuery { limit: Some(100), ..HostQuery::default() };
    let text = |text: &str| Some(text.to_owned());
    let queries = [
        ("page of 100 hosts", some()),
        ("search by a part of the name", HostQuery { search: text("9987"), ..some() }),
        ("search that finds nothing", HostQuery { search: text("nowhere"), ..some() }),
        ("search by name", HostQuery { name: Some(format!("sim-{:06}", n - 1)), ..some() }),
        ("search by label", HostQuery { labels: text("rack=77"), ..some() }),
        ("search by verdict", HostQuery { verdict: text("not accepted"), ..some() }),
        ("search by finding", HostQuery { code: text("secure-boot-off"), ..some() }),
    ];
    let mut slowest = Vec::new();
    for (name, query) in queries {
        let mut query = HostQuery { ..query };
        let mut ms_max = 0.0_f64;
        for _ in 0..N_PAGES {
            let begun = Instant::now();
            let page: HostPage = served.admin.get_with("/v1/hosts", &query).await?;
            ms_max = ms_max.max(begun.elapsed().as_secs_f64() * 1000.0);
            ensure!(name != "page of 100 hosts" || page.hosts.len() == 100, "no whole page");
            query.cursor = page.next_cursor;
        }
        slowest.push((name, ms_max));
    }
    Ok(slowest)
}
