//! Client certificates for keys in TPMs of hosts.

use store::{
    By, CLIENT_AUTHORITIES_MAX, CLIENT_AUTHORITY_GRACE_MS, CLIENT_CERTIFICATES_KEPT_MS,
    CLIENT_CERTIFICATES_PER_HOST_MAX, ClientCertificate, Conflict, Host, Kind, NewClientAuthority,
    NewClientCertificate, Reenrolment, RevokedFor, RevokedKeys, Serial, Store, StoreError,
};

use super::make::{appraisal, by, enrolled, host, identity};

const fn serial(n: u8) -> Serial {
    [n; 16]
}

/// A certificate for a challenge of `at_ms`, good until `at_ms` + 1,000.
fn certificate(host: &Host, n: u8, at_ms: i64) -> NewClientCertificate {
    NewClientCertificate {
        serial: serial(n),
        host: host.id.clone(),
        identity_version: host.identity_version,
        authority: AUTHORITY.to_owned(),
        authority_number: 1,
        key_name: b"the key".to_vec(),
        challenge_at_ms: at_ms,
        not_after_ms: at_ms + 1_000,
    }
}

/// The name of the authorities of these tests.
const AUTHORITY: &str = "client-authority:example.org:uri";

/// The `number`-th authority, which issues from `begins_at_ms` on.
fn authority(number: i64, begins_at_ms: i64) -> NewClientAuthority {
    NewClientAuthority {
        name: AUTHORITY.to_owned(),
        number,
        begins_at_ms,
        material: format!("key {number}").into_bytes(),
        detail: serde_json::json!({ "number": number }),
    }
}

/// A host that is accepted, where there is an authority.
async fn accepted(store: &dyn Store, name: &str) -> Host {
    if store.client_authorities(AUTHORITY).await.unwrap().is_empty() {
        store.add_client_authority(authority(1, 0), by(1)).await.unwrap();
    }
    let new = enrolled(store, name).await;
    store.record_appraisal(appraisal(&new, 100), by(105)).await.unwrap();
    host(store, &new.id).await
}

async fn of(store: &dyn Store, host: &Host) -> Vec<ClientCertificate> {
    store.client_certificates(Some(host.id.clone()), None, 100).await.unwrap()
}

/// What the next list names.
async fn listed(store: &dyn Store, now_ms: i64) -> Vec<(u8, RevokedFor)> {
    let list = store.next_revoked_certificates(now_ms).await.unwrap();
    list.revoked.iter().map(|(serial, _, why)| (serial[0], *why)).collect()
}

async fn revoke(
    store: &dyn Store,
    host: &Host,
    which: RevokedKeys,
    why: RevokedFor,
    by: By,
) -> u32 {
    store.revoke_client_certificates(&host.id, which, why, "because", by).await.unwrap()
}

fn conflict(result: Result<(), StoreError>) -> Conflict {
    match result {
        Err(StoreError::Conflict(conflict)) => conflict,
        other => panic!("no conflict: {other:?}"),
    }
}

pub(crate) async fn is_issued_to_an_accepted_host_alone(store: &dyn Store) {
    let waiting = enrolled(store, "waiting").await;
    let refused = store.add_client_certificate(certificate(&waiting, 1, 200), by(200)).await;
    assert!(matches!(conflict(refused), Conflict::HostNotAccepted { .. }));
    let web = accepted(store, "web").await;
    let other = NewClientCertificate {
        identity_version: web.identity_version + 1,
        ..certificate(&web, 1, 200)
    };
    let refused = store.add_client_certificate(other, by(200)).await;
    assert!(matches!(conflict(refused), Conflict::IdentityChanged { .. }));
    let nobody = NewClientCertificate { host: "nobody".into(), ..certificate(&web, 1, 200) };
    let refused = store.add_client_certificate(nobody, by(200)).await;
    assert!(matches!(refused, Err(StoreError::NotFound(Kind::Host))));
    store.disconnect_host(&web.id, by(150)).await.unwrap();
    let refused = store.add_client_certificate(certificate(&web, 1, 200), by(200)).await;
    assert!(matches!(conflict(refused), Conflict::HostDisconnected { .. }));
    store.reconnect_host(&web.id, Reenrolment::NotWanted, by(160)).await.unwrap();

    assert!(!store.has_client_certificate(&web.id, 200).await.unwrap());
    store.add_client_certificate(certificate(&web, 1, 200), by(201)).await.unwrap();
    let issued = of(store, &web).await;
    assert_eq!(issued.len(), 1);
    assert_eq!((issued[0].serial, &*issued[0].host_name), (serial(1), "web.example"));
    assert_eq!(issued[0].ek_spki_sha256, identity("web").ek_spki_sha256);
    assert_eq!((issued[0].issued_at_ms, issued[0].not_after_ms), (201, 1_200));
    assert!(issued[0].counts_at(1_199) && !issued[0].counts_at(1_200));
    assert!(store.has_client_certificate(&web.id, 1_199).await.unwrap());
    assert!(!store.has_client_certificate(&web.id, 1_200).await.unwrap());
    let trail = store.audit(0, 1_000).await.unwrap();
    assert!(trail.iter().any(|row| row.action == "client-certificate.issue"));

    let turned = store::NewAppraisal { verdict: "not accepted".into(), ..appraisal(&web, 300) };
    store.record_appraisal(turned, by(305)).await.unwrap();
    let refused = store.add_client_certificate(certificate(&web, 2, 400), by(400)).await;
    assert!(matches!(conflict(refused), Conflict::HostNotAccepted { .. }));
}

