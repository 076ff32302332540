//! Against `oidc-provider`, which the OpenID Foundation certified.

use super::*;

struct Site {
    pki: Pki,
    folder: tempfile::TempDir,
    provider: Provider,
    server: Server,
}

impl Site {
    async fn start(secret: Option<&str>, alg: &str) -> Self {
        let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
        let mut provider = Provider::start(&pki, folder.path());
        let config = configuration(folder.path(), &pki, provider.port, secret);
        let server = Server::start_with(&config).await;
        provider.serve(&server, secret, alg);
        Self { pki, folder, provider, server }
    }

    fn surfer(&self) -> Surfer {
        surfer(&self.server, &self.pki)
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", address(&self.server))
    }

    fn log_in(&self, surfer: &mut Surfer, name: &str) -> Page {
        let page = surfer.ask("GET", &self.at("/v1/oidc/login?then=/hosts"), &[]);
        assert_eq!(page.status, 303, "{page:?}");
        sign_in(surfer, page, name, "no such address")
    }
}

#[tokio::test]
async fn a_person_logs_in_as_in_a_browser() {
    let site = Site::start(Some(SECRET), "ES256").await;
    let mut surfer = site.surfer();
    let page = surfer.open(&site.at("/hosts?verdict=accepted"));
    assert!(page.url.contains("/login?then="), "{}", page.url);
    assert!(page.body.contains("Example &#38; Co") || page.body.contains("Example &amp; Co"));
    // Under another name of the server a login begins where the provider sends people back to.
    let elsewhere = surfer.ask("GET", &format!("https://{}/login", site.server.listen()), &[]);
    let begins = elsewhere.link("/v1/oidc/login");
    assert!(begins.starts_with(&site.at("/v1/oidc/login?then=")), "{begins}");
    let page = surfer.ask("GET", &page.link("/v1/oidc/login"), &[]);
    let page = sign_in(&mut surfer, page, "alice", "no such address");
    assert_eq!((page.status, page.url.as_str()), (200, &*site.at("/hosts?verdict=accepted")));
    let me = who(&mut surfer, &site.server);
    assert_eq!((&me["actor"], &me["role"]), (&json!("oidc:alice"), &json!("admin")));
    let begun = told(&site.server, "session.begin").await;
    let detail = begun[0].detail_json.clone();
    let issuer = format!("https://127.0.0.1:{}", site.provider.port);
    assert_eq!(begun[0].actor, "oidc:alice");
    assert!(detail.contains(&issuer) && detail.contains("\"sub\":\"alice\""), "{detail}");

    let page = surfer.open(&site.at("/password"));
    assert!(page.status == 409 && page.body.contains("no password of yours here"), "{page:?}");

    // Whoever leaves has left here, and is shown the way to leave there.
    let csrf = me["csrf_token"].as_str().unwrap().to_owned();
    let left = surfer.send(&site.at("/logout"), &[("csrf", &csrf)]);
    assert_eq!(who(&mut surfer, &site.server)["code"], "unauthenticated");
    let away = surfer.ask("GET", &left.link("/v1/oidc/logout"), &[]);
    assert!(away.location().starts_with(&format!("{issuer}/session/end?")), "{away:?}");
    let asked = surfer.open(&away.location());
    assert_eq!(asked.status, 200, "{asked:?}");
    assert!(asked.body.contains("/session/end/confirm"), "{}", asked.body);

    // Its own log has no secret of all this.
    let log = site.server.log();
    for secret in [SECRET, "state=", "bps_"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn the_first_entry_that_fits_says_role_and_hosts() {
    let site = Site::start(None, "RS256").await;
    let mut bob = site.surfer();
    let page = site.log_in(&mut bob, "bob");
    // Somebody for some hosts sees those.
    assert_eq!(page.status, 200, "{page:?}");
    let me = who(&mut bob, &site.server);
    assert_eq!(me["role"], "operator");
    assert_eq!(me["hosts"], json!({ "site": "muc" }));
    for (name, has) in [("carol", "none of the groups"), ("dora", "none of the groups")] {
        let mut surfer = site.surfer();
        let page = site.log_in(&mut surfer, name);
        assert_eq!(page.status, 403, "{page:?}");
        assert!(page.body.contains(has) && page.body.contains("[[oidc.role]]"), "{}", page.body);
        assert_eq!(who(&mut surfer, &site.server)["code"], "unauthenticated");
    }
    let refused = told(&site.server, "login.fail").await;
    let subjects: Vec<_> = refused.iter().map(|row| row.subject.as_str()).collect();
    assert!(subjects.contains(&"oidc:carol") && subjects.contains(&"oidc:dora"), "{subjects:?}");
    let detail = refused[0].detail_json.clone();
    assert!(detail.contains("none of the groups"), "{detail}");
    // Who says no to the provider is told so.
    let mut surfer = site.surfer();
    let page = surfer.open(&site.at("/v1/oidc/login"));
    let page = surfer.open(&page.link("/abort"));
    assert_eq!(page.status, 403);
    assert!(page.body.contains("access_denied"), "{}", page.body);
}

#[tokio::test]
async fn keys_of_a_provider_change_and_it_goes_away() {
    let mut site = Site::start(None, "PS256").await;
    assert_eq!(site.log_in(&mut site.surfer(), "alice").status, 200);
    // New keys, which nobody announced.
    site.provider.serve(&site.server, None, "PS256");
    assert_eq!(site.log_in(&mut site.surfer(), "alice").status, 200);
    // Once more within the minute nobody asks for them.
    site.provider.serve(&site.server, None, "PS256");
    let page = site.log_in(&mut site.surfer(), "alice");
    assert_eq!(page.status, 403);
    assert!(page.body.contains("does not publish"), "{}", page.body);

    // What the server knows of it counts for some minutes; a new one knows nothing.
    let mut alice = site.surfer();
    let begun = alice.ask("GET", &site.at("/v1/oidc/login"), &[]);
    site.provider.child.kill().unwrap();
    site.provider.child.wait().unwrap();
    let (state, issuer) = (
        surfer::parameter(&begun.location(), "state").unwrap(),
        format!("https%3A%2F%2F127.0.0.1%3A{}", site.provider.port),
    );
    let callback = site.at(&format!("/v1/oidc/callback?code=x&state={state}&iss={issuer}"));
    let page = alice.ask("GET", &callback, &[]);
    assert_eq!(page.status, 502, "{page:?}");
    assert!(page.body.contains("accounts of this server work"), "{}", page.body);
    site.server.kill_and_restart().await;
    let page = site.surfer().ask("GET", &site.at("/v1/oidc/login"), &[]);
    assert_eq!(page.status, 502);
    assert!(page.body.contains("cannot be reached"), "{}", page.body);
    let admin: Value = site.server.admin.get("/v1/whoami").await.unwrap();
    assert_eq!(admin["role"], "admin");
    drop(site.folder);
}

#[tokio::test]
async fn a_login_is_of_one_browser_and_once() {
    let site = Site::start(Some(SECRET), "EdDSA").await;
    let mut alice = site.surfer();
    let begun = alice.ask("GET", &site.at("/v1/oidc/login"), &[]);
    let cookie = begun.header("set-cookie").unwrap().to_owned();
    for word in ["__Host-bootproof-login=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"]
    {
        assert!(cookie.contains(word), "{cookie}");
    }
    let callback = sign_in(&mut alice, begun, "alice", "/v1/oidc/callback").location();
    let refused = |surfer: &mut Surfer, url: &str| {
        let page = surfer.ask("GET", url, &[]);
        assert_eq!(page.status, 403, "{page:?}");
        assert!(page.body.contains("not begun in this browser"), "{}", page.body);
    };
    // Somebody else's login is not gone on with: by a link to its end nobody is signed in as its person.
    refused(&mut site.surfer(), &callback);
    let mut mallory = site.surfer();
    mallory.ask("GET", &site.at("/v1/oidc/login"), &[]);
    refused(&mut mallory, &callback);
    // Another provider's answer is none of this one's.
    let issuer = format!("iss={}", "https%3A%2F%2F127.0.0.1");
    assert!(callback.contains(&issuer), "{callback}");
    let mixed = callback.replace("127.0.0.1%3A", "evil.example%3A");
    let page = alice.clone().ask("GET", &mixed, &[]);
    assert!(page.status == 403 && page.body.contains("another issuer"), "{page:?}");
    let unnamed =
        callback.split('&').filter(|field| !field.starts_with("iss=")).collect::<Vec<_>>();
    let page = alice.clone().ask("GET", &unnamed.join("&"), &[]);
    assert!(page.status == 403 && page.body.contains("does not say from which"), "{page:?}");

    let before = alice.clone();
    let done = alice.ask("GET", &callback, &[]);
    assert_eq!((done.status, done.location()), (303, site.at("/")));
    assert_eq!(who(&mut alice, &site.server)["actor"], "oidc:alice");
    refused(&mut alice, &callback);
    // A copy of cookie and address begins nothing either.
    let page = before.clone().ask("GET", &callback, &[]);
    assert_eq!(page.status, 403, "{page:?}");
    assert!(page.body.contains("invalid_grant"), "{}", page.body);
    assert_eq!(told(&site.server, "session.begin").await.len(), 1);
}

#[tokio::test]
async fn nobody_is_sent_to_another_site_afterwards() {
    let site = Site::start(None, "ES256").await;
    for (n, then) in ["https://evil.example", "//evil.example", "/%5Cevil.example", "/%0d%0aa:b"]
        .iter()
        .enumerate()
    {
        let mut alice = site.surfer();
        let begun = alice.ask("GET", &site.at(&format!("/v1/oidc/login?then={then}")), &[]);
        let callback = sign_in(&mut alice, begun, "alice", "/v1/oidc/callback").location();
        let done = alice.ask("GET", &callback, &[]);
        assert_eq!((done.status, done.location()), (303, site.at("/")), "{n}: {then}");
    }
}

#[tokio::test]
async fn any_server_of_a_store_takes_a_person_back() {
    let database = testkit::postgres::Database::new().unwrap();
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let mut provider = Provider::start(&pki, folder.path());
    // A balancer leads to both under one address, to which no server listens here.
    let one = "https://localhost:9";
    let config = configuration(folder.path(), &pki, provider.port, None)
        .replace("[oidc]\n", &format!("[oidc]\naddress = '{one}'\n"));
    let first = Server::start_with(&format!("store = '{}'\n{config}", database.address())).await;
    let second = first.beside().await;
    provider.serve_at(one, None, "ES256");
    let mut alice = surfer(&first, &pki);
    let (at_first, at_second) = (address(&first), address(&second));
    let begun = alice.ask("GET", &format!("{at_first}/v1/oidc/login"), &[]);
    let callback = sign_in(&mut alice, begun, "alice", "/v1/oidc/callback").location();
    assert!(callback.starts_with(one), "{callback}");
    let authority = |of: &str| of.strip_prefix("https://").unwrap().to_owned();
    let kept = alice.cookies[&authority(&at_first)].clone();
    alice.cookies.insert(authority(&at_second), kept);
    let done = alice.ask("GET", &callback.replace(one, &at_second), &[]);
    assert_eq!(done.status, 303, "{done:?}");
    assert_eq!(who(&mut alice, &second)["actor"], "oidc:alice");
    let of_second = alice.cookies[&authority(&at_second)].clone();
    alice.cookies.insert(authority(&at_first), of_second);
    assert_eq!(who(&mut alice, &first)["actor"], "oidc:alice", "the session is of both");
}
