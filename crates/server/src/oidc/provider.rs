//! One provider: what is kept of it, the address people are sent to, and a code for an ID token.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use form_urlencoded::{Serializer, byte_serialize};
use serde_json::Value;
use tokio::{sync::Mutex, time::Instant};
use zeroize::Zeroizing;

use super::{
    Claims, LoggedOut, OidcError, TokenFault,
    client_key::{ASSERTION_TYPE, ClientKey},
    error_code,
    id_token::{Expected, Unverified},
    keys::{self, Keys},
    logout_token,
    metadata::{self, ClientAuthentication, Metadata},
    wire::{self, Form, Object},
};
use crate::config::Oidc;

/// For how long what a provider says of itself counts: keys that it takes back are believed no longer.
const KNOWN_GOOD_FOR: Duration = Duration::from_secs(600);

/// Between two looks for a key that was not there: tokens that name invented ones cost the provider nothing.
const KEYS_ANEW_AFTER: Duration = Duration::from_secs(60);

/// For how long a provider that did not answer is not asked again: who waits for nothing waits shortly.
const AWAY_FOR: Duration = Duration::from_secs(3);

/// Bytes of the answer to a code: ID tokens of people in hundreds of groups have 30 KiB.
const ANSWER_BYTES_MAX: usize = 128 * 1024;

/// Bytes of a file with a secret or certificates.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// What a provider was asked with, and answers have to fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) state: &'a str,
    pub(crate) nonce: &'a str,
    /// The digest of the PKCE verifier, base64url. [RFC 7636 §4.2]
    pub(crate) challenge: &'a str,
    pub(crate) redirect_uri: &'a str,
}

/// With what a browser came back. Anybody's word.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    untrusted: BTreeMap<String, String>,
}

impl Returned {
    /// The parameters of a query; `None` where one is there twice: which of them counts, nobody knows.
    /// [RFC 6749 §3.1]
    pub(crate) fn read(query: &str) -> Option<Self> {
        let mut untrusted = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).into_owned() {
            if untrusted.insert(name, value).is_some() {
                return None;
            }
        }
        Some(Self { untrusted })
    }

    /// The state that it shows.
    pub(crate) fn state(&self) -> Option<&str> {
        self.get("state")
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.untrusted.get(name).map(String::as_str)
    }
}

/// What a code is exchanged with.
pub(crate) struct Code<'a> {
    pub(crate) code: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) redirect_uri: &'a str,
    /// When the person was sent to the provider, and now; in seconds since 1970.
    pub(crate) asked_at_s: i64,
    pub(crate) now_s: i64,
}

#[derive(Default)]
struct Known {
    metadata: Option<(Instant, Arc<Metadata>)>,
    keys: Option<(Instant, Arc<Keys>)>,
    /// When keys were looked for that were not there.
    looked_anew: Option<Instant>,
    /// When it did not answer, and why.
    away: Option<(Instant, String)>,
}

/// A provider, with its settings.
pub(crate) struct Provider {
    settings: Oidc,
    client_secret: Option<Zeroizing<String>>,
    client_key: Option<ClientKey>,
    ca_pem: Option<String>,
    /// Held while the provider is asked, so that many people who come at once ask it once.
    known: Mutex<Known>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

fn file(what: &str, path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let cannot = || format!("the {what} {} cannot be read", path.display());
    let n_bytes = std::fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(n_bytes <= FILE_BYTES_MAX, "the {what} {} is too large", path.display());
    Ok(Zeroizing::new(std::fs::read_to_string(path).with_context(cannot)?))
}

impl Provider {
    /// A provider with these settings; reads the files that they name.
    pub(crate) fn load(settings: Oidc) -> anyhow::Result<Self> {
        let secret = settings.client_secret_file.as_deref();
        let client_secret = match secret.map(|path| file("client secret", path)).transpose()? {
            None => None,
            Some(text) => {
                let secret = text.trim().to_owned();
                anyhow::ensure!(!secret.is_empty(), "the file of the client secret is empty");
                Some(Zeroizing::new(secret))
            }
        };
        let client_key = match settings.client_key_file.as_deref() {
            None => None,
            Some(path) => {
                Some(ClientKey::read(&file("client key", path)?, settings.client_key_id.clone())?)
            }
        };
        let ca_pem = settings.ca_file.as_deref().map(|path| file("authority", path)).transpose()?;
        let ca_pem = ca_pem.map(|pem| pem.to_string());
        Ok(Self { settings, client_secret, client_key, ca_pem, known: Mutex::default() })
    }

    /// Its settings.
    pub(crate) const fn settings(&self) -> &Oidc {
        &self.settings
    }

    /// What it says of itself, as it was heard within the last minutes.
    pub(crate) async fn reach(&self) -> Result<(), OidcError> {
        self.metadata().await.map(drop)
    }

