//! Taking big-endian fields off the front of a slice.

use crate::error::{ParseError, ParseErrorKind};

/// Takes fields off the front of bytes that somebody else wrote. It can only give what is left,
/// so no size field makes it read past the end or allocate.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    left: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`; offsets in errors count from there.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes, at: 0 }
    }

    /// Bytes that were taken so far, counted from the start of the outermost reader.
    pub const fn at(&self) -> usize {
        self.at
    }

    /// What was not taken yet.
    pub const fn left(&self) -> &'a [u8] {
        self.left
    }

    /// An error of this reader's place.
    pub const fn error(&self, what: &'static str, kind: ParseErrorKind) -> ParseError {
        ParseError { what, at: self.at, kind }
    }

    /// The next `n` bytes.
    pub fn take(&mut self, what: &'static str, n: usize) -> Result<&'a [u8], ParseError> {
        let Some((taken, left)) = self.left.split_at_checked(n) else {
            let have = self.left.len();
            return Err(self.error(what, ParseErrorKind::Short { want: n, have }));
        };
        self.left = left;
        self.at = self.at.saturating_add(n);
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ParseError> {
        let Some((taken, left)) = self.left.split_first_chunk::<N>() else {
            let have = self.left.len();
            return Err(self.error(what, ParseErrorKind::Short { want: N, have }));
        };
        self.left = left;
        self.at = self.at.saturating_add(N);
        Ok(*taken)
    }

    /// UINT8.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, ParseError> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// UINT16, big-endian.
    pub fn u16(&mut self, what: &'static str) -> Result<u16, ParseError> {
        self.array(what).map(u16::from_be_bytes)
    }

    /// UINT32, big-endian.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, ParseError> {
        self.array(what).map(u32::from_be_bytes)
    }

    /// UINT64, big-endian.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, ParseError> {
        self.array(what).map(u64::from_be_bytes)
    }

    /// The contents of a TPM2B: a UINT16 size of at most `len_max`, then so many bytes.
    pub fn sized(&mut self, what: &'static str, len_max: usize) -> Result<&'a [u8], ParseError> {
        let field = *self;
        let len = usize::from(self.u16(what)?);
        if len > len_max {
            return Err(field.error(what, ParseErrorKind::Limit { max: len_max, have: len }));
        }
        self.take(what, len)
    }

    /// The contents of a TPM2B as a reader of their own, with offsets that go on counting.
    pub fn sized_reader(
        &mut self,
        what: &'static str,
        len_max: usize,
    ) -> Result<Reader<'a>, ParseError> {
        let bytes = self.sized(what, len_max)?;
        Ok(Reader { left: bytes, at: self.at.saturating_sub(bytes.len()) })
    }

    /// A count field: a UINT32 of at most `n_max`.
    pub fn count(&mut self, what: &'static str, n_max: usize) -> Result<usize, ParseError> {
        let field = *self;
        let n = usize::try_from(self.u32(what)?).unwrap_or(usize::MAX);
        if n > n_max {
            return Err(field.error(what, ParseErrorKind::Limit { max: n_max, have: n }));
        }
        Ok(n)
    }

    /// All that is left; nothing stays.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.left;
        self.left = &[];
        self.at = self.at.saturating_add(rest.len());
        rest
    }

    /// Refuses bytes behind the end of `what`.
    pub const fn finish(self, what: &'static str) -> Result<(), ParseError> {
        match self.left.len() {
            0 => Ok(()),
            n => Err(self.error(what, ParseErrorKind::Trailing { n })),
        }
    }
}
