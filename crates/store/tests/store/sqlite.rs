//! SQLite: the suite, and what is its own.

use std::os::unix::fs::PermissionsExt;

use crate::suite::appraisal::all;
use crate::suite::make::{appraisal, by, completion, enrolled, host};
use store::{
    Appraisals as _, Conflict, EvidencePart, History as _, Hosts as _, NewAppraisal,
    References as _, SqliteStore, Store, StoreError, TrustAnchors as _,
};
use tempfile::TempDir;

use crate::suite::store_suite;

fn open() -> (SqliteStore, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    (SqliteStore::open(dir.path().join("bootproof.db")).unwrap(), dir)
}

store_suite!(super::open);

#[tokio::test]
async fn everything_is_there_after_reopening() {
    let (store, dir) = open();
    let a = enrolled(&store, "a").await;
    let id = store.record_appraisal(appraisal(&a, 10), by(10)).await.unwrap();
    let before = host(&store, &a.id).await;
    let evidence = store.evidence(id).await.unwrap();
    let audit = store.audit(0, 100).await.unwrap();
    store.secret_or_insert("nonce", vec![7; 32]).await.unwrap();
    drop(store);

    let store = SqliteStore::open(dir.path().join("bootproof.db")).unwrap();
    assert_eq!(host(&store, &a.id).await, before);
    assert_eq!(store.evidence(id).await.unwrap(), evidence);
    assert_eq!(store.audit(0, 100).await.unwrap(), audit);
    assert_eq!(store.secret_or_insert("nonce", vec![8]).await.unwrap(), [7; 32]);
    let again = store.record_appraisal(appraisal(&a, 10), by(11)).await;
    assert!(matches!(again, Err(StoreError::Conflict(Conflict::NonceUsed))));
}

#[tokio::test]
async fn a_dropped_reply_still_changes() {
    let (store, _dir) = open();
    let a = enrolled(&store, "a").await;
    {
        // Polled once, so it is on its way, then left.
        let mut reply = store.note_seen(&a.id, 77);
        std::future::poll_fn(|cx| std::task::Poll::Ready(reply.as_mut().poll(cx).is_ready())).await;
    }
    // Whatever is written afterwards is written after it.
    store.request_attestation(&a.id, by(80)).await.unwrap();
    assert_eq!(host(&store, &a.id).await.last_seen_at_ms, Some(77));
}

#[test]
fn a_new_file_is_private() {
    let (store, dir) = open();
    drop(store);
    let store = SqliteStore::open(dir.path().join("bootproof.db")).unwrap();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    drop(store);
}

#[test]
fn a_newer_schema_is_refused() {
    let (store, dir) = open();
    drop(store);
    let path = dir.path().join("bootproof.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("INSERT INTO schema_version (version, applied_at_ms) VALUES (99, 0)", []).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::SchemaNewer { found: 99, .. }), "{error:?}");
    assert!(error.to_string().contains("newer Bootproof"), "{error}");
    db.execute("DELETE FROM schema_version WHERE version = 99", []).unwrap();
    SqliteStore::open(&path).unwrap();
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "not a database, but long enough to be looked at ".repeat(100)).unwrap();
    let other = dir.path().join("other.db");
    let db = rusqlite::Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE songs (title TEXT)").unwrap();
    drop(db);
    for path in [text, other] {
        let before = std::fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(
            matches!(&error, StoreError::NotOurs { database } if *database == path.display().to_string())
        );
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
    let nowhere = SqliteStore::open(dir.path().join("no/such/dir/x.db")).unwrap_err();
    assert!(matches!(nowhere, StoreError::Unavailable { .. }), "{nowhere:?}");
}

#[tokio::test]
async fn the_audit_log_is_append_only_in_the_file() {
    let (store, dir) = open();
    enrolled(&store, "a").await;
    let db = rusqlite::Connection::open(dir.path().join("bootproof.db")).unwrap();
    for sql in ["DELETE FROM audit", "UPDATE audit SET actor = 'eve'"] {
        let error = db.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
}

/// Another process holds the write lock longer than the store waits for it: the requests of that
/// time fail as one, and the next ones go through.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_is_unavailable_not_broken() {
    let (store, dir) = open();
    let a = enrolled(&store, "a").await;
    let db = rusqlite::Connection::open(dir.path().join("bootproof.db")).unwrap();
    db.execute_batch("BEGIN IMMEDIATE").unwrap();
    let results = all((1..=8).map(|n| store.note_seen(&a.id, 100 + n))).await;
    for result in results {
        assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
    }
    assert_eq!(host(&store, &a.id).await.last_seen_at_ms, Some(3), "reading goes on");
    db.execute_batch("ROLLBACK").unwrap();
    store.note_seen(&a.id, 200).await.unwrap();
    assert_eq!(host(&store, &a.id).await.last_seen_at_ms, Some(200));
}

#[tokio::test]
async fn a_database_of_the_first_schema_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bootproof.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute_batch(include_str!("../../migrations/0001.sql")).unwrap();
    db.execute_batch(
        "CREATE TABLE schema_version (
            version INTEGER PRIMARY KEY, applied_at_ms INTEGER NOT NULL) STRICT;
         INSERT INTO schema_version VALUES (1, 0);
         INSERT INTO hosts (id, name, created_at_ms, api_token_sha256, connection, approval, tpm,
            identity_version, last_appraisal_id, last_at_ms, last_verdict, last_findings_json)
         VALUES ('old', 'old', 0, x'00', 'connected', 'not-required', 'present',
            2, 7, 9, 'accepted', '[]');
         PRAGMA application_id = 0x42505246;",
    )
    .unwrap();
    drop(db);
    let store = SqliteStore::open(&path).unwrap();
    let old = host(&store, &"old".into()).await;
    assert_eq!((old.name.as_str(), old.cohort), ("old", None));
    assert_eq!(old.last.unwrap().identity_version, 2, "up to then it was always the present one");
    assert!(store.references_of_host(&old.id, None).await.unwrap().references.is_empty());
}

