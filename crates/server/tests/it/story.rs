//! The founding story: a host that was added before it had a TPM.

use agent::session::TpmChoice;
use testkit::{boot::boot, log::BootLog, swtpm::Swtpm};

use crate::bench::{CA, Host, Server, has};

#[tokio::test]
async fn a_host_that_joined_before_its_tpm_is_accepted_after_a_reconnect() {
    let server = Server::start().await;
    server.trust().await;
    let log = BootLog::sound().build();
    let mut tpm = Swtpm::builder().ek_cert(&CA).name("esx-117").start().unwrap();
    tpm.stop();
    let choice = TpmChoice::At(tpm.address().parse().unwrap());
    let host = Host::with("esx-117", choice, &log.bytes, None);

    // Step 1: joined without a TPM.
    let enrolled = server.join(&host).await;
    assert!(has(&enrolled.findings, "no-tpm"));
    let id = enrolled.host_id;
    let serving = host.serve();
    let detail = server.wait_for(&id, "not appraised", Some("no-tpm")).await;
    assert!(!detail.host.has_identity_key);

    // Step 2: the TPM is switched on. The cause is named, and so is the cure.
    tpm.start().unwrap();
    boot(&tpm, &log).unwrap();
    let detail = server.wait_for(&id, "not accepted", Some("no-identity-key")).await;
    let finding = &detail.host.findings[0];
    assert_eq!(finding.code, "no-identity-key");
    assert!(finding.next_step.contains("disconnect") && finding.next_step.contains("reconnect"));

    // Step 3: disconnect alone changes nothing of the verdict.
    server.steer(&id, "disconnect").await;
    let detail = server.host(&id).await;
    assert_eq!(detail.host.connection, "disconnected");
    assert_eq!(detail.host.verdict, "not accepted");

    // Step 4: reconnect, and it passes attestation.
    server.steer(&id, "reconnect").await;
    let detail = server.wait_for(&id, "accepted", None).await;
    assert!(detail.host.has_identity_key);
    assert_eq!(detail.host.connection, "connected");
    drop(serving);

    // The server's log tells the same, in this order.
    let log = server.log();
    let mut rest = log.as_str();
    for line in [
        "host joined without an identity key",
        "attestation started",
        "no cached identity key, loading from the store",
        "no identity key in the store, try to reconnect the host",
        "host disconnected",
        "host reconnected",
        "identity key stored",
        "attestation started",
        "attestation finished",
    ] {
        let at = rest.find(line).unwrap_or_else(|| panic!("{line:?} is missing in\n{log}"));
        rest = &rest[at + line.len()..];
    }
    assert!(!log.contains("bph_") && !log.contains("bpj_") && !log.contains("bpa_"), "a secret");
}

#[tokio::test]
async fn a_tpm_that_is_switched_off_ends_acceptance() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    server.wait_for(&id, "accepted", None).await;
    host.tpm.as_mut().unwrap().stop();
    server.steer(&id, "attest").await;
    // The TPM is away in the middle of things first, and then it is absent.
    server.wait_for(&id, "not appraised", Some("no-tpm")).await;
    drop(serving);
}

#[tokio::test]
async fn a_disconnected_host_is_not_attested_and_a_removed_one_is_unknown() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let evidence = host.evidence(&nonce, pcrs).await;
    server.steer(&id, "disconnect").await;
    assert_eq!(crate::bench::code(host.send(&server, &evidence).await), "host-disconnected");
    let asked = server.admin.post::<_, ()>(&format!("/v1/hosts/{id}/attest"), &()).await;
    assert_eq!(crate::bench::code(asked), "host-disconnected");

    let _: () = server.admin.delete(&format!("/v1/hosts/{id}")).await.unwrap();
    assert_eq!(crate::bench::code(host.send(&server, &evidence).await), "unauthenticated");
    // Its TPM may join anew.
    let host = Host::with(
        "web-1",
        TpmChoice::At(host.tpm.as_ref().unwrap().address().parse().unwrap()),
        &std::fs::read(host.log_file()).unwrap(),
        None,
    );
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}
