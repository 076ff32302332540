//! Appraisals, evidence, audit.

use std::future::poll_fn;
use std::task::Poll;

use store::{
    ANSWER_PART, AuditBreak, AuditChain, Conflict, DecidedBy, Deciding, EvidencePart, JudgedBy,
    KeptPart, NewAppraisal, Origin, Reenrolment, Rejudgement, Reply, Store, StoreError, StoredPart,
};

use super::make::{appraisal, by, completion, digest, enrolled, host, pending_of};

/// Polls all replies at once and waits for every one.
pub(crate) async fn all<'a, T: 'a>(
    replies: impl IntoIterator<Item = Reply<'a, T>>,
) -> Vec<Result<T, StoreError>> {
    let mut replies: Vec<Reply<'a, T>> = replies.into_iter().collect();
    let mut results: Vec<Option<Result<T, StoreError>>> = replies.iter().map(|_| None).collect();
    poll_fn(|cx| {
        for (reply, result) in replies.iter_mut().zip(&mut results) {
            if result.is_none()
                && let Poll::Ready(ready) = reply.as_mut().poll(cx)
            {
                *result = Some(ready);
            }
        }
        if results.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}

fn is_nonce_used<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict(Conflict::NonceUsed)))
}

pub(crate) async fn nonce_is_used_once(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.record_appraisal(appraisal(&a, 100), by(101)).await.unwrap();
    for stale in [100, 99, i64::MIN] {
        let result = store.record_appraisal(appraisal(&a, stale), by(102)).await;
        assert!(is_nonce_used(&result), "{stale}: {result:?}");
    }
    assert_eq!(store.appraisals(&a.id, 10).await.unwrap().len(), 1);
    assert_eq!(host(store, &a.id).await.last_nonce_at_ms, Some(100));
    store.record_appraisal(appraisal(&a, 101), by(103)).await.unwrap();
    let b = enrolled(store, "b").await;
    store.record_appraisal(appraisal(&b, 50), by(103)).await.unwrap();
}

pub(crate) async fn one_of_many_wins_a_nonce(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let results = all((0..64).map(|_| store.record_appraisal(appraisal(&a, 100), by(101)))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|result| is_nonce_used(result)).count(), 63);
    assert_eq!(store.appraisals(&a.id, 100).await.unwrap().len(), 1);
}

pub(crate) async fn kept_parts_are_those_of_evidence_before(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.record_appraisal(appraisal(&a, 100), by(100)).await.unwrap();
    let new = appraisal(&a, 101);
    let (mut evidence, log) = (new.evidence.clone(), new.evidence[1].clone());
    let named = |sha256| KeptPart { name: "log".into(), sha256 };
    evidence.truncate(1);

    let gone = digest("a log that nobody stored");
    let kept = vec![named(log.sha256), named(gone)];
    let unknown = NewAppraisal { evidence: evidence.clone(), kept, ..new.clone() };
    let refused = store.record_appraisal(unknown, by(101)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict(Conflict::EvidenceGone)), "{refused:?}");
    assert_eq!(store.appraisals(&a.id, 10).await.unwrap().len(), 1, "nothing is recorded");

    let new = NewAppraisal { evidence: evidence.clone(), kept: vec![named(log.sha256)], ..new };
    let id = store.record_appraisal(new, by(101)).await.unwrap();
    assert_eq!(store.evidence(id).await.unwrap(), [evidence.remove(0), log]);
}

