//! What a row of the table says.

use findings::Code;

use crate::{MachinePattern, QUIRKS, Quirk};

/// One row: a named deviation.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub quirk: Quirk,
    /// Its stable name, in kebab-case: the argument `quirk` of findings, and what a policy refuses.
    pub name: &'static str,
    /// Who does so, in words.
    pub who: &'static str,
    /// The machines, where what a host says of itself is part of the match; any of them will do.
    /// Empty: known by what it does, whoever made the machine.
    pub machines: &'static [MachinePattern],
    /// What deviates, in the words of the specification.
    pub deviates: &'static str,
    /// What is permitted because of it, and what keeps it from being more.
    pub permits: &'static str,
    /// What the match rests on.
    pub rests_on: RestsOn,
    /// What comes of it.
    pub effect: Effect,
    /// How it is known.
    pub sure: Sure,
}

/// What a match rests on. Whatever it is, it makes nothing pass: it names what is seen anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestsOn {
    /// Digests that the quote covers.
    Digests,
    /// The quoted value of PCR 0: a wrong reading of the log leads to another one.
    Pcr0,
    /// The quoted value of PCR 5: nothing else that is lacking leads to it.
    Pcr5,
    /// Types and texts of the log that no digest covers.
    UntrustedLog,
    /// What the host says of its machine, which nothing proves.
    UntrustedMachine,
    /// The certificate, which a trusted authority signed.
    Certificate,
    /// Bytes around the certificate, which nobody signed.
    UntrustedNv,
}

impl RestsOn {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Digests => "digests that the quote covers",
            Self::Pcr0 => "the quoted PCR 0, which another reading of the log does not lead to",
            Self::Pcr5 => "the quoted PCR 5, to which nothing else that is lacking leads",
            Self::UntrustedLog => "types and texts of the log, which no digest covers",
            Self::UntrustedMachine => "what the host says of its machine, which nothing proves",
            Self::Certificate => "the certificate, which a trusted authority signed",
            Self::UntrustedNv => "bytes around the certificate, which nobody signed",
        }
    }
}

/// What comes of a quirk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is listed among the facts, and no finding: nothing rests on it, and common machines have
    /// it.
    Listed,
    /// It is accepted, and told by `quirk-accepted`.
    Accepted,
    /// The finding of this code is for information, since the cause is known.
    Eases(Code),
    /// The finding of this code names it, and stays what it is.
    Names(Code),
    /// What failed stays failed; `quirk-explains` names a cause that is known.
    Explains,
    /// The same, and where a policy permits it by its name it is accepted, and told by `quirk-accepted`.
    Permissible,
}

impl Effect {
    /// The finding in which it is told, where there is one.
    pub const fn told_by(self) -> Option<Code> {
        match self {
            Self::Listed => None,
            Self::Accepted => Some(Code::QuirkAccepted),
            Self::Eases(code) | Self::Names(code) => Some(code),
            Self::Explains | Self::Permissible => Some(Code::QuirkExplains),
        }
    }

    /// Whether a host that has it can be refused for it: it must be something that is accepted.
    pub const fn is_refusable(self) -> bool {
        match self {
            Self::Accepted | Self::Eases(_) | Self::Names(_) => true,
            Self::Listed | Self::Explains | Self::Permissible => false,
        }
    }

    /// Whether a policy can permit it.
    pub const fn is_permissible(self) -> bool {
        matches!(self, Self::Permissible)
    }

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Accepted => "accepted",
            Self::Eases(_) => "eased",
            Self::Names(_) => "named",
            Self::Explains => "refused, explained",
            Self::Permissible => "refused, unless permitted",
        }
    }
}

/// How a quirk is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// Logs or certificates of such machines were recorded, and are read in tests.
    Recorded,
    /// Its makers or users describe it; tests build what they describe.
    Described,
}

impl Sure {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Described => "described",
        }
    }
}

impl Quirk {
    /// Its stable name.
    pub const fn as_str(self) -> &'static str {
        self.row().name
    }

    /// The quirk of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        QUIRKS.iter().find(|row| row.name == name).map(|row| row.quirk)
    }
}
