//! Why something was not done: the client's fault, the moment's, or ours.

use std::error::Error as StdError;

use store::{Conflict, JoinTokenFault, Kind, ReferenceState, StoreError};

/// A request was not done; nothing was changed. One variant per decision of a caller.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The client must change something.
    #[error("{}", .0.title)]
    Refused(Refusal),
    /// The same request may succeed later.
    #[error("not available now")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// A bug of ours, or a damaged database. The client learns nothing of it.
    #[error("internal error")]
    Bug(#[source] Box<dyn StdError + Send + Sync>),
}

/// What the client did wrong, for it to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of wrong.
    pub kind: RefusalKind,
    /// The stable kebab-case code.
    pub code: &'static str,
    /// What was wrong.
    pub title: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The kinds of refusal; `http` gives each a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The request does not say what it must.
    Invalid,
    /// Who asks is not known.
    Unauthenticated,
    /// Who asks may not.
    Forbidden,
    /// What it names is not there.
    NotFound,
    /// The state of things forbids it.
    Conflict,
    /// The address does not take this method.
    Method,
    /// Who asks takes nothing that is given.
    NotAcceptable,
    /// The body is of a kind that is not taken.
    Kind,
    /// What it names was there, and is no more.
    Gone,
    /// What it names was changed since.
    Precondition,
    /// It does not say which version it is meant for.
    PreconditionRequired,
    /// It says something else than the request of the same key.
    Unprocessable,
    /// The body is too large.
    TooLarge,
    /// Too many at once.
    TooMany,
    /// The body did not come in time.
    TooSlow,
    /// A program of others that was asked for it does not answer as it should.
    Upstream,
}

/// Evidence lay outside of the database, and is not there any more as it was written.
const EVIDENCE_LOST: &str = "evidence-lost";

impl AppError {
    /// Whether it is that evidence is lost.
    pub(super) fn is_evidence_lost(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code == EVIDENCE_LOST)
    }

    /// A refusal with a hint.
    pub fn refused(
        kind: RefusalKind,
        code: &'static str,
        title: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Refused(Refusal { kind, code, title: title.into(), hint: Some(hint.into()) })
    }

    /// A refusal that says itself what to do.
    pub fn plain(kind: RefusalKind, code: &'static str, title: impl Into<String>) -> Self {
        Self::Refused(Refusal { kind, code, title: title.into(), hint: None })
    }

    /// Who asks is not known.
    pub fn unauthenticated() -> Self {
        Self::refused(
            RefusalKind::Unauthenticated,
            "unauthenticated",
            "the token is missing or not known",
            "an API token may have ended or been revoked: an administrator makes another one (`bootproof \
             api-token create`; the server wrote one into admin.toml); a host that was removed must join again \
             with a new join token",
        )
    }

    /// The session has ended.
    pub fn no_session_any_more() -> Self {
        Self::refused(
            RefusalKind::Unauthenticated,
            "unauthenticated",
            "the session has ended or is not known",
            "log in again: `bootproof login NAME`",
        )
    }

    /// No host of this identifier or name.
    pub fn no_host(named: &str) -> Self {
        Self::refused(
            RefusalKind::NotFound,
            "host-not-found",
            format!("there is no host {named}"),
            "`bootproof host list` shows the hosts",
        )
    }
}

impl From<StoreError> for AppError {
    fn from(err: StoreError) -> Self {
        match err {
            StoreError::NotFound(kind) => not_found(kind),
            StoreError::Conflict(conflict) => Self::from_conflict(conflict),
            StoreError::Limit { .. } => Self::refused(
                RefusalKind::TooMany,
                "too-many",
                err.to_string(),
                "wait until some of them have ended, then try again",
            ),
            StoreError::Unstorable => Self::refused(
                RefusalKind::Invalid,
                "text-invalid",
                err.to_string(),
                "leave out control characters",
            ),
            StoreError::EvidenceLost { .. } => Self::refused(
                RefusalKind::Gone,
                EVIDENCE_LOST,
                err.to_string(),
                "`bootproof host attest HOST` asks for it again; `bootproof-server evidence check` says what \
                 else is lost",
            ),
            StoreError::Unavailable { .. } => Self::Unavailable(err.into()),
            StoreError::SchemaNewer { .. }
            | StoreError::NotOurs { .. }
            | StoreError::Unfit { .. }
            | StoreError::Broken { .. } => Self::Bug(err.into()),
        }
    }
}

