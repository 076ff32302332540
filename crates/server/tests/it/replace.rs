//! Another TPM in the place of a host's: a new board, a copied disk, a lost disk.

use api::admin::{Approval, HostDetail, PastAppraisal, ReplaceRequest, Replaced};
use cli::Exit;
use testkit::{log::BootLog, wait};

use crate::{
    bench::{Host, Server, code, has},
    commands::bootproof,
};

/// The enrolled TPM has a second to answer when another one is shown.
const CONFIG: &str = "challenge_good_for_s = 1";

/// A machine with another TPM and a copy of the state of `host`.
fn copy_of(host: &Host) -> Host {
    let copy = Host::boot(&host.name, &BootLog::sound());
    copy.file.save(&host.file.load().unwrap()).unwrap();
    copy
}

/// What the audit log says of an action, newest last.
pub(crate) fn audited(server: &Server, action: &str) -> Vec<(String, String)> {
    let db = server.database();
    let mut rows =
        db.prepare("SELECT actor, detail_json FROM audit WHERE action = ?1 ORDER BY seq").unwrap();
    rows.query_map([action], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(|row| row.unwrap())
        .collect()
}

async fn history(server: &Server, id: &str) -> Vec<PastAppraisal> {
    server.admin.get(&format!("/v1/hosts/{id}/appraisals")).await.unwrap()
}

/// Looks at the host until `done`, and holds of every look that it is accepted.
async fn accepted_until(
    server: &Server,
    id: &str,
    done: impl Fn(&HostDetail) -> bool,
) -> HostDetail {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let detail = server.host(id).await;
        assert_eq!(detail.host.verdict, "accepted", "{:?}", detail.host.findings);
        if done(&detail) {
            return detail;
        }
        assert!(tokio::time::Instant::now() < deadline, "it never came: {detail:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_board_waits_for_a_person_and_keeps_the_history() {
    let server = Server::start_with(CONFIG).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let before = server.host(&id).await.identity.unwrap();

    let board = copy_of(&host);
    drop(host);
    let serving = board.serve();
    let detail = server.wait_for(&id, "not accepted", Some("ek-changed")).await;
    let finding = &detail.host.findings[0];
    assert!(finding.next_step.contains("host replace"), "{}", finding.next_step);
    let candidate = detail.candidate.unwrap();
    assert_eq!(finding.arguments["ek_sha256"], candidate.ek_sha256.as_str());
    assert_ne!(candidate.ek_sha256, before.ek_spki_sha256);
    assert!(candidate.certificate.is_none(), "its chain leads to a root");
    assert_eq!(detail.identity.unwrap().ek_spki_sha256, before.ek_spki_sha256, "nothing changed");

    let replace = async |digest: &str, reason: &str| {
        let all = ["host", "replace", "web-1", "--ek-sha256", digest, "--reason", reason];
        bootproof(&server, &all).await
    };
    assert!(replace(&"00".repeat(32), "x").await.is_err(), "another digest");
    assert!(replace(&candidate.ek_sha256, " ").await.is_err(), "no reason");
    assert!(audited(&server, "host.replace").is_empty());
    assert_eq!(replace(&candidate.ek_sha256, "new board, 4711").await.unwrap(), Exit::Done);

    let detail = server.wait_for(&id, "accepted", None).await;
    assert_eq!(detail.identity.unwrap().ek_spki_sha256, candidate.ek_sha256);
    assert!(detail.candidate.is_none());
    assert_eq!(history(&server, &id).await.last().unwrap().appraisal.verdict, "accepted");
    assert!(history(&server, &id).await.len() >= 2, "the old board's verdict is there");
    drop(serving);
    let [(actor, text)] = &audited(&server, "host.replace")[..] else { panic!("one row") };
    assert_eq!(actor, "administrator");
    for part in [&*candidate.ek_sha256, &*before.ek_spki_sha256, "new board, 4711"] {
        assert!(text.contains(part), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_state_disturbs_no_host_that_still_answers() {
    let server = Server::start_with(CONFIG).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    server.wait_for(&id, "accepted", None).await;

    let copy = copy_of(&host);
    let serving_copy = copy.serve();
    // The host is asked at once, and answers after the copy was seen.
    let detail = accepted_until(&server, &id, |detail| {
        let since = detail.candidate.as_ref().map(|candidate| candidate.first_seen_ms);
        since.is_some_and(|since| detail.host.appraised_at_ms >= Some(since))
    })
    .await;
    let found = detail.host.findings.iter().find(|finding| finding.code == "state-copied").unwrap();
    assert_eq!(found.severity, "warn");
    drop(serving_copy);
    // Two agents of one host that answer at once: the challenge of one of them would be too old.
    drop(serving);

    // By hand, too: what the enrolled key did not sign says nothing of the host.
    assert_eq!(code(copy.attest(&server).await), "ak-not-enrolled");
    let serving = host.serve();
    let before = server.host(&id).await.host.appraised_at_ms;
    server.steer(&id, "attest").await;
    accepted_until(&server, &id, |detail| detail.host.appraised_at_ms > before).await;
    drop(serving);

    // A person who begins anew with the host is rid of the copy.
    server.steer(&id, "disconnect").await;
    assert!(server.host(&id).await.candidate.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_board_with_a_new_disk_joins_again_under_the_hosts_name() {
    let server = Server::start_with(CONFIG).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");

    let fresh = Host::boot("web-1", &BootLog::sound());
    let refused = server.join(&fresh).await;
    let ek_sha256 = refused.quarantined.unwrap();
    assert!(has(&refused.findings, "ek-changed"));
    assert_eq!(server.hosts().await.len(), 1, "no second host of the name");
    assert_eq!(server.host(&id).await.candidate.unwrap().ek_sha256, ek_sha256);
    assert!(fresh.file.load().unwrap().member.is_none_or(|member| member.credentials.is_none()));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted", "the sound one goes on");

    let request = ReplaceRequest { ek_sha256: ek_sha256.clone(), reason: "new disk".to_owned() };
    let path = format!("/v1/hosts/{id}/replace");
    let replaced: Replaced = server.admin.post(&path, &request).await.unwrap();
    assert_eq!(replaced.ek_sha256, ek_sha256);
    let joined = server.join(&fresh).await;
    assert_eq!((joined.host_id, joined.quarantined), (id.clone(), None));
    assert_eq!(fresh.attest(&server).await.unwrap().verdict, "accepted");
    assert_eq!(history(&server, &id).await.len(), 3);
    assert_eq!(code(host.attest(&server).await), "unauthenticated", "the old board is out");
}

#[tokio::test]
async fn a_board_of_another_host_replaces_nothing() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let other = Host::boot("web-2", &BootLog::sound());
    server.join(&other).await;
    let mut as_first = other;
    as_first.name = "web-1".to_owned();
    as_first.file.save(&agent::state::State::default()).unwrap();
    let ek_sha256 = server.join(&as_first).await.quarantined.unwrap();
    let request = ReplaceRequest { ek_sha256, reason: "x".to_owned() };
    let answer =
        server.admin.post::<_, Replaced>(&format!("/v1/hosts/{id}/replace"), &request).await;
    assert_eq!(code(answer), "ek-taken");

    // One without a certificate shows what is wrong with it, before a person decides.
    let bare = testkit::swtpm::Swtpm::builder().start().unwrap();
    let choice = agent::session::TpmChoice::At(bare.address().parse().unwrap());
    server.steer(&id, "disconnect").await;
    server.steer(&id, "reconnect").await;
    let bare = Host::with("web-1", choice, &[], Some(bare));
    let token = server.token(Some(1), Approval::NotRequired).await;
    let ek_sha256 = bare.join(&server, &token.token).await.unwrap().quarantined.unwrap();
    let candidate = server.host(&id).await.candidate.unwrap();
    assert_eq!(candidate.ek_sha256, ek_sha256);
    assert_eq!(candidate.certificate.unwrap().code, "ek-cert-absent");
}

#[tokio::test]
async fn a_system_that_is_installed_anew_is_the_same_host() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    host.file.save(&agent::state::State::default()).unwrap();

    let token = server.token(Some(1), Approval::NotRequired).await;
    let err = host.join(&server, &token.token).await.unwrap_err();
    let err = err.downcast::<client::ClientError>().unwrap();
    assert_eq!(err.code(), Some("ek-taken"));
    assert!(err.hint().unwrap().contains("reconnect host web-1"));
    server.steer(&id, "disconnect").await;
    server.steer(&id, "reconnect").await;
    let joined = host.join(&server, &token.token).await.unwrap();
    assert_eq!(joined.host_id, id);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    assert_eq!(history(&server, &id).await.len(), 2);
}
