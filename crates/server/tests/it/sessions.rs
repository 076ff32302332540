//! People: accounts, logging in, sessions, and what a browser may send.

use std::path::Path;

use api::{
    audit::AuditPage,
    people::{
        LoginRequest, LoginWays, PasswordRequest, Role, Session, SessionBegun, SetupRequest,
        ShownAs, User, UserChangeRequest, UserRequest, WhoAmI,
    },
};
use cli::Exit;
use client::Client;
use serde_json::{Value, json};
use testkit::postgres::Database;

use crate::{
    bench::{Server, code},
    browser::{Answer, Browser, setup_code},
    commands::bootproof,
};

const PASSWORD: &str = "three blue kettles";
const FIRST: &str = "seven green lanterns";

/// Adds an account whose person has chosen a password.
async fn account(server: &Server, name: &str, role: Role) -> Browser {
    let request = UserRequest { name: name.to_owned(), role, password: FIRST.to_owned() };
    let user: User = server.admin.post("/v1/users", &request).await.unwrap();
    assert!(user.must_change_password);
    let mut browser = Browser::new(server);
    let begun = browser.log_in(name, FIRST);
    assert!(begun.must_change_password);
    let change = PasswordRequest { old: FIRST.to_owned(), new: PASSWORD.to_owned() };
    let answer = browser.ask("POST", "/v1/password", &change);
    browser.take(&answer);
    browser
}

fn who(browser: &Browser) -> Answer {
    browser.ask("GET", "/v1/whoami", &())
}

fn is_in(browser: &Browser) -> bool {
    match who(browser) {
        Answer { status: 200, .. } => true,
        answer => {
            assert_eq!(answer.code(), "unauthenticated");
            false
        }
    }
}

async fn told(server: &Server, action: &str) -> Vec<(String, String)> {
    let audit: AuditPage = server.admin.get("/v1/audit").await.unwrap();
    let rows = audit.rows.into_iter().filter(|row| row.action == action);
    rows.map(|row| (row.actor, row.subject)).collect()
}

#[tokio::test]
async fn the_first_account_is_made_with_the_printed_code() {
    let mut server = Server::start().await;
    let first = setup_code(&server).expect("a code is printed");
    // Each start prints another one, and the one before counts no more.
    server.kill_and_restart().await;
    let code_now = setup_code(&server).unwrap();
    assert_ne!(first, code_now);
    let mut browser = Browser::new(&server);
    let ways: LoginWays = server.admin.get("/v1/login").await.unwrap();
    assert!(ways.setup_open);
    let set_up = |code: &str, name: &str, password: &str| {
        let (code, name, password) = (code.to_owned(), name.to_owned(), password.to_owned());
        let request = SetupRequest { code, name, password, shown_as: ShownAs::Cookie };
        browser.ask("POST", "/v1/setup", &request)
    };
    assert_eq!(set_up(&first, "alice", PASSWORD).code(), "setup-code-wrong");
    assert_eq!(set_up(&code_now, "a b", PASSWORD).code(), "name-invalid");
    assert_eq!(set_up(&code_now, "alice", "passwordpassword").code(), "password-invalid");
    let answer = set_up(&code_now, "alice", PASSWORD);
    assert_eq!(set_up(&code_now, "eve", PASSWORD).code(), "setup-code-wrong");
    let begun = browser.take(&answer);
    assert_eq!((begun.actor.as_str(), begun.role), ("user:alice", Role::Admin));
    assert!(!begun.must_change_password);
    assert_eq!(browser.ask("GET", "/v1/users", &()).status, 200);
    let ways: LoginWays = server.admin.get("/v1/login").await.unwrap();
    assert!(!ways.setup_open);
    assert_eq!(told(&server, "user.add").await, [("user:alice".into(), "user:alice".into())]);
    server.kill_and_restart().await;
    assert_eq!(setup_code(&server), Some(code_now), "no other one is printed");
    assert!(is_in(&browser), "a session outlives the server's process");
}

#[tokio::test]
async fn tries_of_the_code_are_few() {
    let server = Server::start().await;
    let browser = Browser::new(&server);
    let request = json!({ "code": "bpc_00", "name": "eve", "password": PASSWORD });
    let codes: Vec<_> =
        (0..8).map(|_| browser.ask("POST", "/v1/setup", &request).code().to_owned()).collect();
    assert_eq!(codes[..6], vec!["setup-code-wrong"; 6][..]);
    assert_eq!(codes[7], "login-delayed");
}

