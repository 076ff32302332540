//! A measurement list and its entries.

use std::borrow::Cow;
use std::fmt;

use event_log::hash;
use tpm_wire::{Digest, TpmAlgId};

use crate::template::{Measured, measured};
use crate::{ascii, binary};

/// Bytes of a list. A server that measures what it executes has 1 to 2 MiB after a year; what a
/// policy that measures each file that is read makes of it is no base for a judgement.
pub const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Entries of a list: the shortest that the kernel writes has about 80 bytes, so these are all that
/// fit into [`LIST_BYTES_MAX`].
pub const ENTRIES_MAX: usize = 200_000;

/// What a list is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `binary_runtime_measurements`, little-endian.
    Binary,
    /// `ascii_runtime_measurements`.
    Ascii,
}

/// One measurement.
///
/// Trust: a covering [replay](crate::replay) stands for the template data. The digest beside it is
/// a text of the kernel's, and counts in no bank but that of SHA-1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// From 0.
    pub number: u32,
    /// Where the entry begins, in bytes from the start of the list.
    pub offset: usize,
    /// The PCR, most often 10.
    pub pcr_index: u32,
    /// The digest that the list has: SHA-1 over the template data; zeros of a violation.
    pub untrusted_digest: [u8; 20],
    /// `ima`, `ima-ng`, `ima-sig`, …, or the fields themselves: `d-ng|n-ng`.
    pub untrusted_template: &'a str,
    /// What was measured. In the template `ima` the digest and the bare name, in each other its
    /// fields, each behind its UINT32 size.
    pub template_data: Cow<'a, [u8]>,
}

impl Entry<'_> {
    /// Whether the kernel noted a violation: a file was open for writing while it was measured, so
    /// that nothing says what was read. The PCR was extended with ones. [LINUX-IMA violations]
    pub fn is_violation(&self) -> bool {
        self.untrusted_digest == [0; 20]
    }

    /// What the PCR of the bank `alg` was extended with where the kernel hashes for each bank
    /// (Linux 5.8 and later); `None` where we have no such hash.
    pub fn digest(&self, alg: TpmAlgId) -> Option<Digest> {
        if self.is_violation() {
            return Digest::filled(0xff, alg.digest_len()?);
        }
        if self.untrusted_template != "ima" {
            return hash(alg, &[&self.template_data]);
        }
        // The oldest template pads its name to 256 bytes, and has no sizes.
        let padding = [0; 256];
        let name_len = self.template_data.len().saturating_sub(20);
        hash(alg, &[&self.template_data, padding.get(name_len..).unwrap_or(&[])])
    }

    /// What the fields of the template say, where the template is known and its data fits.
    pub fn measured(&self) -> Option<Measured<'_>> {
        measured(self.untrusted_template, &self.template_data)
    }
}

/// A measurement list, up to its first problem.
#[derive(Clone, Debug)]
pub struct List<'a> {
    /// What it is written in.
    pub format: Format,
    /// The measurements, in order.
    pub entries: Vec<Entry<'a>>,
}

/// Why reading stopped. The entries before it are there, and as untrusted as all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The byte.
    pub offset: usize,
    /// What is wrong there.
    pub kind: ProblemKind,
}

/// What is wrong with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// It ends within an entry.
    Short,
    /// The PCR is none that a TPM has; of a big-endian host, all are.
    PcrIndex {
        /// What stands there.
        have: u32,
    },
    /// The name of a template is longer than 64 bytes, or no text.
    TemplateName,
    /// The template data is larger than 64 KiB.
    TemplateSize,
    /// A line of text is not an entry.
    Line,
    /// The line is of a template whose data cannot be made from its text.
    Template,
    /// More than [`LIST_BYTES_MAX`] bytes.
    Bytes,
    /// More than [`ENTRIES_MAX`] entries.
    Entries,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.offset)?;
        match self.kind {
            ProblemKind::Short => write!(f, "the list ends within an entry"),
            ProblemKind::PcrIndex { have } => write!(
                f,
                "PCR {have:#x} is none; a big-endian host needs the kernel parameter ima_canonical_fmt"
            ),
            ProblemKind::TemplateName => write!(f, "the name of a template is not one"),
            ProblemKind::TemplateSize => write!(f, "the data of an entry is over 64 KiB"),
            ProblemKind::Line => write!(f, "the line is no entry"),
            ProblemKind::Template => {
                write!(f, "this template can be checked in the binary list only")
            }
            ProblemKind::Bytes => write!(f, "the list is over {LIST_BYTES_MAX} bytes"),
            ProblemKind::Entries => write!(f, "the list has over {ENTRIES_MAX} entries"),
        }
    }
}

/// Reads a list, binary or text: the text of an entry begins with a decimal digit, the binary one
/// with the low byte of a PCR index, 0 to 23. Total: whatever the bytes are, the entries up to the
/// first problem come back. Trust: none, until a [replay](crate::replay) covers them.
pub fn parse(bytes: &[u8]) -> (List<'_>, Option<Problem>) {
    let format = match bytes.first() {
        Some(b'0'..=b'9') => Format::Ascii,
        _ => Format::Binary,
    };
    if bytes.len() > LIST_BYTES_MAX {
        let problem = Problem { offset: LIST_BYTES_MAX, kind: ProblemKind::Bytes };
        return (List { format, entries: Vec::new() }, Some(problem));
    }
    let (entries, problem) = match format {
        Format::Ascii => ascii::parse(bytes),
        Format::Binary => binary::parse(bytes),
    };
    (List { format, entries }, problem)
}
