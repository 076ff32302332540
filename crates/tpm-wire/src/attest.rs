//! What a TPM signs about itself.

use crate::error::ParseError;
use crate::reader::Reader;
use crate::selection::PcrSelection;

/// TPM_GENERATED_VALUE. [TPM2-P2-1.59 §6.2] A restricted key signs nothing else that begins so.
pub const TPM_GENERATED: u32 = 0xff54_4347;
/// TPM_ST_ATTEST_QUOTE. [TPM2-P2-1.59 §6.9]
pub const TPM_ST_ATTEST_QUOTE: u16 = 0x8018;
/// TPM_ST_ATTEST_CERTIFY. [TPM2-P2-1.59 §6.9]
pub const TPM_ST_ATTEST_CERTIFY: u16 = 0x8017;

/// Largest TPM2B_NAME: a hash identifier and its largest digest.
pub const NAME_LEN_MAX: usize = 2 + 64;
/// Largest TPM2B_DATA, the qualifying data: as large as a name. [TPM2-P2-1.59 §10.4.3]
pub const QUALIFYING_DATA_LEN_MAX: usize = 2 + 64;
/// Largest TPM2B_DIGEST: SHA-512.
pub const DIGEST_LEN_MAX: usize = 64;
/// Largest TPM2B_ATTEST that we take: a quote over eight banks needs under 300 bytes, the most that
/// other types carry is an NV buffer of 2 KiB.
pub const ATTEST_LEN_MAX: usize = 4096;

/// TPMS_ATTEST. [TPM2-P2-1.59 §10.12.12] Big-endian, fields in wire order.
/// Trust: none before the signature over [`TpmsAttest::raw`] was checked with an attestation key
/// that is bound to its TPM. A wrong magic or type is read, not refused: each is a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TpmsAttest<'a> {
    /// The bytes that the signature covers: all, without the TPM2B size.
    pub raw: &'a [u8],
    /// [`TPM_GENERATED`], or the structure was not made by a TPM.
    pub magic: u32,
    /// TPMI_ST_ATTEST; [`TPM_ST_ATTEST_QUOTE`] for a quote, [`TPM_ST_ATTEST_CERTIFY`] for a key.
    pub kind: u16,
    /// Qualified name of the signing key: hash identifier and digest.
    pub qualified_signer: &'a [u8],
    /// The caller's qualifying data: the nonce.
    pub extra_data: &'a [u8],
    /// Time and boots as the TPM counts them.
    pub clock_info: ClockInfo,
    /// The vendor's number for its firmware.
    pub firmware_version: u64,
    /// What is attested.
    pub attested: Attested<'a>,
}

/// TPMS_CLOCK_INFO. [TPM2-P2-1.59 §10.11.1]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockInfo {
    /// Milliseconds that the TPM was powered since its last clear.
    pub clock_ms: u64,
    /// TPM resets since the last clear: goes up at each boot.
    pub reset_count: u32,
    /// Restarts and resumes since the last reset.
    pub restart_count: u32,
    /// TPMI_YES_NO: 1 where no larger clock value was reported before; 0 after a power cut.
    pub safe: u8,
}

/// TPMU_ATTEST, of which we read quotes and certified keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attested<'a> {
    /// TPMS_QUOTE_INFO. [TPM2-P2-1.59 §10.12.4]
    Quote {
        /// Which PCRs were hashed, and in which order.
        pcr_select: PcrSelection,
        /// Hash of their values, with the hash of the signing scheme.
        pcr_digest: &'a [u8],
    },
    /// TPMS_CERTIFY_INFO. [TPM2-P2-1.59 §10.12.3]
    Certify {
        /// The name of the certified object: nameAlg and digest.
        name: &'a [u8],
        /// Its name and those of its ancestors, hashed.
        qualified_name: &'a [u8],
    },
    /// Any other type.
    Other {
        /// What follows the firmware version.
        body: &'a [u8],
    },
}

impl<'a> TpmsAttest<'a> {
    /// Reads one from all of `raw`, which has no TPM2B size in front; bytes behind it are refused.
    pub fn parse(raw: &'a [u8]) -> Result<Self, ParseError> {
        let mut from = Reader::new(raw);
        let magic = from.u32("TPMS_ATTEST.magic")?;
        let kind = from.u16("TPMS_ATTEST.type")?;
        let qualified_signer = from.sized("TPMS_ATTEST.qualifiedSigner", NAME_LEN_MAX)?;
        let extra_data = from.sized("TPMS_ATTEST.extraData", QUALIFYING_DATA_LEN_MAX)?;
        let clock_info = ClockInfo {
            clock_ms: from.u64("TPMS_CLOCK_INFO.clock")?,
            reset_count: from.u32("TPMS_CLOCK_INFO.resetCount")?,
            restart_count: from.u32("TPMS_CLOCK_INFO.restartCount")?,
            safe: from.u8("TPMS_CLOCK_INFO.safe")?,
        };
        let firmware_version = from.u64("TPMS_ATTEST.firmwareVersion")?;
        let attested = match kind {
            TPM_ST_ATTEST_QUOTE => Attested::Quote {
                pcr_select: PcrSelection::read(&mut from)?,
                pcr_digest: from.sized("TPMS_QUOTE_INFO.pcrDigest", DIGEST_LEN_MAX)?,
            },
            TPM_ST_ATTEST_CERTIFY => Attested::Certify {
                name: from.sized("TPMS_CERTIFY_INFO.name", NAME_LEN_MAX)?,
                qualified_name: from.sized("TPMS_CERTIFY_INFO.qualifiedName", NAME_LEN_MAX)?,
            },
            _ => Attested::Other { body: from.rest() },
        };
        from.finish("TPMS_ATTEST")?;
        Ok(Self {
            raw,
            magic,
            kind,
            qualified_signer,
            extra_data,
            clock_info,
            firmware_version,
            attested,
        })
    }
}
