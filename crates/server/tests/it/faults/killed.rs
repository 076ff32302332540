//! kill -9 under load.

use crate::{
    bench::Server,
    faults::{OFTEN, check, each_once_more, patrol},
};

const N_KILLS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_loses_no_verdict_to_kills_in_mid_run() {
    let mut server = Server::start_with(OFTEN).await;
    let patrol = patrol(&server.admin, 48).await;
    for n in 0..N_KILLS {
        // Some are acknowledged, some are under way: the point moves with each kill.
        let before = patrol.record().n_acknowledged();
        let some = |record: &fleet_sim::Record| record.n_acknowledged() >= before + 40 + 7 * n;
        assert!(patrol.until(crate::faults::TIME_MAX, some).await, "nothing is acknowledged");
        server.kill_and_restart().await;
        each_once_more(&patrol, 1).await;
    }
    let record = patrol.end().await;
    assert!(record.n_unanswered > 0, "a kill that nobody noticed");
    let (store, _data) = server.into_store();
    check(&record, &store).await;
}
