//! Forms that come twice: a second click, a page that is loaded again after it was sent, a page that somebody left
//! open. Nothing is doubled, and what is not done a second time is said.

use serde_json::{Value, json};
use testkit::log::BootLog;

use crate::{
    alarms::wait_for,
    bench::{Host, Server},
    browser::{Browser, setup_code},
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

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_comes_twice_doubles_nothing() {
    let server = Server::start().await;
    server.trust().await;
    let off = Host::boot("off", &BootLog::sound().secure_boot_off());
    let id = server.join(&off).await.host_id;
    assert_eq!(off.attest(&server).await.unwrap().verdict, "not accepted");
    let spare = server.join(&Host::without_tpm("spare")).await.host_id;
    wait_for(&server, &[("no-tpm", "spare"), ("secure-boot-off", "off")]).await;
    let mut ada = Browser::new(&server);
    let password = "correct horse battery staple";
    let account =
        json!({ "code": setup_code(&server).unwrap(), "name": "ada", "password": password });
    let begun = ada.ask("POST", "/v1/setup", &account);
    ada.take(&begun);

    let host = format!("/hosts/{id}");
    let act = |verb: &str| format!("{host}/{verb}");
    let webhook = [
        ("kind", "webhook"),
        ("name", "ops"),
        ("url", "https://127.0.0.1:9/hook"),
        ("severity", "fail"),
    ];
    let user = [("name", "bob"), ("role", "viewer"), ("password", password)];
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
        case("/people", "/people/users/bob/password", &[("password", password)], Same),
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
