//! References: life, scope, uses, and judging anew.

use store::{
    Conflict, HostId, JudgedBy, Kind, NewReference, REFERENCES_PER_SCOPE_MAX, ReferenceId,
    ReferenceOrigin, ReferenceScope, ReferenceState, ReferenceUses, Rejudgement, Store, StoreError,
};

use super::make::{appraisal, by, digest, enrolled, host};

const COHORT: &str = r#"["Vendor","Model 9","1.2"]"#;

pub(crate) fn of_host(id: &str, host: &HostId) -> NewReference {
    NewReference {
        id: id.into(),
        scope: ReferenceScope::Host(host.clone()),
        name: "as delivered".into(),
        origin: ReferenceOrigin::Learnt,
        state: ReferenceState::Active,
        uses: ReferenceUses::Any,
        until_ms: None,
        document: format!("content of {id}").into_bytes(),
        reason: "first boot".into(),
    }
}

fn of_cohort(id: &str) -> NewReference {
    NewReference {
        scope: ReferenceScope::Cohort(COHORT.into()),
        ..of_host(id, &HostId::from("any"))
    }
}

async fn generation(store: &dyn Store) -> i64 {
    store.references_of_host(&"nobody".into(), None).await.unwrap().generation
}

/// The references that count for a host, by identifier.
async fn counting(store: &dyn Store, host: &HostId, cohort: Option<&str>) -> Vec<String> {
    let found = store.references_of_host(host, cohort).await.unwrap();
    let both = ["nobody".into(), host.clone()].map(|host| (host, cohort.map(str::to_owned)));
    let mut each = store.references_of_hosts(both.into()).await.unwrap();
    assert_eq!(each.pop().as_ref(), Some(&found), "several at once");
    let found = found.references;
    found.into_iter().map(|found| found.reference.id.to_string()).collect()
}

pub(crate) async fn a_life_goes_forward_only(store: &dyn Store) {
    use ReferenceState::{Active, Obsolete, Pending, Retired, Revoked};
    let a = enrolled(store, "a").await;
    let all = [Pending, Active, Obsolete, Retired, Revoked];
    let allowed = [
        (Pending, Active),
        (Pending, Retired),
        (Active, Obsolete),
        (Active, Retired),
        (Obsolete, Retired),
        (Pending, Revoked),
        (Active, Revoked),
        (Obsolete, Revoked),
        (Retired, Revoked),
    ];
    let mut n = 0;
    for from in all {
        for to in all {
            n += 1;
            let id = ReferenceId::from(format!("r{n}"));
            let new = NewReference { state: Pending, ..of_host(id.as_str(), &a.id) };
            store.add_reference(new, by(10)).await.unwrap();
            let path: &[ReferenceState] = match from {
                Pending => &[],
                Active => &[Active],
                Obsolete => &[Active, Obsolete],
                Retired => &[Retired],
                Revoked => &[Revoked],
            };
            for step in path {
                store.set_reference_state(&id, *step, "on the way", by(11)).await.unwrap();
            }
            let before = (generation(store).await, store.reference(&id).await.unwrap());
            let moved = store.set_reference_state(&id, to, "wanted", by(12)).await;
            if allowed.contains(&(from, to)) {
                moved.unwrap();
                assert_eq!(store.reference(&id).await.unwrap().unwrap().state, to);
                let last = store.reference_changes(&id).await.unwrap().pop().unwrap();
                assert_eq!((last.at_ms, last.actor.as_str(), last.state), (12, "alice", to));
                assert_eq!(last.reason, "wanted");
                assert!(generation(store).await > before.0);
            } else {
                let conflict = Conflict::ReferenceState { from: Some(from), to };
                assert!(
                    matches!(&moved, Err(StoreError::Conflict(found)) if *found == conflict),
                    "{from} {to}: {moved:?}"
                );
                let after = (generation(store).await, store.reference(&id).await.unwrap());
                assert_eq!(after, before, "nothing changed");
            }
            let life = store.reference_changes(&id).await.unwrap();
            assert_eq!((life[0].state, life[0].reason.as_str()), (Pending, "first boot"));
            // Room for the next one.
            let known = store.reference(&id).await.unwrap().unwrap();
            if known.state.may_become(Retired) {
                store.set_reference_state(&id, Retired, "", by(13)).await.unwrap();
            }
        }
    }
    for begins in [Obsolete, Retired, Revoked] {
        let new = NewReference { state: begins, ..of_host("never", &a.id) };
        let refused = store.add_reference(new, by(14)).await;
        assert!(matches!(
            refused,
            Err(StoreError::Conflict(Conflict::ReferenceState { from: None, .. }))
        ));
    }
    let nobody = store.set_reference_state(&"never".into(), Active, "", by(15)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound(Kind::Reference))));
    let audit = store.audit(0, 1_000).await.unwrap();
    let steps = audit.iter().filter(|row| row.action == "reference.state").count();
    assert!(steps > allowed.len());
    assert!(audit.iter().any(|row| row.action == "reference.add" && row.subject == "reference:r1"));
}

