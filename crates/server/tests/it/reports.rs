//! Reports: what is told, to whom, and who can see that it was changed.

use std::{path::Path, process::Command};

use api::{
    audit::AuditPage,
    fleet_report::{
        Answer, REPORT_BYTES_MAX, REPORT_SHA256_HEADER, REPORT_SIGNATURE_HEADER, Report,
        ReportFormat, ReportKind, ReportQuery,
    },
    inventory::{Labels, LabelsRequest},
    people::{ApiTokenRequest, NewApiToken, Role},
};
use cli::Exit;
use client::{Client, ClientError};
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

fn query(format: ReportFormat) -> ReportQuery {
    ReportQuery { format, ..ReportQuery::default() }
}

/// A document, with its digest and signature.
async fn get(
    client: &Client,
    kind: ReportKind,
    query: &ReportQuery,
) -> Result<(Vec<u8>, String, String), ClientError> {
    let path = format!("/v1/reports/{}", kind.as_str());
    let (bytes, headers) = client.document(&path, query, REPORT_BYTES_MAX, 0).await?;
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    Ok((bytes.to_vec(), header(REPORT_SHA256_HEADER), header(REPORT_SIGNATURE_HEADER)))
}

pub(crate) async fn report(client: &Client, kind: ReportKind, query: &ReportQuery) -> Report {
    let (json, sha256, _) = get(client, kind, query).await.unwrap();
    assert_eq!(fleet_report::sha256(&json), sha256);
    serde_json::from_slice(&json).unwrap()
}

/// One that passes, one that does not, and one without a TPM.
async fn fleet() -> (Server, Vec<String>) {
    let server = Server::start().await;
    server.trust().await;
    let mut ids = Vec::new();
    for (name, log) in [("web-1", BootLog::sound()), ("web-2", BootLog::sound().secure_boot_off())]
    {
        let host = Host::boot(name, &log);
        ids.push(server.join(&host).await.host_id);
        host.attest(&server).await.unwrap();
    }
    ids.push(server.join(&Host::without_tpm("web-3")).await.host_id);
    (server, ids)
}

async fn label(server: &Server, id: &str, labels: &[(&str, &str)]) {
    let set = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let request = LabelsRequest { set, remove: Vec::new() };
    let _: Labels = server.admin.post(&format!("/v1/hosts/{id}/labels"), &request).await.unwrap();
}

#[tokio::test]
async fn a_report_tells_what_counts_and_what_nobody_checked() {
    let (server, ids) = fleet().await;
    let made = report(&server.admin, ReportKind::Fleet, &query(ReportFormat::Json)).await;
    let summary = &made.summary;
    assert_eq!(
        (summary.n_hosts, summary.n_accepted, summary.n_not_accepted, summary.n_not_appraised),
        (3, 1, 1, 1)
    );
    let causes: Vec<_> = summary.causes.iter().map(|cause| cause.code.as_str()).collect();
    assert!(causes.contains(&"secure-boot-off") && causes.contains(&"no-tpm"), "{causes:?}");
    let [one, two, three] = made.hosts.as_slice() else { panic!("{:?}", made.hosts) };
    assert_eq!((one.name.as_str(), one.verdict.as_str()), ("web-1", "accepted"));
    assert_eq!(one.controls["SI-7(9)"], Answer::Met);
    assert_eq!(one.evidence.as_ref().unwrap().secure_boot, Some(true));
    assert!(!one.evidence.as_ref().unwrap().boot.is_empty());
    assert_eq!(two.controls["SI-7(9)"], Answer::NotMet);
    assert_eq!(three.controls["SI-7(9)"], Answer::NotChecked);
    assert!(three.evidence.is_none());
    assert!(three.readiness.values().all(|answer| *answer == Answer::NotChecked));
    let host = ReportQuery { host: Some(ids[0].clone()), ..ReportQuery::default() };
    let made = report(&server.admin, ReportKind::Host, &host).await;
    assert_eq!((made.hosts.len(), made.history.len()), (1, 1));
    assert!(made.hosts[0].evidence.as_ref().unwrap().pcrs.is_some());
    // Who made which report is in the audit log.
    let audit: AuditPage = server.admin.get("/v1/audit").await.unwrap();
    let rows: Vec<_> = audit.rows.iter().filter(|row| row.action == "report.make").collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (rows[0].subject.as_str(), rows[1].subject.as_str()),
        ("report:fleet", "report:host")
    );
    assert!(rows[0].detail_json.contains("sha256"), "{}", rows[0].detail_json);
}

