//! Servers that are restarted one after the other.
//!
//! Agents know one address, and so do people; what leads from it to the servers is the operator's: a name with
//! several addresses, or a balancer. So the test has one, and nothing in the agent is made for it.

use std::sync::Arc;

use api::admin::HostPage;
use client::{Client, Context, Trust};
use store::PostgresStore;
use testkit::postgres::Cluster;

use crate::{
    bench::Server,
    faults::{balancer::Balancer, check, each_once_more, patrol},
};

const N_HOSTS: usize = 24;

/// A verdict ends soon: a host that could not attest for that long is seen. Long enough for a busy machine.
const SOON: &str = "attest_interval_s = 1\nverdict_good_for_s = 25\njoins_per_s = 1000\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_misses_no_attestation() {
    let cluster = Cluster::start().unwrap();
    let mut a = Server::start_with(&format!("{SOON}store = \"{}\"\n", cluster.address())).await;
    let mut b = a.beside().await;
    let balancer =
        Balancer::before([&a, &b].map(|server| server.listen().parse().unwrap()).to_vec()).await;
    let context = Context::load(Some(&a.data.path().join("admin.toml"))).unwrap();
    let trust = Trust::CaPem(context.ca_pem.clone());
    let admin = Client::new(&balancer.url(), &trust).unwrap().with_token(context.token);
    let patrol = patrol(&admin, N_HOSTS).await;
    each_once_more(&patrol, 1).await;

    // Somebody looks all the time, through the balancer.
    let looking = {
        let admin = Arc::new(admin);
        tokio::spawn(async move {
            let mut n_looks = 0_usize;
            loop {
                let page = admin.get::<HostPage>("/v1/hosts?verdict=accepted").await;
                // A connection that ends under a request is asked again, as a person does.
                if let Ok(page) = page {
                    n_looks += 1;
                    assert_eq!(
                        page.hosts.len(),
                        N_HOSTS,
                        "a verdict was missed after {n_looks} looks"
                    );
                }
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        })
    };
    for _ in 0..2 {
        a.end_gracefully().await;
        each_once_more(&patrol, 1).await;
        a.restart().await;
        b.end_gracefully().await;
        each_once_more(&patrol, 1).await;
        b.restart().await;
    }
    assert!(!looking.is_finished(), "{:?}", looking.await);
    looking.abort();
    let record = patrol.end().await;
    let store = PostgresStore::open(cluster.address().parse().unwrap()).await.unwrap();
    check(&record, &store).await;
}
