//! A provider that says what it is told: wrong tokens, wrong keys, wrong names, too much and too slowly.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    hmac,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs as provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// What it says at each address: status, headers and body.
#[derive(Clone, Default)]
struct Says {
    discovery: Value,
    jwks: Value,
    token: (u16, String),
    /// Answers everything by leading elsewhere.
    leads_away: bool,
}

struct Liar {
    issuer: String,
    port: u16,
    key: EncodingKey,
    says: Arc<Mutex<Says>>,
    _folder: tempfile::TempDir,
    pki: Pki,
    server: Server,
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn now_s() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

async fn listen(pki: &Pki, says: Arc<Mutex<Says>>) -> u16 {
    let chain = vec![CertificateDer::from_pem_slice(pki.cert_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pki.key_pem.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, says) = (acceptor.clone(), Arc::clone(&says));
            tokio::spawn(async move {
                let Ok(tls) = acceptor.accept(tcp).await else { return };
                let service = service_fn(|request| answer(request, &says));
                let connection = hyper::server::conn::http1::Builder::new();
                let _ = connection.serve_connection(TokioIo::new(tls), service).await;
            });
        }
    });
    port
}

async fn answer(
    request: Request<Incoming>,
    says: &Mutex<Says>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let says = says.lock().unwrap().clone();
    let (status, body) = match request.uri().path() {
        _ if says.leads_away => (302, String::new()),
        "/.well-known/openid-configuration" => (200, says.discovery.to_string()),
        "/jwks" => (200, says.jwks.to_string()),
        _ => says.token,
    };
    let response = Response::builder()
        .status(status)
        .header("location", "https://127.0.0.1:1/")
        .header("content-type", "application/json");
    Ok(response.body(Full::from(body)).unwrap())
}

/// A login that was begun, as its browser knows it.
struct Begun {
    surfer: Surfer,
    nonce: String,
    callback: String,
}

