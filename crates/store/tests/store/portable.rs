//! A whole store goes from one kind of database to the other and back.

use std::path::PathBuf;

use store::portable::{
    self, JoinTokens, PIECES_WAITING_MAX, Piece, Place, Restoration, RestoreError, Restored, Table,
    Value,
};
use store::{
    Appraisals as _, AuditChain, Conflict, HostFilter, LabelsChange, NewAppraisal, NewSession,
    NewUser, PasswordState, PostgresStore, QuotedValues, Role, SessionOf, SqliteStore, Store,
    StoreError, StoredPassword, Tokens as _,
};
use testkit::postgres::Database;
use tokio::sync::mpsc::channel;

use crate::suite::make::{appraisal, by, by_token, digest, enrolled, host, join_token, pending};

/// All pieces of a store.
async fn pieces(place: &Place) -> Result<Vec<Piece>, StoreError> {
    let (sender, mut receiver) = channel(PIECES_WAITING_MAX);
    let reading = tokio::spawn(portable::read(place.clone(), sender));
    let mut pieces = Vec::new();
    while let Some(piece) = receiver.recv().await {
        pieces.push(piece);
    }
    reading.await.unwrap().map(|()| pieces)
}

fn restoration(join_tokens: JoinTokens) -> Restoration {
    let detail = serde_json::json!({ "backup": "1" });
    Restoration { schema: portable::schema_known(), detail, join_tokens }
}

async fn make(
    place: &Place,
    pieces: Vec<Piece>,
    restoration: Restoration,
) -> Result<Restored, RestoreError> {
    let (sender, receiver) = channel(PIECES_WAITING_MAX);
    let making = tokio::spawn(portable::make(place.clone(), receiver, restoration));
    for piece in pieces {
        if sender.send(piece).await.is_err() {
            break;
        }
    }
    drop(sender);
    making.await.unwrap()
}

/// Rows by table.
fn rows(pieces: &[Piece]) -> Vec<(Table, Vec<Vec<Value>>)> {
    let mut tables: Vec<(Table, Vec<Vec<Value>>)> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Table(table) => tables.push((table.clone(), Vec::new())),
            Piece::Rows(rows) => tables.last_mut().unwrap().1.extend(rows.iter().cloned()),
            Piece::Numbered { .. } | Piece::End => {}
        }
    }
    tables
}

/// A store with something in every corner.
async fn filled(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    for n in 1..=20 {
        let quoted = QuotedValues { bank: "sha256".into(), values: vec![(7, vec![7; 32])] };
        let new = appraisal(&a, n * 10);
        let new = NewAppraisal { cohort: Some("c".into()), quoted: Some(quoted), ..new };
        store.record_appraisal(new, by(n * 10)).await.unwrap();
    }
    store.record_appraisal(appraisal(&b, 5), by(5)).await.unwrap();
    let labels = LabelsChange {
        set: [("site".to_owned(), "ä\n\"x".to_owned())].into(),
        ..LabelsChange::default()
    };
    store.change_labels(&a.id, labels, by(300)).await.unwrap();
    store.secret_or_insert("key", (0..=255).collect()).await.unwrap();
    store.add_join_token(join_token("unused"), by(301)).await.unwrap();
    store.begin_enrolment(pending("later", by_token()), by(302)).await.unwrap();
    let password = StoredPassword { phc: "phc".into(), state: PasswordState::Given };
    let alice = NewUser { name: "alice".into(), role: Role::Admin, password };
    store.add_user(alice, by(303)).await.unwrap();
    let session = NewSession {
        id: "session".into(),
        secret_sha256: digest("session"),
        of: SessionOf::Account { name: "alice".into(), phc: "phc".into() },
        address: "192.0.2.1".into(),
        expires_at_ms: 1_000,
    };
    store.begin_session(session, by(304)).await.unwrap();
    assert_eq!(store.sessions(305, 0).await.unwrap().len(), 1);
    // The newest number of a table is one that is gone.
    let gone = enrolled(store, "gone").await;
    store.record_appraisal(appraisal(&gone, 400), by(400)).await.unwrap();
    store.remove_host(&gone.id, by(401)).await.unwrap();
}