pub(crate) async fn what_judgements_rest_on_is_listed_once(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let parts =
        |n: u8| vec![EvidencePart::hash("state", vec![n]), EvidencePart::hash("log", vec![n, n])];
    let new = |nonce_at_ms: i64, of: u8| NewAppraisal {
        answer: Some(nonce_at_ms.to_string().into_bytes()),
        evidence: parts(of),
        ..appraisal(&a, nonce_at_ms)
    };
    let whole = |nonce_at_ms: i64, of: u8| {
        let mut all = vec![EvidencePart::hash(ANSWER_PART, nonce_at_ms.to_string().into_bytes())];
        all.extend(parts(of));
        all
    };
    let boots = [(10, 1), (20, 1), (30, 2), (40, 2), (50, 1)];
    let mut ids = Vec::new();
    for (nonce_at_ms, of) in boots {
        ids.push(store.record_appraisal(new(nonce_at_ms, of), by(nonce_at_ms)).await.unwrap());
    }
    for (id, (nonce_at_ms, of)) in ids.iter().zip(boots) {
        assert_eq!(store.evidence(*id).await.unwrap(), whole(nonce_at_ms, of), "{nonce_at_ms}");
    }
    let answer = store.evidence_of_many(vec![ids[0]], 1).await.unwrap().remove(0).remove(0);
    assert_eq!((answer.name.as_str(), answer.bytes), (ANSWER_PART, None), "more than a byte");

    // Another order is the same list, another name is another one.
    let mut turned = new(55, 1);
    turned.evidence.reverse();
    let id = store.record_appraisal(turned, by(55)).await.unwrap();
    assert_eq!(store.evidence(id).await.unwrap(), whole(55, 1));
    let mut other = new(60, 1);
    other.evidence[0].name = "other".to_owned();
    let id = store.record_appraisal(other.clone(), by(60)).await.unwrap();
    assert_eq!(store.evidence(id).await.unwrap()[1..], other.evidence);

    // It lasts as long as a judgement that rests on it.
    for (n_left, is_there) in
        [(6, [true, true]), (4, [true, true]), (3, [true, false]), (1, [true, false])]
    {
        let n_now = u32::try_from(store.appraisals(&a.id, 10).await.unwrap().len()).unwrap();
        store.forget_appraisals(1_000, n_now - n_left, by(70)).await.unwrap();
        for (of, is_there) in [1, 2].into_iter().zip(is_there) {
            let log = store.evidence_by_sha256(parts(of)[1].sha256).await.unwrap();
            assert_eq!(log.is_some(), is_there, "log of {of} with {n_left} left");
        }
    }
    store.remove_host(&a.id, by(80)).await.unwrap();
    assert_eq!(store.evidence_by_sha256(parts(1)[1].sha256).await.unwrap(), None);
}

pub(crate) async fn needs_the_judged_identity(store: &dyn Store) {
    let judged = enrolled(store, "a").await;
    store.reconnect_host(&judged.id, Reenrolment::Wanted, by(4)).await.unwrap();
    let origin = Origin::Host(judged.id.clone());
    store.begin_enrolment(pending_of("re", origin, "a"), by(5)).await.unwrap();
    store.complete_enrolment(completion("re", "a"), by(6)).await.unwrap();
    let late = store.record_appraisal(appraisal(&judged, 7), by(7)).await.unwrap_err();
    assert!(matches!(late, StoreError::Conflict(Conflict::IdentityChanged { .. })), "{late:?}");
    assert_eq!(host(store, &judged.id).await.last, None);
    let nobody = NewAppraisal { host: "nobody".into(), ..appraisal(&judged, 8) };
    assert!(matches!(
        store.record_appraisal(nobody, by(8)).await,
        Err(StoreError::NotFound(store::Kind::Host))
    ));
}

pub(crate) async fn evidence_is_shared_and_verbatim(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let b = enrolled(store, "b").await;
    let mut of_a = appraisal(&a, 10);
    of_a.evidence.push(EvidencePart::hash("log", Vec::new()));
    let first = store.record_appraisal(of_a.clone(), by(10)).await.unwrap();
    let second = store.record_appraisal(appraisal(&b, 10), by(10)).await.unwrap();
    assert!(second > first);
    assert_eq!(store.evidence(first).await.unwrap(), of_a.evidence);
    // Several at once, larger parts by their digest alone.
    let size = "the same log".len() as u32;
    for bytes_max in [0, size - 1, size, u32::MAX] {
        let many = store.evidence_of_many(vec![second, first], bytes_max).await.unwrap();
        for (parts, id) in many.into_iter().zip([second, first]) {
            let whole = store.evidence(id).await.unwrap().into_iter().map(|part| StoredPart {
                bytes: (part.bytes.len() as u64 <= bytes_max.into()).then_some(part.bytes),
                name: part.name,
                sha256: part.sha256,
            });
            assert_eq!(parts, whole.collect::<Vec<_>>(), "{bytes_max}");
        }
    }
    let log = digest("the same log");
    assert_eq!(store.evidence(second).await.unwrap()[1].sha256, log);
    assert_eq!(store.evidence_by_sha256(log).await.unwrap().unwrap(), b"the same log");
    assert_eq!(store.evidence_by_sha256(digest("no")).await.unwrap(), None);
}

