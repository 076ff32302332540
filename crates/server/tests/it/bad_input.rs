//! Bad requests: a 4xx with a text that helps, nothing stored, nothing lost.

use api::{
    admin::Approval,
    agent::{
        ActivateReply, ActivateRequest, EnrolReply, EnrolRequest, Evidence, HostSays, JoinRequest,
        TpmKeys, TpmProperties,
    },
};
use client::{Client, ClientError};
use testkit::log::BootLog;

use crate::bench::{Host, Server, code, fingerprint};

/// The refusal, with its status and whether it has a hint.
async fn refused(client: &Client, path: &str, body: &serde_json::Value) -> (u16, String) {
    match client.post::<_, serde_json::Value>(path, body).await {
        Err(ClientError::Problem(problem)) => {
            assert!(!problem.title.is_empty());
            (problem.status, problem.code)
        }
        other => panic!("{path} {body}: {other:?}"),
    }
}

async fn keys(host: &Host) -> TpmKeys {
    let kept = host.file.load().unwrap().ak;
    host.session.run(move |session| session.keys(kept.as_ref())).await.unwrap().unwrap().0
}

#[tokio::test]
async fn bodies_that_are_too_large_or_not_what_they_should_be() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let before = fingerprint(&server).await;
    let agent = host.client(&server);

    let large =
        Evidence { event_log: Some(vec![0; api::BODY_BYTES_MAX].into()), ..Evidence::default() };
    let large = serde_json::to_value(&large).unwrap();
    assert_eq!(
        refused(&agent, "/v1/agent/evidence", &large).await,
        (413, "body-too-large".to_owned())
    );
    for (path, body) in [
        ("/v1/agent/evidence", serde_json::json!({})),
        ("/v1/agent/evidence", serde_json::json!({ "nonce": 7 })),
        ("/v1/agent/evidence", serde_json::json!({ "nonce": "***" })),
        ("/v1/agent/evidence", serde_json::json!({ "nonce": "", "extra": 1 })),
        ("/v1/agent/evidence", serde_json::json!([1, 2])),
        ("/v1/agent/poll", serde_json::json!("x")),
        ("/v1/agent/join", serde_json::json!({ "token": "bpj_secret", "host": {} })),
        ("/v1/agent/activate", serde_json::json!(null)),
    ] {
        assert_eq!(refused(&agent, path, &body).await, (400, "body-invalid".to_owned()), "{body}");
    }
    let mut deep = serde_json::json!(1);
    for _ in 0..200 {
        deep = serde_json::json!([deep]);
    }
    assert_eq!(refused(&agent, "/v1/agent/evidence", &deep).await.0, 400);
    assert_eq!(fingerprint(&server).await, before);
    assert!(!server.log().contains("secret"), "a value of a body reached the log");
}

