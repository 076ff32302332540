//! Judgements of hosts that go on as they were, many at one time.

use store::{
    Conflict, EvidencePart, Host, JudgedBy, NewAppraisal, QuotedValues, Store, StoreError,
};

use super::appraisal::all;
use super::make::{appraisal, by, enrolled, host};

/// A verdict on the same parts each time; what answered the challenge is another.
pub(crate) fn routine(host: &Host, nonce_at_ms: i64) -> NewAppraisal {
    NewAppraisal {
        answer: Some(format!("{} answers {nonce_at_ms}", host.id).into_bytes()),
        evidence: vec![EvidencePart::hash("log", b"the same log".to_vec())],
        cohort: Some("a model".into()),
        quoted: Some(QuotedValues { bank: "sha256".into(), values: vec![(0, vec![7; 32])] }),
        ..appraisal(host, nonce_at_ms)
    }
}

/// Hosts that were judged once, for the nonce 100.
pub(crate) async fn judged(store: &dyn Store, n: usize) -> Vec<Host> {
    let mut hosts = Vec::new();
    for n in 0..n {
        let new = enrolled(store, &format!("h{n}")).await;
        store.record_appraisal(routine(&new, 100), by(105)).await.unwrap();
        hosts.push(host(store, &new.id).await);
    }
    hosts
}

pub(crate) async fn what_goes_on_as_it_was_is_recorded_together(store: &dyn Store) {
    let hosts = judged(store, 40).await;
    for nonce_at_ms in [200, 300] {
        let records = hosts
            .iter()
            .map(|host| store.record_appraisal(routine(host, nonce_at_ms), by(nonce_at_ms + 5)));
        let ids: Vec<_> =
            all(records).await.into_iter().collect::<Result<_, _>>().expect("all are recorded");
        for (before, id) in hosts.iter().zip(ids) {
            let new = routine(before, nonce_at_ms);
            let after = host(store, &before.id).await;
            let last = after.last.as_ref().expect("it was judged");
            assert_eq!((last.id, last.at_ms), (id, new.at_ms));
            assert_eq!(last.identity_version, before.identity_version);
            assert_eq!(after.last_nonce_at_ms, Some(nonce_at_ms));
            assert_eq!(after.next_due_at_ms, Some(new.next_due_at_ms));
            assert_eq!(after.last_seen_at_ms, Some(new.at_ms));
            assert_eq!(after.last_quote_clock, new.quote_clock);
            let row = store.appraisal(id).await.unwrap().expect("its row is there");
            assert_eq!((row.host, row.document_json), (before.id.clone(), new.document_json));
            let parts = store.evidence(id).await.unwrap();
            assert_eq!(parts.first().map(|part| part.bytes.clone()), new.answer);
            assert_eq!(parts.get(1).map(|part| part.name.as_str()), Some("log"));
            assert_eq!(store.appraisals(&before.id, 9).await.unwrap()[0].id, id);
        }
    }
    let told = store.audit(0, 1_000).await.unwrap();
    let n = told.iter().filter(|row| row.action == "host.verdict").count();
    assert_eq!(n, hosts.len(), "the first verdict of each, and no other");
}

