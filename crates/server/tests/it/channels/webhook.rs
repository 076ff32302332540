//! Webhooks: signed, in order, at least once, and never for ever.

use api::{
    channel::{Channel, DeadLetterPage, Redelivered},
    event::CloudEvent,
};
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use cli::Exit;
use serde_json::{Value, json};
use testkit::postgres::Database;

use super::{
    add, show,
    sink::{Pki, Reaction, Received, Sink},
    test, wait_for,
};
use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

fn settings(sink: &Sink) -> Value {
    json!({ "kind": "webhook", "url": sink.url, "ca_pem": sink.pki.ca_pem })
}

async fn with_sink(server: &Server) -> (Sink, String) {
    let sink = Sink::start().await;
    let new = add(server, "ops", settings(&sink), None).await;
    (sink, new["secret"].as_str().unwrap().to_owned())
}

fn event(received: &Received) -> CloudEvent {
    serde_json::from_str(&received.body).unwrap()
}

fn kind(received: &Received) -> String {
    api::event::kind_of(&event(received).event_type).to_owned()
}

/// Checks a request as a receiver has to.
fn verify(received: &Received, secret: &str) {
    let header = |name: &str| received.headers[name].clone();
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let signed = format!("{id}.{timestamp}.{}", received.body);
    let signature = header("webhook-signature");
    let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    hmac::verify(&key, signed.as_bytes(), &tag).unwrap();
    let later = format!("{id}.{}.{}", timestamp.parse::<i64>().unwrap() + 300, received.body);
    assert!(hmac::verify(&key, later.as_bytes(), &tag).is_err(), "the time is signed, too");
    assert_eq!(header("content-type"), "application/cloudevents+json; charset=utf-8");
    assert_eq!(received.path, "/hook?x=1");
    assert_eq!(event(received).id, id);
}

#[tokio::test]
async fn a_webhook_is_a_signed_cloud_event() {
    let server = Server::start().await;
    let (mut sink, secret) = with_sink(&server).await;
    for name in ["web-1", "web-2", "web-3"] {
        server.join(&Host::without_tpm(name)).await;
    }
    let mut ids = Vec::new();
    for _ in 0..3 {
        let received = sink.next().await;
        verify(&received, &secret);
        let event = event(&received);
        assert_eq!((&*event.data.alarm.unwrap().code, &*event.specversion), ("no-tpm", "1.0"));
        ids.push(event.id);
    }
    let raised: api::event::EventPage =
        server.admin.get("/v1/events?type=alarm.raised").await.unwrap();
    let expected: Vec<_> = raised.events.into_iter().map(|event| event.id).collect();
    assert_eq!(ids, expected, "in their order");
    let channel = wait_for(&server, "ops", |channel| channel.delivered_at_ms.is_some()).await;
    assert_eq!((&*channel.state, channel.n_dead), ("active", 0));
    let shown: Value = server.admin.get("/v1/channels").await.unwrap();
    assert!(!shown.to_string().contains(&secret[6..]), "a secret is shown once");
}

#[tokio::test]
async fn what_fails_is_tried_again_and_what_is_behind_it_waits() {
    let server = Server::start().await;
    let (mut sink, secret) = with_sink(&server).await;
    sink.react(&[Reaction::Status(500), Reaction::Status(429)]);
    server.join(&Host::without_tpm("web-1")).await;
    let first = sink.next().await;
    let failing = wait_for(&server, "ops", |channel| channel.state == "failing").await;
    let said = failing.last_error.unwrap();
    assert!(said.contains("500") && said.ends_with("no  X: y"), "one line: {said}");
    server.join(&Host::without_tpm("web-2")).await;
    for _ in 0..2 {
        let again = sink.next().await;
        verify(&again, &secret);
        assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"], "known by its id");
    }
    assert_eq!(event(&sink.next().await).data.host.name, "web-2");
    wait_for(&server, "ops", |channel| channel.state == "active").await;
}

#[tokio::test]
async fn what_is_refused_dies_and_blocks_nothing() {
    let server = Server::start().await;
    let (mut sink, _) = with_sink(&server).await;
    sink.react(&[Reaction::Status(400); 3]);
    server.join(&Host::without_tpm("web-1")).await;
    server.join(&Host::without_tpm("web-2")).await;
    // Both joined at once: either may be first.
    let refused = event(&sink.next().await).data.host.name;
    for _ in 0..2 {
        assert_eq!(event(&sink.next().await).data.host.name, refused);
    }
    assert_ne!(event(&sink.next().await).data.host.name, refused);
    wait_for(&server, "ops", |channel| channel.n_dead == 1 && channel.state == "active").await;
    let page: DeadLetterPage = server.admin.get("/v1/channels/ops/dead-letters").await.unwrap();
    let [dead] = &page.dead_letters[..] else { panic!("one died") };
    assert_eq!(dead.event["data"]["host"]["name"], *refused);
    assert!(dead.error.contains("400"), "{}", dead.error);
    let path = "/v1/channels/ops/redeliver";
    let done: Redelivered = server.admin.post(path, &json!({ "ids": [dead.id] })).await.unwrap();
    assert_eq!(done.n, 1);
    assert_eq!(event(&sink.next().await).data.host.name, refused);
    wait_for(&server, "ops", |channel| channel.n_dead == 0).await;
}

