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
    AlarmSelection, DueLook, Settlement,
};
pub use row::appraisal::{
    ANSWER_PART, AppraisalId, AppraisalLine, AppraisalRow, BOOT_PART, DecidedBy, Deciding,
    EvidencePart, JUDGEMENT_PART, KeptPart, LastAppraisal, NewAppraisal, Rejudgement, SERVER_PARTS,
    StoredPart,
};
pub use row::approval::{CandidateRefusal, HostDecision, WaitingCursor};
pub use row::attention::{FindingCount, MINORITIES_MAX, Minority};
pub use row::audit::By;
pub use row::candidate::{Candidate, NewCandidate, Noted, Replacement};
pub use row::channel::{
    Channel, ChannelActivity, ChannelLease, DeadLetter, DeadLetterId, DeadLetters, NewChannel,
    NewDeadLetter, Progress,
};
pub use row::client_authority::{ClientAuthorityRow, NewClientAuthority};
pub use row::client_certificate::{
    CertificateCursor, ClientCertificate, ClientCertificates, NewClientCertificate, Revocation,
    RevokedCertificates, RevokedFor, RevokedKeys, Serial,
};
pub use row::ek_list::{
    AdmittedEks, EkCursor, EkDigestKind, EkList, JoinedEks, ListedApproval, ListedEk, NewEkList,
    NewListedEk,
};
pub use row::enrolment::{Completion, Enrolled, EnrolledKeys, Origin, PendingEnrolment, PendingId};
pub use row::event::{Event, EventCursor, EventKind, EventSpan};
pub use row::host::{
    Approval, Connection, Host, HostId, Identity, NewHost, QuoteClock, Reenrolment, TpmPresence,
};
pub use row::host_order::{Direction, HostCursor, HostOrder, HostSort, OrderValue, Stood};
pub use row::host_view::{HOST_VIEWS_MAX, HostView, HostViews, ViewOf};
pub use row::idempotent::{Begun, IdempotentRequest};
pub use row::inventory::{
    HostFilter, LabelCount, LabelFilter, Labels, LabelsChange, Maintenance, MayStand,
};
pub use row::object::{Checked, EvidenceCensus, EvidenceObjects, EvidencePlace, Moved};
pub use row::operation::{AuditNote, CensusRow, CensusTimes, PolicyInForce, Probed};
pub use row::peers::{PeerPcr, Peers, QuotedValues};
pub use row::people::{
    AccountState, LoginFailure, NewSession, NewUser, PasswordState, Session, SessionId, SessionOf,
    StoredPassword, User, UserChange, VouchedSessions, Voucher,
};
pub use row::policy::{
    ActivePolicy, NewPolicyVersion, POLICY_VERSIONS_MAX, PolicyActivation, PolicyDocument,
    PolicyFile, PolicyVersion,
};
pub use row::reference::{
    HostReference, HostReferences, JudgedBy, NewReference, Reference, ReferenceChange, ReferenceId,
    ReferenceOrigin, ReferenceScope, ReferenceState, ReferenceUses,
};
pub use row::report::{ReportRun, ReportTry};
pub use row::standing::{HOUR_MS, STANDING_HOURS_MAX, StandingHour};
pub use row::thinning::{Thinning, ThinningPreview, ThinningStep};
pub use row::token::{
    ApiToken, ApprovalRule, JoinToken, JoinTokenId, NewApiToken, NewJoinToken, Role,
};
pub use row::told::Told;
pub use row::trust::{Added, NewTrustRoot, TrustRoot, TrustRoots};
pub use sqlite::{SqliteLook, SqliteStore};

use std::future::Future;
use std::pin::Pin;

/// A SHA-256 digest: of a token's secret, a certificate, or a piece of evidence.
pub type Sha256 = [u8; 32];

/// What every method of [`Store`] returns. Nothing happens before it is polled; once polled, a
/// change may take place even when the reply is dropped.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Most hosts in one answer of [`Store::hosts`]; a larger wish is cut to it. A row with its
/// certificates is about 4 KiB, so a page stays near 2 MiB.
pub const HOSTS_PAGE_MAX: u32 = 500;

/// Most rows in one answer of [`Store::appraisals`] and [`Store::audit`]; a larger wish is cut to
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
pub trait Store: HostViews + ClientCertificates + Send + Sync {
    /// The store's clock, Unix milliseconds.
    fn now_ms(&self) -> Reply<'_, i64>;

    // Secrets of the server.

    /// The secret called `name`, or `candidate` if there was none; all servers on one store get
    /// the same bytes. The caller makes `candidate` from a good random source.
    fn secret_or_insert(&self, name: &str, candidate: Vec<u8>) -> Reply<'_, Vec<u8>>;