pub(crate) async fn references_count_for_their_hosts(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    store.add_reference(of_host("own", &a.id), by(10)).await.unwrap();
    store.add_reference(of_cohort("shared"), by(10)).await.unwrap();
    let pending = NewReference { state: ReferenceState::Pending, ..of_cohort("pending") };
    store.add_reference(pending, by(10)).await.unwrap();
    store.add_reference(of_cohort("retired"), by(10)).await.unwrap();
    store
        .set_reference_state(&"retired".into(), ReferenceState::Retired, "", by(11))
        .await
        .unwrap();
    store.add_reference(of_cohort("revoked"), by(10)).await.unwrap();
    store
        .set_reference_state(&"revoked".into(), ReferenceState::Revoked, "", by(11))
        .await
        .unwrap();
    assert_eq!(counting(store, &a.id, Some(COHORT)).await, ["own", "shared", "revoked"]);
    assert_eq!(counting(store, &a.id, None).await, ["own"]);
    assert_eq!(counting(store, &b.id, Some(COHORT)).await, ["shared", "revoked"]);
    assert_eq!(counting(store, &b.id, Some("other")).await, Vec::<String>::new());

    let own = store.reference(&"own".into()).await.unwrap().unwrap();
    assert_eq!((own.created_at_ms, own.created_by.as_str()), (10, "alice"));
    assert_eq!(own.scope, ReferenceScope::Host(a.id.clone()));
    assert_eq!(own.document_sha256, digest("content of own"));
    let document = store.reference_document(own.document_sha256).await.unwrap();
    assert_eq!(document.as_deref(), Some(&b"content of own"[..]));

    // Pages meet, and a host takes its references with it.
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = store.references(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        seen.extend(page.iter().map(|reference| reference.id.to_string()));
    }
    assert_eq!(seen, ["own", "shared", "pending", "retired", "revoked"]);
    store.remove_host(&a.id, by(20)).await.unwrap();
    assert_eq!(store.reference(&"own".into()).await.unwrap(), None);
    assert_eq!(store.reference_document(own.document_sha256).await.unwrap(), None);
    assert_eq!(counting(store, &b.id, Some(COHORT)).await, ["shared", "revoked"]);
}

pub(crate) async fn content_is_not_added_twice_nor_after_it_was_revoked(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    let with = |id: &str, host: &HostId| NewReference {
        document: b"the same".to_vec(),
        ..of_host(id, host)
    };
    let known = |result: Result<(), StoreError>| match result {
        Err(StoreError::Conflict(Conflict::ReferenceKnown { id, state })) => {
            (id.to_string(), state)
        }
        other => panic!("{other:?}"),
    };
    let limited = NewReference { uses: ReferenceUses::OneBoot, ..with("once", &a.id) };
    store.add_reference(limited, by(9)).await.unwrap();
    store.add_reference(with("first", &a.id), by(10)).await.unwrap();
    store.add_reference(with("of b", &b.id), by(10)).await.unwrap();
    let twice = store.add_reference(with("second", &a.id), by(11)).await;
    assert_eq!(known(twice), ("first".to_owned(), ReferenceState::Active));
    let set = |id: &'static str, state| {
        let id = ReferenceId::from(id);
        async move { store.set_reference_state(&id, state, "", by(12)).await.unwrap() }
    };
    set("first", ReferenceState::Retired).await;
    store.add_reference(with("second", &a.id), by(13)).await.unwrap();
    set("second", ReferenceState::Revoked).await;
    let again = store.add_reference(with("third", &a.id), by(14)).await;
    assert_eq!(known(again), ("second".to_owned(), ReferenceState::Revoked));
    let once = NewReference { uses: ReferenceUses::OneBoot, ..with("fourth", &a.id) };
    let again = store.add_reference(once, by(14)).await;
    assert_eq!(known(again), ("second".to_owned(), ReferenceState::Revoked));
    let nobody = store.add_reference(of_host("x", &"nobody".into()), by(15)).await;
    assert!(matches!(nobody, Err(StoreError::NotFound(Kind::Host))));
    let taken = store.add_reference(of_host("of b", &a.id), by(15)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(Conflict::IdTaken))));
}

pub(crate) async fn references_of_a_scope_are_limited(store: &dyn Store) {
    for n in 0..REFERENCES_PER_SCOPE_MAX {
        store.add_reference(of_cohort(&format!("r{n}")), by(10)).await.unwrap();
    }
    let full = store.add_reference(of_cohort("one too many"), by(11)).await;
    assert!(matches!(full, Err(StoreError::Limit { max: REFERENCES_PER_SCOPE_MAX, .. })));
    store.set_reference_state(&"r0".into(), ReferenceState::Retired, "", by(12)).await.unwrap();
    store.add_reference(of_cohort("one too many"), by(13)).await.unwrap();
}

