//! Endorsement keys that are known from a purchase.

use store::{
    AdmittedEks, Approval, ApprovalRule, Conflict, EkCursor, EkDigestKind, JoinedEks, Kind, Labels,
    ListedApproval, NewEkList, NewJoinToken, NewListedEk, Store, StoreError,
};

use super::make::{
    by, by_token, completion, digest, host, identity, join_token, new_host, pending,
};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn list(store: &dyn Store, name: &str, put: &[(&str, &str)], approval: ListedApproval) {
    let (name, note) = (name.to_owned(), "order 4711".to_owned());
    let new = NewEkList { name, labels: labels(put), approval, note };
    store.add_ek_list(new, by(1)).await.unwrap();
}

/// The key of the TPM called `tpm`, by the digest of this kind.
fn ek(kind: EkDigestKind, tpm: &str) -> NewListedEk {
    let identity = identity(tpm);
    let digest = match kind {
        EkDigestKind::Spki => identity.ek_spki_sha256,
        EkDigestKind::PublicArea => store::EvidencePart::hash("", identity.ek_public).sha256,
    };
    NewListedEk { kind, digest, note: tpm.to_owned() }
}

async fn enrol(store: &dyn Store, tpm: &str) -> Result<store::Enrolled, StoreError> {
    store.begin_enrolment(pending(tpm, by_token()), by(2)).await.unwrap();
    store.complete_enrolment(completion(tpm, tpm), by(3)).await
}

fn not_listed<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let err = result.unwrap_err();
    assert!(matches!(err, StoreError::Conflict(Conflict::EkNotListed)), "{err:?}");
}

pub(crate) async fn a_list_says_whom_one_expects(store: &dyn Store) {
    let token = NewJoinToken {
        approval: ApprovalRule::Required,
        labels: labels(&[("site", "muc"), ("by", "token")]),
        ..join_token("t")
    };
    store.add_join_token(token, by(1)).await.unwrap();
    list(store, "b", &[("site", "ber"), ("rack", "7")], ListedApproval::AsToken).await;
    list(store, "c", &[("rack", "8")], ListedApproval::NotRequired).await;
    let both = vec![ek(EkDigestKind::Spki, "one"), ek(EkDigestKind::PublicArea, "two")];
    store.add_listed_eks("b", both, by(1)).await.unwrap();
    store.add_listed_eks("c", vec![ek(EkDigestKind::Spki, "two")], by(1)).await.unwrap();

    let one = enrol(store, "one").await.unwrap();
    assert_eq!(one.approval, Approval::Waiting, "as its token says");
    let labelled = labels(&[("by", "token"), ("rack", "7"), ("site", "ber")]);
    assert_eq!(host(store, &one.host).await.labels, labelled, "the list names this very TPM");
    let two = enrol(store, "two").await.unwrap();
    assert_eq!(two.approval, Approval::NotRequired, "one of its lists expects it");
    assert_eq!(host(store, &two.host).await.labels["rack"], "7", "the first list's counts");
    let stranger = enrol(store, "stranger").await.unwrap();
    assert_eq!(stranger.approval, Approval::Waiting);
    assert_eq!(host(store, &stranger.host).await.labels["site"], "muc");

    let unlisted = store.unlisted_hosts(None, 500).await.unwrap();
    assert_eq!(unlisted.len(), 1);
    assert_eq!(unlisted[0].id, stranger.host);
    assert!(store.unlisted_hosts(Some(stranger.host), 500).await.unwrap().is_empty());
}

