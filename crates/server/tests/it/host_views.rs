//! Lists of hosts that somebody keeps under a name: over the API and on the command line. On the page they are
//! looked at by the browser (`web/everything.mjs`).

use api::{
    host_view::{HostView, ViewOf, ViewQuery},
    people::SESSION_COOKIE,
};
use cli::Exit;
use serde_json::{Value, json};

use crate::{
    bench::{Host, Server, code},
    browser::{Browser, setup_code},
    commands::bootproof,
};

fn verdict(word: &str) -> ViewQuery {
    ViewQuery { verdict: Some(word.to_owned()), ..ViewQuery::default() }
}

async fn views(server: &Server) -> Vec<HostView> {
    server.admin.get("/v1/host-views").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_their_own_and_everybodys() {
    let server = Server::start().await;
    let mut ada = Browser::new(&server);
    let account = json!({
        "code": setup_code(&server).unwrap(), "name": "ada", "password": "correct horse battery staple"
    });
    let begun = ada.ask("POST", "/v1/setup", &account);
    assert_eq!(begun.status, 200, "{begun:?}");
    assert!(begun.header("set-cookie").unwrap().starts_with(SESSION_COOKIE));
    ada.take(&begun);

    let kept = ada.ask("POST", "/v1/host-views/own/failed%20ones", &verdict("not accepted"));
    assert_eq!(kept.status, 200, "{kept:?}");
    let shared = "/v1/host-views/shared/silent";
    let query = ViewQuery { sort: Some("seen".into()), ..ViewQuery::default() };
    server.admin.post::<_, ()>(shared, &query).await.unwrap();

    // Who logged in has both; a program has everybody's.
    let seen = ada.ask("GET", "/v1/host-views", &Value::Null);
    let seen: Vec<HostView> = serde_json::from_value(seen.body).unwrap();
    let named: Vec<_> = seen.iter().map(|view| (view.of, view.name.as_str())).collect();
    assert_eq!(named, [(ViewOf::Shared, "silent"), (ViewOf::Own, "failed ones")]);
    assert_eq!((&seen[1].query, &*seen[1].kept_by), (&verdict("not accepted"), "user:ada"));
    assert_eq!(views(&server).await, seen[..1]);
    let refused = server.admin.post::<_, ()>("/v1/host-views/own/x", &query).await;
    assert_eq!(code(refused), "host-view-of-nobody");

    // Again is the same view; gone is gone.
    let kept = ada.ask("POST", "/v1/host-views/own/failed%20ones", &verdict("not appraised"));
    assert_eq!(kept.status, 200);
    let seen = ada.ask("GET", "/v1/host-views", &Value::Null).body;
    assert_eq!(seen.as_array().unwrap().len(), 2);
    assert_eq!(seen[1]["query"], json!({ "verdict": "not appraised" }));
    let own = "/v1/host-views/own/failed%20ones";
    assert_eq!(ada.ask("DELETE", own, &Value::Null).status, 200);
    assert_eq!(ada.ask("DELETE", own, &Value::Null).code(), "host-view-not-found");

    let audit: Value = server.admin.get("/v1/audit?limit=100").await.unwrap();
    let text = audit.to_string();
    assert_eq!(text.matches("host-view.keep").count(), 1, "everybody's alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_list_can_show_is_not_kept() {
    let server = Server::start().await;
    let keep = async |name: &str, query: Value| {
        let path = format!("/v1/host-views/shared/{name}");
        code(server.admin.post::<_, ()>(&path, &query).await)
    };
    assert_eq!(keep("v", json!({ "verdict": "good" })).await, "query-invalid");
    assert_eq!(keep("v", json!({ "sort": "colour" })).await, "query-invalid");
    assert_eq!(keep("v", json!({ "labels": "a=b=c" })).await, "query-invalid");
    assert_eq!(keep("v", json!({ "search": "x".repeat(101) })).await, "query-invalid");
    assert_eq!(keep("v", json!({ "cursor": "ab" })).await, "body-invalid");
    assert_eq!(keep("v", json!({ "code": "x".repeat(2_000) })).await, "host-view-invalid");
    assert_eq!(keep(&"x".repeat(61), json!({})).await, "host-view-invalid");
    assert_eq!(keep("a%0Ab", json!({})).await, "host-view-invalid");
    assert_eq!(keep("%20a", json!({})).await, "host-view-invalid");
    assert_eq!(views(&server).await, []);
    server.admin.post::<_, ()>("/v1/host-views/shared/v", &json!({})).await.unwrap();
    assert_eq!(views(&server).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_kept_and_used_on_the_command_line() {
    let server = Server::start().await;
    server.join(&Host::without_tpm("web-1")).await;
    let host = async |words: &[&str]| bootproof(&server, &[&["host"], words].concat()).await;
    let done =
        async |words: &[&str]| assert_eq!(host(words).await.unwrap(), Exit::Done, "{words:?}");
    done(&["view", "list"]).await;
    done(&["view", "keep", "silent", "--sort", "seen", "--shared"]).await;
    // One view out of another, with something else in it.
    let words = ["view", "keep", "none", "--view", "silent", "--code", "no-tpm", "--descending"];
    done(&[&words[..], &["--shared"]].concat()).await;
    let kept = views(&server).await;
    assert_eq!(kept[0].name, "none");
    let expected = ViewQuery {
        code: Some("no-tpm".into()),
        sort: Some("-seen".into()),
        ..ViewQuery::default()
    };
    assert_eq!(kept[0].query, expected);
    done(&["view", "list"]).await;
    done(&["list", "--view", "silent"]).await;
    let unknown = host(&["list", "--view", "nothing"]).await.unwrap_err();
    assert!(unknown.to_string().contains("there is no view"), "{unknown}");
    assert!(host(&["view", "keep", "mine"]).await.is_err(), "a token is nobody");
    done(&["view", "remove", "silent", "--shared"]).await;
    assert!(host(&["view", "remove", "silent", "--shared"]).await.is_err());
}
