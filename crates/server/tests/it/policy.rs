//! Policies: in force, tried over stored evidence, and refused.

use std::{
    collections::HashMap,
    ffi::OsStr,
    process::{Command, Stdio},
};

use agent::session::TpmChoice;
use api::policy::{PolicyTryPage, PolicyTryRequest};
use clap::Parser as _;
use cli::{Exit, Output, args::Arguments};
use client::ClientError;
use testkit::{
    boot::boot,
    log::{BootLog, revoking},
    swtpm::Swtpm,
    wait,
};

use crate::bench::{Host, Server, code, fingerprint, has};

const WAIVED: &str = "\
[findings.secure-boot-off]
severity = 'warn'
reason = 'lab'
expires = 9000-01-01
";

fn request(policy: &str) -> PolicyTryRequest {
    PolicyTryRequest { policy: policy.to_owned(), files: HashMap::new(), cursor: None, limit: None }
}

async fn tried(server: &Server, policy: &str) -> Result<PolicyTryPage, ClientError> {
    server.admin.post("/v1/policy/try", &request(policy)).await
}

/// Who would change, and to what, because of which findings.
fn changes(page: &PolicyTryPage) -> Vec<(String, String, Vec<String>)> {
    let change = |change: &api::policy::PolicyChange| {
        assert_ne!(change.from, change.to);
        let because = change.because.iter();
        let because = because.map(|finding| format!("{} {}", finding.code, finding.severity));
        let gone = change.gone.iter().map(|finding| format!("{} gone", finding.code));
        (change.name.clone(), change.to.clone(), because.chain(gone).collect())
    };
    page.changes.iter().map(change).collect()
}

fn one(name: &str, to: &str, because: &str) -> Vec<(String, String, Vec<String>)> {
    vec![(name.to_owned(), to.to_owned(), vec![because.to_owned()])]
}

/// A server with a host that is accepted, whose log is padded, and one without Secure Boot.
async fn two_hosts(server: &Server) -> (Host, Host) {
    server.trust().await;
    let sound = Host::boot("sound", &BootLog::sound().padding(0xff, 64));
    let off = Host::boot("off", &BootLog::sound().secure_boot_off());
    for host in [&sound, &off] {
        server.join(host).await;
    }
    assert_eq!(sound.attest(server).await.unwrap().verdict, "accepted");
    assert_eq!(off.attest(server).await.unwrap().verdict, "not accepted");
    (sound, off)
}

#[tokio::test]
async fn a_policy_is_tried_over_stored_evidence_and_changes_nothing() {
    let server = Server::start().await;
    let hosts = two_hosts(&server).await;
    let waiting = Host::without_tpm("waiting");
    server.join(&waiting).await;
    let before = fingerprint(&server).await;

    // The default changes nothing, and a host without evidence is counted apart.
    let page = tried(&server, "").await.unwrap();
    assert_eq!((page.n_hosts, page.n_judged, changes(&page)), (3, 2, vec![]));
    let shown = tried(&server, &policy::defaults()).await.unwrap();
    assert_eq!(changes(&shown), vec![]);

    // Each key: a value that changes a host, and one that just does not.
    let waived = changes(&tried(&server, WAIVED).await.unwrap());
    assert_eq!(waived, one("off", "accepted", "secure-boot-off warn"));
    let ended = WAIVED.replace("9000", "2020");
    assert_eq!(changes(&tried(&server, &ended).await.unwrap()), vec![]);
    let raised = "[findings.log-padding]\nseverity = 'fail'";
    let raised = changes(&tried(&server, raised).await.unwrap());
    assert_eq!(raised, one("sound", "not accepted", "log-padding fail"));
    let raised = "[findings.log-padding]\nseverity = 'warn'";
    assert_eq!(changes(&tried(&server, raised).await.unwrap()), vec![]);
    let required = "[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6, 7, 23]";
    let required = changes(&tried(&server, required).await.unwrap());
    assert_eq!(required, one("sound", "not accepted", "pcr-selection fail"));
    let required = "[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6, 7, 14]";
    assert_eq!(changes(&tried(&server, required).await.unwrap()), vec![]);
    let bank = changes(&tried(&server, "[banks]\nminimum = 'sha384'").await.unwrap());
    assert_eq!(bank, one("sound", "not accepted", "pcr-selection fail"));
    let bank = tried(&server, "[banks]\nminimum = 'sha256'").await.unwrap();
    assert_eq!(changes(&bank), vec![]);

    // The pages of one trial together are the whole.
    let mut cursor = None;
    let mut seen = (0, Vec::new());
    loop {
        let request = PolicyTryRequest { cursor, limit: Some(1), ..request(WAIVED) };
        let page: PolicyTryPage = server.admin.post("/v1/policy/try", &request).await.unwrap();
        seen.0 += page.n_hosts;
        seen.1.extend(changes(&page));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, (3, waived));
    assert_eq!(fingerprint(&server).await, before, "a trial stores nothing");
    drop(hosts);
}

