//! What was seen of a boot: kept beside the evidence, and shown in docs/scenarios.md.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::took::Took;

/// One finding, in short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) severity: String,
    pub(super) code: String,
}

/// One boot.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Seen {
    /// What the server said, or that nothing booted.
    pub(super) verdict: String,
    pub(super) findings: Vec<Told>,
    /// Seconds from power on to an agent that waits for challenges.
    pub(super) ready_s: Option<f64>,
    /// Seconds from power on to the verdict, or to the refusal.
    pub(super) after_s: f64,
    /// What its attestation took in the machine, as the agent says.
    pub(super) took: Option<Took>,
}

impl Seen {
    /// Codes of findings whose severity is one of these.
    pub(super) fn codes(&self, severity: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
        let of_them = move |told: &&Told| severity(&told.severity);
        self.findings.iter().filter(of_them).map(|told| told.code.as_str())
    }

    /// The verdict and each finding, a line each.
    pub(super) fn judgement(&self) -> String {
        let mut findings = self.findings.clone();
        findings.sort();
        let mut text = format!("{}\n", self.verdict);
        for Told { severity, code } in findings {
            text.push_str(&format!("{severity} {code}\n"));
        }
        text
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} after {:.1} s", self.verdict, self.after_s)?;
        if let Some(ready_s) = self.ready_s {
            write!(f, ", agent ready after {ready_s:.1} s")?;
        }
        if let Some(Took { tpm_ms, own_ms }) = &self.took {
            write!(f, ", TPM {tpm_ms:.0} ms, agent {own_ms:.1} ms")?;
        }
        for Told { severity, code } in &self.findings {
            write!(f, ", {severity} {code}")?;
        }
        Ok(())
    }
}

/// Seconds, as exact as a look now and then can tell.
pub(super) fn tenths(time: Duration) -> f64 {
    (time.as_secs_f64() * 10.0).round() / 10.0
}

/// All boots of each scenario.
pub(super) type Record = BTreeMap<String, Vec<Seen>>;
