//! Many virtual hosts at one time.

use api::{admin::HostPage, inventory::HostQuery};
use fleet_sim::{Faults, Fleet, Order};

use crate::bench::Server;

/// As many judged hosts as the server lists with this verdict.
async fn count(server: &Server, verdict: &str) -> usize {
    let query = HostQuery {
        verdict: Some(verdict.to_owned()),
        labels: Some("site=sim".to_owned()),
        limit: Some(500),
        ..HostQuery::default()
    };
    let page: HostPage = server.admin.get_with("/v1/hosts", &query).await.unwrap();
    assert_eq!(page.next_cursor, None);
    page.hosts.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_joins_attests_and_shows_its_faults() {
    let server = Server::start().await;
    let order = Order {
        hosts: 100,
        at_one_time: 16,
        labels: [("site".to_owned(), "sim".to_owned())].into(),
        log_padding: 0,
        faults: Faults { drift: 5, bad_evidence: 3, silent: 2 },
    };
    let mut fleet = Fleet::join(&order, &server.admin, || {}).await.unwrap();
    let round = fleet.attest(|| {}).await.unwrap();
    assert_eq!((round.errors, &round.first_error), (0, &None));
    // Keys that exist in memory alone are as good as those of a chip whose maker is trusted.
    assert_eq!((round.verdicts["accepted"], round.verdicts["not accepted"]), (95, 3));
    assert_eq!((count(&server, "accepted").await, count(&server, "not accepted").await), (95, 3));
    assert_eq!(count(&server, "not appraised").await, 2, "those that are silent");

    // All boot, and are asked at once; what drifts is told apart by what it is held to alone.
    fleet.reboot();
    let round = fleet.attest(|| {}).await.unwrap();
    assert_eq!((round.errors, &round.first_error), (0, &None));
    assert_eq!(round.verdicts["accepted"], 95);
    assert!(round.p50_ms > 0.0 && round.p50_ms <= round.p99_ms, "{round}");
}
