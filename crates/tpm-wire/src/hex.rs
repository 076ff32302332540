//! Bytes as text.

use std::fmt;

/// Bytes that are written out at once: a digest of SHA-256.
const CHUNK: usize = 32;

/// Shows bytes as lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.chunks(CHUNK) {
            let mut text = [0; 2 * CHUNK];
            for ([high, low], byte) in text.as_chunks_mut().0.iter_mut().zip(chunk) {
                (*high, *low) = (digit(byte >> 4), digit(byte & 0xf));
            }
            let digits = text.get(..2 * chunk.len()).unwrap_or_default();
            f.write_str(str::from_utf8(digits).unwrap_or_default())?;
        }
        Ok(())
    }
}

const fn digit(nibble: u8) -> u8 {
    match nibble {
        0..10 => b'0' + nibble,
        _ => b'a' - 10 + nibble,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_has_two_digits() {
        let bytes: Vec<u8> = (0..=255).collect();
        let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        for n in [0, 1, 31, 32, 33, 64, 256] {
            assert_eq!(Hex(&bytes[..n]).to_string(), expected[..2 * n]);
        }
    }
}
