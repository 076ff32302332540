//! What those who run servers look at.

use crate::Sha256;
use crate::{Activity, FindingCount, Minority, Reply, StandingHour};

/// The policy that the servers on a store judge by, as far as the store was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyInForce {
    /// Over its text and the files that it names.
    pub sha256: Sha256,
    /// Since when.
    pub at_ms: i64,
    /// Which server began to judge by it.
    pub actor: String,
}

/// What the audit log is told of that changes no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditNote {
    /// What happened, in the words of the other actions.
    pub action: &'static str,
    /// What it happened to.
    pub subject: String,
    /// More, a JSON object.
    pub detail: serde_json::Value,
}

/// What a look whether the store can be used found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probed {
    /// The version of the schema in the database.
    pub schema_found: i64,
    /// The version that this program makes: where the other is higher, a newer server was here.
    pub schema_known: i64,
}

/// The times by which hosts are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CensusTimes {
    /// Now.
    pub now_ms: i64,
    /// Older judgements do not count any more, whatever the host's schedule is; where one ended earlier by
    /// its schedule, its alarm says so.
    pub good_since_ms: i64,
    /// A host that was heard of at this time or later is connected.
    pub heard_since_ms: i64,
    /// For how long a host's last verdict stands after another TPM was shown for it.
    pub answers_within_ms: i64,
}

/// How many hosts stand so. Their verdict is what counts at the time, but that a stored judgement which
/// cannot be read counts by its word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CensusRow {
    /// `connected`, `not responding` or `disconnected`.
    pub connection: String,
    /// `accepted`, `not accepted` or `not appraised`.
    pub verdict: String,
    /// How many.
    pub n_hosts: u64,
    /// How many of them a person works on.
    pub n_in_maintenance: u64,
}

/// What the audit log says of a policy that servers begin to judge by.
pub(crate) fn policy_detail(sha256: &Sha256, before: Option<&PolicyInForce>) -> serde_json::Value {
    serde_json::json!({
        "sha256": hex::encode(sha256),
        "sha256_before": before.map(|before| hex::encode(before.sha256)),
    })
}

/// What those who run a store ask of it: a part of
/// [`crate::Store`].
pub trait Operation {
    /// Whether the store can be used: something is written to disk that changes nothing.
    fn probe(&self) -> Reply<'_, Probed>;
    /// How large the database is, in bytes.
    fn n_bytes(&self) -> Reply<'_, u64>;
    /// How many hosts stand how. Looks at all of them: for a timer, not for each who asks.
    fn census(&self, times: CensusTimes) -> Reply<'_, Vec<CensusRow>>;
    /// What the store did since it was opened here, and what it is at.
    fn activity(&self) -> Activity;
    /// How many hosts have each of these findings in their last judgement. Looks at all hosts: for a timer, not for
    /// each who asks.
    fn finding_counts(&self, codes: Vec<String>) -> Reply<'_, Vec<FindingCount>>;
    /// PCRs of code and keys (0, 2, 4, 7) in which less than half of a cohort are unlike the rest, those of most
    /// hosts first; [`MINORITIES_MAX`](crate::MINORITIES_MAX) at most.
    fn minorities(&self) -> Reply<'_, Vec<Minority>>;
    /// Keeps how the fleet stands in an hour, in the place of an earlier count of it. Those of more than
    /// [`STANDING_HOURS_MAX`](crate::STANDING_HOURS_MAX) hours before go.
    fn put_standing(&self, hour: StandingHour) -> Reply<'_, ()>;
    /// Hours that began at `since_ms` or later, oldest first. Hours in which no server counted are not there.
    fn standing_hours(&self, since_ms: i64) -> Reply<'_, Vec<StandingHour>>;
}