    // Tokens of people and programs.

    /// Adds an API token. [`Conflict::NameTaken`] if its name is in use.
    fn add_api_token(&self, token: NewApiToken, by: By) -> Reply<'_, ()>;
    /// The token whose secret has this digest, unless it has expired at `now_ms`.
    fn api_token_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
    ) -> Reply<'_, Option<ApiToken>>;
    /// All API tokens by name.
    fn api_tokens(&self) -> Reply<'_, Vec<ApiToken>>;
    /// An API token was used at `at_ms`. An earlier time than the one known changes nothing. Say it now
    /// and then: it is a change on disk.
    fn note_api_token_used(&self, name: &str, at_ms: i64) -> Reply<'_, ()>;
    /// Removes an API token.
    fn remove_api_token(&self, name: &str, by: By) -> Reply<'_, ()>;

    // People.

    /// Adds an account. [`Conflict::NameTaken`] if its name is in use.
    fn add_user(&self, user: NewUser, by: By) -> Reply<'_, ()>;
    /// One account.
    fn user(&self, name: &str) -> Reply<'_, Option<User>>;
    /// All accounts by name.
    fn users(&self) -> Reply<'_, Vec<User>>;
    /// Changes an account, and ends its sessions if anything is another one then.
    /// [`Conflict::LastAdministrator`] where no enabled account of an administrator would be left.
    fn change_user(&self, name: &str, change: UserChange, by: By) -> Reply<'_, ()>;
    /// Sets the password of an account, and ends its sessions.
    fn set_password(&self, name: &str, password: StoredPassword, by: By) -> Reply<'_, ()>;
    /// Removes an account with its sessions. [`Conflict::LastAdministrator`] as above.
    fn remove_user(&self, name: &str, by: By) -> Reply<'_, ()>;
    /// Keeps the digest of a code by which the first account can be made, in the place of any before;
    /// `false` where there is an account, and so no need for one.
    fn keep_setup_code(&self, code_sha256: Sha256, at_ms: i64) -> Reply<'_, bool>;
    /// Whether the first account can be made by a code.
    fn is_setup_open(&self) -> Reply<'_, bool>;
    /// Adds the first account, and ends the code. [`Conflict::SetupCode`] where it is not the code.
    fn set_up(&self, code_sha256: Sha256, user: NewUser, by: By) -> Reply<'_, ()>;
    /// Begins a session; one of an account only if the password is still the one that was shown, and
    /// the account is not disabled ([`Conflict::AccountChanged`]). Of two with one identifier the second
    /// does not begin ([`Conflict::LoginUsed`]), nor does one of a person whom the provider logged out since it
    /// vouched ([`Conflict::LoggedOut`]). Of more than [`SESSIONS_PER_PERSON_MAX`] the oldest end.
    fn begin_session(&self, session: NewSession, by: By) -> Reply<'_, ()>;
    /// The session whose secret has this digest, where it has not ended at `now_ms` and was used after
    /// `used_after_ms`, and its account is not disabled.
    fn session_by_sha256(
        &self,
        secret_sha256: Sha256,
        now_ms: i64,
        used_after_ms: i64,
    ) -> Reply<'_, Option<Session>>;
    /// All sessions that are good in that sense, by person, the newest first; at most
    /// [`HISTORY_PAGE_MAX`].
    fn sessions(&self, now_ms: i64, used_after_ms: i64) -> Reply<'_, Vec<Session>>;
    /// A session was used at `at_ms`. Say it now and then: it is a change on disk.
    fn note_session_used(&self, id: &SessionId, at_ms: i64) -> Reply<'_, ()>;
    /// Ends a session: anybody's, or one of `actor`.
    fn end_session(&self, id: &SessionId, actor: Option<&str>, by: By) -> Reply<'_, ()>;
    /// Ends sessions that an identity provider vouched for, also those that are yet to begin by its word of before, and
    /// says how many had begun.
    fn end_vouched_sessions(&self, which: VouchedSessions, by: By) -> Reply<'_, u32>;
    /// Somebody could not log in. Audited: say how many there were instead of each, when there are many.
    fn note_login_failure(&self, failure: LoginFailure, by: By) -> Reply<'_, ()>;

    // Join tokens.

    /// Adds a join token.
    fn add_join_token(&self, token: NewJoinToken, by: By) -> Reply<'_, ()>;
    /// All join tokens, newest first, with those that can no longer be used.
    fn join_tokens(&self) -> Reply<'_, Vec<JoinToken>>;
    /// The join token whose secret has this digest, usable or not: see [`JoinToken::fault`].
    fn join_token_by_sha256(&self, secret_sha256: Sha256) -> Reply<'_, Option<JoinToken>>;
    /// Ends a join token. Hosts that used it stay; a second revocation changes nothing.
    fn revoke_join_token(&self, id: &JoinTokenId, by: By) -> Reply<'_, ()>;

    // Trust roots.

    /// Adds a root certificate; [`Added::AlreadyThere`] changes nothing.
    fn add_trust_root(&self, root: NewTrustRoot, by: By) -> Reply<'_, Added>;
    /// All roots, and the generation they belong to, from one snapshot.
    fn trust_roots(&self) -> Reply<'_, TrustRoots>;
    /// A number that moves whenever a root is added or removed: the cheap question "did it change?".
    fn trust_generation(&self) -> Reply<'_, i64>;
    /// Removes the root with this SHA-256 over its DER bytes.
    fn remove_trust_root(&self, sha256: Sha256, by: By) -> Reply<'_, ()>;

    // Endorsement keys that are known from a purchase.

    /// Makes a list without keys. [`Conflict::NameTaken`] if there is one of its name.
    fn add_ek_list(&self, list: NewEkList, by: By) -> Reply<'_, ()>;
    /// All lists by name.
    fn ek_lists(&self) -> Reply<'_, Vec<EkList>>;
    /// Puts keys on a list, and returns for each on which lists it was before, this one among them: then
    /// nothing of it is changed.
    fn add_listed_eks(
        &self,
        list: &str,
        eks: Vec<NewListedEk>,
        by: By,
    ) -> Reply<'_, Vec<Vec<String>>>;
    /// Keys of a list by kind and digest, after `after`; at most `n_max` and [`HISTORY_PAGE_MAX`].
    fn listed_eks(
        &self,
        list: &str,
        joined: JoinedEks,
        after: Option<EkCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<ListedEk>>;
    /// Removes a list with its keys. Hosts that joined by it stay as they are.
    fn remove_ek_list(&self, list: &str, by: By) -> Reply<'_, ()>;
    /// Enrolled hosts whose keys are on no list, by identifier, after `after`; at most `n_max` and
    /// [`HOSTS_PAGE_MAX`].
    fn unlisted_hosts(&self, after: Option<HostId>, n_max: u32) -> Reply<'_, Vec<Host>>;

    // Hosts.

    /// Adds a host that joins without a TPM, and takes one use of its join token.
    fn create_host(&self, host: NewHost, by: By) -> Reply<'_, Enrolled>;
    /// Hosts that fit `filter` in its order, after `after`, which is of that order; at most `n_max` and [`HOSTS_PAGE_MAX`].
    fn hosts(
        &self,
        filter: HostFilter,
        after: Option<HostCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>>;
    /// One host.
    fn host(&self, id: &HostId) -> Reply<'_, Option<Host>>;
    /// Hosts of this name: names are the hosts' own words and need not be unique. At most
    /// [`HOSTS_PAGE_MAX`].
    fn hosts_by_name(&self, name: &str) -> Reply<'_, Vec<Host>>;
    /// Hosts that named this cohort last, by identifier, after `after`; at most `n_max` and
    /// [`HOSTS_PAGE_MAX`].
    fn hosts_of_cohort(
        &self,
        cohort: &str,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>>;
    /// How many hosts there are.
    fn n_hosts(&self) -> Reply<'_, u64>;
    /// The host whose API token has this digest.
    fn host_by_api_token(&self, token_sha256: Sha256) -> Reply<'_, Option<Host>>;
    /// Takes a host out of attestation until it is reconnected.
    fn disconnect_host(&self, id: &HostId, by: By) -> Reply<'_, ()>;
    /// Takes a host back, due at once; with [`Reenrolment::Wanted`] it also may enrol its TPM anew.
    fn reconnect_host(&self, id: &HostId, reenrolment: Reenrolment, by: By) -> Reply<'_, ()>;
    /// Records a person's decision about a host.
    fn set_approval(&self, id: &HostId, approval: Approval, by: By) -> Reply<'_, ()>;
    /// Changes a host's labels, and returns all of them. [`StoreError::Limit`] ([`LABELS_PER_HOST_MAX`]).
    fn change_labels(&self, id: &HostId, change: LabelsChange, by: By) -> Reply<'_, Labels>;
    /// Puts `to` in the place of all labels of a host, where they are `from`; else
    /// [`Conflict::LabelsChanged`].
    fn replace_labels(&self, id: &HostId, from: Labels, to: Labels, by: By) -> Reply<'_, ()>;
    /// How many hosts have each label, of this key or of all, by key and value; at most
    /// [`HISTORY_PAGE_MAX`].
    fn label_counts(&self, key: Option<&str>) -> Reply<'_, Vec<LabelCount>>;
    /// Records that somebody works on a host, until `until_ms` or until a person ends it. A second time
    /// replaces the first.
    fn enter_maintenance(
        &self,
        id: &HostId,
        until_ms: Option<i64>,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()>;
    /// Records that nobody works on a host any more.
    fn leave_maintenance(&self, id: &HostId, by: By) -> Reply<'_, ()>;
    /// Asks for evidence now. The wish ends with the first appraisal whose nonce is younger.
    /// [`Conflict::HostDisconnected`] where nobody would answer.
    fn request_attestation(&self, id: &HostId, by: By) -> Reply<'_, ()>;
    /// Removes a host with its identity, appraisals, and evidence that no other host shares.
    fn remove_host(&self, id: &HostId, by: By) -> Reply<'_, ()>;
    /// The host was heard of at `at_ms`. An earlier time than the one known changes nothing.
    fn note_seen(&self, id: &HostId, at_ms: i64) -> Reply<'_, ()>;
    /// What the host says about its TPM.
    fn note_tpm(&self, id: &HostId, tpm: TpmPresence) -> Reply<'_, ()>;
    /// Why the host's last enrolment failed (JSON), shown until the next one succeeds. It ends the
    /// wish for a new one: the cause needs a person, who then reconnects the host again.
    fn note_enrolment_problem(&self, id: &HostId, problem_json: String) -> Reply<'_, ()>;

    /// Wants the host's agent to make a new attestation key; the present one counts until the new one
    /// is bound. [`Conflict::NoIdentity`] where there is none.
    fn want_rotation(&self, id: &HostId, by: By) -> Reply<'_, ()>;

    // Another TPM in the place of a host's.

    /// A TPM that is not the enrolled one was shown for a host. There is one candidate a host: an
    /// approved one, and one that was seen lately and that nobody refused, stay. Audited where the candidate is a new one.
    fn note_candidate(&self, candidate: NewCandidate, by: By) -> Reply<'_, Noted>;
    /// Records a person's word that the candidate takes the enrolled TPM's place. Checked in this
    /// order: there is a candidate ([`StoreError::NotFound`]), it is the one that is meant
    /// ([`Conflict::CandidateDiffers`]), it is no other host's TPM ([`Conflict::EkTaken`]). Returns the
    /// endorsement key's digest before, where there was one.
    fn approve_replacement(&self, replacement: Replacement, by: By) -> Reply<'_, Option<Sha256>>;

    // What waits for a person.

    /// Hosts that wait for a person's consent, the longest waiting first, after `after`; at most `n_max`
    /// and [`HOSTS_PAGE_MAX`].
    fn hosts_waiting(&self, after: Option<WaitingCursor>, n_max: u32) -> Reply<'_, Vec<Host>>;
    /// Hosts for which another TPM waits at `now_ms` that nobody approved or refused, by identifier,
    /// after `after`; at most `n_max` and [`HOSTS_PAGE_MAX`].
    fn candidates_waiting(
        &self,
        now_ms: i64,
        after: Option<HostId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>>;
    /// References that nobody has put in force, with a number above `after_seq`, oldest first; at most
    /// `n_max` and [`HISTORY_PAGE_MAX`].
    fn references_waiting(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<Reference>>;
    /// Records a person's word about a host that waits for it; [`Conflict::NotWaiting`] where it does not.
    fn decide_host(
        &self,
        id: &HostId,
        decision: HostDecision,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()>;
    /// Records a person's word that a candidate does not take the enrolled TPM's place: it is kept, and
    /// waits no more. Checked as [`Store::approve_replacement`], then that it waits
    /// ([`Conflict::NotWaiting`]).
    fn refuse_candidate(&self, refusal: CandidateRefusal, by: By) -> Reply<'_, ()>;

    // Enrolments on the way.

    /// Keeps what a started enrolment needs until it is completed or expires. A new one for the
    /// same host replaces the host's older ones. Fails if the join token cannot be used, if the
    /// host may not enrol these keys, or with [`StoreError::Limit`] ([`PENDING_PER_JOIN_TOKEN_MAX`]).
    fn begin_enrolment(&self, pending: PendingEnrolment, by: By) -> Reply<'_, ()>;
    /// A started enrolment, completed or not, until it expires at `now_ms`.
    fn pending_enrolment(&self, id: &PendingId, now_ms: i64)
    -> Reply<'_, Option<PendingEnrolment>>;
    /// Completes an enrolment in one transaction. Checked in this order: it exists and has not
    /// expired ([`StoreError::NotFound`]), was not completed ([`Conflict::AlreadyCompleted`]), the
    /// proof is equal in constant time ([`Conflict::ProofWrong`]), no other host has this EK
    /// ([`Conflict::EkTaken`]), the join token has a use left ([`Conflict::JoinToken`]), and a known
    /// host may enrol these keys: the same TPM where a person wants it or the attestation key is
    /// another one ([`Conflict::ReenrolmentNotWanted`]), another TPM where a person approved it
    /// ([`Conflict::OtherTpm`]). Nothing is changed on failure.
    ///
    /// A new attestation key of the same TPM leaves the last verdict; the quote counters go, since a
    /// TPM shows other ones to each key. The identity of before is kept: [`Store::past_identity`].
    fn complete_enrolment(&self, completion: Completion, by: By) -> Reply<'_, Enrolled>;

    /// The identity of a host that had this [`Host::identity_version`], of the last
    /// [`PAST_IDENTITIES_MAX`].
    fn past_identity(&self, host: &HostId, version: i64) -> Reply<'_, Option<Identity>>;

    // Appraisals.

    /// Records a verdict in one transaction. Checked in this order: the host exists and is
    /// connected ([`Conflict::HostDisconnected`]), its identity is still the one the evidence was
    /// judged by ([`Conflict::IdentityChanged`]), and the nonce is younger than the host's last one
    /// ([`Conflict::NonceUsed`]), and the references are those that it was judged by
    /// ([`Conflict::ReferencesChanged`]). Then: the appraisal, evidence not seen before, the host's
    /// summary; an audit row only where the verdict differs from the last. Parts that belong outside of the
    /// database are written there before all this: [`StoreError::Unavailable`] where that is not possible now.
    fn record_appraisal(&self, appraisal: NewAppraisal, by: By) -> Reply<'_, AppraisalId>;
    /// Records a verdict on the evidence of the host's last one, which it replaces as the one that
    /// counts. Refused as [`Store::record_appraisal`], and where that judgement is the last no more
    /// ([`Conflict::NewerEvidence`]). The evidence gets no younger by it.
    fn record_rejudgement(&self, rejudgement: Rejudgement, by: By) -> Reply<'_, AppraisalId>;
    /// Appraisals of a host, newest first; at most `n_max` and [`HISTORY_PAGE_MAX`].
    fn appraisals(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalRow>>;
    /// The same in short, without their documents.
    fn appraisal_lines(&self, host: &HostId, n_max: u32) -> Reply<'_, Vec<AppraisalLine>>;
    /// One appraisal.
    fn appraisal(&self, id: AppraisalId) -> Reply<'_, Option<AppraisalRow>>;
    /// The evidence that an appraisal judged, verbatim, in the order given when it was recorded.
    /// [`StoreError::EvidenceLost`] where some of it is.
    fn evidence(&self, id: AppraisalId) -> Reply<'_, Vec<EvidencePart>>;
    /// The evidence of several appraisals, in their order. Of parts of more than `bytes_max` bytes
    /// only the digest: hosts share their logs, and who knows a log already need not read it.
    fn evidence_of_many(
        &self,
        ids: Vec<AppraisalId>,
        bytes_max: u32,
    ) -> Reply<'_, Vec<Vec<StoredPart>>>;
    /// One piece of evidence by its digest. [`StoreError::EvidenceLost`] where it is.
    fn evidence_by_sha256(&self, sha256: Sha256) -> Reply<'_, Option<Vec<u8>>>;
    /// Forgets appraisals from before `before_ms` that are not their host's last, and evidence that
    /// nothing refers to any more. At most `n_max` appraisals, so that it can be done in slices;
    /// returns how many went.
    fn forget_appraisals(&self, before_ms: i64, n_max: u32, by: By) -> Reply<'_, u32>;

    /// Goes on with thinning the history: a slice of at most `n_max` judgements. A run goes through all hosts by
    /// the rule that it began with, at any server, and is one audit row at its end.
    fn thin_history(&self, rule: Thinning, n_max: u32, by: By) -> Reply<'_, ThinningStep>;
    /// What a run by `rule` would do to at most `n_hosts` hosts after `after`.
    fn thinning_preview(
        &self,
        rule: Thinning,
        after: Option<HostId>,
        n_hosts: u32,
    ) -> Reply<'_, ThinningPreview>;
    /// Gives room that nothing uses any more back to the disk, at most `n_max` pages; returns how many are
    /// left. Where the database does so by itself there are none.
    fn return_space(&self, n_max: u32) -> Reply<'_, u64>;

    /// How the host's last verified quote compares with those of the cohort that it named then;
    /// `None` where it named none, or no quote of it was verified yet. As dear for a large cohort as
    /// for a small one.
    fn peers(&self, host: &HostId) -> Reply<'_, Option<Peers>>;

    // Alarms.

    /// Hosts at which to look at `now_ms`, the longest due first; at most `n_max` and
    /// [`HOSTS_PAGE_MAX`]. A host is due after each change of what counts of it, and when age alone
    /// changes that.
    ///
    /// Where several servers share the store each host is given to one of them, up to `lease_until_ms`
    /// or until it is settled: who is killed meanwhile is not missed for longer.
    fn claim_looks(&self, now_ms: i64, lease_until_ms: i64, n_max: u32) -> Reply<'_, Vec<DueLook>>;
    /// Makes all hosts due: what counts of them may be worked out by other rules now.
    fn look_at_all(&self) -> Reply<'_, ()>;
    /// Raises and clears alarms, so that those stand whose causes do. Changes nothing where the host
    /// changed since the look, or is gone: it is due again then.
    fn settle_alarms(&self, settlement: Settlement) -> Reply<'_, AlarmEdges>;
    /// Alarms that fit `filter`, newest first, with numbers below `before`; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`].
    fn alarms(
        &self,
        filter: AlarmFilter,
        before: Option<AlarmId>,
        n_max: u32,
    ) -> Reply<'_, Vec<Alarm>>;
    /// All alarms that stand, by cause, as they are at `now_ms`.
    fn alarm_groups(&self, now_ms: i64) -> Reply<'_, Vec<AlarmGroup>>;
    /// Records that a person knows of alarms that stand, until `until_ms` or until they are cleared;
    /// returns how many.
    fn acknowledge_alarms(
        &self,
        selection: AlarmSelection,
        reason: &str,
        until_ms: Option<i64>,
        by: By,
    ) -> Reply<'_, u32>;
    /// Takes acknowledgements back; returns how many.
    fn withdraw_acknowledgements(&self, selection: AlarmSelection, by: By) -> Reply<'_, u32>;

    // Events.

    /// Events after `after`, oldest first; at most `n_max` and [`HISTORY_PAGE_MAX`]. An event is written
    /// in the transaction of the change that it tells, and has a number once it is published: whoever
    /// goes on from a number misses nothing and gets nothing twice. [`Conflict::EventsForgotten`] where
    /// events behind `after` are gone, [`Conflict::NoSuchEvent`] where there never was one.
    fn events(&self, after: EventCursor, n_max: u32) -> Reply<'_, Vec<Event>>;
    /// Which events there are.
    fn event_span(&self) -> Reply<'_, EventSpan>;
    /// Gives numbers to events that were committed and have none; returns how many, at most
    /// [`HISTORY_PAGE_MAX`].
    fn publish_events(&self) -> Reply<'_, u32>;
    /// Forgets the oldest events, those from before `before_ms`, at most `n_max`; returns how many.
    fn forget_events(&self, before_ms: i64, n_max: u32) -> Reply<'_, u32>;
    /// Ends what ends by time, and was not ended yet: acknowledgements of alarms that stand, and
    /// maintenance. At most `n_max` of each; returns how many.
    fn end_lapsed(&self, now_ms: i64, n_max: u32) -> Reply<'_, u32>;

    // Channels.

    /// Adds a channel, which tells of what comes behind the last event. [`Conflict::NameTaken`] if its
    /// name is in use; [`StoreError::Limit`] ([`CHANNELS_MAX`]).
    fn add_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()>;
    /// All channels by name.
    fn channels(&self) -> Reply<'_, Vec<Channel>>;
    /// One channel.
    fn channel(&self, name: &str) -> Reply<'_, Option<Channel>>;
    /// Gives the channel of this name other settings; its kind, cursor and dead letters stay. What failed
    /// is tried anew at once.
    fn change_channel(&self, channel: NewChannel, by: By) -> Reply<'_, ()>;
    /// Pauses a channel, or lets it go on where it was.
    fn set_channel_activity(&self, name: &str, activity: ChannelActivity, by: By) -> Reply<'_, ()>;
    /// Removes a channel with its dead letters.
    fn remove_channel(&self, name: &str, by: By) -> Reply<'_, ()>;
    /// Takes a channel that is due at `now_ms` and that nobody holds. One is due that is not paused,
    /// whose time has come, and that has events behind its cursor, dead letters to deliver, or something
    /// to renew. The lease of a server that died ends by time; where the store is one server's, at once.
    fn claim_channel(&self, lease: ChannelLease, now_ms: i64) -> Reply<'_, Option<Channel>>;
    /// Notes how far a channel is, and that the lease goes on; `false` where it is not the holder's any
    /// more, and nothing was noted. Of dead letters the newest [`DEAD_LETTERS_MAX`] are kept.
    fn note_progress(&self, name: &str, progress: Progress, lease: ChannelLease)
    -> Reply<'_, bool>;
    /// Gives a channel back.
    fn release_channel(&self, name: &str, holder: &str) -> Reply<'_, ()>;
    /// Dead letters of a channel with numbers above `after`, oldest first; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`].
    fn dead_letters(
        &self,
        channel: &str,
        after: DeadLetterId,
        n_max: u32,
    ) -> Reply<'_, Vec<DeadLetter>>;
    /// Wants dead letters delivered; returns how many.
    fn redeliver(&self, channel: &str, which: DeadLetters, by: By) -> Reply<'_, u32>;
    /// The oldest dead letter that is to be delivered.
    fn due_dead_letter(&self, channel: &str) -> Reply<'_, Option<DeadLetter>>;
    /// Notes that a dead letter was delivered (`None`), so that it goes, or why not.
    fn note_redelivery(&self, id: DeadLetterId, error: Option<String>) -> Reply<'_, ()>;

    // Reports that are sent by themselves.

    /// How far reports are, by name.
    fn report_runs(&self) -> Reply<'_, Vec<ReportRun>>;
    /// Takes a report that was due at `due_ms` and was not sent for that time, nor is somebody at it. One that
    /// is not known yet is noted and not taken: its times of before are nobody's. The lease of a server that
    /// died ends by time; where the store is one server's, at once.
    fn claim_report(
        &self,
        name: &str,
        due_ms: i64,
        lease: ChannelLease,
        now_ms: i64,
    ) -> Reply<'_, bool>;
    /// Notes what became of a report that `holder` took; `false` where it is not the holder's any more, and
    /// nothing was noted.
    fn note_report(
        &self,
        name: &str,
        due_ms: i64,
        became: ReportTry,
        holder: &str,
        by: By,
    ) -> Reply<'_, bool>;

    // References.

    /// Adds a reference. Checked in this order: it begins as pending or active
    /// ([`Conflict::ReferenceState`]), its host exists, its content is not revoked for this host or
    /// cohort and does not count for it without limits already ([`Conflict::ReferenceKnown`]), and
    /// there is room ([`REFERENCES_PER_SCOPE_MAX`]).
    fn add_reference(&self, reference: NewReference, by: By) -> Reply<'_, ()>;
    /// Moves a reference on in its life; [`Conflict::ReferenceState`] where
    /// [`ReferenceState::may_become`] says no.
    fn set_reference_state(
        &self,
        id: &ReferenceId,
        state: ReferenceState,
        reason: &str,
        by: By,
    ) -> Reply<'_, ()>;
    /// References with a number above `after_seq`, in every state, oldest first; at most `n_max`
    /// and [`HISTORY_PAGE_MAX`].
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

    // The audit log.

    /// Audit rows with a sequence number above `after_seq`, oldest first; at most `n_max` and
    /// [`HISTORY_PAGE_MAX`]. [`AuditChain`] checks them.
    fn audit(&self, after_seq: i64, n_max: u32) -> Reply<'_, Vec<AuditRow>>;
    /// Number and seal of the last audit row; 0 and zeros before the first.
    fn audit_head(&self) -> Reply<'_, (i64, Sha256)>;

    // Requests that are to be done once.

    /// Records that a request with a key begins, and says whether it is the first. One of several that
    /// come at once is. [`StoreError::Limit`] ([`IDEMPOTENT_REQUESTS_MAX`]).
    fn begin_idempotent(&self, request: IdempotentRequest) -> Reply<'_, Begun>;
    /// Keeps what was answered.
    fn answer_idempotent(&self, id: Sha256, sealed: Vec<u8>) -> Reply<'_, ()>;
    /// Forgets a request that was not answered: it failed, and may be tried again.
    fn forget_idempotent(&self, id: Sha256) -> Reply<'_, ()>;

    // Several servers on one store.

    /// Tells the other servers on this store that something about these hosts changed, so that who waits
    /// there for it need not wait until he looks again. The store is the truth: what is told may get lost.
    fn tell(&self, hosts: Vec<HostId>) -> Reply<'_, ()>;
    /// Tells the other servers that there are new events.
    fn tell_of_events(&self) -> Reply<'_, ()>;
    /// What other servers told since the last call; resolves when there is something. For one caller.
    /// Where the store is one server's it never resolves.
    fn told(&self) -> Reply<'_, Told>;

    // Evidence outside of the database.

    /// Moves parts of evidence, by number, from behind `after` on; `n_max` at most. Each is where it was, or
    /// where it goes, at any moment, and may be asked for meanwhile.
    fn move_evidence(&self, to: EvidencePlace, after: i64, n_max: u32) -> Reply<'_, Moved>;
    /// Reads objects by the numbers of their parts, from behind `after` on, and notes those that are missing or
    /// not what was written. A judgement that brings the bytes of such a part brings it back.
    fn check_objects(&self, after: i64, n_max: u32) -> Reply<'_, Checked>;
    /// How many parts lie where. Looks at all of them: for a timer, and for people.
    fn evidence_census(&self) -> Reply<'_, EvidenceCensus>;
    /// Whether any part lies outside of the database.
    fn has_objects(&self) -> Reply<'_, bool>;
    /// Where long parts are written, and those that lie outside are read.
    fn evidence_objects(&self) -> Option<&EvidenceObjects>;
    /// Objects that nothing refers to since before `before_ms`, the longest first; at most `n_max`.
    fn objects_to_remove(&self, before_ms: i64, n_max: u32) -> Reply<'_, Vec<String>>;
    /// These objects were removed.
    fn note_objects_removed(&self, objects: Vec<String>) -> Reply<'_, ()>;
    /// Those of `objects` that a part lies in, or that are to be removed in their time.
    fn known_objects(&self, objects: Vec<String>) -> Reply<'_, Vec<String>>;

    // Running it.

    /// Whether the store can be used: something is written to disk that changes nothing.
    fn probe(&self) -> Reply<'_, Probed>;
    /// How large the database is, in bytes.
    fn n_bytes(&self) -> Reply<'_, u64>;
    /// How many hosts stand how. Looks at all of them: for a timer, not for each who asks.
    fn census(&self, times: CensusTimes) -> Reply<'_, Vec<CensusRow>>;
    /// What the store did since it was opened here, and what it is at.
    fn activity(&self) -> Activity;
    /// The policy that a server on this store began to judge by last.
    fn policy_in_force(&self) -> Reply<'_, Option<PolicyInForce>>;
    /// A server begins to judge by this policy. Audited where it is another than before, which is what
    /// this returns; of servers that begin at once, one changes it.
    fn put_policy_in_force(&self, sha256: Sha256, by: By) -> Reply<'_, Option<PolicyInForce>>;
    /// How many hosts have each of these findings in their last judgement. Looks at all hosts: for a timer, not for
    /// each who asks.
    fn finding_counts(&self, codes: Vec<String>) -> Reply<'_, Vec<FindingCount>>;
    /// PCRs of code and keys (0, 2, 4, 7) in which less than half of a cohort are unlike the rest, those of most
    /// hosts first; [`MINORITIES_MAX`] at most.
    fn minorities(&self) -> Reply<'_, Vec<Minority>>;
    /// Keeps how the fleet stands in an hour, in the place of an earlier count of it. Those of more than
    /// [`STANDING_HOURS_MAX`] hours before go.
    fn put_standing(&self, hour: StandingHour) -> Reply<'_, ()>;
    /// Hours that began at `since_ms` or later, oldest first. Hours in which no server counted are not there.
    fn standing_hours(&self, since_ms: i64) -> Reply<'_, Vec<StandingHour>>;

    // Policies that are kept.

    /// Keeps a policy; where the same text with the same files is kept already, returns that. Of more than
    /// [`POLICY_VERSIONS_MAX`] the oldest goes that does not count.
    fn add_policy_version(&self, new: NewPolicyVersion, by: By) -> Reply<'_, PolicyVersion>;
    /// Policies that are kept, the newest first: those with a number below `before`, at most `n_max` and
    /// [`HISTORY_PAGE_MAX`].
    fn policy_versions(&self, before: Option<i64>, n_max: u32) -> Reply<'_, Vec<PolicyVersion>>;
    /// All of one.
    fn policy_document(&self, number: i64) -> Reply<'_, PolicyDocument>;
    /// The one that somebody made count.
    fn active_policy(&self) -> Reply<'_, Option<ActivePolicy>>;
    /// Makes one count. [`Conflict::OtherPolicyCounts`] where another than `before` counts by now: of two who
    /// decide at once, the second is told.
    fn activate_policy(&self, activation: PolicyActivation, by: By) -> Reply<'_, ActivePolicy>;
    /// Says something in the audit log that changes no row.
    fn note_for_audit(&self, note: AuditNote, by: By) -> Reply<'_, ()>;
}
