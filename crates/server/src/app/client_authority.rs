//! The authorities of client certificates: one that issues, one that may follow, and former ones whose certificates
//! are still good.
//!
//! They lie in the store, so that servers that share one are one issuer, and their keys are sealed by one that is not
//! there. Which one issues follows from the store's clock alone, so that no server has to be told.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use api::client_certificate::{ClientAuthority as Told, RotateClientAuthority};
use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use store::{By, ClientAuthorityRow, Conflict, NewClientAuthority, Store, StoreError};
use tokio::time::sleep;
use verify::NonceKey;

use super::{
    App, AppError, RefusalKind, channel::Seal, client_revocation::CachedList, words::check_lasting,
};
use crate::{
    client_authority::{ClientAuthority, Material, NameConstraint},
    config::Config,
    http::problem::Chain,
};

/// What the sealing key is for.
const PURPOSE: &[u8] = b"bootproof client authority v1";

/// What the key of the challenges is for.
const CHALLENGES: &str = "client certificate";

/// The longest that an authority is announced: what is further off nobody remembers.
const ANNOUNCED_S_MAX: u64 = 366 * 24 * 3600;

/// So long before the end of the authority it is told: relying parties that know it by heart are many.
const WARNED_S: i64 = 90 * 24 * 3600;

/// Between two looks whether one can be retired or is about to end.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What it takes to issue.
pub(super) struct Issuing {
    /// What the store calls the authorities of this trust domain.
    pub(super) name: String,
    pub(super) nonce_key: NonceKey,
    /// The list of each authority that was signed last, by the authority's number.
    pub(super) lists: tokio::sync::Mutex<BTreeMap<i64, CachedList>>,
    trust_domain: String,
    constraint: NameConstraint,
    seal: Seal,
    known: RwLock<Arc<Known>>,
}

/// The authorities as they were at one moment, in the order of their numbers.
#[derive(Default)]
pub(super) struct Known {
    /// See [`ClientCertificates::client_revocations`].
    n_changes: i64,
    all: Vec<Numbered>,
}

/// One of the authorities.
pub(super) struct Numbered {
    pub(super) number: i64,
    begins_at_ms: i64,
    pub(super) authority: ClientAuthority,
}

/// An authority as it lies in the store.
#[derive(Serialize, Deserialize)]
struct Kept {
    sealed_key: String,
    certificate: String,
}

impl Known {
    /// The one that issues: the last that has begun.
    pub(super) fn issuing_at(&self, now_ms: i64) -> Result<&Numbered, AppError> {
        let begun = |one: &&Numbered| one.begins_at_ms <= now_ms;
        let none = || AppError::Bug("no authority of client certificates has begun".into());
        self.all.iter().rev().find(begun).ok_or_else(none)
    }

    /// The one of this number.
    pub(super) fn numbered(&self, number: i64) -> Result<&Numbered, AppError> {
        self.all.iter().find(|one| one.number == number).ok_or_else(|| {
            AppError::refused(
                RefusalKind::NotFound,
                "client-authority-not-found",
                format!("there is no authority {number} of client certificates, or not any more"),
                "`bootproof certificate authorities` shows those that are known",
            )
        })
    }

    /// Grows with each change of the bundle: one that comes has the next number, one that goes is one less.
    fn sequence(&self) -> i64 {
        let newest = self.all.last();
        let begins_s = newest.map_or(0, |newest| newest.authority.not_before_s());
        let n = i64::try_from(self.all.len()).unwrap_or(0);
        begins_s + 2 * newest.map_or(0, |newest| newest.number) - n
    }
}

impl Numbered {
    fn told(&self, issuing: i64) -> Told {
        let state = match self.number.cmp(&issuing) {
            std::cmp::Ordering::Less => "former",
            std::cmp::Ordering::Equal => "issuing",
            std::cmp::Ordering::Greater => "announced",
        };
        let sha256 = digest::digest(&digest::SHA256, self.authority.certificate_der());
        Told {
            number: self.number,
            state: state.to_owned(),
            begins_at_ms: self.begins_at_ms,
            not_after_ms: self.authority.not_after_s().saturating_mul(1000),
            sha256: hex::encode(sha256),
            certificate_pem: self.authority.pem(),
        }
    }
}

