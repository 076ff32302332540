//! What came out of every check: typed, complete, not yet a verdict.

use std::sync::Arc;

use boot_claims::{BootClaims, BootPath};
use event_log::{ComparedLog, LaterProblem, LedOn, Log, Mismatch, Problem, StartupProblem};
use quirks::UntrustedMachine;
use secure_boot_facts::{DbxState, Revocations};
use tpm_wire::{ClockInfo, ParseError, PcrBank, PcrSelection, PcrSet, TpmAlgId};
use verify::{
    AkError, EkCertError, Name, QuoteProblem, UntrustedAttest, VerifiedEk, VerifiedQuote,
};

use crate::{ImaStatus, Interface, TpmSaid};

/// All that evidence proves and fails to prove. Only [`crate::examine`] makes one.
#[derive(Clone, Debug)]
pub struct Claims<'a> {
    /// Whose evidence it is.
    pub identity: IdentityStatus,
    /// The endorsement certificate.
    pub ek: EkStatus,
    /// The quote.
    pub quote: QuoteStatus,
    /// The event log, compared with the quoted values, or where no quote is verified with the
    /// values that the host says.
    pub log: LogStatus<'a>,
    /// The measurement list of IMA, where the policy asks for it.
    pub ima: ImaStatus,
    /// The PCR banks that the TPM seems to have active: those of the quote, of the values, of the
    /// log, and those that the host names. An untrusted hint, good to tell causes apart.
    pub untrusted_banks: Vec<TpmAlgId>,
    /// Why the running system's own log could not be read to its end.
    pub later_problem: Option<LaterProblem>,
    /// Bytes of the area that the firmware writes its log into, as the host says.
    pub untrusted_log_area_bytes: Option<u32>,
    /// FIFO or CRB, as the host says.
    pub untrusted_interface: Option<Interface>,
    /// What the TPM says of itself, as the host says.
    pub untrusted_tpm: Option<TpmSaid<'a>>,
    /// What machine the host says it is.
    pub untrusted_machine: Option<UntrustedMachine<'a>>,
    /// Whether the key that the quote names as its signer is the enrolled one.
    pub signer: SignerStatus,
    /// Keys whose numbers show that they can be factored.
    pub weak_keys: Vec<KeyRole>,
}

/// Whether the qualified name in a verified quote is that of the enrolled key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignerStatus {
    /// There is no verified quote, or the host did not say under which key the enrolled one lies.
    NotChecked,
    /// It is.
    Matches,
    /// It is another.
    Differs {
        /// The name in the quote, where it can be read.
        quoted: Option<Name>,
        /// The name that it should have.
        expected: Name,
    },
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRole {
    /// The endorsement key, as certified.
    Endorsement,
    /// The attestation key.
    Attestation,
}

/// Whose evidence it is.
#[derive(Clone, Debug)]
pub enum IdentityStatus {
    /// No identity key is stored.
    NoIdentityKey,
    /// The key that came is another than the stored one, or none came.
    AkNotEnrolled {
        /// The stored name.
        enrolled: Name,
        /// The name of the key that came, where it can be read.
        presented: Option<Name>,
    },
    /// The key that came is no attestation key.
    AkUnfit(AkError),
    /// The stored key is here. Whether it signed is what the quote says.
    Bound {
        /// Its name.
        ak_name: Name,
        /// The key that the host says it uses, where that is another one: an explanation of a
        /// signature that fails.
        presented: Option<Name>,
    },
}

/// What the endorsement certificate proves.
#[derive(Clone, Debug)]
pub enum EkStatus {
    /// Nothing is enrolled, so none was asked for.
    NotAsked,
    /// There is none.
    Absent {
        /// SHA-256 over the SubjectPublicKeyInfo of the enrolled key, where one is enrolled.
        ek_spki_sha256: Option<[u8; 32]>,
    },
    /// It is not accepted.
    Refused(EkCertError),
    /// A trusted root vouches for it, and it certifies the enrolled key where one is enrolled.
    Verified(VerifiedEk),
}

impl EkStatus {
    /// What the certificate says, where its chain holds: also where only its dates do not.
    pub fn endorsed(&self) -> Option<&VerifiedEk> {
        match self {
            Self::Verified(ek) => Some(ek),
            Self::Refused(EkCertError::Expired(out) | EkCertError::NotYetValid(out)) => {
                Some(out.ek())
            }
            Self::Refused(_) | Self::NotAsked | Self::Absent { .. } => None,
        }
    }
}

