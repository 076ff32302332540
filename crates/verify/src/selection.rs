//! Which PCRs a quote has to cover.

use tpm_wire::{PcrSelection, PcrSet, TpmAlgId};

/// What the selection of a quote has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectionRule {
    /// Exactly this: same banks in the same order, same PCRs.
    Exactly(PcrSelection),
    /// At least these PCRs in one bank.
    AtLeast {
        /// The PCRs.
        pcrs: PcrSet,
        /// Of which bank.
        banks: BankRule,
    },
}

/// Which banks count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BankRule {
    /// SHA-256 and better.
    Strong,
    /// SHA-1 too. For a policy that permits it, and which then shows a finding.
    PermitSha1,
}

impl BankRule {
    const fn allows(self, bank: TpmAlgId) -> bool {
        match self {
            Self::Strong => bank.is_strong_hash(),
            Self::PermitSha1 => bank.is_strong_hash() || matches!(bank, TpmAlgId::SHA1),
        }
    }
}

/// Why a selection is not enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionProblem {
    /// No PCR at all is selected.
    #[error("the quote covers no PCR")]
    Empty,
    /// A bank is named and none of its PCRs.
    #[error("the quote names bank {bank} and covers none of its PCRs")]
    EmptyBank {
        /// The bank.
        bank: TpmAlgId,
    },
    /// It is not what was asked for.
    #[error("the quote covers {have}, not {want}")]
    Differs {
        /// What was asked for.
        want: PcrSelection,
        /// What came.
        have: PcrSelection,
    },
    /// No bank that counts is in it.
    #[error("the quote covers no PCR of a bank of SHA-256 or better")]
    NoStrongBank,
    /// No bank that counts has all PCRs.
    #[error("the quote does not cover PCR {missing} of bank {bank}")]
    PcrsMissing {
        /// The bank that lacks least.
        bank: TpmAlgId,
        /// What it lacks.
        missing: PcrSet,
    },
}

/// Everything in which `have` does not fulfil `rule`.
pub(crate) fn check(
    have: &PcrSelection,
    rule: &SelectionRule,
) -> impl Iterator<Item = SelectionProblem> {
    let empty = if have.is_empty() {
        Some(SelectionProblem::Empty)
    } else {
        let bank = have.banks().iter().find(|(_, pcrs)| pcrs.is_empty());
        bank.map(|(bank, _)| SelectionProblem::EmptyBank { bank: *bank })
    };
    let unfulfilled = match rule {
        SelectionRule::Exactly(want) if want == have => None,
        SelectionRule::Exactly(want) => {
            Some(SelectionProblem::Differs { want: *want, have: *have })
        }
        SelectionRule::AtLeast { pcrs, banks } => {
            let counting = have.banks().iter().filter(|(bank, _)| banks.allows(*bank));
            let nonempty = counting.filter(|(_, quoted)| !quoted.is_empty());
            match nonempty.min_by_key(|(_, quoted)| pcrs.minus(*quoted).len()) {
                None => Some(SelectionProblem::NoStrongBank),
                Some((_, quoted)) if quoted.contains_all(*pcrs) => None,
                Some((bank, quoted)) => Some(SelectionProblem::PcrsMissing {
                    bank: *bank,
                    missing: pcrs.minus(*quoted),
                }),
            }
        }
    };
    empty.into_iter().chain(unfulfilled)
}
