//! What requests look up first, many at one time.

use store::{Host, JudgedBy, Origin, Reenrolment, Store, StoreError};

use super::appraisal::all;
use super::make::{
    appraisal, by, completion, digest, enrolled, host, join_token, new_host, pending_of,
};
use super::reference::of_host;

/// The host that shows the token of `host`.
pub(crate) async fn by_token(store: &dyn Store, host: &Host) -> Option<Host> {
    store.host_by_api_token(digest(&format!("{} token", host.id))).await.unwrap()
}

/// Proves the keys of its TPM once more: they are of a new version.
pub(crate) async fn enrol_again(store: &dyn Store, host: &Host, tpm: &str, at_ms: i64) {
    store.reconnect_host(&host.id, Reenrolment::Wanted, by(at_ms)).await.unwrap();
    let (id, origin) = (format!("again {at_ms}"), Origin::Host(host.id.clone()));
    store.begin_enrolment(pending_of(&id, origin, tpm), by(at_ms)).await.unwrap();
    let completion = store::Completion {
        // An agent that enrols again has another token; here it keeps the one that it has.
        api_token_sha256: digest(&format!("{} token", host.id)),
        ..completion(&id, tpm)
    };
    store.complete_enrolment(completion, by(at_ms)).await.unwrap();
}

pub(crate) async fn many_hosts_show_their_tokens_at_once(store: &dyn Store) {
    let mut hosts = Vec::new();
    for n in 0..30 {
        hosts.push(enrolled(store, &format!("h{n}")).await);
    }
    store
        .add_join_token(store::NewJoinToken { id: "bare".into(), ..join_token("bare") }, by(1))
        .await
        .unwrap();
    let bare = store::NewHost { join_token: "bare".into(), ..new_host("bare") };
    let bare = store.create_host(bare, by(5)).await.unwrap();
    hosts.push(host(store, &bare.host).await);
    assert!(hosts.last().unwrap().identity.is_none());
    for round in 1..=2 {
        // Beside each token one that nobody has.
        let tokens = hosts
            .iter()
            .flat_map(|host| [format!("{} token", host.id), format!("{} token {round}", host.id)]);
        let found = all(tokens.map(|token| store.host_by_api_token(digest(&token)))).await;
        for (pair, known) in found.chunks(2).zip(&hosts) {
            assert_eq!(pair[0].as_ref().unwrap().as_ref(), Some(known), "round {round}");
            assert!(matches!(pair[1], Ok(None)), "{:?}", pair[1]);
        }
    }

    // Whatever changes is found: by a judgement, by an enrolment, by who removes it.
    let [judged, renewed, removed, ..] = &hosts[..] else { panic!() };
    store.record_appraisal(appraisal(judged, 100), by(105)).await.unwrap();
    let after = by_token(store, judged).await.unwrap();
    assert_eq!(after.last_nonce_at_ms, Some(100));
    assert_eq!(after.identity, judged.identity);
    enrol_again(store, renewed, "h1", 110).await;
    let after = by_token(store, renewed).await.unwrap();
    assert_eq!(after, host(store, &renewed.id).await);
    assert_ne!(after.identity, renewed.identity, "it was enrolled at another time");
    store.remove_host(&removed.id, by(120)).await.unwrap();
    assert_eq!(by_token(store, removed).await, None);
}

pub(crate) async fn anchors_and_references_are_looked_up_at_once(store: &dyn Store) {
    let mut hosts = Vec::new();
    for n in 0..12 {
        hosts.push(enrolled(store, &format!("h{n}")).await);
    }
    let generation = store.trust_generation().await.unwrap();
    let held = async |n_references: usize| {
        let asked = hosts.iter().map(|host| store.references_of_host(&host.id, None));
        let (found, trust) = tokio::join!(all(asked), store.trust_generation());
        assert_eq!(trust.unwrap(), generation);
        let found: Vec<_> = found.into_iter().map(Result::unwrap).collect();
        assert!(found[1..].iter().all(|found| found.references.is_empty()));
        assert!(found.iter().all(|other| other.generation == found[0].generation), "one moment");
        assert_eq!(found[0].references.len(), n_references);
        found[0].generation
    };
    let none = held(0).await;
    store.add_reference(of_host("own", &hosts[0].id), by(10)).await.unwrap();
    let one = held(1).await;
    assert!(one > none);

    // Judged by what was looked up before: refused, and recorded by what counts now.
    let by_references = |n: usize, generation| store::NewAppraisal {
        judged_by: JudgedBy { reference_generation: Some(generation), ..JudgedBy::default() },
        ..appraisal(&hosts[n], 100)
    };
    let refused = store.record_appraisal(by_references(0, none), by(105)).await;
    let changed = store::Conflict::ReferencesChanged;
    assert!(matches!(&refused, Err(StoreError::Conflict(c)) if *c == changed), "{refused:?}");
    store.record_appraisal(by_references(0, one), by(105)).await.unwrap();
}