impl Issuing {
    /// The authorities of the configured trust domain, the first made where the store has none; `None` where none
    /// is configured.
    pub(super) async fn open(
        config: &Config,
        store: &Arc<dyn Store>,
        authority_key: &[u8],
        nonce_key: &NonceKey,
    ) -> Result<Option<Self>, AppError> {
        let Some(trust_domain) = &config.client_trust_domain else { return Ok(None) };
        let constraint = config.client_name_constraint;
        let issuing = Self {
            name: format!("client-authority:{trust_domain}:{}", constraint.as_str()),
            nonce_key: nonce_key.for_purpose(CHALLENGES),
            lists: tokio::sync::Mutex::default(),
            trust_domain: trust_domain.clone(),
            constraint,
            seal: Seal::for_purpose(authority_key, PURPOSE)?,
            known: RwLock::default(),
        };
        if store.client_authorities(&issuing.name).await?.is_empty() {
            let now_ms = store.now_ms().await?;
            let made = issuing.make(1, 0, serde_json::json!({}))?;
            match store.add_client_authority(made, By::new("server", now_ms)).await {
                // Another server that shares the store was first.
                Ok(()) | Err(StoreError::Conflict(Conflict::AuthorityKnown { .. })) => {}
                Err(err) => return Err(err.into()),
            }
        }
        issuing.read(store).await?;
        Ok(Some(issuing))
    }

    /// A new authority, as the store is to have it.
    fn make(
        &self,
        number: i64,
        begins_at_ms: i64,
        detail: serde_json::Value,
    ) -> Result<NewClientAuthority, AppError> {
        let bug = |err: anyhow::Error| AppError::Bug(err.into());
        let made = Material::new(&self.trust_domain, number, self.constraint, SystemTime::now());
        let made = made.map_err(bug)?;
        let kept = Kept {
            sealed_key: STANDARD.encode(self.seal.close(&self.name, Some(&made.key_pem))?),
            certificate: STANDARD.encode(&made.certificate_der),
        };
        let material = serde_json::to_vec(&kept).map_err(|err| AppError::Bug(err.into()))?;
        Ok(NewClientAuthority { name: self.name.clone(), number, begins_at_ms, material, detail })
    }

    fn opened(&self, row: &ClientAuthorityRow) -> Result<Numbered, AppError> {
        let damaged = || {
            let text = format!(
                "authority {} of client certificates of {} cannot be opened: was ca.key exchanged?",
                row.number, self.trust_domain
            );
            AppError::Bug(text.into())
        };
        let kept: Kept = serde_json::from_slice(&row.material).map_err(|_| damaged())?;
        let sealed = STANDARD.decode(&kept.sealed_key).map_err(|_| damaged())?;
        let key_pem = self.seal.open(&self.name, &sealed).map_err(|_| damaged())?;
        let certificate_der = STANDARD.decode(&kept.certificate).map_err(|_| damaged())?;
        let material = Material { key_pem: key_pem.ok_or_else(damaged)?, certificate_der };
        let authority = ClientAuthority::new(&self.trust_domain, row.number, &material)
            .map_err(|err| AppError::Bug(err.into()))?;
        Ok(Numbered { number: row.number, begins_at_ms: row.begins_at_ms, authority })
    }

    /// Reads them, where anything changed since they were read.
    async fn read(&self, store: &Arc<dyn Store>) -> Result<Arc<Known>, AppError> {
        // Asked first: what changes in between is read once more the next time.
        let n_changes = store.client_revocations().await?;
        let known = Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner));
        if known.n_changes == n_changes && !known.all.is_empty() {
            return Ok(known);
        }
        let rows = store.client_authorities(&self.name).await?;
        let all = rows.iter().map(|row| self.opened(row)).collect::<Result<_, _>>()?;
        let known = Arc::new(Known { n_changes, all });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&known);
        Ok(known)
    }
}

impl App {
    /// What it takes to issue, where this server does.
    pub(super) fn issuing(&self) -> Result<&Issuing, AppError> {
        self.issuing.as_ref().ok_or_else(|| {
            AppError::refused(
                RefusalKind::NotFound,
                "client-certificates-off",
                "this server issues no client certificates",
                "set client_trust_domain in the configuration of the server",
            )
        })
    }

    /// The authorities as they are now, whichever server changed them.
    pub(super) async fn client_authorities(
        &self,
        issuing: &Issuing,
    ) -> Result<Arc<Known>, AppError> {
        issuing.read(&self.store).await
    }

    /// The authorities that relying parties need now.
    pub async fn client_authorities_known(&self) -> Result<Vec<Told>, AppError> {
        let known = self.client_authorities(self.issuing()?).await?;
        let issuing = known.issuing_at(self.store.now_ms().await?)?.number;
        Ok(known.all.iter().map(|one| one.told(issuing)).collect())
    }

    /// Their certificates, PEM: the one that issues first.
    pub async fn client_authority_pem(&self) -> Result<String, AppError> {
        let known = self.client_authorities(self.issuing()?).await?;
        let issuing = known.issuing_at(self.store.now_ms().await?)?.number;
        let others = known.all.iter().filter(|one| one.number != issuing);
        let all = known.numbered(issuing).into_iter().chain(others);
        Ok(all.map(|one| one.authority.pem()).collect())
    }

    /// The trust bundle of the trust domain, with all of them. [SPIFFE-BUNDLE §4]
    pub async fn spiffe_bundle(&self) -> Result<serde_json::Value, AppError> {
        let known = self.client_authorities(self.issuing()?).await?;
        let keys: Vec<_> = known.all.iter().map(|one| one.authority.jwk()).collect();
        Ok(serde_json::json!({
            "keys": keys,
            "spiffe_sequence": known.sequence(),
            "spiffe_refresh_hint": self.rules().config.client_crl_s,
        }))
    }

