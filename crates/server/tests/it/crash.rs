//! kill -9 of the server in the middle of things.

use std::collections::BTreeSet;

use store::{Appraisals as _, HostId};
use testkit::log::BootLog;

use crate::bench::{Host, Server, answered};

/// Attestations that must be acknowledged before the test ends.
const N_ATTESTATIONS: usize = 200;

/// Kills on the way: one after each so many acknowledgements, while the next is under way.
const N_BETWEEN_KILLS: usize = 23;

#[tokio::test]
async fn no_accepted_result_is_lost_and_no_host_is_stuck() {
    let mut server = Server::start().await;
    server.trust().await;
    let hosts = [Host::boot("web-1", &BootLog::sound()), Host::boot("web-2", &BootLog::sound())];
    for host in &hosts {
        server.join(host).await;
    }
    let mut acknowledged = BTreeSet::new();
    let mut n_kills = 0;
    let mut n = 0;
    while acknowledged.len() < N_ATTESTATIONS {
        let host = &hosts[n % hosts.len()];
        n += 1;
        assert!(n < 10 * N_ATTESTATIONS, "a host is stuck: {} only", acknowledged.len());
        let Ok((nonce, pcrs)) = host.challenge(&server).await else { continue };
        let evidence = host.evidence(&nonce, pcrs).await;
        if acknowledged.len() >= (n_kills + 1) * N_BETWEEN_KILLS {
            // The kill falls somewhere between the request and its answer: the point moves with
            // each one.
            n_kills += 1;
            let sent = host.send(&server, &evidence);
            let delay = std::time::Duration::from_micros(u64::try_from(n_kills).unwrap() * 400);
            let answer = tokio::time::timeout(delay, sent).await;
            server.kill_and_restart().await;
            if let Ok(Ok(reply)) = answer {
                assert_eq!(reply.verdict, "accepted");
                acknowledged.insert(nonce);
            }
            continue;
        }
        match host.send(&server, &evidence).await {
            Ok(reply) => {
                assert_eq!(reply.verdict, "accepted", "{:?}", reply.findings);
                acknowledged.insert(nonce);
            }
            // Two challenges of one millisecond: the younger one counts.
            Err(err) => assert_eq!(err.code(), Some("nonce-used"), "{err:?}"),
        }
    }
    assert!(n_kills >= 8, "{n_kills} kills");
    for host in &hosts {
        assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    }

    // Each acknowledged nonce is in the store, with its verdict.
    let ids: Vec<_> = hosts.iter().map(|host| HostId::from(host.credentials().host_id)).collect();
    let (store, _data) = server.into_store();
    let mut stored = BTreeSet::new();
    for id in &ids {
        for row in store.appraisals(id, store::HISTORY_PAGE_MAX).await.unwrap() {
            assert_eq!(row.verdict, "accepted");
            let parts = store.evidence(row.id).await.unwrap();
            assert!(stored.insert(answered(&parts)), "a challenge was accepted twice");
        }
    }
    let lost = acknowledged.difference(&stored).count();
    assert_eq!(lost, 0, "{lost} of {} acknowledged results are lost", acknowledged.len());
}
