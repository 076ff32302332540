//! Attestation: verdicts, challenges, expiry.

use std::time::Duration;

use agent::session::TpmChoice;
use api::agent::{KeySays, PollReply, PollRequest, TpmSays};
use testkit::{boot::boot, log::BootLog, swtpm::Swtpm};
use tpm_wire::{PcrSet, TpmAlgId};
use verify::NonceKey;

use crate::bench::{CA, Host, Server, code, fingerprint, has, with_nonce_key};

/// Longer than what a host is not asked twice in, however often it says that it booted.
const SHORT: Duration = Duration::from_secs(8);

async fn joined(server: &Server, name: &str, log: &BootLog) -> Host {
    let host = Host::boot(name, log);
    server.join(&host).await;
    host
}

#[tokio::test]
async fn each_fault_has_its_finding_and_next_step() {
    let server = Server::start().await;
    server.trust().await;
    let cases = [
        ("off", BootLog::sound().secure_boot_off(), "secure-boot-off"),
        ("missing", BootLog::sound().no_secure_boot_variable(), "secure-boot-unknown"),
        ("separator", BootLog::sound().error_separator(7), "separator"),
    ];
    for (name, log, expected) in cases {
        let host = joined(&server, name, &log).await;
        let reply = host.attest(&server).await.unwrap();
        assert_eq!(reply.verdict, "not accepted", "{name}");
        let finding = reply.findings.iter().find(|finding| finding.code == expected);
        let finding = finding.unwrap_or_else(|| panic!("{name}: {:?}", reply.findings));
        assert!(!finding.next_step.is_empty());
    }
}

#[tokio::test]
async fn a_sha1_bank_alone_is_named_as_the_cause() {
    let server = Server::start().await;
    server.trust().await;
    let log = BootLog::sound().banks(&[TpmAlgId::SHA1]);
    let host = Host::boot_with_banks("old", "sha1", &log);
    server.join(&host).await;
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    let codes: Vec<_> = reply.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["sha256-bank-inactive", "tpm-virtual"]);
}

#[tokio::test]
async fn two_banks_are_both_quoted_and_replayed() {
    let server = Server::start().await;
    server.trust().await;
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256, TpmAlgId::SHA384]);
    let host = Host::boot_with_banks("two", "sha256,sha384", &log);
    let enrolled = server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let facts = server.host(&enrolled.host_id).await.appraisal.unwrap().facts;
    let replayed = facts.event_log.unwrap().replayed;
    assert!(replayed.iter().any(|bank| bank.starts_with("sha384:0-9")), "{replayed:?}");
    assert!(replayed.iter().any(|bank| bank.starts_with("sha256:0-9")), "{replayed:?}");
}

#[tokio::test]
async fn an_edited_log_is_not_accepted_and_an_absent_one_neither() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let mut evidence = host.evidence(&nonce, pcrs).await;
    let other = BootLog::sound().kernel_cmdline("root=/dev/sda1 init=/bin/sh").build();
    evidence.event_log = Some(other.bytes.into());
    let reply = host.send(&server, &evidence).await.unwrap();
    assert!(has(&reply.findings, "log-replay"));
    assert_eq!(reply.verdict, "not accepted");

    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let mut evidence = host.evidence(&nonce, pcrs).await;
    evidence.event_log = None;
    let reply = host.send(&server, &evidence).await.unwrap();
    assert!(has(&reply.findings, "no-event-log"));
    assert_eq!(reply.verdict, "not accepted");
}

#[tokio::test]
async fn a_challenge_works_once() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let evidence = host.evidence(&nonce, pcrs).await;
    assert_eq!(host.send(&server, &evidence).await.unwrap().verdict, "accepted");
    let before = fingerprint(&server).await;
    assert_eq!(code(host.send(&server, &evidence).await), "nonce-used");
    assert_eq!(fingerprint(&server).await, before);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn a_challenge_of_another_host_or_server_is_refused() {
    let server = Server::start().await;
    server.trust().await;
    let one = joined(&server, "web-1", &BootLog::sound()).await;
    let two = joined(&server, "web-2", &BootLog::sound()).await;
    let before = fingerprint(&server).await;
    let (nonce, pcrs) = one.challenge(&server).await.unwrap();
    let evidence = two.evidence(&nonce, pcrs).await;
    assert_eq!(code(two.send(&server, &evidence).await), "nonce-foreign");

    let foreign = NonceKey::new([9; 32]).challenge(b"web-2", 1, [0; 8]);
    let evidence = two.evidence(foreign.as_bytes(), pcrs).await;
    assert_eq!(code(two.send(&server, &evidence).await), "nonce-foreign");

    let mut evidence = two.evidence(&[1], pcrs).await;
    evidence.nonce = Vec::new().into();
    assert_eq!(code(two.send(&server, &evidence).await), "nonce-invalid");
    assert_eq!(fingerprint(&server).await, before);
}

