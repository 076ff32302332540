//! What those who run servers look at.

use store::{AuditNote, CensusRow, CensusTimes, NewCandidate, Store};

use super::make::{appraisal, by, digest, enrolled, new_host};

pub(crate) async fn a_probe_writes_and_changes_nothing(store: &dyn Store) {
    let before = store.audit_head().await.unwrap();
    let probed = store.probe().await.unwrap();
    assert_eq!(probed.schema_found, probed.schema_known);
    assert_eq!(store.probe().await.unwrap(), probed);
    assert_eq!(store.audit_head().await.unwrap(), before);
    let activity = store.activity();
    assert!(activity.n_committed >= 2, "{activity:?}");
    assert_eq!((activity.n_lost, activity.n_waiting), (0, 0));
    let n_batches: u64 = activity.batch.counts.iter().map(|(_, n)| n).sum();
    assert_eq!(n_batches + activity.batch.n_above, activity.n_committed);
    assert!(activity.n_busy_max > 0 && activity.n_busy <= activity.n_busy_max);
    assert!(store.n_bytes().await.unwrap() > 4096);
}

pub(crate) async fn one_policy_is_in_force(store: &dyn Store) {
    assert_eq!(store.policy_in_force().await.unwrap(), None);
    let put = async |text, at_ms| store.put_policy_in_force(digest(text), by(at_ms)).await.unwrap();
    assert_eq!(put("a", 1).await, None);
    let in_force = store.policy_in_force().await.unwrap().unwrap();
    assert_eq!((in_force.sha256, in_force.at_ms), (digest("a"), 1));
    let n_rows = store.audit_head().await.unwrap().0;
    assert_eq!(put("a", 2).await, Some(in_force.clone()), "the same again changes nothing");
    assert_eq!(store.policy_in_force().await.unwrap(), Some(in_force.clone()));
    assert_eq!(store.audit_head().await.unwrap().0, n_rows);
    assert_eq!(put("b", 3).await, Some(in_force));
    assert_eq!(store.policy_in_force().await.unwrap().unwrap().sha256, digest("b"));
    let row = store.audit(n_rows, 10).await.unwrap().pop().unwrap();
    assert_eq!(row.action, "policy.begin");
    assert!(row.detail_json.contains(&hex::encode(digest("a"))), "{}", row.detail_json);

    // Of several that begin at once, one changes it.
    let n_rows = store.audit_head().await.unwrap().0;
    let begin = || store.put_policy_in_force(digest("c"), by(4));
    let (one, two, three) = tokio::join!(begin(), begin(), begin());
    let changed = [one, two, three].map(|before| before.unwrap().unwrap().sha256 != digest("c"));
    assert_eq!(changed.iter().filter(|changed| **changed).count(), 1, "{changed:?}");
    assert_eq!(store.audit_head().await.unwrap().0, n_rows + 1);
}

pub(crate) async fn a_note_is_a_row_of_the_chain(store: &dyn Store) {
    let note = AuditNote {
        action: "policy.refuse",
        subject: "policy".to_owned(),
        detail: serde_json::json!({ "error": "line 1" }),
    };
    store.note_for_audit(note, by(7)).await.unwrap();
    let rows = store.audit(0, 10).await.unwrap();
    let mut chain = store::AuditChain::default();
    rows.iter().for_each(|row| chain.check(row).unwrap());
    let row = rows.last().unwrap();
    assert_eq!((row.action.as_str(), row.at_ms), ("policy.refuse", 7));
    assert_eq!(row.detail_json, r#"{"error":"line 1"}"#);
}

pub(crate) async fn hosts_are_counted_as_they_stand(store: &dyn Store) {
    let times = |now_ms: i64| CensusTimes {
        now_ms,
        good_since_ms: now_ms - 1_000,
        heard_since_ms: now_ms - 100,
        answers_within_ms: 50,
    };
    assert_eq!(store.census(times(1)).await.unwrap(), []);
    let sound = enrolled(store, "a").await;
    let bad = enrolled(store, "b").await;
    store.create_host(new_host("c"), by(4)).await.unwrap();
    store.record_appraisal(appraisal(&sound, 10), by(15)).await.unwrap();
    let refused = store::NewAppraisal { verdict: "not accepted".into(), ..appraisal(&bad, 10) };
    store.record_appraisal(refused, by(15)).await.unwrap();
    store.note_seen(&sound.id, 20).await.unwrap();
    store.disconnect_host(&bad.id, by(20)).await.unwrap();
    store.enter_maintenance(&sound.id, Some(40), "disk", by(20)).await.unwrap();

    let census = async |now_ms| {
        let rows = store.census(times(now_ms)).await.unwrap();
        let row = |CensusRow { connection, verdict, n_hosts, n_in_maintenance }: CensusRow| {
            assert_eq!(n_hosts, 1);
            format!("{connection}, {verdict}, {n_in_maintenance}")
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let young = "connected, not appraised, 0";
    let bad = "disconnected, not accepted, 0";
    let silent = "not responding, not appraised, 0";
    assert_eq!(census(30).await, ["connected, accepted, 1", young, bad]);
    assert_eq!(census(40).await[0], "connected, accepted, 0", "maintenance ends by itself");
    assert_eq!(census(120).await, ["connected, accepted, 0", bad, silent]);
    assert_eq!(census(121).await, [bad, "not responding, accepted, 0", silent]);
    let rows = store.census(times(1_016)).await.unwrap();
    assert!(rows.iter().all(|row| row.verdict == "not appraised"), "verdicts end: {rows:?}");

    // Another TPM: the enrolled one has some time to answer.
    let candidate = NewCandidate {
        host: sound.id.clone(),
        ek_spki_sha256: digest("x"),
        judgement_json: "{}".into(),
        expires_at_ms: 500,
        stale_before_ms: 0,
    };
    store.note_candidate(candidate, by(200)).await.unwrap();
    let of_sound = async |now_ms| {
        let rows = census(now_ms).await;
        let is_sound =
            |row: &String| row.starts_with("not responding") && row.ends_with("accepted, 0");
        rows.into_iter().find(is_sound)
    };
    assert_eq!(of_sound(250).await.unwrap(), "not responding, accepted, 0");
    assert_eq!(of_sound(251).await.unwrap(), "not responding, not accepted, 0");
    assert_eq!(of_sound(500).await.unwrap(), "not responding, accepted, 0", "it was forgotten");
}
