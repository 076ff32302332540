//! Text of Windows tools, as UTF-8.

use std::io::{self, Read};

use crate::kind::Endian;

/// What is decoded at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// A stream of UTF-16, read as UTF-8. What is no character becomes U+FFFD, and so does a byte that is
/// left over at the end.
pub(crate) struct Utf16<R> {
    stream: R,
    endian: Endian,
    /// A byte or a unit whose other half has not come yet.
    rest: Vec<u8>,
    decoded: Vec<u8>,
    given: usize,
    has_ended: bool,
}

impl<R: Read> Utf16<R> {
    pub(crate) fn new(stream: R, endian: Endian) -> Self {
        let (rest, decoded) = (Vec::new(), Vec::new());
        Self { stream, endian, rest, decoded, given: 0, has_ended: false }
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut bytes = std::mem::take(&mut self.rest);
        let n = (&mut self.stream).take(BLOCK_BYTES as u64).read_to_end(&mut bytes)?;
        self.has_ended = n == 0;
        let mut n_whole = bytes.len() / 2 * 2;
        let unit = |pair: &[u8]| match self.endian {
            Endian::Little => u16::from_le_bytes([pair[0], pair[1]]),
            Endian::Big => u16::from_be_bytes([pair[0], pair[1]]),
        };
        // The first half of a pair waits for the second.
        if !self.has_ended
            && n_whole >= 2
            && (0xd800..0xdc00).contains(&unit(&bytes[n_whole - 2..n_whole]))
        {
            n_whole -= 2;
        }
        (self.given, self.decoded) = (0, Vec::with_capacity(n_whole * 3 / 2));
        let units = bytes[..n_whole].chunks_exact(2).map(unit);
        let mut utf8 = [0; 4];
        for c in char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)) {
            if c != '\u{feff}' {
                self.decoded.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
            }
        }
        self.rest = bytes.split_off(n_whole);
        if self.has_ended && !self.rest.is_empty() {
            self.rest.clear();
            self.decoded.extend_from_slice("\u{fffd}".as_bytes());
        }
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        while self.given == self.decoded.len() && !self.has_ended {
            self.fill()?;
        }
        let n = (&self.decoded[self.given..]).read(block)?;
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Dripping<'a>(&'a [u8]);

    impl Read for Dripping<'_> {
        fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
            let n = block.len().min(1);
            self.0.read(&mut block[..n])
        }
    }

    fn decoded(bytes: &[u8], endian: Endian) -> String {
        let mut text = String::new();
        Utf16::new(Dripping(bytes), endian).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn text_is_decoded_whatever_its_pieces() {
        let text = "\u{feff}TPM \u{e4} \u{1f512}\n".repeat(20_000);
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&bytes, Endian::Little), text.replace('\u{feff}', ""));
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(&bytes, Endian::Big), text.replace('\u{feff}', ""));
    }

    #[test]
    fn what_is_no_character_is_replaced() {
        assert_eq!(decoded(b"a\0\x00\xd8b\0c", Endian::Little), "a\u{fffd}b\u{fffd}");
        assert_eq!(decoded(b"\x00\xd8", Endian::Little), "\u{fffd}");
        assert_eq!(decoded(b"", Endian::Big), "");
    }
}
