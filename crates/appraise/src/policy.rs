//! What must hold. The default is what a careful administrator would choose, and each way to ask
//! for less shows in the result.

use std::sync::Arc;

use event_log::{BankTrust, Rules, UnloggedExits};
use findings::{Argument, Code, Finding, Severity};
use quirks::Quirk;
use references::Mode;
use tpm_vendors::{FirmwareVersion, Vendor};
use tpm_wire::{PcrSet, TpmAlgId};
use verify::{BankRule, SelectionRule, UnixTime};

use crate::ima::ImaRules;
use crate::policy_rule::{ApprovedEk, Rule, Waiver, is_lowered, unchangeable};
use crate::{Schedule, SecureBootRules, SiteRules};

/// The rules of a judgement. Whatever is set, a verified quote and a log that replays to it stay
/// necessary: what would give that up is a [`PolicyFault`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    required_pcrs: PcrSet,
    continued_pcrs: PcrSet,
    minimum_bank: BankMinimum,
    expired_endorsement: ExpiredEndorsement,
    approved_eks: Vec<ApprovedEk>,
    minimum_tpm_firmware: Vec<(Vendor, FirmwareVersion)>,
    /// Seconds for which a verdict counts; `None`: what the server is configured for. Nothing
    /// that is judged here depends on it.
    pub verdict_good_for_s: Option<u64>,
    /// When hosts are judged: the first that fits a host's labels counts; where none does, what the
    /// server is configured for. Nothing that is judged here depends on it.
    pub schedules: Vec<Schedule>,
    /// How the measurement list of IMA is judged; `None`: not at all. Shared, since an allow list
    /// has megabytes.
    pub ima: Option<Arc<ImaRules>>,
    /// What is done with the references of a host.
    pub references: references::Rules,
    /// Lists and minimums of Secure Boot.
    pub secure_boot: SecureBootRules,
    /// Rules that the site has beyond this.
    pub site_rules: Option<SiteRules>,
    rules: Vec<(Code, Rule)>,
    refused_quirks: Vec<Quirk>,
    permitted_quirks: Vec<Quirk>,
}

/// The weakest bank in which the required PCRs must be quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BankMinimum {
    /// SHA-256 and all hashes of its length or longer.
    Sha256,
    /// SHA-384 and all hashes of its length or longer.
    Sha384,
    /// SHA-512 and all hashes of its length.
    Sha512,
}

impl BankMinimum {
    /// The bank's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Whether `bank` is as strong: weaker means a shorter digest. One that no log can be replayed in
    /// (SHA-3) proves nothing, however strong it is.
    pub fn allows(self, bank: TpmAlgId) -> bool {
        let n_bytes = match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        };
        bank.is_strong_hash()
            && event_log::is_supported(bank)
            && bank.digest_len().is_some_and(|len| len >= n_bytes)
    }
}

/// What an endorsement certificate that has expired does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiredEndorsement {
    /// The host is not accepted.
    Refuse,
    /// It is a warning: TPM chips outlive some of their certificates.
    Permit,
}

