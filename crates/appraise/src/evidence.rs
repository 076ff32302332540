//! What goes in: bytes of a host, and what is known of it without the host.

use event_log::LaterLog;
use quirks::UntrustedMachine;
use tpm_wire::{PcrBank, TpmAlgId};
use verify::{BoundAk, EnrolledKey, Nonce, RootStore, VerifiedEk};

/// What a host sent, verbatim. Untrusted in every field.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence<'a> {
    /// The quote; `None` where the host sent none.
    pub quote: Option<QuoteEvidence<'a>>,
    /// What the TPM answered where there is no quote, for people.
    pub tpm_error: Option<&'a str>,
    /// The PCR values that the host says.
    pub pcrs: &'a [PcrBank],
    /// The event log; `None` where there is none, which is not the same as an empty one.
    pub event_log: Option<&'a [u8]>,
    /// What the running system measured and logged itself; `None` where it has no such log.
    pub later: Option<&'a LaterLog>,
    /// The run-time measurement list of IMA, binary or text; `None` where none came.
    pub ima_list: Option<&'a [u8]>,
    /// The attestation key that the host says it signs with, a TPMT_PUBLIC.
    pub ak_public: Option<&'a [u8]>,
    /// The ACPI table TPM2.
    pub acpi_tpm2: Option<&'a [u8]>,
    /// The PCR banks that the host says are active in its TPM, where it says.
    pub active_banks: Option<&'a [TpmAlgId]>,
    /// What the TPM says of itself without signing it.
    pub tpm: Option<TpmSaid<'a>>,
    /// What machine the host says it is.
    pub machine: Option<UntrustedMachine<'a>>,
}

/// What a TPM says of itself without signing it: the host's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TpmSaid<'a> {
    /// TPM2_PT_MANUFACTURER.
    pub manufacturer: u32,
    /// TPM2_PT_VENDOR_STRING_1 to _4.
    pub vendor_string: &'a str,
    /// TPM2_PT_FIRMWARE_VERSION_1 in the upper half, _2 in the lower.
    pub firmware_version: u64,
    /// Qualified name of the key under which the attestation key lies.
    pub ak_parent: Option<&'a [u8]>,
}

/// TPMS_ATTEST and TPMT_SIGNATURE, without sizes in front.
#[derive(Clone, Copy, Debug)]
pub struct QuoteEvidence<'a> {
    /// TPMS_ATTEST.
    pub attest: &'a [u8],
    /// TPMT_SIGNATURE.
    pub signature: &'a [u8],
}

/// Which challenge the quote must answer.
#[derive(Clone, Copy, Debug)]
pub enum Challenge<'a> {
    /// This one.
    Nonce(&'a Nonce),
    /// None was made: no quote can answer it, so none is accepted.
    Absent,
}

/// What is known of the host from elsewhere than this evidence.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// No identity key is stored.
    Nothing,
    /// The names of the keys are stored; the attestation key itself comes with the evidence, and
    /// counts only if it has the stored name.
    Names(EnrolledKey),
    /// The attestation key is stored.
    Key(&'a BoundAk),
}

/// The endorsement certificate and what it is judged by.
#[derive(Clone, Copy, Debug)]
pub enum EkEvidence<'a> {
    /// Nothing is enrolled, so there is no certificate to ask for. Beside an identity key this
    /// counts as [`Self::NoCertificate`].
    NotAsked,
    /// The TPM has none.
    NoCertificate,
    /// Judge it now.
    Certificate {
        /// What the NV index held.
        certificate: &'a [u8],
        /// More certificates, of any origin: trust comes from `roots` alone.
        untrusted_intermediates: &'a [&'a [u8]],
        /// The trust anchors.
        roots: &'a RootStore,
    },
    /// It was judged before, under the same anchors and on the same day.
    Judged(&'a Result<VerifiedEk, verify::EkCertError>),
}
