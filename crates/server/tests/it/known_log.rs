//! A log that the server has is named by its digest, and judged as if it had been sent.

use api::agent::{Evidence, EvidenceReply, KeySays, PollReply, PollRequest, TpmSays};
use client::ClientError;
use testkit::{boot::boot, log::BootLog, wait};
use tpm_wire::PcrSet;

use crate::bench::{Host, Server, code, has};

/// A challenge, with the digest of the log that the server says it has.
async fn challenge(host: &Host, server: &Server) -> (Vec<u8>, PcrSet, Option<Vec<u8>>) {
    let id = host.credentials().host_id;
    let path = format!("/v1/hosts/{id}/attest");
    server.admin.post::<_, api::admin::AttestRequested>(&path, &()).await.unwrap();
    let request = PollRequest {
        tpm: TpmSays::Present,
        agent_version: "test".to_owned(),
        up_s: None,
        key: KeySays::Kept,
    };
    let client = host.client(server);
    match client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await.unwrap() {
        PollReply::Attest { nonce, pcrs, known_log_sha256, .. } => {
            (nonce.0, pcrs.into_iter().collect(), known_log_sha256.map(|sha256| sha256.0))
        }
        other => panic!("{other:?} instead of a challenge"),
    }
}

/// Evidence with `sha256` in place of its log.
async fn naming(host: &Host, nonce: &[u8], pcrs: PcrSet, sha256: &[u8]) -> Evidence {
    let evidence = host.evidence(nonce, pcrs).await;
    Evidence { event_log: None, event_log_sha256: Some(sha256.into()), ..evidence }
}

async fn attest_naming(
    host: &Host,
    server: &Server,
    sha256: &[u8],
) -> Result<EvidenceReply, ClientError> {
    let (nonce, pcrs, _) = challenge(host, server).await;
    host.send(server, &naming(host, &nonce, pcrs, sha256).await).await
}

async fn started() -> (Server, Host) {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    (server, host)
}

fn log_sha256(host: &Host) -> [u8; 32] {
    event_log::sha256(&[&std::fs::read(host.log_file()).unwrap()])
}

/// The log of the evidence that the server stored last.
async fn stored_log(server: &Server, host: &Host) -> Vec<u8> {
    let id = host.credentials().host_id;
    let evidence: Evidence = server.admin.get(&format!("/v1/hosts/{id}/evidence")).await.unwrap();
    assert_eq!(evidence.event_log_sha256, None);
    evidence.event_log.unwrap().0
}

/// The first judgement that is not older.
async fn judged_since(server: &Server, id: &str, ms: i64) -> api::appraisal::Appraisal {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let host = server.host(id).await;
        if host.host.appraised_at_ms.is_some_and(|at_ms| at_ms >= ms) {
            return host.appraisal.unwrap();
        }
        assert!(tokio::time::Instant::now() < deadline, "no judgement came");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_agent_sends_a_log_once_and_then_its_digest() {
    let (server, host) = started().await;
    let id = host.credentials().host_id;
    let serving = host.serve();
    server.wait_for(&id, "accepted", None).await;
    let before = server.host(&id).await.appraisal.unwrap();
    assert!(!server.log().contains("log=\"named\""), "{}", server.log());

    let path = format!("/v1/hosts/{id}/attest");
    let asked: api::admin::AttestRequested = server.admin.post(&path, &()).await.unwrap();
    let after = judged_since(&server, &id, asked.requested_at_ms).await;
    drop(serving);
    assert!(server.log().contains("log=\"named\""), "{}", server.log());
    assert_eq!(after.verdict, "accepted");
    assert_eq!(after.facts.event_log, before.facts.event_log);
    assert_eq!(stored_log(&server, &host).await, std::fs::read(host.log_file()).unwrap());
}

#[tokio::test]
async fn a_server_that_forgot_what_it_found_reads_the_log_it_stored() {
    let (mut server, host) = started().await;
    let (nonce, pcrs, known) = challenge(&host, &server).await;
    assert_eq!(known, None, "nothing was judged yet");
    let evidence = host.evidence(&nonce, pcrs).await;
    assert_eq!(host.send(&server, &evidence).await.unwrap().verdict, "accepted");
    let (_, _, known) = challenge(&host, &server).await;
    assert_eq!(known.as_deref(), Some(&log_sha256(&host)[..]));

    server.kill_and_restart().await;
    let (nonce, pcrs, known) = challenge(&host, &server).await;
    assert_eq!(known, None, "it says nothing of what it did not look up");
    let evidence = naming(&host, &nonce, pcrs, &log_sha256(&host)).await;
    let reply = host.send(&server, &evidence).await.unwrap();
    assert_eq!(reply.verdict, "accepted", "{:?}", reply.findings);
    assert_eq!(stored_log(&server, &host).await, std::fs::read(host.log_file()).unwrap());
}

#[tokio::test]
async fn a_log_that_is_not_the_hosts_last_one_is_wanted() {
    let (server, host) = started().await;
    let other = Host::boot("web-2", &BootLog::sound().kernel_cmdline("root=/dev/sdb1"));
    server.join(&other).await;
    assert_eq!(code(attest_naming(&host, &server, &log_sha256(&host)).await), "log-wanted");
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    assert_eq!(other.attest(&server).await.unwrap().verdict, "accepted");

    // That another host has it is not told: it is as if nobody had it.
    let (nonce, pcrs, _) = challenge(&host, &server).await;
    let evidence = naming(&host, &nonce, pcrs, &log_sha256(&other)).await;
    assert_eq!(code(host.send(&server, &evidence).await), "log-wanted");
    // The same challenge serves for the whole evidence.
    let evidence = host.evidence(&nonce, pcrs).await;
    assert_eq!(host.send(&server, &evidence).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn other_values_beside_a_named_log_are_not_accepted() {
    let (server, host) = started().await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let log = log_sha256(&host);
    // The same boot once more, on top of the first.
    boot(host.tpm.as_ref().unwrap(), &BootLog::sound().build()).unwrap();
    let reply = attest_naming(&host, &server, &log).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "log-replay"), "{:?}", reply.findings);
}

#[tokio::test]
async fn a_digest_beside_a_log_or_of_another_length_is_refused() {
    let (server, host) = started().await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let log = log_sha256(&host);
    let (nonce, pcrs, _) = challenge(&host, &server).await;
    for (event_log, sha256) in [(Some(vec![1].into()), &log[..]), (None, &log[..31]), (None, &[])] {
        let evidence = host.evidence(&nonce, pcrs).await;
        let evidence = Evidence { event_log, event_log_sha256: Some(sha256.into()), ..evidence };
        assert_eq!(code(host.send(&server, &evidence).await), "evidence-invalid", "{sha256:?}");
    }
}
