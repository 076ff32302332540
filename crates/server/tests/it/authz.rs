//! Who may do what: each endpoint, with each kind of token.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use client::{Client, ClientError};
use serde_json::Value;
use store::{By, Labels, NewApiToken, Role, SqliteStore, Tokens as _};
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code, fingerprint},
    browser::{Browser, setup_code},
};

/// Whose token an endpoint wants, at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anyone,
    Host,
    RelyingParty,
    Viewer,
    Operator,
    Admin,
}

use Who::{Admin, Anyone, Host as OfHost, Operator, RelyingParty, Viewer};

/// Every endpoint that the server has: a test compares this with its routes.
const ENDPOINTS: &[(&str, &str, Who)] = &[
    ("get", "/healthz", Anyone),
    ("get", "/readyz", Anyone),
    ("get", "/metrics", Viewer),
    ("get", "/v1/server", Anyone),
    ("get", "/v1/openapi.json", Anyone),
    ("get", "/.well-known/jwks.json", Anyone),
    ("get", "/v1/hosts/{id}/result", RelyingParty),
    ("get", "/v1/audit", Viewer),
    ("get", "/v1/audit/checkpoint", Viewer),
    ("post", "/v1/agent/join", Anyone),
    ("post", "/v1/agent/activate", Anyone),
    ("post", "/v1/agent/enrol", OfHost),
    ("get", "/v1/agent/member", OfHost),
    ("post", "/v1/agent/poll", OfHost),
    ("post", "/v1/agent/evidence", OfHost),
    ("post", "/v1/agent/certificate-challenge", OfHost),
    ("post", "/v1/agent/certificate", OfHost),
    ("get", "/v1/crl", Anyone),
    ("get", "/v1/client-ca", Anyone),
    ("get", "/v1/spiffe-bundle", Anyone),
    ("get", "/v1/client-authorities", Anyone),
    ("post", "/v1/client-authorities/rotate", Admin),
    ("get", "/v1/client-certificates", Viewer),
    ("get", "/v1/hosts/{id}/client-certificates", Viewer),
    ("post", "/v1/hosts/{id}/client-certificates/revoke", Operator),
    ("get", "/v1/reports/{kind}", Viewer),
    ("get", "/v1/report-schedules", Viewer),
    ("post", "/v1/report-schedules/{name}/send", Operator),
    ("get", "/v1/hosts", Viewer),
    ("get", "/v1/hosts/{id}", Viewer),
    ("delete", "/v1/hosts/{id}", Admin),
    ("post", "/v1/hosts/{id}/attest", Operator),
    ("post", "/v1/hosts/{id}/disconnect", Operator),
    ("post", "/v1/hosts/{id}/reconnect", Operator),
    ("post", "/v1/hosts/{id}/rotate-key", Operator),
    ("post", "/v1/hosts/{id}/replace", Admin),
    ("post", "/v1/hosts/{id}/approve", Admin),
    ("get", "/v1/hosts/{id}/appraisals", Viewer),
    ("get", "/v1/hosts/{id}/evidence", Viewer),
    ("get", "/v1/hosts/{id}/boots/diff", Viewer),
    ("get", "/v1/hosts/{id}/peers", Viewer),
    ("post", "/v1/hosts/{id}/reference", Admin),
    ("post", "/v1/hosts/{id}/accept-change", Admin),
    ("post", "/v1/hosts/actions", Operator),
    ("post", "/v1/hosts/{id}/labels", Operator),
    ("get", "/v1/hosts/{id}/labels", Viewer),
    ("put", "/v1/hosts/{id}/labels", Operator),
    ("post", "/v1/hosts/{id}/maintenance", Operator),
    ("delete", "/v1/hosts/{id}/maintenance", Operator),
    ("get", "/v1/host-views", Viewer),
    ("post", "/v1/host-views/own/{name}", Viewer),
    ("delete", "/v1/host-views/own/{name}", Viewer),
    ("post", "/v1/host-views/shared/{name}", Admin),
    ("delete", "/v1/host-views/shared/{name}", Admin),
    ("get", "/v1/alarm-groups", Viewer),
    ("get", "/v1/alarms", Viewer),
    ("post", "/v1/alarms/acknowledge", Operator),
    ("post", "/v1/alarms/withdraw", Operator),
    ("get", "/v1/approvals", Viewer),
    ("post", "/v1/approvals", Admin),
    ("get", "/v1/channels", Operator),
    ("post", "/v1/channels", Admin),
    ("get", "/v1/channels/{name}", Operator),
    ("delete", "/v1/channels/{name}", Admin),
    ("post", "/v1/channels/{name}/change", Admin),
    ("post", "/v1/channels/{name}/pause", Operator),
    ("post", "/v1/channels/{name}/resume", Operator),
    ("post", "/v1/channels/{name}/test", Operator),
    ("get", "/v1/channels/{name}/dead-letters", Operator),
    ("post", "/v1/channels/{name}/redeliver", Operator),
    ("get", "/v1/events", Viewer),
    ("get", "/v1/ek-lists", Viewer),
    ("post", "/v1/ek-lists", Admin),
    ("delete", "/v1/ek-lists/{name}", Admin),
    ("get", "/v1/ek-lists/{name}/keys", Viewer),
    ("post", "/v1/ek-lists/{name}/keys", Admin),
    ("get", "/v1/unlisted-hosts", Viewer),
    ("get", "/v1/labels", Viewer),
    ("get", "/v1/references", Viewer),
    ("post", "/v1/references", Admin),
    ("get", "/v1/references/{id}", Viewer),
    ("post", "/v1/references/{id}/state", Admin),
    ("get", "/v1/attention", Viewer),
    ("get", "/v1/settings", Admin),
    ("get", "/v1/standing", Viewer),
    ("get", "/v1/whoami", RelyingParty),
    ("get", "/v1/login", Anyone),
    ("post", "/v1/setup", Anyone),
    ("post", "/v1/session", Anyone),
    ("delete", "/v1/session", RelyingParty),
    ("post", "/v1/oidc/session", Anyone),
    ("post", "/v1/password", RelyingParty),
    ("get", "/v1/sessions", Viewer),
    ("delete", "/v1/sessions/{session}", Viewer),
    ("get", "/v1/users", Admin),
    ("post", "/v1/users", Admin),
    ("post", "/v1/users/{name}", Admin),
    ("delete", "/v1/users/{name}", Admin),
    ("post", "/v1/users/{name}/password", Admin),
    ("get", "/v1/api-tokens", Admin),
    ("post", "/v1/api-tokens", Admin),
    ("delete", "/v1/api-tokens/{name}", Admin),
    ("get", "/v1/tokens", Admin),
    ("post", "/v1/tokens", Admin),
    ("delete", "/v1/tokens/{id}", Admin),
    ("get", "/v1/trust", Viewer),
    ("post", "/v1/trust", Admin),
    ("delete", "/v1/trust/{sha256}", Admin),
    ("post", "/v1/policy/try", Operator),
    ("post", "/v1/policy/check", Operator),
    ("get", "/v1/policy/versions", Viewer),
    ("post", "/v1/policy/versions", Admin),
    ("get", "/v1/policy/versions/{number}", Viewer),
    ("get", "/v1/policy/versions/{number}/diff", Viewer),
    ("post", "/v1/policy/versions/{number}/try", Operator),
    ("post", "/v1/policy/versions/{number}/activate", Admin),
];