#[tokio::test]
async fn room_that_nothing_uses_goes_back_to_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bootproof.db");
    let store = SqliteStore::open(&path).unwrap();
    let a = enrolled(&store, "a").await;
    let noise = |n: u32| EvidencePart::hash("", n.to_be_bytes().to_vec()).sha256;
    let log: Vec<u8> = (0..60_000).flat_map(noise).collect();
    let new = NewAppraisal { evidence: vec![EvidencePart::hash("log", log)], ..appraisal(&a, 10) };
    store.record_appraisal(new, by(10)).await.unwrap();
    store.remove_host(&a.id, by(20)).await.unwrap();
    while store.return_space(64).await.unwrap() > 0 {}
    drop(store);
    let n_bytes = std::fs::metadata(&path).unwrap().len();
    assert!(n_bytes < 1_000_000, "{n_bytes} bytes, of which nearly two million are free");
}

mod objects {
    use store::{EvidenceObjects, SqliteStore};
    use tempfile::TempDir;

    async fn open(objects: EvidenceObjects) -> (SqliteStore, TempDir) {
        let (store, folder) = super::open();
        (store.with_objects(objects), folder)
    }

    crate::suite::objects::objects_suite!(open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_was_looked_up_is_as_new_as_the_last_commit() {
    let (store, _folder) = open();
    let a = enrolled(&store, "a").await;
    let token = completion("a", "a").api_token_sha256;
    let found = async || store.host_by_api_token(token).await.unwrap();
    assert_eq!(found().await, Some(a.clone()));
    // Each change is seen at once, whoever made it.
    for n in 1..=50 {
        if n % 7 == 0 {
            store.request_attestation(&a.id, by(n * 10 + n % 2)).await.unwrap();
            found().await;
        }
        let new = NewAppraisal {
            verdict: ["accepted", "not accepted"][usize::from(n % 3 == 0)].to_owned(),
            findings_json: format!("[{}]", n % 2),
            cohort: (n % 5 > 0).then(|| format!("model {}", n % 4)),
            quote_clock: appraisal(&a, n).quote_clock.filter(|_| n % 4 > 0),
            ..appraisal(&a, n * 10)
        };
        store.record_appraisal(new, by(n * 10)).await.unwrap();
        // What is kept is what is written, to the last field.
        assert_eq!(found().await, Some(host(&store, &a.id).await), "{n}");
        store.note_seen(&a.id, 1_000 + n).await.unwrap();
        assert_eq!(found().await.unwrap().last_seen_at_ms, Some(1_000 + n));
    }
    store.request_attestation(&a.id, by(2_000)).await.unwrap();
    assert_eq!(found().await.unwrap().attest_requested_at_ms, Some(2_000));
    let before = store.trust_generation().await.unwrap();
    assert_eq!(store.trust_generation().await.unwrap(), before);
    store.remove_host(&a.id, by(2_001)).await.unwrap();
    assert_eq!(found().await, None, "a host that is removed is nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_looks_up_while_others_write_never_sees_less_than_he_was_told() {
    let (store, _folder) = open();
    let a = enrolled(&store, "a").await;
    let token = completion("a", "a").api_token_sha256;
    let store = std::sync::Arc::new(store);
    let told = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(0));
    let looking: Vec<_> = (0..3)
        .map(|_| {
            let (store, told) = (std::sync::Arc::clone(&store), std::sync::Arc::clone(&told));
            tokio::spawn(async move {
                loop {
                    let least = told.load(std::sync::atomic::Ordering::SeqCst);
                    let host = store.host_by_api_token(token).await.unwrap().unwrap();
                    let seen = host.last_nonce_at_ms.unwrap_or(0);
                    assert!(seen >= least, "{seen} after {least}");
                    if least == 500 {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for n in 1..=500 {
        store.record_appraisal(appraisal(&a, n), by(n)).await.unwrap();
        told.store(n, std::sync::atomic::Ordering::SeqCst);
    }
    for looking in looking {
        looking.await.unwrap();
    }
}
