//! Inventory, enrolments, verdicts, evidence and the audit log in a database.
//!
//! One trait, [`Store`], says what the server needs, in its own row types; documents that only the
//! server understands pass through as JSON text. [`SqliteStore`] is the embedded default,
//! [`PostgresStore`] is for several servers. Each
//! changing method is one transaction that is on disk before its reply resolves, and writes its
//! audit row in that same transaction. Rules that two requests could break by racing (a nonce used
//! twice, an endorsement key at two hosts, a join token used once too often) are checked inside
//! the transaction, never before it.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod activity;
mod elsewhere;
mod error;
mod packing;
pub mod portable;
mod postgres;
mod row;
mod sqlite;

pub use activity::{Activity, Spread};
pub use audit_log::{AuditBreak, AuditChain, AuditRow};
pub use elsewhere::PartElsewhere;
pub use error::{Conflict, EvidenceLoss, JoinTokenFault, Kind, StoreError};
pub use postgres::{AddressError, PostgresAddress, PostgresStore};
pub use row::alarm::{
    Acknowledgement, Alarm, AlarmCause, AlarmEdges, AlarmFilter, AlarmGroup, AlarmId,
    AlarmSelection, Alarms, DueLook, Settlement,
};
pub use row::appraisal::{
    ANSWER_PART, AppraisalId, AppraisalLine, AppraisalRow, Appraisals, BOOT_PART, DecidedBy,
    Deciding, EvidencePart, JUDGEMENT_PART, KeptPart, LastAppraisal, NewAppraisal, Rejudgement,
    SERVER_PARTS, StoredPart,
};
pub use row::approval::{Approvals, CandidateRefusal, HostDecision, WaitingCursor};
pub use row::attention::{FindingCount, MINORITIES_MAX, Minority};
pub use row::audit::By;
pub use row::candidate::{Candidate, NewCandidate, Noted, Replacement};
pub use row::channel::{
    Channel, ChannelActivity, ChannelLease, Channels, DeadLetter, DeadLetterId, DeadLetters,
    NewChannel, NewDeadLetter, Progress,
};
pub use row::client_authority::{ClientAuthorityRow, NewClientAuthority};
pub use row::client_certificate::{
    CertificateCursor, ClientCertificate, ClientCertificates, NewClientCertificate, Revocation,
    RevokedCertificates, RevokedFor, RevokedKeys, Serial,
};
pub use row::ek_list::{
    AdmittedEks, EkCursor, EkDigestKind, EkList, EkLists, JoinedEks, ListedApproval, ListedEk,
    NewEkList, NewListedEk,
};
pub use row::enrolment::{
    Completion, Enrolled, EnrolledKeys, Enrolments, Origin, PendingEnrolment, PendingId,
};
pub use row::event::{Event, EventCursor, EventKind, EventSpan, Events};
pub use row::host::{
    Approval, Connection, Host, HostId, Hosts, Identity, NewHost, QuoteClock, Reenrolment,
    TpmPresence,
};
pub use row::host_order::{Direction, HostCursor, HostOrder, HostSort, OrderValue, Stood};
pub use row::host_view::{HOST_VIEWS_MAX, HostView, HostViews, ViewOf};
pub use row::idempotent::{Begun, IdempotentRequest, IdempotentRequests};
pub use row::inventory::{
    HostFilter, LabelCount, LabelFilter, Labels, LabelsChange, Maintenance, MayStand,
};
pub use row::object::{
    Checked, EvidenceCensus, EvidenceObjects, EvidencePlace, EvidencePlaces, Moved,
};
pub use row::operation::{AuditNote, CensusRow, CensusTimes, Operation, PolicyInForce, Probed};
pub use row::peers::{PeerPcr, Peers, QuotedValues};
pub use row::people::{
    AccountState, LoginFailure, NewSession, NewUser, PasswordState, People, Session, SessionId,
    SessionOf, StoredPassword, User, UserChange, VouchedSessions, Voucher,
};
pub use row::policy::{
    ActivePolicy, NewPolicyVersion, POLICY_VERSIONS_MAX, Policies, PolicyActivation,
    PolicyDocument, PolicyFile, PolicyVersion,
};
pub use row::reference::{
    HostReference, HostReferences, JudgedBy, NewReference, Reference, ReferenceChange, ReferenceId,
    ReferenceOrigin, ReferenceScope, ReferenceState, ReferenceUses, References,
};
pub use row::report::{ReportRun, ReportRuns, ReportTry};
pub use row::standing::{HOUR_MS, STANDING_HOURS_MAX, StandingHour};
pub use row::thinning::{History, Thinning, ThinningPreview, ThinningStep};
pub use row::token::{
    ApiToken, ApprovalRule, JoinToken, JoinTokenId, NewApiToken, NewJoinToken, Role, Tokens,
};
pub use row::told::Told;
pub use row::trust::{Added, NewTrustRoot, TrustAnchors, TrustRoot, TrustRoots};
pub use sqlite::{SqliteLook, SqliteStore};

use std::future::Future;
use std::pin::Pin;

/// A SHA-256 digest: of a token's secret, a certificate, or a piece of evidence.
pub type Sha256 = [u8; 32];

