//! What ESXi prints -> what was observed of the host.
//!
//! Nobody runs anything on the host: a person pastes or saves what its commands print, and its logs.
//! All of it is that host's word. Recovery keys and other secrets are taken out of a text before
//! anything else looks at it, and of what is left only known words are kept.

mod clean;
mod logs;
mod observe;
mod outputs;

use redaction::Removed;

use crate::{Observed, Profile};
pub use outputs::{Outputs, Said};

/// Bytes of one file that are looked at. Outputs have some kilobytes, a day of vmkernel.log has ten
/// megabytes; logs that are larger are for `bootproof diagnose`, which reads them as streams.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The outputs of one host, as they come in.
pub struct Host {
    logs: logs::Logs,
    outputs: Outputs,
    removed: Removed,
}

/// The signatures of logs cannot be looked for: the table of this program is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMatcher;

impl Host {
    /// A host of which nothing is known yet.
    ///
    /// # Errors
    /// None with the table that this program has.
    pub fn new() -> Result<Self, NoMatcher> {
        let logs = logs::Logs::new()?;
        Ok(Self { logs, outputs: Outputs::default(), removed: Removed::default() })
    }

    /// Reads one file or paste, in any encoding, with prompts and colours as they are. The front of it
    /// where it is over [`FILE_BYTES_MAX`].
    pub fn read(&mut self, name: &str, untrusted_bytes: &[u8]) {
        let front = untrusted_bytes.get(..FILE_BYTES_MAX).unwrap_or(untrusted_bytes);
        let redacted = redaction::text(&clean::clean(front));
        self.removed.extend(redacted.removed);
        self.outputs.read(&redacted.text);
        self.logs.read(name, &redacted.text);
    }

    /// What was taken out of the texts.
    pub const fn removed(&self) -> &Removed {
        &self.removed
    }

    /// The profile that the outputs name, where they name a version that has one.
    pub fn profile(&self) -> Profile {
        let version = self.outputs.version.known();
        version
            .and_then(|version| Profile::of_esxi_version(version))
            .unwrap_or(Profile::EsxiOfUnknownVersion)
    }

    /// What was observed, for a host that `profile` is about.
    pub fn observe(self, profile: Profile) -> Observed {
        let mut observed = observe::observe(&self.outputs, profile);
        self.logs.observe(&mut observed, profile);
        observed
    }
}