pub(crate) async fn a_challenge_is_answered_once(store: &dyn Store) {
    let web = accepted(store, "web").await;
    store.add_client_certificate(certificate(&web, 1, 200), by(201)).await.unwrap();
    for at_ms in [200, 199] {
        let again = store.add_client_certificate(certificate(&web, 2, at_ms), by(202)).await;
        assert!(matches!(conflict(again), Conflict::NonceUsed));
    }
    store.add_client_certificate(certificate(&web, 2, 201), by(203)).await.unwrap();
    // Not even after its certificate has ended.
    let late = certificate(&web, 3, 201);
    let again = store.add_client_certificate(late, by(5_000)).await;
    assert!(matches!(conflict(again), Conflict::NonceUsed));
    // Another host's challenges are others.
    let db = accepted(store, "db").await;
    store.add_client_certificate(certificate(&db, 4, 200), by(204)).await.unwrap();
}

pub(crate) async fn one_of_many_answers_gets_a_certificate(store: &dyn Store) {
    let web = accepted(store, "web").await;
    let answer = |n| store.add_client_certificate(certificate(&web, n, 200), by(201));
    let answers = tokio::join!(answer(1), answer(2), answer(3), answer(4));
    let answers: [Result<(), StoreError>; 4] = answers.into();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(of(store, &web).await.len(), 1);
}

pub(crate) async fn what_is_revoked_is_listed_until_it_ends(store: &dyn Store) {
    let (web, db) = (accepted(store, "web").await, accepted(store, "db").await);
    for (host, n, at_ms) in [(&web, 1, 200), (&web, 2, 400), (&db, 3, 200)] {
        store.add_client_certificate(certificate(host, n, at_ms), by(at_ms)).await.unwrap();
    }
    // That there is an authority was one.
    assert_eq!(store.client_revocations().await.unwrap(), 1);
    assert_eq!(listed(store, 500).await, []);
    let why = RevokedFor::NotAccepted;
    assert_eq!(revoke(store, &web, RevokedKeys::All, why, by(600)).await, 2);
    assert_eq!(revoke(store, &web, RevokedKeys::All, RevokedFor::Person, by(601)).await, 0, "once");
    assert_eq!(store.client_revocations().await.unwrap(), 2);
    assert_eq!(listed(store, 700).await, [(1, why), (2, why)]);
    let revoked = of(store, &web).await[0].revoked.clone().unwrap();
    assert_eq!((revoked.at_ms, revoked.why, &*revoked.reason), (600, why, "because"));
    assert!(!store.has_client_certificate(&web.id, 700).await.unwrap());
    assert!(store.has_client_certificate(&db.id, 700).await.unwrap());
    // One that has ended by itself is not revoked.
    assert_eq!(revoke(store, &db, RevokedKeys::All, why, by(1_200)).await, 0);

    let numbers = [
        store.next_revoked_certificates(0).await.unwrap(),
        store.next_revoked_certificates(9_000).await.unwrap(),
        store.next_revoked_certificates(5).await.unwrap(),
    ]
    .map(|list| (list.number, list.n_changes));
    assert!(numbers[0].0 < numbers[1].0 && numbers[1].0 < numbers[2].0, "{numbers:?}");
    assert_eq!(numbers.map(|(_, n_changes)| n_changes), [2, 2, 2]);
    assert_eq!(listed(store, 1_200 + CLIENT_CERTIFICATES_KEPT_MS).await, [(1, why), (2, why)]);
    assert_eq!(listed(store, 1_201 + CLIENT_CERTIFICATES_KEPT_MS).await, [(2, why)]);
    assert_eq!(listed(store, 1_401 + CLIENT_CERTIFICATES_KEPT_MS).await, []);
}

