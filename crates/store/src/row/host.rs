//! Hosts and their identities.

use std::sync::Arc;

use super::{text_id, word_enum};
use crate::{
    By, Candidate, Enrolled, HostCursor, HostFilter, JoinTokenId, LabelCount, Labels, LabelsChange,
    LastAppraisal, Maintenance, Reply, Sha256, Stood,
};

text_id!(
    /// A host's identifier, made at enrolment.
    HostId
);

/// Whether a person wants the host attested. "Not responding" is not stored: it follows from
/// [`Host::last_seen_at_ms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// Attested on schedule.
    Connected,
    /// Taken out by a person.
    Disconnected,
}
word_enum!(Connection { Connected = "connected", Disconnected = "disconnected" });

/// Whether a person's consent is needed, and given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// Neither the join token nor the endorsement key asked for it.
    NotRequired,
    /// Asked for, not decided.
    Waiting,
    /// Given.
    Approved,
    /// Denied.
    Refused,
}
word_enum!(Approval {
    NotRequired = "not-required",
    Waiting = "waiting",
    Approved = "approved",
    Refused = "refused",
});

/// What the host says about its TPM. The host's word, not proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TpmPresence {
    /// It has not said.
    Unknown,
    /// It found none.
    Absent,
    /// It found one.
    Present,
}
word_enum!(TpmPresence { Unknown = "unknown", Absent = "absent", Present = "present" });

/// Whether a reconnected host may enrol its TPM anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reenrolment {
    /// It may, once; the identity it has stays until the new one is proved.
    Wanted,
    /// It keeps the identity that it has.
    NotWanted,
}

/// A host as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// Its identifier.
    pub id: HostId,
    /// The name it gave when it joined; not unique.
    pub name: String,
    /// When it joined.
    pub created_at_ms: i64,
    /// Whether a person wants it attested.
    pub connection: Connection,
    /// Whether a person's consent is needed, and given.
    pub approval: Approval,
    /// What it says about its TPM.
    pub tpm: TpmPresence,
    /// Whether its next enrolment is welcome.
    pub reenrol_wanted: bool,
    /// Whether a person wants its agent to make a new attestation key.
    pub rotation_wanted: bool,
    /// The keys bound to it by credential activation; `None` is "no identity key". Shared by copies of the host, since
    /// they have kilobytes and never change.
    pub identity: Option<Arc<Identity>>,
    /// How often an identity was stored, 0 without one. Evidence judged under one version cannot
    /// be recorded under another.
    pub identity_version: i64,
    /// Why its last enrolment failed (JSON), until one succeeds.
    pub enrolment_problem_json: Option<String>,
    /// When it was last heard of.
    pub last_seen_at_ms: Option<i64>,
    /// Since when a person waits for evidence.
    pub attest_requested_at_ms: Option<i64>,
    /// When its next attestation is due; `None` before the first appraisal: due now.
    pub next_due_at_ms: Option<i64>,
    /// The time in the last nonce that was accepted from it.
    pub last_nonce_at_ms: Option<i64>,
    /// The TPM's counters in its last accepted quote.
    pub last_quote_clock: Option<QuoteClock>,
    /// Its last verdict under the TPM that it is enrolled with.
    pub last: Option<LastAppraisal>,
    /// The cohort that it named last. Its own word.
    pub cohort: Option<String>,
    /// What counted of it when somebody last looked at it.
    pub stood: Stood,
    /// How people order it.
    pub labels: Labels,
    /// That somebody works on it, ended or not: see [`Host::maintenance_at`].
    pub maintenance: Option<Maintenance>,
    /// Another TPM that was shown for it, expired or not: see [`Host::candidate_at`].
    pub candidate: Option<Candidate>,
}

/// The keys of a host's TPM, bound to each other by credential activation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// `TPM2B_PUBLIC` or `TPMT_PUBLIC` of the endorsement key, as the server keeps it.
    pub ek_public: Vec<u8>,
    /// The endorsement certificate, DER; `None` where the TPM has none and a person vouched.
    pub ek_cert_der: Option<Vec<u8>>,
    /// Intermediates that came with it, DER each, in the order in which they came.
    pub ek_chain_der: Vec<Vec<u8>>,
    /// SHA-256 over the SubjectPublicKeyInfo of the endorsement key. Unique among hosts.
    pub ek_spki_sha256: Sha256,
    /// Public area of the attestation key, as the server keeps it.
    pub ak_public: Vec<u8>,
    /// Name of the attestation key: nameAlg, then digest.
    pub ak_name: Vec<u8>,
    /// What the server judged at enrolment (JSON): by what the EK was trusted, and findings.
    pub judgement_json: String,
    /// When the identity was stored. [`crate::Completion`] overwrites it with the time of the change.
    pub enrolled_at_ms: i64,
}

