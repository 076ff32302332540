//! Another TPM in the place of a host's, and new keys of the same.

use store::{
    Conflict, EnrolledKeys, HostFilter, HostId, Kind, NewCandidate, Noted, Origin,
    PAST_IDENTITIES_MAX, Reenrolment, Replacement, Store, StoreError,
};

use super::make::{
    appraisal, by, by_token, completion, digest, enrolled, host, identity, pending, pending_of,
};

fn shown(host: &HostId, tpm: &str, at_ms: i64) -> NewCandidate {
    NewCandidate {
        host: host.clone(),
        ek_spki_sha256: digest(tpm),
        judgement_json: "{}".into(),
        expires_at_ms: at_ms + 1_000,
        stale_before_ms: at_ms - 100,
    }
}

fn replacement(host: &HostId, tpm: &str) -> Replacement {
    Replacement {
        host: host.clone(),
        ek_spki_sha256: digest(tpm),
        reason: "new board".into(),
        expires_at_ms: 5_000,
    }
}

fn conflict<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("expected a conflict, got {other:?}"),
    }
}

async fn actions(store: &dyn Store) -> Vec<String> {
    store.audit(0, 1_000).await.unwrap().into_iter().map(|row| row.action).collect()
}

pub(crate) async fn one_of_a_host_waits(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let note =
        async |tpm, at_ms| store.note_candidate(shown(&a.id, tpm, at_ms), by(at_ms)).await.unwrap();
    assert_eq!(note("x", 1_000).await, Noted::New);
    assert_eq!(note("x", 1_050).await, Noted::Known);
    let n_rows = actions(store).await.len();
    assert_eq!(note("x", 1_100).await, Noted::Known);
    assert_eq!(actions(store).await.len(), n_rows, "to be seen again is no change");
    let waiting = host(store, &a.id).await;
    let candidate = waiting.candidate_at(2_099).unwrap();
    assert_eq!((candidate.first_at_ms, candidate.seen_at_ms), (1_000, 1_100));
    assert_eq!(waiting.candidate_at(2_100), None, "it expires");

    assert_eq!(note("y", 1_200).await, Noted::Other, "the first one was seen lately");
    assert_eq!(note("y", 1_201).await, Noted::New, "and is stale now");
    store.approve_replacement(replacement(&a.id, "y"), by(1_202)).await.unwrap();
    assert_eq!(note("x", 1_900).await, Noted::Other, "a person's word stays");
    assert_eq!(note("x", 5_000).await, Noted::New, "up to its end");

    // A person who disconnects the host begins anew.
    store.disconnect_host(&a.id, by(5_001)).await.unwrap();
    assert_eq!(host(store, &a.id).await.candidate, None);
}

pub(crate) async fn a_person_puts_another_tpm_in_the_place(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    store.record_appraisal(appraisal(&a, 10), by(10)).await.unwrap();
    let approve = async |tpm| store.approve_replacement(replacement(&a.id, tpm), by(1_001)).await;
    let none = approve("new").await;
    assert!(matches!(none, Err(StoreError::NotFound(Kind::Candidate))), "{none:?}");

    // Not another host's TPM.
    store.note_candidate(shown(&a.id, "b", 1_000), by(1_000)).await.unwrap();
    let taken = conflict(approve("b").await);
    assert_eq!(taken, Conflict::EkTaken { host: b.id, host_name: b.name });
    store.disconnect_host(&a.id, by(1_000)).await.unwrap();
    store.reconnect_host(&a.id, Reenrolment::Wanted, by(1_000)).await.unwrap();

    store.note_candidate(shown(&a.id, "new", 1_000), by(1_000)).await.unwrap();
    let origin = Origin::Host(a.id.clone());
    let refused =
        conflict(store.begin_enrolment(pending_of("p", origin.clone(), "new"), by(1_001)).await);
    // A reconnection is for the same TPM.
    assert_eq!(refused, Conflict::OtherTpm { host: a.id.clone() });
    let differs = conflict(approve("other").await);
    assert_eq!(differs, Conflict::CandidateDiffers { have: digest("new") });
    assert_eq!(approve("new").await.unwrap(), Some(digest("a")));

    store.begin_enrolment(pending_of("p", origin.clone(), "new"), by(1_002)).await.unwrap();
    store.complete_enrolment(completion("p", "new"), by(1_003)).await.unwrap();
    let replaced = host(store, &a.id).await;
    assert_eq!(replaced.identity.unwrap().ek_spki_sha256, digest("new"));
    assert_eq!((replaced.last, replaced.candidate), (None, None));
    assert_eq!(store.appraisals(&a.id, 10).await.unwrap().len(), 1, "history stays");
    let before = store.past_identity(&a.id, a.identity_version).await.unwrap();
    assert_eq!(before.unwrap().ek_spki_sha256, digest("a"));
    // Once: the old TPM does not come back by it.
    let back = conflict(store.begin_enrolment(pending_of("q", origin, "a"), by(1_004)).await);
    assert_eq!(back, Conflict::OtherTpm { host: a.id });
    let rows = store.audit(0, 1_000).await.unwrap();
    let row = rows.iter().find(|row| row.action == "host.replace").unwrap();
    for part in [hex::encode(digest("a")), hex::encode(digest("new")), "new board".into()] {
        assert!(row.detail_json.contains(&part), "{}", row.detail_json);
    }
    assert_eq!(row.actor, "alice");
}

