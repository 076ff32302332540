//! EV_SEPARATOR: the end of a phase.

use super::bytes::Bytes;
use super::text::Text;
use crate::separator::SeparatorValue;

/// The data of an EV_SEPARATOR. [PFP-1.06 §10.4.1]
/// Trust: what was measured is told by the digest alone
/// ([`separator_of`](crate::separator_of)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeparatorData<'a> {
    /// One of the four-byte values, and what firmware with slots of fixed size has behind it.
    Value {
        /// The value.
        value: SeparatorValue,
        /// Empty by the standard.
        padding: &'a [u8],
    },
    /// `WBCL`: the Windows boot manager ends its phase in PCRs 12 to 14.
    Windows,
    /// A text: of an error that the firmware met, or of firmware that has its own separators.
    Text(Text<'a>),
    /// None of these.
    Other(&'a [u8]),
}

impl<'a> SeparatorData<'a> {
    /// Never fails.
    pub fn read(data: &'a [u8]) -> Self {
        if data == b"WBCL" {
            return Self::Windows;
        }
        if let Some(text) = Text::sniff(data) {
            return Self::Text(text);
        }
        let starts = |v: &SeparatorValue| data.starts_with(&v.bytes());
        match (SeparatorValue::ALL.into_iter().find(starts), data.get(4..)) {
            (Some(value), Some(padding)) => Self::Value { value, padding },
            _ => Self::Other(data),
        }
    }

    pub(super) fn write(&self, out: &mut Bytes) {
        match self {
            Self::Value { value, padding } => out.raw(&value.bytes()).raw(padding),
            Self::Windows => out.raw(b"WBCL"),
            Self::Text(text) => out.raw(text.as_bytes()),
            Self::Other(bytes) => out.raw(bytes),
        };
    }
}
