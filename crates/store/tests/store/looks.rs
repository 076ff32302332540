//! Questions that are asked together, as PostgreSQL answers them.

use store::{Hosts as _, PostgresStore, References as _, StoreError};
use testkit::postgres::Database;

use crate::suite::appraisal::all;
use crate::suite::looks::{by_token, enrol_again};
use crate::suite::make::{by, enrolled, host};

async fn at(database: &Database) -> PostgresStore {
    PostgresStore::open(database.address().parse().unwrap()).await.unwrap()
}

/// What one server keeps of a host is not older than what another one changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_was_enrolled_at_another_server_shows_its_new_keys() {
    let database = Database::new().unwrap();
    let (a, b) = (at(&database).await, at(&database).await);
    let first = enrolled(&a, "h").await;
    assert_eq!(by_token(&b, &first).await.as_ref(), Some(&first));
    for at_ms in [10, 20] {
        enrol_again(&a, &first, "h", at_ms).await;
        let found = by_token(&b, &first).await.unwrap();
        assert_eq!(found, host(&a, &first.id).await);
        assert_eq!(found.identity.unwrap().enrolled_at_ms, at_ms);
    }
    a.remove_host(&first.id, by(30)).await.unwrap();
    assert_eq!(by_token(&b, &first).await, None);
}

/// A name that cannot be looked for is refused, and takes no other question with it.
#[tokio::test]
async fn a_question_that_cannot_be_asked_harms_no_other() {
    let database = Database::new().unwrap();
    let store = at(&database).await;
    let one = enrolled(&store, "h").await;
    let cohorts = [Some("a model"), Some("a\0b"), None];
    let asked = cohorts.map(|cohort| store.references_of_host(&one.id, cohort));
    let found = all(asked).await;
    assert!(found[0].is_ok() && found[2].is_ok(), "{found:?}");
    assert!(matches!(found[1], Err(StoreError::Unstorable)), "{:?}", found[1]);
}
