//! The server beside the limit, in turns.

use server_bench::{
    crew::{Crew, Lines, Until},
    fill::fill,
    guest::Peer,
    process::{self, Program},
    serve::{Base, Served, Settings},
};
use tempfile::TempDir;
use testkit::postgres::Cluster;

use super::{AT_ONE_TIME, server, turn, warm};
use crate::{
    Bench,
    outcome::{Bar, median},
};

pub(crate) async fn kept(bench: &mut Bench) -> anyhow::Result<()> {
    let bars = [Bar::AtMost(1.6), Bar::AtLeast(0.6)];
    compare(bench, Lines::Kept, "sqlite, kept", None, bars).await
}

pub(crate) async fn new(bench: &mut Bench) -> anyhow::Result<()> {
    let bars = [Bar::AtMost(1.6), Bar::AtLeast(0.6)];
    compare(bench, Lines::New, "sqlite, new", None, bars).await
}

pub(crate) async fn postgres(bench: &mut Bench) -> anyhow::Result<()> {
    let cluster = Cluster::start_durable()?;
    let bars = [Bar::AtMost(2.5), Bar::None];
    compare(bench, Lines::Kept, "postgres, kept", Some(&cluster), bars).await
}

/// The limit program and its hosts: each connection leads to one program.
struct Limit {
    program: Program,
    crew: Crew,
    _data: TempDir,
}

impl Limit {
    async fn start(bench: &Bench, lines: Lines, arguments: &[&str]) -> anyhow::Result<Self> {
        let guests = {
            let data = bench.programs.data()?;
            fill(&Base::Sqlite.open(data.path()).await?, bench.hosts, || ()).await?
        };
        let (program, data, dialer) = bench.programs.limit(&guests, arguments).await?;
        let mut crew = Crew::new(Peer::Limit, vec![dialer], guests, AT_ONE_TIME);
        crew.hurry(lines, Until::EachOnce).await?;
        Ok(Self { program, crew, _data: data })
    }
}

/// CPU and rate of the server against those of the limit, which has SQLite in any case.
async fn compare(
    bench: &mut Bench,
    lines: Lines,
    name: &str,
    cluster: Option<&Cluster>,
    [cpu_bar, rate_bar]: [Bar; 2],
) -> anyhow::Result<()> {
    let base = cluster.map_or(Base::Sqlite, Base::Postgres);
    let (served, guests) = server(bench, base, bench.hosts, Settings::default()).await?;
    let mut limit = Limit::start(bench, lines, &[]).await?;
    let mut least = Limit::start(bench, lines, &["--knows-log"]).await?;
    // The first time a log is judged in full; then alarms are looked for once.
    let mut at_server = warm(&served, guests, lines, 2).await?;

    let bar = bench.progress("turns", bench.turns);
    let (mut cpu_ratios, mut rate_ratios) = (Vec::new(), Vec::new());
    let [mut limit_cpu, mut server_cpu, mut limit_rate, mut server_rate, mut database_cpu] =
        [const { Vec::new() }; 5];
    let mut least_cpu = Vec::new();
    for _ in 0..bench.turns {
        least_cpu.push(turn(bench, &mut least.crew, lines, &least.program).await?.1);
        let (tally, cpu) = turn(bench, &mut limit.crew, lines, &limit.program).await?;
        limit_cpu.push(cpu);
        limit_rate.push(tally.per_s());
        let before = cluster.map(database).transpose()?;
        let (served_tally, served_cpu) =
            turn(bench, &mut at_server, lines, &served.program).await?;
        server_cpu.push(served_cpu);
        server_rate.push(served_tally.per_s());
        cpu_ratios.push(served_cpu / cpu);
        rate_ratios.push(served_tally.per_s() / tally.per_s());
        if let Some((before, cluster)) = before.zip(cluster) {
            let took = database(cluster)? - before;
            database_cpu.push(took * 1e6 / f64::from(served_tally.n.max(1)));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let stored = match cluster {
        None => Some(stored_bytes(&served)?),
        Some(_) => None,
    };
    let figures = &mut bench.figures;
    if let Some([document, evidence]) = stored {
        figures.add(format!("stored document of a verdict ({name})"), document, "bytes", Bar::None);
        figures.add(format!("stored new evidence ({name})"), evidence, "bytes", Bar::None);
    }
    figures.add(format!("limit cpu ({name})"), median(limit_cpu), "us", Bar::None);
    let least = format!("limit cpu, log known ({name})");
    figures.add(least, median(least_cpu), "us", Bar::None);
    figures.add(format!("server cpu ({name})"), median(server_cpu), "us", Bar::None);
    if cluster.is_some() {
        figures.add(format!("database cpu ({name})"), median(database_cpu), "us", Bar::None);
    }
    figures.add(format!("limit rate ({name})"), median(limit_rate), "/s", Bar::None);
    figures.add(format!("server rate ({name})"), median(server_rate), "/s", Bar::None);
    figures.add(format!("ratio server/limit cpu ({name})"), median(cpu_ratios), "", cpu_bar);
    figures.add(format!("ratio server/limit rate ({name})"), median(rate_ratios), "", rate_bar);
    Ok(())
}

/// Bytes of a verdict's document, and of what is new in its evidence.
fn stored_bytes(served: &Served) -> anyhow::Result<[f64; 2]> {
    let db = rusqlite::Connection::open(served.data.path().join("bootproof.db"))?;
    let one = |sql: &str| db.query_row(sql, [], |row| row.get::<_, f64>(0));
    let document = one("SELECT avg(length(document_json)) FROM appraisals")?;
    let evidence = one("SELECT sum(length(bytes)) FROM evidence")?;
    let answer = one("SELECT avg(length(answer)) FROM appraisals")?;
    Ok([document, answer + evidence / one("SELECT count(*) FROM appraisals")?])
}

/// Seconds of CPU that the processes of the database took: those of connections stay with the pool.
fn database(cluster: &Cluster) -> anyhow::Result<f64> {
    let cpus = cluster.pids().into_iter().filter_map(|pid| process::cpu(pid).ok());
    Ok(cpus.map(|cpu| cpu.as_secs_f64()).sum())
}
