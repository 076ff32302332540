//! Judgements that are written together, as PostgreSQL does it.

use store::{Appraisals as _, NewAppraisal, Operation as _, PostgresStore, StoreError};
use testkit::postgres::Database;
use tokio_postgres::NoTls;

use crate::suite::appraisal::all;
use crate::suite::make::by;
use crate::suite::routine::{judged, routine};

async fn at(database: &Database) -> PostgresStore {
    PostgresStore::open(database.address().parse().unwrap()).await.unwrap()
}

#[tokio::test]
async fn one_that_cannot_be_stored_harms_no_other() {
    let database = Database::new().unwrap();
    let store = at(&database).await;
    let hosts = judged(&store, 8).await;
    let records = hosts.iter().enumerate().map(|(n, host)| {
        let new = routine(host, 200);
        let new = match n {
            3 => NewAppraisal { document_json: "\0".into(), ..new },
            _ => new,
        };
        store.record_appraisal(new, by(205))
    });
    for (n, result) in all(records).await.into_iter().enumerate() {
        match result {
            Err(StoreError::Unstorable) if n == 3 => {}
            Ok(_) if n != 3 => {}
            other => panic!("{n}: {other:?}"),
        }
    }
}

/// One transaction writes all that waits, and no more than one for each host.
#[tokio::test]
async fn those_that_wait_are_one_transaction() {
    let database = Database::new().unwrap();
    let store = at(&database).await;
    let hosts = judged(&store, 40).await;
    let before = store.activity();
    let records = hosts.iter().map(|host| store.record_appraisal(routine(host, 200), by(205)));
    for result in all(records).await {
        result.unwrap();
    }
    let n = store.activity().n_committed - before.n_committed;
    assert!(n <= 3, "{n} transactions for 40 judgements that came at once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_is_held_holds_up_no_other() {
    let database = Database::new().unwrap();
    let store = at(&database).await;
    let hosts = judged(&store, 8).await;
    let (holder, connection) = tokio_postgres::connect(&database.address(), NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    holder.batch_execute("BEGIN").await.unwrap();
    let id = hosts[0].id.as_str();
    holder.query("SELECT 1 FROM hosts WHERE id = $1 FOR UPDATE", &[&id]).await.unwrap();

    let mut held = store.record_appraisal(routine(&hosts[0], 200), by(205));
    let others =
        all(hosts[1..].iter().map(|host| store.record_appraisal(routine(host, 200), by(205))));
    tokio::select! {
        biased;
        ended = &mut held => panic!("while somebody holds its host: {ended:?}"),
        results = others => for result in results { result.unwrap(); },
    }
    holder.batch_execute("ROLLBACK").await.unwrap();
    held.await.unwrap();
    connection.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nonce_is_used_once_at_two_servers() {
    let database = Database::new().unwrap();
    let (a, b) = (at(&database).await, at(&database).await);
    let hosts = judged(&a, 8).await;
    for nonce_at_ms in [200, 300, 400] {
        let both = hosts.iter().flat_map(|host| {
            [&a, &b].map(|server| server.record_appraisal(routine(host, nonce_at_ms), by(405)))
        });
        for pair in all(both).await.chunks(2) {
            let n_won = pair.iter().filter(|result| result.is_ok()).count();
            assert_eq!(n_won, 1, "{pair:?}");
        }
    }
    for host in &hosts {
        assert_eq!(b.appraisals(&host.id, 9).await.unwrap().len(), 4);
    }
}
