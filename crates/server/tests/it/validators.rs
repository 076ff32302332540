//! ETags: what a client has already is not sent again, and what another changed meanwhile is not lost.

use testkit::log::BootLog;

use crate::{
    bench::{Host, Server},
    raw::{self, Answer, JSON},
};

async fn ask(server: &Server, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let headers = if body.is_empty() { headers.to_owned() } else { format!("{JSON}{headers}") };
    raw::ask(server, method, path, &headers, body.as_bytes()).await.unwrap()
}

#[tokio::test]
async fn a_change_that_would_lose_another_is_refused() {
    let server = Server::start().await;
    server.trust().await;
    let id = server.join(&Host::boot("web-1", &BootLog::sound())).await.host_id;
    let path = format!("/v1/hosts/{id}/labels");
    let put = |if_match: &str, body: &str| {
        let headers = match if_match {
            "" => String::new(),
            etag => format!("if-match: {etag}\r\n"),
        };
        let (server, path, body) = (&server, path.clone(), body.to_owned());
        async move { ask(server, "PUT", &path, &headers, &body).await }
    };
    let before = ask(&server, "GET", &path, "", "").await;
    let etag = before.header("etag").unwrap().to_owned();

    let answer = put("", r#"{"site":"muc"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (428, "if-match-required"));
    for wrong in ["\"0000\"", &format!("W/{etag}"), "nonsense"] {
        let answer = put(wrong, r#"{"site":"muc"}"#).await;
        assert_eq!((answer.status, answer.code().as_str()), (412, "changed-since"), "{wrong}");
    }
    let answer = put(&format!("\"0000\", {etag}"), r#"{"site":"muc","rack":"7"}"#).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // Somebody else looked before that.
    let answer = put(&etag, r#"{"site":"ber"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (412, "changed-since"));
    let now = ask(&server, "GET", &path, "", "").await;
    assert_eq!(now.json(), serde_json::json!({ "rack": "7", "site": "muc" }));
    // It replaces all of them, and `*` is whatever is there.
    let answer = put("*", r#"{"site":"ber"}"#).await;
    assert_eq!(answer.json(), serde_json::json!({ "site": "ber" }));
    assert_eq!(server.host(&id).await.host.labels.len(), 1);
    let answer = put("*", r#"{"a b":"c"}"#).await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "label-invalid"));
    // Nobody believes that a change was held to a version that nobody looked at.
    let answer = ask(&server, "POST", &path, "if-match: *\r\n", "{}").await;
    assert_eq!((answer.status, answer.code().as_str()), (400, "if-match-not-taken"));
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let server = Server::start().await;
    for path in ["/v1/hosts", "/v1/labels", "/v1/trust", "/v1/openapi.json", "/v1/alarms"] {
        let first = ask(&server, "GET", path, "", "").await;
        let etag = first.header("etag").unwrap_or_else(|| panic!("{path}: {}", first.head));
        for known in
            [etag.to_owned(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()]
        {
            let headers = format!("if-none-match: {known}\r\n");
            let again = ask(&server, "GET", path, &headers, "").await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
            assert_eq!(again.header("etag"), Some(etag), "{path}");
        }
        let other = ask(&server, "GET", path, "if-none-match: \"x\"\r\n", "").await;
        assert_eq!((other.status, &other.body), (200, &first.body), "{path}");
    }
    let before = ask(&server, "GET", "/v1/trust", "", "").await;
    server.trust().await;
    let headers = format!("if-none-match: {}\r\n", before.header("etag").unwrap());
    let after = ask(&server, "GET", "/v1/trust", &headers, "").await;
    assert_eq!(after.status, 200, "it changed");
    assert_ne!(after.body, before.body);
}