    async fn metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((at, metadata)) = &known.metadata
            && at.elapsed() < KNOWN_GOOD_FOR
        {
            return Ok(Arc::clone(metadata));
        }
        if let Some((at, why)) = &known.away
            && at.elapsed() < AWAY_FOR
        {
            return Err(OidcError::Away(why.clone()));
        }
        let issuer = &self.settings.issuer;
        let read = async {
            let document = self.get(&metadata::address(issuer), metadata::BYTES_MAX).await?;
            Metadata::read(&document, issuer)
        };
        match read.await {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some((Instant::now(), Arc::clone(&metadata))),
                    looked_anew: known.looked_anew,
                    ..Known::default()
                };
                Ok(metadata)
            }
            Err(err) => {
                if let OidcError::Away(why) = &err {
                    known.away = Some((Instant::now(), why.clone()));
                }
                Err(err)
            }
        }
    }

    async fn get(&self, url: &str, bytes_max: usize) -> Result<Object, OidcError> {
        wire::get(url, self.ca_pem.as_deref(), bytes_max).await
    }

    /// Where to send a browser, so that its person logs in and comes back with a code.
    pub(crate) async fn login_address(&self, asked: Asked<'_>) -> Result<String, OidcError> {
        let metadata = self.metadata().await?;
        let mut query = Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", asked.redirect_uri)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", asked.state)
            .append_pair("nonce", asked.nonce)
            .append_pair("code_challenge", asked.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(with_query(&metadata.authorization_endpoint, &query.finish()))
    }

    /// Where to send a browser, so that its person is logged out at the provider, too; `None` where it has no
    /// such address. [OpenID Connect RP-Initiated Logout 1.0 §2]
    pub(crate) async fn logout_address(&self, back_to: &str) -> Option<String> {
        let metadata = self.metadata().await.ok()?;
        let mut query = Serializer::new(String::new());
        query
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back_to);
        Some(with_query(metadata.end_session_endpoint.as_deref()?, &query.finish()))
    }

    /// The code that a browser brought, whose state is right already: the provider's name where it says one,
    /// then its refusal, then the code.
    pub(crate) async fn code<'a>(&self, returned: &'a Returned) -> Result<&'a str, OidcError> {
        let metadata = self.metadata().await?;
        match returned.get("iss") {
            Some(iss) if iss != self.settings.issuer => {
                return Err(OidcError::Foreign("it comes from another issuer"));
            }
            None if metadata.names_itself => {
                return Err(OidcError::Foreign("it does not say from which issuer it comes"));
            }
            _ => {}
        }
        if let Some(error) = returned.get("error") {
            return Err(OidcError::Refused(error_code(error)));
        }
        let code = returned.get("code").filter(|code| !code.is_empty());
        code.ok_or(OidcError::Foreign("it has no code"))
    }

    /// Gives a code to the provider, and checks the ID token that comes back.
    pub(crate) async fn redeem(&self, code: Code<'_>) -> Result<Claims, OidcError> {
        let metadata = self.metadata().await?;
        let form = self.form(&code, &metadata)?;
        let url = &metadata.token_endpoint;
        let (status, answer) =
            wire::post(url, self.ca_pem.as_deref(), form, ANSWER_BYTES_MAX).await?;
        let text = |name: &str| answer.as_ref()?.get(name).and_then(Value::as_str);
        if status != StatusCode::OK {
            // What it says no to, with its reason; all else is a fault of its own. [RFC 6749 §5.2]
            return Err(match text("error") {
                Some(error) if status.is_client_error() => OidcError::Refused(error_code(error)),
                _ => OidcError::Away(format!("{url} answers {status}")),
            });
        }
        let token = text("id_token").ok_or(TokenFault::Missing)?;
        let unverified = Unverified::read(token)?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: code.nonce,
            access_token: text("access_token"),
            asked_at_s: code.asked_at_s,
            now_s: code.now_s,
        };
        let keys = self.keys(&metadata, Anew::WhenOld).await?;
        match unverified.check(&keys, &expected) {
            // It may have changed its keys since.
            Err(TokenFault::KeyUnknown) => {
                let keys = self.keys(&metadata, Anew::OnceAMinute).await?;
                Ok(unverified.check(&keys, &expected)?)
            }
            checked => Ok(checked?),
        }
    }

    fn form(&self, code: &Code<'_>, metadata: &Metadata) -> Result<Form, OidcError> {
        let mut body = Serializer::new(String::new());
        body.append_pair("grant_type", "authorization_code")
            .append_pair("code", code.code)
            .append_pair("redirect_uri", code.redirect_uri)
            .append_pair("code_verifier", code.verifier);
        let client_id = &self.settings.client_id;
        let mut authorization = None;
        if let Some(key) = &self.client_key {
            let assertion = key.assertion(client_id, &metadata.token_endpoint, code.now_s);
            let assertion = assertion.map_err(|err| OidcError::Away(err.to_string()))?;
            body.append_pair("client_id", client_id)
                .append_pair("client_assertion_type", ASSERTION_TYPE)
                .append_pair("client_assertion", &assertion);
            return Ok(Form { authorization, body: body.finish() });
        }
        match (&self.client_secret, metadata.authentication) {
            (Some(secret), ClientAuthentication::Basic) => {
                // Each half is written as in a form first. [RFC 6749 §2.3.1]
                let half = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let both = Zeroizing::new(format!("{}:{}", half(client_id), half(secret)));
                authorization = Some(format!("Basic {}", STANDARD.encode(both.as_bytes())));
            }
            (Some(secret), ClientAuthentication::Post) => {
                body.append_pair("client_id", client_id).append_pair("client_secret", secret);
            }
            (None, _) => {
                body.append_pair("client_id", client_id);
            }
        }
        Ok(Form { authorization, body: body.finish() })
    }

    /// Whom a logout token of the provider names, where it is one of its own, for this client, and of now.
    pub(crate) async fn logged_out(&self, token: &str, now_s: i64) -> Result<LoggedOut, OidcError> {
        let metadata = self.metadata().await?;
        let unverified = Unverified::read_logout(token)?;
        let ours = (&*self.settings.issuer, &*self.settings.client_id);
        let keys = self.keys(&metadata, Anew::WhenOld).await?;
        match logout_token::check(&unverified, &keys, ours, now_s) {
            Err(TokenFault::KeyUnknown) => {
                let keys = self.keys(&metadata, Anew::OnceAMinute).await?;
                Ok(logout_token::check(&unverified, &keys, ours, now_s)?)
            }
            checked => Ok(checked?),
        }
    }

    async fn keys(&self, metadata: &Metadata, anew: Anew) -> Result<Arc<Keys>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some((at, keys)) = &known.keys {
            let is_good = match anew {
                Anew::WhenOld => at.elapsed() < KNOWN_GOOD_FOR,
                Anew::OnceAMinute => {
                    known.looked_anew.is_some_and(|at| at.elapsed() < KEYS_ANEW_AFTER)
                }
            };
            if is_good {
                return Ok(Arc::clone(keys));
            }
        }
        if anew == Anew::OnceAMinute {
            known.looked_anew = Some(Instant::now());
        }
        let keys = Keys::read(&self.get(&metadata.jwks_uri, keys::BYTES_MAX).await?);
        if keys.is_empty() {
            let why = "it publishes no key that signs by RS256, PS256, ES256, ES384 or EdDSA";
            return Err(OidcError::Away(why.to_owned()));
        }
        let keys = Arc::new(keys);
        known.keys = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }
}

