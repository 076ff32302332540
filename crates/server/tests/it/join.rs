//! Joining: tokens, pins, chains, credentials.

use agent::session::TpmChoice;
use api::admin::Approval;
use client::{CaPin, Client, ClientError, Trust};
use testkit::{log::BootLog, swtpm::Swtpm};

use crate::bench::{Host, Server, fingerprint, has};

#[tokio::test]
async fn a_host_joins_is_enrolled_and_accepted() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let enrolled = server.join(&host).await;
    assert!(enrolled.findings.is_empty());
    let before = server.host(&enrolled.host_id).await;
    assert!(has(&before.host.findings, "never-appraised"));
    assert!(before.identity.is_some());

    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "accepted", "{:?}", reply.findings);
    let after = server.host(&enrolled.host_id).await;
    assert_eq!(after.host.verdict, "accepted");
    let facts = after.appraisal.unwrap().facts;
    assert_eq!(facts.secure_boot, Some(true));
    assert!(facts.quote_verified);
    assert_eq!(facts.endorsement.unwrap().manufacturer.as_deref(), Some("id:00001014"));
}

#[tokio::test]
async fn an_unknown_root_stores_no_key_and_says_so_until_it_is_trusted() {
    let server = Server::start().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let enrolled = server.join(&host).await;
    assert!(has(&enrolled.findings, "ek-cert-untrusted"));
    let detail = server.host(&enrolled.host_id).await;
    assert!(detail.identity.is_none());
    assert!(has(&detail.host.findings, "ek-cert-untrusted"));

    let serving = host.serve();
    server.wait_for(&enrolled.host_id, "not accepted", Some("no-identity-key")).await;
    let detail = server.host(&enrolled.host_id).await;
    assert!(has(&detail.host.findings, "ek-cert-untrusted"), "the cause stays in sight");

    server.trust().await;
    server.steer(&enrolled.host_id, "disconnect").await;
    server.steer(&enrolled.host_id, "reconnect").await;
    let detail = server.wait_for(&enrolled.host_id, "accepted", None).await;
    assert!(!has(&detail.host.findings, "ek-cert-untrusted"));
    drop(serving);
}

#[tokio::test]
async fn a_tpm_without_certificate_is_not_enrolled() {
    let server = Server::start().await;
    server.trust().await;
    let tpm = Swtpm::builder().start().unwrap();
    let choice = TpmChoice::At(tpm.address().parse().unwrap());
    let host = Host::with("bare", choice, &[], Some(tpm));
    let enrolled = server.join(&host).await;
    assert!(has(&enrolled.findings, "ek-cert-absent"));
    assert!(server.host(&enrolled.host_id).await.identity.is_none());
}

#[tokio::test]
async fn a_token_has_as_many_uses_as_it_says() {
    let server = Server::start().await;
    let token = server.token(Some(1), Approval::NotRequired).await;
    let first = Host::without_tpm("a");
    first.join(&server, &token.token).await.unwrap();
    let before = fingerprint(&server).await;
    let second = Host::without_tpm("b");
    let err = second.join(&server, &token.token).await.unwrap_err();
    let err = err.downcast::<ClientError>().unwrap();
    assert_eq!(err.code(), Some("join-token-used-up"));
    assert!(err.hint().unwrap().contains("token create"));
    assert_eq!(fingerprint(&server).await, before);

    let any = server.token(None, Approval::NotRequired).await;
    for name in ["c", "d", "e"] {
        Host::without_tpm(name).join(&server, &any.token).await.unwrap();
    }
    assert_eq!(server.hosts().await.len(), 4);
}

#[tokio::test]
async fn a_revoked_or_unknown_token_joins_nobody() {
    let server = Server::start().await;
    let token = server.token(None, Approval::NotRequired).await;
    let _: () = server.admin.delete(&format!("/v1/tokens/{}", token.id)).await.unwrap();
    let host = Host::without_tpm("a");
    for (token, code) in
        [(token.token.as_str(), "join-token-revoked"), ("bpj_00", "join-token-unknown")]
    {
        let err = host.join(&server, token).await.unwrap_err();
        assert_eq!(err.downcast::<ClientError>().unwrap().code(), Some(code));
    }
    assert!(server.hosts().await.is_empty());
}

#[tokio::test]
async fn a_person_must_approve_where_the_token_says_so() {
    let server = Server::start().await;
    server.trust().await;
    let token = server.token(Some(1), Approval::Required).await;
    let host = Host::boot("web-1", &BootLog::sound());
    let enrolled = host.join(&server, &token.token).await.unwrap();
    let serving = host.serve();
    server.wait_for(&enrolled.host_id, "not appraised", Some("awaiting-approval")).await;
    server.steer(&enrolled.host_id, "approve").await;
    server.wait_for(&enrolled.host_id, "accepted", None).await;
    drop(serving);
}

#[tokio::test]
async fn one_tpm_is_one_host() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let enrolled = server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let before = server.host(&enrolled.host_id).await;

    // The same TPM under another name, with another state folder.
    let choice = TpmChoice::At(host.tpm.as_ref().unwrap().address().parse().unwrap());
    let twin = Host::with("web-2", choice, &[], None);
    let token = server.token(Some(1), Approval::NotRequired).await;
    let err = twin.join(&server, &token.token).await.unwrap_err();
    let err = err.downcast::<ClientError>().unwrap();
    assert_eq!(err.code(), Some("ek-taken"));
    assert!(err.hint().unwrap().contains("web-1"));

    let after = server.host(&enrolled.host_id).await;
    assert_eq!(server.hosts().await.len(), 1);
    assert_eq!(after.identity.unwrap().ak_name, before.identity.unwrap().ak_name);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn the_pin_is_checked_before_anything_is_sent() {
    let server = Server::start().await;
    let wrong = Client::new(server.admin.base(), &Trust::CaPin(CaPin([7; 32]))).unwrap();
    let answer = wrong.get::<api::admin::Server>("/v1/server").await;
    assert!(matches!(answer, Err(ClientError::Untrusted(_))), "{answer:?}");

    let right = Client::new(server.admin.base(), &Trust::CaPin(server.pin().await)).unwrap();
    assert!(right.get::<api::admin::Server>("/v1/server").await.is_ok());

    // The right authority, under a name that the certificate has not.
    let port = server.admin.base().rsplit_once(':').unwrap().1;
    let other =
        Client::new(&format!("https://127.0.0.2:{port}"), &Trust::CaPin(server.pin().await));
    assert!(other.unwrap().get::<api::admin::Server>("/v1/server").await.is_err());
}

#[tokio::test]
async fn a_join_whose_answer_is_lost_is_the_same_host_the_second_time() {
    let server = Server::start().await;
    let token = server.token(Some(1), Approval::NotRequired).await;
    let host = Host::without_tpm("a");
    let first = host.join(&server, &token.token).await.unwrap();
    // The answer was lost: the agent still has the token that it made, and no membership.
    let mut state = host.file.load().unwrap();
    state.joining = state.member.as_mut().unwrap().credentials.take();
    host.file.save(&state).unwrap();
    let second = host.join(&server, &token.token).await.unwrap();
    assert_eq!(first.host_id, second.host_id);
    assert_eq!(server.hosts().await.len(), 1);
    assert_eq!(host.credentials().host_id, first.host_id);
}

#[tokio::test]
async fn a_token_says_where_agents_reach_the_server() {
    let server = Server::start_with("names = [\"bootproof.example.org\"]").await;
    let token = server.token(Some(1), Approval::NotRequired).await;
    assert!(token.server.starts_with("https://bootproof.example.org:"), "{}", token.server);
}
