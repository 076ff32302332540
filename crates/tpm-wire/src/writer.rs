//! Putting big-endian fields behind each other.

use core::fmt;

/// Collects fields. What does not fit its size field is remembered, and [`Writer::finish`] then
/// gives an error instead of bytes that say something else.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    too_long: Option<EncodeError>,
}

/// A field was longer than its size field can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// The field, in the specification's words.
    pub what: &'static str,
    /// Its length in bytes.
    pub have: usize,
    /// The most that is possible.
    pub max: usize,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} bytes are over the limit of {}", self.what, self.have, self.max)
    }
}

impl core::error::Error for EncodeError {}

impl Writer {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), too_long: None }
    }

    /// UINT8.
    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    /// UINT16, big-endian.
    pub fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// UINT32, big-endian.
    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// UINT64, big-endian.
    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// Bytes as they are, without a size.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// A TPM2B: a UINT16 size, then the bytes.
    pub fn sized(&mut self, what: &'static str, bytes: &[u8]) {
        match u16::try_from(bytes.len()) {
            Ok(len) => {
                self.u16(len);
                self.bytes(bytes);
            }
            Err(_) => self.refuse(what, bytes.len(), usize::from(u16::MAX)),
        }
    }

    /// A TPM2B whose contents `fill` writes.
    pub fn sized_with(&mut self, what: &'static str, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::new();
        fill(&mut inner);
        self.too_long = self.too_long.or(inner.too_long);
        self.sized(what, &inner.bytes);
    }

    /// Remembers that `what` cannot be written; the first of them is what `finish` tells.
    pub(crate) fn refuse(&mut self, what: &'static str, have: usize, max: usize) {
        self.too_long = self.too_long.or(Some(EncodeError { what, have, max }));
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes, or which field did not fit.
    pub fn finish(self) -> Result<Vec<u8>, EncodeError> {
        match self.too_long {
            None => Ok(self.bytes),
            Some(error) => Err(error),
        }
    }
}
