//! What an attacker sends to each operation of the document: refused with a text that helps, or kept as it is,
//! and never a failure of the server.

mod sample;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::log::BootLog;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    bench::{Host, Server},
    raw::{self, Answer, JSON},
};
use sample::{Operation, operations};

/// Texts that do harm where they are not taken as texts: to databases, pages, terminals, logs, paths.
fn hostile_texts() -> Vec<String> {
    let texts = [
        "'; DROP TABLE hosts; --",
        "\" OR \"\"=\"",
        "%' OR name LIKE '%",
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "\u{1b}[2J\u{1b}]0;owned\u{7}",
        "line\r\nX-Injected: yes",
        "nul\0inside",
        "\u{202e}detsurt\u{202c}",
        "\u{feff}\u{200b}",
        "${jndi:ldap://127.0.0.1/x}{{7*7}}$(id)`id`",
        "../../../../etc/passwd",
        "\u{d7ff}\u{10ffff}",
    ];
    texts.into_iter().map(str::to_owned).chain(["x".repeat(100_000)]).collect()
}

/// The answer is one of those that the document names: never a failure, always JSON.
fn assert_named(operation: &Operation, what: &str, answer: Option<&Answer>) {
    let id = &operation.id;
    let what: String = what.chars().take(80).collect();
    let Some(answer) = answer else { panic!("{id} {what:?}: no answer") };
    let body = String::from_utf8_lossy(&answer.body);
    let body: String = body.chars().take(300).collect();
    assert!(answer.status < 500, "{id} {what:?}: {} {body}", answer.status);
    let kind = answer.header("content-type").unwrap_or_default();
    if answer.status >= 400 {
        assert_eq!(kind, "application/problem+json", "{id} {what:?}: {} {body}", answer.status);
        let codes = operation.codes(answer.status);
        assert!(codes.contains(&answer.code()), "{id} {what:?}: {body} is none of {codes:?}");
    } else {
        assert_eq!(kind, operation.media_type, "{id} {what:?}");
    }
    assert!(answer.header("x-injected").is_none(), "{id} {what:?}: {}", answer.head);
}

async fn names(server: &Server) -> Vec<String> {
    server.hosts().await.into_iter().map(|host| host.name).collect()
}