/// The document is made from the handlers: none is missing here, and each asks for what is written here.
#[test]
fn each_operation_is_in_the_table() {
    let word = |who: Who| match who {
        Anyone => "nobody",
        OfHost => "host",
        RelyingParty => "relying-party",
        Viewer => "viewer",
        Operator => "operator",
        Admin => "admin",
    };
    let table: BTreeMap<_, _> = ENDPOINTS
        .iter()
        .map(|(verb, path, who)| (((*verb).to_owned(), (*path).to_owned()), word(*who)))
        .collect();
    assert_eq!(server::http::roles(), table);
}

/// Asks with a body that no endpoint takes, so that whoever is let in changes nothing.
async fn ask(client: &Client, verb: &str, path: &str) -> Result<Value, ClientError> {
    match verb {
        "get" => client.get(path).await,
        "delete" => client.delete(path).await,
        "put" => client.put(path, &Value::Null, "*").await,
        _ => client.post(path, &Value::Null).await,
    }
}

/// Addresses that are not of one host, and answer who may know of some hosts only.
const LOOK_AT_EACH_HOST: [&str; 12] = [
    "/v1/reports/{kind}",
    "/v1/hosts",
    "/v1/hosts/actions",
    "/v1/alarms",
    "/v1/whoami",
    "/v1/session",
    "/v1/password",
    "/v1/sessions",
    "/v1/sessions/{session}",
    "/v1/events",
    "/v1/host-views",
    "/v1/host-views/own/{name}",
];

