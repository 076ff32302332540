//! Policies that are kept, and which of them counts.

use store::{
    Conflict, Kind, NewPolicyVersion, POLICY_VERSIONS_MAX, PolicyActivation, PolicyFile, Store,
    StoreError,
};

use super::make::by;

fn policy(text: &str, files: &[(&str, &str)]) -> NewPolicyVersion {
    let file = |(name, bytes): &(&str, &str)| PolicyFile {
        name: (*name).to_owned(),
        bytes: bytes.as_bytes().to_vec(),
    };
    let files = files.iter().map(file).collect();
    NewPolicyVersion { text: text.to_owned(), files, note: "ticket 4711".to_owned() }
}

fn activation(number: i64, before: Option<i64>) -> PolicyActivation {
    PolicyActivation { number, before, reason: "tried".to_owned() }
}

pub(crate) async fn the_same_policy_is_kept_once(store: &dyn Store) {
    assert_eq!(store.policy_versions(None, 10).await.unwrap(), []);
    let missing = store.policy_document(1).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Kind::PolicyVersion))), "{missing:?}");
    let add = async |new, at_ms| store.add_policy_version(new, by(at_ms)).await.unwrap();
    let files = [("b.rego", "package bootproof"), ("a.txt", "00 /bin/true")];
    let first = add(policy("x = 1", &files), 10).await;
    let n_rows = store.audit_head().await.unwrap().0;
    let row = store.audit(n_rows - 1, 10).await.unwrap().pop().unwrap();
    assert_eq!((row.action.as_str(), row.at_ms), ("policy.put", 10));
    assert_eq!(row.subject, format!("policy:{}", first.number));

    // In another order, later, by somebody else: the same.
    assert_eq!(add(policy("x = 1", &[files[1], files[0]]), 20).await, first);
    assert_eq!(store.audit_head().await.unwrap().0, n_rows, "nothing was changed");
    // Another text, or another byte of a file: another one.
    let second = add(policy("x = 2", &files), 20).await;
    let third = add(policy("x = 1", &[files[0], ("a.txt", "01 /bin/true")]), 30).await;
    let fourth = add(policy("x = 1", &[]), 40).await;
    let all = [&fourth, &third, &second, &first].map(Clone::clone);
    assert_eq!(store.policy_versions(None, 10).await.unwrap(), all);
    assert_eq!(store.policy_versions(None, 2).await.unwrap(), all[..2]);
    assert_eq!(store.policy_versions(Some(third.number), 10).await.unwrap(), all[2..]);

    let document = store.policy_document(first.number).await.unwrap();
    assert_eq!((document.version, document.text.as_str()), (first, "x = 1"));
    let names: Vec<_> = document.files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.txt", "b.rego"]);
    assert_eq!(document.files[0].bytes, b"00 /bin/true");

    // Of those that come at once, one is kept.
    let same = || store.add_policy_version(policy("x = 3", &files), by(50));
    let (one, two, three) = tokio::join!(same(), same(), same());
    let one = one.unwrap();
    assert_eq!((&two.unwrap(), &three.unwrap()), (&one, &one));
    assert_eq!(store.policy_versions(None, 10).await.unwrap().len(), 5);
}

pub(crate) async fn one_version_counts_and_who_decided_about_another_is_told(store: &dyn Store) {
    assert_eq!(store.active_policy().await.unwrap(), None);
    let add = async |text| store.add_policy_version(policy(text, &[]), by(1)).await.unwrap().number;
    let (first, second) = (add("a = 1").await, add("a = 2").await);
    let missing = store.activate_policy(activation(second + 9, None), by(2)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Kind::PolicyVersion))), "{missing:?}");
    assert_eq!(store.active_policy().await.unwrap(), None);
    let n_rows = store.audit_head().await.unwrap().0;
    let active = store.activate_policy(activation(first, None), by(3)).await.unwrap();
    assert_eq!((active.number, active.at_ms, active.reason.as_str()), (first, 3, "tried"));
    assert_eq!(store.active_policy().await.unwrap(), Some(active.clone()));
    let row = store.audit(n_rows, 10).await.unwrap().pop().unwrap();
    assert_eq!(row.action, "policy.activate");
    assert_eq!(row.detail_json, r#"{"before":null,"reason":"tried"}"#);

    let stale = store.activate_policy(activation(second, None), by(4)).await.unwrap_err();
    let StoreError::Conflict(conflict) = stale else { panic!("{stale:?}") };
    assert_eq!(conflict, Conflict::OtherPolicyCounts { number: Some(first) });
    assert_eq!(store.active_policy().await.unwrap(), Some(active));

    // Two who decided about the same: one of them.
    let both = || store.activate_policy(activation(second, Some(first)), by(5));
    let (one, two) = tokio::join!(both(), both());
    assert_ne!(one.is_ok(), two.is_ok());
    assert_eq!(store.active_policy().await.unwrap().unwrap().number, second);
}

pub(crate) async fn what_counts_is_kept_and_the_oldest_others_go(store: &dyn Store) {
    let add = async |n: u32| {
        let file = format!("digests of {n}");
        let new = policy(&format!("a = {n}"), &[("allow.txt", &file)]);
        store.add_policy_version(new, by(1)).await.unwrap().number
    };
    let first = add(0).await;
    let second = add(1).await;
    store.activate_policy(activation(first, None), by(2)).await.unwrap();
    for n in 2..POLICY_VERSIONS_MAX {
        add(n).await;
    }
    assert_eq!(store.policy_document(second).await.unwrap().files.len(), 1, "just not too many");
    let last = add(POLICY_VERSIONS_MAX).await;
    let gone = store.policy_document(second).await;
    assert!(matches!(gone, Err(StoreError::NotFound(Kind::PolicyVersion))), "{gone:?}");
    for kept in [first, last] {
        assert_eq!(store.policy_document(kept).await.unwrap().files.len(), 1);
    }
}
