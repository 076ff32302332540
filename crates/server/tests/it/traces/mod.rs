//! Traces, as a collector reads them that decodes with the format's own messages.

use std::{
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use testkit::{log::BootLog, wait};

use crate::{
    bench::{Host, Server},
    raw,
};

struct Collector {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Collector {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("../../target/tools/otlp/bin/python3");
        let child = Command::new(&python)
            .arg(root.join("tests/it/traces/collector.py"))
            .arg(folder.path().join("spans"))
            .arg(port.to_string())
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|err| {
                panic!("{} (`cargo xtask test` installs it): {err}", python.display())
            });
        wait::until("the collector listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        Self { child, folder, port }
    }

    fn config(&self, percent: u32) -> String {
        format!("[traces]\notlp_endpoint = 'http://127.0.0.1:{}'\npercent = {percent}\n", self.port)
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("spans")).unwrap_or_default()
    }

    fn spans(&self) -> Vec<Value> {
        // The last line may be half written.
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The spans of the trace of a span for which `is_it` holds.
    fn trace(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Vec<Value> {
        wait::until(what, || {
            let spans = self.spans();
            let trace = spans.iter().find(|span| is_it(span))?["trace"].clone();
            Some(spans.into_iter().filter(|span| span["trace"] == trace).collect())
        })
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn named<'a>(spans: &'a [Value], name: &str) -> &'a Value {
    let found = spans.iter().find(|span| span["name"] == name);
    found.unwrap_or_else(|| panic!("no {name}: {spans:?}"))
}

#[tokio::test]
async fn an_attestation_is_a_request_with_its_judgement_and_its_commit() {
    let collector = Collector::start();
    let server = Server::start_with(&collector.config(100)).await;
    server.trust().await;
    let host = Host::boot("secret-name-1", &BootLog::sound());
    server.join(&host).await;
    host.attest(&server).await.unwrap();
    let trace = collector.trace("an attestation", |span| span["name"] == "commit");
    let (request, judge, commit) =
        (named(&trace, "request"), named(&trace, "judge"), named(&trace, "commit"));
    assert_eq!((&request["kind"], &request["parent"]), (&"server".into(), &"".into()));
    assert_eq!(judge["parent"], request["span"]);
    assert_eq!(commit["parent"], request["span"]);
    let attributes = &request["attributes"];
    assert_eq!(attributes["http.route"], "/v1/agent/evidence");
    assert_eq!(attributes["http.request.method"], "POST");
    assert_eq!(attributes["http.response.status_code"], 200);
    assert_eq!(attributes["bootproof.verdict"], "accepted");
    assert_eq!(attributes["bootproof.host"], host.credentials().host_id);
    assert_eq!(request["service"]["service.name"], "bootproof-server");
    for span in &trace {
        assert!(span["took_ns"].as_i64().unwrap() > 0, "{span}");
        assert_eq!(span["n_events"], 0);
    }
    // Nothing that a host says of itself, and no token.
    let all = collector.text();
    let token = &host.credentials().host_token;
    assert!(!all.contains("secret-name-1") && !all.contains(token.as_str()));
    let counted = metrics(&server).await;
    assert!(counted.contains("bootproof_traces_spans_dropped_total 0"), "{counted}");
}

#[tokio::test]
async fn what_waits_is_sent_when_the_server_ends() {
    let collector = Collector::start();
    let mut server = Server::start_with(&collector.config(100)).await;
    let trace = "6bf92f3577b34da6a3ce929d0e0e4736";
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    assert_eq!(ask(&server, "/v1/hosts", &parent).await.status, 200);
    server.end_gracefully().await;
    assert!(collector.text().contains(trace), "{}", collector.text());
}

/// What the server counts.
async fn metrics(server: &Server) -> String {
    String::from_utf8(ask(server, "/metrics", "none").await.body).unwrap()
}

/// Sends a request of a person that is part of a trace.
async fn ask(server: &Server, path: &str, parent: &str) -> raw::Answer {
    let text = std::fs::read_to_string(server.data.path().join("admin.toml")).unwrap();
    let context: toml::Table = toml::from_str(&text).unwrap();
    let token = context["token"].as_str().unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
         traceparent: {parent}\r\nconnection: close\r\n\r\n"
    );
    raw::send(server, request.as_bytes()).await.unwrap()
}

#[tokio::test]
async fn a_caller_decides_whether_its_trace_is_kept_and_a_host_does_not() {
    let collector = Collector::start();
    // Of our own traces none.
    let server = Server::start_with(&collector.config(0)).await;
    let (kept, not_kept) = ("4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736");
    let parent = |trace: &str, flags: &str| format!("00-{trace}-00f067aa0ba902b7-{flags}");
    assert_eq!(ask(&server, "/v1/agent/member", &parent(not_kept, "01")).await.status, 401);
    assert_eq!(ask(&server, "/v1/hosts", &parent(not_kept, "00")).await.status, 200);
    assert_eq!(ask(&server, "/v1/hosts", "no parent").await.status, 200);
    assert_eq!(ask(&server, "/v1/hosts/none", &parent(kept, "01")).await.status, 404);
    let trace = collector.trace("the caller's", |span| span["trace"] == kept);
    let request = named(&trace, "request");
    assert_eq!(request["parent"], "00f067aa0ba902b7");
    assert_eq!(request["attributes"]["http.route"], "/v1/hosts/{id}");
    assert_eq!(request["attributes"]["error.type"], "host-not-found");
    assert_eq!(request["failed"], true);
    // They were asked before, and are sent in order.
    assert_eq!(collector.spans().len(), 1, "{:?}", collector.spans());
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nobody_up() {
    let mut collector = Collector::start();
    let config = collector.config(100);
    collector.child.kill().unwrap();
    collector.child.wait().unwrap();
    let server = Server::start_with(&config).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let counted = metrics(&server).await;
        let dropped = counted.lines().find_map(|line| {
            line.strip_prefix("bootproof_traces_spans_dropped_total ")?.parse::<u64>().ok()
        });
        if dropped.is_some_and(|n| n > 0) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "nobody counts them: {counted}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let said = server.log();
    assert_eq!(said.matches("takes no spans").count(), 1, "said once: {said}");
}
