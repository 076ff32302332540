//! Keys as texts. [BIP-173] but for its limit of 90 characters, which age has not.

const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The 32 bytes of a text in small letters with this prefix, if its checksum is right.
pub(super) fn decode(text: &str, prefix: &str) -> Option<[u8; 32]> {
    let data = text.strip_prefix(prefix)?.strip_prefix('1')?;
    let values: Vec<u8> = data
        .bytes()
        .map(|c| ALPHABET.iter().position(|known| *known == c).and_then(|n| u8::try_from(n).ok()))
        .collect::<Option<_>>()?;
    let high = prefix.bytes().map(|c| c >> 5);
    let low = prefix.bytes().map(|c| c & 31);
    if polymod(high.chain([0]).chain(low).chain(values.iter().copied())) != 1 {
        return None;
    }
    let (values, _checksum) = values.split_at_checked(values.len().checked_sub(6)?)?;
    let (mut bytes, mut bits, mut n_bits) = (Vec::with_capacity(32), 0_u32, 0_u32);
    for value in values {
        bits = (bits << 5 | u32::from(*value)) & 0xfff;
        n_bits = n_bits.saturating_add(5);
        if n_bits >= 8 {
            n_bits = n_bits.saturating_sub(8);
            bytes.push(u8::try_from(bits >> n_bits & 0xff).ok()?);
        }
    }
    // What is left over is less than a byte, and zero.
    let left = bits & (1_u32.checked_shl(n_bits)?.saturating_sub(1));
    if n_bits >= 5 || left != 0 {
        return None;
    }
    bytes.try_into().ok()
}

fn polymod(values: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    values.fold(1, |sum, value| {
        let top = sum >> 25;
        let sum = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        GENERATOR
            .iter()
            .enumerate()
            .filter(|(n, _)| top >> n & 1 == 1)
            .fold(sum, |sum, (_, generator)| sum ^ generator)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // [age-v1, test vectors]: the recipient of a key of zeros but for its clamped bits is known by all tools.
    const SAMPLE: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

    #[test]
    fn a_recipient_is_read_and_a_typing_error_is_found() {
        assert!(decode(SAMPLE, "age").is_some());
        for n in 4..SAMPLE.len() {
            let mut typo = SAMPLE.to_owned().into_bytes();
            typo[n] = if typo[n] == b'q' { b'p' } else { b'q' };
            assert_eq!(decode(std::str::from_utf8(&typo).unwrap(), "age"), None, "{n}");
            assert_eq!(decode(&SAMPLE[..n], "age"), None, "{n}");
        }
        assert_eq!(decode(SAMPLE, "ag"), None);
        assert_eq!(decode("age1", "age"), None);
        assert_eq!(decode("", "age"), None);
    }
}
