//! Policies that a server keeps: put, compared, tried, activated, on one server and on two.

use std::collections::HashMap;

use api::{
    audit::AuditPage,
    policy::{
        LineChange, PolicyActivateRequest, PolicyCheck, PolicyCheckRequest, PolicyDiff,
        PolicyDocument, PolicyInForce, PolicyPutRequest, PolicySource, PolicyTryPage,
        PolicyVersion, PolicyVersionPage, PolicyVersionTryRequest,
    },
};
use cli::Exit;
use client::ClientError;
use testkit::{log::BootLog, postgres::Database};

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

const VERSIONS: &str = "/v1/policy/versions";

/// Hosts whose Secure Boot is off pass with a warning.
const WAIVED: &str = "\
[findings.secure-boot-off]
severity = 'warn'
reason = 'lab'
expires = 9000-01-01
";

async fn put(server: &Server, text: &str) -> Result<PolicyVersion, ClientError> {
    let request = PolicyPutRequest { policy: text.to_owned(), ..Default::default() };
    server.admin.post(VERSIONS, &request).await
}

async fn activate(
    server: &Server,
    number: i64,
    before: Option<i64>,
) -> Result<PolicyInForce, ClientError> {
    let request = PolicyActivateRequest { before, reason: "tried".to_owned() };
    server.admin.post(&format!("{VERSIONS}/{number}/activate"), &request).await
}

async fn now(server: &Server) -> PolicyInForce {
    let page: PolicyVersionPage = server.admin.get(VERSIONS).await.unwrap();
    page.in_force
}

async fn host_without_secure_boot(server: &Server) -> (Host, String) {
    server.trust().await;
    let host = Host::boot("off", &BootLog::sound().secure_boot_off());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(server).await.unwrap().verdict, "not accepted");
    (host, id)
}

#[tokio::test]
async fn a_policy_is_kept_tried_and_activated() {
    let mut server = Server::start().await;
    let (_host, id) = host_without_secure_boot(&server).await;
    let before = now(&server).await;
    assert_eq!((before.source, before.number), (PolicySource::Default, None));

    // What is none is not kept, and is told where.
    let wrong = "[banks]\nminimum = 'sha1'\n";
    assert_eq!(code(put(&server, wrong).await), "policy-invalid");
    let request = PolicyCheckRequest { policy: wrong.to_owned(), ..Default::default() };
    let check: PolicyCheck = server.admin.post("/v1/policy/check", &request).await.unwrap();
    let fault = check.fault.unwrap();
    assert_eq!((check.valid, fault.line, fault.column), (false, 2, 11), "{fault:?}");
    let request = PolicyCheckRequest { policy: WAIVED.to_owned(), ..Default::default() };
    let check: PolicyCheck = server.admin.post("/v1/policy/check", &request).await.unwrap();
    assert_eq!(check, PolicyCheck { valid: true, fault: None });

    let version = put(&server, WAIVED).await.unwrap();
    assert_eq!(put(&server, WAIVED).await.unwrap(), version, "the same is kept once");
    let path = format!("{VERSIONS}/{}", version.number);
    let document: PolicyDocument = server.admin.get(&path).await.unwrap();
    assert_eq!((document.policy.as_str(), document.version), (WAIVED, version.clone()));
    assert!(!version.in_force);
    assert_eq!(server.host(&id).await.host.verdict, "not accepted", "it does not count yet");

    let request = PolicyVersionTryRequest::default();
    let tried: PolicyTryPage = server.admin.post(&format!("{path}/try"), &request).await.unwrap();
    let [change] = &tried.changes[..] else { panic!("{tried:?}") };
    assert_eq!((change.name.as_str(), change.to.as_str()), ("off", "accepted"));

    let in_force = activate(&server, version.number, None).await.unwrap();
    assert_eq!((in_force.source, in_force.number), (PolicySource::Version, Some(version.number)));
    // What the host sent is judged anew; nobody asked it.
    let detail = server.wait_for(&id, "accepted", None).await;
    let finding = detail.host.findings.iter().find(|found| found.code == "secure-boot-off");
    assert_eq!(finding.unwrap().severity, "warn");
    let audit: AuditPage = server.admin.get("/v1/audit?limit=200").await.unwrap();
    let done: Vec<_> = audit.rows.iter().filter(|row| row.action.starts_with("policy.")).collect();
    let actions: Vec<_> = done.iter().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["policy.begin", "policy.put", "policy.activate", "policy.begin"]);
    assert_eq!(done[2].actor, "administrator");

    // Who decided about something else is told; what he put is kept.
    let other = put(&server, "[banks]\nminimum = 'sha384'\n").await.unwrap();
    assert_eq!(code(activate(&server, other.number, None).await), "policy-changed");
    assert_eq!(code(activate(&server, 99, Some(version.number)).await), "policy-version-not-found");
    let diff: PolicyDiff =
        server.admin.get(&format!("{VERSIONS}/{}/diff", other.number)).await.unwrap();
    let added: Vec<_> = diff
        .pieces
        .iter()
        .flatten()
        .filter(|line| line.change == LineChange::Added)
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(added, ["[banks]", "minimum = 'sha384'"]);

    // It counts after a start, too.
    server.kill_and_restart().await;
    assert_eq!(now(&server).await.number, Some(version.number));
    assert_eq!(server.host(&id).await.host.verdict, "accepted");
}