/// What the quote proves.
#[derive(Clone, Debug)]
pub enum QuoteStatus {
    /// There is none.
    Absent {
        /// What the TPM answered, as the agent says.
        untrusted_error: Option<String>,
    },
    /// There is one, but nobody to have signed it: no key of this host is known. Its structure was
    /// read all the same.
    NoKey {
        /// What it says.
        untrusted_attest: Result<UntrustedAttest, ParseError>,
    },
    /// It is not accepted.
    Refused {
        /// What it says.
        untrusted_attest: Option<UntrustedAttest>,
        /// What is wrong with it.
        problems: Vec<QuoteProblem>,
    },
    /// The enrolled key signed it, and it answers the challenge.
    Verified(VerifiedQuote),
}

impl QuoteStatus {
    /// What the quote proves, where it proves something.
    pub const fn verified(&self) -> Option<&VerifiedQuote> {
        match self {
            Self::Verified(quote) => Some(quote),
            _ => None,
        }
    }

    /// What the quote covers, trusted or not.
    pub fn selection(&self) -> Option<PcrSelection> {
        match self {
            Self::Absent { .. } => None,
            Self::NoKey { untrusted_attest } => {
                untrusted_attest.as_ref().ok().and_then(|attest| attest.selection)
            }
            Self::Refused { untrusted_attest, .. } => {
                untrusted_attest.as_ref().and_then(|attest| attest.selection)
            }
            Self::Verified(quote) => Some(*quote.selection()),
        }
    }
}

/// What the event log gave.
#[derive(Clone, Debug)]
pub enum LogStatus<'a> {
    /// The host has none.
    Absent,
    /// It has no byte.
    Empty,
    /// It was read, to its end or to a problem.
    Read(Box<ReadLog<'a>>),
}

/// A log that was read.
#[derive(Clone, Debug)]
pub struct ReadLog<'a> {
    /// Bytes.
    pub n_bytes: usize,
    /// Logs of earlier boots that came before it in one file.
    pub n_earlier_logs: usize,
    /// The events, up to the first problem, with what the quote stands for; its lists of problems
    /// are those below.
    pub(crate) compared: ComparedLog<'a>,
    /// Why reading stopped; empty where the whole log was read.
    pub problems: Vec<Problem>,
    /// StartupLocality events that were not heeded.
    pub startup_problems: Vec<StartupProblem>,
    /// PCRs that must replay and do not.
    pub mismatches: Vec<Mismatch>,
    /// PCRs that go on in another log.
    pub continued: Vec<Mismatch>,
    /// PCRs that the running system's own log leads to their quoted value.
    pub led_on: Vec<LedOn>,
    /// Quoted strong banks that the log has no digests for.
    pub banks_not_in_log: Vec<TpmAlgId>,
    /// PCRs whose events replay, per bank.
    pub replayed: Vec<(TpmAlgId, PcrSet)>,
    /// Known deviations that it shows.
    pub quirks: Vec<quirks::Seen>,
    /// What its dbx holds, where that is proved.
    pub dbx: Option<DbxState>,
    /// The lists that it was held against.
    pub revocations: Arc<Revocations>,
    /// What booted.
    pub boot: BootClaims<'a>,
}

impl<'a> ReadLog<'a> {
    /// The events alone.
    pub const fn log(&self) -> &Log<'a> {
        self.compared.log()
    }

    /// What was loaded, in order: for people. It is read anew at each call, since no judgement rests
    /// on it.
    pub fn boot_path(&self) -> BootPath<'a> {
        BootPath::read(&self.compared)
    }
}

/// The TPM's counters in the last quote that was accepted from this host under this key.
/// [TPM2-P1-1.59 §36.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockState {
    /// Milliseconds that the TPM has been powered.
    pub clock_ms: u64,
    /// TPM resets since it was cleared.
    pub reset_count: u32,
    /// TPM restarts since the last reset.
    pub restart_count: u32,
    /// The vendor's number for the TPM's firmware, as quoted: only a difference says something.
    pub firmware_version: u64,
}

impl From<&VerifiedQuote> for ClockState {
    fn from(quote: &VerifiedQuote) -> Self {
        let ClockInfo { clock_ms, reset_count, restart_count, .. } = *quote.clock_info();
        Self { clock_ms, reset_count, restart_count, firmware_version: quote.firmware_version() }
    }
}

impl Claims<'_> {
    /// The PCRs that the log has events of, where there is a log: what a quote should cover.
    pub fn named_pcrs(&self) -> Option<PcrSet> {
        match &self.log {
            LogStatus::Read(read) => {
                let extended = read.log().events().iter().filter(|event| event.is_extended());
                Some(extended.map(|event| event.pcr_index).collect())
            }
            LogStatus::Absent | LogStatus::Empty => None,
        }
    }

    /// The quoted values, where a quote is verified.
    pub fn quoted(&self) -> &[PcrBank] {
        self.quote.verified().map_or(&[], VerifiedQuote::values)
    }
}
