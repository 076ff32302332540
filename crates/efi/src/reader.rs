//! A cursor over little-endian bytes that can only take from what is left.

use tpm_wire::{ParseError, ParseErrorKind};

/// A cursor over untrusted bytes. Integers are little-endian, as UEFI and the PC Client log are.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// The same, where `bytes` begin at `at` of a larger buffer: errors say offsets in that one.
    pub const fn at_offset(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    /// Offset in bytes of the next byte to be taken.
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// What is left.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether nothing is left.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `n` bytes, which are the field `what`.
    pub fn take(&mut self, what: &'static str, n: usize) -> Result<&'a [u8], ParseError> {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            return Err(self.error(what, ParseErrorKind::Short { want: n, have: self.rest.len() }));
        };
        self.rest = rest;
        self.at = self.at.saturating_add(n);
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ParseError> {
        let Some((taken, rest)) = self.rest.split_first_chunk::<N>() else {
            return Err(self.error(what, ParseErrorKind::Short { want: N, have: self.rest.len() }));
        };
        self.rest = rest;
        self.at = self.at.saturating_add(N);
        Ok(*taken)
    }

    /// One byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, ParseError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// Two bytes, little-endian.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, ParseError> {
        self.array(what).map(u16::from_le_bytes)
    }

    /// Four bytes, little-endian.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, ParseError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// Eight bytes, little-endian.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, ParseError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// Refuses bytes behind the end of the structure `what`.
    pub fn finish(self, what: &'static str) -> Result<(), ParseError> {
        match self.rest.len() {
            0 => Ok(()),
            n => Err(self.error(what, ParseErrorKind::Trailing { n })),
        }
    }

    /// An error about the byte at the cursor.
    pub const fn error(&self, what: &'static str, kind: ParseErrorKind) -> ParseError {
        ParseError { what, at: self.at, kind }
    }
}

/// A length field as a count of bytes; one that no memory can hold is a length that is too short.
pub(crate) fn length(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