pub(crate) async fn a_removed_hosts_certificates_are_revoked(store: &dyn Store) {
    let web = accepted(store, "web").await;
    store.add_client_certificate(certificate(&web, 1, 200), by(200)).await.unwrap();
    store.remove_host(&web.id, by(300)).await.unwrap();
    assert_eq!(listed(store, 400).await, [(1, RevokedFor::Removed)]);
    assert_eq!(of(store, &web).await[0].revoked.as_ref().unwrap().by, "alice");
}

pub(crate) async fn keys_of_another_tpm_are_told_apart(store: &dyn Store) {
    let web = accepted(store, "web").await;
    store.add_client_certificate(certificate(&web, 1, 200), by(200)).await.unwrap();
    let own = RevokedKeys::NotIn(identity("web").ek_spki_sha256);
    assert_eq!(revoke(store, &web, own, RevokedFor::TpmReplaced, by(300)).await, 0);
    let others = RevokedKeys::NotIn(identity("db").ek_spki_sha256);
    assert_eq!(revoke(store, &web, others, RevokedFor::TpmReplaced, by(300)).await, 1);
}

pub(crate) async fn a_key_that_a_person_revoked_gets_none(store: &dyn Store) {
    let web = accepted(store, "web").await;
    store.add_client_certificate(certificate(&web, 1, 200), by(200)).await.unwrap();
    revoke(store, &web, RevokedKeys::All, RevokedFor::NotAccepted, by(300)).await;
    store.add_client_certificate(certificate(&web, 2, 400), by(400)).await.unwrap();
    revoke(store, &web, RevokedKeys::All, RevokedFor::Person, by(500)).await;
    let same = store.add_client_certificate(certificate(&web, 3, 600), by(600)).await;
    assert!(matches!(conflict(same), Conflict::KeyRevoked { .. }));
    let other = NewClientCertificate { key_name: b"another".to_vec(), ..certificate(&web, 3, 600) };
    store.add_client_certificate(other, by(600)).await.unwrap();
}

pub(crate) async fn those_of_a_host_are_limited(store: &dyn Store) {
    let web = accepted(store, "web").await;
    let max = u8::try_from(CLIENT_CERTIFICATES_PER_HOST_MAX).unwrap();
    for n in 1..=max {
        let at_ms = 200 + i64::from(n);
        store.add_client_certificate(certificate(&web, n, at_ms), by(at_ms)).await.unwrap();
    }
    let next = certificate(&web, max + 1, 300);
    let refused = store.add_client_certificate(next.clone(), by(300)).await;
    assert!(matches!(refused, Err(StoreError::Limit { .. })), "{refused:?}");
    // The first one has ended.
    store.add_client_certificate(next, by(1_201)).await.unwrap();

    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.client_certificates(None, after, 5).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.cursor());
        seen.extend(page.iter().map(|certificate| certificate.serial[0]));
    }
    assert_eq!(seen, (1..=max + 1).rev().collect::<Vec<_>>(), "newest first, each once");
}

pub(crate) async fn who_gets_one_is_looked_at(store: &dyn Store) {
    let web = accepted(store, "web").await;
    let settle = async |now_ms: i64| {
        let due = store.claim_looks(now_ms, now_ms + 1, 10).await.unwrap();
        for look in &due {
            let settlement = store::Settlement {
                host: look.host.id.clone(),
                change: look.change,
                causes: Vec::new(),
                look_again_at_ms: None,
                stands: store::Stood::Accepted,
                at_ms: now_ms,
            };
            store.settle_alarms(settlement).await.unwrap();
        }
        due.len()
    };
    assert_eq!(settle(150).await, 1);
    assert_eq!(settle(160).await, 0);
    store.add_client_certificate(certificate(&web, 1, 200), by(200)).await.unwrap();
    assert_eq!(settle(210).await, 1);
}

