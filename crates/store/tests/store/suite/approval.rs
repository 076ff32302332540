//! What waits for a person.

use store::{
    Approval, ApprovalRule, CandidateRefusal, Conflict, HostDecision, HostId, NewCandidate,
    NewReference, Noted, ReferenceOrigin, ReferenceScope, ReferenceState, ReferenceUses,
    Replacement, Store, StoreError, WaitingCursor,
};

use super::make::{by, digest, enrolled, host, join_token, new_host};

fn not_waiting<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let err = result.unwrap_err();
    assert!(matches!(err, StoreError::Conflict(Conflict::NotWaiting)), "{err:?}");
}

pub(crate) async fn what_waits_is_found_and_decided_once(store: &dyn Store) {
    let token = store::NewJoinToken { approval: ApprovalRule::Required, ..join_token("t") };
    store.add_join_token(token, by(1)).await.unwrap();
    for (id, at_ms) in [("c", 10), ("a", 20), ("b", 20)] {
        store.create_host(new_host(id), by(at_ms)).await.unwrap();
    }
    let page = async |after, n_max| -> Vec<String> {
        let hosts = store.hosts_waiting(after, n_max).await.unwrap();
        hosts.into_iter().map(|host| host.id.to_string()).collect()
    };
    assert_eq!(page(None, 500).await, ["c", "a", "b"], "the longest waiting first");
    assert_eq!(page(None, 2).await, ["c", "a"]);
    let after = WaitingCursor { created_at_ms: 20, id: HostId::from("a") };
    assert_eq!(page(Some(after), 2).await, ["b"]);

    let decide = async |id: &str, decision, at_ms| {
        store.decide_host(&id.into(), decision, "known", by(at_ms)).await
    };
    decide("a", HostDecision::Approve, 30).await.unwrap();
    decide("b", HostDecision::Refuse, 31).await.unwrap();
    assert_eq!(host(store, &"a".into()).await.approval, Approval::Approved);
    assert_eq!(host(store, &"b".into()).await.approval, Approval::Refused);
    assert_eq!(page(None, 500).await, ["c"]);
    for decision in [HostDecision::Approve, HostDecision::Refuse] {
        not_waiting(decide("a", decision, 32).await);
    }
    assert_eq!(host(store, &"a".into()).await.approval, Approval::Approved, "the first counts");
    assert!(matches!(
        decide("nobody", HostDecision::Approve, 33).await,
        Err(StoreError::NotFound(_))
    ));
    let rows = store.audit(0, 100).await.unwrap();
    let row = rows.iter().find(|row| row.action == "host.approval").unwrap();
    assert!(row.detail_json.contains(r#""reason":"known""#), "{}", row.detail_json);
}

pub(crate) async fn another_tpm_is_refused_and_waits_no_more(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let show = async |tpm: &str, at_ms: i64| {
        let candidate = NewCandidate {
            host: a.id.clone(),
            ek_spki_sha256: digest(tpm),
            judgement_json: "null".into(),
            expires_at_ms: at_ms + 10_000,
            stale_before_ms: at_ms - 1_000,
        };
        store.note_candidate(candidate, by(at_ms)).await.unwrap()
    };
    let waiting = async |now_ms| store.candidates_waiting(now_ms, None, 500).await.unwrap().len();
    let refuse = async |tpm: &str, at_ms| {
        let (host, reason) = (a.id.clone(), "not ours".to_owned());
        let refusal = CandidateRefusal { host, ek_spki_sha256: digest(tpm), reason };
        store.refuse_candidate(refusal, by(at_ms)).await
    };
    assert!(matches!(refuse("x", 99).await, Err(StoreError::NotFound(_))), "there is none");
    assert_eq!((waiting(100).await, show("x", 100).await), (0, Noted::New));
    assert_eq!((waiting(10_099).await, waiting(10_100).await), (1, 0), "up to its end");
    assert!(store.candidates_waiting(100, Some(a.id.clone()), 500).await.unwrap().is_empty());
    let other = refuse("y", 101).await.unwrap_err();
    assert!(matches!(other, StoreError::Conflict(Conflict::CandidateDiffers { .. })), "{other:?}");
    refuse("x", 102).await.unwrap();
    assert_eq!(waiting(103).await, 0);
    not_waiting(refuse("x", 104).await);
    assert_eq!(show("x", 105).await, Noted::Known, "it is the same that was refused");
    assert_eq!(waiting(106).await, 0);
    assert_eq!(host(store, &a.id).await.candidate.unwrap().refused_at_ms, Some(102));

    // It keeps no place, and a person may think better of one.
    assert_eq!(show("y", 107).await, Noted::New);
    refuse("y", 108).await.unwrap();
    let replacement = Replacement {
        host: a.id.clone(),
        ek_spki_sha256: digest("y"),
        reason: "it is".into(),
        expires_at_ms: 20_000,
    };
    store.approve_replacement(replacement, by(109)).await.unwrap();
    assert!(host(store, &a.id).await.may_be_replaced_by(&digest("y"), 110));
    not_waiting(refuse("y", 111).await);
}

pub(crate) async fn references_wait_until_somebody_decides(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    for (id, state) in [
        ("one", ReferenceState::Pending),
        ("two", ReferenceState::Active),
        ("three", ReferenceState::Pending),
    ] {
        let reference = NewReference {
            id: id.into(),
            scope: ReferenceScope::Host(a.id.clone()),
            name: id.into(),
            origin: ReferenceOrigin::Learnt,
            state,
            uses: ReferenceUses::Any,
            until_ms: None,
            document: id.as_bytes().to_vec(),
            reason: "first boot".into(),
        };
        store.add_reference(reference, by(10)).await.unwrap();
    }
    let page = async |after_seq| store.references_waiting(after_seq, 500).await.unwrap();
    let waiting = page(0).await;
    let ids: Vec<_> = waiting.iter().map(|reference| reference.id.as_str()).collect();
    assert_eq!(ids, ["one", "three"]);
    assert_eq!(page(waiting[0].seq).await.len(), 1);
    store.set_reference_state(&"one".into(), ReferenceState::Active, "", by(11)).await.unwrap();
    assert_eq!(page(0).await.len(), 1);
}