#[tokio::test]
async fn a_report_is_of_the_hosts_that_are_meant_and_that_one_may_see() {
    let (server, ids) = fleet().await;
    label(&server, &ids[0], &[("site", "muc"), ("rack", "1")]).await;
    label(&server, &ids[1], &[("site", "muc")]).await;
    let names = |made: &Report| -> Vec<String> {
        made.hosts.iter().map(|host| host.name.clone()).collect()
    };
    let of =
        |labels: &str| ReportQuery { labels: Some(labels.to_owned()), ..ReportQuery::default() };
    let made = report(&server.admin, ReportKind::Fleet, &of("site=muc")).await;
    assert_eq!(names(&made), ["web-1", "web-2"]);
    assert_eq!(made.selection.labels.as_deref(), Some("site=muc"));
    let made = report(&server.admin, ReportKind::Readiness, &of("rack")).await;
    assert_eq!(names(&made), ["web-1"]);
    let made = report(&server.admin, ReportKind::Fleet, &of("site=nowhere")).await;
    assert!(made.hosts.is_empty() && made.decisions.is_empty());

    let request = ApiTokenRequest {
        name: "rack-1".to_owned(),
        role: Role::Viewer,
        hosts: Labels::from([("rack".to_owned(), "1".to_owned())]),
        expires_in_s: 600,
    };
    let token: NewApiToken = server.admin.post("/v1/api-tokens", &request).await.unwrap();
    let limited = server.admin.with_token(token.token);
    let made = report(&limited, ReportKind::Compliance, &query(ReportFormat::Json)).await;
    assert_eq!(names(&made), ["web-1"]);
    assert_eq!(made.selection.scope["rack"], "1", "and the report says that there may be others");
    assert!(made.decisions.iter().all(|decision| decision.subject == "web-1"), "{made:?}");
    let other = ReportQuery { host: Some(ids[1].clone()), ..ReportQuery::default() };
    assert_eq!(code(get(&limited, ReportKind::Host, &other).await), "host-not-found");
    assert_eq!(
        code(limited.get::<serde_json::Value>("/v1/report-schedules").await),
        "token-is-limited"
    );
}

