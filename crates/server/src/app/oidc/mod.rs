//! People who log in at an identity provider: sent there, taken back, and given the role of their groups.
//!
//! What must be remembered between the two lies in the browser, sealed by a key that all servers of a store
//! share, so that any of them takes the callback and nobody fills a database with logins that never end. A
//! login is used once: its session has an identifier that follows from it, and the store has each one once.

mod held;
mod logout;
mod person;

use std::{net::IpAddr, sync::Arc, sync::PoisonError, sync::RwLock, time::Instant};

use api::{
    inventory::Labels,
    oidc::{CODE_BYTES_MAX, CliLogin, CodeRequest, is_challenge, is_state},
    people::{Role as RoleView, ShownAs},
};
use aws_lc_rs::constant_time;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{By, LoginFailure, PasswordState, Role, SessionId, SessionOf, Voucher};
use zeroize::Zeroizing;

use held::Held;
pub(crate) use held::HeldForm;
pub(super) use held::Shelf;
use person::{Person, told};

use super::{
    App, AppError, Begun, RefusalKind,
    api_token::role_of,
    join_rate::network,
    secret::{random, sha256},
    session::NewLogin,
};
use crate::{
    config::Config,
    metrics::ProviderLogin,
    oidc::{Asked, Claims, Code, OidcError, Provider, Returned},
};

/// Milliseconds that a person has to log in at the provider: some look for their second factor.
const LOGIN_MS_MAX: i64 = 10 * 60_000;

/// Milliseconds that a person has to let a command line in.
const HANDOVER_MS_MAX: i64 = 3 * 60_000;
const _: () =
    assert!(HANDOVER_MS_MAX < store::VOUCHED_MS_MAX, "logouts are remembered for as long");

/// Bytes of a path that is gone on to: the whole cookie has 4 KiB.
const THEN_BYTES_MAX: usize = 512;

/// What the key seals here: a value of one kind is none of the other.
const LOGIN: &str = "login";
const HANDOVER: &str = "handover";

/// What is sealed with it, for [`Seal::for_purpose`].
pub(super) const SEAL_PURPOSE: &[u8] = b"bootproof logins at a provider v1";

/// The provider that counts now.
#[derive(Default)]
pub(super) struct AtProvider(RwLock<Option<Arc<Provider>>>);

/// What a browser keeps while its person is at the provider.
#[derive(Serialize, Deserialize)]
struct Pending {
    issuer: String,
    state: String,
    nonce: String,
    verifier: String,
    then: String,
    /// A form that is to be sent once more afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
    cli: Option<CliLogin>,
    at_ms: i64,
}

/// A person who was vouched for, on the way from the browser to a command line.
#[derive(Serialize, Deserialize)]
struct Handover {
    session: String,
    challenge: String,
    actor: String,
    role: RoleView,
    hosts: Labels,
    issuer: String,
    subject: String,
    sid: Option<String>,
    at_ms: i64,
}

/// Somebody is on the way to the provider.
pub(crate) struct SentAway {
    /// Where.
    pub(crate) address: String,
    /// What the browser has to bring back beside the answer.
    pub(crate) kept: Zeroizing<String>,
}

/// Somebody came back.
pub(crate) enum TakenBack {
    /// Into a session, on a page.
    Session { begun: Begun, then: String, held: HeldForm },
    /// To let a command line in.
    ForCli {
        actor: String,
        role: RoleView,
        shown: String,
        /// The command line's address, with its code.
        address: String,
    },
}

fn not_configured() -> AppError {
    AppError::refused(
        RefusalKind::NotFound,
        "oidc-not-configured",
        "this server asks no identity provider",
        "log in with an account of this server",
    )
}

fn not_ours() -> AppError {
    AppError::refused(
        RefusalKind::Forbidden,
        "login-not-begun",
        "this login was not begun in this browser, or it took more than ten minutes",
        "begin it anew on the page on which one signs in",
    )
}

fn code_wrong() -> AppError {
    AppError::refused(
        RefusalKind::Unauthenticated,
        "login-failed",
        "this code lets nobody in: it is another login's, was used, or is older than three minutes",
        "begin anew: `bootproof login --oidc`",
    )
}

/// The only session that this login can begin.
fn session_of(state: &str) -> SessionId {
    let digest = sha256(format!("session of login {state}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(digest.first_chunk::<16>().unwrap_or(&[0; 16]));
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string().into()
}

fn secret_text() -> Result<String, AppError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// [RFC 7636 §4.2]
fn challenge_of(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()))
}

