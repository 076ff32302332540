//! The quote: what a TPM says about its PCRs.

use aws_lc_rs::{constant_time, digest};
use tpm_wire::{
    Attested, ClockInfo, ParseError, PcrBank, PcrSelection, PcrSet, TPM_GENERATED, TpmAlgId,
    TpmsAttest,
};

use crate::ak::SignatureProblem;
use crate::bind::BoundAk;
use crate::hash::StrongHash;
use crate::name::Name;
use crate::nonce::Nonce;
use crate::selection::{self, SelectionProblem, SelectionRule};

/// A quote as the host sent it. Neither field has a TPM2B size in front.
#[derive(Clone, Copy, Debug)]
pub struct RawQuote<'a> {
    /// TPMS_ATTEST.
    pub attest: &'a [u8],
    /// TPMT_SIGNATURE.
    pub signature: &'a [u8],
}

/// What is wrong with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteProblem {
    /// It is not a TPMS_ATTEST.
    #[error("the quote cannot be read")]
    Parse(#[source] ParseError),
    /// The AK did not sign it.
    #[error("the AK did not sign the quote")]
    Signature(#[source] SignatureProblem),
    /// No TPM made it.
    #[error("the quote begins with {have:#010x}: no TPM made it")]
    Magic {
        /// What stands in the place of [`TPM_GENERATED`].
        have: u32,
    },
    /// A TPM attests something else with it.
    #[error("attestation type {have:#06x} is not a quote")]
    Type {
        /// What stands in the place of TPM_ST_ATTEST_QUOTE.
        have: u16,
    },
    /// It does not answer this challenge.
    #[error("the quote does not answer the challenge")]
    NonceMismatch,
    /// It does not cover what was asked for.
    #[error("the quote does not cover what was asked for")]
    Selection(#[source] SelectionProblem),
    /// Values of PCRs that it covers did not come along.
    #[error("no value came for PCR {missing} of bank {bank}, which the quote covers")]
    ValuesMissing {
        /// The bank.
        bank: TpmAlgId,
        /// Its PCRs without a value.
        missing: PcrSet,
    },
    /// The values are not those that the TPM hashed.
    #[error("the PCR values do not match the digest in the quote")]
    PcrDigest,
}

/// What a quote says, without any check. Only for showing beside the problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UntrustedAttest {
    /// TPM_GENERATED, if a TPM made it.
    pub magic: u32,
    /// TPMI_ST_ATTEST.
    pub kind: u16,
    /// The selection, where it is a quote.
    pub selection: Option<PcrSelection>,
    /// Clock and counters of boots.
    pub clock_info: ClockInfo,
    /// The vendor's number for the TPM's firmware.
    pub firmware_version: u64,
}

impl UntrustedAttest {
    /// Reads a TPMS_ATTEST, without a size in front, and checks nothing.
    pub fn parse(attest: &[u8]) -> Result<Self, ParseError> {
        TpmsAttest::parse(attest).map(|attest| Self::of(&attest))
    }

    const fn of(attest: &TpmsAttest<'_>) -> Self {
        let selection = match attest.attested {
            Attested::Quote { pcr_select, .. } => Some(pcr_select),
            Attested::Certify { .. } | Attested::Other { .. } => None,
        };
        Self {
            magic: attest.magic,
            kind: attest.kind,
            selection,
            clock_info: attest.clock_info,
            firmware_version: attest.firmware_version,
        }
    }
}

/// The signature of a quote that was verified: of these very bytes, under this very key. Only
/// [`verify_quote`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedSignature {
    sha256: [u8; 32],
}

impl CheckedSignature {
    fn of(ak: &BoundAk, quote: RawQuote<'_>) -> Self {
        // The name stands for the whole public area.
        let name = ak.ak().name().as_bytes();
        let lengths = [name.len(), quote.attest.len()].map(usize::to_le_bytes);
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [lengths.as_flattened(), name, quote.attest, quote.signature] {
            context.update(part);
        }
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(context.finish().as_ref());
        Self { sha256 }
    }
}

/// PCR values that a TPM vouches for, and what its quote says else. Only [`verify_quote`] makes
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedQuote {
    selection: PcrSelection,
    values: Vec<PcrBank>,
    clock_info: ClockInfo,
    firmware_version: u64,
    qualified_signer: Option<Name>,
    signature: CheckedSignature,
}

impl VerifiedQuote {
    /// Its signature, for [`verify_quote_again`].
    pub const fn signature(&self) -> &CheckedSignature {
        &self.signature
    }

    /// What the quote covers.
    pub const fn selection(&self) -> &PcrSelection {
        &self.selection
    }

    /// The values that it covers and no others, in the order of the selection.
    pub fn values(&self) -> &[PcrBank] {
        &self.values
    }

    /// The values of one bank.
    pub fn bank(&self, alg: TpmAlgId) -> Option<&PcrBank> {
        self.values.iter().find(|bank| bank.alg() == alg)
    }

    /// Clock and counters of boots.
    pub const fn clock_info(&self) -> &ClockInfo {
        &self.clock_info
    }

    /// The vendor's number for the TPM's firmware. Like the counters of resets and restarts it has a
    /// secret number of the TPM added, the same for all quotes of one key, unless the key lies in
    /// the endorsement or platform hierarchy: only differences say something.
    /// [TPM2-P1-1.59 §36.7]
    pub const fn firmware_version(&self) -> u64 {
        self.firmware_version
    }

    /// The qualified name of the key that signed; `None` where it is not one of a key like ours.
    pub const fn qualified_signer(&self) -> Option<&Name> {
        self.qualified_signer.as_ref()
    }
}