pub(crate) async fn summary_is_the_last(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let first = appraisal(&a, 10);
    store.record_appraisal(first.clone(), by(15)).await.unwrap();
    let mut second = appraisal(&a, 20);
    second.verdict = "not-accepted".into();
    second.findings_json = r#"["secure-boot-off"]"#.into();
    second.quote_clock = None;
    let id = store.record_appraisal(second.clone(), by(25)).await.unwrap();

    let found = host(store, &a.id).await;
    let last = found.last.unwrap();
    assert_eq!((last.id, last.at_ms, last.verdict.as_str()), (id, 25, "not-accepted"));
    assert_eq!(last.findings_json, second.findings_json);
    assert_eq!(found.next_due_at_ms, Some(60_020));
    assert_eq!((found.last_nonce_at_ms, found.last_seen_at_ms), (Some(20), Some(25)));
    assert_eq!(found.last_quote_clock, first.quote_clock, "no new quote: the known one stays");
    let history = store.appraisals(&a.id, 10).await.unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].document_json, second.document_json, "newest first");
    assert_eq!(store.appraisals(&a.id, 1).await.unwrap(), history[..1]);
    assert_eq!(store.appraisal(id).await.unwrap().as_ref(), history.first());
}

pub(crate) async fn younger_wish_survives(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.request_attestation(&a.id, by(10)).await.unwrap();
    assert_eq!(host(store, &a.id).await.attest_requested_at_ms, Some(10));
    // This challenge was sent before the person asked.
    store.record_appraisal(appraisal(&a, 9), by(12)).await.unwrap();
    assert_eq!(host(store, &a.id).await.attest_requested_at_ms, Some(10));
    store.record_appraisal(appraisal(&a, 10), by(13)).await.unwrap();
    assert_eq!(host(store, &a.id).await.attest_requested_at_ms, None);
}

pub(crate) async fn history_is_forgotten_but_the_last(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let mut quotes = Vec::new();
    for n in 1..=4 {
        let new = appraisal(&a, n * 10);
        quotes.push(new.evidence[0].sha256);
        store.record_appraisal(new, by(n * 10)).await.unwrap();
    }
    assert_eq!(store.forget_appraisals(1_000, 2, by(50)).await.unwrap(), 2);
    assert_eq!(store.forget_appraisals(1_000, 2, by(51)).await.unwrap(), 1);
    assert_eq!(store.forget_appraisals(1_000, 2, by(52)).await.unwrap(), 0);
    assert_eq!(store.appraisals(&a.id, 10).await.unwrap().len(), 1);
    assert_eq!(store.evidence_by_sha256(quotes[2]).await.unwrap(), None);
    assert!(store.evidence_by_sha256(quotes[3]).await.unwrap().is_some());
    assert!(store.evidence_by_sha256(digest("the same log")).await.unwrap().is_some());
}

pub(crate) async fn audit_tells_changes_of_verdict(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    for (nonce, verdict) in
        [(10, "accepted"), (20, "accepted"), (30, "not-accepted"), (40, "accepted")]
    {
        let new = NewAppraisal { verdict: verdict.into(), ..appraisal(&a, nonce) };
        store.record_appraisal(new, by(nonce)).await.unwrap();
    }
    let audit = store.audit(0, 100).await.unwrap();
    let edges: Vec<i64> = audit
        .iter()
        .filter(|row| row.action == "host.verdict" && row.subject == "host:host-a")
        .map(|row| row.at_ms)
        .collect();
    assert_eq!(edges, [10, 30, 40]);
}

