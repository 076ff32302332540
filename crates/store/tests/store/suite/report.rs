//! Reports that are sent by themselves.

use serde_json::json;
use store::{ChannelLease, ReportTry, Store};

use super::make::by;

fn lease(holder: &str, until_ms: i64) -> ChannelLease {
    ChannelLease { holder: holder.to_owned(), until_ms }
}

fn sent() -> ReportTry {
    ReportTry::Sent(json!({ "sha256": "ab" }))
}

pub(crate) async fn a_report_is_sent_once_by_one(store: &dyn Store) {
    let claim = async |due_ms, holder: &str, now_ms| {
        store.claim_report("weekly", due_ms, lease(holder, now_ms + 100), now_ms).await.unwrap()
    };
    assert!(!claim(1_000, "a", 1_500).await, "what passed before it was known is nobody's");
    assert!(!claim(1_000, "a", 1_600).await);
    let one = store.report_runs().await.unwrap().remove(0);
    assert_eq!((one.name.as_str(), one.served_ms, one.sent_at_ms), ("weekly", 1_000, None));
    // Of several that come at once, one has it.
    let (one, two) = tokio::join!(claim(2_000, "a", 2_001), claim(2_000, "a", 2_001));
    assert!(one != two, "{one} {two}");
    let note = async |due_ms, holder: &str| {
        store.note_report("weekly", due_ms, sent(), holder, by(2_050)).await.unwrap()
    };
    assert!(!note(2_000, "b").await, "it is another's");
    let n_rows = store.audit_head().await.unwrap().0;
    assert!(note(2_000, "a").await);
    assert!(!note(2_000, "a").await, "once");
    let row = store.audit(n_rows, 10).await.unwrap().pop().unwrap();
    assert_eq!(
        (row.action.as_str(), row.subject.as_str()),
        ("report.send", "report-schedule:weekly")
    );
    assert!(!claim(2_000, "a", 2_900).await, "it was sent for that time");
    let one = store.report_runs().await.unwrap().remove(0);
    assert_eq!((one.served_ms, one.sent_at_ms), (2_000, Some(2_050)));
    // Who dies while it is at it keeps it from nobody for longer than its lease.
    assert!(claim(3_000, "a", 3_001).await);
    assert!(claim(3_000, "b", 3_200).await);
    assert!(!note(3_000, "a").await, "the lease of a is over");
    assert!(note(3_000, "b").await);
}

pub(crate) async fn a_try_that_failed_comes_again(store: &dyn Store) {
    let claim = async |now_ms| {
        store.claim_report("r", 2_000, lease("a", now_ms + 100), now_ms).await.unwrap()
    };
    let first = store.claim_report("r", 1_000, lease("a", 2), 1).await.unwrap();
    assert!(!first && claim(2_001).await);
    let failed = ReportTry::Failed { error: "no relay".to_owned(), again_at_ms: 2_500 };
    assert!(store.note_report("r", 2_000, failed, "a", by(2_010)).await.unwrap());
    let run = store.report_runs().await.unwrap().remove(0);
    assert_eq!((run.n_failed, run.last_error.as_deref()), (1, Some("no relay")));
    assert!(!claim(2_499).await);
    assert!(claim(2_500).await);
    assert!(store.note_report("r", 2_000, sent(), "a", by(2_510)).await.unwrap());
    let run = store.report_runs().await.unwrap().remove(0);
    assert_eq!((run.n_failed, run.last_error), (0, None));
}
