//! Events: none missed, none doubled, over reconnects, restarts and several servers.

use std::time::Duration;

use api::event::{CloudEvent, EventPage, EventQuery};
use cli::Exit;
use client::{Client, ClientError, EventStream};
use serde_json::{Value, json};
use testkit::{log::BootLog, postgres::Database, wait};
use tokio::time::timeout;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

const RAISED: &str = "org.bootproof.alarm.raised.v1";
const ADDED: &str = "org.bootproof.host.added.v1";
const STATE: &str = "org.bootproof.host.state-changed.v1";
const VERDICT: &str = "org.bootproof.host.verdict-changed.v1";

async fn page(server: &Server, query: &EventQuery) -> EventPage {
    server.admin.get_with("/v1/events", query).await.unwrap()
}

fn after(cursor: &str) -> EventQuery {
    EventQuery { cursor: Some(cursor.to_owned()), ..EventQuery::default() }
}

async fn listen(client: &Client, query: &EventQuery) -> EventStream {
    client.event_stream(query).await.unwrap()
}

/// The next event, which must come.
async fn next(stream: &mut EventStream) -> CloudEvent {
    let next = timeout(wait::TIME_MAX, stream.next()).await.expect("an event comes");
    next.unwrap().expect("the stream goes on")
}

/// Begins with maintenance and ends it, `n` times: two events each.
async fn change(server: &Server, id: &str, n: usize) {
    let path = format!("/v1/hosts/{id}/maintenance");
    for _ in 0..n {
        server.admin.post::<_, ()>(&path, &json!({ "reason": "x" })).await.unwrap();
        server.admin.delete::<()>(&path).await.unwrap();
    }
}

fn number(event: &CloudEvent) -> u64 {
    event.id.split_once('-').unwrap().0.parse().unwrap()
}

#[tokio::test]
async fn a_change_is_told_as_a_cloud_event() {
    let server = Server::start().await;
    server.trust().await;
    let mut stream = listen(&server.admin, &EventQuery::default()).await;
    let host = Host::boot("web-1", &BootLog::sound().secure_boot_off());
    let id = server.join(&host).await.host_id;
    let added = next(&mut stream).await;
    assert_eq!((&*added.event_type, &*added.specversion), (ADDED, "1.0"));
    assert_eq!(added.subject, format!("hosts/{id}"));
    assert_eq!((&*added.data.host.id, &*added.data.host.name), (&*id, "web-1"));
    assert!(added.source.starts_with("urn:bootproof:"), "{}", added.source);
    assert!(added.time.ends_with('Z') && added.time.starts_with("20"), "{}", added.time);
    assert_eq!(added.datacontenttype, "application/json");
    host.attest(&server).await.unwrap();
    let verdict = next(&mut stream).await;
    assert_eq!(verdict.event_type, VERDICT);
    let told = verdict.data.verdict.unwrap();
    assert_eq!((&*told.verdict, told.before), ("not accepted", None));
    let raised = next(&mut stream).await;
    assert_eq!(raised.event_type, RAISED);
    let alarm = raised.data.alarm.clone().unwrap();
    assert_eq!((&*alarm.code, &*alarm.severity), ("secure-boot-off", "fail"));
    assert!(!alarm.title.is_empty() && !alarm.next_step.is_empty() && !alarm.muted);

    // The same again is no event; what a person does is one, and says who.
    host.attest(&server).await.unwrap();
    server.steer(&id, "disconnect").await;
    let state = next(&mut stream).await;
    assert_eq!(state.event_type, STATE);
    assert_eq!(number(&state), number(&raised) + 1);
    assert_eq!(state.data.by.as_deref(), Some("administrator"));
    assert_eq!(state.data.state.unwrap().connection.as_deref(), Some("disconnected"));
}

#[tokio::test]
async fn nothing_is_missed_or_doubled_over_restarts() {
    let mut server = Server::start().await;
    let id = server.join(&Host::without_tpm("web-1")).await.host_id;
    let mut stream = listen(&server.admin, &after("first")).await;
    let mut seen = vec![next(&mut stream).await];
    for round in 0..3 {
        change(&server, &id, 3).await;
        for _ in 0..round {
            seen.push(next(&mut stream).await);
        }
        let cursor = stream.cursor().unwrap().to_owned();
        assert_eq!(cursor, seen.last().unwrap().id);
        server.kill_and_restart().await;
        stream = listen(&server.admin, &after(&cursor)).await;
    }
    let all = page(&server, &EventQuery::default()).await;
    assert!(!all.more);
    while seen.len() < all.events.len() {
        seen.push(next(&mut stream).await);
    }
    assert_eq!(seen, all.events);
    assert!(seen.windows(2).all(|pair| number(&pair[1]) == number(&pair[0]) + 1));
    // Page by page it is the same.
    let (mut query, mut paged) = (EventQuery { limit: Some(4), ..EventQuery::default() }, vec![]);
    loop {
        let part = page(&server, &query).await;
        paged.extend(part.events);
        query.cursor = Some(part.next_cursor);
        if !part.more {
            break;
        }
    }
    assert_eq!(paged, all.events);
}