fn is_equal(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

fn is_young(at_ms: i64, now_ms: i64, ms_max: i64) -> bool {
    (0..=ms_max).contains(&now_ms.saturating_sub(at_ms))
}

impl App {
    /// Asks the provider of this configuration from now on; sessions that it vouched for go on.
    pub fn set_provider(&self, config: &Config) -> anyhow::Result<()> {
        let provider = config.oidc.clone().map(Provider::load).transpose()?.map(Arc::new);
        *self.at_provider.0.write().unwrap_or_else(PoisonError::into_inner) = provider;
        Ok(())
    }

    fn provider(&self) -> Result<Arc<Provider>, AppError> {
        let provider = self.at_provider.0.read().unwrap_or_else(PoisonError::into_inner);
        provider.clone().ok_or_else(not_configured)
    }

    /// What the provider is called, and where a login at it begins; where there is one.
    pub(super) fn way_by_provider(&self) -> Option<(String, String)> {
        let provider = self.provider().ok()?;
        let begins = format!("{}/v1/oidc/login", self.own_address(&provider));
        Some((provider.settings().name.clone(), begins))
    }

    /// This server as browsers reach it.
    fn own_address(&self, provider: &Provider) -> String {
        let named = provider.settings().address.as_deref().unwrap_or(&self.address);
        named.trim_end_matches('/').to_owned()
    }

    fn redirect_uri(&self, provider: &Provider) -> String {
        format!("{}/v1/oidc/callback", self.own_address(provider))
    }

    /// Where a person logs out at the provider, too; `None` where it offers that nowhere.
    pub(crate) async fn provider_logout(&self) -> Option<String> {
        let provider = self.provider().ok()?;
        provider.logout_address(&format!("{}/login", self.own_address(&provider))).await
    }

    fn sealed<T: Serialize>(&self, what: &str, value: &T) -> Result<Zeroizing<String>, AppError> {
        let json = serde_json::to_string(value).map_err(|err| AppError::Bug(err.into()))?;
        let sealed = self.login_seal.close(what, Some(&Zeroizing::new(json)))?;
        Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// What was sealed; `None` where it was not sealed here, or for something else.
    fn opened<T: DeserializeOwned>(&self, what: &str, text: &str) -> Option<T> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let json = self.login_seal.open(what, &sealed).ok()??;
        serde_json::from_str(&json).ok()
    }

    /// Sends a person to the provider, who goes on to `then` afterwards, or lets a command line in.
    pub(crate) async fn begin_at_provider(
        &self,
        then: &str,
        held: Option<String>,
        cli: Option<CliLogin>,
    ) -> Result<SentAway, AppError> {
        let provider = self.provider()?;
        if let Some(cli) = &cli
            && (!is_challenge(&cli.challenge) || !is_state(&cli.state) || cli.port == 0)
        {
            let title = "this is no login that a command line begins";
            let hint = "`bootproof login --oidc` begins one";
            return Err(AppError::refused(RefusalKind::Invalid, "login-invalid", title, hint));
        }
        let then = if then.len() > THEN_BYTES_MAX { "/" } else { then };
        let pending = Pending {
            issuer: provider.settings().issuer.clone(),
            state: secret_text()?,
            nonce: secret_text()?,
            verifier: secret_text()?,
            then: then.to_owned(),
            held: held.map(|form| self.shelf.hold(form, Instant::now())).transpose()?,
            cli,
            at_ms: self.store.now_ms().await?,
        };
        let asked = Asked {
            state: &pending.state,
            nonce: &pending.nonce,
            challenge: &challenge_of(&pending.verifier),
            redirect_uri: &self.redirect_uri(&provider),
        };
        let address = provider.login_address(asked).await.map_err(|err| {
            self.metrics.came_from_provider(ProviderLogin::Away);
            tracing::warn!(%err, "nobody can log in at the identity provider");
            told(&err)
        })?;
        Ok(SentAway { address, kept: self.sealed(LOGIN, &pending)? })
    }

    /// Takes a person back from the provider, with what its browser `kept`.
    pub(crate) async fn take_back(
        &self,
        query: &str,
        kept: Option<&str>,
        address: IpAddr,
    ) -> Result<TakenBack, AppError> {
        let provider = self.provider()?;
        let now_ms = self.store.now_ms().await?;
        let returned = Returned::read(query).ok_or_else(not_ours)?;
        let pending: Pending =
            kept.and_then(|kept| self.opened(LOGIN, kept)).ok_or_else(not_ours)?;
        let is_its_state = returned.state().is_some_and(|state| is_equal(state, &pending.state));
        let is_of_now = is_young(pending.at_ms, now_ms, LOGIN_MS_MAX);
        if !is_its_state || !is_of_now || pending.issuer != provider.settings().issuer {
            return Err(not_ours());
        }
        // Each try asks the provider. Who makes many up waits, and nobody else does.
        let tries = format!(":oidc {}", network(address));
        self.login_rate.begin(&tries, address, Instant::now())?;
        let vouched = self.vouched_for(&provider, &returned, &pending, now_ms).await;
        if matches!(vouched, Ok(_) | Err(OidcError::Away(_))) {
            // Nobody guessed.
            self.login_rate.was_right(&tries, address, Instant::now());
        }
        let person = match &vouched {
            Ok(claims) => Person::of(claims, &provider, now_ms),
            Err(err) => Err(told(err)),
        };
        let person = match person {
            Ok(person) => person,
            Err(err) => {
                let claim = &provider.settings().name_claim;
                let name =
                    vouched.ok().and_then(|claims| claims.name(claim).ok().map(str::to_owned));
                let subject = name.map(|name| format!("oidc:{name}"));
                self.note_refused(subject, &err, address, now_ms).await?;
                return Err(err);
            }
        };
        self.metrics.came_from_provider(ProviderLogin::Done);
        let session = session_of(&pending.state);
        let Some(cli) = pending.cli else {
            let begun = self.begin_vouched(session, person, address, now_ms).await?;
            let held = self.shelf.give_back(pending.held, Instant::now());
            return Ok(TakenBack::Session { begun, then: pending.then, held });
        };
        let shown = cli.shown().to_owned();
        let (actor, role) = (person.actor.clone(), person.role);
        let handover = Handover {
            session: session.to_string(),
            challenge: cli.challenge,
            actor: person.actor,
            role,
            hosts: person.hosts,
            issuer: person.voucher.issuer,
            subject: person.voucher.subject,
            sid: person.voucher.sid,
            at_ms: now_ms,
        };
        let code = self.sealed(HANDOVER, &handover)?;
        let address = format!("http://127.0.0.1:{}/?code={}&state={}", cli.port, *code, cli.state);
        Ok(TakenBack::ForCli { actor, role, shown, address })
    }

    async fn vouched_for(
        &self,
        provider: &Provider,
        returned: &Returned,
        pending: &Pending,
        now_ms: i64,
    ) -> Result<Claims, OidcError> {
        let code = Code {
            code: provider.code(returned).await?,
            verifier: &pending.verifier,
            nonce: &pending.nonce,
            redirect_uri: &self.redirect_uri(provider),
            asked_at_s: pending.at_ms / 1000,
            now_s: now_ms / 1000,
        };
        provider.redeem(code).await
    }

    /// Tells of somebody who came from the provider and was not let in.
    async fn note_refused(
        &self,
        subject: Option<String>,
        err: &AppError,
        address: IpAddr,
        now_ms: i64,
    ) -> Result<(), AppError> {
        let is_away =
            matches!(err, AppError::Refused(refusal) if refusal.kind == RefusalKind::Upstream);
        self.metrics.came_from_provider(match is_away {
            true => ProviderLogin::Away,
            false => ProviderLogin::Refused,
        });
        let reason = err.to_string();
        let Some(n_more) = self.login_log.row(Instant::now()) else { return Ok(()) };
        tracing::warn!(subject, reason, %address, n_more, "login at the identity provider refused");
        let reason = Some(reason);
        let failure = LoginFailure { subject, address: address.to_string(), n_more, reason };
        Ok(self.store.note_login_failure(failure, By::new("server", now_ms)).await?)
    }

    async fn begin_vouched(
        &self,
        session: SessionId,
        person: Person,
        address: IpAddr,
        now_ms: i64,
    ) -> Result<Begun, AppError> {
        let Person { actor, role, hosts, voucher } = person;
        let by = By::new(actor.clone(), now_ms);
        let role: Role = role_of(role);
        tracing::info!(actor, role = role.as_str(), %address, "logged in at the identity provider");
        let of = SessionOf::Vouched { actor, role, hosts, voucher };
        let password = PasswordState::Chosen;
        self.begin_session(NewLogin { id: session, of, role, password, address }, by).await
    }

    /// Begins the session of a command line, by the code that its person handed over.
    pub async fn redeem_code(
        &self,
        request: CodeRequest,
        address: IpAddr,
    ) -> Result<Begun, AppError> {
        let tries = format!(":code {}", network(address));
        self.login_rate.begin(&tries, address, Instant::now())?;
        let now_ms = self.store.now_ms().await?;
        let CodeRequest { code, verifier } = request;
        let (code, verifier) = (Zeroizing::new(code), Zeroizing::new(verifier));
        let handover: Option<Handover> = match code.len() <= CODE_BYTES_MAX {
            true => self.opened(HANDOVER, &code),
            false => None,
        };
        let handover = handover.ok_or_else(code_wrong)?;
        let is_its_maker = is_equal(&challenge_of(&verifier), &handover.challenge);
        // Another provider, or none any more, vouches for nobody whom this one did.
        let issuer = self.provider()?.settings().issuer.clone();
        if !is_its_maker
            || !is_young(handover.at_ms, now_ms, HANDOVER_MS_MAX)
            || issuer != handover.issuer
        {
            return Err(code_wrong());
        }
        let person = Person {
            actor: handover.actor,
            role: handover.role,
            hosts: handover.hosts,
            voucher: Voucher {
                issuer: handover.issuer,
                subject: handover.subject,
                sid: handover.sid,
                at_ms: handover.at_ms,
            },
        };
        let begun = self.begin_vouched(handover.session.into(), person, address, now_ms).await?;
        self.login_rate.was_right(&tries, address, Instant::now());
        Ok(begun.shown_as(ShownAs::Token))
    }
}
