//! A server that is killed and started again, and 10,000 hosts that were connected to it.
//!
//! Each notices at the same moment, and comes again as an agent does: after a pause that begins with a quarter of
//! a second and is longer each time, a part of it left to chance. Somebody asks for evidence of all hosts as soon
//! as the server is up, so that a host that is lost is missed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use server_bench::{
    crew::Lines,
    guest::Guest,
    line::Dialer,
    serve::{Base, Settings},
};
use tokio::task::JoinSet;

use super::{
    idle::{N_HOSTS, ask_all, count, settle, until},
    server, warm,
};
use crate::{Bench, outcome::Bar};

/// The first pause of an agent.
const PAUSE: Duration = Duration::from_millis(250);

/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(60);

pub(crate) async fn play(bench: &mut Bench) -> anyhow::Result<()> {
    let settings = Settings { attest_interval_s: 24 * 3600, ..Settings::default() };
    let (served, guests) = server(bench, Base::Sqlite, N_HOSTS, settings).await?;
    let guests = warm(&served, guests, Lines::Shared, 1).await?.into_guests();
    let (n_waiting, n_attested) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for (n, guest) in guests.into_iter().enumerate() {
        let dialer = served.dialer.clone();
        let (n_waiting, n_attested) = (Arc::clone(&n_waiting), Arc::clone(&n_attested));
        tasks.spawn(async move { live(n, guest, &dialer, &n_waiting, &n_attested).await });
    }
    let bar = bench.progress("connecting", N_HOSTS);
    until(|| count(&n_waiting, &bar) >= N_HOSTS, &mut tasks).await?;
    bar.finish_and_clear();
    settle(&served).await?;

    let port = served.dialer.address().port();
    let begun = Instant::now();
    drop(served.program);
    let served =
        bench.programs.serve(served.data, Base::Sqlite, Settings { port, ..settings }).await?;
    let up = begun.elapsed().as_secs_f64();
    let bar = bench.progress("coming back", N_HOSTS);
    let (asked, attested) = tokio::join!(
        ask_all(&served, N_HOSTS),
        until(|| count(&n_attested, &bar) >= N_HOSTS, &mut tasks)
    );
    asked?;
    attested?;
    bar.finish_and_clear();
    let all = begun.elapsed().as_secs_f64();
    let figures = &mut bench.figures;
    figures.add("from kill to the new server's first answer", up, "s", Bar::None);
    figures.add("from kill to a verdict of each of 10,000 hosts", all, "s", Bar::AtMost(60.0));
    tasks.shutdown().await;
    Ok(())
}

/// Connects and attests whenever it is asked to, for ever.
async fn live(
    n: usize,
    mut guest: Guest,
    dialer: &Dialer,
    n_waiting: &AtomicUsize,
    n_attested: &AtomicUsize,
) -> anyhow::Result<()> {
    let mut pause = PAUSE;
    // Up to a quarter less, as chance has it for an agent.
    let part = 1.0 - f64::from(u8::try_from(n % 64)?) / 256.0;
    loop {
        if let Ok(mut line) = dialer.dial().await {
            n_waiting.fetch_add(1, Ordering::Relaxed);
            while let Ok(has_attested) = guest.attest_when_asked(&mut line).await {
                pause = PAUSE;
                n_attested.fetch_add(usize::from(has_attested), Ordering::Relaxed);
            }
        }
        tokio::time::sleep(pause.mul_f64(part)).await;
        pause = PAUSE_MAX.min(pause.mul_f64(1.5));
    }
}