pub(crate) async fn a_list_shows_who_has_not_joined(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    list(store, "b", &[], ListedApproval::AsToken).await;
    let keys: Vec<_> = ["one", "two", "three"].map(|tpm| ek(EkDigestKind::Spki, tpm)).into();
    let public = ek(EkDigestKind::PublicArea, "one");
    let known = store.add_listed_eks("b", keys.clone(), by(1)).await.unwrap();
    assert!(known.iter().all(Vec::is_empty));
    list(store, "a", &[], ListedApproval::AsToken).await;
    let again = vec![public, keys[1].clone(), keys[1].clone()];
    let known = store.add_listed_eks("a", again, by(1)).await.unwrap();
    assert_eq!(known, [vec![], vec!["b"], vec!["a", "b"]], "what was doubled, and where");
    let enrolled = enrol(store, "one").await.unwrap();

    let show = async |name: &str, joined| -> Vec<String> {
        let mut notes = Vec::new();
        let mut after = None;
        loop {
            let page = store.listed_eks(name, joined, after, 1).await.unwrap();
            let Some(last) = page.last() else { return notes };
            after = Some(EkCursor { kind: last.ek.kind, digest: last.ek.digest });
            notes.push(last.ek.note.clone());
        }
    };
    assert_eq!(show("b", JoinedEks::All).await.len(), 3);
    assert_eq!(show("b", JoinedEks::Joined).await, ["one"]);
    let mut missing = show("b", JoinedEks::Missing).await;
    missing.sort();
    assert_eq!(missing, ["three", "two"]);
    assert_eq!(show("a", JoinedEks::Joined).await, ["one"], "by its public area");
    let joined = store.listed_eks("b", JoinedEks::Joined, None, 9).await.unwrap();
    assert_eq!(joined[0].host, Some((enrolled.host.clone(), "one.example".to_owned())));
    let counts: Vec<_> = store.ek_lists().await.unwrap();
    let counts: Vec<_> =
        counts.iter().map(|row| (row.list.name.as_str(), row.n_eks, row.n_joined)).collect();
    assert_eq!(counts, [("a", 2, 1), ("b", 3, 1)]);

    store.remove_ek_list("b", by(9)).await.unwrap();
    assert_eq!(store.ek_lists().await.unwrap().len(), 1);
    assert!(store.host(&enrolled.host).await.unwrap().is_some(), "hosts stay");
    for missing in [
        store.remove_ek_list("b", by(10)).await,
        store.add_listed_eks("b", Vec::new(), by(10)).await.map(drop),
        store.listed_eks("b", JoinedEks::All, None, 1).await.map(drop),
    ] {
        assert!(matches!(missing, Err(StoreError::NotFound(Kind::EkList))), "{missing:?}");
    }
    let new = NewEkList {
        name: "a".into(),
        labels: Labels::new(),
        approval: ListedApproval::AsToken,
        note: String::new(),
    };
    let taken = store.add_ek_list(new, by(11)).await.unwrap_err();
    assert!(matches!(taken, StoreError::Conflict(Conflict::NameTaken { .. })), "{taken:?}");
}

pub(crate) async fn a_token_may_admit_listed_keys_alone(store: &dyn Store) {
    list(store, "b", &[], ListedApproval::AsToken).await;
    list(store, "c", &[], ListedApproval::AsToken).await;
    let keys = vec![ek(EkDigestKind::Spki, "one"), ek(EkDigestKind::Spki, "two")];
    store.add_listed_eks("b", keys, by(1)).await.unwrap();
    let token = NewJoinToken { admitted: AdmittedEks::Listed, ..join_token("t") };
    store.add_join_token(token, by(1)).await.unwrap();
    enrol(store, "one").await.unwrap();
    not_listed(enrol(store, "stranger").await);
    not_listed(store.create_host(new_host("bare"), by(4)).await);
    assert_eq!(store.n_hosts().await.unwrap(), 1);
    let known = store.join_token_by_sha256(digest("t")).await.unwrap().unwrap();
    assert_eq!((known.n_uses, known.admitted), (1, AdmittedEks::Listed), "no use is taken");
}

pub(crate) async fn a_token_may_admit_one_list(store: &dyn Store) {
    list(store, "b", &[], ListedApproval::AsToken).await;
    store.add_listed_eks("b", vec![ek(EkDigestKind::Spki, "one")], by(1)).await.unwrap();
    let token = NewJoinToken { admitted: AdmittedEks::OnList("c".into()), ..join_token("t") };
    store.add_join_token(token, by(1)).await.unwrap();
    not_listed(enrol(store, "one").await);
    list(store, "c", &[], ListedApproval::AsToken).await;
    store.add_listed_eks("c", vec![ek(EkDigestKind::PublicArea, "one")], by(1)).await.unwrap();
    store.complete_enrolment(completion("one", "one"), by(3)).await.unwrap();
}
