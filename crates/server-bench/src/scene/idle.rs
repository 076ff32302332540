//! Hosts that are connected and wait, and a person who wants all of them attested.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use api::inventory::{ACTION_HOSTS_MAX, Action, ActionReply, ActionRequest};
use server_bench::{
    crew::Lines,
    guest::Guest,
    line::Line,
    serve::{Base, Served, Settings},
};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{server, warm};
use crate::{Bench, outcome::Bar};

pub(super) const N_HOSTS: usize = 10_000;

/// Handshakes at one time.
const DIALS_AT_ONE_TIME: usize = 64;

/// Between two looks at what has come.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Longer than this nobody waits.
const ALL_MAX: Duration = Duration::from_secs(120);

pub(crate) async fn play(bench: &mut Bench) -> anyhow::Result<()> {
    // Due again after the benchmark.
    let settings = Settings { attest_interval_s: 24 * 3600, ..Settings::default() };
    let (served, guests) = server(bench, Base::Sqlite, N_HOSTS, settings).await?;
    // What is kept of each host is there before their connections are counted.
    let guests = warm(&served, guests, Lines::Shared, 1).await?.into_guests();
    let before = served.program.resident_bytes()?;

    let n_waiting = Arc::new(AtomicUsize::new(0));
    let n_attested = Arc::new(AtomicUsize::new(0));
    let ended = Arc::new(AtomicBool::new(false));
    let gate = Arc::new(Semaphore::new(DIALS_AT_ONE_TIME));
    let mut tasks = JoinSet::new();
    for guest in guests {
        let (dialer, gate) = (served.dialer.clone(), Arc::clone(&gate));
        let (n_waiting, n_attested) = (Arc::clone(&n_waiting), Arc::clone(&n_attested));
        let ended = Arc::clone(&ended);
        tasks.spawn(async move {
            let line = {
                let _place = gate.acquire().await?;
                dialer.dial().await?
            };
            n_waiting.fetch_add(1, Ordering::Relaxed);
            wait(guest, line, &n_attested, &ended).await
        });
    }
    let bar = bench.progress("connecting", N_HOSTS);
    until(|| count(&n_waiting, &bar) == N_HOSTS, &mut tasks).await?;
    bar.finish_and_clear();
    settle(&served).await?;
    let each = served.program.resident_bytes()?.saturating_sub(before) / N_HOSTS as u64;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let kib = each as f64 / 1024.0;
    bench.figures.add("resident for each connected idle host", kib, "KiB", Bar::AtMost(48.0));

    let begun = Instant::now();
    let asking = ask_all(&served, N_HOSTS);
    let bar = bench.progress("attesting", N_HOSTS);
    let (asked, attested) =
        tokio::join!(asking, until(|| count(&n_attested, &bar) >= N_HOSTS, &mut tasks));
    asked?;
    attested?;
    bar.finish_and_clear();
    let took = begun.elapsed().as_secs_f64();
    bench.figures.add("10,000 connected hosts on demand", took, "s", Bar::AtMost(20.0));
    ended.store(true, Ordering::Relaxed);
    tasks.shutdown().await;
    Ok(())
}

/// Attests whenever it is asked to.
async fn wait(
    mut guest: Guest,
    mut line: Line,
    n_attested: &AtomicUsize,
    ended: &AtomicBool,
) -> anyhow::Result<()> {
    while !ended.load(Ordering::Relaxed) {
        if guest.attest_when_asked(&mut line).await? {
            n_attested.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// Asks for evidence of all hosts that are listed.
pub(super) async fn ask_all(served: &Served, n: usize) -> anyhow::Result<()> {
    let mut ids = Vec::with_capacity(n);
    let mut cursor = None;
    loop {
        let query = api::inventory::HostQuery {
            limit: Some(500),
            cursor: cursor.take(),
            ..Default::default()
        };
        let page: api::admin::HostPage = served.admin.get_with("/v1/hosts", &query).await?;
        ids.extend(page.hosts.into_iter().map(|host| host.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    ensure!(ids.len() == n, "{} hosts are listed", ids.len());
    for hosts in ids.chunks(ACTION_HOSTS_MAX) {
        let request = ActionRequest { hosts: hosts.to_vec(), action: Action::Attest };
        let reply: ActionReply = served.admin.post("/v1/hosts/actions", &request).await?;
        let refused = reply.outcomes.iter().find_map(|outcome| outcome.problem.as_ref());
        ensure!(refused.is_none(), "not asked: {refused:?}");
    }
    Ok(())
}

/// What it says, shown.
pub(super) fn count(counter: &AtomicUsize, bar: &indicatif::ProgressBar) -> usize {
    let n = counter.load(Ordering::Relaxed);
    bar.set_position(n as u64);
    n
}

/// Waits until it is so; a task that ends before is an error.
pub(super) async fn until(
    is_so: impl Fn() -> bool,
    tasks: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + ALL_MAX;
    while !is_so() {
        ensure!(Instant::now() < deadline, "not within {} s", ALL_MAX.as_secs());
        if let Some(done) = tasks.try_join_next() {
            done?.context("a host got no verdict")?;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

/// Waits until the server has nothing to do any more: all polls have come.
pub(super) async fn settle(served: &Served) -> anyhow::Result<()> {
    loop {
        let before = served.program.cpu()?;
        tokio::time::sleep(Duration::from_secs(1)).await;
        if served.program.cpu()? - before < Duration::from_millis(50) {
            return Ok(());
        }
    }
}