/// Why a policy is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// PCR 0 to 7 hold firmware and Secure Boot.
    #[error("PCR {missing} must be required: without PCR 0 to 7 Secure Boot is not proved")]
    FirmwareNotRequired {
        /// What is not in the set.
        missing: PcrSet,
    },
    /// PCR 0 to 9 and 14 end with firmware, shim and boot loader.
    #[error(
        "PCR {continued} must replay: firmware, shim and boot loader are done with it when the log ends"
    )]
    MustReplay {
        /// What must not be in the set.
        continued: PcrSet,
    },
    /// Nothing that a policy says may change this finding.
    #[error("{} cannot be changed by a policy: {why}", code.as_str())]
    Unchangeable {
        /// The finding.
        code: Code,
        /// Why not.
        why: &'static str,
    },
    /// A finding is taken less seriously than the catalogue does, for no reason or for ever.
    #[error(
        "{} is {} by itself: to make it {} takes a reason and an expiry",
        code.as_str(), code.entry().severity.as_str(), to.as_str()
    )]
    NotWaived {
        /// The finding.
        code: Code,
        /// The severity that was wanted.
        to: Severity,
    },
    /// A waiver of what is as severe without it.
    #[error("{} is {} by itself: there is nothing to waive", code.as_str(), code.entry().severity.as_str())]
    NothingToWaive {
        /// The finding.
        code: Code,
    },
    /// A quirk that is no finding, or that only explains what is refused anyway.
    #[error("{} is {}: there is nothing to refuse", quirk.as_str(), quirk.row().effect.as_str())]
    NothingToRefuse {
        /// The quirk.
        quirk: Quirk,
    },
    /// A quirk that is accepted anyway, or that nobody can permit.
    #[error("{} is {}: there is nothing to permit", quirk.as_str(), quirk.row().effect.as_str())]
    NothingToPermit {
        /// The quirk.
        quirk: Quirk,
    },
    /// Two approvals of one endorsement key.
    #[error("this endorsement key is approved twice")]
    ApprovedTwice,
    /// Two rules for one finding.
    #[error("{} is decided twice", code.as_str())]
    Twice {
        /// The finding.
        code: Code,
    },
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            required_pcrs: PcrSet::FIRMWARE,
            continued_pcrs: Rules::default().continued,
            minimum_bank: BankMinimum::Sha256,
            expired_endorsement: ExpiredEndorsement::Refuse,
            approved_eks: Vec::new(),
            minimum_tpm_firmware: Vec::new(),
            verdict_good_for_s: None,
            schedules: Vec::new(),
            references: references::Rules::default(),
            ima: None,
            secure_boot: SecureBootRules::default(),
            site_rules: None,
            rules: Vec::new(),
            refused_quirks: Vec::new(),
            permitted_quirks: Vec::new(),
        }
    }
}

impl Policy {
    /// PCRs that must be quoted in one bank of [`Self::minimum_bank`] or better.
    pub const fn required_pcrs(&self) -> PcrSet {
        self.required_pcrs
    }

    /// PCRs that a host should be asked to quote: the required ones, that of IMA where its list is
    /// judged, those that must be as references say, and two that tell of a dynamic launch: up to
    /// sixteen take no command more to read than nine.
    pub fn asked_pcrs(&self) -> PcrSet {
        let held = match self.references.mode {
            Mode::Off => PcrSet::EMPTY,
            Mode::Observe | Mode::Enforce | Mode::Require => self.references.pcrs,
        };
        let asked = self.required_pcrs.union(held).with(17).with(18);
        match &self.ima {
            Some(ima) => asked.with(ima.pcr_index),
            None => asked,
        }
    }

    /// PCRs that may go on in another log than the firmware's.
    pub const fn continued_pcrs(&self) -> PcrSet {
        self.continued_pcrs
    }

    /// The weakest bank that counts.
    pub const fn minimum_bank(&self) -> BankMinimum {
        self.minimum_bank
    }

    /// What an endorsement certificate that has expired does.
    pub const fn expired_endorsement(&self) -> ExpiredEndorsement {
        self.expired_endorsement
    }

    /// The endorsement keys that are approved without a certificate.
    pub fn approved_eks(&self) -> &[ApprovedEk] {
        &self.approved_eks
    }

    /// Approves one endorsement key that has no certificate. Only the absence: a certificate that is
    /// there and does not hold is judged as that.
    pub fn approve_ek(&mut self, ek_sha256: [u8; 32], waiver: Waiver) -> Result<(), PolicyFault> {
        if self.approved_eks.iter().any(|known| known.ek_sha256 == ek_sha256) {
            return Err(PolicyFault::ApprovedTwice);
        }
        self.approved_eks.push(ApprovedEk { ek_sha256, waiver });
        Ok(())
    }

    /// The approval of the endorsement key that `finding` says is without a certificate.
    fn approval(&self, finding: &Finding) -> Option<&Waiver> {
        if finding.code() != Code::EkCertAbsent {
            return None;
        }
        let Some(Argument::Digest(named)) = finding.argument("ek_sha256") else { return None };
        let mut approved = self.approved_eks.iter();
        approved.find(|known| known.ek_sha256 == named.as_bytes()).map(|known| &known.waiver)
    }

