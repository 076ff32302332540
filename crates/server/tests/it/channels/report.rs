//! Reports by mail, with a mail server and a reader of mails that others wrote.

use std::{path::Path, process::Command};

use api::{audit::AuditPage, fleet_report::ReportSchedule};
use cli::Exit;
use serde_json::{Value, json};
use testkit::wait;

use super::{
    add,
    referees::{free_port, mail_server},
    sink::Pki,
};
use crate::{
    bench::{Host, Server},
    commands::bootproof,
};

/// Writes the files of each mail of a folder into one of its own, and says what each is.
const READ: &str = r#"
import email, email.policy, json, pathlib, sys
said = []
for n, path in enumerate(sorted(pathlib.Path(sys.argv[1]).glob("new/*"))):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    out = pathlib.Path(sys.argv[2]) / str(n)
    out.mkdir(parents=True, exist_ok=True)
    files = {}
    for part in mail.iter_attachments():
        (out / part.get_filename()).write_bytes(part.get_payload(decode=True))
        files[part.get_filename()] = part.get_content_type()
    said.append({
        "subject": mail["Subject"], "to": mail["To"], "files": files, "folder": str(out),
        "body": mail.get_body(("plain",)).get_content(),
    })
print(json.dumps(said))
"#;

fn mails(folder: &Path) -> Vec<Value> {
    let output = Command::new("/usr/bin/python3")
        .args(["-c", READ])
        .args([folder.join("inbox"), folder.join("read")])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

const CONFIG: &str = r#"
[[report]]
name = "nightly"
kind = "fleet"
every = "daily 00:00 UTC"
channel = "mail"

[[report]]
name = "to-nowhere"
kind = "readiness"
format = "csv"
every = "monthly 1 06:00 UTC"
channel = "gone"
"#;

async fn schedules(server: &Server) -> Vec<ReportSchedule> {
    server.admin.get("/v1/report-schedules").await.unwrap()
}

/// Waits until the server knows of its schedule: times from before are nobody's.
fn wait_until_known(server: &Server) {
    wait::until("the server notes the schedule", || {
        let db = rusqlite::Connection::open(server.data.path().join("bootproof.db")).unwrap();
        let sql = "SELECT 1 FROM report_runs WHERE name = 'nightly'";
        db.query_row(sql, [], |_| Ok(())).ok()
    });
}

/// Makes the schedule believe that it was served long ago: its server was off for ten days.
fn miss_some(server: &Server) -> usize {
    let db = rusqlite::Connection::open(server.data.path().join("bootproof.db")).unwrap();
    db.execute(
        "UPDATE report_runs SET served_ms = served_ms - 864000000 WHERE name = 'nightly'",
        [],
    )
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_comes_by_mail_once_for_the_times_that_were_missed() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let (_program, port) = mail_server(&pki, folder.path(), "tls");
    let mut server = Server::start_with(CONFIG).await;
    let settings = json!({
        "kind": "smtp", "server": format!("127.0.0.1:{port}"), "security": "tls",
        "from": "bootproof@example.org", "to": ["auditor@example.org"], "ca_pem": pki.ca_pem,
    });
    let request = json!({
        "name": "mail", "settings": settings, "filter": { "types": ["alarm.acknowledged"] },
    });
    let _: Value = server.admin.post("/v1/channels", &request).await.unwrap();
    server.join(&Host::without_tpm("web-1")).await;
    let known = schedules(&server).await;
    assert_eq!((known.len(), known[0].sent_at_ms), (2, None));
    assert_eq!(known[0].every, "daily 00:00 UTC");

    // A person tries it.
    assert_eq!(bootproof(&server, &["report", "send", "nightly"]).await.unwrap(), Exit::Done);
    assert!(
        bootproof(&server, &["report", "send", "to-nowhere"]).await.is_err(),
        "no such channel"
    );
    let tried = mails(folder.path());
    assert_eq!(tried.len(), 1);
    assert_eq!(tried[0]["subject"], "Bootproof report nightly: 0 of 1 hosts passed");
    assert_eq!(tried[0]["to"], "auditor@example.org");
    assert!(tried[0]["body"].as_str().unwrap().contains("no-tpm"), "{tried:?}");

    // What was missed while the server was away comes once.
    wait_until_known(&server);
    server.kill();
    assert_eq!(miss_some(&server), 1);
    server.restart().await;
    let arrived =
        wait::until("the report", || Some(mails(folder.path())).filter(|mails| mails.len() > 1));
    assert_eq!(arrived.len(), 2);
    let files = arrived[1]["files"].as_object().unwrap();
    let kinds: Vec<_> = files.values().map(|kind| kind.as_str().unwrap()).collect();
    assert_eq!(kinds, ["application/json", "application/jose", "application/pdf"]);
    let place = Path::new(arrived[1]["folder"].as_str().unwrap());
    for name in files.keys().filter(|name| !name.ends_with(".jws")) {
        let file = place.join(name).display().to_string();
        let verified = bootproof(&server, &["report", "verify", &file]).await.unwrap();
        assert_eq!(verified, Exit::Done, "{name}");
    }
    let sent = async || schedules(&server).await[0].sent_at_ms;
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    while sent().await.is_none() {
        assert!(tokio::time::Instant::now() < deadline, "it is not noted");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let audit: AuditPage = server.admin.get("/v1/audit").await.unwrap();
    let of = |action: &str| audit.rows.iter().filter(|row| row.action == action).count();
    assert_eq!((of("report.send"), of("report.send-now")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_away_is_told_and_tried_again() {
    let mut server = Server::start_with(CONFIG).await;
    let settings = json!({
        "kind": "smtp", "server": format!("127.0.0.1:{}", free_port()), "security": "tls",
        "from": "bootproof@example.org", "to": ["auditor@example.org"],
    });
    add(&server, "mail", settings, None).await;
    assert_eq!(bootproof(&server, &["report", "send", "nightly"]).await.unwrap(), Exit::No);
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    wait_until_known(&server);
    server.kill();
    assert_eq!(miss_some(&server), 1);
    server.restart().await;
    loop {
        let now = schedules(&server).await.remove(0);
        if let Some(error) = now.error {
            assert!(error.contains("127.0.0.1") || error.contains("refused"), "{error}");
            assert_eq!(now.sent_at_ms, None);
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{now:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
