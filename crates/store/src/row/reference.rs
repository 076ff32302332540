//! References: what hosts are held to boot like.

use super::{text_id, word_enum};
use crate::{By, HostId, Reply, Sha256};

text_id!(
    /// A reference's identifier.
    ReferenceId
);

/// Where a reference is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceState {
    /// Nobody has put it in force yet.
    Pending,
    /// Hosts are held to it.
    Active,
    /// It still counts, and is told.
    Obsolete,
    /// It counts no more.
    Retired,
    /// What boots like it fails, for ever.
    Revoked,
}
word_enum!(ReferenceState {
    Pending = "pending",
    Active = "active",
    Obsolete = "obsolete",
    Retired = "retired",
    Revoked = "revoked",
});

impl ReferenceState {
    /// Whether a reference in this state may be put into `next`. A life goes forward only: pending,
    /// active, obsolete, retired, and from each of them to revoked, which is the end.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Revoked, _) => false,
            (_, Self::Revoked) => true,
            (Self::Pending, Self::Active | Self::Retired)
            | (Self::Active, Self::Obsolete | Self::Retired)
            | (Self::Obsolete, Self::Retired) => true,
            (Self::Pending | Self::Active | Self::Obsolete | Self::Retired, _) => false,
        }
    }
}

/// Where a reference comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceOrigin {
    /// A host booted so, and was accepted.
    Learnt,
    /// A host booted so, and a person accepted the change.
    AcceptedChange,
    /// A document that a person brought.
    Imported,
    /// A manifest that a vendor signed, which a person brought.
    Vendor,
}
word_enum!(ReferenceOrigin {
    Learnt = "learnt",
    AcceptedChange = "accepted-change",
    Imported = "imported",
    Vendor = "vendor",
});

/// For how many boots of a host a reference counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceUses {
    /// Any number.
    Any,
    /// One of each host that it holds for: the first that was accepted by it.
    OneBoot,
}
word_enum!(ReferenceUses { Any = "any", OneBoot = "one-boot" });

/// For whom a reference counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReferenceScope {
    /// One host.
    Host(HostId),
    /// All hosts that name this cohort.
    Cohort(String),
}

/// A reference to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReference {
    /// A new random identifier.
    pub id: ReferenceId,
    /// For whom it counts.
    pub scope: ReferenceScope,
    /// What people call it.
    pub name: String,
    /// Where it comes from.
    pub origin: ReferenceOrigin,
    /// [`ReferenceState::Pending`] or [`ReferenceState::Active`]; another is refused.
    pub state: ReferenceState,
    /// For how many boots.
    pub uses: ReferenceUses,
    /// From when on it counts no more.
    pub until_ms: Option<i64>,
    /// Its content, which only the server understands.
    pub document: Vec<u8>,
    /// Why, in a person's words.
    pub reason: String,
}

/// A reference, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its number: grows with time. Where a page goes on.
    pub seq: i64,
    /// Its identifier.
    pub id: ReferenceId,
    /// For whom it counts.
    pub scope: ReferenceScope,
    /// What people call it.
    pub name: String,
    /// Where it comes from.
    pub origin: ReferenceOrigin,
    /// Where it is in its life.
    pub state: ReferenceState,
    /// For how many boots.
    pub uses: ReferenceUses,
    /// From when on it counts no more.
    pub until_ms: Option<i64>,
    /// SHA-256 of its content, for [`crate::References::reference_document`].
    pub document_sha256: Sha256,
    /// When it was made.
    pub created_at_ms: i64,
    /// By whom.
    pub created_by: String,
    /// Why, in that person's words.
    pub reason: String,
}

/// A step in a reference's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceChange {
    /// When.
    pub at_ms: i64,
    /// By whom.
    pub actor: String,
    /// What it became.
    pub state: ReferenceState,
    /// Why, in that person's words.
    pub reason: String,
}

/// What a host is held to, and the generation that it belongs to, from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReferences {
    /// Moves whenever any reference is added or changes its state.
    pub generation: i64,
    /// The host's own and its cohort's, but those that are pending or retired; at most
    /// [`crate::REFERENCES_PER_SCOPE_MAX`] of each.
    pub references: Vec<HostReference>,
}

/// One reference as it counts for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostReference {
    /// The reference.
    pub reference: Reference,
    /// [`ReferenceUses::OneBoot`]: the boot of this host that it was used for, by the count of TPM
    /// resets.
    pub used_for_boot: Option<u32>,
}

/// What a judgement was made by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JudgedBy {
    /// [`HostReferences::generation`]; `None`: no reference was looked at.
    pub reference_generation: Option<i64>,
    /// A reference of one boot without which the host would not be accepted, and the boot.
    pub one_boot: Option<(ReferenceId, u32)>,
}

/// What a store does with references: a part of
/// [`crate::Store`].
pub trait References {
    /// Adds a reference. Checked in this order: it begins as pending or active
    /// ([`Conflict::ReferenceState`](crate::Conflict::ReferenceState)), its host exists, its content is not revoked for this host or
    /// cohort and does not count for it without limits already ([`Conflict::ReferenceKnown`](crate::Conflict::ReferenceKnown)), and
    /// there is room ([`REFERENCES_PER_SCOPE_MAX`](crate::REFERENCES_PER_SCOPE_MAX)).
    fn add_reference(&self, reference: NewReference, by: By) -> Reply<'_, ()>;
    /// Moves a reference on in its life; [`Conflict::ReferenceState`](crate::Conflict::ReferenceState) where
    /// [`ReferenceState::may_become`](crate::ReferenceState::may_become) says no.
    fn set_reference_state(
        &self,
        id: &ReferenceId,
        state: ReferenceState,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()>;
    /// References with a number above `after_seq`, in every state, oldest first; at most `n_max`
    /// and [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn references(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>>;
    /// One reference.
    fn reference(&self, id: &ReferenceId) -> Reply<'_, Option<Reference>>;
    /// The life of a reference so far, oldest first.
    fn reference_changes(&self, id: &ReferenceId) -> Reply<'_, Vec<ReferenceChange>>;
    /// The content of references, by its SHA-256.
    fn reference_document(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>>;
    /// What `host` is held to where it names `cohort`.
    fn references_of_host(&self, host: &HostId, cohort: Option<&str>) -> Reply<'_, HostReferences>;
    /// The same of several hosts, each with the cohort that it names, in their order.
    fn references_of_hosts(
        &self,
        hosts: Vec<(HostId, Option<String>)>,
    ) -> Reply<'_, Vec<HostReferences>>;
}
