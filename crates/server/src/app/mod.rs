//! What the server does, one file per thing; no HTTP here.

mod account;
mod action;
mod alarm;
mod api_token;
mod approval;
mod attention;
mod attest;
mod audit;
mod boot_diff;
mod caller;
mod census;
mod channel;
mod client_authority;
mod client_certificate;
mod client_revocation;
mod counts;
mod cursor;
pub mod document;
mod ek_list;
mod enrol;
mod error;
mod event;
mod event_filter;
mod evidence_parts;
mod guess_rate;
mod hear;
mod history;
mod host_order;
mod host_view;
mod hub;
mod idempotent;
mod identity;
mod inventory;
mod join_rate;
mod known_labels;
mod labels;
mod list;
mod login_log;
mod login_rate;
mod memo;
mod objects;
mod oidc;
mod paging;
mod password;
mod peers;
mod policy;
mod policy_version;
mod poll;
mod readiness;
mod reference;
mod replace;
mod report;
mod result;
mod retention;
mod room;
mod rules;
mod schedule;
mod secret;
mod session;
mod settings;
mod signer;
mod standing;
mod standing_history;
mod token;
mod tpm_keys;
mod trust;
mod words;

use std::{net::IpAddr, sync::Arc, time::Instant};

use api::admin::Server;
use store::{By, Host, Labels, NewApiToken, Role, Sha256, Store, StoreError};
use verify::NonceKey;
use zeroize::Zeroizing;

pub use join_rate::PER_SECOND as JOINS_PER_S;
pub use retention::thinning;

pub use caller::{Caller, HostScope};
pub use error::{AppError, Refusal, RefusalKind};
pub use event::EventReader;
pub use history::JudgementLine;
pub use objects::{CleaningError, remove_objects, sweep_objects, swept_before_ms};
pub(crate) use oidc::{HeldForm, TakenBack};
pub use report::WrittenReport;
pub use rules::RulesChange;
pub(crate) use secret::SESSION_PREFIX;
pub(crate) use session::is_csrf_token;
pub use session::{Begun, Whose};

pub(crate) use secret::sha256;

use crate::{
    authority::Authority,
    config::{Config, LoadedPolicy},
    metrics::{Metrics, TokenKind},
};
use secret::{ADMIN_PREFIX, new_token, random, token_sha256};

/// The server, without its sockets.
pub struct App {
    store: Arc<dyn Store>,
    authority: Arc<Authority>,
    /// Where agents reach this server.
    address: String,
    rules: rules::InForce,
    metrics: Arc<Metrics>,
    concerns: readiness::Concerns,
    found: readiness::Found,
    counted: census::Counted,
    kept_hour: standing_history::KeptHour,
    known_labels: known_labels::KnownLabels,
    attention: attention::Counted,
    nonce_key: NonceKey,
    signer: signer::Signer,
    hub: hub::Hub,
    anchors: trust::Anchors,
    identities: identity::Identities,
    baselines: reference::Baselines,
    /// Held while a cohort is judged anew.
    judging_anew: tokio::sync::Mutex<()>,
    memos: memo::Memos,
    join_rate: join_rate::JoinRate,
    activation_rate: join_rate::JoinRate,
    ek_rate: join_rate::EkRate,
    guess_rate: guess_rate::GuessRate,
    login_rate: login_rate::LoginRate,
    login_log: login_log::LoginLog,
    passwords: password::Passwords,
    /// Seals the secrets of channels.
    seal: channel::Seal,
    /// Seals what browsers keep of logins at the identity provider.
    login_seal: channel::Seal,
    at_provider: oidc::AtProvider,
    /// Forms that wait for people who sign in at the provider.
    shelf: oidc::Shelf,
    /// What it takes to issue client certificates, where this server does.
    issuing: Option<client_authority::Issuing>,
    /// Whose turn it is to make a report.
    report_turns: report::Turns,
    /// Places of streams of events.
    streams: Arc<tokio::sync::Semaphore>,
    /// Turns of evidence that comes in.
    evidence_turns: Arc<tokio::sync::Semaphore>,
}