#[tokio::test]
async fn a_server_that_is_killed_before_it_noted_it_tells_it_again() {
    let mut server = Server::start().await;
    let (mut sink, secret) = with_sink(&server).await;
    sink.react(&[Reaction::Hang]);
    server.join(&Host::without_tpm("web-1")).await;
    let first = sink.next().await;
    server.kill_and_restart().await;
    let again = sink.next().await;
    verify(&again, &secret);
    assert_eq!(event(&again), event(&first), "the same, and known by its id");
    server.join(&Host::without_tpm("web-2")).await;
    assert_eq!(event(&sink.next().await).data.host.name, "web-2");
}

#[tokio::test]
async fn two_servers_deliver_once() {
    let database = Database::new().unwrap();
    let a = Server::start_with(&format!("store = \"{}\"\n", database.address())).await;
    let b = a.beside().await;
    let (mut sink, secret) = with_sink(&a).await;
    for n in 0..8 {
        let server = if n % 2 == 0 { &a } else { &b };
        server.join(&Host::without_tpm(&format!("web-{n}"))).await;
    }
    let mut ids = Vec::new();
    for _ in 0..8 {
        let received = sink.next().await;
        verify(&received, &secret);
        ids.push(received.headers["webhook-id"].clone());
    }
    let raised: api::event::EventPage = b.admin.get("/v1/events?type=alarm.raised").await.unwrap();
    assert_eq!(ids, raised.events.into_iter().map(|event| event.id).collect::<Vec<_>>());
    wait_for(&b, "ops", |channel| channel.delivered_at_ms.is_some()).await;
    assert!(sink.is_empty(), "none twice");
}