/// What every method of [`Store`] returns. Nothing happens before it is polled; once polled, a
/// change may take place even when the reply is dropped.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Most hosts in one answer of [`Hosts::hosts`]; a larger wish is cut to it. A row with its
/// certificates is about 4 KiB, so a page stays near 2 MiB.
pub const HOSTS_PAGE_MAX: u32 = 500;

/// Most rows in one answer of [`Appraisals::appraisals`] and [`Store::audit`]; a larger wish is cut to
/// it.
pub const HISTORY_PAGE_MAX: u32 = 1_000;

/// Most unfinished enrolments of one join token. A rack or a rollout starts at once, and each
/// enrolment lasts seconds; someone who holds the token must still not fill the disk.
pub const PENDING_PER_JOIN_TOKEN_MAX: u32 = 4_096;

/// Most references of one host, and of one cohort, that are not retired: evidence is compared with
/// each. A host that has more boots in use than this has none that is expected.
pub const REFERENCES_PER_SCOPE_MAX: u32 = 64;

/// Identities of before that are kept of a host: evidence that is judged again is seldom older than
/// one or two of them, and a host must not fill the disk by making keys.
pub const PAST_IDENTITIES_MAX: u32 = 16;

/// Most labels of one host: they are shown in one line, and read with each of its requests.
pub const LABELS_PER_HOST_MAX: u32 = 32;

/// Sessions of one person: browsers and machines that somebody works at. The oldest ends for a new one.
pub const SESSIONS_PER_PERSON_MAX: u32 = 32;

/// Milliseconds that may be between the word of an identity provider and the session that begins by it: for as long a
/// logout is remembered.
pub const VOUCHED_MS_MAX: i64 = 10 * 60_000;

/// Most channels: each reads each event.
pub const CHANNELS_MAX: u32 = 64;

/// Most dead letters that are kept of a channel: of a receiver that was away for long, a person wants the
/// newest, and each has some KiB.
pub const DEAD_LETTERS_MAX: u32 = 10_000;

/// Most requests with a key that are kept of one caller. Scripts make some hundreds in a day; whoever makes
/// more must not fill the disk with answers.
pub const IDEMPOTENT_REQUESTS_MAX: u32 = 1_000;

/// Most client certificates of one host that have not ended, revoked or not. An agent has two at a time, and
/// gets one more each time that it starts; a host must not fill the list of revoked ones, which everybody gets.
pub const CLIENT_CERTIFICATES_PER_HOST_MAX: u32 = 32;

/// Most authorities of client certificates of one trust domain that are not retired: a relying party reads the list
/// of each.
pub const CLIENT_AUTHORITIES_MAX: u32 = 8;

/// Milliseconds after the begin of an authority before which none that it follows is retired: longer than a
/// certificate that was begun by that one is on its way.
pub const CLIENT_AUTHORITY_GRACE_MS: i64 = 60_000;

/// Milliseconds for which a client certificate is kept after its end: longer than a challenge is good at most,
/// so that none works twice, and than relying parties use a list of revoked ones.
pub const CLIENT_CERTIFICATES_KEPT_MS: i64 = 2 * 3_600_000;

/// Where the server keeps everything that must outlive it.
///
/// Times are Unix milliseconds. Methods that take [`By`] are changes that someone made: they write
/// an audit row. Methods that begin with `note_` record what a host said or did and are too many to
/// audit. Two servers on one store must take their time from [`Store::now_ms`].
pub trait Store:
    Tokens
    + People
    + TrustAnchors
    + EkLists
    + Hosts
    + Approvals
    + Enrolments
    + Appraisals
    + History
    + Alarms
    + Events
    + Channels
    + ReportRuns
    + References
    + IdempotentRequests
    + EvidencePlaces
    + Operation
    + Policies
    + HostViews
    + ClientCertificates
    + Send
    + Sync
{
    /// The store's clock, Unix milliseconds.
    fn now_ms(&self) -> Reply<'_, i64>;

    // Secrets of the server.

    /// The secret called `name`, or `candidate` if there was none; all servers on one store get
    /// the same bytes. The caller makes `candidate` from a good random source.
    fn secret_or_insert(&self, name: &str, candidate: Vec<u8>) -> Reply<'_, Vec<u8>>;

    // The audit log.

    /// Audit rows with a sequence number above `after_seq`, oldest first; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`]. [`AuditChain`] checks them.
    fn audit(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<AuditRow>>;
    /// Number and seal of the last audit row; 0 and zeros before the first.
    fn audit_head(&self) -> Reply<'_, (i64, Sha256)>;

    // Several servers on one store.

    /// Tells the other servers on this store that something about these hosts changed, so that who waits
    /// there for it need not wait until he looks again. The store is the truth: what is told may get lost.
    fn tell(&self, hosts: Vec<HostId>) -> Reply<'_, ()>;
    /// Tells the other servers that there are new events.
    fn tell_of_events(&self) -> Reply<'_, ()>;
    /// What other servers told since the last call; resolves when there is something. For one caller.
    /// Where the store is one server's it never resolves.
    fn told(&self) -> Reply<'_, Told>;

    // Policies that are kept.

    /// Says something in the audit log that changes no row.
    fn note_for_audit(&self, note: AuditNote, by: By) -> Reply<'_, ()>;
}
