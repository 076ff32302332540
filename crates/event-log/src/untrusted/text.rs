//! Text of either kind that boot logs carry.

use core::fmt;

use efi::{Ascii, Ucs2};

/// Text in bytes or in 16-bit units, whichever it was. Keeps all bytes, NULs at its end too.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// ASCII or UTF-8.
    Ascii(Ascii<'a>),
    /// UCS-2, little-endian.
    Ucs2(Ucs2<'a>),
}

impl<'a> Text<'a> {
    /// `data` as text, where all of it but NULs at its end can be printed, and something is there.
    pub fn sniff(data: &'a [u8]) -> Option<Self> {
        let end = data.iter().rposition(|byte| *byte != 0)?.saturating_add(1);
        let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
        let front = data.get(..end)?;
        if core::str::from_utf8(front).is_ok_and(|text| text.chars().all(printable)) {
            return Some(Self::Ascii(Ascii(data)));
        }
        Self::sniff_ucs2(data)
    }

    /// The same for UCS-2 alone. Two printable ASCII characters are one unit of Chinese: only
    /// text of which at least half is Latin is taken for UCS-2.
    pub fn sniff_ucs2(data: &'a [u8]) -> Option<Self> {
        let text = Ucs2(data);
        let front = text.until_nul();
        let n = front.units().count();
        let nul_behind = text.units().skip(n).all(|unit| unit == 0);
        let latin = front.units().filter(|unit| (0x20..0x7f).contains(unit)).count();
        let printable = char::decode_utf16(front.units())
            .all(|c| c.is_ok_and(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t')));
        let is_text = data.len().is_multiple_of(2) && n > 0 && nul_behind && printable;
        (is_text && latin.saturating_mul(2) >= n).then_some(Self::Ucs2(text))
    }

    /// All bytes of it.
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Ascii(Ascii(bytes)) | Self::Ucs2(Ucs2(bytes)) => bytes,
        }
    }
}

/// Escaped, without NULs at the end.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ascii(text) => write!(f, "{text}"),
            Self::Ucs2(text) => write!(f, "{}", text.until_nul()),
        }
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Data that its type leaves to the platform: text where it can be printed, otherwise bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opaque<'a> {
    /// Can be printed.
    Text(Text<'a>),
    /// Cannot, or is empty.
    Bytes(&'a [u8]),
}

impl<'a> Opaque<'a> {
    /// Never fails.
    pub fn read(data: &'a [u8]) -> Self {
        Text::sniff(data).map_or(Self::Bytes(data), Self::Text)
    }

    /// All bytes of it.
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_kind_of_text_is_known_and_bytes_are_none() {
        assert!(matches!(Text::sniff(b"ACPI DATA"), Some(Text::Ascii(_))));
        assert!(matches!(Text::sniff(b"2\0.\x003\0\0\0"), Some(Text::Ucs2(_))));
        assert_eq!(Text::sniff(b"2\0.\x003\0\0\0").unwrap().to_string(), "2.3");
        assert_eq!(Text::sniff(b"a\0\0\0").unwrap().as_bytes(), b"a\0\0\0");
        for bytes in [&b""[..], b"\0\0", b"\x01\x02", b"\xff\xfe\xfd", b"a\0b", b"A\0\0\0B\0"] {
            assert_eq!(Text::sniff(bytes), None, "{bytes:?}");
        }
    }
}
