//! What an agent and the server say to each other.
//!
//! Everything that an agent sends is untrusted: the server's `enrol` and `attest` verify it.

use serde::{Deserialize, Serialize};

use crate::{Bytes, finding::Finding, machine::Machine, pcrs::Pcrs};

/// `POST /v1/agent/join`: a host asks to be added to the inventory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct JoinRequest {
    /// The join token.
    pub token: String,
    /// What the host says of itself.
    pub host: HostSays,
    /// The TPM's keys; absent where the host has no TPM.
    pub tpm: Option<TpmKeys>,
    /// SHA-256 of the token that the host will show where no identity key can be stored: made by
    /// the agent and kept before it asks, so that an answer that is lost loses no membership. The
    /// same request again gives the same host.
    pub token_sha256: Bytes,
}

/// What a host says of itself. Shown as said, never judged by.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostSays {
    /// The host's name, 1 to 253 characters of a DNS name.
    pub name: String,
    /// The agent's version.
    pub agent_version: String,
    /// The operating system's kernel release.
    #[serde(default)]
    pub kernel: String,
}

/// The keys of a TPM, for enrolment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TpmKeys {
    /// The endorsement key, a TPMT_PUBLIC.
    pub ek_public: Bytes,
    /// Its certificate as read from NV, with padding where there is some.
    pub ek_certificate: Option<Bytes>,
    /// More certificates of the chain, from NV.
    #[serde(default)]
    pub ek_chain: Vec<Bytes>,
    /// The attestation key, a TPMT_PUBLIC.
    pub ak_public: Bytes,
}

/// A credential: [TPM2-P1-1.59 §24] only the TPM with this endorsement key and this attestation
/// key can open it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Credential {
    /// TPM2B_ID_OBJECT without its size.
    pub id_object: Bytes,
    /// TPM2B_ENCRYPTED_SECRET without its size.
    pub encrypted_secret: Bytes,
}

/// The answer to [`JoinRequest`] and to `POST /v1/agent/enrol`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum EnrolReply {
    /// The host is in the inventory, without an identity key.
    Joined {
        /// The host's identifier.
        host_id: String,
        /// Why no identity key was stored: no TPM, or its certificate was refused.
        findings: Vec<Finding>,
    },
    /// This is not the TPM of the host of this name: a person has to decide. Nothing was changed of
    /// the host.
    Quarantined {
        /// The host's identifier.
        host_id: String,
        /// SHA-256 of the shown endorsement key's SubjectPublicKeyInfo, in hex: what a person compares.
        ek_sha256: String,
        /// The finding.
        findings: Vec<Finding>,
    },
    /// The TPM must open this credential first.
    Activate {
        /// The enrolment's identifier.
        enrolment_id: String,
        /// The host's identifier, valid once activated.
        host_id: String,
        /// The credential.
        credential: Credential,
        /// Seconds until the enrolment ends by itself.
        expires_in_s: u64,
    },
}

/// `POST /v1/agent/enrol`: a host of the inventory gives its TPM's keys (after a reconnect).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// The TPM's keys.
    pub tpm: TpmKeys,
}

/// `POST /v1/agent/activate`: the proof that the TPM opened the credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ActivateRequest {
    /// The enrolment's identifier.
    pub enrolment_id: String,
    /// What the TPM took out of the credential, 32 bytes.
    pub secret: Bytes,
}

/// The answer to [`ActivateRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ActivateReply {
    /// The host's identifier.
    pub host_id: String,
}

/// What both sides compute HMAC-SHA-256 of, under the credential's secret; [`HOST_TOKEN_PREFIX`]
/// and the result in hex are the host's token from then on. So an agent has its token before the
/// server's answer, and loses nothing where that does not arrive.
pub fn host_token_message(enrolment_id: &str) -> Vec<u8> {
    [b"bootproof host token v1\0", enrolment_id.as_bytes()].concat()
}

/// What a host's token begins with.
pub const HOST_TOKEN_PREFIX: &str = "bph_";

/// The answer to `GET /v1/agent/member`: the token is one of this host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Membership {
    /// The host's identifier.
    pub host_id: String,
}

/// `POST /v1/agent/poll`: "ready". Held until there is something to do, [`crate::POLL_S_MAX`] at most.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PollRequest {
    /// Whether there is a TPM.
    pub tpm: TpmSays,
    /// The agent's version.
    pub agent_version: String,
    /// Seconds since this host booted, as it says: one that booted since it was judged last is asked
    /// for evidence at once. Agents of earlier versions do not say.
    #[serde(default)]
    pub up_s: Option<u64>,
    /// Whether its attestation key is one of this TPM.
    #[serde(default, skip_serializing_if = "KeySays::is_kept")]
    pub key: KeySays,
}

