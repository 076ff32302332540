//! Identity keys that were loaded from the store, parsed, with their certificates judged.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use appraise::with_key_checked;
use store::{Host, HostId, Identity};
use tpm_wire::PcrSet;
use verify::{
    BoundAk, EkCertError, EnrolledKey, Name, RootStore, UnixTime, VerifiedEk, verify_ek_certificate,
};

use super::{App, AppError};

/// Bytes of a kept identity, about: two keys, and what its certificate says. One that is not kept is loaded anew,
/// which costs two signature checks.
const IDENTITY_BYTES: usize = 2 << 10;

/// Milliseconds after which a certificate's dates are looked at again.
const JUDGED_MS_MAX: i64 = 3_600_000;

/// An identity key, ready for use.
#[derive(Debug)]
pub(super) struct LoadedIdentity {
    version: i64,
    anchors: i64,
    judged_at_ms: i64,
    pub(super) bound: BoundAk,
    pub(super) ek: Option<Result<VerifiedEk, EkCertError>>,
}

/// The cache. Trust: what is in it came out of the store and the anchors of their versions.
#[derive(Debug)]
pub(super) struct Identities {
    n_max: usize,
    loaded: Mutex<HashMap<HostId, Arc<LoadedIdentity>>>,
    pcrs: Mutex<HashMap<HostId, PcrSet>>,
}

impl Identities {
    /// Room for `bytes` of them.
    pub(super) fn within(bytes: usize) -> Self {
        let n_max = (bytes / IDENTITY_BYTES).max(1);
        Self { n_max, loaded: Mutex::default(), pcrs: Mutex::default() }
    }

    /// The PCRs to ask for, by what the host's last log named.
    pub(super) fn pcrs_of_log(&self, host: &HostId) -> PcrSet {
        let pcrs = self.pcrs.lock().unwrap_or_else(PoisonError::into_inner);
        asked_after(pcrs.get(host).copied())
    }

    /// Keeps which PCRs the host's log names. A hint for the next challenge only.
    pub(super) fn note_log(&self, host: &HostId, named: PcrSet) {
        let mut pcrs = self.pcrs.lock().unwrap_or_else(PoisonError::into_inner);
        if pcrs.get(host) == Some(&named) {
            return;
        }
        make_room(&mut pcrs, host, self.n_max);
        pcrs.insert(host.clone(), named);
    }

    pub(super) fn forget(&self, host: &HostId) {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
        self.pcrs.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
    }

    fn find(&self, host: &Host, anchors: i64, now_ms: i64) -> Option<Arc<LoadedIdentity>> {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let found = loaded.get(&host.id)?;
        let current = found.version == host.identity_version
            && found.anchors == anchors
            && (0..JUDGED_MS_MAX).contains(&(now_ms - found.judged_at_ms));
        current.then(|| Arc::clone(found))
    }

    fn keep(&self, host: &HostId, identity: &Arc<LoadedIdentity>) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut loaded, host, self.n_max);
        loaded.insert(host.clone(), Arc::clone(identity));
    }
}

/// The PCRs to ask for after a log that named these: 0 to 7 and those. Before the first log, or where it was forgotten,
/// all that a boot log can name: 0 to 15, and those of a dynamic launch.
pub(super) fn asked_after(named: Option<PcrSet>) -> PcrSet {
    named.map_or(PcrSet::NAMED_BY_LOGS, |named| named.union(PcrSet::FIRMWARE))
}

/// Room for what is to be kept of `host`: of any other it is forgotten, for which attests next nobody knows.
fn make_room<V>(of: &mut HashMap<HostId, V>, host: &HostId, n_max: usize) {
    while of.len() >= n_max && !of.contains_key(host) {
        let Some(other) = of.keys().next().cloned() else { return };
        of.remove(&other);
    }
}

/// Identities of before that the store keeps of a host.
const PAST_MAX: i64 = 16;

