//! Errors, one variant per decision that a caller can take.

use std::error::Error;
use std::sync::Arc;

use crate::{HostId, ReferenceId, ReferenceState};

/// Why the store did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What the request names is not there.
    #[error("{0} not found")]
    NotFound(Kind),
    /// The request is well formed but the state of things forbids it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// Too many of something at once; it passes when some of them end.
    #[error("more than {max} {what}")]
    Limit {
        /// What there is too much of, in the plural.
        what: &'static str,
        /// How many are allowed.
        max: u32,
    },
    /// A text has a character that the database cannot hold: NUL, in PostgreSQL.
    #[error("a text has a character that the database cannot hold")]
    Unstorable,
    /// A newer Bootproof wrote this database.
    #[error(
        "the database has schema version {found}, this program knows up to {known}: it was written \
         by a newer Bootproof"
    )]
    SchemaNewer {
        /// The version in the database.
        found: i64,
        /// The highest version this program can make.
        known: i64,
    },
    /// It is a database of something else.
    #[error("{database} is not a database of Bootproof")]
    NotOurs {
        /// The file, or the address without its password.
        database: String,
    },
    /// It is a database that cannot hold what is to be kept.
    #[error("the database cannot be used: {what}")]
    Unfit {
        /// Why not.
        what: String,
    },
    /// A part of evidence lies outside of the database, and is not there any more as it was written. The next
    /// judgement of the same bytes brings it back.
    #[error("the evidence {} is lost: its object {how}", hex::encode(.sha256))]
    EvidenceLost {
        /// The SHA-256 of the part.
        sha256: crate::Sha256,
        /// How.
        how: EvidenceLoss,
    },
    /// The database cannot answer now: disk full, locked, closed. Trying again may help.
    #[error("the database is not available")]
    Unavailable {
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The database answered what it never should: a bug, or a damaged file.
    #[error("the database failed")]
    Broken {
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// How a part of evidence was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceLoss {
    /// There is no object.
    Missing,
    /// The object is not what was written.
    Damaged,
}

impl std::fmt::Display for EvidenceLoss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            EvidenceLoss::Missing => "is missing",
            EvidenceLoss::Damaged => "is not what was written",
        })
    }
}

/// What a [`StoreError::NotFound`] did not find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A host.
    Host,
    /// A join token.
    JoinToken,
    /// An API token.
    ApiToken,
    /// An account.
    User,
    /// A session: never there, or ended.
    Session,
    /// A trust root.
    TrustRoot,
    /// A started enrolment: never there, or expired.
    PendingEnrolment,
    /// A reference.
    Reference,
    /// A channel.
    Channel,
    /// Another TPM that was shown for a host.
    Candidate,
    /// A list of endorsement keys.
    EkList,
    /// A policy that is kept: never there, or forgotten.
    PolicyVersion,
    /// A view of hosts.
    HostView,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Host => "host",
            Kind::JoinToken => "join token",
            Kind::ApiToken => "API token",
            Kind::User => "account",
            Kind::Session => "session",
            Kind::TrustRoot => "trust root",
            Kind::PendingEnrolment => "enrolment",
            Kind::Reference => "reference",
            Kind::Channel => "channel",
            Kind::EkList => "list of endorsement keys",
            Kind::PolicyVersion => "version of the policy",
            Kind::HostView => "view",
            Kind::Candidate => "another TPM of this host",
        })
    }
}