/// As it was, but for what a restore changes.
async fn check(restored: &dyn Store, original: &dyn Store, at: Restored) {
    for page in [HostFilter::default()] {
        let had = original.hosts(page.clone(), None, 100).await.unwrap();
        let has = restored.hosts(page, None, 100).await.unwrap();
        assert_eq!(had.len(), 2);
        for (had, mut has) in had.into_iter().zip(has) {
            assert_eq!(has.last_nonce_at_ms, Some(at.at_ms));
            has.last_nonce_at_ms = had.last_nonce_at_ms;
            assert_eq!(has, had);
            let history = original.appraisals(&had.id, 100).await.unwrap();
            assert_eq!(restored.appraisals(&had.id, 100).await.unwrap(), history);
            for row in history {
                let evidence = original.evidence(row.id).await.unwrap();
                assert_eq!(restored.evidence(row.id).await.unwrap(), evidence);
            }
            assert_eq!(
                restored.peers(&had.id).await.unwrap(),
                original.peers(&had.id).await.unwrap()
            );
        }
    }
    let counts = original.label_counts(None).await.unwrap();
    assert_eq!(restored.label_counts(None).await.unwrap(), counts);
    let secret: Vec<u8> = (0..=255).collect();
    assert_eq!(restored.secret_or_insert("key", vec![1]).await.unwrap(), secret);
    assert_eq!(restored.pending_enrolment(&"later".into(), 0).await.unwrap(), None);

    assert_eq!(restored.users().await.unwrap(), original.users().await.unwrap());
    assert!(restored.sessions(305, 0).await.unwrap().is_empty(), "who was in logs in again");

    let (had, has) =
        (original.audit(0, 1_000).await.unwrap(), restored.audit(0, 1_000).await.unwrap());
    assert_eq!(has[..had.len()], had);
    assert_eq!(has.len(), had.len() + 1);
    assert_eq!(has.last().unwrap().action, "store.restore");
    let mut chain = AuditChain::default();
    has.iter().for_each(|row| chain.check(row).unwrap());

    // It goes on: challenges of before are refused, triggers keep what they keep, numbers are new.
    let a = host(restored, &"host-a".into()).await;
    let before = restored.record_appraisal(appraisal(&a, at.at_ms), by(1)).await;
    assert!(matches!(before, Err(StoreError::Conflict(Conflict::NonceUsed))), "{before:?}");
    let next = at.at_ms + 1;
    let id = restored.record_appraisal(appraisal(&a, next), by(next)).await.unwrap();
    let last = original.appraisals(&"host-a".into(), 1).await.unwrap()[0].id;
    assert!(id.0 > last.0 + 2, "{id:?} after {last:?}, and one that was removed");
    let labels = LabelsChange {
        set: [("rack".to_owned(), "1".to_owned())].into(),
        ..LabelsChange::default()
    };
    restored.change_labels(&a.id, labels, by(next)).await.unwrap();
    assert_eq!(restored.label_counts(Some("rack")).await.unwrap().len(), 1);
    assert!(restored.claim_looks(0, 0, 10).await.unwrap().len() >= 2, "all are looked at anew");
    enrolled(restored, "new").await;
}

fn file() -> (Place, PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bootproof.db");
    (Place::Sqlite(path.clone()), path, folder)
}

