//! What it costs to try a policy over stored evidence, in evidences per second and core.
//!
//! A server with its database and no sockets; its hosts share one software TPM's attestation key, so
//! that each has a quote of its own without a TPM of its own. They attest once, as agents do. Then a
//! policy is tried as `bootproof policy try` does it, page by page, and the CPU time of the whole
//! process is taken: reading the database, judging, answering.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

mod fleet;

use std::{fmt, sync::Arc};

use api::policy::PolicyTryRequest;
use fleet::{Fleet, Key, Logs};
use rustix::time::{ClockId, clock_gettime};
use server::app::App;

/// What issue and design ask for.
const BAR: f64 = 8_000.0;

/// Times that the whole fleet is judged, of which the median is taken.
const ROUNDS: usize = 9;

/// Another severity, which leaves what is found in logs as it is.
const SEVERITY: &str = "[findings.weak-certificate]\nseverity = \"fail\"\n";

/// Another rule for logs, which are judged anew.
const RULE: &str = "[references]\nmode = \"observe\"\n";

/// A policy to try, and in whose logs something has to be found anew.
struct Tried {
    name: &'static str,
    rules: &'static str,
}

const TRIED: [Tried; 2] = [
    Tried { name: "other severities", rules: SEVERITY },
    Tried { name: "another rule for logs", rules: RULE },
];

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let mut worst = f64::INFINITY;
    for key in [Key::Rsa2048, Key::P256] {
        for logs in [Logs::Shared, Logs::OfEach] {
            let fleet = Fleet::new(key, logs).await;
            for tried in &TRIED {
                let rate = measure(&fleet, tried).await;
                println!("  {key}, {logs}, {}: {rate}", tried.name);
                // Where each host's log must be judged anew, that is what a judgement costs.
                let is_anew = tried.rules == RULE && logs == Logs::OfEach;
                if !is_anew {
                    worst = worst.min(rate.median);
                }
            }
        }
    }
    let holds = if worst >= BAR { "holds" } else { "MISSED" };
    println!(
        "policy try: {worst:.0} evidences per second and core; bar {BAR}, {holds} \
         (the worst of the above but for hosts with logs of their own that are judged anew)"
    );
}

/// Evidences per second of CPU time.
struct Rate {
    least: f64,
    median: f64,
    most: f64,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { least, median, most } = self;
        write!(f, "{median:.0} [{least:.0}-{most:.0}] evidences per second and core")
    }
}

async fn measure(fleet: &Fleet, tried: &Tried) -> Rate {
    let policy = format!("{}{}", fleet::POLICY, tried.rules);
    // The first has to load what a server that attests has loaded already.
    try_all(&fleet.app, &policy, fleet.n_hosts).await;
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = cpu_s();
        try_all(&fleet.app, &policy, fleet.n_hosts).await;
        rates.push(fleet.n_hosts as f64 / (cpu_s() - start));
    }
    rates.sort_by(f64::total_cmp);
    Rate { least: rates[0], median: rates[ROUNDS / 2], most: rates[ROUNDS - 1] }
}

/// Tries `policy` over all hosts, with the pages of the command line.
async fn try_all(app: &Arc<App>, policy: &str, n_hosts: usize) {
    let (mut n_judged, mut cursor) = (0, None);
    loop {
        let request = PolicyTryRequest {
            policy: policy.to_owned(),
            files: Default::default(),
            cursor,
            limit: None,
        };
        let page = app.try_policy(request).await.unwrap();
        assert!(page.changes.is_empty(), "{:?}", page.changes.first());
        n_judged += page.n_judged as usize;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(n_judged, n_hosts);
}

/// CPU time of this process in seconds, all threads together.
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