#[tokio::test]
async fn a_cookie_is_for_pages_of_this_server_alone() {
    let server = Server::start().await;
    let mut browser = account(&server, "alice", Role::Admin).await;
    let answer = browser.try_log_in("alice", PASSWORD);
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    for word in ["__Host-bootproof=bps_", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"]
    {
        assert!(cookie.contains(word), "{cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    assert!(answer.body.get("token").is_none(), "the secret is in the cookie alone");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    browser.take(&answer);

    let me: WhoAmI = serde_json::from_value(who(&browser).body).unwrap();
    assert_eq!((me.actor.as_str(), me.role), ("user:alice", Role::Admin));
    assert_eq!(me.csrf_token, browser.csrf_token);
    let (origin, token) = (browser.origin(), browser.csrf_token.clone().unwrap());
    let mut other = browser.clone();
    other.log_in("alice", PASSWORD);
    let others_token = other.csrf_token.clone().unwrap();
    assert_ne!(token, others_token);
    let post = |headers: &[(&str, &str)]| {
        // Let in, it is refused for its body.
        browser.send("POST", "/v1/users", headers, &Value::Null).code().to_owned()
    };
    for (headers, said) in [
        (vec![], "other-site"),
        (vec![("x-csrf-token", token.as_str())], "other-site"),
        (vec![("origin", origin.as_str())], "csrf-token-wrong"),
        (vec![("sec-fetch-site", "same-origin")], "csrf-token-wrong"),
        (vec![("origin", &origin), ("x-csrf-token", "")], "csrf-token-wrong"),
        (vec![("origin", &origin), ("x-csrf-token", &others_token)], "csrf-token-wrong"),
        (vec![("origin", "https://evil.example"), ("x-csrf-token", &token)], "other-site"),
        (vec![("origin", "null"), ("x-csrf-token", &token)], "other-site"),
        (
            vec![("origin", &origin), ("sec-fetch-site", "cross-site"), ("x-csrf-token", &token)],
            "other-site",
        ),
        (vec![("sec-fetch-site", "same-site"), ("x-csrf-token", &token)], "other-site"),
        (vec![("sec-fetch-site", "none"), ("x-csrf-token", &token)], "other-site"),
        (vec![("origin", &origin), ("x-csrf-token", &token)], "body-invalid"),
        (vec![("sec-fetch-site", "same-origin"), ("x-csrf-token", &token)], "body-invalid"),
    ] {
        assert_eq!(post(&headers), said, "{headers:?}");
    }
    // Another site's page cannot log somebody in as somebody else either.
    let request = json!({ "name": "alice", "password": PASSWORD });
    for headers in [[("origin", "https://evil.example")], [("sec-fetch-site", "cross-site")]] {
        let answer = browser.send("POST", "/v1/session", &headers, &request);
        assert_eq!((answer.code(), answer.header("set-cookie")), ("other-site", None));
    }
    // A token of a program is shown in no cookie, and of two cookies none counts.
    let program = std::fs::read_to_string(server.data.path().join("admin.toml")).unwrap();
    let program = program.split("token = \"").nth(1).unwrap().split('"').next().unwrap();
    let with = |cookie: String| Browser { cookie: Some(cookie), ..browser.clone() };
    assert!(!is_in(&with(program.to_owned())));
    let own = browser.cookie.clone().unwrap();
    assert!(!is_in(&with(format!("{own}; __Host-bootproof={}", other.cookie.unwrap()))));
    assert!(is_in(&browser));

    let out = browser.ask("DELETE", "/v1/session", &());
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"), "{out:?}");
    assert!(!is_in(&browser));
}

#[tokio::test]
async fn what_a_session_rests_on_ends_it_when_it_changes() {
    let server = Server::start().await;
    let path = "/v1/users/bob";
    let mut bob = account(&server, "bob", Role::Viewer).await;
    let change = async |change: UserChangeRequest| {
        server.admin.post::<_, User>(path, &change).await.unwrap()
    };
    let role = |role| UserChangeRequest { role: Some(role), disabled: None };
    let disabled = |is_so| UserChangeRequest { role: None, disabled: Some(is_so) };
    assert!(is_in(&bob));
    change(role(Role::Viewer)).await;
    assert!(is_in(&bob), "nothing was changed");
    change(role(Role::Operator)).await;
    assert!(!is_in(&bob));
    assert_eq!(bob.log_in("bob", PASSWORD).role, Role::Operator);
    change(disabled(true)).await;
    assert!(!is_in(&bob));
    assert_eq!(bob.try_log_in("bob", PASSWORD).code(), "login-failed");
    change(disabled(false)).await;
    bob.log_in("bob", PASSWORD);

    // Whoever gets a password must choose one before anything else.
    let given = json!({ "password": FIRST });
    let _: () = server.admin.post(&format!("{path}/password"), &given).await.unwrap();
    assert!(!is_in(&bob));
    assert!(bob.log_in("bob", FIRST).must_change_password);
    assert_eq!(bob.ask("GET", "/v1/hosts", &()).code(), "password-must-change");
    assert_eq!(bob.ask("GET", "/v1/sessions", &()).code(), "password-must-change");
    let choose = |browser: &Browser, old: &str, new: &str| {
        let request = PasswordRequest { old: old.to_owned(), new: new.to_owned() };
        browser.ask("POST", "/v1/password", &request)
    };
    assert_eq!(choose(&bob, PASSWORD, "nine old umbrellas").code(), "password-wrong");
    assert_eq!(choose(&bob, FIRST, FIRST).code(), "password-invalid");
    assert_eq!(choose(&bob, FIRST, "short").code(), "password-invalid");
    let before = bob.clone();
    let mut elsewhere = bob.clone();
    elsewhere.log_in("bob", FIRST);
    let answer = choose(&bob, FIRST, PASSWORD);
    bob.take(&answer);
    assert_ne!(bob.cookie, before.cookie);
    assert!(!is_in(&before) && !is_in(&elsewhere), "the others have ended");
    assert_eq!(bob.ask("GET", "/v1/hosts", &()).status, 200);

    let _: () = server.admin.delete(path).await.unwrap();
    assert!(!is_in(&bob));
    let admin = account(&server, "alice", Role::Admin).await;
    let last = server.admin.delete::<Value>("/v1/users/alice").await;
    assert_eq!(code(last), "last-administrator");
    assert!(is_in(&admin));
}

#[tokio::test]
async fn a_session_ends_by_itself_and_by_a_person() {
    let server = Server::start().await;
    let mut alice = account(&server, "alice", Role::Admin).await;
    let mut bob = account(&server, "bob", Role::Viewer).await;
    let set = |column: &str, ago_s: i64| {
        let sql = format!(
            "UPDATE sessions SET {column} = {column} - {ago_s} * 1000 WHERE user_name = 'bob'"
        );
        assert!(server.database().execute(&sql, []).unwrap() > 0);
    };
    // Half an hour without a request, and twelve hours in any case.
    set("used_at_ms", 1_700);
    assert!(is_in(&bob));
    set("used_at_ms", 1_700);
    assert!(is_in(&bob), "the use was noted");
    set("used_at_ms", 1_801);
    assert!(!is_in(&bob));
    bob.log_in("bob", PASSWORD);
    set("expires_at_ms", 12 * 3600 - 60);
    assert!(is_in(&bob));
    set("expires_at_ms", 61);
    assert!(!is_in(&bob));

    bob.log_in("bob", PASSWORD);
    let list = |browser: &Browser, all: bool| -> Vec<Session> {
        let answer = browser.ask("GET", &format!("/v1/sessions?all={all}"), &());
        serde_json::from_value(answer.body).unwrap()
    };
    let own = list(&bob, false);
    assert!(own.iter().all(|session| session.actor == "user:bob"), "{own:?}");
    let this = own.iter().find(|session| session.is_this).unwrap().id.clone();
    assert_eq!(bob.ask("GET", "/v1/sessions?all=true", &()).code(), "role-too-low");
    let all = list(&alice, true);
    assert!(all.iter().any(|session| session.id == this && !session.is_this), "{all:?}");
    let hers = all.iter().find(|session| session.actor == "user:alice").unwrap();
    let end =
        |browser: &Browser, id: &str| browser.ask("DELETE", &format!("/v1/sessions/{id}"), &());
    assert_eq!(end(&bob, &hers.id).code(), "session-not-found");
    assert_eq!(end(&alice, &this).status, 200);
    assert!(!is_in(&bob));
    // The identifier is no secret: it opens nothing.
    bob.cookie = Some(format!("bps_{}", hers.id));
    assert!(!is_in(&bob));
    alice.cookie = Some(format!("bps_{}", "0".repeat(64)));
    assert!(!is_in(&alice));
}

#[tokio::test]
async fn who_guesses_waits_and_learns_nothing() {
    let server = Server::start().await;
    account(&server, "alice", Role::Viewer).await;
    let disabled = account(&server, "carol", Role::Viewer).await;
    let change = UserChangeRequest { role: None, disabled: Some(true) };
    let _: User = server.admin.post("/v1/users/carol", &change).await.unwrap();
    let browser = Browser { cookie: None, csrf_token: None, ..disabled };
    let plain =
        |answer: Answer| (answer.status, answer.body["code"].clone(), answer.body["title"].clone());
    let wrong = plain(browser.try_log_in("alice", "three blue kettle"));
    assert_eq!(wrong.1, "login-failed");
    for (name, password) in [
        ("nobody", PASSWORD),
        ("carol", PASSWORD),
        ("a b", PASSWORD),
        ("", ""),
        (PASSWORD, "alice"),
    ] {
        assert_eq!(plain(browser.try_log_in(name, password)), wrong, "{name:?}");
    }
    // Of a name that is none nobody learns by the delay either.
    for name in ["nobody", "alice"] {
        let codes: Vec<_> =
            (0..7).map(|_| browser.try_log_in(name, "x").code().to_owned()).collect();
        assert_eq!(codes.last().unwrap(), "login-delayed", "{name}: {codes:?}");
    }
    // Not even the right one is looked at now; who has a token is not kept out.
    assert_eq!(browser.try_log_in("alice", PASSWORD).code(), "login-delayed");
    assert!(server.admin.get::<WhoAmI>("/v1/whoami").await.is_ok());

    let failures = told(&server, "login.fail").await;
    assert!((10..=20).contains(&failures.len()), "{failures:?}");
    let subjects: Vec<_> = failures.iter().map(|(_, subject)| subject.as_str()).collect();
    for subject in &subjects {
        assert!(["user:alice", "user:carol", "unknown"].contains(subject), "{subject}");
    }
    let log = server.log();
    for secret in [PASSWORD, FIRST, "bps_", "argon2"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let db = server.database();
    let phc: String = db
        .query_row("SELECT password_phc FROM users WHERE name = 'alice'", [], |row| row.get(0))
        .unwrap();
    assert!(phc.starts_with("$argon2id$"), "{phc}");
}

#[tokio::test]
async fn what_one_server_ends_is_ended_at_the_other() {
    let database = Database::new().unwrap();
    let a = Server::start_with(&format!("store = \"{}\"\n", database.address())).await;
    let b = a.beside().await;
    let at_a = account(&a, "bob", Role::Viewer).await;
    let at_b = Browser {
        cookie: at_a.cookie.clone(),
        csrf_token: at_a.csrf_token.clone(),
        ..Browser::new(&b)
    };
    assert!(is_in(&at_a) && is_in(&at_b));
    let change = UserChangeRequest { role: None, disabled: Some(true) };
    let _: User = b.admin.post("/v1/users/bob", &change).await.unwrap();
    assert!(!is_in(&at_a) && !is_in(&at_b));
    assert_eq!(at_a.try_log_in("bob", PASSWORD).code(), "login-failed");
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Runs `bootproof` with another context than the server's own.
async fn as_person(context: &str, arguments: &[&str]) -> Result<Exit, cli::CliError> {
    use clap::Parser as _;
    let mut all = vec!["bootproof", "--context", context];
    all.extend(arguments);
    let arguments = cli::args::Arguments::try_parse_from(all).unwrap();
    let run = move || cli::run(&arguments, &cli::Output::new(arguments.json));
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_and_are_managed_from_the_command_line() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let done = |exit: Result<Exit, cli::CliError>| assert_eq!(exit.unwrap(), Exit::Done);
    let file = |name: &str, text: &str| file(folder.path(), name, text);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (url, pin) = (format!("https://{}", server.listen()), server.pin().await.to_string());
    let code = file("code", &setup_code(&server).unwrap());
    let (password, first) = (file("password", PASSWORD), file("first", FIRST));
    let alice = path("alice.toml");
    let at =
        ["--server", &url, "--ca-sha256", &pin, "--save", &alice, "--password-file", &password];
    done(bootproof(&server, &[&["setup", "alice", "--code-file", &code], &at[..]].concat()).await);
    let mode = std::fs::metadata(&alice).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    done(as_person(&alice, &["whoami"]).await);
    done(as_person(&alice, &["session", "list", "--all"]).await);
    // A file with another kind of token is not overwritten.
    let admin = server.data.path().join("admin.toml").display().to_string();
    let over = ["login", "alice", "--password-file", &password, "--save", &admin];
    assert!(bootproof(&server, &over).await.is_err());

    let add = ["user", "add", "bob", "--role", "operator", "--password-file", &first];
    done(as_person(&alice, &add).await);
    assert!(as_person(&alice, &add).await.is_err(), "the name is taken");
    let bob = path("bob.toml");
    let log_in = ["login", "bob", "--save", &bob, "--password-file"];
    done(bootproof(&server, &[&log_in[..], &[&first]].concat()).await);
    assert!(as_person(&bob, &["host", "list"]).await.is_err(), "a password must be chosen first");
    let choose = ["user", "password", "--old-password-file", &first, "--password-file", &password];
    done(as_person(&bob, &choose).await);
    done(as_person(&bob, &["host", "list"]).await);
    assert!(as_person(&bob, &["user", "list"]).await.is_err(), "he is no administrator");
    done(as_person(&alice, &["user", "list"]).await);
    done(as_person(&alice, &["user", "list", "--json"]).await);
    done(as_person(&alice, &["user", "change", "bob", "--role", "viewer"]).await);
    assert!(as_person(&bob, &["host", "list"]).await.is_err(), "the session has ended");
    done(bootproof(&server, &[&log_in[..], &[&password]].concat()).await);

    let session = client::Context::load(Some(Path::new(&bob))).unwrap().client().unwrap();
    let own: Vec<Session> = session.get("/v1/sessions").await.unwrap();
    done(as_person(&alice, &["session", "end", &own[0].id]).await);
    assert!(as_person(&bob, &["whoami"]).await.is_err());
    done(as_person(&bob, &["logout"]).await);
    assert!(!Path::new(&bob).exists());
    done(as_person(&alice, &["user", "disable", "bob"]).await);
    assert!(bootproof(&server, &[&log_in[..], &[&password]].concat()).await.is_err());
    done(as_person(&alice, &["user", "enable", "bob"]).await);
    done(as_person(&alice, &["user", "password", "bob", "--password-file", &first]).await);
    done(as_person(&alice, &["user", "remove", "bob"]).await);
    assert!(as_person(&alice, &["user", "remove", "alice"]).await.is_err(), "the last one stays");
    done(as_person(&alice, &["logout"]).await);
    assert!(as_person(&admin, &["logout"]).await.is_err(), "a program's token is no session");
}

/// A session that a program shows as a token needs no CSRF token, and is good as a cookie's is.
#[tokio::test]
async fn a_session_can_be_shown_as_a_token() {
    let server = Server::start().await;
    account(&server, "alice", Role::Operator).await;
    let request = LoginRequest {
        name: "alice".to_owned(),
        password: PASSWORD.to_owned(),
        shown_as: ShownAs::Token,
    };
    let begun: SessionBegun = server.admin.post("/v1/session", &request).await.unwrap();
    let alice: Client = server.admin.with_token(begun.token.unwrap());
    assert_eq!(code(alice.post::<_, Value>("/v1/hosts/x/disconnect", &()).await), "host-not-found");
    assert_eq!(code(alice.get::<Value>("/v1/users").await), "role-too-low");
    let _: () = alice.delete("/v1/session").await.unwrap();
    assert_eq!(code(alice.get::<Value>("/v1/whoami").await), "unauthenticated");
    assert_eq!(code(server.admin.delete::<Value>("/v1/session").await), "no-session");
}
