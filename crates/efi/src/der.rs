//! Just enough DER to walk over a certificate or a signature. [X.690 §8.1]

/// Elements behind one another, each taken by its tag.
#[derive(Clone, Copy, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTETS: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// SET.
pub const SET: u8 = 0x31;
/// \[0\], constructed.
pub const CONTEXT_0: u8 = 0xa0;

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its tag.
    pub tag: u8,
    /// Tag, length and content.
    pub whole: &'a [u8],
    /// Its content.
    pub content: &'a [u8],
}

impl<'a> Elements<'a> {
    /// The elements that `bytes` begins with.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next one. `None` at the end, and where its length is indefinite, over four octets, or
    /// more than what is left.
    pub fn next_any(&mut self) -> Option<Element<'a>> {
        let (tag, first) = (*self.rest.first()?, *self.rest.get(1)?);
        let (header_len, len) = match first {
            0..=0x7f => (2, usize::from(first)),
            0x81..=0x84 => {
                let header_len = usize::from(first & 0x7f).checked_add(2)?;
                let octets = self.rest.get(2..header_len)?;
                let len = octets.iter().fold(0u32, |len, octet| len << 8 | u32::from(*octet));
                (header_len, usize::try_from(len).ok()?)
            }
            _ => return None,
        };
        let (whole, rest) = self.rest.split_at_checked(len.checked_add(header_len)?)?;
        self.rest = rest;
        Some(Element { tag, whole, content: whole.get(header_len..)? })
    }

    /// The content of the next one, if it has this tag; else it stays the next one.
    pub fn next(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let found = ahead.next_any()?;
        (found.tag == tag).then(|| *self = ahead)?;
        Some(found.content)
    }

    /// The elements of the next one, if it has this tag.
    pub fn enter(&mut self, tag: u8) -> Option<Self> {
        self.next(tag).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_of_up_to_four_octets_and_within_the_bytes() {
        for header in [&[4, 2][..], &[4, 0x81, 2], &[4, 0x82, 0, 2], &[4, 0x84, 0, 0, 0, 2]] {
            let bytes = [header, &[7, 8, 5, 0]].concat();
            let mut elements = Elements::new(&bytes);
            assert_eq!(elements.next(SEQUENCE), None, "it stays the next one");
            assert_eq!(elements.next(OCTETS), Some(&[7, 8][..]));
            let null = elements.next_any().unwrap();
            assert_eq!((null.tag, null.whole, null.content), (5, &[5, 0][..], &[][..]));
            assert_eq!(elements.next_any(), None);
        }
        for wrong in [&[][..], &[4], &[4, 1], &[4, 0x80, 0, 0], &[4, 0x85, 0, 0, 0, 0, 0]] {
            assert_eq!(Elements::new(wrong).next_any(), None, "{wrong:?}");
        }
        assert_eq!(Elements::new(&[4, 0x84, 0xff, 0xff, 0xff, 0xff, 0]).next_any(), None);
    }
}