pub(crate) async fn audit_chain_holds_and_finds_changes(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.disconnect_host(&a.id, by(10)).await.unwrap();
    store.remove_host(&a.id, by(11)).await.unwrap();
    let rows = store.audit(0, 100).await.unwrap();
    let actions: Vec<&str> = rows.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(
        actions,
        ["join-token.add", "enrolment.begin", "host.enrol", "host.disconnect", "host.remove"]
    );
    let mut chain = AuditChain::default();
    for row in &rows {
        assert_eq!(row.actor, "alice");
        chain.check(row).unwrap();
    }
    assert_eq!(chain.head(), (5, rows[4].sha256));
    assert_eq!(store.audit(3, 1).await.unwrap(), rows[3..4]);

    for n in 0..rows.len() {
        let mut changed = rows.clone();
        changed[n].detail_json.push(' ');
        let seq = changed[n].seq;
        assert_eq!(first_break(&changed), Some(AuditBreak::Seal { seq }));
        // Sealed again by someone who does not seal what follows.
        let before = if n == 0 { [0; 32] } else { changed[n - 1].sha256 };
        changed[n].sha256 = changed[n].seal(&before);
        let next = rows.get(n + 1).map(|row| AuditBreak::Seal { seq: row.seq });
        assert_eq!(first_break(&changed), next);
        let mut cut = rows.clone();
        cut.remove(n);
        let gap = AuditBreak::Gap { expected: seq, found: seq + 1 };
        assert_eq!(first_break(&cut), (n + 1 < rows.len()).then_some(gap));
    }
}

fn first_break(rows: &[store::AuditRow]) -> Option<AuditBreak> {
    let mut chain = AuditChain::default();
    rows.iter().find_map(|row| chain.check(row).err())
}

pub(crate) async fn many_at_once(store: &dyn Store) {
    const N_HOSTS: i64 = 64;
    const N_EACH: i64 = 20;
    let mut hosts = Vec::new();
    for n in 0..N_HOSTS {
        hosts.push(enrolled(store, &format!("h{n}")).await);
    }
    let mut n_recorded = vec![0; hosts.len()];
    for round in 1..=N_EACH {
        // Beside each good request one that fails, in the same transaction.
        let requests = hosts.iter().flat_map(|host| {
            let good = store.record_appraisal(appraisal(host, round * 10), by(round));
            let bad = store.record_appraisal(appraisal(host, round * 10 - 10), by(round));
            [good, bad]
        });
        for (pair, n) in all(requests).await.chunks(2).zip(&mut n_recorded) {
            assert!(pair[0].is_ok(), "{:?}", pair[0]);
            // In the first round it is good, where it happens to come first.
            assert!(round == 1 || is_nonce_used(&pair[1]), "{:?}", pair[1]);
            *n += pair.iter().filter(|result| result.is_ok()).count();
        }
    }
    for (host, n) in hosts.iter().zip(n_recorded) {
        let rows = store.appraisals(&host.id, 100).await.unwrap();
        assert_eq!(rows.len(), n);
        assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(row.at_ms)));
    }
    let rows = store.audit(0, 1_000).await.unwrap();
    assert_eq!(first_break(&rows), None);
}

pub(crate) async fn a_line_of_the_history_says_what_decided(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let deciding = |code: &str| {
        Some(Deciding { code: code.to_owned(), cause: format!("because of '{code}'") })
    };
    store.record_appraisal(appraisal(&a, 100), by(105)).await.unwrap();
    let off = NewAppraisal {
        verdict: "not accepted".into(),
        deciding: deciding("secure-boot-off"),
        ..appraisal(&a, 200)
    };
    let of = store.record_appraisal(off, by(205)).await.unwrap();
    let anew = Rejudgement {
        host: a.id.clone(),
        identity_version: a.identity_version,
        of,
        at_ms: 300,
        verdict: "not accepted".into(),
        findings_json: "[]".into(),
        document_json: "{}".into(),
        deciding: deciding("log-mismatch"),
        judged_by: JudgedBy::default(),
    };
    store.record_rejudgement(anew, by(305)).await.unwrap();
    let b = enrolled(store, "b").await;
    store.record_appraisal(appraisal(&b, 50), by(55)).await.unwrap();

    let lines = store.appraisal_lines(&a.id, 10).await.unwrap();
    let rows = store.appraisals(&a.id, 10).await.unwrap();
    assert_eq!(lines.len(), 3);
    for (line, row) in lines.iter().zip(&rows) {
        assert_eq!((line.id, line.at_ms, &line.verdict), (row.id, row.at_ms, &row.verdict));
    }
    let decided: Vec<_> = lines.into_iter().map(|line| line.decided_by).collect();
    let by_finding = |code: &str| DecidedBy::Finding(deciding(code).unwrap());
    let expected = [by_finding("log-mismatch"), by_finding("secure-boot-off"), DecidedBy::Nothing];
    assert_eq!(decided, expected);
    let newest = store.appraisal_lines(&a.id, 1).await.unwrap();
    assert_eq!(newest[0].decided_by, by_finding("log-mismatch"));
}
