//! Forms that come twice: a second click, a page that is loaded again after it was sent, a page that somebody left
//! open. Nothing is doubled, and what is not done a second time is said.

use api::admin::Approval;
use serde_json::{Value, json};
use testkit::log::BootLog;

use crate::{
    alarms::wait_for,
    bench::{Host, Server},
    browser::{Browser, setup_code},
    references::reboot,
};

/// What is counted.
const COUNTED: &[&str] =
    &["/v1/tokens", "/v1/users", "/v1/api-tokens", "/v1/channels", "/v1/host-views", "/v1/hosts"];

/// A form, and what comes of it: first, and then.
struct Case<'a> {
    page: String,
    path: String,
    fields: Vec<(&'a str, String)>,
    /// The fields that the page itself says, such as what a token will be called.
    hidden: &'a [&'a str],
    again: Again<'a>,
}

/// What the second of two equal forms is answered with.
enum Again<'a> {
    /// The same: it is so already.
    Same,
    /// That it cannot be done, in these words.
    Refused(&'a str),
}

fn case<'a>(page: &str, path: &str, fields: &[(&'a str, &str)], again: Again<'a>) -> Case<'a> {
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Case { page: page.to_owned(), path: path.to_owned(), fields, hidden: &[], again }
}

/// How many there are of each.
async fn counts(server: &Server) -> Vec<usize> {
    let mut counts = Vec::new();
    for path in COUNTED {
        let all: Value = server.admin.get(path).await.unwrap();
        let list = all.as_array().or_else(|| all["hosts"].as_array());
        counts.push(list.unwrap_or_else(|| panic!("{path}: {all}")).len());
    }
    counts
}

