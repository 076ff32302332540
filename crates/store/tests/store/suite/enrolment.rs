//! Enrolments.

use store::{
    Approval, ApprovalRule, Conflict, HostFilter, HostId, JoinTokenFault, Kind, Origin,
    PENDING_PER_JOIN_TOKEN_MAX, Reenrolment, Store, StoreError, TpmPresence,
};

use super::make::{
    appraisal, by, by_token, completion, digest, enrolled, host, identity, join_token, new_host,
    pending, pending_of,
};

async fn uses(store: &dyn Store) -> i64 {
    store.join_token_by_sha256(digest("t")).await.unwrap().unwrap().n_uses
}

fn conflict(result: Result<impl std::fmt::Debug, StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

pub(crate) async fn happens_once(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    let started = pending("p", by_token());
    store.begin_enrolment(started.clone(), by(2)).await.unwrap();
    assert_eq!(store.pending_enrolment(&"p".into(), 3).await.unwrap(), Some(started));
    assert_eq!(uses(store).await, 0, "a start takes no use");

    let done = store.complete_enrolment(completion("p", "tpm"), by(4)).await.unwrap();
    assert_eq!(done.host, HostId::from("host-p"));
    let found = host(store, &done.host).await;
    let mut expected = identity("tpm");
    expected.enrolled_at_ms = 4;
    assert_eq!(found.identity, Some(expected.into()));
    assert_eq!((found.identity_version, found.tpm), (1, TpmPresence::Present));
    assert_eq!(found.name, "p.example");
    assert_eq!(uses(store).await, 1);

    let mut other = completion("p", "other tpm");
    other.new_host = "second".into();
    other.api_token_sha256 = digest("second");
    let again = conflict(store.complete_enrolment(other, by(5)).await);
    assert_eq!(again, Conflict::AlreadyCompleted { host: done.host.clone() });
    assert_eq!(store.hosts(HostFilter::default(), None, 10).await.unwrap(), [found]);
    assert_eq!(uses(store).await, 1);
    let same_id = conflict(store.begin_enrolment(pending("p", by_token()), by(6)).await);
    assert_eq!(same_id, Conflict::IdTaken);
}

pub(crate) async fn proof_must_be_right(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    store.begin_enrolment(pending("p", by_token()), by(2)).await.unwrap();
    let mut wrong = completion("p", "tpm");
    wrong.proof_sha256[31] ^= 1;
    assert_eq!(conflict(store.complete_enrolment(wrong, by(3)).await), Conflict::ProofWrong);
    assert!(store.hosts(HostFilter::default(), None, 10).await.unwrap().is_empty());
    assert_eq!(uses(store).await, 0);
    store.complete_enrolment(completion("p", "tpm"), by(4)).await.unwrap();
}

pub(crate) async fn expires(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    let mut short = pending("p", by_token());
    short.expires_at_ms = 100;
    store.begin_enrolment(short, by(2)).await.unwrap();
    assert!(store.pending_enrolment(&"p".into(), 99).await.unwrap().is_some());
    assert!(store.pending_enrolment(&"p".into(), 100).await.unwrap().is_none());
    let late = store.complete_enrolment(completion("p", "tpm"), by(100)).await;
    assert!(matches!(late, Err(StoreError::NotFound(Kind::PendingEnrolment))));
    // Another start sweeps it away: not even a clock that goes back finds it.
    store.begin_enrolment(pending("q", by_token()), by(101)).await.unwrap();
    assert!(store.pending_enrolment(&"p".into(), 3).await.unwrap().is_none());
}

pub(crate) async fn second_host_with_the_same_ek(store: &dyn Store) {
    let first = enrolled(store, "a").await;
    store.begin_enrolment(pending("b", by_token()), by(4)).await.unwrap();
    let taken = conflict(store.complete_enrolment(completion("b", "a"), by(5)).await);
    assert_eq!(taken, Conflict::EkTaken { host: first.id.clone(), host_name: "a.example".into() });
    assert_eq!(
        store.hosts(HostFilter::default(), None, 10).await.unwrap(),
        std::slice::from_ref(&first)
    );
    assert_eq!(uses(store).await, 1);
    store.remove_host(&first.id, by(6)).await.unwrap();
    store.complete_enrolment(completion("b", "a"), by(7)).await.unwrap();
}

pub(crate) async fn token_ends_while_pending(store: &dyn Store) {
    let mut token = join_token("t");
    token.n_uses_max = Some(1);
    store.add_join_token(token, by(1)).await.unwrap();
    for id in ["p", "q"] {
        store.begin_enrolment(pending(id, by_token()), by(2)).await.unwrap();
    }
    store.complete_enrolment(completion("p", "p"), by(3)).await.unwrap();
    let used_up = conflict(store.complete_enrolment(completion("q", "q"), by(4)).await);
    assert_eq!(used_up, Conflict::JoinToken(JoinTokenFault::UsedUp));
    assert_eq!(store.hosts(HostFilter::default(), None, 10).await.unwrap().len(), 1);
    let start = conflict(store.begin_enrolment(pending("r", by_token()), by(5)).await);
    assert_eq!(start, Conflict::JoinToken(JoinTokenFault::UsedUp));
}

pub(crate) async fn known_host_needs_a_person(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let origin = Origin::Host(a.id.clone());
    let refused =
        conflict(store.begin_enrolment(pending_of("re", origin.clone(), "a"), by(4)).await);
    assert_eq!(refused, Conflict::ReenrolmentNotWanted { host: a.id.clone() });

    store.reconnect_host(&a.id, Reenrolment::Wanted, by(5)).await.unwrap();
    store.begin_enrolment(pending_of("re", origin.clone(), "a"), by(6)).await.unwrap();
    store.disconnect_host(&a.id, by(7)).await.unwrap();
    let refused = conflict(store.complete_enrolment(completion("re", "a"), by(8)).await);
    assert_eq!(refused, Conflict::ReenrolmentNotWanted { host: a.id.clone() });
    assert_eq!(host(store, &a.id).await.identity, a.identity);

    // Once only.
    store.reconnect_host(&a.id, Reenrolment::Wanted, by(9)).await.unwrap();
    store.complete_enrolment(completion("re", "a"), by(10)).await.unwrap();
    let refused = conflict(store.begin_enrolment(pending_of("re2", origin, "a"), by(11)).await);
    assert_eq!(refused, Conflict::ReenrolmentNotWanted { host: a.id.clone() });
    assert_eq!(uses(store).await, 1, "a known host takes no use of a join token");
}

pub(crate) async fn new_identity_starts_afresh(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.record_appraisal(appraisal(&a, 10), by(10)).await.unwrap();
    store.note_enrolment_problem(&a.id, "{}".into()).await.unwrap();
    store.reconnect_host(&a.id, Reenrolment::Wanted, by(11)).await.unwrap();
    let origin = Origin::Host(a.id.clone());
    store.begin_enrolment(pending_of("re", origin.clone(), "a"), by(12)).await.unwrap();
    // An agent that was stopped starts over: the newer start replaces the older.
    store.begin_enrolment(pending_of("re2", origin, "a"), by(13)).await.unwrap();
    assert!(store.pending_enrolment(&"re".into(), 14).await.unwrap().is_none());
    store.complete_enrolment(completion("re2", "a"), by(14)).await.unwrap();

    let renewed = host(store, &a.id).await;
    assert_eq!((renewed.identity_version, renewed.reenrol_wanted), (2, false));
    assert_eq!(renewed.name, "a.example");
    assert_eq!(renewed.last, None, "a verdict about the old keys says nothing of the new");
    assert_eq!(renewed.last_quote_clock, None);
    assert_eq!(renewed.enrolment_problem_json, None);
    assert_eq!(renewed.last_nonce_at_ms, Some(10), "an old nonce stays old");
    assert_eq!(store.appraisals(&a.id, 10).await.unwrap().len(), 1, "history stays");
    assert!(store.host_by_api_token(digest("host-a token")).await.unwrap().is_none());
    assert!(store.host_by_api_token(digest("host-re2 token")).await.unwrap().is_some());
}

/// A host added before it had a TPM gets its key only after disconnect and reconnect.
pub(crate) async fn founding_story(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    let joined = store.create_host(new_host("esx"), by(2)).await.unwrap();
    store.note_tpm(&joined.host, TpmPresence::Present).await.unwrap();
    let origin = Origin::Host(joined.host.clone());
    let early = conflict(store.begin_enrolment(pending("p", origin.clone()), by(3)).await);
    assert_eq!(early, Conflict::ReenrolmentNotWanted { host: joined.host.clone() });
    let mut rejected = appraisal(&host(store, &joined.host).await, 4);
    rejected.verdict = "not-accepted".into();
    rejected.quote_clock = None;
    store.record_appraisal(rejected, by(4)).await.unwrap();

    store.disconnect_host(&joined.host, by(5)).await.unwrap();
    store.reconnect_host(&joined.host, Reenrolment::Wanted, by(6)).await.unwrap();
    store.begin_enrolment(pending("p", origin), by(7)).await.unwrap();
    store.complete_enrolment(completion("p", "tpm"), by(8)).await.unwrap();
    let keyed = host(store, &joined.host).await;
    store.record_appraisal(appraisal(&keyed, 9), by(9)).await.unwrap();
    let last = host(store, &joined.host).await.last.unwrap();
    assert_eq!(last.verdict, "accepted");
}

pub(crate) async fn unfinished_ones_are_limited(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    store.add_join_token(join_token("u"), by(1)).await.unwrap();
    // Awaited together, so that they share commits.
    let starts = (0..PENDING_PER_JOIN_TOKEN_MAX)
        .map(|n| store.begin_enrolment(pending(&format!("p{n}"), by_token()), by(2)));
    for start in super::appraisal::all(starts).await {
        start.unwrap();
    }
    let over = store.begin_enrolment(pending("over", by_token()), by(3)).await;
    assert!(matches!(over, Err(StoreError::Limit { max: PENDING_PER_JOIN_TOKEN_MAX, .. })));
    let other = pending("other", Origin::JoinToken("u".into()));
    store.begin_enrolment(other, by(3)).await.unwrap();
    store.complete_enrolment(completion("p0", "p0"), by(4)).await.unwrap();
    store.begin_enrolment(pending("over", by_token()), by(5)).await.unwrap();
}

pub(crate) async fn consent_is_asked_by_token_or_key(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    store.begin_enrolment(pending("p", by_token()), by(2)).await.unwrap();
    let mut unknown_root = completion("p", "p");
    unknown_root.approval = ApprovalRule::Required;
    let waits = store.complete_enrolment(unknown_root, by(3)).await.unwrap();
    assert_eq!(waits.approval, Approval::Waiting);
    store.set_approval(&waits.host, Approval::Approved, by(4)).await.unwrap();

    // A new key with a known root keeps the consent, one without asks again.
    for (id, rule, expected) in [
        ("q", ApprovalRule::NotRequired, Approval::Approved),
        ("r", ApprovalRule::Required, Approval::Waiting),
    ] {
        store.reconnect_host(&waits.host, Reenrolment::Wanted, by(5)).await.unwrap();
        let origin = Origin::Host(waits.host.clone());
        store.begin_enrolment(pending_of(id, origin, "p"), by(6)).await.unwrap();
        let mut renewed = completion(id, "p");
        renewed.approval = rule;
        let renewed = store.complete_enrolment(renewed, by(7)).await.unwrap();
        assert_eq!(renewed.approval, expected);
        assert_eq!(host(store, &waits.host).await.approval, expected);
    }

    let mut strict = join_token("strict");
    strict.approval = ApprovalRule::Required;
    store.add_join_token(strict, by(8)).await.unwrap();
    let origin = Origin::JoinToken("strict".into());
    store.begin_enrolment(pending("s", origin), by(9)).await.unwrap();
    let waits = store.complete_enrolment(completion("s", "s"), by(10)).await.unwrap();
    assert_eq!(waits.approval, Approval::Waiting);
}

pub(crate) async fn concurrent_completions_take_one_use(store: &dyn Store) {
    let mut token = join_token("t");
    token.n_uses_max = Some(3);
    store.add_join_token(token, by(1)).await.unwrap();
    for n in 0..16 {
        store.begin_enrolment(pending(&format!("p{n}"), by_token()), by(2)).await.unwrap();
    }
    // Each enrolment is completed twice at once, and all together want more uses than there are.
    let ends = (0..32).map(|n| {
        let id = format!("p{}", n % 16);
        store.complete_enrolment(completion(&id, &id), by(3))
    });
    let n_done = super::appraisal::all(ends).await.iter().filter(|end| end.is_ok()).count();
    assert_eq!(n_done, 3);
    assert_eq!(store.hosts(HostFilter::default(), None, 100).await.unwrap().len(), 3);
    assert_eq!(uses(store).await, 3);
}
