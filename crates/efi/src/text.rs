//! Text out of untrusted bytes, made safe to show.

use core::fmt;

/// UCS-2 text in little-endian bytes, without a promise that it is well formed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ucs2<'a>(pub &'a [u8]);

impl<'a> Ucs2<'a> {
    /// Code units, in order; an odd last byte is left out.
    pub fn units(self) -> impl Iterator<Item = u16> + use<'a> {
        self.0.chunks_exact(2).filter_map(|pair| Some(u16::from_le_bytes(*pair.first_chunk()?)))
    }

    /// Whether this is exactly `text`, without a NUL at its end.
    pub fn is(self, text: &str) -> bool {
        self.0.len().is_multiple_of(2) && self.units().eq(text.encode_utf16())
    }

    /// The text before the first NUL.
    #[must_use]
    pub fn until_nul(self) -> Self {
        let n = self.units().take_while(|unit| *unit != 0).count();
        Self(self.0.get(..n.saturating_mul(2)).unwrap_or(self.0))
    }
}

/// Escaped for a terminal or a page: control and invalid characters as `\u{..}`, no NUL at the end.
impl fmt::Display for Ucs2<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: usize = self.units().count();
        let trailing_nul = usize::from(self.units().last() == Some(0));
        let shown = self.units().take(units.saturating_sub(trailing_nul));
        char::decode_utf16(shown)
            .try_for_each(|unit| show(f, unit.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

impl fmt::Debug for Ucs2<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// ASCII or UTF-8 text, without a promise that it is either.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ascii<'a>(pub &'a [u8]);

/// Escaped for a terminal or a page; NULs at the end are left out.
impl fmt::Display for Ascii<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.0;
        while let [front @ .., 0] = bytes {
            bytes = front;
        }
        bytes.utf8_chunks().try_for_each(|chunk| {
            chunk.valid().chars().try_for_each(|c| show(f, c))?;
            chunk.invalid().iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
        })
    }
}

impl fmt::Debug for Ascii<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Writes `c`, escaped where it could steer a terminal or turn the reading direction.
fn show(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    let steers = c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    if steers { write!(f, "{}", c.escape_unicode()) } else { write!(f, "{c}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_bad_bytes_are_escaped() {
        assert_eq!(Ascii(b"a\x1b[31m\xffb\0\0").to_string(), "a\\u{1b}[31m\\xffb");
        assert_eq!(Ucs2(b"a\0\x07\0\x00\xd8\x2e\x20\0\0").to_string(), "a\\u{7}\u{fffd}\\u{202e}");
    }

    #[test]
    fn ucs2_is_compared_exactly() {
        assert!(Ucs2(b"P\0K\0").is("PK"));
        assert!(!Ucs2(b"P\0K\0\0\0").is("PK"));
        assert!(!Ucs2(b"P\0K\0x").is("PK"));
        assert!(!Ucs2(b"P\0").is("PK"));
    }
}
