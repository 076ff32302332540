//! How people order hosts, find them, and do the same to many.

use api::{
    admin::{Approval, HostPage, NewToken, TokenRequest},
    inventory::{Action, ActionReply, ActionRequest, HostQuery, LabelCount, Labels, LabelsRequest},
};
use cli::Exit;
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn label(server: &Server, id: &str, pairs: &[(&str, &str)]) -> Labels {
    let request = LabelsRequest { set: labels(pairs), remove: Vec::new() };
    server.admin.post(&format!("/v1/hosts/{id}/labels"), &request).await.unwrap()
}

async fn names(server: &Server, query: &HostQuery) -> Vec<String> {
    let page: HostPage = server.admin.get_with("/v1/hosts", query).await.unwrap();
    page.hosts.into_iter().map(|host| host.name).collect()
}

fn by_labels(text: &str) -> HostQuery {
    HostQuery { labels: Some(text.to_owned()), ..HostQuery::default() }
}

/// A server with hosts of these names that have no TPM: enough for an inventory.
async fn server_with(names: &[&str]) -> (Server, Vec<String>) {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for name in names {
        ids.push(server.join(&Host::without_tpm(name)).await.host_id);
    }
    (server, ids)
}

#[tokio::test]
async fn hosts_are_found_by_label_name_and_state() {
    let (server, ids) = server_with(&["web-1", "web-2", "db-1"]).await;
    assert_eq!(label(&server, &ids[0], &[("site", "muc"), ("rack", "7")]).await.len(), 2);
    label(&server, &ids[2], &[("site", "M\u{fc}nchen & co")]).await;
    assert_eq!(names(&server, &by_labels("site=muc,rack")).await, ["web-1"]);
    assert_eq!(names(&server, &by_labels("site=M\u{fc}nchen & co")).await, ["db-1"]);
    assert_eq!(names(&server, &by_labels("site")).await, ["db-1", "web-1"]);
    let search = |text: &str| HostQuery { search: Some(text.into()), ..HostQuery::default() };
    assert_eq!(names(&server, &search("WEB")).await, ["web-1", "web-2"]);
    let verdict = |word: &str| HostQuery { verdict: Some(word.into()), ..HostQuery::default() };
    assert_eq!(names(&server, &verdict("not appraised")).await.len(), 3);
    assert!(names(&server, &verdict("accepted")).await.is_empty());
    server.steer(&ids[1], "disconnect").await;
    let away = HostQuery { connection: Some("disconnected".into()), ..HostQuery::default() };
    assert_eq!(names(&server, &away).await, ["web-2"]);
    let with_code = |code: &str| HostQuery { code: Some(code.into()), ..HostQuery::default() };
    assert_eq!(names(&server, &with_code("no-tpm")).await.len(), 3);
    assert!(names(&server, &with_code("ek-changed")).await.is_empty());
    let counts: Vec<LabelCount> = server.admin.get("/v1/labels?key=rack").await.unwrap();
    assert_eq!((counts.len(), counts[0].n_hosts), (1, 1));

    // Pages of what is sought meet, one host each.
    let mut query = HostQuery { limit: Some(1), ..verdict("not appraised") };
    let mut seen = Vec::new();
    loop {
        let page: HostPage = server.admin.get_with("/v1/hosts", &query).await.unwrap();
        seen.extend(page.hosts.into_iter().map(|host| host.name));
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(seen, ["db-1", "web-1", "web-2"]);
}

#[tokio::test]
async fn what_nobody_can_mean_is_refused() {
    let (server, ids) = server_with(&["web-1"]).await;
    for query in ["verdict=good", "connection=yes", "labels=a%3Db%3Dc", "labels=", "x=1"] {
        let answer = server.admin.get::<HostPage>(&format!("/v1/hosts?{query}")).await;
        assert!(answer.is_err(), "{query}");
    }
    let long = HostQuery { search: Some("x".repeat(101)), ..HostQuery::default() };
    let answer = server.admin.get_with::<_, HostPage>("/v1/hosts", &long).await;
    assert_eq!(code(answer), "query-invalid");
    let path = format!("/v1/hosts/{}/labels", ids[0]);
    for (key, value) in [("a b", "x"), ("k", ""), ("k", "a,b"), ("k", "\u{1b}[31m")] {
        let request = LabelsRequest { set: labels(&[(key, value)]), remove: Vec::new() };
        assert_eq!(code(server.admin.post::<_, Labels>(&path, &request).await), "label-invalid");
    }
    let many = (0..33).map(|n| (format!("k{n}"), "v".to_owned())).collect();
    let request = LabelsRequest { set: many, remove: Vec::new() };
    assert_eq!(code(server.admin.post::<_, Labels>(&path, &request).await), "too-many");
    let host = server.host(&ids[0]).await;
    assert!(host.host.labels.is_empty());
}

#[tokio::test]
async fn a_token_labels_the_hosts_that_join_with_it() {
    let server = Server::start().await;
    server.trust().await;
    let request = TokenRequest {
        expires_in_s: 600,
        uses_max: Some(1),
        approval: Approval::NotRequired,
        labels: labels(&[("site", "muc")]),
        listed_on: None,
        note: String::new(),
    };
    let token: NewToken = server.admin.post("/v1/tokens", &request).await.unwrap();
    let host = Host::boot("web-1", &BootLog::sound());
    let enrolled = host.join(&server, &token.token).await.unwrap();
    let detail = server.host(&enrolled.host_id).await;
    assert_eq!(detail.host.labels, labels(&[("site", "muc")]));
}

async fn act(server: &Server, hosts: &[String], action: Action) -> Vec<Option<String>> {
    let request = ActionRequest { hosts: hosts.to_vec(), action };
    let reply: ActionReply = server.admin.post("/v1/hosts/actions", &request).await.unwrap();
    assert!(reply.outcomes.iter().zip(hosts).all(|(outcome, host)| outcome.host == *host));
    reply.outcomes.into_iter().map(|outcome| Some(outcome.problem?.code)).collect()
}

#[tokio::test]
async fn one_host_that_refuses_holds_no_other_up() {
    let (server, mut ids) = server_with(&["web-1", "web-2", "db-1"]).await;
    ids.insert(1, "nobody".to_owned());
    let not_there = Some("host-not-found".to_owned());
    assert_eq!(act(&server, &ids, Action::Disconnect).await, [None, not_there.clone(), None, None]);
    for id in [&ids[0], &ids[2], &ids[3]] {
        assert_eq!(server.host(id).await.host.connection, "disconnected");
    }
    let refused = act(&server, &ids[..1], Action::Attest).await;
    assert_eq!(refused, [Some("host-disconnected".to_owned())]);
    assert_eq!(act(&server, &ids[3..], Action::Remove).await, [None]);
    assert_eq!(server.hosts().await.len(), 2);
    let many = ActionRequest { hosts: vec!["x".into(); 501], action: Action::Disconnect };
    let answer = server.admin.post::<_, ActionReply>("/v1/hosts/actions", &many).await;
    assert_eq!(code(answer), "too-many-hosts");
}

#[tokio::test]
async fn maintenance_is_shown_until_it_ends() {
    let (server, ids) = server_with(&["web-1"]).await;
    let path = format!("/v1/hosts/{}/maintenance", ids[0]);
    let request = serde_json::json!({ "reason": "new firmware", "until_ms": null });
    server.admin.post::<_, ()>(&path, &request).await.unwrap();
    let working = HostQuery { maintenance: Some(true), ..HostQuery::default() };
    assert_eq!(names(&server, &working).await, ["web-1"]);
    let maintenance = server.host(&ids[0]).await.host.maintenance.unwrap();
    assert_eq!((&*maintenance.reason, &*maintenance.by), ("new firmware", "administrator"));
    server.admin.delete::<()>(&path).await.unwrap();
    assert!(names(&server, &working).await.is_empty());
    for (reason, until_ms) in [("", None), ("two\nlines", None), ("over", Some(1))] {
        let request = serde_json::json!({ "reason": reason, "until_ms": until_ms });
        let answer = server.admin.post::<_, ()>(&path, &request).await;
        assert_eq!(code(answer), "maintenance-invalid", "{reason:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_hosts_are_chosen_and_changed_on_the_command_line() {
    let (server, _) = server_with(&["web-1", "web-2", "db-1"]).await;
    let host = async |words: &[&str]| bootproof(&server, &[&["host"], words].concat()).await;
    let done =
        async |words: &[&str]| assert_eq!(host(words).await.unwrap(), Exit::Done, "{words:?}");
    let away = async || {
        let query = HostQuery { connection: Some("disconnected".into()), ..HostQuery::default() };
        names(&server, &query).await
    };
    done(&["label", "web-1", "web-2", "--set", "site=muc"]).await;
    assert_eq!(names(&server, &by_labels("site=muc")).await, ["web-1", "web-2"]);
    done(&["list", "--select", "site=muc", "--verdict", "not appraised"]).await;
    done(&["labels", "site"]).await;
    done(&["label", "--select", "site=muc", "--remove", "site", "--set", "rack=7", "--yes"]).await;
    assert_eq!(names(&server, &by_labels("rack=7")).await, ["web-1", "web-2"]);

    done(&["disconnect", "--select", "rack", "--dry-run"]).await;
    assert!(away().await.is_empty(), "nothing is done for show");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hosts.txt");
    std::fs::write(&file, "# rack 7\nweb-1   # the first\n\ndb-1\nweb-1\n").unwrap();
    let file = file.to_str().unwrap();
    done(&["disconnect", "--file", file, "--yes"]).await;
    assert_eq!(away().await, ["db-1", "web-1"]);

    // Some refuse: that is another end than all, and than one.
    assert_eq!(host(&["attest", "--file", file, "--yes"]).await.unwrap(), Exit::No);
    assert!(host(&["attest", "web-1"]).await.is_err());
    let unknown = host(&["disconnect", "web-2", "web-9"]).await.unwrap_err();
    assert!(format!("{unknown:?}").contains("there is no host"), "{unknown:?}");
    assert_eq!(away().await, ["db-1", "web-1"], "nothing was begun");
    done(&["enter-maintenance", "web-2", "--reason", "new fan", "--for", "2h"]).await;
    done(&["show", "web-2"]).await;
    done(&["list", "--in-maintenance"]).await;
    done(&["leave-maintenance", "--select", "rack=7", "--yes"]).await;
    done(&["list", "--search", "nobody"]).await;
    done(&["disconnect", "--all", "--dry-run"]).await;
    assert_eq!(away().await, ["db-1", "web-1"]);
    done(&["disconnect", "--all", "--yes"]).await;
    assert_eq!(away().await, ["db-1", "web-1", "web-2"]);
}