    /// Makes another authority, which follows the one that issues. It is announced at first: in the bundle, so that
    /// relying parties know it when it issues.
    pub async fn rotate_client_authority(
        &self,
        request: RotateClientAuthority,
        by: By,
    ) -> Result<Told, AppError> {
        check_lasting("rotation-invalid", &request.reason, None, by.at_ms)?;
        let issuing = self.issuing()?;
        let announced_for_s =
            request.announced_for_s.unwrap_or(2 * self.rules().config.client_crl_s);
        if announced_for_s > ANNOUNCED_S_MAX {
            let title = "an authority is announced for a year at most";
            return Err(AppError::plain(RefusalKind::Invalid, "rotation-invalid", title));
        }
        let known = self.client_authorities(issuing).await?;
        let last = known.all.last().map_or(0, |last| last.number);
        if known.issuing_at(by.at_ms)?.number != last {
            return Err(StoreError::from(Conflict::AuthorityKnown { number: last }).into());
        }
        let announced_ms = i64::try_from(announced_for_s * 1000).unwrap_or(i64::MAX);
        let begins_at_ms = by.at_ms.saturating_add(announced_ms);
        let detail = serde_json::json!({
            "reason": request.reason,
            "begins_at_ms": begins_at_ms,
        });
        let (now_ms, number) = (by.at_ms, last + 1);
        let made = issuing.make(number, begins_at_ms, detail)?;
        self.store.add_client_authority(made, by).await?;
        tracing::warn!(number, begins_at_ms, "another authority of client certificates was made");
        let known = self.client_authorities(issuing).await?;
        Ok(known.numbered(number)?.told(known.issuing_at(now_ms)?.number))
    }

    /// Retires authorities whose certificates have all ended, and tells when the one that issues is about to end, for
    /// as long as the program runs.
    pub async fn tend_client_authorities(self: Arc<Self>) {
        let Ok(issuing) = self.issuing() else { return };
        loop {
            if let Err(err) = self.tend(issuing).await {
                tracing::error!(error = %Chain(&err), "authorities of client certificates");
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn tend(&self, issuing: &Issuing) -> Result<(), AppError> {
        let now_ms = self.store.now_ms().await?;
        let by = By::new("server", now_ms);
        for number in self.store.retire_client_authorities(&issuing.name, by).await? {
            tracing::info!(number, "an authority of client certificates was retired");
        }
        let known = self.client_authorities(issuing).await?;
        let ends_s = known.issuing_at(now_ms)?.authority.not_after_s();
        self.metrics.certificate_ends("client-authority", ends_s);
        match concern(ends_s, now_ms.div_euclid(1000)) {
            Some(reason) if self.concerns.raise("client-authority", reason.clone()) => {
                tracing::warn!("{reason}");
            }
            Some(_) => {}
            None => {
                self.concerns.clear("client-authority");
            }
        }
        Ok(())
    }
}

/// What is to be said of an authority that ends then.
fn concern(ends_s: i64, now_s: i64) -> Option<String> {
    let days = ends_s.saturating_sub(now_s).div_euclid(24 * 3600);
    (ends_s.saturating_sub(now_s) < WARNED_S).then(|| {
        let when = if days < 0 { "has ended".to_owned() } else { format!("ends in {days} days") };
        format!(
            "the authority of client certificates {when}: `bootproof certificate rotate --reason TEXT` makes another"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_authority_is_told_before() {
        let now_s = 1_795_000_000;
        assert_eq!(concern(now_s + WARNED_S, now_s), None);
        let told = concern(now_s + WARNED_S - 1, now_s).unwrap();
        assert!(told.contains("ends in 89 days") && told.contains("rotate"), "{told}");
        assert!(concern(now_s - 1, now_s).unwrap().contains("has ended"));
    }

    #[test]
    fn the_bundle_grows_with_each_change() {
        let one = |number, begins_at_ms| {
            let made = Material::new("a.org", number, NameConstraint::Uri, SystemTime::UNIX_EPOCH);
            let authority = ClientAuthority::new("a.org", number, &made.unwrap()).unwrap();
            Numbered { number, begins_at_ms, authority }
        };
        let known = |all| Known { n_changes: 1, all };
        let first = known(vec![one(1, 0)]);
        let both = known(vec![one(1, 0), one(2, 500)]);
        let second = known(vec![one(2, 500)]);
        assert!(first.sequence() < both.sequence() && both.sequence() < second.sequence());
        assert_eq!(
            (both.issuing_at(499).unwrap().number, both.issuing_at(500).unwrap().number),
            (1, 2)
        );
        assert!(both.numbered(3).is_err() && known(Vec::new()).issuing_at(0).is_err());
    }
}
