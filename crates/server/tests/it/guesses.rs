//! Tokens that are not known: few tries, and nobody else is kept out.

use serde_json::{Value, json};

use crate::{
    bench::{Host, Server, code},
    browser::{Answer, Browser},
};

/// Asks for `/v1/whoami` with a token.
fn show(browser: &Browser, token: &str) -> Answer {
    let shown = format!("Bearer {token}");
    browser.send("GET", "/v1/whoami", &[("authorization", &shown)], &Value::Null)
}

#[tokio::test]
async fn who_guesses_tokens_waits_and_nobody_else_does() {
    let server = Server::start().await;
    let host = Host::without_tpm("web-1");
    server.join(&host).await;
    let browser = Browser::new(&server);
    let mut codes = Vec::new();
    let refused = loop {
        let answer = show(&browser, &format!("bpa_{:064x}", codes.len()));
        codes.push(answer.code().to_owned());
        if answer.status == 429 {
            break answer;
        }
        assert!(codes.len() < 1_000, "nobody is ever told to wait");
    };
    assert!(codes.len() > 64, "{}", codes.len());
    assert_eq!(refused.code(), "too-many-guesses");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    // Tokens of each kind count as one.
    let join = json!({
        "token": "bpj_00", "host": { "name": "web-2", "agent_version": "test" },
        "token_sha256": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    });
    for (method, path, token, body) in [
        ("GET", "/v1/agent/member", "bph_00", json!(null)),
        ("GET", "/v1/whoami", "bps_00", json!(null)),
        ("GET", "/v1/hosts", "bpa_00", json!(null)),
        ("POST", "/v1/agent/join", "", join),
    ] {
        let shown = format!("Bearer {token}");
        let answer = browser.send(method, path, &[("authorization", &shown)], &body);
        assert_eq!(answer.code(), "too-many-guesses", "{path}: {answer:?}");
    }
    // Whoever was known goes on, from this very address; and what is made now is known.
    let me: Value = server.admin.get("/v1/whoami").await.unwrap();
    assert_eq!(me["role"], "admin");
    let _: Value = host.client(&server).get("/v1/agent/member").await.unwrap();
    let request = json!({ "name": "ci", "role": "viewer", "expires_in_s": 600 });
    let made: Value = server.admin.post("/v1/api-tokens", &request).await.unwrap();
    assert_eq!(show(&browser, made["token"].as_str().unwrap()).status, 200);
    let revoked = server.admin.with_token(made["token"].as_str().unwrap());
    let _: Value = server.admin.delete("/v1/api-tokens/ci").await.unwrap();
    assert_eq!(code(revoked.get::<Value>("/v1/whoami").await), "unauthenticated");
}

#[tokio::test]
async fn who_ends_enrolments_that_were_not_begun_waits() {
    let server = Server::start_with("joins_per_s = 1\n").await;
    let browser = Browser::new(&server);
    let request =
        json!({ "enrolment_id": "5f3c2a10-0000-4000-8000-000000000000", "secret": "AAAA" });
    let codes: Vec<_> = (0..24)
        .map(|_| browser.send("POST", "/v1/agent/activate", &[], &request).code().to_owned())
        .collect();
    assert_eq!(codes[..16], vec!["enrolment-not-found"; 16][..]);
    assert!(codes[16..].iter().any(|code| code == "too-many-joins"), "{codes:?}");
    // Joins have a pace of their own.
    server.join(&Host::without_tpm("web-1")).await;
}
