//! Just enough DER to walk through a signature.

/// Bytes behind each other, each element taken by its tag.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const OID: u8 = 0x06;
pub(crate) const OCTETS: u8 = 0x04;
/// \[0\], constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;

impl<'a> Elements<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Tag, whole element and content of the next one. `None` at the end, and where its length is
    /// indefinite, over four octets, or more than what is left.
    pub(crate) fn next_any(&mut self) -> Option<(u8, &'a [u8], &'a [u8])> {
        let (tag, first) = (*self.rest.first()?, *self.rest.get(1)?);
        let (header_len, len) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x81..=0x84 => {
                let n = usize::from(first - 0x80);
                let octets = self.rest.get(2..n.checked_add(2)?)?;
                let len = octets.iter().fold(0u32, |len, octet| len << 8 | u32::from(*octet));
                (n.checked_add(2)?, usize::try_from(len).ok()?)
            }
            _ => return None,
        };
        let (element, rest) = self.rest.split_at_checked(len.checked_add(header_len)?)?;
        self.rest = rest;
        Some((tag, element, element.get(header_len..)?))
    }

    /// The content of the next one, which has this tag.
    pub(crate) fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let (found, _, content) = ahead.next_any()?;
        (found == tag).then(|| *self = ahead)?;
        Some(content)
    }

    /// The elements of the next one, which has this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.next(tag).map(Self::new)
    }
}