#[tokio::test]
async fn a_reason_is_a_line_and_files_come_along() {
    let server = Server::start().await;
    let version = put(&server, WAIVED).await.unwrap();
    let request = PolicyActivateRequest { before: None, reason: " ".to_owned() };
    let path = format!("{VERSIONS}/{}/activate", version.number);
    assert_eq!(
        code(server.admin.post::<_, PolicyInForce>(&path, &request).await),
        "reason-invalid"
    );

    // A policy that names a file is kept with it, and the next one may go on from there.
    let text = "[rules]\nfile = 'site.rego'\n";
    assert_eq!(code(put(&server, text).await), "policy-invalid");
    let rego = b"package bootproof\n\nwarn contains \"x\" if { false }\n".to_vec();
    let files = HashMap::from([("site.rego".to_owned(), rego.into())]);
    let request = PolicyPutRequest { policy: text.to_owned(), files, ..Default::default() };
    let first: PolicyVersion = server.admin.post(VERSIONS, &request).await.unwrap();
    let request = PolicyPutRequest {
        policy: format!("# the same\n{text}"),
        based_on: Some(first.number),
        note: "ticket 4711".to_owned(),
        ..Default::default()
    };
    let second: PolicyVersion = server.admin.post(VERSIONS, &request).await.unwrap();
    assert_eq!(second.note, "ticket 4711");
    let document: PolicyDocument =
        server.admin.get(&format!("{VERSIONS}/{}", second.number)).await.unwrap();
    assert_eq!(document.files[0].name, "site.rego");
    assert!(activate(&server, second.number, None).await.is_ok());
}

#[tokio::test]
async fn a_file_counts_before_what_was_activated_and_is_kept() {
    let mut server = Server::start().await;
    let (_host, id) = host_without_secure_boot(&server).await;
    let strict = put(&server, "[banks]\nminimum = 'sha384'\n").await.unwrap();
    activate(&server, strict.number, None).await.unwrap();
    std::fs::write(server.data.path().join("policy.toml"), WAIVED).unwrap();
    std::fs::write(server.data.path().join("server.toml"), "policy = 'policy.toml'").unwrap();
    server.kill_and_restart().await;

    let in_force = now(&server).await;
    assert_eq!(in_force.source, PolicySource::File);
    assert!(in_force.file.unwrap().ends_with("policy.toml"));
    assert_eq!(in_force.activated.unwrap().number, strict.number);
    // The file's text is a version: the first step away from the file.
    let kept = in_force.number.unwrap();
    let document: PolicyDocument = server.admin.get(&format!("{VERSIONS}/{kept}")).await.unwrap();
    assert_eq!(document.policy, WAIVED);
    server.wait_for(&id, "accepted", None).await;
    let refused = activate(&server, kept, Some(strict.number)).await;
    assert_eq!(code(refused), "policy-from-file");

    // Without the file what was activated counts again.
    std::fs::write(server.data.path().join("server.toml"), "").unwrap();
    server.kill_and_restart().await;
    assert_eq!(now(&server).await.number, Some(strict.number));
    activate(&server, kept, Some(strict.number)).await.unwrap();
    server.wait_for(&id, "accepted", None).await;
}

#[tokio::test]
async fn what_is_activated_at_one_server_counts_at_the_other() {
    let database = Database::new().unwrap();
    let a = Server::start_with(&format!("store = \"{}\"\n", database.address())).await;
    let b = a.beside().await;
    let (_host, id) = host_without_secure_boot(&a).await;
    let version = put(&a, WAIVED).await.unwrap();
    activate(&a, version.number, None).await.unwrap();
    for server in [&a, &b] {
        server.wait_for(&id, "accepted", None).await;
    }
    let deadline = tokio::time::Instant::now() + testkit::wait::TIME_MAX;
    while now(&b).await.number != Some(version.number) {
        assert!(tokio::time::Instant::now() < deadline, "the other server never judged by it");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_steered_from_the_command_line() {
    let server = Server::start().await;
    let (_host, id) = host_without_secure_boot(&server).await;
    let file = server.data.path().join("tried.toml");
    std::fs::write(&file, WAIVED).unwrap();
    let file = file.display().to_string();
    let done = |exit: Result<Exit, cli::CliError>| assert_eq!(exit.unwrap(), Exit::Done);
    done(bootproof(&server, &["policy", "list"]).await);
    done(bootproof(&server, &["policy", "put", &file, "--note", "ticket 4711"]).await);
    let page: PolicyVersionPage = server.admin.get(VERSIONS).await.unwrap();
    let number = page.versions[0].number.to_string();
    assert_eq!(page.versions[0].note, "ticket 4711");
    for form in [None, Some("--json")] {
        let with = |words: &[&'static str]| -> Vec<String> {
            words.iter().copied().chain([number.as_str()]).chain(form).map(str::to_owned).collect()
        };
        for words in [&["policy", "show"][..], &["policy", "diff"]] {
            let words = with(words);
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let exit = if words[1] == "diff" { Exit::No } else { Exit::Done };
            assert_eq!(bootproof(&server, &words).await.unwrap(), exit);
        }
    }
    done(bootproof(&server, &["policy", "activate", &number, "--reason", "tried"]).await);
    server.wait_for(&id, "accepted", None).await;
    done(bootproof(&server, &["policy", "diff", &number]).await);
    done(bootproof(&server, &["policy", "list", "--json"]).await);
    assert!(bootproof(&server, &["policy", "show", "99"]).await.is_err());
}