fn database() -> (Place, Database) {
    let database = Database::new().unwrap();
    (Place::Postgres(Box::new(database.address().parse().unwrap())), database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_moves_to_postgresql_and_back() {
    let (from, path, _folder) = file();
    let original = SqliteStore::open(&path).unwrap();
    filled(&original).await;
    let first = pieces(&from).await.unwrap();

    let (to, database) = database();
    let restored = make(&to, first.clone(), restoration(JoinTokens::Stay)).await.unwrap();
    assert_eq!(restored.n_join_tokens_ended, 0);
    let moved = PostgresStore::open(database.address().parse().unwrap()).await.unwrap();
    let second = pieces(&to).await.unwrap();

    let (back, path, _folder) = file();
    let again = Restoration { detail: serde_json::json!("2"), ..restoration(JoinTokens::End) };
    let returned = make(&back, second.clone(), again).await.unwrap();
    assert_eq!(returned.n_join_tokens_ended, 0, "those of the suite expired in 1970");

    // Table by table the same rows, but for hosts, the audit log and enrolments.
    let (first, second) = (rows(&first), rows(&second));
    let by_name = |tables: &[(Table, Vec<Vec<Value>>)]| {
        let mut names: Vec<_> = tables.iter().map(|(table, _)| table.name.clone()).collect();
        names.sort();
        names
    };
    assert_eq!(by_name(&first), by_name(&second), "both stores have the same tables");
    for (table, rows) in &first {
        let (other, moved) = second.iter().find(|(other, _)| other.name == table.name).unwrap();
        if ["hosts", "audit", "pending_enrolments", "sessions"].contains(&table.name.as_str()) {
            continue;
        }
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|column| other.columns.iter().position(|other| other == column).unwrap())
            .collect();
        assert_eq!(table.columns.len(), other.columns.len(), "{}", table.name);
        let moved: Vec<Vec<Value>> =
            moved.iter().map(|row| columns.iter().map(|n| row[*n].clone()).collect()).collect();
        assert_eq!(moved, *rows, "{}", table.name);
    }
    check(&moved, &original, restored).await;
    let returned_store = SqliteStore::open(&path).unwrap();
    let moved_audit = returned_store.audit(0, 1_000).await.unwrap();
    assert_eq!(moved_audit.iter().filter(|row| row.action == "store.restore").count(), 2);
    let a = host(&returned_store, &"host-a".into()).await;
    let next = returned.at_ms + 1;
    returned_store.record_appraisal(appraisal(&a, next), by(next)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_whole_takes_no_place() {
    let (from, path, _folder) = file();
    let original = SqliteStore::open(&path).unwrap();
    filled(&original).await;
    let whole = pieces(&from).await.unwrap();
    let (to, database) = database();
    // Cut before its end, without a table, with one twice, with a row that refers to none.
    let cut = whole[..whole.len() - 1].to_vec();
    let mut without = whole.clone();
    let hosts = without
        .iter()
        .position(|piece| matches!(piece, Piece::Table(table) if table.name == "join_tokens"))
        .unwrap();
    without.drain(hosts..hosts + 2);
    let mut twice = whole.clone();
    twice.insert(hosts, twice[hosts].clone());
    for (name, broken) in [("cut", cut), ("without", without), ("twice", twice)] {
        let (other, _, _folder) = file();
        for place in [&to, &other] {
            let refused = make(place, broken.clone(), restoration(JoinTokens::End)).await;
            assert!(
                matches!(refused, Err(RestoreError::Cut | RestoreError::Unfit { .. })),
                "{name}: {refused:?}"
            );
        }
    }
    // The database is as empty as it was, and takes the whole; then it is not empty any more.
    make(&to, whole.clone(), restoration(JoinTokens::End)).await.unwrap();
    let again = make(&to, whole.clone(), restoration(JoinTokens::End)).await;
    assert!(matches!(again, Err(RestoreError::Done)), "{again:?}");
    let other = Restoration { detail: serde_json::json!("2"), ..restoration(JoinTokens::End) };
    let full = make(&to, whole.clone(), other).await;
    assert!(matches!(full, Err(RestoreError::NotEmpty { .. })), "{full:?}");
    let newer = Restoration { schema: 999, ..restoration(JoinTokens::End) };
    let (place, _, _folder) = file();
    let refused = make(&place, whole, newer).await;
    assert!(matches!(refused, Err(RestoreError::Unfit { .. })), "{refused:?}");
    drop(database);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn join_tokens_of_an_older_state_end() {
    let (from, path, _folder) = file();
    let original = SqliteStore::open(&path).unwrap();
    let now = original.now_ms().await.unwrap();
    let lasting = store::NewJoinToken { expires_at_ms: now + 1_000_000, ..join_token("lasting") };
    original.add_join_token(lasting, by(1)).await.unwrap();
    let whole = pieces(&from).await.unwrap();
    for (join_tokens, n) in [(JoinTokens::Stay, 0), (JoinTokens::End, 1)] {
        let (to, path, _folder) = file();
        let restored = make(&to, whole.clone(), restoration(join_tokens)).await.unwrap();
        assert_eq!(restored.n_join_tokens_ended, n);
        let store = SqliteStore::open(&path).unwrap();
        let token = store.join_tokens().await.unwrap().remove(0);
        assert_eq!(token.revoked_at_ms.is_some(), n == 1);
    }
}
