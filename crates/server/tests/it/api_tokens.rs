//! Tokens of programs: made, limited, ended.

use api::{
    admin::{HostDetail, HostPage},
    alarm::{AlarmPage, AlarmQuery},
    audit::AuditPage,
    inventory::{Action, ActionReply, ActionRequest, HostQuery, Labels, LabelsRequest},
    people::{ApiToken, ApiTokenRequest, NewApiToken, Role, WhoAmI},
    result::AttestedResult,
};
use cli::Exit;
use client::Client;
use serde_json::Value;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn request(name: &str, role: Role, hosts: &[(&str, &str)]) -> ApiTokenRequest {
    ApiTokenRequest { name: name.to_owned(), role, hosts: labels(hosts), expires_in_s: 3600 }
}

async fn make(server: &Server, request: &ApiTokenRequest) -> Client {
    let new: NewApiToken = server.admin.post("/v1/api-tokens", request).await.unwrap();
    server.admin.with_token(new.token)
}

async fn tokens(server: &Server) -> Vec<ApiToken> {
    server.admin.get("/v1/api-tokens").await.unwrap()
}

/// Hosts of two sites, without TPMs.
async fn two_sites(server: &Server) -> [String; 2] {
    let mut ids = Vec::new();
    for (name, site) in [("web-1", "muc"), ("web-2", "ber")] {
        let id = server.join(&Host::without_tpm(name)).await.host_id;
        let set = labels(&[("site", site)]);
        let request = LabelsRequest { set, remove: Vec::new() };
        let path = format!("/v1/hosts/{id}/labels");
        let _: Labels = server.admin.post(&path, &request).await.unwrap();
        ids.push(id);
    }
    ids.try_into().unwrap()
}