#[tokio::test]
async fn maintenance_and_acknowledgements_are_silent_until_they_end() {
    let server = Server::start().await;
    let (mut sink, _) = with_sink(&server).await;
    let id = server.join(&Host::without_tpm("web-1")).await.host_id;
    assert_eq!(kind(&sink.next().await), "alarm.raised");
    let maintenance = format!("/v1/hosts/{id}/maintenance");
    server.steer(&id, "disconnect").await;
    assert_eq!(kind(&sink.next().await), "alarm.cleared");
    server.admin.post::<_, ()>(&maintenance, &json!({ "reason": "board" })).await.unwrap();
    server.steer(&id, "reconnect").await;
    let deadline = tokio::time::Instant::now() + testkit::wait::TIME_MAX;
    loop {
        let alarms: api::alarm::AlarmPage = server.admin.get("/v1/alarms").await.unwrap();
        if alarms.alarms.iter().any(|alarm| alarm.muted) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    server.admin.delete::<()>(&maintenance).await.unwrap();
    assert_eq!(kind(&sink.next().await), "alarm.unmuted", "and not raised before");
    let alarms = json!({ "code": "no-tpm" });
    let known = json!({ "alarms": alarms, "reason": "ticket" });
    server.admin.post::<_, Value>("/v1/alarms/acknowledge", &known).await.unwrap();
    let withdrawn = json!({ "alarms": alarms });
    server.admin.post::<_, Value>("/v1/alarms/withdraw", &withdrawn).await.unwrap();
    assert_eq!(kind(&sink.next().await), "alarm.acknowledgement-ended");
}

#[tokio::test]
async fn a_test_says_step_by_step_what_happened() {
    let server = Server::start().await;
    let (mut sink, secret) = with_sink(&server).await;
    let steps = |test: &api::channel::ChannelTest| {
        test.steps.iter().map(|step| (step.step.clone(), step.well)).collect::<Vec<_>>()
    };
    let named = |names: &[(&str, bool)]| {
        names.iter().map(|(name, well)| ((*name).to_owned(), *well)).collect::<Vec<_>>()
    };
    let well = test(&server, "ops").await;
    let all = named(&[
        ("resolved", true),
        ("connected", true),
        ("certificate", true),
        ("answered", true),
    ]);
    assert!(well.delivered);
    assert_eq!(steps(&well), all);
    let received = sink.next().await;
    verify(&received, &secret);
    assert_eq!(kind(&received), "channel.test");

    for (reaction, delivered, word) in [
        (Reaction::Huge, true, "200"),
        (Reaction::Redirect, false, "redirects are not followed"),
        (Reaction::Status(403), false, "403"),
        (Reaction::Hang, false, "no answer within 20 s"),
    ] {
        sink.react(&[reaction]);
        let said = test(&server, "ops").await;
        assert_eq!(said.delivered, delivered, "{reaction:?}: {said:?}");
        assert!(said.steps.last().unwrap().said.contains(word), "{reaction:?}: {said:?}");
    }

    let other = Pki::new().ca_pem;
    let link_local = "https://169.254.169.254/latest";
    for (url, ca_pem, step, word) in [
        (&*sink.url, &other, "certificate", "not accepted"),
        ("https://127.0.0.1:1/", &other, "connected", "cannot be reached"),
        (link_local, &other, "resolved", "channels_reach_link_local"),
        ("https://no-such-host.invalid/", &other, "resolved", "cannot be resolved"),
    ] {
        let settings = json!({ "kind": "webhook", "url": url, "ca_pem": ca_pem });
        let change = json!({ "settings": settings });
        server.admin.post::<_, Channel>("/v1/channels/ops/change", &change).await.unwrap();
        let said = test(&server, "ops").await;
        assert!(!said.delivered);
        let last = said.steps.last().unwrap();
        assert_eq!((&*last.step, last.well), (step, false), "{url}: {said:?}");
        assert!(last.said.contains(word), "{url}: {said:?}");
    }
}

#[tokio::test]
async fn what_is_no_channel_is_refused() {
    let server = Server::start().await;
    let webhook = |url: &str| json!({ "kind": "webhook", "url": url });
    let smtp = |from: &str, to: &[&str]| {
        let server = "mail.example:465";
        json!({ "kind": "smtp", "server": server, "security": "tls", "from": from, "to": to })
    };
    for (name, settings, secret) in [
        ("", webhook("https://a/"), None),
        ("a/b", webhook("https://a/"), None),
        ("a", webhook("http://a/"), None),
        ("a", webhook("https://user:password@a/"), None),
        ("a", webhook("https://a/"), Some("short")),
        ("a", smtp("no address", &["a@example.org"]), None),
        ("a", smtp("a@example.org", &["a@example.org\r\nDATA"]), None),
        ("a", smtp("a@example.org", &[]), None),
        ("a", smtp("a@example.org", &["a@example.org"]), Some("a password without a name")),
        ("a", json!({ "kind": "syslog", "server": "no port" }), None),
    ] {
        let request = json!({ "name": name, "settings": settings, "secret": secret });
        let refused = server.admin.post::<_, Value>("/v1/channels", &request).await;
        assert_eq!(code(refused), "channel-invalid", "{request}");
    }
    let unknown = json!({ "name": "a", "settings": { "kind": "pager", "url": "https://a/" } });
    assert!(server.admin.post::<_, Value>("/v1/channels", &unknown).await.is_err());
    let none = server.admin.get::<Value>("/v1/channels/a").await;
    assert_eq!(code(none), "channel-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_looked_after_on_the_command_line() {
    let server = Server::start().await;
    let mut sink = Sink::start().await;
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &sink.pki.ca_pem).unwrap();
    let (ca, url) = (ca.display().to_string(), sink.url.clone());
    let run =
        async |words: &[&str]| bootproof(&server, &[&["channel"], words].concat()).await.unwrap();
    assert_eq!(run(&["list"]).await, Exit::Done);
    assert_eq!(run(&["add", "ops", "--webhook", &url, "--ca", &ca]).await, Exit::Done);
    assert_eq!(run(&["list"]).await, Exit::Done);
    assert_eq!(run(&["test", "ops"]).await, Exit::Done);
    sink.next().await;
    assert_eq!(
        run(&["change", "ops", "--severity", "fail", "--type", "host.added"]).await,
        Exit::Done
    );
    let changed = show(&server, "ops").await;
    assert_eq!((changed.filter.severities.len(), changed.filter.types.len()), (1, 1));
    assert_eq!(run(&["pause", "ops"]).await, Exit::Done);
    server.join(&Host::without_tpm("web-1")).await;
    assert_eq!(show(&server, "ops").await.state, "paused");
    assert_eq!(run(&["show", "ops"]).await, Exit::Done);
    assert_eq!(run(&["resume", "ops"]).await, Exit::Done);
    assert_eq!(kind(&sink.next().await), "host.added", "what came meanwhile");
    sink.react(&[Reaction::Status(503)]);
    assert_eq!(run(&["test", "ops", "--json"]).await, Exit::No);
    assert_eq!(run(&["dead-letters", "ops"]).await, Exit::Done);
    assert_eq!(run(&["redeliver", "ops"]).await, Exit::Done);
    assert_eq!(run(&["remove", "ops"]).await, Exit::Done);
    assert!(bootproof(&server, &["channel", "show", "ops"]).await.is_err());
    assert!(bootproof(&server, &["channel", "add", "none"]).await.is_err());
}
