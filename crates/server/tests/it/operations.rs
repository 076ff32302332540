//! What those who run the server see of it: readiness, metrics, the log, and what is read anew.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use api::{
    admin::{Approval, HostPage},
    agent::{KeySays, PollReply, PollRequest, TpmSays},
    operation::{CheckState, Readiness},
};
use serde_json::Value;
use testkit::{log::BootLog, postgres::Cluster, wait};

use crate::bench::{Host, Server, code};

/// A policy by which Secure Boot may be off.
const PERMISSIVE: &str =
    "[findings.secure-boot-off]\nseverity = 'warn'\nreason = 'lab'\nexpires = 9000-01-01\n";

/// A port of the loopback interface that nobody has.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Status and body of a plain request to the loopback listener.
fn ask(port: u16, path: &str, accept: &str) -> (u16, String) {
    let out = Command::new("curl")
        .args(["-s", "-m", "20", "-H", &format!("Accept: {accept}"), "-w", "\n%{http_code}"])
        .arg(format!("http://127.0.0.1:{port}{path}"))
        .output()
        .unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap();
    (status.parse().unwrap_or(0), body.to_owned())
}

fn readiness(port: u16) -> (u16, Readiness) {
    let (status, body) = ask(port, "/readyz", "application/json");
    (status, serde_json::from_str(&body).unwrap_or_else(|err| panic!("{err}: {body}")))
}

fn check<'a>(readiness: &'a Readiness, name: &str) -> Option<(CheckState, &'a str)> {
    let check = readiness.checks.iter().find(|check| check.name == name)?;
    Some((check.state, check.reason.as_deref().unwrap_or_default()))
}

fn signal(server: &Server, name: &str) {
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
}

