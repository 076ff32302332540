//! A provider that knows this server by a key, and tells it who is logged out.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use testkit::wait;

use super::*;
use crate::bench::code as code_of;

/// A new private key, PKCS #8, and its algorithm.
fn key(kind: &str) -> (String, &'static str) {
    let (words, alg): (&[&str], _) = match kind {
        "ec" => (&["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], "ES256"),
        _ => (&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "RS256"),
    };
    let made = Command::new("openssl").arg("genpkey").args(words).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    (String::from_utf8(made.stdout).unwrap(), alg)
}

struct Site {
    pki: Pki,
    folder: tempfile::TempDir,
    provider: Provider,
    server: Server,
}

impl Site {
    /// A server that proves who it is by `key`.
    async fn start(key: &str, key_id: Option<&str>) -> Self {
        let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
        let provider = Provider::start(&pki, folder.path());
        let file = folder.path().join("client-key.pem");
        std::fs::write(&file, key).unwrap();
        let mut own = format!("[oidc]\nclient_key_file = '{}'\n", file.display());
        if let Some(id) = key_id {
            own.push_str(&format!("client_key_id = '{id}'\n"));
        }
        let config = configuration(folder.path(), &pki, provider.port, None);
        let server = Server::start_with(&config.replace("[oidc]\n", &own)).await;
        Self { pki, folder, provider, server }
    }

    /// Has the provider know the server by this key, and tell it who is logged out.
    fn serve(&mut self, (key, alg): &(String, &str), key_id: Option<&str>) {
        let own = address(&self.server);
        let ca = std::fs::read_to_string(self.server.data.path().join("ca.pem")).unwrap();
        self.provider.be(
            &own,
            json!({
                "client_key": key, "client_key_alg": alg, "client_key_id": key_id, "alg": "ES256",
                "ca": ca, "backchannel_logout_uri": format!("{own}/v1/oidc/backchannel-logout"),
            }),
        );
    }

    fn log_in(&self, name: &str) -> (Surfer, Page) {
        let mut surfer = surfer(&self.server, &self.pki);
        let begins = format!("{}/v1/oidc/login?then=/hosts", address(&self.server));
        let page = surfer.ask("GET", &begins, &[]);
        let page = sign_in(&mut surfer, page, name, "no such address");
        (surfer, page)
    }
}

#[tokio::test]
async fn the_server_proves_who_it_is_by_a_key() {
    for (kind, id) in [("ec", Some("one")), ("rsa", None)] {
        let key = key(kind);
        let mut site = Site::start(&key.0, id).await;
        site.serve(&key, id);
        let (mut alice, page) = site.log_in("alice");
        assert_eq!(page.status, 200, "{kind}: {page:?}");
        assert_eq!(who(&mut alice, &site.server)["actor"], "oidc:alice");
        // The provider knows another key: nobody comes in.
        site.serve(&self::key(kind), id);
        let (mut nobody, page) = site.log_in("alice");
        assert_eq!(page.status, 403, "{page:?}");
        assert!(page.body.contains("invalid_client"), "{}", page.body);
        assert_eq!(who(&mut nobody, &site.server)["code"], "unauthenticated");
        assert!(!site.server.log().contains("PRIVATE KEY"));
        drop(site.folder);
    }
}

/// Has the person of this browser leave at the provider.
fn leave(surfer: &mut Surfer, site: &Site) {
    let issuer = format!("https://127.0.0.1:{}", site.provider.port);
    let asked = surfer.open(&format!("{issuer}/session/end?client_id=bootproof"));
    let xsrf = asked.body.split("name=\"xsrf\" value=\"").nth(1).unwrap();
    let xsrf = xsrf.split('"').next().unwrap().to_owned();
    let form = [("xsrf", &*xsrf), ("logout", "yes")];
    let left = surfer.ask("POST", &format!("{issuer}/session/end/confirm"), &form);
    assert!(left.status < 400, "{left:?}");
}

#[tokio::test]
async fn a_code_of_before_a_logout_begins_no_session_after_it() {
    let key = key("ec");
    let mut site = Site::start(&key.0, None).await;
    site.serve(&key, None);
    let (mut alice, _) = site.log_in("alice");
    let (mut bob, _) = site.log_in("bob");
    let verifier = "v".repeat(43);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let query = format!("port=4711&challenge={challenge}&state={}", "s".repeat(43));
    let begins = format!("{}/v1/oidc/login?{query}", address(&site.server));
    // Both have a code, which nobody has shown yet.
    let code = |surfer: &mut Surfer| {
        let page = surfer.ask("GET", &begins, &[]);
        let page = surfer.follow_until(page, "no such address");
        let code = page.body.split("?code=").nth(1).unwrap().split('&').next().unwrap();
        code.to_owned()
    };
    let (of_alice, of_bob) = (code(&mut alice), code(&mut bob));
    leave(&mut alice, &site);
    wait::until("the logout comes", || {
        (who(&mut alice, &site.server)["code"] == "unauthenticated").then_some(())
    });
    let request = |code: &str| json!({ "code": code, "verifier": verifier });
    let refused = site.server.admin.post::<_, Value>("/v1/oidc/session", &request(&of_alice)).await;
    assert_eq!(code_of(refused), "login-failed");
    let begun: Value = site.server.admin.post("/v1/oidc/session", &request(&of_bob)).await.unwrap();
    assert_eq!(begun["actor"], "oidc:bob", "he is somebody else");
}

#[tokio::test]
async fn whom_the_provider_logs_out_is_out_here() {
    let key = key("ec");
    let mut site = Site::start(&key.0, None).await;
    site.serve(&key, None);
    let (mut alice, _) = site.log_in("alice");
    let (mut elsewhere, _) = site.log_in("alice");
    let (mut bob, _) = site.log_in("bob");
    for surfer in [&mut alice, &mut elsewhere, &mut bob] {
        assert!(who(surfer, &site.server)["actor"].is_string());
    }
    // She leaves at the provider, and is told of nothing here.
    leave(&mut alice, &site);
    wait::until("the session ends", || {
        (who(&mut alice, &site.server)["code"] == "unauthenticated").then_some(())
    });
    // Her other session is another one there, too; and he is somebody else.
    assert_eq!(who(&mut elsewhere, &site.server)["actor"], "oidc:alice");
    assert_eq!(who(&mut bob, &site.server)["actor"], "oidc:bob");
    let ended = told(&site.server, "session.end").await;
    assert_eq!(ended.len(), 1);
    assert_eq!((&*ended[0].actor, &*ended[0].subject), ("server:oidc-logout", "oidc:alice"));
}

#[tokio::test]
async fn a_logout_that_the_provider_did_not_say_ends_nothing() {
    let key = key("ec");
    let mut site = Site::start(&key.0, None).await;
    site.serve(&key, None);
    let (mut alice, _) = site.log_in("alice");
    let issuer = format!("https://127.0.0.1:{}", site.provider.port);
    let forger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let forger = EncodingKey::from_ec_der(forger.to_pkcs8v1().unwrap().as_ref());
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let now_s = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_s = now_s.as_secs();
    let claims = json!({
        "iss": issuer, "aud": "bootproof", "sub": "alice", "jti": "x", "iat": now_s, "exp": now_s + 60,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let jwks = surfer(&site.server, &site.pki).ask("GET", &format!("{issuer}/jwks"), &[]);
    let jwks: Value = serde_json::from_str(&jwks.body).unwrap();
    let of_ec = jwks["keys"].as_array().unwrap().iter().find(|key| key["kty"] == "EC").unwrap();
    let signed = |header: Value| {
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &forger, Algorithm::ES256);
        format!("{signed}.{}", signature.unwrap())
    };
    let none = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    let to = format!("{}/v1/oidc/backchannel-logout", address(&site.server));
    let mut anybody = surfer(&site.server, &site.pki);
    for (what, token) in [
        ("no token", "x".to_owned()),
        ("no signature", none),
        ("a key of nobody", signed(json!({ "alg": "ES256", "kid": "y", "typ": "logout+jwt" }))),
        (
            "another's signature",
            signed(json!({ "alg": "ES256", "kid": of_ec["kid"], "typ": "logout+jwt" })),
        ),
        ("too long", "x".repeat(20_000)),
    ] {
        let page = anybody.ask("POST", &to, &[("logout_token", &token)]);
        assert_eq!(page.status, 400, "{what}: {page:?}");
        assert!(page.body.contains("invalid_request"), "{what}: {}", page.body);
        assert!(page.header("cache-control").unwrap().contains("no-store"));
    }
    // Who sends wrong ones waits, as who guesses passwords does.
    let waits = (0..3).any(|_| anybody.ask("POST", &to, &[("logout_token", "x")]).status == 429);
    assert!(waits, "he may guess on and on");
    let page = anybody.ask("POST", &to, &[("token", "x")]);
    assert!((400..500).contains(&page.status), "{page:?}");
    assert_eq!(who(&mut alice, &site.server)["actor"], "oidc:alice");
    assert!(told(&site.server, "session.end").await.is_empty());
}