    /// The oldest firmware that TPMs of a vendor may have; none for vendors that are not named.
    pub fn minimum_tpm_firmware(&self) -> &[(Vendor, FirmwareVersion)] {
        &self.minimum_tpm_firmware
    }

    /// The findings that are waived, up to which time, and how severe they are until then.
    pub fn waivers(&self) -> impl Iterator<Item = (Code, Severity, &Waiver)> {
        self.rules.iter().filter_map(|(code, rule)| match rule {
            Rule::Waive(severity, waiver) => Some((*code, *severity, waiver)),
            Rule::Raise(_) => None,
        })
    }

    /// The findings that are as severe or more severe than in the catalogue.
    pub fn raised(&self) -> impl Iterator<Item = (Code, Severity)> {
        self.rules.iter().filter_map(|(code, rule)| match rule {
            Rule::Raise(severity) => Some((*code, *severity)),
            Rule::Waive(..) => None,
        })
    }

    /// Requires `pcrs` in each quote.
    pub fn require_pcrs(&mut self, pcrs: PcrSet) -> Result<(), PolicyFault> {
        let missing = PcrSet::FIRMWARE.minus(pcrs);
        if !missing.is_empty() {
            return Err(PolicyFault::FirmwareNotRequired { missing });
        }
        self.required_pcrs = pcrs;
        Ok(())
    }

    /// Lets `pcrs`, and no others, go on after the firmware's log. Only fewer than by default: a log
    /// that does not replay in one of the others could tell any kernel and any command line.
    pub fn continue_pcrs(&mut self, pcrs: PcrSet) -> Result<(), PolicyFault> {
        let continued = pcrs.minus(Rules::default().continued);
        if !continued.is_empty() {
            return Err(PolicyFault::MustReplay { continued });
        }
        self.continued_pcrs = pcrs;
        Ok(())
    }

    /// Asks for `minimum` or better.
    pub const fn require_bank(&mut self, minimum: BankMinimum) {
        self.minimum_bank = minimum;
    }

    /// Asks that TPMs of `vendor` have firmware of `minimum` or newer.
    pub fn require_tpm_firmware(&mut self, vendor: Vendor, minimum: FirmwareVersion) {
        self.minimum_tpm_firmware.retain(|(of, _)| *of != vendor);
        self.minimum_tpm_firmware.push((vendor, minimum));
    }

    /// The known deviations that are refused.
    pub fn refused_quirks(&self) -> &[Quirk] {
        &self.refused_quirks
    }

    /// Refuses hosts that have this known deviation.
    pub fn refuse_quirk(&mut self, quirk: Quirk) -> Result<(), PolicyFault> {
        if !quirk.row().effect.is_refusable() {
            return Err(PolicyFault::NothingToRefuse { quirk });
        }
        if !self.refused_quirks.contains(&quirk) {
            self.refused_quirks.push(quirk);
        }
        Ok(())
    }

    /// Accepts hosts that have this known deviation, which is refused else.
    pub fn permit_quirk(&mut self, quirk: Quirk) -> Result<(), PolicyFault> {
        if !quirk.row().effect.is_permissible() {
            return Err(PolicyFault::NothingToPermit { quirk });
        }
        if !self.permitted_quirks.contains(&quirk) {
            self.permitted_quirks.push(quirk);
        }
        Ok(())
    }

    /// Decides about expired endorsement certificates; a rule for the finding would decide twice.
    pub fn expire_endorsement(&mut self, verdict: ExpiredEndorsement) -> Result<(), PolicyFault> {
        if verdict == ExpiredEndorsement::Permit && self.rule(Code::EkCertExpired).is_some() {
            return Err(PolicyFault::Twice { code: Code::EkCertExpired });
        }
        self.expired_endorsement = verdict;
        Ok(())
    }