/// A rule of the inventory that the request would have broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Another policy counts than the one that somebody decided about.
    #[error("another policy counts by now: {}", .number.map_or("none of those that are kept".to_owned(), |number| format!("version {number}")))]
    OtherPolicyCounts {
        /// The version that counts.
        number: Option<i64>,
    },
    /// Another host is enrolled with this endorsement key.
    #[error("the endorsement key belongs to host {host_name} ({host})")]
    EkTaken {
        /// The host that has it.
        host: HostId,
        /// Its name.
        host_name: String,
    },
    /// The enrolment was completed before.
    #[error("the enrolment is already completed, as host {host}")]
    AlreadyCompleted {
        /// The host it made or renewed.
        host: HostId,
    },
    /// The proof of activation is not the one expected.
    #[error("the proof does not belong to this enrolment")]
    ProofWrong,
    /// The join token cannot be used.
    #[error("the join token {0}")]
    JoinToken(JoinTokenFault),
    /// The host is known and nobody asked it to enrol anew.
    #[error("host {host} may not enrol anew before it is disconnected and reconnected")]
    ReenrolmentNotWanted {
        /// The host.
        host: HostId,
    },
    /// The keys are of another TPM than the host's, and nobody said that it takes its place.
    #[error("host {host} is enrolled with another TPM")]
    OtherTpm {
        /// The host.
        host: HostId,
    },
    /// The candidate is another TPM than the one that is meant.
    #[error("the TPM that was shown for the host has the EK digest {}", hex::encode(.have))]
    CandidateDiffers {
        /// What it is.
        have: crate::Sha256,
    },
    /// The join token admits listed endorsement keys alone, and this is none of them, or none was proved.
    #[error("the join token is for endorsement keys of a list, and this is none of them")]
    EkNotListed,
    /// It is decided about already, or nobody has to decide about it.
    #[error("it does not wait for anybody's decision")]
    NotWaiting,
    /// No identity is stored of the host.
    #[error("host {host} has no identity key")]
    NoIdentity {
        /// The host.
        host: HostId,
    },
    /// A person has disconnected the host.
    #[error("host {host} is disconnected")]
    HostDisconnected {
        /// The host.
        host: HostId,
    },
    /// The host's last verdict does not accept it.
    #[error("host {host} is not accepted")]
    HostNotAccepted {
        /// The host.
        host: HostId,
    },
    /// A person revoked the client certificates of this key.
    #[error("the key of host {host} was revoked by a person")]
    KeyRevoked {
        /// The host.
        host: HostId,
    },
    /// Another authority of client certificates issues by now.
    #[error("another authority issues client certificates by now")]
    AuthorityReplaced,
    /// The number of an authority of client certificates is not the next one.
    #[error("authority {number} of client certificates is known already")]
    AuthorityKnown {
        /// The last one.
        number: i64,
    },
    /// The host enrolled anew between the challenge and the answer.
    #[error("host {host} enrolled anew while its evidence was judged")]
    IdentityChanged {
        /// The host.
        host: HostId,
    },
    /// What should lie in the store, of evidence before, does not any more.
    #[error("evidence that was named by its digest is not in the store")]
    EvidenceGone,
    /// The nonce is not younger than the last one accepted from this host.
    #[error("the nonce was used before, or is older than one that was")]
    NonceUsed,
    /// The name is in use.
    #[error("the name {name} is in use")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No enabled account of an administrator would be left.
    #[error("it is the only account of an administrator that is not disabled")]
    LastAdministrator,
    /// It is not the code for the first account, or that was made already.
    #[error("this is not the code for the first account, or it was used")]
    SetupCode,
    /// The account changed between the look at its password and the session.
    #[error("the account was changed in the meantime")]
    AccountChanged,
    /// References were added or changed while the evidence was judged by what they were before.
    #[error("the references changed while the evidence was judged")]
    ReferencesChanged,
    /// A session has begun by this login already.
    #[error("this login was used")]
    LoginUsed,
    /// The provider logged the person out after it vouched for it.
    #[error("the identity provider logged this person out meanwhile")]
    LoggedOut,
    /// The host's labels are not those that were to be replaced.
    #[error("the labels were changed meanwhile")]
    LabelsChanged,
    /// Newer evidence was judged in the meantime.
    #[error("newer evidence of host {host} was judged in the meantime")]
    NewerEvidence {
        /// The host.
        host: HostId,
    },
    /// A reference's life does not go that way.
    #[error("{}", no_such_step(*.from, *.to))]
    ReferenceState {
        /// What it is; `None` where it is new.
        from: Option<ReferenceState>,
        /// What was asked for.
        to: ReferenceState,
    },
    /// The same content is there for this host or cohort.
    #[error("reference {id} has the same content and is {state}")]
    ReferenceKnown {
        /// The reference that has it.
        id: ReferenceId,
        /// What that one is.
        state: ReferenceState,
    },
    /// Events behind the cursor are gone: they were kept as long as they are to be.
    #[error("events after {after} are forgotten")]
    EventsForgotten {
        /// The cursor.
        after: crate::EventCursor,
    },
    /// No event has this cursor.
    #[error("there is no event {after}")]
    NoSuchEvent {
        /// The cursor.
        after: crate::EventCursor,
    },
    /// The identifier is in use. Identifiers are random, so the request came twice.
    #[error("this identifier is in use")]
    IdTaken,
}

fn no_such_step(from: Option<ReferenceState>, to: ReferenceState) -> String {
    match from {
        Some(from) => format!("a reference that is {from} cannot become {to}"),
        None => format!("a reference does not begin as {to}"),
    }
}

/// Why a join token cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinTokenFault {
    /// It is not known.
    Unknown,
    /// A person ended it.
    Revoked,
    /// Its time is over.
    Expired,
    /// All its uses are taken.
    UsedUp,
}

impl std::fmt::Display for JoinTokenFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            JoinTokenFault::Unknown => "is not known",
            JoinTokenFault::Revoked => "was revoked",
            JoinTokenFault::Expired => "has expired",
            JoinTokenFault::UsedUp => "has no use left",
        })
    }
}

impl StoreError {
    /// The store is going away, or its thread has ended.
    pub(crate) fn closed() -> Self {
        StoreError::Unavailable { source: "the store is closed".into() }
    }

    /// What each of those is told who asked together.
    pub(crate) fn shared(error: &Arc<Self>) -> Self {
        let source = Box::new(Arc::clone(error));
        match **error {
            Self::Unavailable { .. } => Self::Unavailable { source },
            _ => Self::Broken { source },
        }
    }

    /// A column holds what the schema does not allow.
    pub(crate) fn broken(what: &'static str) -> Self {
        StoreError::Broken { source: what.into() }
    }
}
