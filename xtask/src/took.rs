//! What an attestation takes on the host, out of the agent's own log.

use serde::{Deserialize, Serialize};

/// Milliseconds of an attestation, that of the server left out.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Took {
    /// Waiting for the TPM.
    pub(crate) tpm_ms: f64,
    /// All else that the agent did.
    pub(crate) own_ms: f64,
}

impl Took {
    /// What a line of the agent's log tells.
    pub(crate) fn in_line(line: &str) -> Option<Self> {
        let field = |name: &str| {
            let value = line.split_whitespace().find_map(|word| word.strip_prefix(name))?;
            value.parse().ok()
        };
        line.contains(" attested").then_some(())?;
        Some(Self { tpm_ms: field("tpm_ms=")?, own_ms: field("own_ms=")? })
    }

    /// The agent's time as a part of the TPM's.
    pub(crate) fn ratio(&self) -> f64 {
        self.own_ms / self.tpm_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_an_attestation_is_read_and_no_other() {
        let line = "2026-11-28T05:16:23Z  INFO agent::courier: attested verdict=\"accepted\" \
                    tpm_ms=12.5 own_ms=0.5";
        let took = Took::in_line(line).unwrap();
        assert_eq!((took.tpm_ms, took.own_ms), (12.5, 0.5));
        assert!((took.ratio() - 0.04).abs() < 1e-9);
        assert!(Took::in_line("agent::courier: serving tpm_ms=1 own_ms=1").is_none());
        assert!(Took::in_line("agent::courier: attested tpm_ms=1").is_none());
    }
}