pub(crate) async fn a_new_key_of_the_same_tpm_needs_nobody(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.record_appraisal(appraisal(&a, 10), by(10)).await.unwrap();
    store.want_rotation(&a.id, by(11)).await.unwrap();
    assert!(host(store, &a.id).await.rotation_wanted);
    let mut new_key = pending_of("p", Origin::Host(a.id.clone()), "a");
    new_key.keys.ak_name = vec![0, 11, 8];
    store.begin_enrolment(new_key, by(12)).await.unwrap();
    let until_then = host(store, &a.id).await;
    assert_eq!(until_then.identity, a.identity, "the old key counts until the new one is bound");

    let mut done = completion("p", "a");
    done.identity.ak_name = vec![0, 11, 8];
    store.complete_enrolment(done, by(13)).await.unwrap();
    let renewed = host(store, &a.id).await;
    assert_eq!(renewed.identity_version, 2);
    assert!(!renewed.rotation_wanted);
    let last = renewed.last.unwrap();
    assert_eq!(last.verdict, "accepted", "it is the same TPM");
    assert_eq!(last.identity_version, 1, "judged by the key of before");
    assert_eq!(renewed.last_quote_clock, None, "counters are shown otherwise to each key");
    let before = store.past_identity(&a.id, 1).await.unwrap().unwrap();
    assert_eq!(Some(before.ak_name), a.identity.map(|identity| identity.ak_name.clone()));
    assert_eq!(store.past_identity(&a.id, 2).await.unwrap(), None);

    let keyless = store.create_host(super::make::new_host("bare"), by(14)).await.unwrap().host;
    let none = conflict(store.want_rotation(&keyless, by(15)).await);
    assert_eq!(none, Conflict::NoIdentity { host: keyless });
}

pub(crate) async fn past_identities_are_limited(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let n_new = i64::from(PAST_IDENTITIES_MAX) + 2;
    for n in 1..=n_new {
        let id = format!("p{n}");
        let ak_name = vec![1, u8::try_from(n).unwrap()];
        let mut new_key = pending_of(&id, Origin::Host(a.id.clone()), "a");
        new_key.keys = EnrolledKeys { ak_name: ak_name.clone(), ..new_key.keys };
        store.begin_enrolment(new_key, by(10)).await.unwrap();
        let mut done = completion(&id, "a");
        done.identity.ak_name = ak_name;
        store.complete_enrolment(done, by(11)).await.unwrap();
    }
    for (version, kept) in [(1, false), (2, false), (3, true), (n_new, true)] {
        let past = store.past_identity(&a.id, version).await.unwrap();
        assert_eq!(past.is_some(), kept, "{version}");
    }
}

pub(crate) async fn an_agent_without_its_token_needs_a_person(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let origin = || Origin::Known { host: a.id.clone(), join_token: "t".into() };
    let mut new_key = pending_of("p", origin(), "a");
    new_key.keys.ak_name = vec![9];
    let refused = conflict(store.begin_enrolment(new_key, by(10)).await);
    assert_eq!(refused, Conflict::ReenrolmentNotWanted { host: a.id.clone() });

    store.note_candidate(shown(&a.id, "new", 1_000), by(1_000)).await.unwrap();
    let refused =
        conflict(store.begin_enrolment(pending_of("p", origin(), "new"), by(1_001)).await);
    assert_eq!(refused, Conflict::OtherTpm { host: a.id.clone() });
    store.approve_replacement(replacement(&a.id, "new"), by(1_002)).await.unwrap();
    store.begin_enrolment(pending_of("p", origin(), "new"), by(1_003)).await.unwrap();
    store.complete_enrolment(completion("p", "new"), by(1_004)).await.unwrap();
    assert_eq!(
        store.hosts(HostFilter::default(), None, 10).await.unwrap().len(),
        1,
        "no second host"
    );
    let replaced = host(store, &a.id).await;
    assert_eq!(replaced.identity.unwrap().ek_spki_sha256, identity("new").ek_spki_sha256);
    assert!(store.host_by_api_token(digest("host-p token")).await.unwrap().is_some());
    let uses = store.join_token_by_sha256(digest("t")).await.unwrap().unwrap().n_uses;
    assert_eq!(uses, 2, "the token is used");

    // A new host is still a new host.
    store.begin_enrolment(pending("b", by_token()), by(1_005)).await.unwrap();
    store.complete_enrolment(completion("b", "b"), by(1_006)).await.unwrap();
    assert_eq!(store.hosts(HostFilter::default(), None, 10).await.unwrap().len(), 2);
}