#[tokio::test]
async fn who_listens_at_one_server_hears_of_all() {
    let database = Database::new().unwrap();
    let a = Server::start_with(&format!("store = \"{}\"\n", database.address())).await;
    let b = a.beside().await;
    let id = a.join(&Host::without_tpm("web-1")).await.host_id;
    let (mut of_a, mut of_b) =
        (listen(&a.admin, &after("first")).await, listen(&b.admin, &after("first")).await);
    tokio::join!(change(&a, &id, 10), change(&b, &id, 10));
    // At least: who ends what the other one has ended changes nothing.
    let mut seen = Vec::new();
    for _ in 0..22 {
        let (at_a, at_b) = (next(&mut of_a).await, next(&mut of_b).await);
        assert_eq!(at_a, at_b, "one row for all");
        seen.push(number(&at_a));
    }
    assert!(seen.windows(2).all(|pair| pair[1] == pair[0] + 1), "{seen:?}");
    // The cursor of one is good at the other.
    let mut moved = listen(&b.admin, &after(of_a.cursor().unwrap())).await;
    server_says(&b, &id).await;
    let last = loop {
        let event = next(&mut moved).await;
        if event.data.state.as_ref().is_some_and(|state| state.connection.is_some()) {
            break event;
        }
    };
    assert_eq!(last.data.state.unwrap().connection.as_deref(), Some("disconnected"));
}

async fn server_says(server: &Server, id: &str) {
    server.steer(id, "disconnect").await;
}

#[tokio::test]
async fn a_filter_lets_through_what_fits() {
    let server = Server::start().await;
    let web = server.join(&Host::without_tpm("web-1")).await.host_id;
    let db = server.join(&Host::without_tpm("db-1")).await.host_id;
    let path = format!("/v1/hosts/{db}/labels");
    server.admin.post::<_, Value>(&path, &json!({ "set": { "site": "muc" } })).await.unwrap();
    server.steer(&web, "disconnect").await;
    server.steer(&db, "disconnect").await;
    let ids = async |query: EventQuery| {
        let events = page(&server, &query).await.events;
        events.into_iter().map(|event| event.data.host.name).collect::<Vec<_>>()
    };
    let some = |text: &str| Some(text.to_owned());
    let added = EventQuery { types: some("host.added"), ..EventQuery::default() };
    assert_eq!(ids(added).await, ["web-1", "db-1"]);
    let of_web = EventQuery { host: some(&web), types: some(STATE), ..EventQuery::default() };
    assert_eq!(ids(of_web).await, ["web-1"]);
    let of_muc = EventQuery { labels: some("site=muc"), types: some(STATE), ..after("first") };
    assert_eq!(ids(of_muc.clone()).await, ["db-1", "db-1"]);
    // A stream is past what does not fit, and says so.
    let mut stream = listen(&server.admin, &of_muc).await;
    for _ in 0..2 {
        assert_eq!(next(&mut stream).await.data.host.name, "db-1");
    }
    for (query, why) in [
        (EventQuery { types: some("alarm"), ..EventQuery::default() }, "event-type-unknown"),
        (EventQuery { labels: some("=x"), ..EventQuery::default() }, "label-invalid"),
        (after("yesterday"), "cursor-invalid"),
        (after("999-1"), "event-unknown"),
    ] {
        let refused = server.admin.get_with::<_, EventPage>("/v1/events", &query).await;
        assert_eq!(code(refused), why);
        assert_eq!(server.admin.event_stream(&query).await.unwrap_err().code(), Some(why));
    }
    let unknown = server.admin.get::<EventPage>("/v1/events?since=1").await;
    assert!(matches!(unknown, Err(ClientError::Problem(_))), "{unknown:?}");
}

#[tokio::test]
async fn streams_are_limited_and_end_with_the_server() {
    let mut server = Server::start().await;
    let mut streams = Vec::new();
    let refused = loop {
        match server.admin.event_stream(&EventQuery::default()).await {
            Ok(stream) => streams.push(stream),
            Err(err) => break err,
        }
    };
    assert_eq!((refused.code(), streams.len()), (Some("too-many-streams"), 256));
    // One that is gone makes place.
    streams.truncate(255);
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    let again = loop {
        match server.admin.event_stream(&EventQuery::default()).await {
            Ok(stream) => break stream,
            Err(err) => assert_eq!(err.code(), Some("too-many-streams")),
        }
        // The server notices when it has something to say.
        let id = server.join(&Host::without_tpm("web-1")).await.host_id;
        server.admin.delete::<()>(&format!("/v1/hosts/{id}")).await.unwrap();
        assert!(tokio::time::Instant::now() < deadline);
    };
    streams.push(again);
    let start = std::time::Instant::now();
    server.terminate();
    assert!(start.elapsed() < Duration::from_secs(5), "streams hold nobody up");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_on_the_command_line() {
    let server = Server::start().await;
    server.join(&Host::without_tpm("web-1")).await;
    let run = async |words: &[&str]| bootproof(&server, &[&["events"], words].concat()).await;
    assert_eq!(run(&[]).await.unwrap(), Exit::Done);
    assert_eq!(run(&["--json", "--type", "host.added"]).await.unwrap(), Exit::Done);
    assert_eq!(run(&["--after", "first", "--host", "web-1"]).await.unwrap(), Exit::Done);
    let refused = run(&["--follow", "--after", "999-1"]).await.unwrap_err().to_string();
    assert!(refused.contains("999-1"), "{refused}");
}
