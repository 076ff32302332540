//! A database that is restarted, and one that is cut off.

use std::time::Duration;

use store::PostgresStore;
use testkit::postgres::Cluster;

use crate::{
    bench::Server,
    faults::{OFTEN, TIME_MAX, check, each_once_more, patrol},
};

/// As long as a switch takes to come up again.
const CUT_OFF: Duration = Duration::from_secs(30);

async fn on(cluster: &Cluster) -> Server {
    Server::start_with(&format!("{OFTEN}store = \"{}\"\n", cluster.address())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_goes_on_when_postgresql_is_restarted() {
    let mut cluster = Cluster::start().unwrap();
    let server = on(&cluster).await;
    let patrol = patrol(&server.admin, 24).await;
    for _ in 0..2 {
        each_once_more(&patrol, 1).await;
        let before = patrol.record().n_unanswered;
        cluster.end();
        let noticed = |record: &fleet_sim::Record| record.n_unanswered > before;
        assert!(patrol.until(TIME_MAX, noticed).await, "nobody notices");
        cluster.run().unwrap();
        each_once_more(&patrol, 1).await;
    }
    let record = patrol.end().await;
    let store = PostgresStore::open(cluster.address().parse().unwrap()).await.unwrap();
    check(&record, &store).await;
}

/// The time itself is what is tested: connections neither end nor answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_waits_while_postgresql_is_cut_off() {
    let cluster = Cluster::start().unwrap();
    let server = on(&cluster).await;
    let patrol = patrol(&server.admin, 24).await;
    each_once_more(&patrol, 1).await;
    cluster.freeze();
    let before = patrol.record().n_acknowledged();
    tokio::time::sleep(CUT_OFF).await;
    let meanwhile = patrol.record();
    // What was under way when it froze may have been committed; from then on nothing.
    assert!(meanwhile.n_acknowledged() <= before + 24, "verdicts without a database");
    assert!(meanwhile.n_unanswered > 0, "hosts are told to come again, and not left alone");
    cluster.thaw();
    each_once_more(&patrol, 2).await;
    let record = patrol.end().await;
    let store = PostgresStore::open(cluster.address().parse().unwrap()).await.unwrap();
    check(&record, &store).await;
}