const ROLES: [(Who, &str, Role); 4] = [
    (RelyingParty, "relying-party", Role::RelyingParty),
    (Viewer, "viewer", Role::Viewer),
    (Operator, "operator", Role::Operator),
    (Admin, "another-admin", Role::Admin),
];

/// A server that knows a token of each role, an operator's for some hosts only (`limited`), and one
/// that has expired and one that was revoked, both of administrators.
async fn server_with_tokens() -> (Server, Vec<(Who, Client)>) {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), "").unwrap();
    let store = SqliteStore::open(data.path().join("bootproof.db")).unwrap();
    let by = || By::new("test", 0);
    let token = |name: &str, role| NewApiToken {
        name: name.to_owned(),
        secret_sha256: digest(&SHA256, name.as_bytes()).as_ref().try_into().unwrap(),
        role,
        hosts: Labels::new(),
        expires_at_ms: None,
    };
    for (_, name, role) in ROLES {
        store.add_api_token(token(name, role), by()).await.unwrap();
    }
    let hosts = Labels::from([("site".to_owned(), "muc".to_owned())]);
    let limited = NewApiToken { hosts, ..token("limited", Role::Operator) };
    store.add_api_token(limited, by()).await.unwrap();
    let expired = NewApiToken { expires_at_ms: Some(1), ..token("expired", Role::Admin) };
    store.add_api_token(expired, by()).await.unwrap();
    store.add_api_token(token("revoked", Role::Admin), by()).await.unwrap();
    store.remove_api_token("revoked", by()).await.unwrap();
    drop(store);
    let server = Server::start_in(data).await;
    server.trust().await;
    let tokens = ROLES.map(|(who, token, _)| (who, server.admin.with_token(token)));
    (server, tokens.into())
}

/// What was said: the code of a refusal.
fn said(answer: Result<Value, ClientError>) -> String {
    match answer {
        Err(err) => err.code().unwrap_or("let in").to_owned(),
        Ok(_) => "let in".to_owned(),
    }
}

/// An address of something that is not there: whoever is let in does not find it.
fn of_nothing(path: &str) -> String {
    let named = path.replace("{id}", "nobody").replace("{name}", "nobody");
    named.replace("{sha256}", &"00".repeat(32)).replace("{number}", "0")
}

/// Whether the code is one of those before anything is done.
fn is_refused_entry(code: &str) -> bool {
    [
        "unauthenticated",
        "role-too-low",
        "token-is-limited",
        "password-must-change",
        "csrf-token-wrong",
        "other-site",
    ]
    .contains(&code)
}

fn rank(who: Who) -> Option<usize> {
    ROLES.iter().position(|(known, ..)| *known == who)
}

#[tokio::test]
async fn each_endpoint_wants_its_role() {
    let (server, people) = server_with_tokens().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    let before = fingerprint(&server).await;
    let void = ["bpa_0000", "expired", "revoked"].map(|token| server.admin.with_token(token));
    let limited = server.admin.with_token("limited");
    let agent = host.client(&server);
    for (verb, path, needed) in ENDPOINTS.iter().copied() {
        let route = path;
        let path = of_nothing(route);
        for nobody in &void {
            let answer = said(ask(nobody, verb, &path).await);
            assert_eq!(answer == "unauthenticated", needed != Anyone, "{verb} {path}: {answer}");
        }
        if needed == Anyone {
            continue;
        }
        let answer = said(ask(&agent, verb, &path).await);
        assert_eq!(answer == "unauthenticated", needed != OfHost, "{verb} {path}: {answer}");
        for (who, client) in &people {
            let answer = said(ask(client, verb, &path).await);
            let expected = match rank(needed) {
                None => answer == "unauthenticated",
                Some(needed) if rank(*who) < Some(needed) => answer == "role-too-low",
                Some(_) => !is_refused_entry(&answer),
            };
            assert!(expected, "{verb} {path} as {who:?}: {answer}");
        }
        let answer = said(ask(&limited, verb, &path).await);
        let expected = match rank(needed) {
            None => answer == "unauthenticated",
            needed if rank(Operator) < needed => answer == "role-too-low",
            _ if route.starts_with("/v1/hosts/{id}") => answer == "host-not-found",
            // Without a host that it names it is the fleet's.
            _ if route == "/v1/alarms" => answer == "token-is-limited",
            _ if LOOK_AT_EACH_HOST.contains(&route) => !is_refused_entry(&answer),
            _ => answer == "token-is-limited",
        };
        assert!(expected, "{verb} {path} with a limited token: {answer}");
    }
    assert_eq!(fingerprint(&server).await, before);
}

