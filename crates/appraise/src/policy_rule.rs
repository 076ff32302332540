//! What a policy may say of one finding, and of which it may say nothing.

use findings::{Code, Severity};
use verify::UnixTime;

/// Why a finding is taken less seriously than it is by itself, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// The reason, for the people who see the result.
    pub reason: String,
    /// From this second on it counts no more.
    pub expires: UnixTime,
    /// The same as it was written, for people.
    pub until: String,
}

/// An endorsement key without a certificate that a person knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovedEk {
    /// SHA-256 over its SubjectPublicKeyInfo.
    pub ek_sha256: [u8; 32],
    /// Why, and until when.
    pub waiver: Waiver,
}

/// What a policy says of one finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// At least the catalogue's severity.
    Raise(Severity),
    /// Less than that, while the waiver counts.
    Waive(Severity, Waiver),
}

/// Whether `to` is less severe than `code` is by itself.
pub const fn is_lowered(code: Code, to: Severity) -> bool {
    rank(to) < rank(code.entry().severity)
}

const fn rank(severity: Severity) -> u8 {
    match severity {
        Severity::Fail => 4,
        Severity::Hold => 3,
        Severity::Warn => 2,
        Severity::Info => 1,
        Severity::Ignore => 0,
    }
}

/// Why no policy may change a finding; `None` where one may.
///
/// A finding is in this table where, with it, nothing else that the host says is proved: a policy
/// that waived it would accept a host on its own word. It is written out without a default, so that
/// who adds a finding has to decide.
pub const fn unchangeable(code: Code) -> Option<&'static str> {
    const NO_SIGNER: &str = "without a key that is bound to a TPM nobody has signed the evidence";
    const NO_PROOF: &str = "without a quote that holds nothing of the evidence is proved";
    const INVENTORY: &str = "it is about the host in the inventory, not about its evidence";
    match code {
        Code::NoIdentityKey | Code::AkNotEnrolled => Some(NO_SIGNER),
        Code::AkUnfit => Some("such a key can sign a quote that no TPM made"),
        Code::EkCertKeyMismatch => {
            Some("the certificate is another TPM's, and vouches for nothing of this one")
        }
        Code::NoQuote | Code::QuoteParse | Code::TpmFault => Some(NO_PROOF),
        Code::QuoteMagic | Code::QuoteType => Some("what was signed is no quote of a TPM"),
        Code::QuoteSignature => Some("anybody can have written the quote"),
        Code::NonceMismatch => Some("an old quote could be sent for ever"),
        Code::QualifiedSigner => Some("the quote names another key than the one that is enrolled"),
        Code::KeyWeakRoca => Some("whoever reads the public key can sign for this TPM"),
        Code::PcrDigest | Code::PcrValues => Some("the TPM did not sign these PCR values"),
        Code::PcrSelection => {
            Some("a host that hides a PCR hides what it booted; set [pcrs] and [banks] instead")
        }
        Code::Sha256BankInactive | Code::Sha256NotQuoted => {
            Some("SHA-1 collides: two boots can have the same PCR values")
        }
        Code::NoEventLog => Some("without a log nothing tells what the PCR values mean"),
        Code::LogReplay => Some(
            "the log is not the one that was measured; [pcrs] continued names other logs' PCRs",
        ),
        Code::RuleError => Some("what the rules would have found is not known"),
        Code::EkChanged
        | Code::StateCopied
        | Code::AkRenewed
        | Code::NoTpm
        | Code::AwaitingApproval
        | Code::NeverAppraised
        | Code::VerdictExpired => Some(INVENTORY),
        Code::ReferenceRevoked => Some("somebody revoked the reference, for ever"),
        Code::ReferenceMissing
        | Code::ReferenceChange
        | Code::ReferenceVendorChange
        | Code::ReferenceExpired
        | Code::ReferenceObsolete
        | Code::ReferenceIgnored
        | Code::ReferenceVaried
        | Code::EkCertAbsent
        | Code::EkCertMalformed
        | Code::EkCertUntrusted
        | Code::EkCertExpired
        | Code::EkCertNotYetValid
        | Code::EkCertWrongUse
        | Code::EkCertPinned
        | Code::QuirkAccepted
        | Code::QuirkExplains
        | Code::QuirkRefused
        | Code::ClockWentBack
        | Code::TpmFirmwareChanged
        | Code::LogParse
        | Code::EventData
        | Code::CrtmVersionData
        | Code::EventType
        | Code::Separator
        | Code::LogContinued
        | Code::LogPadding
        | Code::UserspaceLog
        | Code::LogFull
        | Code::LogEarlierBoots
        | Code::ImaAbsent
        | Code::ImaList
        | Code::ImaReplay
        | Code::ImaBootAggregate
        | Code::ImaViolation
        | Code::ImaFile
        | Code::ImaWeak
        | Code::RuleFailed
        | Code::RuleWarned
        | Code::RuleTold
        | Code::SetupMode
        | Code::AuditMode
        | Code::SecureBootOrder
        | Code::PlatformKey
        | Code::TestPlatformKey
        | Code::Ca2011Only
        | Code::WeakCertificate
        | Code::DbxBelowMinimum
        | Code::DbxOutdated
        | Code::ImageRevoked
        | Code::AuthorityUnknown
        | Code::AuthorityMissing
        | Code::BootApplicationMissing
        | Code::BootAttemptFailed
        | Code::MeasuredLate
        | Code::MeasuredEarly
        | Code::AuthorityNotAllowed
        | Code::MokInsecure
        | Code::MokEnrolled
        | Code::SbatBelowMinimum
        | Code::SbatOutdated
        | Code::DebugMode
        | Code::DmaProtectionDisabled
        | Code::SecurityLevelDowngraded
        | Code::SecureBootOff
        | Code::SecureBootUnknown
        | Code::TpmFirmwareAdvisory
        | Code::TpmFirmwareBelowMinimum
        | Code::TpmVirtual
        | Code::InterfaceNotFifo
        | Code::DynamicLaunch => None,
    }
}
