//! Requests with a key: done once, answered as often as they come, also over crashes and by other servers.

use serde_json::{Value, json};
use testkit::postgres::Database;

use crate::{
    bench::Server,
    raw::{self, Answer, JSON},
};

const BODY: &[u8] = br#"{"expires_in_s":600,"uses_max":1,"approval":"required"}"#;

async fn post(server: &Server, path: &str, key: &str, body: &[u8]) -> Answer {
    let headers = format!("{JSON}idempotency-key: {key}\r\n");
    raw::ask(server, "POST", path, &headers, body).await.unwrap()
}

async fn create(server: &Server, key: &str) -> Answer {
    post(server, "/v1/tokens", key, BODY).await
}

async fn n_tokens(server: &Server) -> usize {
    server.admin.get::<Vec<Value>>("/v1/tokens").await.unwrap().len()
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotency-replayed") == Some("true")
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let mut server = Server::start().await;
    let first = create(&server, "job-1").await;
    assert_eq!((first.status, is_replayed(&first)), (200, false));
    let again = create(&server, "job-1").await;
    assert_eq!((again.status, is_replayed(&again)), (200, true));
    assert_eq!(again.json(), first.json(), "the token is the one that was made");
    assert_eq!(again.header("content-type"), Some("application/json"));
    assert_eq!(n_tokens(&server).await, 1);

    server.kill_and_restart().await;
    assert_eq!(create(&server, "job-1").await.json(), first.json());
    assert_eq!(n_tokens(&server).await, 1);

    // Another key, and none, are other requests.
    assert_ne!(create(&server, "job-2").await.json(), first.json());
    raw::ask(&server, "POST", "/v1/tokens", JSON, BODY).await.unwrap();
    assert_eq!(n_tokens(&server).await, 3);

    // The same key for something else is a mistake that would else be silent.
    let other =
        post(&server, "/v1/tokens", "job-1", br#"{"expires_in_s":601,"approval":"required"}"#);
    let other = other.await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency-key-reused"));
    let other = post(&server, "/v1/hosts/nobody/attest", "job-1", b"null").await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency-key-reused"));

    // A refusal is an answer, too.
    for replayed in [false, true] {
        let refused = post(&server, "/v1/hosts/nobody/attest", "job-3", b"null").await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "host-not-found"));
        assert_eq!(is_replayed(&refused), replayed);
    }
}

#[tokio::test]
async fn keys_that_are_none_are_refused() {
    let server = Server::start().await;
    let long = "k".repeat(129);
    for key in ["", "a b", "k\u{fc}", &long, "a\r\nidempotency-key: b"] {
        let answer = create(&server, key).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "idempotency-key-invalid"),
            "{key:?}"
        );
    }
    assert_eq!(create(&server, &"k".repeat(128)).await.status, 200);
    // Agents' requests are told apart by what they say.
    let answer = post(&server, "/v1/agent/activate", "k", b"{}").await;
    assert_eq!(answer.code(), "idempotency-key-invalid");
    // Who is not known keeps nothing here.
    let nobody = format!(
        "POST /v1/tokens HTTP/1.1\r\nhost: x\r\nauthorization: Bearer bpa_0\r\n{JSON}idempotency-key: k\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    let answer = raw::send(&server, nobody.as_bytes()).await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"));
    let rows: u32 = server
        .database()
        .query_row("SELECT count(*) FROM idempotent_requests", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn keys_of_two_callers_are_two() {
    let server = Server::start().await;
    let request = json!({ "name": "ci", "role": "admin", "expires_in_s": 600 });
    let ci: Value = server.admin.post("/v1/api-tokens", &request).await.unwrap();
    let first = create(&server, "job").await;
    let token = ci["token"].as_str().unwrap();
    let bytes = format!(
        "POST /v1/tokens HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{JSON}idempotency-key: job\r\n\
         content-length: {}\r\n\r\n{}",
        BODY.len(),
        String::from_utf8_lossy(BODY)
    );
    let other = raw::send(&server, bytes.as_bytes()).await.unwrap();
    assert_eq!((other.status, is_replayed(&other)), (200, false));
    assert_ne!(other.json()["token"], first.json()["token"]);
}

/// The answer holds the secret of a token, which nothing else in the database does.
#[tokio::test]
async fn a_database_alone_opens_no_answer() {
    let mut server = Server::start().await;
    let token = create(&server, "job").await.json()["token"].as_str().unwrap().to_owned();
    server.kill();
    for file in std::fs::read_dir(server.data.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(token.len()).any(|piece| piece == token.as_bytes());
            assert!(!found, "{} has the secret", path.display());
        }
    }
}

#[tokio::test]
async fn what_nobody_knows_the_end_of_is_not_done_again() {
    let server = Server::start().await;
    create(&server, "job").await;
    // As a server leaves it that is killed in the middle.
    let lose = |age_ms: i64| {
        let sql =
            "UPDATE idempotent_requests SET sealed_answer = NULL, begun_at_ms = begun_at_ms - ?1";
        server.database().execute(sql, [age_ms]).unwrap();
    };
    lose(0);
    let answer = create(&server, "job").await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "idempotency-in-progress"));
    lose(120_001);
    let answer = create(&server, "job").await;
    assert_eq!((answer.status, answer.code().as_str()), (409, "idempotency-outcome-unknown"));
    assert_eq!(n_tokens(&server).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_on_one_database_do_it_once() {
    let database = Database::new().unwrap();
    let a = Server::start_with(&format!("store = \"{}\"\n", database.address())).await;
    let b = a.beside().await;
    // The same administrator at both.
    let token = raw::administrator(&a);
    let bytes = format!(
        "POST /v1/tokens HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{JSON}idempotency-key: job\r\n\
         content-length: {}\r\n\r\n{}",
        BODY.len(),
        String::from_utf8_lossy(BODY)
    );
    let at_once = tokio::join!(raw::send(&a, bytes.as_bytes()), raw::send(&b, bytes.as_bytes()));
    for answer in [at_once.0.unwrap(), at_once.1.unwrap()] {
        let fits = answer.status == 200 || answer.code() == "idempotency-in-progress";
        assert!(fits, "{answer:?}");
    }
    let first = raw::send(&a, bytes.as_bytes()).await.unwrap();
    let second = raw::send(&b, bytes.as_bytes()).await.unwrap();
    assert_eq!((first.status, first.json()), (200, second.json()));
    assert!(is_replayed(&first) && is_replayed(&second));
    assert_eq!(n_tokens(&b).await, 1);
}