    /// Takes a finding as seriously as the catalogue does, or more so.
    pub fn raise(&mut self, code: Code, to: Severity) -> Result<(), PolicyFault> {
        if is_lowered(code, to) {
            return Err(match unchangeable(code) {
                Some(why) => PolicyFault::Unchangeable { code, why },
                None => PolicyFault::NotWaived { code, to },
            });
        }
        self.add(code, Rule::Raise(to))
    }

    /// Takes a finding less seriously than the catalogue does, for a reason and for a time.
    pub fn waive(&mut self, code: Code, to: Severity, waiver: Waiver) -> Result<(), PolicyFault> {
        if !is_lowered(code, to) {
            return Err(PolicyFault::NothingToWaive { code });
        }
        self.add(code, Rule::Waive(to, waiver))
    }

    fn add(&mut self, code: Code, rule: Rule) -> Result<(), PolicyFault> {
        if let Some(why) = unchangeable(code) {
            return Err(PolicyFault::Unchangeable { code, why });
        }
        let permitted =
            code == Code::EkCertExpired && self.expired_endorsement == ExpiredEndorsement::Permit;
        if permitted || self.rule(code).is_some() {
            return Err(PolicyFault::Twice { code });
        }
        self.rules.push((code, rule));
        Ok(())
    }

    fn rule(&self, code: Code) -> Option<&Rule> {
        self.rules.iter().find(|(known, _)| *known == code).map(|(_, rule)| rule)
    }

    /// Gives `finding` the severity that it has under this policy at `now`, and says in its
    /// arguments where that is less than the catalogue's. A waiver that has expired waives
    /// nothing, and that is said too.
    pub fn judge(&self, finding: &mut Finding, now: UnixTime) {
        let text = |text: &str| Argument::Text(text.to_owned());
        let code = finding.code();
        let mut judged = finding.clone();
        // A person's word about one key goes before a rule for all.
        match self.approval(finding) {
            Some(approval) if now < approval.expires => {
                *finding = judged
                    .with_severity(Severity::Warn)
                    .with("approved", text(&approval.reason))
                    .with("until", text(&approval.until));
                return;
            }
            Some(approval) => judged = judged.with("approval_ended", text(&approval.until)),
            None => {}
        }
        *finding = match self.rule(code) {
            Some(Rule::Raise(severity)) => judged.with_severity(*severity),
            Some(Rule::Waive(severity, waiver)) if now < waiver.expires => judged
                .with_severity(*severity)
                .with("waived", text(&waiver.reason))
                .with("until", text(&waiver.until)),
            Some(Rule::Waive(_, waiver)) => judged.with("waiver_ended", text(&waiver.until)),
            None if code == Code::EkCertExpired
                && self.expired_endorsement == ExpiredEndorsement::Permit =>
            {
                judged
                    .with_severity(Severity::Warn)
                    .with("permitted", text("endorsement.permit_expired"))
            }
            None => judged,
        };
    }

    pub(crate) const fn log_rules(&self) -> LogRules<'_> {
        LogRules {
            continued: self.continued_pcrs,
            permitted_quirks: self.permitted_quirks.as_slice(),
            references: &self.references,
            secure_boot: &self.secure_boot,
        }
    }

    pub(crate) const fn selection_rule(&self) -> SelectionRule {
        SelectionRule::AtLeast { pcrs: self.required_pcrs, banks: BankRule::Strong }
    }
}

/// The part of a policy on which it depends what is found in a log. How severe that is comes after
/// it. Where two policies are equal in this they find the same in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogRules<'p> {
    continued: PcrSet,
    permitted_quirks: &'p [Quirk],
    pub(crate) references: &'p references::Rules,
    pub(crate) secure_boot: &'p SecureBootRules,
}

impl LogRules<'_> {
    pub(crate) fn replay(&self) -> Rules {
        let unlogged_exits = match self.permitted_quirks.contains(&Quirk::ExitNotLogged) {
            true => UnloggedExits::Permitted,
            false => UnloggedExits::Refused,
        };
        Rules { continued: self.continued, banks: BankTrust::Strong, unlogged_exits }
    }
}
