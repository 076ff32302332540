//! A server that is killed under many connected hosts, which all come back in the same moment.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use api::{
    admin::HostPage,
    alarm::AlarmPage,
    inventory::{ACTION_HOSTS_MAX, Action, ActionReply, ActionRequest},
};
use client::Client;
use fleet_sim::Patrol;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server_bench::fill::fill;
use store::{Appraisals as _, SqliteStore, Store};
use testkit::wait;

use crate::{
    bench::Server,
    faults::{TIME_MAX, check, told},
};

/// As many as 40 s bear where nothing is optimised, on two processors that hosts and server share; what takes the
/// most of them is the hosts' own half. `cargo xtask bench server --only storm` does the same with 10,000.
const N_HOSTS: usize = 3_000;

/// Hosts are due at the start, and when somebody asks: whoever attests more often was doubled.
const SELDOM: &str = "attest_interval_s = 86400\nverdict_good_for_s = 172800\n";

/// What the server may have at its peak: itself, what it has found in logs, and twice what a connected idle host
/// costs it (48 KiB), since all shake hands at once.
const RESIDENT_MAX: u64 = (192 << 20) + N_HOSTS as u64 * (96 << 10);

/// The longest that somebody who looks waits for an answer meanwhile.
const ANSWER_MAX: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_hosts_come_back_at_once_to_a_server_that_was_killed() {
    may_open(N_HOSTS as u64 + 1_000);
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), SELDOM).unwrap();
    let guests = {
        let store = SqliteStore::open(data.path().join("bootproof.db")).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        fill(&store, N_HOSTS, || {}).await.unwrap()
    };
    let mut server = Server::start_in(data).await;
    let hosts: Vec<_> = guests.into_iter().map(|guest| guest.into_host(&server.admin)).collect();
    let ids: Vec<_> = hosts.iter().map(|host| host.id().to_owned()).collect();
    let patrol = Patrol::of(hosts);
    each_has(&patrol, 1).await;
    connected(&server.admin).await;
    // Those that never were judged had alarms, until they were.
    quiet(&server.admin).await;
    let last_alarm = newest_alarm(&server.admin).await;

    server.kill();
    server.restart().await;
    let begun = Instant::now();
    let ((), n_looks) = tokio::join!(
        async {
            ask_all(&server.admin, &ids).await;
            each_has(&patrol, 2).await;
        },
        look(&server.admin, &patrol, last_alarm),
    );
    assert!(n_looks > 0, "nobody looked in {:?}", begun.elapsed());
    let peak = resident_at_most(server.pid());
    assert!(peak <= RESIDENT_MAX, "{} MiB resident", peak >> 20);

    // Polls that are held end with the server.
    let (record, ()) = tokio::join!(patrol.end(), async { server.kill() });
    assert!(record.n_unanswered >= N_HOSTS, "a kill that nobody noticed: {:?}", told(&record));
    let (store, _data) = server.into_store();
    check(&record, &store).await;
    for id in &ids {
        let n = store.appraisals(&id.as_str().into(), 10).await.unwrap().len();
        // One whose answer the kill cut off attests again: it is known to nobody that it did.
        assert!((2..=3).contains(&n), "{n} verdicts of {id}");
    }
}

/// Waits until each host was acknowledged `n` verdicts.
async fn each_has(patrol: &Patrol, n: usize) {
    let all = patrol.until(TIME_MAX, |record| record.fewest() >= n).await;
    assert!(all, "a host is stuck: {:?}", told(&patrol.record()));
}

/// Waits until all hosts are connected and idle.
async fn connected(admin: &Client) {
    let deadline = Instant::now() + wait::TIME_MAX;
    loop {
        let metrics = String::from_utf8(admin.get_bytes("/metrics").await.unwrap()).unwrap();
        let waiting =
            metrics.lines().find_map(|line| line.strip_prefix("bootproof_long_polls_waiting "));
        let n: usize = waiting.unwrap().parse().unwrap();
        if n == N_HOSTS {
            return;
        }
        assert!(Instant::now() < deadline, "{n} hosts are connected");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until no alarm stands.
async fn quiet(admin: &Client) {
    let deadline = Instant::now() + wait::TIME_MAX;
    while !admin.get::<AlarmPage>("/v1/alarms?limit=1").await.unwrap().alarms.is_empty() {
        assert!(Instant::now() < deadline, "an alarm stands");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The number of the alarm that was raised last, whether it stands or not.
async fn newest_alarm(admin: &Client) -> Option<i64> {
    let page: AlarmPage = admin.get("/v1/alarms?cleared=true&limit=1").await.unwrap();
    page.alarms.first().map(|alarm| alarm.id)
}

/// Somebody wants evidence of all hosts as soon as the server is up, so that a host that is lost is missed.
async fn ask_all(admin: &Client, ids: &[String]) {
    for hosts in ids.chunks(ACTION_HOSTS_MAX) {
        let request = ActionRequest { hosts: hosts.to_vec(), action: Action::Attest };
        let reply: ActionReply = admin.post("/v1/hosts/actions", &request).await.unwrap();
        assert!(reply.outcomes.iter().all(|outcome| outcome.problem.is_none()));
    }
}

/// Looks until all hosts are back: the server is ready, shows its pages, and takes no host for an untrusted one
/// because it is away. How often.
async fn look(admin: &Client, patrol: &Patrol, last_alarm: Option<i64>) -> usize {
    let mut n_looks = 0;
    while patrol.record().fewest() < 2 {
        let begun = Instant::now();
        // Refused where it is not ready.
        admin.get_bytes("/readyz").await.unwrap();
        let page = admin.get_bytes("/setup").await.unwrap();
        assert!(String::from_utf8_lossy(&page).contains("<form"), "no page");
        for verdict in ["not%20accepted", "not%20appraised"] {
            let path = format!("/v1/hosts?limit=5&verdict={verdict}");
            let page: HostPage = admin.get(&path).await.unwrap();
            assert!(page.hosts.is_empty(), "{:?}", page.hosts);
        }
        assert_eq!(newest_alarm(admin).await, last_alarm, "an alarm was raised");
        let took = begun.elapsed();
        assert!(took < 5 * ANSWER_MAX, "five answers took {took:?}");
        n_looks += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    n_looks
}

/// The most bytes of memory that a process has had.
fn resident_at_most(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() << 10
}

/// Lets this process, and those that it starts, open `n` files.
fn may_open(n: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < n) {
        assert!(limit.maximum.is_none_or(|maximum| maximum >= n), "`ulimit -Hn` is below {n}");
        setrlimit(Resource::Nofile, Rlimit { current: Some(n), ..limit }).unwrap();
    }
}