/// The server answers before it read such a body, and ends the connection: a client that is not told
/// sends its next request into it.
#[tokio::test]
async fn a_body_that_is_refused_unread_spoils_no_request_after_it() {
    let server = Server::start().await;
    let nobody = server.admin.with_token("bpa_0000");
    let evidence = Evidence { event_log: Some(vec![0; 40_000].into()), ..Evidence::default() };
    for _ in 0..50 {
        let answer = nobody.post::<_, serde_json::Value>("/v1/agent/evidence", &evidence).await;
        assert_eq!(code(answer), "unauthenticated");
        // The same pool of connections.
        let _: serde_json::Value = server.admin.get("/v1/hosts").await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_does_not_repeat_a_value() {
    let server = Server::start().await;
    let body = serde_json::json!({ "token": "t", "host": { "name": 12_345_678 } });
    let answer = server.admin.post::<_, serde_json::Value>("/v1/agent/join", &body).await;
    let Err(ClientError::Problem(problem)) = answer else { panic!("{answer:?}") };
    assert!(!problem.title.contains("12345678"), "{}", problem.title);
    assert!(problem.title.contains("wrong type"), "{}", problem.title);
}

#[tokio::test]
async fn evidence_with_lists_that_cannot_be() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    let before = fingerprint(&server).await;
    let agent = host.client(&server);
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let good = host.evidence(&nonce, pcrs).await;

    let mut wrong = Vec::new();
    for (bank, index, value) in
        [("md5", 0, "00"), ("sha256", 24, "00"), ("sha256", 0, "00"), ("sha256", 0, "zz")]
    {
        let mut evidence = good.clone();
        let values = std::iter::once((index, value.to_owned())).collect();
        evidence.pcrs.0.insert(bank.to_owned(), values);
        wrong.push(evidence);
    }
    wrong.push(Evidence { active_banks: vec!["sha256".to_owned(); 9], ..good.clone() });
    wrong.push(Evidence { active_banks: vec!["rot13".to_owned()], ..good.clone() });
    wrong.push(Evidence { tpm_error: Some("x".repeat(501)), ..good.clone() });
    let tpm = good.tpm.clone().unwrap();
    let said = TpmProperties { vendor_string: "x".repeat(49), ..tpm.clone() };
    wrong.push(Evidence { tpm: Some(said), ..good.clone() });
    let said = TpmProperties { ak_parent: Some(vec![0; 67].into()), ..tpm };
    wrong.push(Evidence { tpm: Some(said), ..good.clone() });
    for evidence in wrong {
        let body = serde_json::to_value(&evidence).unwrap();
        let answer = refused(&agent, "/v1/agent/evidence", &body).await;
        assert_eq!(answer, (400, "evidence-invalid".to_owned()));
    }
    assert_eq!(fingerprint(&server).await, before);
    // The challenge is not spent by what was refused.
    assert_eq!(host.send(&server, &good).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn what_is_not_there_is_said_so() {
    let server = Server::start().await;
    let admin = &server.admin;
    for (path, expected) in
        [("/v1/hosts/nobody", "host-not-found"), ("/v1/nothing", "address-not-found")]
    {
        assert_eq!(code(admin.get::<serde_json::Value>(path).await), expected);
    }
    for verb in ["attest", "disconnect", "reconnect", "approve"] {
        let path = format!("/v1/hosts/nobody/{verb}");
        assert_eq!(code(admin.post::<_, serde_json::Value>(&path, &()).await), "host-not-found");
    }
    let no_token = admin.delete::<serde_json::Value>("/v1/tokens/none").await;
    assert_eq!(code(no_token), "join-token-not-found");
    let no_root =
        admin.delete::<serde_json::Value>(&format!("/v1/trust/{}", "00".repeat(32))).await;
    assert_eq!(code(no_root), "certificate-not-found");
    assert_eq!(
        code(admin.delete::<serde_json::Value>("/v1/trust/zz").await),
        "fingerprint-invalid"
    );
    assert_eq!(code(admin.delete::<serde_json::Value>("/v1/trust").await), "method-not-allowed");
    let cursor = admin.get::<serde_json::Value>("/v1/hosts?cursor=zz").await;
    assert_eq!(code(cursor), "cursor-invalid");
}

#[tokio::test]
async fn tokens_and_certificates_that_make_no_sense() {
    let server = Server::start().await;
    let before = fingerprint(&server).await;
    for body in [
        serde_json::json!({ "expires_in_s": 0, "uses_max": 1, "approval": "not-required" }),
        serde_json::json!({ "expires_in_s": u64::MAX, "uses_max": 1, "approval": "not-required" }),
        serde_json::json!({ "expires_in_s": 60, "uses_max": 0, "approval": "not-required" }),
        serde_json::json!({
            "expires_in_s": 60, "uses_max": 1, "approval": "not-required", "note": "x".repeat(201)
        }),
    ] {
        let answer = refused(&server.admin, "/v1/tokens", &body).await;
        assert_eq!(answer, (400, "token-invalid".to_owned()));
    }
    for certificates in ["", "AAAA", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"] {
        let body = serde_json::json!({ "certificates": certificates });
        let answer = refused(&server.admin, "/v1/trust", &body).await;
        assert_eq!(answer, (400, "certificate-invalid".to_owned()), "{certificates}");
    }
    assert_eq!(fingerprint(&server).await, before);
}

#[tokio::test]
async fn keys_that_no_tpm_makes() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let good = keys(&host).await;
    let token = server.token(None, Approval::NotRequired).await;
    let before = fingerprint(&server).await;
    let swapped = TpmKeys {
        ak_public: good.ek_public.clone(),
        ek_public: good.ak_public.clone(),
        ..good.clone()
    };
    let cut = TpmKeys { ak_public: good.ak_public[..20].into(), ..good.clone() };
    let huge = TpmKeys { ek_public: vec![0; 4096].into(), ..good.clone() };
    for tpm in [swapped, cut, huge] {
        let says = agent::source::host::says(Some("web-1".to_owned()));
        let request = JoinRequest {
            token: token.token.clone(),
            host: says,
            tpm: Some(tpm),
            token_sha256: vec![1; 32].into(),
        };
        let answer = server.admin.post::<_, EnrolReply>("/v1/agent/join", &request).await;
        assert_eq!(code(answer), "tpm-keys-invalid");
    }
    let says = HostSays { name: "a b".to_owned(), ..agent::source::host::says(None) };
    let request = JoinRequest {
        token: token.token.clone(),
        host: says,
        tpm: None,
        token_sha256: vec![1; 32].into(),
    };
    let answer = server.admin.post::<_, EnrolReply>("/v1/agent/join", &request).await;
    assert_eq!(code(answer), "host-name-invalid");
    assert_eq!(fingerprint(&server).await, before);
}

#[tokio::test]
async fn an_activation_needs_the_right_secret_and_works_once() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let token = server.token(Some(1), Approval::NotRequired).await;
    let kept = host.file.load().unwrap().ak;
    let (tpm, ek, ak) =
        host.session.run(move |session| session.keys(kept.as_ref())).await.unwrap().unwrap();
    let says = agent::source::host::says(Some("web-1".to_owned()));
    let request = JoinRequest {
        token: token.token.clone(),
        host: says,
        tpm: Some(tpm),
        token_sha256: vec![1; 32].into(),
    };
    let reply: EnrolReply = server.admin.post("/v1/agent/join", &request).await.unwrap();
    let EnrolReply::Activate { enrolment_id, credential, .. } = reply else { panic!("{reply:?}") };

    let activate = async |enrolment_id: &str, secret: &[u8]| {
        let enrolment_id = enrolment_id.to_owned();
        let request = ActivateRequest { enrolment_id, secret: secret.into() };
        server.admin.post::<_, ActivateReply>("/v1/agent/activate", &request).await
    };
    assert_eq!(code(activate(&enrolment_id, &[0; 32]).await), "activation-failed");
    assert_eq!(code(activate(&enrolment_id, &[]).await), "activation-failed");
    assert_eq!(code(activate("unknown", &[0; 32]).await), "enrolment-not-found");
    assert!(server.hosts().await.is_empty(), "nothing is stored before activation");

    let secret = host
        .session
        .run(move |session| session.activate(&ek, &ak, &credential))
        .await
        .unwrap()
        .unwrap();
    let joined = activate(&enrolment_id, &secret).await.unwrap();
    let before = fingerprint(&server).await;
    assert_eq!(code(activate(&enrolment_id, &secret).await), "already-activated");
    assert_eq!(fingerprint(&server).await, before);
    assert_eq!(server.hosts().await[0].id, joined.host_id);
}

#[tokio::test]
async fn a_host_enrols_anew_only_when_a_person_wants_it() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let before = fingerprint(&server).await;
    let tpm = keys(&host).await;
    let agent = host.client(&server);
    let answer = agent.post::<_, EnrolReply>("/v1/agent/enrol", &EnrolRequest { tpm }).await;
    assert_eq!(code(answer), "reconnect-first");
    assert_eq!(fingerprint(&server).await, before);

    // Another TPM does not take the place of the enrolled one, even after a reconnect.
    let other = Host::boot("other", &BootLog::sound());
    let tpm = keys(&other).await;
    server.steer(&id, "disconnect").await;
    server.steer(&id, "reconnect").await;
    let reply: EnrolReply = agent.post("/v1/agent/enrol", &EnrolRequest { tpm }).await.unwrap();
    let EnrolReply::Quarantined { findings, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(findings[0].code, "ek-changed");
    assert!(server.host(&id).await.identity.is_some());
    // Nor does it end the wish: the enrolled one enrols anew.
    let mut state = host.file.load().unwrap();
    let kept = agent::enrol::EnrolKey::Kept;
    let done = agent::enrol::enrol(&agent, &host.file, &mut state, &host.session, kept).await;
    assert!(done.unwrap().findings.is_empty());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}
