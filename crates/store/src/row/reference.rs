//! References: what hosts are held to boot like.

use super::{text_id, word_enum};
use crate::{HostId, Sha256};

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
    /// SHA-256 of its content, for [`crate::Store::reference_document`].
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
