//! History that grows old.

use store::{AlarmCause, AuditChain, NewAppraisal, Settlement, Store, Thinning, ThinningStep};

use super::make::{appraisal, by, enrolled, host};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Thirty days with eight judgements each of two hosts; the verdict changes and changes back on day 7.
async fn histories(store: &dyn Store) -> [store::Host; 2] {
    let hosts = [enrolled(store, "a").await, enrolled(store, "b").await];
    for (n, of) in (0..240).flat_map(|n| hosts.iter().map(move |host| (n, host))) {
        judge(store, of, n).await;
    }
    [host(store, &hosts[0].id).await, host(store, &hosts[1].id).await]
}

/// The same of one host.
async fn history(store: &dyn Store, name: &str) -> store::Host {
    let enrolled = enrolled(store, name).await;
    for n in 0..240 {
        judge(store, &enrolled, n).await;
    }
    host(store, &enrolled.id).await
}

async fn judge(store: &dyn Store, of: &store::Host, n: i64) {
    let at_ms = n * DAY_MS / 8;
    let verdict = if n == 60 { "not-accepted" } else { "accepted" };
    let new = NewAppraisal { verdict: verdict.into(), at_ms, ..appraisal(of, at_ms + 1) };
    store.record_appraisal(new, by(at_ms)).await.unwrap();
}

fn rule(day: i64, thin: Option<i64>, end: Option<i64>) -> Thinning {
    Thinning {
        now_ms: day * DAY_MS,
        thin_before_ms: thin.map(|day| day * DAY_MS + 5_000),
        end_before_ms: end.map(|day| day * DAY_MS),
        pause_ms: DAY_MS / 2,
    }
}

/// A whole run.
async fn run(store: &dyn Store, rule: Thinning, n_max: u32) -> u64 {
    for _ in 0..10_000 {
        match store.thin_history(rule, n_max, by(rule.now_ms)).await.unwrap() {
            ThinningStep::More(n) => assert!(n <= n_max),
            ThinningStep::Done(n) => return n,
            ThinningStep::NotNow => panic!("nobody else does it"),
        }
    }
    panic!("it never ends")
}

/// Times of the judgements that are there, in eighths of days, oldest first.
async fn there(store: &dyn Store, host: &store::Host) -> Vec<i64> {
    let mut rows = store.appraisals(&host.id, 1_000).await.unwrap();
    rows.reverse();
    for row in &rows {
        assert_eq!(store.evidence(row.id).await.unwrap().len(), 2, "what stays keeps its evidence");
    }
    rows.into_iter().map(|row| row.at_ms * 8 / DAY_MS).collect()
}

pub(crate) async fn old_history_keeps_one_a_day_and_each_change(store: &dyn Store) {
    let [a, b] = histories(store).await;
    let thinned = rule(30, Some(20), None);
    let seen = store.thinning_preview(thinned, None, 100).await.unwrap();
    assert_eq!((seen.n_appraisals, seen.next), (480, None));
    // Nineteen days of seven, and one of which two changes stay.
    let n_go = 2 * (20 * 7 - 2);
    assert_eq!(seen.n_go, n_go);
    assert_eq!(run(store, thinned, 7).await, n_go);
    let mut expected: Vec<i64> = (0..20).map(|day| day * 8).chain(160..240).collect();
    expected.extend([60, 61]);
    expected.sort_unstable();
    for host in [&a, &b] {
        assert_eq!(there(store, host).await, expected);
    }
    // It is done for the day, also for another server, and one line says it.
    let again = store.thin_history(thinned, 100, by(thinned.now_ms)).await.unwrap();
    assert_eq!(again, ThinningStep::NotNow);
    let audit = store.audit(0, 1_000).await.unwrap();
    let lines: Vec<_> = audit.iter().filter(|row| row.action == "appraisal.thin").collect();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].detail_json.contains(&format!("\"n\":{n_go}")), "{}", lines[0].detail_json);
    let mut chain = AuditChain::default();
    audit.iter().for_each(|row| chain.check(row).unwrap());

    // A day later a day more, then what is older than ten days altogether.
    assert_eq!(run(store, rule(31, Some(21), None), 100).await, 14);
    assert_eq!(run(store, rule(32, Some(21), Some(10)), 100).await, 24);
    assert_eq!(there(store, &a).await.first(), Some(&80));
    assert_eq!(run(store, rule(33, Some(21), Some(10)), 100).await, 0, "nothing is left to do");
}

pub(crate) async fn what_somebody_needs_of_the_history_stays(store: &dyn Store) {
    let a = history(store, "a").await;
    // An alarm that stands since the 100th.
    let settlement = Settlement {
        host: a.id.clone(),
        change: store.claim_looks(i64::MAX, i64::MAX, 10).await.unwrap()[0].change,
        causes: vec![AlarmCause {
            code: "secure-boot-off".into(),
            severity: "fail".into(),
            cause: "x".into(),
        }],
        at_ms: 100 * DAY_MS / 8 + 5,
        look_again_at_ms: None,
        stands: store::Stood::Accepted,
    };
    store.settle_alarms(settlement).await.unwrap();
    let ended = rule(100, Some(90), Some(90));
    assert_eq!(run(store, ended, 1_000).await, 238);
    assert_eq!(there(store, &a).await, [100, 239], "the alarm's, and the last");
    assert_eq!(host(store, &a.id).await.last, a.last);
}

pub(crate) async fn a_run_goes_on_where_it_was(store: &dyn Store) {
    let a = history(store, "a").await;
    let thinned = rule(30, Some(20), None);
    let first = store.thin_history(thinned, 10, by(1)).await.unwrap();
    assert_eq!(first, ThinningStep::More(10));
    // Rules that hold from the next run on; a host that comes and one that goes meanwhile.
    let other = rule(31, Some(25), Some(24));
    enrolled(store, "0").await;
    assert_eq!(run(store, other, 10).await, 138);
    assert_eq!(there(store, &a).await.len(), 22 + 80);
    let mut left = 1_000;
    while store.return_space(8).await.unwrap() > 0 {
        left -= 1;
        assert!(left > 0, "it never ends");
    }
}

pub(crate) async fn evidence_that_packs_comes_back_as_it_was(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let log = store::EvidencePart::hash("log", b"a line of a log\n".repeat(10_000));
    let new = appraisal(&a, 10);
    let evidence = vec![log.clone(), new.evidence[0].clone()];
    let id = store
        .record_appraisal(NewAppraisal { evidence: evidence.clone(), ..new }, by(10))
        .await
        .unwrap();
    assert_eq!(store.evidence(id).await.unwrap(), evidence);
    assert_eq!(store.evidence_by_sha256(log.sha256).await.unwrap(), Some(log.bytes.clone()));
    // The limit is on what it is unpacked.
    let parts = store.evidence_of_many(vec![id], 159_999).await.unwrap().remove(0);
    assert_eq!(parts[0].bytes, None);
    assert_eq!(parts[1].bytes.as_ref(), Some(&evidence[1].bytes));
    let parts = store.evidence_of_many(vec![id], 160_000).await.unwrap().remove(0);
    assert_eq!(parts[0].bytes, Some(log.bytes));
}