async fn send(
    server: &Server,
    operation: &Operation,
    target: &str,
    body: &Value,
) -> Option<Answer> {
    let method = operation.method.to_ascii_uppercase();
    if operation.body.is_null() {
        return raw::ask(server, &method, target, "", b"").await;
    }
    raw::ask(server, &method, target, JSON, body.to_string().as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_in_every_parameter_and_field() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let texts = hostile_texts();
    let mut n_places = 0;
    for operation in operations() {
        let body = operation.sample_body();
        for name in operation.path_parameters() {
            n_places += 1;
            for text in &texts {
                // A path of 300 KB is no request any more.
                let text: String = text.chars().take(2_000).collect();
                let target = operation.target(&[(&name, &text)], &[]);
                assert_named(
                    &operation,
                    &text,
                    send(&server, &operation, &target, &body).await.as_ref(),
                );
            }
        }
        for name in operation.query_parameters() {
            n_places += 1;
            for text in &texts {
                let text: String = text.chars().take(2_000).collect();
                let target = operation.target(&[], &[(&name, &text)]);
                assert_named(
                    &operation,
                    &text,
                    send(&server, &operation, &target, &body).await.as_ref(),
                );
            }
        }
        let target = operation.target(&[], &[]);
        for place in operation.text_fields() {
            n_places += 1;
            for text in &texts {
                let mut body = operation.body_with(&place);
                *body.pointer_mut(&place).unwrap() = json!(text);
                let answer = send(&server, &operation, &target, &body).await;
                assert_named(&operation, &format!("{place} {text}"), answer.as_ref());
            }
        }
    }
    assert!(n_places > 100, "{n_places}: the document is not what drives this");
    // No statement was more than a question; the tables are there.
    assert_eq!(names(&server).await, ["web-1"]);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_built_to_hurt() {
    let server = Server::start().await;
    let deep =
        |open: &str, close: &str| format!("{}0{}", open.repeat(100_000), close.repeat(100_000));
    let bodies = [
        ("nothing", String::new()),
        ("not JSON", "{".to_owned()),
        ("no UTF-8", String::new()),
        ("deep lists", deep("[", "]")),
        ("deep objects", deep("{\"a\":", "}")),
        ("a long list", format!("[{}0]", "0,".repeat(1_500_000))),
        ("many fields", {
            let fields: Vec<_> = (0..200_000).map(|n| format!("\"f{n}\":{n}")).collect();
            format!("{{{}}}", fields.join(","))
        }),
        ("a long text", format!("\"{}\"", "x".repeat(5_000_000))),
        ("a large number", "1e400".to_owned()),
        ("more than one value", "{} {}".to_owned()),
    ];
    for operation in operations().into_iter().filter(|operation| !operation.body.is_null()) {
        let target = operation.target(&[], &[]);
        let method = operation.method.to_ascii_uppercase();
        let sample = operation.sample_body();
        let mut own: Vec<(&str, Vec<u8>)> = bodies
            .iter()
            .map(|(what, body)| match *what {
                "no UTF-8" => (*what, b"{\"reason\":\"\xff\xfe\"}".to_vec()),
                _ => (*what, body.clone().into_bytes()),
            })
            .collect();
        // Each field twice.
        if let Some(fields) = sample.as_object()
            && !fields.is_empty()
        {
            let all = fields.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
            let all: Vec<_> = all.collect();
            own.push(("doubled fields", format!("{{{0},{0}}}", all.join(",")).into_bytes()));
        }
        for (what, body) in own {
            let start = Instant::now();
            let answer = raw::ask(&server, &method, &target, JSON, &body).await;
            assert_named(&operation, what, answer.as_ref());
            let status = answer.map(|answer| answer.status);
            assert!(
                status.is_some_and(|status| status >= 400),
                "{} {what}: {status:?}",
                operation.id
            );
            let took = start.elapsed();
            assert!(took < Duration::from_secs(5), "{} {what}: {took:?}", operation.id);
        }
        for number in ["-1", "18446744073709551616", "9223372036854775808", "1.5", "1e400", "-0.0"]
        {
            for place in operation.number_fields() {
                let mut body = operation.body_with(&place);
                *body.pointer_mut(&place).unwrap() = json!("\u{1}number\u{1}");
                let body = body.to_string().replace("\"\\u0001number\\u0001\"", number);
                let answer = raw::ask(&server, &method, &target, JSON, body.as_bytes()).await;
                assert_named(&operation, &format!("{place} {number}"), answer.as_ref());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_lead_elsewhere() {
    let server = Server::start().await;
    let ten_kb = "a".repeat(10_000);
    let tricks = [
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..%252f..%252f",
        "..",
        ".",
        "%00",
        "%ff",
        "%c0%ae%c0%ae",
        "%",
        "%zz",
        "%2",
        "a%2fb",
        "a;b",
        "a//b",
        "\\..\\",
        &ten_kb,
    ];
    for operation in operations() {
        let method = operation.method.to_ascii_uppercase();
        let body = operation.sample_body();
        let bytes = match operation.body.is_null() {
            true => Vec::new(),
            false => body.to_string().into_bytes(),
        };
        let headers = if operation.body.is_null() { "" } else { JSON };
        for name in operation.path_parameters() {
            for trick in tricks {
                let target = operation.path.replace(&format!("{{{name}}}"), trick);
                let target = operation.with_path_samples(&target);
                let answer = raw::ask(&server, &method, &target, headers, &bytes).await.unwrap();
                let shown: String = target.chars().take(60).collect();
                assert!(
                    (400..500).contains(&answer.status),
                    "{method} {shown}: {} {:?}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
                if answer.status != 414 && answer.status != 431 {
                    let kind = answer.header("content-type");
                    // A target that is none at all is refused before anybody reads it.
                    let is_target = !answer.body.is_empty();
                    assert!(
                        kind == Some("application/problem+json") || !is_target,
                        "{method} {shown}"
                    );
                }
            }
        }
    }
    for target in ["//", "/v1", "/v1/", "/v1/hosts/", "/v1//hosts", "/v1/hosts/%", "/V1/hosts"] {
        let answer = raw::ask(&server, "GET", target, "", b"").await.unwrap();
        assert!((400..500).contains(&answer.status), "{target}: {}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_problems_whatever_is_wrong() {
    let server = Server::start().await;
    /// Verb, path, headers, body; status and code of the answer.
    type Case = (&'static str, &'static str, &'static str, &'static [u8], u16, &'static str);
    let cases: [Case; 14] = [
        ("GET", "/v1/nothing", "", b"", 404, "address-not-found"),
        ("PATCH", "/v1/hosts", "", b"", 405, "method-not-allowed"),
        ("TRACE", "/v1/hosts", "", b"", 405, "method-not-allowed"),
        ("DELETE", "/v1/server", "", b"", 405, "method-not-allowed"),
        ("GET", "/v1/hosts", "accept: text/html\r\n", b"", 406, "not-acceptable"),
        ("GET", "/v1/hosts", "accept: application/json;q=0\r\n", b"", 406, "not-acceptable"),
        ("GET", "/v1/hosts?colour=red", "", b"", 400, "query-invalid"),
        ("GET", "/v1/hosts?limit=1&limit=2", "", b"", 400, "query-invalid"),
        ("GET", "/v1/hosts?limit=-1", "", b"", 400, "query-invalid"),
        // A name makes the rest of no effect, and what is wrong with it no better.
        ("GET", "/v1/hosts?name=web-1&verdict=good", "", b"", 400, "query-invalid"),
        ("GET", "/v1/server?x=1", "", b"", 400, "query-invalid"),
        (
            "POST",
            "/v1/tokens",
            "content-type: text/plain\r\n",
            b"{}",
            415,
            "media-type-unsupported",
        ),
        ("POST", "/v1/tokens", "", b"{}", 415, "media-type-unsupported"),
        ("POST", "/v1/tokens", JSON, b"{", 400, "body-invalid"),
    ];
    for (method, target, headers, body, status, code) in cases {
        let answer = raw::ask(&server, method, target, headers, body).await.unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {target}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{target}");
        assert!(answer.header("x-request-id").is_some(), "{target}");
        assert_eq!(answer.header("allow").is_some(), status == 405, "{target}: {}", answer.head);
    }
    // What just is taken.
    for accept in ["*/*", "application/*", "text/html, application/json;q=0.1", "application/json"]
    {
        let headers = format!("accept: {accept}\r\n");
        let answer = raw::ask(&server, "GET", "/v1/hosts", &headers, b"").await.unwrap();
        assert_eq!(answer.status, 200, "{accept}");
    }
    let kind = "content-type: Application/JSON; charset=utf-8\r\n";
    let body = br#"{"expires_in_s":60,"uses_max":1,"approval":"required"}"#;
    let answer = raw::ask(&server, "POST", "/v1/tokens", kind, body).await.unwrap();
    assert_eq!(answer.status, 200);
    let answer =
        raw::ask(&server, "HEAD", "/v1/hosts", "connection: close\r\n", b"").await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_headers_end_the_connection_and_nothing_else() {
    let server = Server::start().await;
    let many: String = (0..5_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let long = format!("x-long: {}\r\n", "x".repeat(1 << 20));
    let hundred: String = (0..150).map(|n| format!("a{n}: b\r\n")).collect();
    for headers in [many, long, hundred] {
        let answer = raw::ask(&server, "GET", "/v1/hosts", &headers, b"").await;
        let status = answer.map(|answer| answer.status);
        assert!(matches!(status, None | Some(431)), "{status:?}");
        assert!(server.hosts().await.is_empty());
    }
    // Requests that two readers would split in two ways are none.
    for headers in [
        "content-length: 4\r\ncontent-length: 5\r\n",
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip\r\n",
    ] {
        let bytes = format!(
            "POST /v1/tokens HTTP/1.1\r\nhost: x\r\n{JSON}{headers}\r\n0\r\n\r\nGET /v1/server HTTP/1.1\r\n\r\n"
        );
        let status = raw::send(&server, bytes.as_bytes()).await.map(|answer| answer.status);
        assert!(status.is_none_or(|status| (400..500).contains(&status)), "{headers}: {status:?}");
    }
}

/// Without HTTP/2 there is no rapid reset. Whoever turns it on has to answer for it here.
#[tokio::test(flavor = "multi_thread")]
async fn http_2_is_not_spoken() {
    let server = Server::start().await;
    let stream = raw::connect(&server, &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    let mut stream = raw::connect(&server, &[]).await;
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ = tokio::time::timeout(Duration::from_secs(20), reading).await.expect("it is kept open");
    assert!(!answer.starts_with(b"\0"), "frames of HTTP/2: {answer:?}");
}