/// Another last byte in what both hosts answered: of the PCR digest, or of the signature.
fn change_answers(server: &Server, part: &str) {
    let db = server.database();
    let mut answers = db
        .prepare(
            "SELECT id, answer FROM appraisals WHERE answer IS NOT NULL
             AND id IN (SELECT last_appraisal_id FROM hosts)",
        )
        .unwrap();
    let rows = answers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let rows: Vec<(i64, Vec<u8>)> = rows.collect::<Result<_, _>>().unwrap();
    assert_eq!(rows.len(), 2);
    for (id, bytes) in rows {
        let mut answer: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let mut changed: api::Bytes = serde_json::from_value(answer["quote"][part].take()).unwrap();
        *changed.0.last_mut().unwrap() ^= 1;
        answer["quote"][part] = serde_json::to_value(changed).unwrap();
        let bytes = serde_json::to_vec(&answer).unwrap();
        let n = db.execute("UPDATE appraisals SET answer = ?2 WHERE id = ?1", (id, bytes));
        assert_eq!(n.unwrap(), 1);
    }
}

#[tokio::test]
async fn evidence_that_was_changed_in_the_store_is_checked_from_its_signature_on() {
    // The server knows the signature of each host's last quote, and of no other.
    for part in ["attest", "signature"] {
        let server = Server::start().await;
        let hosts = two_hosts(&server).await;
        assert_eq!(changes(&tried(&server, "").await.unwrap()), vec![]);
        change_answers(&server, part);
        let changed = changes(&tried(&server, "").await.unwrap());
        let [(name, to, because)] = &changed[..] else { panic!("{part}: {changed:?}") };
        assert_eq!((name.as_str(), to.as_str()), ("sound", "not accepted"), "{part}");
        assert!(because.contains(&"quote-signature fail".to_owned()), "{part}: {because:?}");
        drop(hosts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_by_its_exit_code_whether_hosts_would_change() {
    let server = Server::start().await;
    let hosts = two_hosts(&server).await;
    let file = server.data.path().join("tried.toml");
    let context = server.data.path().join("admin.toml");
    for (policy, exit) in [("", Exit::Done), (WAIVED, Exit::No)] {
        std::fs::write(&file, policy).unwrap();
        for form in [None, Some("--json")] {
            let words = ["bootproof", "policy", "try"].map(OsStr::new);
            let paths = [file.as_os_str(), OsStr::new("--context"), context.as_os_str()];
            let all = words.into_iter().chain(paths).chain(form.map(OsStr::new));
            let arguments = Arguments::try_parse_from(all).unwrap();
            let run = move || cli::run(&arguments, &Output::new(arguments.json));
            assert_eq!(tokio::task::spawn_blocking(run).await.unwrap().unwrap(), exit);
        }
    }
    drop(hosts);
}

#[tokio::test]
async fn a_policy_in_force_judges_and_shows_what_it_waives() {
    let mut server = Server::start().await;
    let (sound, off) = two_hosts(&server).await;
    let policy = format!("[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6, 7, 23]\n{WAIVED}");
    std::fs::write(server.data.path().join("policy.toml"), policy).unwrap();
    // Relative to the configuration's folder.
    std::fs::write(server.data.path().join("server.toml"), "policy = 'policy.toml'").unwrap();
    server.kill_and_restart().await;

    let reply = off.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "accepted");
    let finding = reply.findings.iter().find(|found| found.code == "secure-boot-off").unwrap();
    assert_eq!(finding.severity, "warn");
    assert_eq!(finding.arguments["waived"], "lab");
    assert_eq!(finding.arguments["until"], "9000-01-01");
    assert!(finding.cause.contains("waived lab"), "{}", finding.cause);
    // What the policy requires is asked for.
    assert_eq!(sound.attest(&server).await.unwrap().verdict, "accepted");
    let facts = server.host(&sound.credentials().host_id).await.appraisal.unwrap().facts;
    assert!(facts.pcrs.0["sha256"].contains_key(&23));
    assert!(server.log().contains("the policy waives a finding"));

    // Back to the default, tried: the host without Secure Boot would fail.
    let back = changes(&tried(&server, "").await.unwrap());
    assert_eq!(back, one("off", "not accepted", "secure-boot-off fail"));
}

#[tokio::test]
async fn an_operators_list_of_revoked_images_is_in_force() {
    let mut server = Server::start().await;
    let (sound, off) = two_hosts(&server).await;
    std::fs::write(server.data.path().join("server.toml"), "dbx = 'revoked.esl'").unwrap();
    for (image, verdict, is_told) in
        [("GRUB 2.06", "accepted", false), ("GRUB 2.12", "not accepted", true)]
    {
        // Relative to the configuration's folder.
        let list = server.data.path().join("revoked.esl");
        std::fs::write(list, revoking(&[image])).unwrap();
        server.kill_and_restart().await;
        let reply = sound.attest(&server).await.unwrap();
        assert_eq!(reply.verdict, verdict, "{image}: {:?}", reply.findings);
        assert_eq!(has(&reply.findings, "image-revoked"), is_told, "{image}");
    }
    drop(off);
}

#[tokio::test]
async fn what_the_policy_waives_keeps_no_host_from_enrolling() {
    let tpm = Swtpm::builder().name("no-cert").start().unwrap();
    let log = BootLog::sound().build();
    boot(&tpm, &log).unwrap();
    let choice = TpmChoice::At(tpm.address().parse().unwrap());
    let host = Host::with("no-cert", choice.clone(), &log.bytes, None);
    let server = Server::start().await;
    server.trust().await;
    assert!(has(&server.join(&host).await.findings, "ek-cert-absent"));

    let mut server = Server::start().await;
    let policy = WAIVED.replace("secure-boot-off", "ek-cert-absent");
    std::fs::write(server.data.path().join("policy.toml"), policy).unwrap();
    std::fs::write(server.data.path().join("server.toml"), "policy = 'policy.toml'").unwrap();
    server.kill_and_restart().await;
    let host = Host::with("no-cert", choice, &log.bytes, None);
    assert!(server.join(&host).await.findings.is_empty());
    let reply = host.attest(&server).await.unwrap();
    assert_eq!(reply.verdict, "accepted");
    assert!(has(&reply.findings, "ek-cert-absent"), "it stays in sight");
}

#[tokio::test]
async fn a_key_without_a_certificate_is_approved_by_its_digest() {
    let log = BootLog::sound().build();
    let boot_bare = || {
        let tpm = Swtpm::builder().start().unwrap();
        boot(&tpm, &log).unwrap();
        tpm
    };
    let (tpm, other) = (boot_bare(), boot_bare());
    let host = |name: &str, tpm: &Swtpm| {
        Host::with(name, TpmChoice::At(tpm.address().parse().unwrap()), &log.bytes, None)
    };
    let mut server = Server::start().await;
    let known = host("known", &tpm);
    let refused = server.join(&known).await;
    let finding = &refused.findings[0];
    assert_eq!(finding.code, "ek-cert-absent");
    let digest = finding.arguments["ek_sha256"].as_str().unwrap().to_owned();

    let policy = format!(
        "[[endorsement.approved]]\nek_sha256 = '{digest}'\nreason = 'seen at its console'\n\
         expires = 9000-01-01\n"
    );
    std::fs::write(server.data.path().join("policy.toml"), policy).unwrap();
    std::fs::write(server.data.path().join("server.toml"), "policy = 'policy.toml'").unwrap();
    server.kill_and_restart().await;
    let id = refused.host_id;
    server.steer(&id, "disconnect").await;
    server.steer(&id, "reconnect").await;
    let serving = known.serve();
    let detail = server.wait_for(&id, "accepted", Some("ek-cert-absent")).await;
    drop(serving);
    let finding = &detail.host.findings[0];
    assert_eq!((finding.code.as_str(), finding.severity.as_str()), ("ek-cert-absent", "warn"));
    assert_eq!(finding.arguments["approved"], "seen at its console");
    assert_eq!(detail.identity.unwrap().ek_spki_sha256, digest, "the digest of `host show`");

    // The word is about one key.
    assert!(has(&server.join(&host("stranger", &other)).await.findings, "ek-cert-absent"));
}

#[tokio::test]
async fn a_verdict_counts_for_as_long_as_the_policy_says() {
    let server = Server::start_with("attest_interval_s = 300").await;
    let hosts = two_hosts(&server).await;
    let id = hosts.0.credentials().host_id;
    // Judged at T, it counts up to T + 1 s; it has to be older than that.
    let judged_ms = server.host(&id).await.host.appraised_at_ms.unwrap();
    wait::until("two seconds have passed", || (now_ms() > judged_ms + 2_000).then_some(()));
    let short = changes(&tried(&server, "[verdict]\ngood_for_s = 1").await.unwrap());
    let sound: Vec<_> = short.into_iter().filter(|(name, ..)| name == "sound").collect();
    assert_eq!(sound, one("sound", "not appraised", "verdict-expired hold"));
    assert_eq!(changes(&tried(&server, "[verdict]\ngood_for_s = 600").await.unwrap()), vec![]);
}

fn now_ms() -> i64 {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

#[tokio::test]
async fn a_bad_policy_is_refused_with_its_place_and_a_stranger_too() {
    let server = Server::start().await;
    let Err(ClientError::Problem(problem)) = tried(&server, "\n[pcr]").await else {
        panic!("not refused");
    };
    assert_eq!((problem.code.as_str(), problem.status), ("policy-invalid", 400));
    assert!(problem.title.contains("line 2, column 2"), "{}", problem.title);
    assert!(problem.hint.is_some());
    let fixed = WAIVED.replace("secure-boot-off", "log-replay");
    assert_eq!(code(tried(&server, &fixed).await), "policy-invalid");
    let large = "#".repeat(policy::POLICY_BYTES_MAX + 1);
    assert_eq!(code(tried(&server, &large).await), "policy-invalid");
    let cursor = PolicyTryRequest { cursor: Some("zz".to_owned()), ..request("") };
    let cursor = server.admin.post::<_, PolicyTryPage>("/v1/policy/try", &cursor).await;
    assert_eq!(code(cursor), "cursor-invalid");
    let body = serde_json::json!({ "policy": "", "file": "x" });
    let answer = server.admin.post::<_, PolicyTryPage>("/v1/policy/try", &body).await;
    assert_eq!(code(answer), "body-invalid");

    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    for client in [host.client(&server), server.admin.with_token("bpa_0000")] {
        let answer = client.post::<_, PolicyTryPage>("/v1/policy/try", &request("")).await;
        assert_eq!(code(answer), "unauthenticated");
    }
}

#[test]
fn no_server_starts_under_a_policy_that_is_none() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("policy.toml");
    let server = |config: &str| {
        std::fs::write(data.path().join("server.toml"), config).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
            .arg("--config")
            .arg(data.path().join("server.toml"))
            .arg("--data-dir")
            .arg(data.path().join("data"))
            .args(["--listen", "127.0.0.1:0", "--policy"])
            .arg(&file)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(!data.path().join("data").exists(), "nothing was begun");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(server("").contains("policy.toml cannot be read"));
    std::fs::write(&file, "[pcrs]\nrequired = [0]\n").unwrap();
    let said = server("");
    assert!(
        said.contains("line 2, column 12") && said.contains("PCR 1-7 must be required"),
        "{said}"
    );
    std::fs::write(&file, "[verdict]\ngood_for_s = 60\n").unwrap();
    assert!(server("verdict_good_for_s = 60").contains("keep one"));
}
