//! What happens to servers in operation, while a fleet attests: whatever was acknowledged is stored, once, and all
//! hosts go on by themselves.

mod balancer;
mod clock;
mod disk;
mod killed;
mod postgres;
mod rolling;
mod storm;

use std::{collections::BTreeSet, time::Duration};

use client::Client;
use fleet_sim::{Faults, Fleet, Order, Patrol, Record};
use store::{HostId, Store};

use crate::bench::answered;

/// Longer than anything takes on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(90);

/// Each host attests once a second, and its verdict counts for as long as a test takes.
const OFTEN: &str = "attest_interval_s = 1\nverdict_good_for_s = 3600\njoins_per_s = 1000\n";

/// Hosts that joined through `admin`'s server, on patrol.
async fn patrol(admin: &Client, hosts: usize) -> Patrol {
    let order = Order {
        hosts,
        at_one_time: 16,
        labels: [("site".to_owned(), "sim".to_owned())].into(),
        log_padding: 0,
        faults: Faults::default(),
    };
    Fleet::join(&order, admin, || {}).await.unwrap().patrol()
}

/// Waits until each host was acknowledged `n` more verdicts than it has.
async fn each_once_more(patrol: &Patrol, n: usize) {
    let before = patrol.record();
    let more = |record: &Record| {
        record
            .acknowledged
            .iter()
            .all(|(host, nonces)| nonces.len() >= before.acknowledged[host].len() + n)
    };
    let all = patrol.until(TIME_MAX, more).await;
    assert!(all, "a host is stuck: {:?}", told(&patrol.record()));
}

/// What is told of a record where a test fails: without the challenges.
fn told(record: &Record) -> impl std::fmt::Debug {
    (record.fewest(), &record.verdicts, &record.refused, record.n_unanswered, &record.faults)
}

/// Checks that each acknowledged verdict is stored, and no challenge twice.
async fn check(record: &Record, store: &dyn Store) {
    assert!(record.faults.is_empty(), "{:?}", told(record));
    assert_eq!(record.verdicts.keys().collect::<Vec<_>>(), ["accepted"], "{:?}", told(record));
    // Where an answer was lost, or two challenges are of one millisecond, the next one is asked for.
    let excused = ["nonce-used", "nonce-stale"];
    let refused = record.refused.keys().find(|code| !excused.contains(&code.as_str()));
    assert_eq!(refused, None, "{:?}", told(record));
    for (host, acknowledged) in &record.acknowledged {
        let mut stored = BTreeSet::new();
        for row in store.appraisals(&HostId::from(host.as_str()), 500).await.unwrap() {
            let parts = store.evidence(row.id).await.unwrap();
            assert!(stored.insert(answered(&parts)), "a challenge of {host} is stored twice");
        }
        let lost = acknowledged.difference(&stored).count();
        assert_eq!(lost, 0, "{lost} of {} acknowledged verdicts are lost", acknowledged.len());
    }
}