/// Counters of TPMS_CLOCK_INFO and the firmware version beside them, from a verified quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuoteClock {
    /// Milliseconds that the TPM has been powered.
    pub clock_ms: u64,
    /// TPM resets: reboots of the machine.
    pub reset_count: u32,
    /// TPM restarts and resumes since.
    pub restart_count: u32,
    /// Whether `clock_ms` is known not to have been reported higher before.
    pub safe: bool,
    /// The TPM's own firmware version.
    pub firmware_version: u64,
}

/// A host that joins without a TPM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHost {
    /// A new random identifier.
    pub id: HostId,
    /// The name the host gives itself.
    pub name: String,
    /// Digest of the API token it will present.
    pub api_token_sha256: Sha256,
    /// What it says about its TPM.
    pub tpm: TpmPresence,
    /// The token it joined with; one use is taken.
    pub join_token: JoinTokenId,
}

impl Host {
    /// That somebody works on it at `now_ms`.
    #[must_use]
    pub fn maintenance_at(&self, now_ms: i64) -> Option<&Maintenance> {
        let lasts = |maintenance: &&Maintenance| {
            maintenance.until_ms.is_none_or(|until_ms| now_ms < until_ms)
        };
        self.maintenance.as_ref().filter(lasts)
    }

    /// The other TPM that waits for a person at `now_ms`.
    #[must_use]
    pub fn candidate_at(&self, now_ms: i64) -> Option<&Candidate> {
        self.candidate.as_ref().filter(|candidate| now_ms < candidate.expires_at_ms)
    }

    /// Whether a person said that the TPM with this endorsement key takes the enrolled one's place.
    #[must_use]
    pub fn may_be_replaced_by(&self, ek_spki_sha256: &Sha256, now_ms: i64) -> bool {
        self.candidate_at(now_ms).is_some_and(|candidate| {
            candidate.approved_at_ms.is_some() && candidate.ek_spki_sha256 == *ek_spki_sha256
        })
    }

    /// The version of the identity that the last evidence was judged by, where that is one of before.
    #[must_use]
    pub fn last_judged_by_past(&self) -> Option<i64> {
        let version = self.last.as_ref()?.identity_version;
        (version != self.identity_version).then_some(version)
    }
}

/// What a store does with hosts, but for their keys and what is judged of them: a part of
/// [`crate::Store`].
pub trait Hosts {
    /// Adds a host that joins without a TPM, and takes one use of its join token.
    fn create_host(&self, host: NewHost, by: By) -> Reply<'_, Enrolled>;
    /// Hosts that fit `filter` in its order, after `after`, which is of that order; at most `n_max` and [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX).
    fn hosts(
        &self,
        filter: HostFilter,
        after: Option<HostCursor>,
        n_max: u32,
    ) -> Reply<'_, Vec<Host>>;
    /// One host.
    fn host(&self, id: &HostId) -> Reply<'_, Option<Host>>;
    /// Hosts of this name: names are the hosts' own words and need not be unique. At most
    /// [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX).
    fn hosts_by_name(&self, name: &str) -> Reply<'_, Vec<Host>>;
    /// Hosts that named this cohort last, by identifier, after `after`; at most `n_max` and
    /// [`HOSTS_PAGE_MAX`](crate::HOSTS_PAGE_MAX).
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
    /// Takes a host back, due at once; with [`Reenrolment::Wanted`](crate::Reenrolment::Wanted) it also may enrol its TPM anew.
    fn reconnect_host(&self, id: &HostId, reenrolment: Reenrolment, by: By) -> Reply<'_, ()>;
    /// Records a person's decision about a host.
    fn set_approval(&self, id: &HostId, approval: Approval, by: By) -> Reply<'_, ()>;
    /// Changes a host's labels, and returns all of them. [`StoreError::Limit`](crate::StoreError::Limit) ([`LABELS_PER_HOST_MAX`](crate::LABELS_PER_HOST_MAX)).
    fn change_labels(&self, id: &HostId, change: LabelsChange, by: By) -> Reply<'_, Labels>;
    /// Puts `to` in the place of all labels of a host, where they are `from`; else
    /// [`Conflict::LabelsChanged`](crate::Conflict::LabelsChanged).
    fn replace_labels(&self, id: &HostId, from: Labels, to: Labels, by: By) -> Reply<'_, ()>;
    /// How many hosts have each label, of this key or of all, by key and value; at most
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
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
    /// [`Conflict::HostDisconnected`](crate::Conflict::HostDisconnected) where nobody would answer.
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
    /// is bound. [`Conflict::NoIdentity`](crate::Conflict::NoIdentity) where there is none.
    fn want_rotation(&self, id: &HostId, by: By) -> Reply<'_, ()>;
}
