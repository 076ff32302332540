//! Secrets, API tokens, join tokens.

use store::{Conflict, JoinTokenFault, Kind, Labels, NewApiToken, Role, Store, StoreError};

use super::make::{by, digest, join_token, new_host};

pub(crate) async fn secret_is_made_once(store: &dyn Store) {
    assert_eq!(store.secret_or_insert("nonce", vec![1, 2]).await.unwrap(), [1, 2]);
    assert_eq!(store.secret_or_insert("nonce", vec![3]).await.unwrap(), [1, 2]);
    assert_eq!(store.secret_or_insert("pepper", vec![3]).await.unwrap(), [3]);
}

fn api_token(name: &str, expires_at_ms: Option<i64>) -> NewApiToken {
    NewApiToken {
        name: name.into(),
        secret_sha256: digest(name),
        role: Role::Operator,
        hosts: Labels::from([("site".into(), "muc".into())]),
        expires_at_ms,
    }
}

pub(crate) async fn api_token_lives_until_it_expires(store: &dyn Store) {
    store.add_api_token(api_token("bob", Some(100)), by(10)).await.unwrap();
    store.add_api_token(api_token("ci", None), by(10)).await.unwrap();
    let bob = store.api_token_by_sha256(digest("bob"), 99).await.unwrap().unwrap();
    assert_eq!((bob.name.as_str(), bob.role, bob.created_at_ms), ("bob", Role::Operator, 10));
    assert_eq!(bob.hosts, api_token("bob", None).hosts);
    assert_eq!((bob.created_by.as_str(), bob.last_used_at_ms), (by(10).actor.as_str(), None));
    assert_eq!(store.api_token_by_sha256(digest("bob"), 100).await.unwrap(), None);
    assert!(store.api_token_by_sha256(digest("ci"), i64::MAX).await.unwrap().is_some());
    assert_eq!(store.api_token_by_sha256(digest("eve"), 0).await.unwrap(), None);

    store.remove_api_token("ci", by(11)).await.unwrap();
    assert_eq!(store.api_token_by_sha256(digest("ci"), 0).await.unwrap(), None);
    let again = store.remove_api_token("ci", by(12)).await;
    assert!(matches!(again, Err(StoreError::NotFound(Kind::ApiToken))));
    assert_eq!(store.api_tokens().await.unwrap(), [bob]);
}

pub(crate) async fn the_last_use_of_an_api_token_goes_forward(store: &dyn Store) {
    store.add_api_token(api_token("bob", None), by(10)).await.unwrap();
    let n_rows = store.audit(0, 10).await.unwrap().len();
    for (at_ms, known) in [(20, 20), (15, 20), (30, 30)] {
        store.note_api_token_used("bob", at_ms).await.unwrap();
        store.note_api_token_used("nobody", at_ms).await.unwrap();
        let bob = store.api_token_by_sha256(digest("bob"), 11).await.unwrap().unwrap();
        assert_eq!(bob.last_used_at_ms, Some(known), "{at_ms}");
    }
    assert_eq!(store.audit(0, 10).await.unwrap().len(), n_rows, "uses are not audited");
}

pub(crate) async fn api_token_names_are_unique(store: &dyn Store) {
    store.add_api_token(api_token("bob", None), by(1)).await.unwrap();
    let other = NewApiToken { secret_sha256: digest("other"), ..api_token("bob", None) };
    let error = store.add_api_token(other, by(2)).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Conflict(Conflict::NameTaken { name }) if name == "bob"),
        "{error:?}"
    );
    assert_eq!(store.api_token_by_sha256(digest("other"), 0).await.unwrap(), None);
    assert_eq!(store.audit(0, 10).await.unwrap().len(), 1, "a refusal leaves no audit row");
}

pub(crate) async fn join_token_is_used_up_and_revoked(store: &dyn Store) {
    let mut one_use = join_token("t");
    one_use.n_uses_max = Some(1);
    store.add_join_token(one_use, by(1)).await.unwrap();
    let token = store.join_token_by_sha256(digest("t")).await.unwrap().unwrap();
    assert_eq!(token.fault(999_999), None);
    assert_eq!(token.fault(1_000_000), Some(JoinTokenFault::Expired));

    store.create_host(new_host("a"), by(2)).await.unwrap();
    let used = store.create_host(new_host("b"), by(3)).await.unwrap_err();
    assert!(is_fault(&used, JoinTokenFault::UsedUp), "{used:?}");
    assert!(store.host(&"b".into()).await.unwrap().is_none());
    let token = store.join_token_by_sha256(digest("t")).await.unwrap().unwrap();
    assert_eq!((token.n_uses, token.fault(4)), (1, Some(JoinTokenFault::UsedUp)));

    store.revoke_join_token(&"t".into(), by(5)).await.unwrap();
    store.revoke_join_token(&"t".into(), by(6)).await.unwrap();
    let token = store.join_tokens().await.unwrap().remove(0);
    assert_eq!(token.revoked_at_ms, Some(5), "the first revocation stands");
    let revoked = store.create_host(new_host("b"), by(7)).await.unwrap_err();
    assert!(is_fault(&revoked, JoinTokenFault::Revoked), "{revoked:?}");

    let mut unknown = new_host("b");
    unknown.join_token = "nowhere".into();
    let unknown = store.create_host(unknown, by(8)).await.unwrap_err();
    assert!(is_fault(&unknown, JoinTokenFault::Unknown), "{unknown:?}");
    store.add_join_token(join_token("late"), by(9)).await.unwrap();
    let mut late = new_host("b");
    late.join_token = "late".into();
    let late = store.create_host(late, by(1_000_000)).await.unwrap_err();
    assert!(is_fault(&late, JoinTokenFault::Expired), "{late:?}");
}

fn is_fault(error: &StoreError, fault: JoinTokenFault) -> bool {
    matches!(error, StoreError::Conflict(Conflict::JoinToken(found)) if *found == fault)
}