/// A hidden field of a page.
fn hidden(page: &str, name: &str) -> String {
    let at = format!("type=\"hidden\" name=\"{name}\" value=\"");
    let rest = page.split(&at).nth(1).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Somebody who may do everything.
pub(crate) fn administrator(server: &Server) -> Browser {
    let mut ada = Browser::new(server);
    let account =
        json!({ "code": setup_code(server).unwrap(), "name": "ada", "password": PASSWORD });
    let begun = ada.ask("POST", "/v1/setup", &account);
    ada.take(&begun);
    ada
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_comes_twice_doubles_nothing() {
    let server = Server::start().await;
    server.trust().await;
    let off = Host::boot("off", &BootLog::sound().secure_boot_off());
    let id = server.join(&off).await.host_id;
    assert_eq!(off.attest(&server).await.unwrap().verdict, "not accepted");
    let spare = server.join(&Host::without_tpm("spare")).await.host_id;
    wait_for(&server, &[("no-tpm", "spare"), ("secure-boot-off", "off")]).await;
    let ada = administrator(&server);

    let host = format!("/hosts/{id}");
    let act = |verb: &str| format!("{host}/{verb}");
    let webhook = [
        ("kind", "webhook"),
        ("name", "ops"),
        ("url", "https://127.0.0.1:9/hook"),
        ("severity", "fail"),
    ];
    let user = [("name", "bob"), ("role", "viewer"), ("password", PASSWORD)];
    let token = [("name", "ci"), ("role", "viewer"), ("days", "9")];
    use Again::{Refused, Same};
    let mut cases = vec![
        Case {
            hidden: &["id"],
            ..case(
                "/join",
                "/join",
                &[("hours", "1"), ("approval", "required")],
                Refused("sent before"),
            )
        },
        case("/people", "/people/users", &user, Refused("bob")),
        case("/people", "/people/users/bob/role", &[("role", "operator")], Same),
        case("/people", "/people/users/bob/password", &[("password", PASSWORD)], Same),
        case("/people", "/people/users/bob/disable", &[], Same),
        case("/people", "/people/users/bob/enable", &[], Same),
        case("/people", "/people/tokens", &token, Refused("ci")),
        case("/people", "/people/tokens/ci/revoke", &[], Refused("not found")),
        case("/channels/new?kind=webhook", "/channels/new", &webhook, Refused("ops")),
        case("/channels/ops", "/channels/ops/pause", &[], Same),
        case("/channels/ops", "/channels/ops/resume", &[], Same),
        case("/channels/ops", "/channels/ops/redeliver", &[], Same),
        case("/channels/ops", "/channels/ops/remove", &[], Refused("not found")),
        case("/hosts", "/hosts/views", &[("view", "mine"), ("verdict", "accepted")], Same),
        case("/hosts", "/hosts/views/remove", &[("view", "mine"), ("of", "own")], Same),
        case(&host, &act("attest"), &[], Same),
        case(&host, &act("enter-maintenance"), &[("reason", "a fan")], Same),
        case(&host, &act("leave-maintenance"), &[], Same),
        case(&host, &act("disconnect"), &[], Same),
        case(&host, &act("attest"), &[], Refused("disconnected")),
        case(&host, &act("reconnect"), &[], Same),
        case(&host, &act("approve"), &[], Same),
        case(
            &host,
            &act("replace"),
            &[("ek_sha256", &"ab".repeat(32)), ("reason", "x")],
            Refused("TPM"),
        ),
        case(
            "/alarms/secure-boot-off",
            "/alarms/secure-boot-off/acknowledge",
            &[("reason", "known")],
            Same,
        ),
        case("/alarms/secure-boot-off", "/alarms/secure-boot-off/withdraw", &[], Same),
        case(
            "/policies/new",
            "/policies/new",
            &[("policy", "[verdict]\ngood_for_s = 600\n"), ("note", "x"), ("then", "keep")],
            Same,
        ),
    ];
    let removal = [("verb", "remove"), ("host", spare.as_str())];
    cases.push(case("/hosts", "/hosts/act", &removal, Refused("not")));

    for Case { page, path, fields, hidden: names, again } in &cases {
        // One page, sent twice.
        let (status, html) = ada.page(page);
        assert_eq!(status, 200, "{page}");
        let said: Vec<_> = names.iter().map(|name| (*name, hidden(&html, name))).collect();
        let fields: Vec<(&str, &str)> =
            fields.iter().chain(&said).map(|(name, value)| (*name, value.as_str())).collect();
        let (first, to, answer) = ada.form(path, &fields);
        let is_refused_at_once = matches!(path.rsplit('/').next(), Some("replace"))
            || (path.ends_with("/attest") && matches!(again, Refused(_)));
        if !is_refused_at_once {
            assert!(matches!(first, 200 | 303), "{path}: {first} {answer}");
        }
        let after_one = counts(&server).await;
        let (second, to_again, answer) = ada.form(path, &fields);
        assert_eq!(counts(&server).await, after_one, "{path}");
        match again {
            Same => {
                assert!(matches!(second, 200 | 303), "{path}: {second} {answer}");
                assert_eq!(to, to_again, "{path}");
            }
            Refused(why) => {
                assert!((400..500).contains(&second), "{path}: {second} {answer}");
                assert!(answer.contains(why), "{path}: {why:?} in {answer}");
            }
        }
    }
}

/// How many references there are, and whether the host passes.
async fn held(server: &Server, id: &str) -> (usize, String) {
    let all: Value = server.admin.get("/v1/references").await.unwrap();
    (all["references"].as_array().unwrap().len(), server.host(id).await.host.verdict)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_accepted_once_and_only_as_it_was_looked_at() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let learn = json!({
        "scope": "host", "name": "as delivered", "reason": "first boot", "state": "active"
    });
    let _: Value = server.admin.post(&format!("/v1/hosts/{id}/reference"), &learn).await.unwrap();
    reboot(&mut host, &BootLog::sound().kernel_cmdline("root=/dev/sda1 init=/bin/sh"));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let ada = administrator(&server);
    let (page, path) = (format!("/hosts/{id}"), format!("/hosts/{id}/accept-change"));
    let send = |looked_at: &str| {
        ada.form(&path, &[("appraised_at_ms", looked_at), ("reason", "ticket 4711")])
    };

    // Another boot came while somebody looked at the page of this one.
    let looked_at = hidden(&ada.page(&page).1, "appraised_at_ms");
    reboot(&mut host, &BootLog::sound().kernel_cmdline("root=/dev/sda1 init=/bin/bash"));
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    let (status, _, answer) = send(&looked_at);
    assert_eq!(status, 409, "{answer}");
    assert!(answer.contains("ewer evidence of host"), "{answer}");
    assert_eq!(
        held(&server, &id).await,
        (1, "not accepted".to_owned()),
        "nothing is accepted unseen"
    );

    let looked_at = hidden(&ada.page(&page).1, "appraised_at_ms");
    let (status, to, answer) = send(&looked_at);
    assert_eq!((status, to), (303, Some(format!("{page}?done=accept-change"))), "{answer}");
    assert_eq!(held(&server, &id).await, (2, "accepted".to_owned()));
    let (status, _, answer) = send(&looked_at);
    assert_eq!(status, 409, "{answer}");
    assert!(answer.contains("is accepted as it is"), "{answer}");
    assert_eq!(held(&server, &id).await.0, 2, "one change, one reference");
    assert!(!ada.page(&page).1.contains("Accept change"), "nothing is left to accept");

    // What no person can accept is not offered.
    reboot(&mut host, &BootLog::sound().secure_boot_off());
    assert_eq!(host.attest(&server).await.unwrap().verdict, "not accepted");
    assert!(!ada.page(&page).1.contains("Accept change"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_taken_once() {
    let server = Server::start().await;
    let token = server.token(None, Approval::Required).await.token;
    for name in ["new-1", "new-2"] {
        Host::without_tpm(name).join(&server, &token).await.unwrap();
    }
    let waiting: Value = server.admin.get("/v1/approvals").await.unwrap();
    let ids: Vec<_> = waiting["waiting"].as_array().unwrap().iter().collect();
    let ids: Vec<_> = ids.iter().map(|one| one["id"].as_str().unwrap()).collect();
    let ada = administrator(&server);
    let decide = |decision: &str, ids: &[&str]| {
        let marked = ids.iter().map(|id| ("id", *id));
        let fields: Vec<_> = [("decision", decision), ("reason", "delivery 4711")]
            .into_iter()
            .chain(marked)
            .collect();
        ada.form("/approvals", &fields)
    };
    let rows = async || {
        let audit: Value = server.admin.get("/v1/audit").await.unwrap();
        let rows = audit["rows"].as_array().unwrap().clone();
        rows.iter().filter(|row| row["action"] == "host.approval").count()
    };

    let (status, to, answer) = decide("approve", &ids[..1]);
    assert_eq!((status, to.as_deref()), (303, Some("/approvals?done=decided")), "{answer}");
    // The same page again, by a second click or by somebody who left it open; with the other decision, too.
    for decision in ["approve", "refuse"] {
        let (status, _, answer) = decide(decision, &ids[..1]);
        assert_eq!(status, 409, "{answer}");
        assert!(answer.contains("does not wait"), "{answer}");
    }
    assert_eq!(rows().await, 1, "who decided first decided");
    // One that was decided meanwhile holds no other up.
    let (status, _, answer) = decide("refuse", &ids);
    assert_eq!(status, 409, "{answer}");
    assert!(answer.contains("1 done, 1 not"), "{answer}");
    assert_eq!(rows().await, 2);
    let (status, _, answer) = decide("approve", &[]);
    assert_eq!(status, 400, "{answer}");
    assert!(answer.contains("Nothing is marked"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_activated_once_and_not_over_one_that_nobody_saw() {
    let server = Server::start().await;
    let ada = administrator(&server);
    let keep = async |text: &str| {
        let request = json!({ "policy": text, "note": "" });
        let kept: Value = server.admin.post("/v1/policy/versions", &request).await.unwrap();
        kept["number"].as_i64().unwrap()
    };
    let (first, second) = (keep("# one\n").await, keep("# two\n").await);
    let activate = |number: i64, before: &str| {
        let fields = [("before", before), ("reason", "tried on all hosts")];
        ada.form(&format!("/policies/{number}/activate"), &fields)
    };
    let activated = async || {
        let audit: Value = server.admin.get("/v1/audit").await.unwrap();
        let rows = audit["rows"].as_array().unwrap().clone();
        rows.iter().filter(|row| row["action"] == "policy.activate").count()
    };

    // The second click is told what the first did, and does nothing.
    for _ in 0..2 {
        let (status, to, answer) = activate(first, "");
        let done = "/policies?done=policy-activated";
        assert_eq!((status, to.as_deref()), (303, Some(done)), "{answer}");
        assert_eq!(activated().await, 1);
    }
    // A page from before.
    let (status, _, answer) = activate(second, "");
    assert_eq!(status, 409, "{answer}");
    assert!(answer.contains(&format!("version {first}")), "{answer}");
    assert_eq!(activated().await, 1);
    let (status, _, answer) = activate(second, &first.to_string());
    assert_eq!(status, 303, "{answer}");
    assert_eq!(activated().await, 2);
}