impl App {
    /// The identity key of `host`, from the cache or the store; `None` where none is stored.
    pub(super) async fn identity(
        &self,
        host: &Host,
        now_ms: i64,
    ) -> Result<Option<Arc<LoadedIdentity>>, AppError> {
        let (anchors, roots) = self.anchors().await?;
        if let Some(found) = self.identities.find(host, anchors, now_ms) {
            return Ok(Some(found));
        }
        tracing::info!("no cached identity key, loading from the store");
        let loaded = self.load_identity(host, anchors, &roots, now_ms)?;
        if loaded.is_none() {
            tracing::warn!("no identity key in the store, try to reconnect the host");
        }
        Ok(loaded)
    }

    /// The same under `anchors` that the caller has, and without words in the log, which are for
    /// attestations.
    pub(super) fn identity_under(
        &self,
        (anchors, roots): &(i64, Arc<RootStore>),
        host: &Host,
        now_ms: i64,
    ) -> Result<Option<Arc<LoadedIdentity>>, AppError> {
        match self.identities.find(host, *anchors, now_ms) {
            Some(found) => Ok(Some(found)),
            None => self.load_identity(host, *anchors, roots, now_ms),
        }
    }

    /// The identity that the last evidence of `host` was judged by: the present one, or where the
    /// same TPM has a new attestation key since, the one of before.
    pub(super) async fn identity_of_last(
        &self,
        anchors: &(i64, Arc<RootStore>),
        host: &Host,
        now_ms: i64,
    ) -> Result<Option<Arc<LoadedIdentity>>, AppError> {
        let Some(version) = host.last_judged_by_past() else {
            return self.identity_under(anchors, host, now_ms);
        };
        let (generation, roots) = anchors;
        let past = self.store.past_identity(&host.id, version).await?;
        past.map(|past| judged(&past, version, (*generation, roots), now_ms).map(Arc::new))
            .transpose()
    }

    /// The keys by which evidence of `host` may have been signed: the present one, then those of before.
    pub(super) async fn identities_of(
        &self,
        host: &Host,
        now_ms: i64,
    ) -> Result<Vec<Arc<LoadedIdentity>>, AppError> {
        let (generation, roots) = self.anchors().await?;
        let mut identities: Vec<_> =
            self.load_identity(host, generation, &roots, now_ms)?.into_iter().collect();
        // The store keeps so many.
        let from = host.identity_version.saturating_sub(PAST_MAX).max(0);
        for version in (from..host.identity_version).rev() {
            if let Some(past) = self.store.past_identity(&host.id, version).await? {
                let loaded = judged(&past, version, (generation, &roots), now_ms)?;
                identities.push(Arc::new(loaded));
            }
        }
        Ok(identities)
    }

    fn load_identity(
        &self,
        host: &Host,
        anchors: i64,
        roots: &RootStore,
        now_ms: i64,
    ) -> Result<Option<Arc<LoadedIdentity>>, AppError> {
        let Some(stored) = &host.identity else { return Ok(None) };
        let loaded = Arc::new(judged(stored, host.identity_version, (anchors, roots), now_ms)?);
        self.identities.keep(&host.id, &loaded);
        Ok(Some(loaded))
    }
}

/// A stored identity, parsed, with its certificate judged.
fn judged(
    stored: &Identity,
    version: i64,
    (anchors, roots): (i64, &RootStore),
    now_ms: i64,
) -> Result<LoadedIdentity, AppError> {
    let bound = load(stored)?;
    let ek = stored.ek_cert_der.as_ref().map(|certificate| {
        let chain: Vec<&[u8]> = stored.ek_chain_der.iter().map(Vec::as_slice).collect();
        let now = UnixTime(now_ms.div_euclid(1000));
        let judged = verify_ek_certificate(certificate, &chain, roots, now);
        with_key_checked(judged, |ek| ek.check_spki_sha256(&stored.ek_spki_sha256))
    });
    Ok(LoadedIdentity { version, anchors, judged_at_ms: now_ms, bound, ek })
}

fn load(stored: &Identity) -> Result<BoundAk, AppError> {
    let ak_name = Name::from_bytes(&stored.ak_name)
        .ok_or_else(|| AppError::Bug("a stored AK name cannot be read".into()))?;
    let enrolled = EnrolledKey { ak_name, ek_spki_sha256: stored.ek_spki_sha256 };
    BoundAk::from_enrolled(&enrolled, &stored.ak_public).map_err(|err| AppError::Bug(err.into()))
}
