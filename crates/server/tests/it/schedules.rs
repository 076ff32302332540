//! Schedules of the policy, by labels.

use api::{admin::Approval, inventory::LabelsRequest};
use testkit::log::BootLog;

use crate::bench::{Host, Server};

/// A server on which hosts with `pace=brisk` are judged each second, and others as it is configured.
async fn server() -> Server {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), "policy = 'policy.toml'").unwrap();
    let policy = "[[schedule]]\nlabels = { pace = 'brisk' }\ninterval_s = 1\njitter_pct = 0\n";
    std::fs::write(data.path().join("policy.toml"), policy).unwrap();
    let server = Server::start_in(data).await;
    server.trust().await;
    server
}

#[tokio::test]
async fn a_label_changes_when_a_host_is_due_and_until_when_it_counts() {
    let server = server().await;
    let web = Host::boot("web-1", &BootLog::sound());
    let token = server.token(None, Approval::NotRequired).await;
    let id = web.join(&server, &token.token).await.unwrap().host_id;
    assert_eq!(web.attest(&server).await.unwrap().verdict, "accepted");
    let detail = server.host(&id).await;
    let schedule = detail.schedule.unwrap();
    assert_eq!((schedule.interval_s, schedule.verdict_good_for_s), (300, 600));
    assert!(schedule.because.contains("attest_interval_s"), "{}", schedule.because);
    let judged_ms = detail.host.appraised_at_ms.unwrap();
    assert_eq!(detail.verdict_good_until_ms, Some(judged_ms + 600_000));
    assert!((0..=300).contains(&detail.next_due_s.unwrap()));

    // Its agent waits in a poll, and is asked as soon as the new schedule has it due.
    let label = async {
        let set = [("pace".to_owned(), "brisk".to_owned())].into();
        let request = LabelsRequest { set, remove: Vec::new() };
        let path = format!("/v1/hosts/{id}/labels");
        let _: api::inventory::Labels = server.admin.post(&path, &request).await.unwrap();
    };
    let (challenge, ()) = tokio::join!(web.wait_for_challenge(&server), label);
    let detail = server.host(&id).await;
    let schedule = detail.schedule.unwrap();
    assert_eq!((schedule.interval_s, schedule.jitter_pct), (1, 0));
    assert_eq!(schedule.because, "schedule 1 of the policy, for pace=brisk");
    assert_eq!(detail.verdict_good_until_ms, Some(judged_ms + 2_000));

    // It does not answer: its verdict ends when that schedule says, and tells why.
    let late = server.wait_for(&id, "not appraised", Some("verdict-expired")).await;
    let cause = &late.host.findings[0].cause;
    assert!(cause.contains("counted for 2 s"), "{cause}");
    let (nonce, pcrs) = challenge.unwrap();
    let evidence = web.evidence(&nonce, pcrs).await;
    assert_eq!(web.send(&server, &evidence).await.unwrap().verdict, "accepted");
}