fn not_found(kind: Kind) -> AppError {
    let (code, hint) = match kind {
        Kind::Host => ("host-not-found", "`bootproof host list` shows the hosts"),
        Kind::JoinToken => ("join-token-not-found", "`bootproof token list` shows the tokens"),
        Kind::ApiToken => ("api-token-not-found", "`bootproof api-token list` shows them"),
        Kind::User => ("user-not-found", "`bootproof user list` shows the accounts"),
        Kind::Session => ("session-not-found", "it has ended; `bootproof session list` shows them"),
        Kind::TrustRoot => ("certificate-not-found", "`bootproof trust list` shows them"),
        Kind::PendingEnrolment => {
            ("enrolment-not-found", "it was never begun or has expired: begin it anew")
        }
        Kind::Channel => ("channel-not-found", "`bootproof channel list` shows them"),
        Kind::Reference => ("reference-not-found", "`bootproof reference list` shows them"),
        Kind::HostView => ("host-view-not-found", "`bootproof host view list` shows the views"),
        Kind::PolicyVersion => {
            ("policy-version-not-found", "`bootproof policy list` shows the policies that are kept")
        }
        Kind::EkList => {
            ("ek-list-not-found", "`bootproof ek-list list` shows the lists of endorsement keys")
        }
        Kind::Candidate => (
            "no-candidate",
            "`bootproof host show HOST` shows whether another TPM was shown; its agent has to run, \
             or to join under the host's name",
        ),
    };
    AppError::refused(RefusalKind::NotFound, code, format!("{kind} not found"), hint)
}