#[tokio::test]
async fn what_is_no_report_is_refused() {
    let server = Server::start().await;
    let admin = &server.admin;
    let one = ReportQuery { host: Some("h".to_owned()), ..ReportQuery::default() };
    assert_eq!(code(get(admin, ReportKind::Host, &one).await), "host-not-found");
    assert_eq!(code(get(admin, ReportKind::Fleet, &one).await), "report-invalid");
    let none = ReportQuery::default();
    assert_eq!(code(get(admin, ReportKind::Host, &none).await), "report-invalid");
    let wrong = ReportQuery { labels: Some("a b".to_owned()), ..ReportQuery::default() };
    assert_eq!(code(get(admin, ReportKind::Fleet, &wrong).await), "report-invalid");
    for (path, refused) in [
        ("/v1/reports/everything", "report-invalid"),
        ("/v1/reports/fleet?format=docx", "query-invalid"),
        ("/v1/reports/fleet?hosts=x", "query-invalid"),
    ] {
        assert_eq!(code(admin.get::<serde_json::Value>(path).await), refused, "{path}");
    }
    let send = admin.post::<_, serde_json::Value>("/v1/report-schedules/none/send", &()).await;
    assert_eq!(code(send), "report-schedule-not-found");
    // An empty fleet has a report, which proves nothing.
    let made = report(admin, ReportKind::Fleet, &none).await;
    assert_eq!(made.summary.n_hosts, 0);
    assert!(made.controls.iter().all(|control| control.answers.met == 0));
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_keys_sees_what_was_changed() {
    let (server, _) = fleet().await;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let run = async |words: &[&str]| bootproof(&server, words).await.unwrap();
    let (pdf, json) = (at("fleet.pdf"), at("fleet.json"));
    assert_eq!(run(&["report", "fleet", "--out", &pdf]).await, Exit::Done);
    let make = ["report", "readiness", "--format", "json", "--out", &json];
    assert_eq!(run(&make).await, Exit::Done);
    let whole = at("web-1.jws");
    let make = ["report", "host", "web-1", "--format", "jws", "--out", &whole];
    assert_eq!(run(&make).await, Exit::Done);
    for format in ["csv", "html"] {
        let out = at(format);
        let make = ["report", "compliance", "--format", format, "--out", &out];
        assert_eq!(run(&make).await, Exit::Done);
        assert_eq!(run(&["report", "verify", &out]).await, Exit::Done, "signed beside it");
        let mut bytes = std::fs::read(&out).unwrap();
        let at_byte = bytes.iter().rposition(|byte| *byte == b'1').unwrap();
        bytes[at_byte] = b'2';
        let changed = write(folder.path(), &format!("changed-{format}"), &bytes);
        let jws = format!("{out}.jws");
        assert_eq!(run(&["report", "verify", &changed, &jws]).await, Exit::No, "{format}");
        assert_eq!(run(&["report", "verify", &out, &at("fleet.json.jws")]).await, Exit::No);
        // Made anew out of the JSON that came with it, as by mail.
        let signed = std::fs::read(&json).unwrap();
        let report: Report = serde_json::from_slice(&signed).unwrap();
        let sha256 = fleet_report::sha256(&signed);
        let drawn = match format {
            "csv" => fleet_report::csv(&report, &sha256).unwrap(),
            _ => fleet_report::html(&report, &sha256).unwrap(),
        };
        let mailed = write(folder.path(), &format!("mailed.{format}"), &drawn);
        assert_eq!(run(&["report", "verify", &mailed, &json]).await, Exit::Done, "{format}");
        assert_eq!(run(&["report", "verify", &out, &json]).await, Exit::No, "of another report");
    }
    let jwks: serde_json::Value = server.admin.get("/.well-known/jwks.json").await.unwrap();
    let keys = write(folder.path(), "jwks.json", jwks.to_string().as_bytes());
    let verify = async |words: &[&str]| run(&[&["report", "verify"], words].concat()).await;
    assert_eq!(verify(&[&pdf, "--keys", &keys]).await, Exit::Done);
    assert_eq!(verify(&[&json]).await, Exit::Done, "the signature lies beside it");
    assert_eq!(verify(&[&whole, "--jwks", &keys]).await, Exit::Done);
    let jws = format!("{json}.jws");
    assert_eq!(verify(&[&json, &jws]).await, Exit::Done);

    // A changed byte.
    let mut bytes = std::fs::read(&json).unwrap();
    let at_byte = bytes.iter().position(|byte| *byte == b'1').unwrap();
    bytes[at_byte] = b'2';
    let changed = write(folder.path(), "changed.json", &bytes);
    assert_eq!(verify(&[&changed, &jws]).await, Exit::No);
    // Pages that say something else, over a report that is genuine.
    let mut bytes = std::fs::read(&pdf).unwrap();
    let at_byte = bytes.windows(5).position(|bytes| bytes == b"/Page").unwrap();
    bytes[at_byte + 1] = b'p';
    let changed = write(folder.path(), "changed.pdf", &bytes);
    assert_eq!(verify(&[&changed]).await, Exit::No);
    // The keys of another server.
    let other = Server::start().await;
    let jwks: serde_json::Value = other.admin.get("/.well-known/jwks.json").await.unwrap();
    let others = write(folder.path(), "others.json", jwks.to_string().as_bytes());
    for file in [&pdf, &json, &whole] {
        assert_eq!(verify(&[file, "--keys", &others]).await, Exit::No);
    }
    // Another kind of thing that the same key signed.
    let checkpoint: api::audit::SignedCheckpoint =
        server.admin.get("/v1/audit/checkpoint").await.unwrap();
    let checkpoint = write(folder.path(), "checkpoint", checkpoint.jws.as_bytes());
    assert_eq!(verify(&[&checkpoint]).await, Exit::No);
    // The signature of another report.
    let of_other = ["report", "compliance", "--format", "json", "--out", &at("other.json")];
    assert_eq!(run(&of_other).await, Exit::Done);
    assert_eq!(verify(&[&json, &at("other.json.jws")]).await, Exit::No);
    assert_eq!(run(&["report", "schedules"]).await, Exit::Done);
}

#[tokio::test]
async fn a_pdf_of_the_server_is_read_by_others() {
    let (server, _) = fleet().await;
    let folder = tempfile::tempdir().unwrap();
    let (pdf, sha256, _) =
        get(&server.admin, ReportKind::Fleet, &query(ReportFormat::Pdf)).await.unwrap();
    let file = write(folder.path(), "fleet.pdf", &pdf);
    let text = Command::new("pdftotext").args([&file, "-"]).output().unwrap();
    let text = String::from_utf8(text.stdout).unwrap();
    let text: Vec<_> = text.split_whitespace().collect();
    let said = "Secure Boot has done its job on 1 of 3 hosts, and here is how we know.";
    assert!(text.join(" ").contains(said), "{text:?}");
    assert!(text.concat().contains(&sha256));
}

#[tokio::test]
async fn decisions_about_other_hosts_are_not_told() {
    let (server, ids) = fleet().await;
    label(&server, &ids[0], &[("rack", "1")]).await;
    server.steer(&ids[1], "disconnect").await;
    let whole = report(&server.admin, ReportKind::Fleet, &query(ReportFormat::Json)).await;
    let actions: Vec<_> = whole.decisions.iter().map(|one| one.action.as_str()).collect();
    assert!(
        actions.contains(&"host.disconnect") && actions.contains(&"trust-root.add"),
        "{actions:?}"
    );
    let labels = Some("rack=1".to_owned());
    let part = ReportQuery { labels, ..ReportQuery::default() };
    let part = report(&server.admin, ReportKind::Fleet, &part).await;
    assert_eq!(part.decisions, [], "nobody decided about that host");
}