pub(crate) async fn each_of_a_group_is_refused_by_itself(store: &dyn Store) {
    let hosts = judged(store, 8).await;
    let [sound, gone, renewed, stale, doubled, by_old, ..] = &hosts[..] else { panic!() };
    store.disconnect_host(&gone.id, by(110)).await.unwrap();
    let changed = store.references_of_host(&sound.id, None).await.unwrap().generation + 1;
    let judged_by =
        |generation| JudgedBy { reference_generation: Some(generation), ..JudgedBy::default() };
    let news = [
        routine(sound, 200),
        routine(gone, 200),
        NewAppraisal { identity_version: renewed.identity_version + 1, ..routine(renewed, 200) },
        routine(stale, 100),
        routine(doubled, 200),
        routine(doubled, 200),
        NewAppraisal { judged_by: judged_by(changed), ..routine(by_old, 200) },
        NewAppraisal { host: "nobody".into(), ..routine(sound, 300) },
        NewAppraisal { judged_by: judged_by(changed - 1), ..routine(&hosts[6], 200) },
        routine(&hosts[7], 200),
    ];
    let records = news.map(|new| store.record_appraisal(new, by(205)));
    let results = all(records).await;
    let refusal = |n: usize| match &results[n] {
        Err(StoreError::Conflict(conflict)) => conflict.clone(),
        other => panic!("{n}: {other:?}"),
    };
    assert!(results[0].is_ok(), "{:?}", results[0]);
    assert_eq!(refusal(1), Conflict::HostDisconnected { host: gone.id.clone() });
    assert_eq!(refusal(2), Conflict::IdentityChanged { host: renewed.id.clone() });
    assert_eq!(refusal(3), Conflict::NonceUsed);
    let n_doubled = results[4..6].iter().filter(|result| result.is_ok()).count();
    assert_eq!(n_doubled, 1, "{:?}", &results[4..6]);
    assert_eq!(refusal(6), Conflict::ReferencesChanged);
    assert!(matches!(results[7], Err(StoreError::NotFound(_))), "{:?}", results[7]);
    assert!(results[8].is_ok() && results[9].is_ok(), "{:?}", &results[8..]);
    for refused in [gone, renewed, stale, by_old] {
        assert_eq!(host(store, &refused.id).await.last, refused.last, "nothing is written");
        assert_eq!(store.appraisals(&refused.id, 9).await.unwrap().len(), 1);
    }
    assert_eq!(store.appraisals(&doubled.id, 9).await.unwrap().len(), 2);
}

pub(crate) async fn what_changes_is_recorded_beside_what_does_not(store: &dyn Store) {
    let hosts = judged(store, 8).await;
    let other = |host: &Host| NewAppraisal {
        evidence: vec![EvidencePart::hash("log", format!("of {}", host.id).into_bytes())],
        ..routine(host, 200)
    };
    let news = [
        routine(&hosts[0], 200),
        NewAppraisal { verdict: "not accepted".into(), ..routine(&hosts[1], 200) },
        other(&hosts[2]),
        NewAppraisal { cohort: Some("another model".into()), ..routine(&hosts[3], 200) },
        NewAppraisal { cohort: None, ..routine(&hosts[4], 200) },
        NewAppraisal {
            quoted: Some(QuotedValues { bank: "sha256".into(), values: vec![(0, vec![8; 32])] }),
            ..routine(&hosts[5], 200)
        },
        // No quote verified: what is known of the host stays.
        NewAppraisal { quoted: None, quote_clock: None, ..routine(&hosts[6], 200) },
        NewAppraisal { findings_json: r#"[{"code":"x"}]"#.into(), ..routine(&hosts[7], 200) },
    ];
    let records = news.map(|new| store.record_appraisal(new, by(205)));
    let ids: Vec<_> =
        all(records).await.into_iter().collect::<Result<_, _>>().expect("all are recorded");
    let mut after = Vec::new();
    for (one, id) in hosts.iter().zip(&ids) {
        let one = host(store, &one.id).await;
        assert_eq!(one.last.as_ref().map(|last| last.id), Some(*id));
        after.push(one);
    }
    assert_eq!(after[1].last.as_ref().unwrap().verdict, "not accepted");
    let parts = store.evidence(ids[2]).await.unwrap();
    assert_eq!(parts[1].bytes, format!("of {}", hosts[2].id).into_bytes());
    assert_eq!(after[3].cohort.as_deref(), Some("another model"));
    assert_eq!(after[4].cohort, None);
    // Of one model still: hosts 0 to 2 and 5 to 7.
    let peers = store.peers(&hosts[0].id).await.unwrap().unwrap();
    let [pcr] = &peers.pcrs[..] else { panic!("{peers:?}") };
    assert_eq!((pcr.n_hosts, pcr.n_same), (6, 5), "one has another value");
    assert_eq!(after[6].last_quote_clock, hosts[6].last_quote_clock);
    assert_eq!(after[7].last.as_ref().unwrap().findings_json, r#"[{"code":"x"}]"#);
    let told = store.audit(0, 1_000).await.unwrap();
    let of_one = format!("host:{}", hosts[1].id);
    let turned = told.iter().filter(|row| row.action == "host.verdict" && row.subject == of_one);
    assert_eq!(turned.count(), 2, "its first verdict, and its change");
}
