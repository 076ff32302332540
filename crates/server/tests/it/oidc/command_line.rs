//! `bootproof login --oidc`.

use std::os::unix::fs::PermissionsExt as _;

use cli::Exit;
use client::Context;
use testkit::wait;

use super::*;
use crate::{bench::code, commands::bootproof};

/// A browser that writes down which address it was to open.
fn browser(folder: &Path) -> (String, PathBuf) {
    let (program, seen) = (folder.join("browser"), folder.join("seen"));
    let new = folder.join("seen.new");
    let text = format!(
        "#!/bin/sh\nprintf %s \"$1\" > '{}'\nmv '{}' '{}'\n",
        new.display(),
        new.display(),
        seen.display()
    );
    std::fs::write(&program, text).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (program.display().to_string(), seen)
}

/// A page of anybody who knows an address of this machine, over plain HTTP.
fn knock(url: &str) -> String {
    use std::io::Read as _;
    let rest = url.strip_prefix("http://").unwrap();
    let (authority, path) = rest.split_at(rest.find('/').unwrap());
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    // In many pieces, as they come over a network: the answer comes after the last one.
    write!(stream, "GET {path} HTTP/1.1\r\n").unwrap();
    for number in 0..200 {
        write!(stream, "x-{number}: some words\r\n").unwrap();
    }
    write!(stream, "host: {authority}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_is_signed_in_by_a_browser() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    let config = configuration(folder.path(), &pki, provider.port, Some(SECRET));
    let server = Server::start_with(&config).await;
    provider.serve(&server, Some(SECRET), "ES256");
    let (program, seen) = browser(folder.path());
    let kept = folder.path().join("context.toml");
    let save = kept.display().to_string();
    let arguments = ["login", "--oidc", "--browser", &program, "--save", &save];
    let command = bootproof(&server, &arguments);
    let person = async {
        let url = wait::until("a browser is opened", || std::fs::read_to_string(&seen).ok());
        // The address of its context is a number; the provider knows the server's name.
        let own = address(&server);
        assert!(url.starts_with(&format!("{own}/v1/oidc/login?port=")), "{url}");
        let mut alice = surfer(&server, &pki);
        let begun = alice.ask("GET", &url, &[]);
        let page = sign_in(&mut alice, begun, "alice", "no such address");
        assert_eq!(page.status, 200, "{page:?}");
        let challenge = surfer::parameter(&url, "challenge").unwrap();
        assert!(
            page.body.contains("oidc:alice") && page.body.contains(&challenge[..8]),
            "{page:?}"
        );
        assert_eq!(who(&mut alice, &server)["code"], "unauthenticated", "the browser is not");
        let link = page.body.split("href=\"http://").nth(1).unwrap().split('"').next().unwrap();
        let link = format!("http://{}", link.replace("&amp;", "&").replace("&#38;", "&"));
        let port = surfer::parameter(&url, "port").unwrap();
        assert!(link.starts_with(&format!("http://127.0.0.1:{port}/?code=")), "{link}");
        // Pages of others may knock, and do not bring in another login.
        assert!(knock(&format!("http://127.0.0.1:{port}/?code=x&state=y")).contains("404"));
        assert!(knock(&link).contains("signed in"));
        link
    };
    let (exit, link) = tokio::join!(command, person);
    assert_eq!(exit.unwrap(), Exit::Done);
    let context = Context::load(Some(&kept)).unwrap();
    let me: Value = context.client().unwrap().get("/v1/whoami").await.unwrap();
    assert_eq!((&me["actor"], &me["role"]), (&json!("oidc:alice"), &json!("admin")));

    // The code is nothing without the secret that it was asked for with, and nothing twice.
    let code_shown = link.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let request = |code: &str, verifier: &str| json!({ "code": code, "verifier": verifier });
    let changed = format!("{}A", &code_shown[..code_shown.len() - 1]);
    for (shown, verifier) in [(code_shown, "x"), (&changed, "x"), ("", ""), ("\u{fc}", "x")] {
        let refused =
            server.admin.post::<_, Value>("/v1/oidc/session", &request(shown, verifier)).await;
        assert_eq!(code(refused), "login-failed", "{shown}");
    }
    assert_eq!(told(&server, "session.begin").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_provider_a_command_line_says_what_there_is() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let save = folder.path().join("context.toml").display().to_string();
    let refused = bootproof(&server, &["login", "--oidc", "--save", &save]).await.unwrap_err();
    assert!(refused.to_string().contains("asks no identity provider"), "{refused}");
    let mut browser = crate::browser::Browser::new(&server);
    assert_eq!(browser.ask("GET", "/v1/oidc/login", &()).status, 404);
    browser.cookie = None;
    let request = json!({ "code": "x", "verifier": "y" });
    assert_eq!(browser.ask("POST", "/v1/oidc/session", &request).code(), "login-failed");
}