/// The value of a metric with these labels, in their order.
fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(&format!("{series} ")))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn what_is_counted_is_what_happened() {
    let (port, evidence) = (free_port(), tempfile::tempdir().unwrap());
    // With all parts that count something.
    let server = Server::start_with(&format!(
        "metrics_listen = '127.0.0.1:{port}'\n[evidence]\nstore = 'folder'\nfolder = '{}'\n",
        evidence.path().display()
    ))
    .await;
    server.trust().await;
    let sound = Host::boot("web-1", &BootLog::sound());
    let off = Host::boot("web-2", &BootLog::sound().secure_boot_off());
    for host in [&sound, &off] {
        server.join(host).await;
        host.attest(&server).await.unwrap();
    }
    sound.attest(&server).await.unwrap();
    assert_eq!(
        code(server.admin.with_token("bpa_0").get::<HostPage>("/v1/hosts").await),
        "unauthenticated"
    );
    // The same numbers for whoever is on this machine, and for a viewer over TLS.
    let counted = wait::until("hosts are counted", || {
        let (status, text) = ask(port, "/metrics", "*/*");
        assert_eq!(status, 200);
        let series = r#"bootproof_hosts{connection="connected",verdict="accepted"}"#;
        (value(&text, series) == Some(1.0)).then_some(text)
    });
    for (series, expected) in [
        (r#"bootproof_attestations_total{verdict="accepted"}"#, 2.0),
        (r#"bootproof_attestations_total{verdict="not accepted"}"#, 1.0),
        (r#"bootproof_attestations_total{verdict="not appraised"}"#, 0.0),
        (r#"bootproof_findings_total{code="secure-boot-off",severity="fail"}"#, 1.0),
        (r#"bootproof_hosts{connection="connected",verdict="not accepted"}"#, 1.0),
        (r#"bootproof_hosts{connection="disconnected",verdict="accepted"}"#, 0.0),
        (r#"bootproof_refusals_total{code="unauthenticated"}"#, 1.0),
        ("bootproof_authentication_failures_total", 1.0),
        ("bootproof_challenges_total", 3.0),
        (r#"bootproof_attestation_stage_duration_seconds_count{stage="store"}"#, 3.0),
        (r#"bootproof_ready{check="store"}"#, 1.0),
        ("bootproof_long_polls_waiting", 0.0),
        ("bootproof_store_transactions_lost_total", 0.0),
    ] {
        assert_eq!(value(&counted, series), Some(expected), "{series}\n{counted}");
    }
    for series in [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "bootproof_store_transactions_committed_total",
        "bootproof_store_size_bytes",
        "bootproof_audit_rows",
        r#"bootproof_certificate_expiry_timestamp_seconds{certificate="own"}"#,
        r#"bootproof_tls_handshakes_total{result="done"}"#,
    ] {
        assert!(value(&counted, series).is_some_and(|value| value > 0.0), "{series}\n{counted}");
    }
    for name in ["web-1", "web-2", &sound.credentials().host_id] {
        assert!(!counted.contains(name), "{name} is a host");
    }
    promtool(&counted);
    let unknown = server.admin.with_token("bpa_0").get::<Value>("/metrics").await;
    assert_eq!(code(unknown), "unauthenticated");
}

/// Debian's own checker reads it, and what dashboards and alerts name is there.
fn promtool(text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contrib");
    let rules = folder.join("prometheus/bootproof.rules.yml");
    let out = Command::new("promtool").args(["check", "rules"]).arg(&rules).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    let tests = folder.join("prometheus/bootproof.rules.test.yml");
    let out = Command::new("promtool").args(["test", "rules"]).arg(&tests).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));

    let dashboard = std::fs::read_to_string(folder.join("grafana/bootproof.json")).unwrap();
    let _: Value = serde_json::from_str(&dashboard).unwrap();
    let texts = [dashboard, std::fs::read_to_string(&rules).unwrap()].concat();
    let words = texts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named: BTreeSet<_> = words
        .filter(|word| word.starts_with("bootproof_") || word.starts_with("process_"))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    let served: BTreeSet<_> = text
        .lines()
        .filter_map(|line| line.split(['{', ' ']).next())
        .filter(|name| *name != "#")
        .collect();
    let missing: Vec<_> = named.difference(&served).collect();
    assert!(missing.is_empty(), "named, and not served: {missing:?}\n{text}");
}

#[tokio::test]
async fn a_server_without_its_database_is_not_ready() {
    let mut cluster = Cluster::start().unwrap();
    let port = free_port();
    let config =
        format!("store = \"{}\"\nmetrics_listen = '127.0.0.1:{port}'\n", cluster.address());
    let _server = Server::start_with(&config).await;
    let (status, found) = readiness(port);
    assert_eq!((status, found.ready), (200, true), "{found:?}");
    for name in ["store", "schema", "clock", "signer"] {
        assert_eq!(check(&found, name).unwrap().0, CheckState::Ok);
    }
    cluster.end();
    let reason = wait::until("it is not ready", || {
        let (status, found) = readiness(port);
        (status == 503 && !found.ready).then(|| check(&found, "store").unwrap().1.to_owned())
    });
    assert!(reason.contains("not available"), "{reason}");
    assert_eq!(ask(port, "/healthz", "*/*"), (200, "ok\n".to_owned()), "the process lives");
    let text = ask(port, "/readyz", "text/plain").1;
    assert!(text.starts_with("not ready\n") && text.contains("failed store: "), "{text}");
    cluster.run().unwrap();
    wait::until("it is ready again", || (readiness(port).0 == 200).then_some(()));
}

/// A limit on the size of files stands for a disk that is full: nothing can be written any more.
#[tokio::test]
async fn a_server_whose_disk_is_full_is_not_ready_and_goes_on_when_there_is_room() {
    let port = free_port();
    let server = Server::start_with(&format!("metrics_listen = '127.0.0.1:{port}'\n")).await;
    server.trust().await;
    assert_eq!(readiness(port).0, 200);
    let pid = server.pid().to_string();
    let limit = |bytes: &str| {
        let set =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}")]).status();
        assert!(set.unwrap().success());
    };
    limit("4096:unlimited");
    let reason = wait::until("it is not ready", || {
        let (status, found) = readiness(port);
        (status == 503).then(|| check(&found, "store").unwrap().1.to_owned())
    });
    assert!(reason.contains("not available: "), "{reason}");
    // It answers, and says so; what it reads it still has.
    assert!(server.admin.get::<HostPage>("/v1/hosts").await.is_ok());
    limit("unlimited:unlimited");
    wait::until("it is ready again", || (readiness(port).0 == 200).then_some(()));
    server.token(None, Approval::NotRequired).await;
}

// The agent waits while the test looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_end_it_says_so_and_nobody_is_cut_off() {
    let port = free_port();
    let config = format!("metrics_listen = '127.0.0.1:{port}'\nshutdown_delay_s = 3\n");
    let mut server = Server::start_with(&config).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    host.attest(&server).await.unwrap();
    let client = host.client(&server);
    let polling = tokio::spawn(async move {
        let request = PollRequest {
            tpm: TpmSays::Present,
            agent_version: "test".to_owned(),
            up_s: None,
            key: KeySays::Kept,
        };
        client.post_waiting::<_, PollReply>("/v1/agent/poll", &request, api::POLL_S_MAX).await
    });
    wait::until("it waits", || {
        let waiting = value(&ask(port, "/metrics", "*/*").1, "bootproof_long_polls_waiting");
        (waiting == Some(1.0)).then_some(())
    });
    let told = Instant::now();
    signal(&server, "TERM");
    let reply = polling.await.unwrap().unwrap();
    assert!(matches!(reply, PollReply::Wait { retry_after_s: 1..=4 }), "{reply:?}");
    assert!(told.elapsed() < Duration::from_secs(20), "not at the end of the poll");
    // It serves on, and says that it ends.
    let (status, found) = readiness(port);
    assert_eq!((status, check(&found, "ending").unwrap().0), (503, CheckState::Failed));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    server.ends_well();
    assert!(server.log().contains("ended"));
}

#[tokio::test]
async fn a_request_is_found_in_the_log_by_its_identifier() {
    let server = Server::start_with("log_format = 'json'\n").await;
    let address = format!("https://{}/v1/hosts/nobody%0aERROR%20forged", server.listen());
    let context = std::fs::read_to_string(server.data.path().join("admin.toml")).unwrap();
    let token = context.split("token = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let curl = |header: &str| {
        let out = Command::new("curl")
            .args(["-s", "-i", "-m", "20", "--cacert"])
            .arg(server.data.path().join("ca.pem"))
            .args(["-H", &format!("Authorization: Bearer {token}"), "-H", header, &address])
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for (header, id) in [
        ("X-Request-Id: ticket-77".to_owned(), "ticket-77"),
        (format!("traceparent: 00-{trace}-00f067aa0ba902b7-01"), trace),
    ] {
        let answer = curl(&header);
        assert!(answer.contains(&format!("x-request-id: {id}")), "{answer}");
        assert!(answer.contains(&format!(r#""request_id":"{id}""#)), "{answer}");
        let log = server.log();
        let line = log.lines().find(|line| line.contains(id)).unwrap();
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["fields"]["code"], "host-not-found");
        assert_eq!(line["fields"]["status"], 404);
        assert_eq!(line["fields"]["route"], "/v1/hosts/{id}");
    }
    let own = curl("X-Request-Id: a b");
    assert!(!own.contains("x-request-id: a b"), "{own}");
    // What is said at the first start is for a person, beside the log.
    let log = server.log();
    let is_announced = |line: &str| {
        ["There is no account yet.", "  bpc_", "`bootproof setup NAME`"]
            .iter()
            .any(|begins| line.starts_with(begins))
    };
    assert_eq!(log.lines().filter(|line| is_announced(line)).count(), 3, "{log}");
    for line in log.lines().filter(|line| !is_announced(line)) {
        let _: Value = serde_json::from_str(line).unwrap_or_else(|err| panic!("{err}: {line}"));
    }
}

/// Each token, password and key of a whole run, at the lowest level of all that is ours.
#[tokio::test]
async fn no_secret_is_in_the_log() {
    let database = testkit::postgres::Database::new().unwrap();
    for store in [String::new(), format!("store = \"{}\"\n", database.address())] {
        let levels = "info,server=trace,store=trace,policy=trace,report=trace";
        let server = Server::start_with(&format!("log = '{levels}'\n{store}")).await;
        server.trust().await;
        let join = server.token(None, Approval::NotRequired).await;
        let host = Host::boot("web-1", &BootLog::sound());
        host.join(&server, &join.token).await.unwrap();
        host.attest(&server).await.unwrap();
        let unknown = server.admin.with_token("bpa_hunter2hunter2");
        assert_eq!(code(unknown.get::<HostPage>("/v1/hosts").await), "unauthenticated");
        let log = server.log();
        assert!(log.contains("attestation finished"), "{log}");
        let context = std::fs::read_to_string(server.data.path().join("admin.toml")).unwrap();
        let admin = context.split("token = \"").nth(1).unwrap().split('"').next().unwrap();
        let key = std::fs::read_to_string(server.data.path().join("ca.key")).unwrap();
        let host_token = host.credentials().host_token;
        let mut secrets =
            vec![admin, &*join.token, &*host_token, "hunter2", key.lines().nth(1).unwrap()];
        let kept: Vec<Vec<u8>> = match store.is_empty() {
            false => Vec::new(),
            true => {
                let db = server.database();
                let mut rows = db.prepare("SELECT value FROM secrets").unwrap();
                rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
            }
        };
        let kept: Vec<_> = kept.iter().map(hex::encode).collect();
        secrets.extend(kept.iter().map(String::as_str));
        for secret in secrets {
            // Without its prefix, and also where it was cut.
            let part = &secret[secret.len() / 3..secret.len() / 3 + secret.len().min(20) / 3];
            assert!(!log.contains(part) || part.len() < 6, "{part} of a secret is in the log");
            assert!(!log.contains(secret), "a secret is in the log");
        }
    }
}

#[test]
fn a_configuration_is_checked_shown_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let run = |what: &str| {
        let out = Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
            .arg("--config")
            .arg(&file)
            .args(["config", what])
            .output()
            .unwrap();
        let said = [out.stdout, out.stderr].concat();
        (out.status.code().unwrap(), String::from_utf8(said).unwrap())
    };
    std::fs::write(&file, "lisen = '1.2.3.4:5'\njoins_per_s = 'x'\npolicy = 'none.toml'\n")
        .unwrap();
    let (exit, said) = run("check");
    assert_eq!(exit, 1, "{said}");
    for expected in
        ["server.toml:1: there is no key `lisen`", "hint: is `listen` meant?", "server.toml:2: "]
    {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(said.ends_with(&format!("error: 2 faults in {}\n", file.display())), "{said}");
    std::fs::write(&file, "policy = 'none.toml'\n").unwrap();
    let (exit, said) = run("check");
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("none.toml") && said.contains("error: 1 fault in "), "{said}");
    std::fs::write(&file, "names = ['bootproof.example.org', 'https://b.example:8443']\n").unwrap();
    let (exit, said) = run("check");
    assert_eq!(exit, 1, "{said}");
    assert!(said.contains("server.toml:1: names has \"https://b.example:8443\""), "{said}");
    // The shell's limit, and no fault of the file: its unit has another one.
    std::fs::write(&file, "connections_max = 100000000\n").unwrap();
    let (exit, said) = run("check");
    assert_eq!((exit, said.contains("nothing is wrong")), (0, true), "{said}");
    assert!(said.contains("warning: connections_max") && said.contains("LimitNOFILE"), "{said}");
    std::fs::write(&file, "connections_max = 8\n").unwrap();
    let (exit, said) = run("check");
    assert_eq!((exit, said.contains("nothing is wrong")), (0, true), "{said}");
    let (exit, said) = run("show");
    assert_eq!(exit, 0, "{said}");
    assert!(said.contains(&format!("connections_max = 8 # {}", file.display())), "{said}");
    assert!(said.contains("attest_interval_s = 300 # default"), "{said}");
    let without = Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
        .args(["config", "check"])
        .env_remove("BOOTPROOF_SERVER_CONFIG")
        .output()
        .unwrap();
    let said = String::from_utf8(without.stdout).unwrap();
    assert!(said.contains("the defaults: nothing is wrong\n  hint: no file was named"), "{said}");
    let (exit, said) = run("reference");
    assert_eq!(exit, 0);
    assert!(said.contains("## connections_max") && said.contains("Default: `20000`"), "{said}");
}

#[tokio::test]
async fn a_policy_is_read_anew_and_a_bad_one_is_not() {
    let port = free_port();
    let data = tempfile::tempdir().unwrap();
    let policy = data.path().join("policy.toml");
    std::fs::write(&policy, "").unwrap();
    let config = format!("metrics_listen = '127.0.0.1:{port}'\npolicy = 'policy.toml'\n");
    std::fs::write(data.path().join("server.toml"), config).unwrap();
    let server = Server::start_in(data).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound().secure_boot_off());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let id = host.credentials().host_id;
    // The stored evidence is judged anew: the host is not asked. Seen by its change alone.
    std::fs::write(&policy, PERMISSIVE).unwrap();
    server.wait_for(&id, "accepted", None).await;

    std::fs::write(&policy, "nonsense = 1\n").unwrap();
    signal(&server, "HUP");
    let reason = wait::until("it is refused", || {
        let (status, found) = readiness(port);
        assert_eq!(status, 200, "what counted before counts on");
        check(&found, "policy").map(|(state, reason)| {
            assert_eq!(state, CheckState::Warn);
            reason.to_owned()
        })
    });
    assert!(reason.contains("nonsense"), "{reason}");
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let text = ask(port, "/metrics", "*/*").1;
    assert_eq!(value(&text, r#"bootproof_reload_failing{check="policy"}"#), Some(1.0), "{text}");

    // What needs a new start is named; the rest is taken.
    std::fs::write(&policy, "").unwrap();
    let config = format!(
        "metrics_listen = '127.0.0.1:{port}'\npolicy = 'policy.toml'\nconnections_max = 7\n"
    );
    std::fs::write(server.data.path().join("server.toml"), config).unwrap();
    signal(&server, "HUP");
    server.wait_for(&id, "not accepted", Some("secure-boot-off")).await;
    let (_, found) = readiness(port);
    assert_eq!(check(&found, "policy"), None);
    assert!(check(&found, "restart").unwrap().1.contains("connections_max"), "{found:?}");
    std::fs::write(server.data.path().join("server.toml"), "lsten = 'x'\n").unwrap();
    signal(&server, "HUP");
    let reason = wait::until("it is refused", || {
        check(&readiness(port).1, "configuration").map(|(_, reason)| reason.to_owned())
    });
    assert!(reason.contains("lsten"), "{reason}");
    let page: api::audit::AuditPage = server.admin.get("/v1/audit").await.unwrap();
    let n_rows = |action: &str| page.rows.iter().filter(|row| row.action == action).count();
    assert_eq!((n_rows("policy.begin"), n_rows("configuration.refuse")), (3, 2), "{page:?}");
}
