//! What hosts are held to boot like.

mod anew;
mod keep;
mod learn;

pub(super) use anew::Anew;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use appraise::Matched;
use references::{Applied, Baseline, Scope, State};
use store::{
    HostId, HostReference, HostReferences, ReferenceId, ReferenceScope, ReferenceState,
    ReferenceUses, Sha256,
};
use verify::UnixTime;

use super::{App, AppError};

/// Baselines that are kept ready: 50 KiB each, where a boot has 100 events. Past that all are
/// forgotten and read anew, which costs half a millisecond each.
const CACHED_MAX: usize = 1_000;

/// Baselines that were read, by the SHA-256 of their document.
#[derive(Default)]
pub(super) struct Baselines {
    read: Mutex<HashMap<Sha256, Arc<Baseline>>>,
}

impl Baselines {
    fn find(&self, sha256: &Sha256) -> Option<Arc<Baseline>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(sha256).map(Arc::clone)
    }

    fn keep(&self, sha256: Sha256, baseline: &Arc<Baseline>) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= CACHED_MAX {
            read.clear();
        }
        read.insert(sha256, Arc::clone(baseline));
    }
}

/// The references that count for one host, ready to be compared.
pub(super) struct HeldTo {
    pub(super) generation: i64,
    references: Vec<(HostReference, Arc<Baseline>)>,
}

impl HeldTo {
    /// As they apply to a boot: the TPM resets that a verified quote tells. One that was used for
    /// another boot is over, which is not the same as absent: a host that has only such ones is not
    /// accepted.
    pub(super) fn applied(&self, reset_count: Option<u32>) -> Vec<Applied<'_>> {
        self.references
            .iter()
            .map(|(held, baseline)| {
                let HostReference { reference, used_for_boot } = held;
                let is_used_up = used_for_boot.is_some() && *used_for_boot != reset_count;
                let until_s = reference.until_ms.map(|until_ms| until_ms.div_euclid(1000));
                Applied {
                    name: reference.id.as_str(),
                    scope: match reference.scope {
                        ReferenceScope::Host(_) => Scope::Host,
                        ReferenceScope::Cohort(_) => Scope::Cohort,
                    },
                    state: state(reference.state),
                    accepted_by: &reference.created_by,
                    accepted_at: Some(UnixTime(reference.created_at_ms.div_euclid(1000))),
                    until: if is_used_up {
                        Some(UnixTime(i64::MIN))
                    } else {
                        until_s.map(UnixTime)
                    },
                    baseline,
                }
            })
            .collect()
    }

    /// The reference of one boot that made a host accepted, with that boot.
    pub(super) fn one_boot(
        &self,
        matched: Option<&Matched>,
        reset_count: Option<u32>,
    ) -> Option<(ReferenceId, u32)> {
        let name = &matched?.name;
        let (held, _) =
            self.references.iter().find(|(held, _)| held.reference.id.as_str() == name)?;
        let is_of_one_boot = held.reference.uses == ReferenceUses::OneBoot;
        Some((held.reference.id.clone(), reset_count?)).filter(|_| is_of_one_boot)
    }

    /// Whether the reference of this identifier was used for a boot of the host.
    fn is_used(&self, id: &ReferenceId) -> bool {
        let mut held = self.references.iter().filter(|(held, _)| held.reference.id == *id);
        held.any(|(held, _)| held.used_for_boot.is_some())
    }
}

fn state(state: ReferenceState) -> State {
    match state {
        ReferenceState::Pending => State::Pending,
        ReferenceState::Active => State::Active,
        ReferenceState::Obsolete => State::Obsolete,
        ReferenceState::Retired => State::Retired,
        ReferenceState::Revoked => State::Revoked,
    }
}

impl App {
    /// What the host `id` is held to where it names `cohort`. A document that cannot be read is an
    /// error: a host is not judged without what it is held to.
    pub(super) async fn held_to(
        &self,
        id: &HostId,
        cohort: Option<&str>,
    ) -> Result<HeldTo, AppError> {
        let found = self.store.references_of_host(id, cohort).await?;
        self.read_held_to(found).await
    }

    /// The same of several hosts, in their order.
    pub(super) async fn held_to_each(
        &self,
        hosts: Vec<(HostId, Option<String>)>,
    ) -> Result<Vec<HeldTo>, AppError> {
        let found = self.store.references_of_hosts(hosts).await?;
        let mut held = Vec::with_capacity(found.len());
        for found in found {
            held.push(self.read_held_to(found).await?);
        }
        Ok(held)
    }

    async fn read_held_to(&self, found: HostReferences) -> Result<HeldTo, AppError> {
        let mut references = Vec::with_capacity(found.references.len());
        for held in found.references {
            let baseline = self.baseline(held.reference.document_sha256).await?;
            references.push((held, baseline));
        }
        // Stable, those for any boot first: one of one boot is used only where no other fits.
        references.sort_by_key(|(held, _)| held.reference.uses == ReferenceUses::OneBoot);
        Ok(HeldTo { generation: found.generation, references })
    }

    async fn baseline(&self, sha256: Sha256) -> Result<Arc<Baseline>, AppError> {
        if let Some(found) = self.baselines.find(&sha256) {
            return Ok(found);
        }
        let document = self.store.reference_document(sha256).await?;
        // Gone since: removed with its host.
        let document = document.ok_or(store::StoreError::NotFound(store::Kind::Reference))?;
        let baseline =
            Arc::new(report::reference::read(&document).map_err(|err| AppError::Bug(err.into()))?);
        self.baselines.keep(sha256, &baseline);
        Ok(baseline)
    }
}
