//! What must hold. One policy for all for now: what a careful administrator would choose.

use event_log::{BankTrust, Rules};
use tpm_wire::PcrSet;
use verify::{BankRule, SelectionRule};

/// The rules of a judgement.
#[derive(Clone, Debug)]
pub struct Policy {
    /// PCRs that must be quoted in one bank of SHA-256 or better.
    pub required_pcrs: PcrSet,
    /// PCRs that may go on in another log than the firmware's.
    pub continued_pcrs: PcrSet,
}

impl Default for Policy {
    fn default() -> Self {
        Self { required_pcrs: PcrSet::FIRMWARE, continued_pcrs: Rules::default().continued }
    }
}

impl Policy {
    pub(crate) const fn selection_rule(&self) -> SelectionRule {
        SelectionRule::AtLeast { pcrs: self.required_pcrs, banks: BankRule::Strong }
    }

    pub(crate) const fn replay_rules(&self) -> Rules {
        Rules { continued: self.continued_pcrs, banks: BankTrust::Strong }
    }
}