pub(crate) async fn a_reference_of_one_boot_is_used_for_one(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    let once = NewReference { uses: ReferenceUses::OneBoot, ..of_cohort("once") };
    store.add_reference(once, by(10)).await.unwrap();
    let judged_by = |generation, reset_count| JudgedBy {
        reference_generation: Some(generation),
        one_boot: Some(("once".into(), reset_count)),
    };
    let now = generation(store).await;
    let used_for = |id: HostId| async move {
        let found = store.references_of_host(&id, Some(COHORT)).await.unwrap();
        assert_eq!(found.generation, now, "a use changes no reference");
        found.references[0].used_for_boot
    };
    assert_eq!(used_for(a.id.clone()).await, None);
    for nonce in [100, 101] {
        let new = store::NewAppraisal { judged_by: judged_by(now, 7), ..appraisal(&a, nonce) };
        store.record_appraisal(new, by(nonce)).await.unwrap();
    }
    assert_eq!(used_for(a.id.clone()).await, Some(7));
    let another_boot = store::NewAppraisal { judged_by: judged_by(now, 8), ..appraisal(&a, 102) };
    let refused = store.record_appraisal(another_boot, by(102)).await;
    assert!(matches!(refused, Err(StoreError::Conflict(Conflict::ReferencesChanged))));
    // Each host has its one.
    let other = store::NewAppraisal { judged_by: judged_by(now, 8), ..appraisal(&b, 100) };
    store.record_appraisal(other, by(103)).await.unwrap();
    assert_eq!((used_for(a.id.clone()).await, used_for(b.id.clone()).await), (Some(7), Some(8)));
    let audit = store.audit(0, 1_000).await.unwrap();
    assert_eq!(audit.iter().filter(|row| row.action == "reference.use").count(), 2);
}

pub(crate) async fn no_verdict_by_references_that_are_not_those(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.add_reference(of_host("own", &a.id), by(10)).await.unwrap();
    let generation = generation(store).await;
    let judged_by = JudgedBy { reference_generation: Some(generation), one_boot: None };
    let new = |nonce| store::NewAppraisal { judged_by: judged_by.clone(), ..appraisal(&a, nonce) };
    store.record_appraisal(new(100), by(100)).await.unwrap();
    store.set_reference_state(&"own".into(), ReferenceState::Revoked, "", by(101)).await.unwrap();
    let late = store.record_appraisal(new(102), by(102)).await;
    assert!(matches!(late, Err(StoreError::Conflict(Conflict::ReferencesChanged))), "{late:?}");
    assert_eq!(host(store, &a.id).await.last_nonce_at_ms, Some(100), "the challenge is not used");
}

pub(crate) async fn evidence_is_judged_anew_without_getting_younger(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let first = store.record_appraisal(appraisal(&a, 100), by(100)).await.unwrap();
    let anew = |of| Rejudgement {
        host: a.id.clone(),
        identity_version: a.identity_version,
        of,
        at_ms: 900,
        verdict: "not accepted".into(),
        findings_json: "[1]".into(),
        document_json: r#"{"anew":true}"#.into(),
        deciding: None,
        judged_by: JudgedBy::default(),
    };
    let second = store.record_rejudgement(anew(first), by(900)).await.unwrap();
    let found = host(store, &a.id).await;
    let last = found.last.unwrap();
    assert_eq!((last.id, last.at_ms, last.verdict.as_str()), (second, 105, "not accepted"));
    assert_eq!(last.findings_json, "[1]");
    assert_eq!(found.last_nonce_at_ms, Some(100));
    assert_eq!(store.evidence(second).await.unwrap(), store.evidence(first).await.unwrap());
    assert_eq!(store.appraisals(&a.id, 10).await.unwrap()[0].at_ms, 900);
    let told = store.audit(0, 1_000).await.unwrap().pop().unwrap();
    assert_eq!((told.action.as_str(), told.at_ms), ("host.verdict", 900));

    let stale = store.record_rejudgement(anew(first), by(901)).await;
    assert!(matches!(stale, Err(StoreError::Conflict(Conflict::NewerEvidence { .. }))));
    let another = Rejudgement { identity_version: 9, ..anew(second) };
    let another = store.record_rejudgement(another, by(901)).await;
    assert!(matches!(another, Err(StoreError::Conflict(Conflict::IdentityChanged { .. }))));
    let other = Rejudgement {
        judged_by: JudgedBy { reference_generation: Some(-1), one_boot: None },
        ..anew(second)
    };
    let other = store.record_rejudgement(other, by(901)).await;
    assert!(matches!(other, Err(StoreError::Conflict(Conflict::ReferencesChanged))));
    assert_eq!(host(store, &a.id).await.last.unwrap().id, second);
}
