//! kill -9 at any moment: what was acknowledged is there afterwards.
#![expect(clippy::print_stdout, reason = "the child acknowledges on standard output")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::suite::appraisal::all;
use crate::suite::make::{appraisal, by, enrolled, host};
use store::{AuditChain, NewAppraisal, PostgresStore, SqliteStore, Store};
use testkit::postgres::Database;
use testkit::wait;

/// Set for the child: the database that it writes until it is killed, a path or an address.
const CHILD_DB: &str = "STORE_KILL_TEST_DB";

const N_HOSTS: usize = 8;

#[test]
fn acknowledged_appraisals_survive_kill_9() {
    if let Ok(place) = std::env::var(CHILD_DB) {
        return record_for_ever(&place);
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bootproof.db");
    let test = "kill::acknowledged_appraisals_survive_kill_9";
    kill_again_and_again(test, path.to_str().unwrap(), || {});
}

#[test]
fn acknowledged_appraisals_survive_kill_9_of_a_client_of_postgresql() {
    if let Ok(place) = std::env::var(CHILD_DB) {
        return record_for_ever(&place);
    }
    let database = Database::new().unwrap();
    let test = "kill::acknowledged_appraisals_survive_kill_9_of_a_client_of_postgresql";
    kill_again_and_again(test, &database.address(), || {
        // What it was told before the kill, the database may still be doing.
        let nobody = "DO $$ BEGIN ASSERT NOT EXISTS (SELECT 1 FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()); END $$";
        wait::until("the database notices", || database.psql(nobody).ok());
    });
}

async fn open(place: &str) -> Box<dyn Store> {
    match place.parse() {
        Ok(address) => Box::new(PostgresStore::open(address).await.unwrap()),
        Err(_) => Box::new(SqliteStore::open(place).unwrap()),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn kill_again_and_again(test: &str, place: &str, settle: impl Fn()) {
    runtime().block_on(async {
        let store = open(place).await;
        let store = &*store;
        for n in 0..N_HOSTS {
            enrolled(store, &format!("h{n}")).await;
        }
    });
    // (host, nonce) pairs that some child said were recorded.
    let mut acknowledged: Vec<(usize, i64)> = Vec::new();
    // Killed after so many lines: early, between batches, and inside them.
    for n_lines in [0, 1, 3, 8, 13, 40, 101, 200] {
        acknowledged.extend(run_and_kill(test, place, n_lines));
        settle();
        runtime().block_on(check(place, &acknowledged));
    }
    assert!(acknowledged.len() >= 366, "only {}", acknowledged.len());
}

/// Starts the test again as a child, reads `n_lines` acknowledgements, kills it, and returns all that
/// it had written by then.
fn run_and_kill(test: &str, place: &str, n_lines: usize) -> Vec<(usize, i64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(CHILD_DB, place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut read = Vec::new();
    // The harness prints lines of its own before; "ready" says that the store is open.
    for line in lines.by_ref() {
        if line.unwrap().contains("ready") {
            break;
        }
    }
    read.extend(lines.by_ref().take(n_lines).map(Result::unwrap));
    child.kill().unwrap();
    child.wait().unwrap();
    read.extend(lines.map_while(Result::ok));
    assert!(read.len() >= n_lines, "the child ended by itself: {read:?}");
    read.iter().filter_map(|line| parse(line)).collect()
}

/// A whole line only: the kill may have cut the last one.
fn parse(line: &str) -> Option<(usize, i64)> {
    let (n, nonce) = line.strip_prefix("ack ")?.strip_suffix(" .")?.split_once(' ')?;
    Some((n.parse().ok()?, nonce.parse().ok()?))
}

async fn check(place: &str, acknowledged: &[(usize, i64)]) {
    let store = open(place).await;
    let store = &*store;
    for n in 0..N_HOSTS {
        let host = host(store, &format!("host-h{n}").as_str().into()).await;
        let rows = store.appraisals(&host.id, 1_000).await.unwrap();
        for (_, nonce) in acknowledged.iter().filter(|(of, _)| *of == n) {
            let expected = appraisal(&host, *nonce);
            let row = rows.iter().find(|row| row.document_json == expected.document_json);
            let row = row.unwrap_or_else(|| panic!("host {n}, nonce {nonce} is lost"));
            assert_eq!(store.evidence(row.id).await.unwrap(), expected.evidence);
        }
        // A transaction is there as a whole or not at all, so no host is stuck.
        assert_eq!(host.last.as_ref().map(|last| last.id), rows.first().map(|row| row.id));
        let next = host.last_nonce_at_ms.unwrap_or(0) + 1;
        store.record_appraisal(appraisal(&host, next), by(next)).await.unwrap();
    }
    let mut chain = AuditChain::default();
    for row in store.audit(0, 1_000).await.unwrap() {
        chain.check(&row).unwrap();
    }
}

/// The child: rounds of appraisals of all hosts at once, each acknowledged in a line after its reply.
fn record_for_ever(place: &str) {
    runtime().block_on(async {
        let store = open(place).await;
        let store = &*store;
        let mut hosts = Vec::new();
        for n in 0..N_HOSTS {
            hosts.push(host(store, &format!("host-h{n}").as_str().into()).await);
        }
        println!("ready");
        let first = hosts.iter().filter_map(|host| host.last_nonce_at_ms).max().unwrap_or(0) + 1;
        for nonce in first.. {
            let (even, odd) = ("accepted", "not-accepted");
            let requests = hosts.iter().map(|host| {
                let verdict = if nonce % 2 == 0 { even } else { odd };
                let new = NewAppraisal { verdict: verdict.into(), ..appraisal(host, nonce) };
                store.record_appraisal(new, by(nonce))
            });
            for (n, result) in all(requests).await.into_iter().enumerate() {
                result.unwrap();
                println!("ack {n} {nonce} .");
            }
            std::io::stdout().flush().unwrap();
        }
    });
}
