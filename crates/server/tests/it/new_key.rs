//! New attestation keys of the same TPM: after TPM2_Clear, and because a person wants one.

use agent::enrol::{self, EnrolKey};
use api::policy::{PolicyTryPage, PolicyTryRequest};
use cli::{Exit, evidence_dir};
use testkit::{log::BootLog, wait};
use verify::{RootStore, UnixTime};

use crate::{
    bench::{CA, Host, Server, has},
    commands::bootproof,
    replace::audited,
};

#[tokio::test]
async fn a_tpm_that_was_cleared_gets_a_new_key_without_a_person() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    server.wait_for(&id, "accepted", None).await;
    let before = server.host(&id).await;

    // Under a running agent, as `tpm2_clear` does it.
    host.tpm.as_ref().unwrap().clear().unwrap();
    server.steer(&id, "attest").await;
    let detail = server.wait_for(&id, "accepted", Some("ak-renewed")).await;
    let (old, new) = (before.identity.unwrap(), detail.identity.unwrap());
    assert_eq!(new.ek_spki_sha256, old.ek_spki_sha256, "the endorsement seed stays");
    assert_ne!(new.ak_name, old.ak_name);
    let found = detail.host.findings.iter().find(|finding| finding.code == "ak-renewed").unwrap();
    assert_eq!(found.severity, "info");
    assert!(found.cause.contains("cleared"), "{}", found.cause);

    // The first judgement under the new key: the counters began anew, and that is no way back.
    let after =
        |detail: &api::admin::HostDetail| detail.host.appraised_at_ms > before.host.appraised_at_ms;
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    let mut detail = server.host(&id).await;
    while !after(&detail) {
        assert!(
            tokio::time::Instant::now() < deadline,
            "no evidence under the new key: {detail:?}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        detail = server.host(&id).await;
    }
    assert_eq!(detail.host.verdict, "accepted");
    assert!(!has(&detail.host.findings, "clock-went-back"));
    drop(serving);
    let past: Vec<api::admin::PastAppraisal> =
        server.admin.get(&format!("/v1/hosts/{id}/appraisals")).await.unwrap();
    assert!(past.len() >= 2, "history stays");
    let (actor, text) = audited(&server, "host.enrol").pop().unwrap();
    assert_eq!(actor, format!("host:{id}"));
    for part in ["key-renewed", &*old.ak_name, &*new.ak_name] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_rotated_while_the_host_stays_accepted() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    server.wait_for(&id, "accepted", None).await;
    let old = server.host(&id).await.identity.unwrap();
    assert_eq!(bootproof(&server, &["host", "rotate-key", "web-1"]).await.unwrap(), Exit::Done);

    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let detail = server.host(&id).await;
        assert_eq!(detail.host.verdict, "accepted", "{:?}", detail.host.findings);
        if detail.identity.unwrap().ak_name != old.ak_name && detail.evidence_identity.is_none() {
            assert!(!detail.rotation_wanted);
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the key stays the old one");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(serving);
    assert_eq!(audited(&server, "host.rotate-key").len(), 1);
    let state = host.file.load().unwrap();
    assert!(state.next_ak.is_none());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_before_is_verified_with_its_own_key() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let judged = server.host(&id).await;
    let old = judged.identity.unwrap();
    server.steer(&id, "rotate-key").await;
    // As the courier does, without evidence under the new key.
    let mut state = host.file.load().unwrap();
    let client = host.client(&server);
    let done = enrol::enrol(&client, &host.file, &mut state, &host.session, EnrolKey::Anew).await;
    assert!(done.unwrap().findings.is_empty());
    let detail = server.host(&id).await;
    assert_ne!(detail.identity.unwrap().ak_name, old.ak_name);
    assert_eq!(detail.evidence_identity.unwrap().ak_name, old.ak_name);
    assert_eq!(detail.host.verdict, "accepted", "it is the same TPM");

    // A policy that changes nothing of it finds the key that signed it.
    let request = PolicyTryRequest {
        policy: "[verdict]\ngood_for_s = 600\n".to_owned(),
        ..serde_json::from_str(r#"{"policy": ""}"#).unwrap()
    };
    let tried: PolicyTryPage = server.admin.post("/v1/policy/try", &request).await.unwrap();
    assert_eq!((tried.n_judged, tried.changes.len()), (1, 0), "{:?}", tried.changes);

    // And so does who judges it without the server.
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("evidence");
    let out_text = out.display().to_string();
    let exit = bootproof(&server, &["host", "evidence", "web-1", "--out", &out_text]).await;
    assert_eq!(exit.unwrap(), Exit::Done);
    let mut roots = RootStore::from_pem(&CA.root_pem().unwrap()).unwrap();
    roots.extend(RootStore::from_pem(&CA.issuer_pem().unwrap()).unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = UnixTime(i64::try_from(now.as_secs()).unwrap());
    let offline = cli::judge(&evidence_dir::read(&out).unwrap(), &roots, now);
    assert_eq!(Some(offline), judged.appraisal);

    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted", "and the new key counts");
}
