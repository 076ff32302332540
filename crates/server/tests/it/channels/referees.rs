//! Receivers that others wrote: Alertmanager, a mail server, syslog-ng.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use client::{Client, Trust};
use serde_json::{Value, json};
use testkit::wait;

use super::{add, sink::Pki, test, wait_for};
use crate::bench::{Host, Server};

/// A program, ended with the test.
pub(super) struct Program(Child);

impl Program {
    pub(super) fn start(command: &mut Command, folder: &Path) -> Self {
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|err| panic!("{command:?} (`cargo xtask test` installs it): {err}"));
        Self(child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that is free now.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub(super) fn listens(port: u16) {
    wait::until("the receiver listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
}

/// Asks until the answer is as it should be.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn alertmanager_has_an_alert_as_long_as_its_alarm_stands() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let (cert, key) = pki.write(folder.path());
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let config = "route: { receiver: none }\nreceivers: [{ name: none }]\n".to_owned();
    let config = file("config.yml", config);
    let (cert, key) = (cert.display(), key.display());
    let tls = format!("tls_server_config: {{ cert_file: {cert}, key_file: {key} }}\n");
    let tls = file("web.yml", tls);
    let port = free_port();
    let _program = Program::start(
        Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={config}"))
            .arg(format!("--web.config.file={tls}"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg("--cluster.listen-address="),
        folder.path(),
    );
    listens(port);
    let url = format!("https://127.0.0.1:{port}");
    let alertmanager = Client::new(&url, &Trust::CaPem(pki.ca_pem.clone())).unwrap();
    let server = Server::start().await;
    let settings = json!({ "kind": "alertmanager", "url": url, "ca_pem": pki.ca_pem });
    add(&server, "prom", settings, None).await;
    let said = test(&server, "prom").await;
    assert!(said.delivered, "{said:?}");

    let id = server.join(&Host::without_tpm("web-1")).await.host_id;
    let alerts = async || -> Vec<Value> {
        let alerts: Vec<Value> = alertmanager.get("/api/v2/alerts").await.unwrap();
        alerts.into_iter().filter(|alert| alert["labels"]["alertname"] == "no-tpm").collect()
    };
    let alert = until("an alert", async || alerts().await.pop()).await;
    assert_eq!(alert["labels"]["host"], "web-1");
    assert_eq!(alert["labels"]["severity"], "warning");
    assert_eq!(alert["status"]["state"], "active");
    assert!(!alert["annotations"]["next_step"].as_str().unwrap().is_empty());
    // The cause is gone, and with it the alert.
    server.steer(&id, "disconnect").await;
    until("the alert ends", async || alerts().await.is_empty().then_some(())).await;
    wait_for(&server, "prom", |channel| channel.state == "active" && channel.n_dead == 0).await;
}

/// Mails that a folder has.
pub(super) fn mails(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder.join("new")) else { return Vec::new() };
    entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
}

/// A mail server by `security`, whose inbox lies in `folder`, and its port.
pub(super) fn mail_server(pki: &Pki, folder: &Path, security: &str) -> (Program, u16) {
    let port = free_port();
    (mail_server_at(pki, folder, security, port), port)
}

/// The same at a port.
pub(super) fn mail_server_at(pki: &Pki, folder: &Path, security: &str, port: u16) -> Program {
    let (cert, key) = pki.write(folder);
    let (with_cert, with_key) = match security {
        "tls" => ("--smtpscert", "--smtpskey"),
        _ => ("--tlscert", "--tlskey"),
    };
    let mut command = Command::new("/usr/bin/python3");
    command
        .args(["-m", "aiosmtpd", "-n", "-l", &format!("127.0.0.1:{port}")])
        .arg(with_cert)
        .arg(cert)
        .arg(with_key)
        .arg(key)
        .args(["-c", "aiosmtpd.handlers.Mailbox"])
        .arg(folder.join("inbox"));
    let program = Program::start(&mut command, folder);
    listens(port);
    program
}

async fn mail_by(security: &str) {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let (_program, port) = mail_server(&pki, folder.path(), security);
    let inbox = folder.path().join("inbox");
    let server = Server::start().await;
    let settings = json!({
        "kind": "smtp", "server": format!("127.0.0.1:{port}"), "security": security,
        "from": "bootproof@example.org", "to": ["ops@example.org", "on-call@example.org"],
        "gather_s": 2, "ca_pem": pki.ca_pem,
    });
    add(&server, "mail", settings, None).await;
    let said = test(&server, "mail").await;
    assert!(
        said.delivered,
        "{said:?}\n{}",
        std::fs::read_to_string(folder.path().join("log")).unwrap()
    );
    let names = ["web-1", "web-2", "web-3"];
    for name in names {
        server.join(&Host::without_tpm(name)).await;
    }
    let told = wait::until("one mail for the cause", || {
        mails(&inbox).into_iter().find(|mail| mail.contains("no-tpm at 3 hosts"))
    });
    assert!(names.iter().all(|name| told.contains(name)), "{told}");
    assert!(told.contains("To: ops@example.org, on-call@example.org"), "{told}");
    assert!(told.contains("Message-ID: <") && told.contains("Next step:"), "{told}");
    wait_for(&server, "mail", |channel| channel.delivered_at_ms.is_some()).await;
    assert_eq!(mails(&inbox).len(), 2, "the test's and this one");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mail_tells_a_cause_by_tls() {
    mail_by("tls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mail_tells_a_cause_by_starttls() {
    mail_by("starttls").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_ng_reads_each_record() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let (cert, key) = pki.write(folder.path());
    let (port, out) = (free_port(), folder.path().join("out"));
    let config = folder.path().join("syslog-ng.conf");
    let text = format!(
        "@version: 3.38\n\
         source s {{ syslog(ip(127.0.0.1) port({port}) transport(\"tls\") tls(\n\
           key-file(\"{}\") cert-file(\"{}\") peer-verify(optional-untrusted))); }};\n\
         destination d {{ file(\"{}\" template(\"$PRI $PROGRAM $MSGID \
           ${{.SDATA.bootproof@32473.code}} ${{.SDATA.bootproof@32473.host}} $MSG\\n\")); }};\n\
         log {{ source(s); destination(d); }};\n",
        key.display(),
        cert.display(),
        out.display()
    );
    std::fs::write(&config, text).unwrap();
    let in_folder = |name: &str| folder.path().join(name).display().to_string();
    let _program = Program::start(
        Command::new("syslog-ng").arg("-F").arg("--no-caps").arg("-f").arg(&config).args([
            "-p",
            &in_folder("pid"),
            "-c",
            &in_folder("ctl"),
            "-R",
            &in_folder("persist"),
        ]),
        folder.path(),
    );
    listens(port);
    let server = Server::start().await;
    let settings =
        json!({ "kind": "syslog", "server": format!("127.0.0.1:{port}"), "ca_pem": pki.ca_pem });
    add(&server, "siem", settings, None).await;
    let said = test(&server, "siem").await;
    assert!(said.delivered, "{said:?}");
    server.join(&Host::without_tpm("web-1")).await;
    server.join(&Host::without_tpm("web-2")).await;
    for host in ["web-1", "web-2"] {
        let line = wait::until("a record", || {
            let all = std::fs::read_to_string(&out).ok()?;
            all.lines().find(|line| line.contains(&format!("no-tpm {host} "))).map(str::to_owned)
        });
        assert!(line.starts_with("84 bootproof alarm.raised no-tpm"), "{line}");
        assert!(line.contains("Next: "), "{line}");
    }
    let all = std::fs::read_to_string(&out).unwrap();
    assert!(all.starts_with("86 bootproof channel.test  none This is a test"), "{all}");
}
