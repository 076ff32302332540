//! Writing little-endian fields.

/// Bytes that grow field by field. Lengths come from slices that were read under the limits of a
/// log, so each fits its field; one that does not would be written as the largest value, and the
/// result would not be what was read.
#[derive(Debug, Default)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl Bytes {
    pub(crate) fn u8(&mut self, value: u8) -> &mut Self {
        self.raw(&[value])
    }

    pub(crate) fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn u32(&mut self, value: u32) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn u64(&mut self, value: u64) -> &mut Self {
        self.raw(&value.to_le_bytes())
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Length in one byte, then the bytes.
    pub(crate) fn sized_u8(&mut self, bytes: &[u8]) -> &mut Self {
        self.u8(u8::try_from(bytes.len()).unwrap_or(u8::MAX)).raw(bytes)
    }

    /// Length in two bytes, then the bytes.
    pub(crate) fn sized_u16(&mut self, bytes: &[u8]) -> &mut Self {
        self.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX)).raw(bytes)
    }

    /// Length in four bytes, then the bytes.
    pub(crate) fn sized_u32(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).raw(bytes)
    }

    /// Length in eight bytes, then the bytes.
    pub(crate) fn sized_u64(&mut self, bytes: &[u8]) -> &mut Self {
        self.u64(u64::try_from(bytes.len()).unwrap_or(u64::MAX)).raw(bytes)
    }
}

/// A length field as a count of bytes; one that no memory can hold is a length that is too short.
pub(crate) fn length(value: impl TryInto<usize>) -> usize {
    value.try_into().unwrap_or(usize::MAX)
}