pub(crate) async fn an_authority_is_replaced(store: &dyn Store) {
    let web = accepted(store, "web").await;
    let numbers = async || -> Vec<i64> {
        store.client_authorities(AUTHORITY).await.unwrap().iter().map(|row| row.number).collect()
    };
    let n_changes = store.client_revocations().await.unwrap();
    // Of two that replace the same one, one does.
    for number in [1, 3] {
        let refused = conflict(store.add_client_authority(authority(number, 500), by(110)).await);
        assert!(matches!(refused, Conflict::AuthorityKnown { number: 1 }), "{refused:?}");
    }
    let (one, other) = tokio::join!(
        store.add_client_authority(authority(2, 500), by(110)),
        store.add_client_authority(authority(2, 500), by(110)),
    );
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1, "{one:?} {other:?}");
    assert_eq!(numbers().await, [1, 2]);
    assert_eq!(store.client_revocations().await.unwrap(), n_changes + 1);
    let known = store.client_authorities(AUTHORITY).await.unwrap();
    assert_eq!((known[1].begins_at_ms, &known[1].material[..]), (500, &b"key 2"[..]));
    assert!(store.client_authorities("another").await.unwrap().is_empty());

    // The first issues until the second begins.
    let by_second =
        |n, at_ms| NewClientCertificate { authority_number: 2, ..certificate(&web, n, at_ms) };
    let early = conflict(store.add_client_certificate(by_second(1, 400), by(499)).await);
    assert!(matches!(early, Conflict::AuthorityReplaced), "{early:?}");
    store.add_client_certificate(certificate(&web, 1, 400), by(499)).await.unwrap();
    let late = conflict(store.add_client_certificate(certificate(&web, 2, 500), by(500)).await);
    assert!(matches!(late, Conflict::AuthorityReplaced), "{late:?}");
    store.add_client_certificate(by_second(2, 500), by(500)).await.unwrap();
    let of_web = of(store, &web).await;
    let issuers: Vec<_> = of_web.iter().map(|issued| issued.authority_number).collect();
    assert_eq!(issuers, [2, 1]);

    // It is known until its last certificate has ended, and for some time in any case.
    let retire = async |at_ms| store.retire_client_authorities(AUTHORITY, by(at_ms)).await.unwrap();
    assert!(retire(499 + CLIENT_AUTHORITY_GRACE_MS).await.is_empty(), "the second just began");
    let ends_ms = 90_000_000;
    let long = NewClientCertificate { not_after_ms: ends_ms, ..by_second(3, 600) };
    store.add_client_certificate(long, by(600)).await.unwrap();
    let new = NewClientAuthority { begins_at_ms: 70_000, ..authority(3, 0) };
    store.add_client_authority(new, by(700)).await.unwrap();
    assert_eq!(retire(70_000 + CLIENT_AUTHORITY_GRACE_MS).await, [1], "certificates of 2 count");
    assert_eq!(numbers().await, [2, 3]);
    assert!(retire(ends_ms - 1).await.is_empty());
    assert_eq!(retire(ends_ms).await, [2]);
    assert_eq!((numbers().await, retire(ends_ms + 1).await), (vec![3], vec![]));
    // Numbers are not used again.
    let again = conflict(store.add_client_authority(authority(2, 0), by(ends_ms)).await);
    assert!(matches!(again, Conflict::AuthorityKnown { number: 3 }), "{again:?}");

    let audit = store.audit(0, 1_000).await.unwrap();
    let of = |action: &str| audit.iter().filter(|row| row.action == action).count();
    assert_eq!((of("client-authority.add"), of("client-authority.retire")), (3, 2));
    for number in 4..=i64::from(CLIENT_AUTHORITIES_MAX) + 2 {
        store.add_client_authority(authority(number, i64::MAX), by(ends_ms)).await.unwrap();
    }
    let many = authority(i64::from(CLIENT_AUTHORITIES_MAX) + 3, i64::MAX);
    let refused = store.add_client_authority(many, by(ends_ms)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Limit { .. }), "{refused:?}");
}