#[tokio::test]
async fn a_challenge_that_is_too_old_is_refused() {
    let key = [3; 32];
    let server = Server::start_in(with_nonce_key(key).await).await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let now_ms = now_ms();
    let challenge = |at_ms| NonceKey::new(key).challenge(id.as_bytes(), at_ms, [1; 8]);
    let pcrs = PcrSet::FIRMWARE;

    let old = host.evidence(challenge(now_ms - 31_000).as_bytes(), pcrs).await;
    assert_eq!(code(host.send(&server, &old).await), "nonce-stale");
    let future = host.evidence(challenge(now_ms + 60_000).as_bytes(), pcrs).await;
    assert_eq!(code(host.send(&server, &future).await), "nonce-foreign");
    let young = host.evidence(challenge(now_ms - 1_000).as_bytes(), pcrs).await;
    assert_eq!(host.send(&server, &young).await.unwrap().verdict, "accepted");
}

fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}

#[tokio::test]
async fn a_quote_of_another_challenge_is_a_finding() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let mut evidence = host.evidence(&[7; 32], pcrs).await;
    evidence.nonce = nonce.into();
    let reply = host.send(&server, &evidence).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "nonce-mismatch"));
}

#[tokio::test]
async fn a_quote_of_another_tpm_is_a_finding() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    let other = joined(&server, "web-2", &BootLog::sound()).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let evidence = other.evidence(&nonce, pcrs).await;
    let reply = host.send(&server, &evidence).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "ak-not-enrolled"));
    assert!(has(&reply.findings, "quote-signature"));
}

#[tokio::test]
async fn a_tpm_that_fails_is_told_with_its_response_code() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let mut evidence = host.evidence(&nonce, pcrs).await;
    evidence.quote = None;
    evidence.tpm_error = Some("0x18b TPM_RC_HANDLE".to_owned());
    let reply = host.send(&server, &evidence).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "no-quote"));
    let fault = reply.findings.iter().find(|finding| finding.code == "tpm-fault").unwrap();
    assert!(fault.cause.contains("0x18b"));
}

#[tokio::test]
async fn a_verdict_ends_by_age() {
    let server = Server::start_with("verdict_good_for_s = 1").await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let id = host.credentials().host_id;
    server.wait_for(&id, "not appraised", Some("verdict-expired")).await;
}

#[tokio::test]
async fn a_root_that_is_trusted_no_more_ends_acceptance() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web-1", &BootLog::sound()).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let trusted: Vec<api::admin::TrustedCertificate> = server.admin.get("/v1/trust").await.unwrap();
    for certificate in trusted {
        let path = format!("/v1/trust/{}", certificate.sha256);
        let _: () = server.admin.delete(&path).await.unwrap();
    }
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "ek-cert-untrusted"));
}

#[tokio::test]
async fn the_attestation_key_stays_across_a_reboot() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = joined(&server, "web-1", &BootLog::sound()).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let tpm = host.tpm.as_mut().unwrap();
    tpm.restart().unwrap();
    testkit::boot::boot(tpm, &BootLog::sound().build()).unwrap();
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "accepted", "{:?}", reply.findings);
}

#[tokio::test]
async fn a_tpm_that_is_restored_from_a_snapshot_is_found_out() {
    let server = Server::start().await;
    server.trust().await;
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("tpm");
    let build = || Swtpm::builder().ek_cert(&CA).name("vm").folder(&state).start().unwrap();
    let log = BootLog::sound().build();
    let mut tpm = build();
    boot(&tpm, &log).unwrap();
    let choice = TpmChoice::At(tpm.address().parse().unwrap());
    let host = Host::with("vm", choice, &log.bytes, None);
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    tpm.stop();
    let snapshot = folder.path().join("snapshot");
    copy_folder(&state, &snapshot);
    for _ in 0..2 {
        tpm.restart().unwrap();
    }
    boot(&tpm, &log).unwrap();
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    tpm.stop();
    drop(tpm);
    std::fs::remove_dir_all(&state).unwrap();
    copy_folder(&snapshot, &state);
    let tpm = build();
    boot(&tpm, &log).unwrap();
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "not accepted");
    assert!(has(&reply.findings, "clock-went-back"), "{:?}", reply.findings);
    // It does not heal by being asked again.
    assert!(has(&host.attest(&server).await.unwrap().findings, "clock-went-back"));
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        // Sockets are made anew.
        if path.is_file() {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_host_that_booted_since_its_verdict_is_asked_at_once() {
    let server = Server::start().await;
    server.trust().await;
    let host = joined(&server, "web", &BootLog::sound()).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let client = host.client(&server);
    let poll = async |up_s| {
        let agent_version = "test".to_owned();
        let request =
            PollRequest { tpm: TpmSays::Present, agent_version, up_s, key: KeySays::Kept };
        client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await.unwrap()
    };
    // One that has run for an hour waits for the end of the interval, in this test beside the other.
    let (asked, waits) = tokio::join!(poll(Some(0)), tokio::time::timeout(SHORT, poll(Some(3600))));
    assert!(matches!(asked, PollReply::Attest { .. }), "{asked:?}");
    assert!(waits.is_err(), "{waits:?}");
}