/// A browser of an administrator whose page another site has made ask, and one whose account lets nobody
/// in any more.
#[tokio::test]
async fn each_endpoint_wants_a_page_of_its_own_and_an_account_that_is_enabled() {
    let server = Server::start().await;
    let password = "three blue kettles";
    let mut browser = Browser::new(&server);
    let set_up = serde_json::json!({
        "code": setup_code(&server).unwrap(), "name": "alice", "password": password,
    });
    let answer = browser.ask("POST", "/v1/setup", &set_up);
    browser.take(&answer);
    let origin = browser.origin();
    let wants = |verb: &str, path: &str, headers: &[(&str, &str)]| {
        let answer = browser.send(&verb.to_uppercase(), path, headers, &Value::Null);
        answer.code().to_owned()
    };
    let protected = || ENDPOINTS.iter().copied().filter(|(.., needed)| *needed != Anyone);
    for (verb, path, needed) in protected().filter(|(verb, ..)| *verb != "get") {
        let path = of_nothing(path);
        let token = browser.csrf_token.clone().unwrap();
        let (no_page, other_site, no_token) = match needed {
            // Hosts show no cookies.
            OfHost => ("unauthenticated", "unauthenticated", "unauthenticated"),
            _ => ("other-site", "other-site", "csrf-token-wrong"),
        };
        assert_eq!(wants(verb, &path, &[]), no_page, "{verb} {path}");
        let evil = [("origin", "https://evil.example"), ("x-csrf-token", token.as_str())];
        assert_eq!(wants(verb, &path, &evil), other_site, "{verb} {path}");
        assert_eq!(wants(verb, &path, &[("origin", &origin)]), no_token, "{verb} {path}");
    }
    // Its owner is let in.
    let let_in = browser.ask("DELETE", "/v1/hosts/nobody", &());
    assert_eq!(let_in.code(), "host-not-found");

    let another = serde_json::json!({ "name": "bob", "role": "admin", "password": password });
    assert_eq!(browser.ask("POST", "/v1/users", &another).status, 200);
    let disable = serde_json::json!({ "disabled": true });
    let _: Value = server.admin.post("/v1/users/alice", &disable).await.unwrap();
    for (verb, path, _) in protected() {
        let answer = browser.ask(&verb.to_uppercase(), &of_nothing(path), &Value::Null);
        assert_eq!(answer.code(), "unauthenticated", "{verb} {path}");
    }
    // Whoever must choose a password can do nothing else.
    browser.log_in("bob", password);
    for (verb, path, needed) in protected() {
        let answer = browser.ask(&verb.to_uppercase(), &of_nothing(path), &Value::Null);
        let expected = match needed {
            OfHost => answer.code() == "unauthenticated",
            _ if ["/v1/whoami", "/v1/session", "/v1/password"].contains(&path) => {
                !is_refused_entry(answer.code())
            }
            _ => answer.code() == "password-must-change",
        };
        assert!(expected, "{verb} {path}: {answer:?}");
        if path == "/v1/session" {
            browser.log_in("bob", password);
        }
    }
}

/// What the table asks with names no host: a host that is there is not shown either.
#[tokio::test]
async fn a_hosts_token_opens_no_record_of_a_host() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let agent = host.client(&server);
    let path = format!("/v1/hosts/{id}");
    assert_eq!(code(agent.get::<Value>(&path).await), "unauthenticated");
    assert_eq!(code(agent.delete::<Value>(&path).await), "unauthenticated");
}