/// What the agent says of the attestation key that it keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeySays {
    /// The TPM loads it, or nothing is known to the contrary.
    #[default]
    Kept,
    /// The TPM does not load it: it was cleared, or it is another one. The agent has a new key.
    Lost,
    /// The server has told that this is not the TPM of the host: it waits for a person's decision.
    Quarantined {
        /// SHA-256 of the TPM's endorsement key, as the server told it, in hex.
        ek_sha256: String,
    },
}

impl KeySays {
    /// Whether nothing is to be said.
    pub fn is_kept(&self) -> bool {
        *self == Self::Kept
    }
}

/// What the agent says of the TPM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TpmSays {
    /// A TPM 2.0 answered.
    Present,
    /// No TPM was found.
    Absent,
}

/// The answer to [`PollRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum PollReply {
    /// Send evidence for this challenge.
    Attest {
        /// What the quote must carry as qualifying data.
        nonce: Bytes,
        /// The PCRs to quote, in every active bank of SHA-256 and better.
        pcrs: Vec<u32>,
        /// Milliseconds for which the challenge is good.
        good_for_ms: u64,
        /// SHA-256 of the event log that the server has of this host. A host whose log is that one may
        /// send [`Evidence::event_log_sha256`] instead of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        known_log_sha256: Option<Bytes>,
    },
    /// Give the TPM's keys: `POST /v1/agent/enrol`.
    Enrol,
    /// Make a new attestation key, and give it with the TPM's keys: `POST /v1/agent/enrol`.
    RotateKey,
    /// Nothing to do: ask again, at once or after the named seconds.
    Wait {
        /// Seconds to wait before the next poll.
        retry_after_s: u64,
    },
}

/// `POST /v1/agent/evidence`: what the host shows for a challenge.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The challenge, as it came.
    pub nonce: Bytes,
    /// The quote; absent where the TPM gave none.
    pub quote: Option<Quote>,
    /// The values of the quoted PCRs.
    #[serde(default)]
    pub pcrs: Pcrs,
    /// The event log as the kernel gave it; absent where there is none.
    pub event_log: Option<Bytes>,
    /// SHA-256 of the event log, in place of it: where it is the one that the challenge named. A
    /// server that does not have it any more answers [`LOG_WANTED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_log_sha256: Option<Bytes>,
    /// The log of measurements that the running system made itself; absent where there is none.
    #[serde(default)]
    pub userspace_log: Option<Bytes>,
    /// The run-time measurement list of IMA; absent where the agent does not send it.
    #[serde(default)]
    pub ima_list: Option<Bytes>,
    /// The attestation key that signed, a TPMT_PUBLIC.
    pub ak_public: Option<Bytes>,
    /// Hash names of the PCR banks that the TPM says are active.
    #[serde(default)]
    pub active_banks: Vec<String>,
    /// The ACPI table TPM2, where there is one.
    pub acpi_tpm2: Option<Bytes>,
    /// What the TPM answered, where it gave no quote.
    pub tpm_error: Option<String>,
    /// What machine the host says it is; absent where it says nothing of it.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// What the TPM says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpm: Option<TpmProperties>,
}

/// The code of the answer to evidence that names a log which the server does not have: the same
/// evidence is to be sent again with the log in it.
pub const LOG_WANTED: &str = "log-wanted";

/// What a TPM says of itself without signing it: shown and judged as the host's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TpmProperties {
    /// TPM2_PT_MANUFACTURER.
    pub manufacturer: u32,
    /// TPM2_PT_VENDOR_STRING_1 to _4 as text, [`VENDOR_STRING_BYTES_MAX`] bytes at most.
    pub vendor_string: String,
    /// TPM2_PT_FIRMWARE_VERSION_1 and _2.
    pub firmware_version: [u32; 2],
    /// Qualified name of the key under which the attestation key lies. The quote carries the hash
    /// over it and the attestation key's name, so that this one cannot lie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ak_parent: Option<Bytes>,
}

impl TpmProperties {
    /// Both parts of the version as one number, the first in the upper half.
    pub fn firmware_version(&self) -> u64 {
        let [first, second] = self.firmware_version;
        (u64::from(first) << 32) | u64::from(second)
    }
}

/// Bytes of [`TpmProperties::vendor_string`]: four properties of four characters, each of which may
/// be shown as a replacement character of three bytes.
pub const VENDOR_STRING_BYTES_MAX: usize = 48;

/// A quote as the TPM gave it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// TPMS_ATTEST, without the size before it.
    pub attest: Bytes,
    /// TPMT_SIGNATURE.
    pub signature: Bytes,
}

/// The answer to [`Evidence`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EvidenceReply {
    /// `accepted`, `not accepted` or `not appraised`.
    pub verdict: String,
    /// What was found.
    pub findings: Vec<Finding>,
    /// Seconds until the server will ask again by itself.
    pub next_due_s: u64,
}