#[tokio::test]
async fn a_token_lives_from_its_making_to_its_end() {
    let server = Server::start().await;
    let ci = make(&server, &request("ci", Role::Viewer, &[])).await;
    let me: WhoAmI = ci.get("/v1/whoami").await.unwrap();
    assert_eq!((me.actor.as_str(), me.role, &me.hosts), ("ci", Role::Viewer, &Labels::new()));
    assert!(me.expires_at_ms.is_some());
    let list = tokens(&server).await;
    let [_, known] = &list[..] else { panic!("{list:?}") };
    assert_eq!((known.name.as_str(), known.created_by.as_str()), ("ci", "administrator"));
    let first_use = known.last_used_at_ms.expect("it was used");
    // The next uses are not noted: each would be a change on disk.
    let _: WhoAmI = ci.get("/v1/whoami").await.unwrap();
    assert_eq!(tokens(&server).await[1].last_used_at_ms, Some(first_use));

    // Its time is over.
    let db = server.database();
    db.execute("UPDATE api_tokens SET expires_at_ms = 1 WHERE name = 'ci'", []).unwrap();
    assert_eq!(code(ci.get::<Value>("/v1/whoami").await), "unauthenticated");
    db.execute("UPDATE api_tokens SET expires_at_ms = NULL WHERE name = 'ci'", []).unwrap();
    let _: WhoAmI = ci.get("/v1/whoami").await.unwrap();

    let _: () = server.admin.delete("/v1/api-tokens/ci").await.unwrap();
    assert_eq!(code(ci.get::<Value>("/v1/whoami").await), "unauthenticated");
    let again = server.admin.delete::<Value>("/v1/api-tokens/ci").await;
    assert_eq!(code(again), "api-token-not-found");
    let audit: AuditPage = server.admin.get("/v1/audit").await.unwrap();
    let told = |action: &str| {
        let row = |row: &&api::audit::AuditRow| row.action == action;
        audit.rows.iter().filter(row).map(|row| row.subject.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told("api-token.add"), ["api-token:administrator", "api-token:ci"]);
    assert_eq!(told("api-token.remove"), ["api-token:ci"]);
    assert!(!server.log().contains("bpa_"), "a secret in the log");
}

#[tokio::test]
async fn a_token_that_cannot_be_is_not_made() {
    let server = Server::start().await;
    let good = request("ci", Role::Viewer, &[]);
    let with_name = |name: &str| ApiTokenRequest { name: name.to_owned(), ..good.clone() };
    let for_s = |expires_in_s| ApiTokenRequest { expires_in_s, ..good.clone() };
    for (wrong, said) in [
        (with_name("server"), "token-invalid"),
        (with_name("host:x"), "token-invalid"),
        (with_name(""), "token-invalid"),
        (with_name("administrator"), "name-taken"),
        (for_s(0), "token-invalid"),
        (for_s(366 * 24 * 3600 + 1), "token-invalid"),
        (request("ci", Role::Admin, &[("site", "muc")]), "token-invalid"),
        (request("ci", Role::Viewer, &[("a b", "c")]), "label-invalid"),
    ] {
        let answer = server.admin.post::<_, NewApiToken>("/v1/api-tokens", &wrong).await;
        assert_eq!(code(answer), said, "{wrong:?}");
    }
    assert_eq!(tokens(&server).await.len(), 1);
    make(&server, &for_s(366 * 24 * 3600)).await;
}

#[tokio::test]
async fn a_limited_token_sees_its_hosts_and_no_other() {
    let server = Server::start().await;
    let [mine, other] = two_sites(&server).await;
    let muc = make(&server, &request("muc", Role::Operator, &[("site", "muc")])).await;
    let list = async |query: HostQuery| {
        let page: HostPage = muc.get_with("/v1/hosts", &query).await.unwrap();
        page.hosts.into_iter().map(|host| host.name).collect::<Vec<_>>()
    };
    assert_eq!(list(HostQuery::default()).await, ["web-1"]);
    let named = |name: &str| HostQuery { name: Some(name.to_owned()), ..HostQuery::default() };
    assert_eq!(list(named("web-1")).await, ["web-1"]);
    assert!(list(named("web-2")).await.is_empty());
    let labelled = |text: &str| HostQuery { labels: Some(text.into()), ..HostQuery::default() };
    assert!(list(labelled("site=ber")).await.is_empty());

    let _: HostDetail = muc.get(&format!("/v1/hosts/{mine}")).await.unwrap();
    let _: AttestedResult = muc.get(&format!("/v1/hosts/{mine}/result")).await.unwrap();
    let _: () = muc.post(&format!("/v1/hosts/{mine}/disconnect"), &()).await.unwrap();
    for rest in ["", "/result", "/appraisals", "/evidence", "/peers"] {
        let answer = muc.get::<Value>(&format!("/v1/hosts/{other}{rest}")).await;
        assert_eq!(code(answer), "host-not-found", "{rest}");
    }
    let answer = muc.post::<_, Value>(&format!("/v1/hosts/{other}/disconnect"), &()).await;
    assert_eq!(code(answer), "host-not-found");

    // One action, each host looked at by itself.
    let both =
        ActionRequest { hosts: vec![mine.clone(), other.clone()], action: Action::Reconnect };
    let reply: ActionReply = muc.post("/v1/hosts/actions", &both).await.unwrap();
    let problems: Vec<_> = reply
        .outcomes
        .iter()
        .map(|outcome| outcome.problem.as_ref().map(|problem| problem.code.as_str()))
        .collect();
    assert_eq!(problems, [None, Some("host-not-found")]);

    // Nobody gives himself a host, nor one of his away.
    let change = |pairs: &[(&str, &str)], remove: &[&str]| LabelsRequest {
        set: labels(pairs),
        remove: remove.iter().map(|key| (*key).to_owned()).collect(),
    };
    let path = format!("/v1/hosts/{mine}/labels");
    let _: Labels = muc.post(&path, &change(&[("rack", "7")], &[])).await.unwrap();
    for wrong in [change(&[("site", "ber")], &[]), change(&[], &["site"])] {
        assert_eq!(code(muc.post::<_, Labels>(&path, &wrong).await), "token-is-limited");
        let hosts = vec![mine.clone()];
        let request = ActionRequest { hosts, action: Action::Label(wrong) };
        let reply: ActionReply = muc.post("/v1/hosts/actions", &request).await.unwrap();
        let problem = reply.outcomes[0].problem.as_ref().unwrap();
        assert_eq!(problem.code, "token-is-limited");
    }

    let alarms = async |host: Option<&String>| {
        let query = AlarmQuery { host: host.cloned(), ..AlarmQuery::default() };
        muc.get_with::<_, AlarmPage>("/v1/alarms", &query).await
    };
    alarms(Some(&mine)).await.unwrap();
    assert_eq!(code(alarms(Some(&other)).await), "host-not-found");
    assert_eq!(code(alarms(None).await), "token-is-limited");

    // A host that gets another label is seen no more.
    let moved = change(&[("site", "ber")], &[]);
    let _: Labels = server.admin.post(&path, &moved).await.unwrap();
    assert_eq!(code(muc.get::<Value>(&format!("/v1/hosts/{mine}")).await), "host-not-found");
    assert!(list(HostQuery::default()).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_made_and_ended_from_the_command_line() {
    let server = Server::start().await;
    let [mine, _] = two_sites(&server).await;
    let done = |exit: Result<Exit, cli::CliError>| assert_eq!(exit.unwrap(), Exit::Done);
    let create = ["api-token", "create", "vault", "--role", "relying-party"];
    done(bootproof(&server, &[&create[..], &["--host-label", "site=muc"]].concat()).await);
    assert!(bootproof(&server, &create).await.is_err(), "the name is taken");
    done(bootproof(&server, &["api-token", "list"]).await);
    done(bootproof(&server, &["api-token", "list", "--json"]).await);
    done(bootproof(&server, &["whoami"]).await);
    done(bootproof(&server, &["whoami", "--json"]).await);
    assert_eq!(tokens(&server).await[1].hosts, labels(&[("site", "muc")]));
    done(bootproof(&server, &["api-token", "revoke", "vault"]).await);
    assert!(bootproof(&server, &["api-token", "revoke", "vault"]).await.is_err());
    assert!(bootproof(&server, &["api-token", "revoke", "../tokens"]).await.is_err());

    // Who may get results and nothing else knows a host by its identifier.
    let new: NewApiToken = server
        .admin
        .post("/v1/api-tokens", &request("vault", Role::RelyingParty, &[]))
        .await
        .unwrap();
    let path = server.data.path().join("admin.toml");
    let context = std::fs::read_to_string(&path).unwrap();
    let token = context.split("token = \"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(&path, context.replace(token, &new.token)).unwrap();
    done(bootproof(&server, &["result", "get", &mine]).await);
    assert!(bootproof(&server, &["host", "show", &mine]).await.is_err());
    assert!(bootproof(&server, &["result", "get", "no such host"]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_way_in_is_closed_on_purpose_only() {
    let mut server = Server::start().await;
    let me: WhoAmI = server.admin.get("/v1/whoami").await.unwrap();
    let revoke = ["api-token", "revoke", me.actor.as_str()];
    let refused = bootproof(&server, &revoke).await.unwrap_err();
    assert!(refused.to_string().contains("another way in"), "{refused}");
    assert!(server.admin.get::<WhoAmI>("/v1/whoami").await.is_ok());
    // A viewer's token is no such way, another administrator's is.
    for (role, is_closed) in [("viewer", false), ("admin", true)] {
        let create = ["api-token", "create", role, "--role", role];
        assert_eq!(bootproof(&server, &create).await.unwrap(), Exit::Done);
        assert_eq!(bootproof(&server, &revoke).await.is_ok(), is_closed, "{role}");
    }
    assert!(server.admin.get::<WhoAmI>("/v1/whoami").await.is_err());
    // The next start makes one anew; then it goes with a word.
    server.kill_and_restart().await;
    let _: serde_json::Value = server.admin.delete("/v1/api-tokens/admin").await.unwrap();
    assert!(bootproof(&server, &revoke).await.is_err());
    let on_purpose = [&revoke[..], &["--yes"]].concat();
    assert_eq!(bootproof(&server, &on_purpose).await.unwrap(), Exit::Done);
    assert!(server.admin.get::<WhoAmI>("/v1/whoami").await.is_err());
}