/// All that is wrong with a quote, or what it proves.
#[derive(Clone, Debug)]
pub struct QuoteCheck {
    /// What is wrong, in the order of the checks. None hides another.
    pub problems: Vec<QuoteProblem>,
    /// What the quote says, where it can be read. Unverified even beside a verified quote.
    pub untrusted_attest: Option<UntrustedAttest>,
    verified: Option<VerifiedQuote>,
}

impl QuoteCheck {
    /// What the quote proves: there only where there is no problem.
    pub const fn verified(&self) -> Option<&VerifiedQuote> {
        self.verified.as_ref()
    }

    /// What the quote proves, taken out.
    pub fn into_verified(self) -> Option<VerifiedQuote> {
        self.verified
    }
}

/// Checks `quote` against `ak`: that it can be read, its signature, magic and type, that it
/// answers `nonce` exactly, that its selection fulfils `rule`, that there is a value for each PCR
/// of the selection, and that these hash to the quoted digest. The signature is checked also where
/// the rest cannot be read.
///
/// `values` may hold more than the quote covers; what it does not cover is left out of the result.
/// The PCR digest uses the hash of the signing scheme, whatever the banks are.
/// [TPM2-P2-1.59 §10.12.4 TPMS_QUOTE_INFO, TPM2-P3-1.59 §18.4] Trust: `ak` is bound to its TPM.
pub fn verify_quote(
    ak: &BoundAk,
    quote: RawQuote<'_>,
    values: &[PcrBank],
    nonce: &Nonce,
    rule: &SelectionRule,
) -> QuoteCheck {
    check(ak, quote, values, nonce, rule, None)
}

/// The same of a quote that may be one that was verified before: where the signature that was
/// `checked` is of these very bytes and this very key, it is not checked a second time. All else is.
pub fn verify_quote_again(
    ak: &BoundAk,
    quote: RawQuote<'_>,
    values: &[PcrBank],
    nonce: &Nonce,
    rule: &SelectionRule,
    checked: &CheckedSignature,
) -> QuoteCheck {
    check(ak, quote, values, nonce, rule, Some(checked))
}

fn check(
    ak: &BoundAk,
    quote: RawQuote<'_>,
    values: &[PcrBank],
    nonce: &Nonce,
    rule: &SelectionRule,
    checked: Option<&CheckedSignature>,
) -> QuoteCheck {
    let mut problems = Vec::new();
    let attest = TpmsAttest::parse(quote.attest);
    if let Err(error) = attest {
        problems.push(QuoteProblem::Parse(error));
    }
    let signature = CheckedSignature::of(ak, quote);
    if checked != Some(&signature)
        && let Err(problem) = ak.ak().check_signature(quote.attest, quote.signature)
    {
        problems.push(QuoteProblem::Signature(problem));
    }
    let Ok(attest) = attest else {
        return QuoteCheck { problems, untrusted_attest: None, verified: None };
    };
    if attest.magic != TPM_GENERATED {
        problems.push(QuoteProblem::Magic { have: attest.magic });
    }
    let quoted = match attest.attested {
        Attested::Quote { pcr_select, pcr_digest } => Some((pcr_select, pcr_digest)),
        Attested::Certify { .. } | Attested::Other { .. } => {
            problems.push(QuoteProblem::Type { have: attest.kind });
            None
        }
    };
    if constant_time::verify_slices_are_equal(attest.extra_data, nonce.as_bytes()).is_err() {
        problems.push(QuoteProblem::NonceMismatch);
    }
    let mut verified = None;
    if let Some((selection, pcr_digest)) = quoted {
        problems.extend(selection::check(&selection, rule).map(QuoteProblem::Selection));
        let (covered, missing) = covered(&selection, values);
        if missing.is_empty() {
            if pcr_digest != digest_of(&covered, ak.ak().scheme().hash).as_ref() {
                problems.push(QuoteProblem::PcrDigest);
            }
        } else {
            problems.extend(missing);
        }
        if problems.is_empty() {
            verified = Some(VerifiedQuote {
                selection,
                values: covered,
                clock_info: attest.clock_info,
                firmware_version: attest.firmware_version,
                qualified_signer: Name::from_bytes(attest.qualified_signer),
                signature,
            });
        }
    }
    QuoteCheck { problems, untrusted_attest: Some(UntrustedAttest::of(&attest)), verified }
}

/// The values of the PCRs in `selection`, bank by bank in its order, and which are missing.
fn covered(selection: &PcrSelection, values: &[PcrBank]) -> (Vec<PcrBank>, Vec<QuoteProblem>) {
    let mut covered = Vec::with_capacity(selection.banks().len());
    let mut problems = Vec::new();
    for (alg, pcrs) in selection.banks() {
        let given = values.iter().find(|bank| bank.alg() == *alg);
        let mut bank = PcrBank::new(*alg);
        let mut missing = PcrSet::EMPTY;
        for index in pcrs.iter() {
            let value = given.and_then(|given| given.get(index));
            if !value.is_some_and(|value| bank.set(index, *value)) {
                missing = missing.with(index);
            }
        }
        if !missing.is_empty() {
            problems.push(QuoteProblem::ValuesMissing { bank: *alg, missing });
        }
        covered.push(bank);
    }
    (covered, problems)
}

/// The digest over all values, bank by bank, in each by ascending index.
fn digest_of(banks: &[PcrBank], hash: StrongHash) -> digest::Digest {
    let mut context = digest::Context::new(hash.digest());
    for (_, value) in banks.iter().flat_map(PcrBank::iter) {
        context.update(value.as_bytes());
    }
    context.finish()
}
