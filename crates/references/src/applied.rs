//! A baseline that somebody accepted for a host.

use verify::UnixTime;

use crate::Baseline;

/// The life of a reference. Which state may follow which is the store's rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nobody accepted it yet: it counts for nothing.
    Pending,
    /// What it describes is accepted.
    Active,
    /// What it describes is accepted, and the result says that it should be left behind.
    Obsolete,
    /// It counts no more.
    Retired,
    /// What it describes is refused for ever.
    Revoked,
}

impl State {
    /// Each, in the order of a life.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Active, Self::Obsolete, Self::Retired, Self::Revoked];

    /// The word in JSON, in the store and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Obsolete => "obsolete",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// The state of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether what it describes is accepted.
    pub const fn accepts(self) -> bool {
        matches!(self, Self::Active | Self::Obsolete)
    }
}

/// For whom a reference was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// For one host.
    Host,
    /// For all hosts of one vendor, product and firmware version.
    Cohort,
}

impl Scope {
    /// The word in JSON, in the store and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Cohort => "cohort",
        }
    }

    /// The scope of this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Host, Self::Cohort].into_iter().find(|scope| scope.as_str() == name)
    }
}

/// A baseline that somebody accepted for the host that is judged. Trust: whoever applies it vouches
/// that it is for this host.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'r> {
    /// What people call it: an identifier, or the name of a file.
    pub name: &'r str,
    /// For whom it was accepted.
    pub scope: Scope,
    /// Where in its life it is.
    pub state: State,
    /// Who accepted it; empty where nobody did.
    pub accepted_by: &'r str,
    /// When it was accepted, where it was.
    pub accepted_at: Option<UnixTime>,
    /// From this second on it is accepted no more.
    pub until: Option<UnixTime>,
    /// What it expects.
    pub baseline: &'r Baseline,
}

impl Applied<'_> {
    /// Whether the time for which it was accepted is over.
    pub fn has_ended(&self, now: UnixTime) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}
