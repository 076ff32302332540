//! What is measured.

mod beside_limit;
mod fleet;
mod idle;
mod latency;
mod storm;
mod threads;
mod two_servers;

use std::{future::Future, pin::Pin};

use server_bench::{
    crew::{Crew, Lines, Tally, Until},
    fill::fill,
    guest::{Guest, Peer},
    process::Program,
    serve::{Base, Served, Settings},
};

use crate::Bench;

type Playing<'a> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// Something that is measured.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) play: fn(&mut Bench) -> Playing<'_>,
}

/// All of them, in the order in which they are played.
pub(crate) const SCENES: &[Scene] = &[
    Scene {
        name: "kept",
        about: "SQLite, each host keeps a connection",
        play: |bench| Box::pin(beside_limit::kept(bench)),
    },
    Scene {
        name: "new",
        about: "SQLite, a connection for each attestation",
        play: |bench| Box::pin(beside_limit::new(bench)),
    },
    Scene {
        name: "postgres",
        about: "PostgreSQL, each host keeps a connection",
        play: |bench| Box::pin(beside_limit::postgres(bench)),
    },
    Scene {
        name: "latency",
        about: "how long a verdict takes at 70 % of the most that there are",
        play: |bench| Box::pin(latency::play(bench)),
    },
    Scene {
        name: "threads",
        about: "one processor for the server, and two",
        play: |bench| Box::pin(threads::play(bench)),
    },
    Scene {
        name: "idle",
        about: "10,000 connected hosts, and all of them at once",
        play: |bench| Box::pin(idle::play(bench)),
    },
    Scene {
        name: "storm",
        about: "10,000 connected hosts whose server is killed and started again",
        play: |bench| Box::pin(storm::play(bench)),
    },
    Scene {
        name: "fleet",
        about: "100,000 enrolled hosts",
        play: |bench| Box::pin(fleet::play(bench)),
    },
    Scene {
        name: "two-servers",
        about: "two servers on one PostgreSQL",
        play: |bench| Box::pin(two_servers::play(bench)),
    },
];

/// That of this name.
pub(crate) fn by_name(name: &str) -> Result<&'static Scene, String> {
    SCENES.iter().find(|scene| scene.name == name).ok_or_else(|| {
        let names: Vec<_> = SCENES.iter().map(|scene| scene.name).collect();
        format!("one of {}", names.join(", "))
    })
}

/// Hosts that attest at one time.
const AT_ONE_TIME: usize = 16;

/// A server on `base` with `n` hosts in its inventory.
async fn server(
    bench: &Bench,
    base: Base<'_>,
    n: usize,
    settings: Settings,
) -> anyhow::Result<(Served, Vec<Guest>)> {
    let data = bench.programs.data()?;
    let guests = {
        let store = base.open(data.path()).await?;
        let bar = bench.progress("enrolling", n);
        let guests = fill(&store, n, || bar.inc(1)).await?;
        bar.finish_and_clear();
        guests
    };
    let served = bench.programs.serve(data, base, settings).await?;
    Ok((served, guests))
}

/// The hosts of a server, after each has attested `n` times.
async fn warm(served: &Served, guests: Vec<Guest>, lines: Lines, n: usize) -> anyhow::Result<Crew> {
    let mut crew = Crew::new(Peer::Server, vec![served.dialer.clone()], guests, AT_ONE_TIME);
    for _ in 0..n {
        crew.hurry(lines, Until::EachOnce).await?;
    }
    Ok(crew)
}

/// What was done in a turn, and the microseconds of CPU that each took of the program.
async fn turn(
    bench: &Bench,
    crew: &mut Crew,
    lines: Lines,
    program: &Program,
) -> anyhow::Result<(Tally, f64)> {
    let before = program.cpu()?;
    let tally = crew.hurry(lines, Until::Time(bench.turn)).await?;
    let cpu = program.cpu()? - before;
    Ok((tally, cpu.as_secs_f64() * 1e6 / f64::from(tally.n.max(1))))
}