/// When keys are asked for anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anew {
    /// When they are old.
    WhenOld,
    /// When they were not within the last minute for this cause.
    OnceAMinute,
}

/// An endpoint may have a query of its own. [RFC 6749 §3.1]
fn with_query(endpoint: &str, query: &str) -> String {
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_comes_twice_is_none() {
        let one = Returned::read("state=a%20b&code=c").unwrap();
        assert_eq!((one.state(), one.get("code")), (Some("a b"), Some("c")));
        assert_eq!(Returned::read("state=a&code=c&state=a"), None);
        assert_eq!(Returned::read("").unwrap().state(), None);
    }

    #[test]
    fn an_address_keeps_its_own_query() {
        assert_eq!(with_query("https://a/x", "b=c"), "https://a/x?b=c");
        assert_eq!(with_query("https://a/x?t=1", "b=c"), "https://a/x?t=1&b=c");
    }

    #[test]
    fn the_secret_is_written_as_in_a_form() {
        let toml = "issuer = 'https://a'\nclient_id = 'a:b'";
        let settings: Oidc = toml::from_str(toml).unwrap();
        let client_secret = Some(Zeroizing::new("p+q%".to_owned()));
        let mut provider = Provider {
            settings,
            client_secret,
            client_key: None,
            ca_pem: None,
            known: Mutex::default(),
        };
        let metadata = |authentication| Metadata {
            authorization_endpoint: String::new(),
            token_endpoint: "https://a/token".to_owned(),
            jwks_uri: String::new(),
            end_session_endpoint: None,
            authentication,
            names_itself: false,
        };
        let code = Code {
            code: "c&d",
            verifier: "v",
            nonce: "n",
            redirect_uri: "https://here/v1/oidc/callback",
            asked_at_s: 0,
            now_s: 0,
        };
        let form = provider.form(&code, &metadata(ClientAuthentication::Basic)).unwrap();
        let shown = form.authorization.unwrap();
        let shown = STANDARD.decode(shown.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(String::from_utf8(shown).unwrap(), "a%3Ab:p%2Bq%25");
        assert!(form.body.contains("code=c%26d") && !form.body.contains("client_id"));
        let form = provider.form(&code, &metadata(ClientAuthentication::Post)).unwrap();
        assert!(form.authorization.is_none() && form.body.contains("client_secret=p%2Bq%25"));
        provider.client_secret = None;
        let form = provider.form(&code, &metadata(ClientAuthentication::Basic)).unwrap();
        assert!(form.authorization.is_none() && form.body.contains("client_id=a%3Ab"));
    }
}
