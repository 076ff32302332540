//! What must be equal, and what is set aside.

use tpm_wire::PcrSet;
use verify::UnixTime;

use crate::{Hint, Told};

/// What references do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is compared, but with revoked references.
    Off,
    /// A change is a warning.
    Observe,
    /// A change fails where a reference applies.
    Enforce,
    /// So it does, and so does a host for which none applies.
    Require,
}

impl Mode {
    /// Each.
    pub const ALL: [Self; 4] = [Self::Off, Self::Observe, Self::Enforce, Self::Require];

    /// The word in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Enforce => "enforce",
            Self::Require => "require",
        }
    }
}

/// A change that is set aside, for a reason and for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoreRule {
    /// The PCR.
    pub pcr_index: u32,
    /// The subject of the event; a `*` at its end stands for the rest.
    pub subject: String,
    /// Why, for the people who see the result.
    pub reason: String,
    /// From this second on it counts no more.
    pub expires: UnixTime,
    /// The same as it was written, for people.
    pub until: String,
}

impl IgnoreRule {
    /// Whether the rule sets an event aside. Only one whose subject was measured: a host can write
    /// any other text beside any digest.
    pub(crate) fn covers(&self, pcr_index: u32, hint: &Hint, now: UnixTime) -> bool {
        let fits = match self.subject.strip_suffix('*') {
            Some(start) => hint.subject.starts_with(start),
            None => hint.subject == self.subject,
        };
        now < self.expires && self.pcr_index == pcr_index && hint.told == Told::Measured && fits
    }
}

/// What must be equal, and what is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What a change does.
    pub mode: Mode,
    /// PCRs that must be equal as far as the reference speaks of them. The others are shown where
    /// they vary.
    pub pcrs: PcrSet,
    /// Changes that are set aside.
    pub ignore: Vec<IgnoreRule>,
}

/// A change fails where a reference applies. Code, keys, loaders and command lines are held (PCR 0,
/// 2, 4, 7 to 9, 11 to 14); settings, boot order and partition tables (1, 3, 5, 6) vary on sound
/// machines from boot to boot, and 10 belongs to IMA.
impl Default for Rules {
    fn default() -> Self {
        let pcrs = [0, 2, 4, 7, 8, 9, 11, 12, 13, 14].into_iter().collect();
        Self { mode: Mode::Enforce, pcrs, ignore: Vec::new() }
    }
}