impl App {
    /// A server over `store`, which agents reach at `address`. The key of its challenges lies in the store, so that servers that
    /// share one can answer for each other.
    pub async fn new(
        store: Arc<dyn Store>,
        authority: Arc<Authority>,
        address: String,
        config: Config,
        policy: LoadedPolicy,
        metrics: Arc<Metrics>,
    ) -> Result<Arc<Self>, AppError> {
        let candidate = random::<32>()?.to_vec();
        let key = Zeroizing::new(store.secret_or_insert("nonce-key", candidate).await?);
        let key: [u8; 32] = key
            .as_slice()
            .try_into()
            .map_err(|_| AppError::Bug("the stored nonce key has the wrong length".into()))?;
        let candidate = signer::Signer::new_key()?.to_vec();
        let signing = Zeroizing::new(store.secret_or_insert("signing-key", candidate).await?);
        let joins_per_s = config.joins_per_s;
        let room = room::Room::of(config.memory_mib);
        let seal = channel::Seal::new(&authority.secret())?;
        let login_seal = channel::Seal::for_purpose(&authority.secret(), oidc::SEAL_PURPOSE)?;
        metrics.watch_store(Arc::clone(&store));
        let nonce_key = NonceKey::new(key);
        let own_key = authority.secret();
        let issuing =
            client_authority::Issuing::open(&config, &store, &own_key, &nonce_key).await?;
        Ok(Arc::new(Self {
            store,
            authority,
            address,
            rules: rules::InForce::new(config, policy),
            metrics,
            concerns: readiness::Concerns::default(),
            found: readiness::Found::default(),
            counted: census::Counted::default(),
            kept_hour: standing_history::KeptHour::default(),
            known_labels: known_labels::KnownLabels::default(),
            attention: attention::Counted::default(),
            nonce_key,
            signer: signer::Signer::from_pkcs8(&signing)?,
            hub: hub::Hub::default(),
            anchors: trust::Anchors::default(),
            identities: identity::Identities::within(room.keys_bytes),
            baselines: reference::Baselines::default(),
            judging_anew: tokio::sync::Mutex::default(),
            memos: memo::Memos::within(room.boots_bytes),
            join_rate: join_rate::JoinRate::new(joins_per_s),
            // A host that enrols anew takes two steps, one that joins the second of them.
            activation_rate: join_rate::JoinRate::new(joins_per_s.saturating_mul(2)),
            ek_rate: join_rate::EkRate::default(),
            guess_rate: guess_rate::GuessRate::default(),
            login_rate: login_rate::LoginRate::default(),
            login_log: login_log::LoginLog::default(),
            passwords: password::Passwords::default(),
            seal,
            login_seal,
            at_provider: oidc::AtProvider::default(),
            shelf: oidc::Shelf::default(),
            issuing,
            report_turns: report::Turns::default(),
            streams: Arc::new(tokio::sync::Semaphore::new(event::STREAMS_MAX)),
            evidence_turns: Arc::new(tokio::sync::Semaphore::new(attest::TURNS_MAX)),
        }))
    }

    /// The server is about to end: long polls are answered at once, and new ones too.
    pub fn end(&self) {
        self.hub.end();
    }

    /// Whether it is about to end.
    pub fn is_ending(&self) -> bool {
        self.hub.is_ending()
    }

    /// Turns of evidence that comes in.
    pub(crate) fn evidence_turns(&self) -> &Arc<tokio::sync::Semaphore> {
        &self.evidence_turns
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Tells when the server's certificates end.
    pub fn tell_certificates(&self) {
        self.metrics.certificate_ends("own", self.authority.ends_s());
        if let Some(ends_s) = self.authority.given_ends_s() {
            self.metrics.certificate_ends("given", ends_s);
        }
    }

    /// What anybody may know of this server.
    pub fn server(&self) -> Server {
        Server {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ca_sha256: self.authority.pin(),
            ca_pem: self.authority.pem().to_owned(),
        }
    }

    /// The host whose token this is, shown at `address`.
    pub async fn authenticate_host(&self, token: &str, address: IpAddr) -> Result<Host, AppError> {
        let sha256 = token_sha256(token);
        self.guess_rate.admit(&sha256, address, Instant::now())?;
        let host = self.store.host_by_api_token(sha256).await?;
        self.was_shown(TokenKind::Host, sha256, host.as_ref(), address);
        host.ok_or_else(AppError::unauthenticated)
    }

    /// Counts a token that was looked for, by what was found.
    fn was_shown<T>(&self, kind: TokenKind, sha256: Sha256, found: Option<&T>, address: IpAddr) {
        match found {
            Some(_) => self.guess_rate.was_right(sha256),
            None => {
                self.guess_rate.was_wrong(sha256, address, Instant::now());
                self.metrics.token_not_known(kind);
            }
        }
    }

    /// Makes the first administrator's token of this name anew; the one before, if any, is good no more.
    pub async fn new_administrator(&self, name: &str) -> Result<Zeroizing<String>, AppError> {
        let token = new_token(ADMIN_PREFIX)?;
        let by = By::new("server", self.store.now_ms().await?);
        match self.store.remove_api_token(name, by.clone()).await {
            Ok(()) | Err(StoreError::NotFound(_)) => {}
            Err(err) => return Err(err.into()),
        }
        let new = NewApiToken {
            name: name.to_owned(),
            secret_sha256: token_sha256(&token),
            role: Role::Admin,
            hosts: Labels::new(),
            expires_at_ms: None,
        };
        self.store.add_api_token(new, by).await?;
        Ok(token)
    }
}