impl AppError {
    fn from_conflict(conflict: Conflict) -> Self {
        let title = conflict.to_string();
        let refused =
            |kind, code, hint: &str| Self::refused(kind, code, title.clone(), hint.to_owned());
        match &conflict {
            Conflict::OtherPolicyCounts { .. } => refused(
                RefusalKind::Conflict,
                "policy-changed",
                "look at what counts now (`bootproof policy list`), try yours once more, then activate it: \
                 it is kept",
            ),
            Conflict::EkTaken { host_name, .. } => refused(
                RefusalKind::Conflict,
                "ek-taken",
                &format!(
                    "this TPM is enrolled already: disconnect and reconnect host {host_name}, then \
                     join again under that name; or remove it first"
                ),
            ),
            Conflict::AlreadyCompleted { .. } => refused(
                RefusalKind::Conflict,
                "already-activated",
                "an enrolment is activated once; the agent has its token already",
            ),
            Conflict::ProofWrong => refused(
                RefusalKind::Forbidden,
                "activation-failed",
                "the TPM that answered is not the one whose keys were sent; begin the enrolment \
                 anew",
            ),
            Conflict::JoinToken(fault) => refused(
                RefusalKind::Forbidden,
                match fault {
                    JoinTokenFault::Unknown => "join-token-unknown",
                    JoinTokenFault::Revoked => "join-token-revoked",
                    JoinTokenFault::Expired => "join-token-expired",
                    JoinTokenFault::UsedUp => "join-token-used-up",
                },
                "make a new one on the server with `bootproof token create`",
            ),
            Conflict::ReenrolmentNotWanted { .. } => refused(
                RefusalKind::Conflict,
                "reconnect-first",
                "`bootproof host disconnect HOST`, then `bootproof host reconnect HOST`",
            ),
            Conflict::OtherTpm { .. } => refused(
                RefusalKind::Conflict,
                "other-tpm",
                "`bootproof host show HOST`, then `bootproof host replace HOST --ek-sha256 DIGEST \
                 --reason TEXT` if its TPM was replaced",
            ),
            Conflict::CandidateDiffers { .. } => refused(
                RefusalKind::Conflict,
                "candidate-differs",
                "compare it with the new board's; if it is a machine that you do not know, \
                 `bootproof host disconnect HOST` and `reconnect HOST` make room for the right one",
            ),
            Conflict::EkNotListed => refused(
                RefusalKind::Forbidden,
                "ek-not-listed",
                "`bootproof ek-list import` puts the keys of a purchase on a list; or use a join token \
                 without --listed",
            ),
            Conflict::NotWaiting => refused(
                RefusalKind::Conflict,
                "not-waiting",
                "`bootproof approval list` shows what waits; `bootproof audit list` who decided",
            ),
            Conflict::NoIdentity { .. } => refused(
                RefusalKind::Conflict,
                "no-identity-key",
                "`bootproof host disconnect HOST`, then `bootproof host reconnect HOST`",
            ),
            Conflict::HostDisconnected { .. } => refused(
                RefusalKind::Conflict,
                "host-disconnected",
                "`bootproof host reconnect HOST` takes it back",
            ),
            Conflict::HostNotAccepted { .. } => refused(
                RefusalKind::Conflict,
                "host-not-accepted",
                "`bootproof host show HOST` says why; a certificate is there for accepted hosts alone",
            ),
            Conflict::AuthorityReplaced => refused(
                RefusalKind::Conflict,
                "client-authority-replaced",
                "ask for a new challenge: the newer authority issues then",
            ),
            Conflict::AuthorityKnown { .. } => refused(
                RefusalKind::Conflict,
                "client-authority-known",
                "somebody else replaced it: `bootproof certificate authorities` shows those that are known",
            ),
            Conflict::KeyRevoked { .. } => refused(
                RefusalKind::Conflict,
                "client-key-revoked",
                "the agent makes another key by itself",
            ),
            Conflict::IdentityChanged { .. } | Conflict::NonceUsed => refused(
                RefusalKind::Conflict,
                "nonce-used",
                "ask for a new challenge and send evidence for that",
            ),
            Conflict::EvidenceGone => refused(
                RefusalKind::Conflict,
                api::agent::LOG_WANTED,
                "send the same evidence with the event log in it",
            ),
            Conflict::NameTaken { .. } => {
                refused(RefusalKind::Conflict, "name-taken", "choose another name")
            }
            Conflict::LastAdministrator => refused(
                RefusalKind::Conflict,
                "last-administrator",
                "make another account of an administrator first",
            ),
            Conflict::SetupCode => refused(
                RefusalKind::Forbidden,
                "setup-code-wrong",
                "the server prints it when it starts, as long as there is no account; each start \
                 prints a new one",
            ),
            Conflict::AccountChanged => {
                refused(RefusalKind::Unauthenticated, "login-failed", "try again")
            }
            Conflict::LoginUsed => refused(
                RefusalKind::Unauthenticated,
                "login-failed",
                "each login begins one session: log in again",
            ),
            Conflict::LoggedOut => {
                refused(RefusalKind::Unauthenticated, "login-failed", "log in again")
            }
            Conflict::ReferencesChanged => refused(
                RefusalKind::Conflict,
                "references-changed",
                "the same request again is judged by the new ones",
            ),
            Conflict::LabelsChanged => refused(
                RefusalKind::Precondition,
                "changed-since",
                "get them again, look at what changed, and send the change with the new ETag",
            ),
            Conflict::NewerEvidence { .. } => refused(
                RefusalKind::Conflict,
                "newer-evidence",
                "look at the host again, then decide: `bootproof host show HOST`",
            ),
            Conflict::ReferenceState { .. } => refused(
                RefusalKind::Conflict,
                "reference-state",
                "a reference goes from pending to active, obsolete and retired, and from each to \
                 revoked; to go back, make a new one",
            ),
            Conflict::ReferenceKnown { id, state } => refused(
                RefusalKind::Conflict,
                "reference-known",
                &match state {
                    ReferenceState::Revoked => {
                        "what was revoked does not come back for the same hosts".to_owned()
                    }
                    _ => format!("`bootproof reference show {id}` shows it"),
                },
            ),
            Conflict::EventsForgotten { .. } => refused(
                RefusalKind::Gone,
                "events-forgotten",
                "events are kept for some days (`events_kept_days`), and some that you have not \
                 seen are gone: read what stands now (`bootproof alarm list`, `bootproof host \
                 list`), then go on with `cursor=first`",
            ),
            Conflict::NoSuchEvent { .. } => refused(
                RefusalKind::Gone,
                "event-unknown",
                "the store was restored to what it was before, or the cursor is another \
                 server's: read what stands now (`bootproof alarm list`, `bootproof host list`), \
                 then go on with `cursor=first`",
            ),
            Conflict::IdTaken => Self::Bug(conflict.into()),
        }
    }
}

impl From<Conflict> for AppError {
    fn from(conflict: Conflict) -> Self {
        Self::from_conflict(conflict)
    }
}
