//! What is stored of a judgement that finds what the last one found.

use api::{
    admin::PastAppraisal,
    fleet_report::{ReportKind, ReportQuery},
};
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server},
    references::reboot,
    reports::report,
};

/// Bytes of a row's document that has only what is new; a whole one has more than a thousand.
const SHORT_BYTES: i64 = 400;

/// Bytes of the documents in the rows of judgements, the oldest first, and how often something lies apart of them.
fn stored(server: &Server) -> (Vec<i64>, i64) {
    let db = server.database();
    let mut rows = db.prepare("SELECT length(document_json) FROM appraisals ORDER BY id").unwrap();
    let documents = rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>();
    let sql = "SELECT count(DISTINCT evidence_id) FROM listed_evidence WHERE name = 'judgement'";
    (documents.unwrap(), db.query_row(sql, [], |row| row.get(0)).unwrap())
}

async fn judgements(server: &Server, id: &str) -> Vec<PastAppraisal> {
    let mut past: Vec<PastAppraisal> =
        server.admin.get(&format!("/v1/hosts/{id}/appraisals")).await.unwrap();
    past.reverse();
    past
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_says_again_is_stored_once_and_told_each_time() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = Host::boot("web-1", &BootLog::sound().secure_boot_off());
    let id = server.join(&host).await.host_id;
    // The first is asked for more PCRs than the others, since no log of the host is known.
    for _ in 0..5 {
        host.attest(&server).await.unwrap();
    }
    let (documents, n_apart) = stored(&server);
    assert!(documents[0] > SHORT_BYTES, "nothing was found before: {documents:?}");
    assert!(documents[2..].iter().all(|n| *n < SHORT_BYTES), "{documents:?}");
    assert_eq!((documents.len(), n_apart), (5, 1));

    // All say the same, but for the counters of their quotes, which go on.
    let past = judgements(&server, &id).await;
    let mut clocks = Vec::new();
    for judgement in &past[1..] {
        let mut appraisal = judgement.appraisal.clone();
        let quote = appraisal.facts.quote.as_mut().unwrap();
        clocks.push(std::mem::take(&mut quote.clock_ms));
        assert!(!appraisal.findings.is_empty() && appraisal.facts.secure_boot == Some(false));
        let mut second = past[1].appraisal.clone();
        second.facts.quote.as_mut().unwrap().clock_ms = 0;
        assert_eq!(appraisal, second);
    }
    assert!(clocks.is_sorted() && clocks[0] < clocks[3], "{clocks:?}");
    let query = ReportQuery { host: Some(id.clone()), ..ReportQuery::default() };
    let history = report(&server.admin, ReportKind::Host, &query).await.history;
    assert_eq!(history.len(), 5);
    for line in &history {
        assert_eq!(line.codes, history[0].codes);
        assert!(line.codes.contains(&"secure-boot-off".to_owned()), "{line:?}");
        assert!(line.reset_count.is_some() && line.reset_count == history[0].reset_count);
    }

    // What is found anew is told in full again, and apart later on.
    reboot(&mut host, &BootLog::sound());
    for _ in 0..3 {
        assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    }
    let (documents, n_apart) = stored(&server);
    assert!(documents[5] > SHORT_BYTES && documents[7] < SHORT_BYTES, "{documents:?}");
    assert_eq!(n_apart, 2);
    let past = judgements(&server, &id).await;
    let verdicts: Vec<_> = past.iter().map(|past| past.appraisal.verdict.as_str()).collect();
    assert_eq!(verdicts[4..], ["not accepted", "accepted", "accepted", "accepted"]);
    assert_eq!(server.host(&id).await.appraisal.unwrap(), past[7].appraisal);
}