impl Liar {
    async fn start() -> Self {
        let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
        let says = Arc::<Mutex<Says>>::default();
        let port = listen(&pki, Arc::clone(&says)).await;
        let issuer = format!("https://127.0.0.1:{port}");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let key = EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref());
        let config = configuration(folder.path(), &pki, port, None);
        let server = Server::start_with(&config).await;
        let liar = Self { issuer, port, key, says, _folder: folder, pki, server };
        let mut jwk = Jwk::from_encoding_key(&liar.key, Algorithm::ES256).unwrap();
        jwk.common.key_id = Some("k".to_owned());
        let issuer = &liar.issuer;
        *liar.says.lock().unwrap() = Says {
            discovery: json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/jwks"),
            }),
            jwks: json!({ "keys": [jwk] }),
            ..Says::default()
        };
        liar
    }

    fn begin(&self) -> Begun {
        let mut surfer = surfer(&self.server, &self.pki);
        let own = address(&self.server);
        let begun = surfer.ask("GET", &format!("{own}/v1/oidc/login"), &[]);
        assert_eq!(begun.status, 303, "{begun:?}");
        let asked = begun.location();
        let value = |name: &str| surfer::parameter(&asked, name).unwrap();
        assert_eq!(value("code_challenge_method"), "S256");
        let callback = format!("{own}/v1/oidc/callback?code=c&state={}", value("state"));
        Begun { nonce: value("nonce"), callback, surfer }
    }

    fn header(&self) -> Value {
        json!({ "alg": "ES256", "kid": "k" })
    }

    fn claims(&self, nonce: &str) -> Value {
        json!({
            "iss": self.issuer, "aud": "bootproof", "sub": "1", "nonce": nonce, "iat": now_s(),
            "exp": now_s() + 300, "preferred_username": "alice", "groups": ["boot-admins"],
        })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        let signature =
            jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256).unwrap();
        format!("{signed}.{signature}")
    }

    fn gives(&self, id_token: &str) {
        let answer = json!({ "token_type": "Bearer", "access_token": "a", "id_token": id_token });
        self.says.lock().unwrap().token = (200, answer.to_string());
    }

    /// Comes back after this token was given; the page, and whether somebody is signed in.
    fn comes_back(&self, mut begun: Begun) -> Page {
        let page = begun.surfer.ask("GET", &begun.callback, &[]);
        let me = who(&mut begun.surfer, &self.server);
        assert_eq!(page.status == 303, me["actor"] == "oidc:alice", "{page:?}: {me}");
        page
    }

    fn good_login(&self) {
        let begun = self.begin();
        self.gives(&self.sign(&self.header(), &self.claims(&begun.nonce)));
        let page = self.comes_back(begun);
        assert_eq!(page.status, 303, "{page:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_wrong_lets_nobody_in() {
    let liar = Liar::start().await;
    liar.good_login();
    let changed = |name: &'static str, value: Value| move |claims: &mut Value| claims[name] = value;
    type Change = Box<dyn FnOnce(&mut Value)>;
    let cases: Vec<(&str, Change)> = vec![
        ("another issuer", Box::new(changed("iss", json!("https://evil.example")))),
        ("another client", Box::new(changed("aud", json!("other")))),
        ("another client", Box::new(changed("azp", json!("other")))),
        ("time is over", Box::new(changed("exp", json!(now_s() - 120)))),
        ("before this login began", Box::new(changed("iat", json!(now_s() - 3_600)))),
        ("another login (nonce)", Box::new(changed("nonce", json!("replayed")))),
        ("at_hash", Box::new(changed("at_hash", json!("x")))),
        ("names nobody", Box::new(changed("sub", json!("")))),
    ];
    for (said, change) in cases {
        let begun = liar.begin();
        let mut claims = liar.claims(&begun.nonce);
        change(&mut claims);
        liar.gives(&liar.sign(&liar.header(), &claims));
        let page = liar.comes_back(begun);
        assert_eq!(page.status, 403, "{said}: {page:?}");
        assert!(page.body.contains(said), "{said}: {}", page.body);
        liar.good_login();
    }
    let refused = told(&liar.server, "login.fail").await;
    assert_eq!(refused.len(), 8);
    assert!(refused.iter().all(|row| row.detail_json.contains("reason")), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_that_is_none_lets_nobody_in() {
    let liar = Liar::start().await;
    // With the public key as the shared secret: the oldest way to be fooled.
    let public = liar.says.lock().unwrap().jwks["keys"][0]["x"].as_str().unwrap().to_owned();
    let by_hmac = |claims: &Value| {
        let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "kid": "k" })), part(claims));
        let tag =
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, public.as_bytes()), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let unsigned =
        |claims: &Value| format!("{}.{}.", part(&json!({ "alg": "none" })), part(claims));
    let by_another = |claims: &Value| {
        let token = liar.sign(&liar.header(), claims);
        let (signed, _) = token.rsplit_once('.').unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode([7; 64]))
    };
    let unknown = |claims: &Value| liar.sign(&json!({ "alg": "ES256", "kid": "another" }), claims);
    type Made<'a> = &'a dyn Fn(&Value) -> String;
    let cases: [(&str, Made<'_>); 5] = [
        ("algorithm is not that of its key", &by_hmac),
        ("algorithm is not that of its key", &unsigned),
        ("signature is wrong", &by_another),
        ("does not publish", &unknown),
        ("no signed token", &|_| "x.y".to_owned()),
    ];
    for (said, token) in cases {
        let begun = liar.begin();
        liar.gives(&token(&liar.claims(&begun.nonce)));
        let page = liar.comes_back(begun);
        assert!(page.status == 403 && page.body.contains(said), "{said}: {page:?}");
    }
    // Who tries and tries waits, and learns nothing more.
    liar.gives("x.y");
    for _ in 0..2 {
        liar.comes_back(liar.begin());
    }
    let page = liar.comes_back(liar.begin());
    assert_eq!(page.status, 429, "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_answers_anything_is_told_of_and_bounded() {
    let liar = Liar::start().await;
    let answers = |status: u16, body: String| {
        let begun = liar.begin();
        liar.says.lock().unwrap().token = (status, body);
        liar.comes_back(begun)
    };
    let large = format!("{{\"id_token\":\"{}\"}}", "x".repeat(1 << 20));
    for (status, body) in [(500, "no".to_owned()), (200, large), (302, String::new())] {
        let page = answers(status, body);
        assert_eq!(page.status, 502, "{page:?}");
    }
    let page =
        answers(400, json!({ "error": "invalid_grant", "error_description": "<b>" }).to_string());
    assert!(page.status == 403 && page.body.contains("invalid_grant"), "{page:?}");
    assert!(!page.body.contains("<b>"), "{}", page.body);
    let page = answers(400, json!({ "error": "<script>x</script>" }).to_string());
    assert!(page.status == 403 && !page.body.contains("<script>x"), "{page:?}");
    let page = answers(200, json!({ "access_token": "a" }).to_string());
    assert!(page.status == 403 && page.body.contains("no ID token"), "{page:?}");
    liar.good_login();
    assert!(liar.port > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_another_is_not_gone_to() {
    let liar = Liar::start().await;
    let sound = liar.says.lock().unwrap().discovery.clone();
    let away = |says: Says| {
        *liar.says.lock().unwrap() = says;
        // A server that knows nothing of it yet.
        let mut surfer = surfer(&liar.server, &liar.pki);
        surfer.ask("GET", &format!("{}/v1/oidc/login", address(&liar.server)), &[])
    };
    let mut other = sound.clone();
    other["issuer"] = json!("https://evil.example");
    let page = away(Says { discovery: other, ..Says::default() });
    assert_eq!(page.status, 502, "{page:?}");
    assert!(
        page.body.contains("evil.example") && page.body.contains("configuration"),
        "{}",
        page.body
    );
    assert!(page.header("location").is_none());
}
