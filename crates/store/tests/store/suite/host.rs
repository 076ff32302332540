//! Hosts.

use store::{
    Approval, ApprovalRule, Conflict, Connection, HostFilter, HostId, HostOrder, Kind, Reenrolment,
    Store, StoreError, TpmPresence,
};

use super::make::{appraisal, by, digest, enrolled, host, join_token, new_host};

pub(crate) async fn join_takes_one_use(store: &dyn Store) {
    let mut token = join_token("t");
    token.approval = ApprovalRule::Required;
    store.add_join_token(token, by(1)).await.unwrap();
    let enrolled = store.create_host(new_host("a"), by(2)).await.unwrap();
    assert_eq!(enrolled.approval, Approval::Waiting);
    let a = host(store, &enrolled.host).await;
    assert_eq!((a.name.as_str(), a.created_at_ms), ("a.example", 2));
    assert_eq!(a.connection, Connection::Connected);
    assert_eq!(a.tpm, TpmPresence::Absent);
    assert_eq!((a.identity.as_ref(), a.identity_version, a.last.as_ref()), (None, 0, None));
    assert_eq!(store.join_tokens().await.unwrap()[0].n_uses, 1);
    assert_eq!(store.host_by_api_token(digest("a token")).await.unwrap(), Some(a));
    assert_eq!(store.host_by_api_token(digest("b token")).await.unwrap(), None);

    // The same request again, as a client may send it: refused, and no use is taken.
    let again = store.create_host(new_host("a"), by(3)).await.unwrap_err();
    assert!(matches!(again, StoreError::Conflict(Conflict::IdTaken)), "{again:?}");
    assert_eq!(store.join_tokens().await.unwrap()[0].n_uses, 1);
}

pub(crate) async fn pages_meet_without_gap(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    for n in 0..25 {
        let mut new = new_host(&format!("id{n:02}"));
        new.name = format!("name{}", n % 4);
        store.create_host(new, by(2)).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = store.hosts(HostFilter::default(), after.clone(), 7).await.unwrap();
        assert!(page.len() <= 7);
        let Some(last) = page.last() else { break };
        after = Some(last.cursor(HostOrder::default()));
        seen.extend(page.into_iter().map(|host| (host.name, host.id)));
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted(), "{seen:?}");
    seen.dedup();
    assert_eq!(seen.len(), 25);
}

pub(crate) async fn same_name_at_two_hosts(store: &dyn Store) {
    store.add_join_token(join_token("t"), by(1)).await.unwrap();
    for id in ["a", "b", "c"] {
        let mut new = new_host(id);
        new.name = if id == "b" { "other".into() } else { "same".into() };
        store.create_host(new, by(2)).await.unwrap();
    }
    let ids: Vec<HostId> =
        store.hosts_by_name("same").await.unwrap().into_iter().map(|host| host.id).collect();
    assert_eq!(ids, [HostId::from("a"), HostId::from("c")]);
    assert!(store.hosts_by_name("sam%").await.unwrap().is_empty());
}

pub(crate) async fn disconnect_and_reconnect(store: &dyn Store) {
    let before = enrolled(store, "a").await;
    store.request_attestation(&before.id, by(10)).await.unwrap();
    store.disconnect_host(&before.id, by(11)).await.unwrap();
    let off = host(store, &before.id).await;
    assert_eq!(off.connection, Connection::Disconnected);
    assert_eq!(off.attest_requested_at_ms, None);
    let refused = store.record_appraisal(appraisal(&off, 20), by(20)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Conflict::HostDisconnected { .. })));
    let refused = store.request_attestation(&before.id, by(20)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Conflict::HostDisconnected { .. })));

    store.reconnect_host(&before.id, Reenrolment::NotWanted, by(21)).await.unwrap();
    let on = host(store, &before.id).await;
    assert_eq!((on.connection, on.reenrol_wanted), (Connection::Connected, false));
    assert_eq!(on.identity, before.identity, "the identity stays until a new one is proved");
    store.record_appraisal(appraisal(&on, 22), by(22)).await.unwrap();
    store.reconnect_host(&before.id, Reenrolment::Wanted, by(23)).await.unwrap();
    let on = host(store, &before.id).await;
    assert_eq!((on.reenrol_wanted, on.next_due_at_ms), (true, None));
    store.disconnect_host(&before.id, by(24)).await.unwrap();
    assert!(!host(store, &before.id).await.reenrol_wanted);

    let nobody = HostId::from("nobody");
    let missing = store.reconnect_host(&nobody, Reenrolment::Wanted, by(25)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Kind::Host))));
}

pub(crate) async fn approval_is_kept(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    assert_eq!(a.approval, Approval::NotRequired);
    store.set_approval(&a.id, Approval::Refused, by(5)).await.unwrap();
    assert_eq!(host(store, &a.id).await.approval, Approval::Refused);
    let missing = store.set_approval(&"nobody".into(), Approval::Approved, by(6)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Kind::Host))));
}

pub(crate) async fn removal_takes_everything_of_the_host(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    let of_a = appraisal(&a, 10);
    let quote = of_a.evidence[0].sha256;
    let log = of_a.evidence[1].sha256;
    let id = store.record_appraisal(of_a, by(10)).await.unwrap();
    store.record_appraisal(appraisal(&b, 10), by(10)).await.unwrap();

    store.remove_host(&a.id, by(11)).await.unwrap();
    assert_eq!(store.host(&a.id).await.unwrap(), None);
    assert_eq!(store.appraisal(id).await.unwrap(), None);
    assert!(store.evidence(id).await.unwrap().is_empty());
    assert_eq!(store.evidence_by_sha256(quote).await.unwrap(), None);
    assert!(store.evidence_by_sha256(log).await.unwrap().is_some(), "host b has the same log");
    store.remove_host(&b.id, by(12)).await.unwrap();
    assert_eq!(store.evidence_by_sha256(log).await.unwrap(), None);

    // Its TPM is free for a new host.
    let missing = store.remove_host(&a.id, by(12)).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Kind::Host))));
    let audit = store.audit(0, 100).await.unwrap();
    assert!(audit.iter().any(|row| row.action == "host.remove"
        && row.subject == "host:host-a"
        && row.detail_json.contains("ek_spki_sha256")));
}

pub(crate) async fn notes_go_forward_and_need_a_host(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let n_audit = store.audit(0, 100).await.unwrap().len();
    store.note_seen(&a.id, 50).await.unwrap();
    store.note_seen(&a.id, 40).await.unwrap();
    store.note_tpm(&a.id, TpmPresence::Absent).await.unwrap();
    store.reconnect_host(&a.id, Reenrolment::Wanted, by(1)).await.unwrap();
    let n_audit = n_audit + 1;
    assert!(host(store, &a.id).await.reenrol_wanted);
    store.note_enrolment_problem(&a.id, r#"{"code":"x"}"#.into()).await.unwrap();
    let a = host(store, &a.id).await;
    assert_eq!((a.last_seen_at_ms, a.tpm), (Some(50), TpmPresence::Absent));
    assert_eq!(a.enrolment_problem_json.as_deref(), Some(r#"{"code":"x"}"#));
    assert!(!a.reenrol_wanted, "a failed enrolment is not begun again by itself");
    assert_eq!(store.audit(0, 100).await.unwrap().len(), n_audit, "notes are not audited");
    let missing = store.note_seen(&"nobody".into(), 1).await;
    assert!(matches!(missing, Err(StoreError::NotFound(Kind::Host))));
}
