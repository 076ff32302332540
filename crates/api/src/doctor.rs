//! The checklist of a host: what `bootproof doctor --json` prints.

use serde::{Deserialize, Serialize};

/// All checks, in the order in which to mend them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checklist {
    /// `sound`, `warned`, `unsure` where nothing failed and something could not be looked at, or
    /// `failed`.
    pub outcome: String,
    /// What the host runs, or is to run, by which it was judged: `linux`, `esxi-8`; `esxi` where no
    /// output names a version that has rules.
    #[serde(default)]
    pub profile: String,
    /// What to mend first: of what fails, else of what warns.
    pub first: Option<First>,
    /// The checks.
    pub checks: Vec<Check>,
}

/// What to mend first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    /// The check's name.
    pub check: String,
    /// Why it comes first.
    #[serde(flatten)]
    pub reason: Reason,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Its stable kebab-case name.
    pub check: String,
    /// What holds where it passes.
    pub title: String,
    /// `pass`, `warn`, `fail` or `unknown`.
    pub state: String,
    /// What was seen, where somebody looked. Partly the host's own words.
    pub seen: Option<String>,
    /// Why it came out so, what fails first; remarks, where it passes.
    pub reasons: Vec<Reason>,
    /// The rule of DISA's guide (STIG) that asks for it, where the profile has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stig: Option<String>,
    /// Whether it stands below the first failure, and so may only follow from that one.
    pub after_first_failure: bool,
}

/// Why a check came out as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The code of a finding, one of the checklist alone, or `not-checked`.
    pub code: String,
    /// What it makes of the check: `pass`, `warn`, `fail` or `unknown`.
    pub state: String,
    /// What was found.
    pub cause: String,
    /// What to do.
    pub next_step: String,
}
