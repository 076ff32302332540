//! Just enough DER to write a public key and an ECDSA signature.

const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
const NULL: &[u8] = &[0x05, 0x00];
const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// One element with the given tag whose content is `parts`, one after another.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(len + 6);
    out.push(tag);
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let octets = len.to_be_bytes();
            let n_zero = octets.iter().take_while(|octet| **octet == 0).count();
            let octets = octets.get(n_zero..).unwrap_or(&[]);
            // A usize has at most eight octets, so the count fits into the low bits.
            out.push(0x80 | u8::try_from(octets.len()).unwrap_or(0));
            out.extend_from_slice(octets);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(SEQUENCE, parts)
}

pub(crate) fn oid(content: &[u8]) -> Vec<u8> {
    element(OID, &[content])
}

/// NULL, the parameters of rsaEncryption.
pub(crate) fn null() -> &'static [u8] {
    NULL
}

/// A BIT STRING without unused bits.
pub(crate) fn bit_string(content: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], content])
}

/// An INTEGER that is not negative, from its big-endian bytes with or without leading zeros.
pub(crate) fn unsigned(big_endian: &[u8]) -> Vec<u8> {
    let bytes = strip_zeros(big_endian);
    match bytes.first() {
        None => element(INTEGER, &[&[0]]),
        Some(first) if *first >= 0x80 => element(INTEGER, &[&[0], bytes]),
        Some(_) => element(INTEGER, &[bytes]),
    }
}

/// `big_endian` without leading zero bytes; zero becomes empty.
pub(crate) fn strip_zeros(big_endian: &[u8]) -> &[u8] {
    let n_zero = big_endian.iter().take_while(|byte| **byte == 0).count();
    big_endian.get(n_zero..).unwrap_or(&[])
}

/// Bytes of the header of the element at the start of `bytes`, and of its content. `None` where
/// the length is indefinite, longer than four octets, or longer than `bytes`.
fn lengths(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*bytes.get(1)?);
    let (header_len, content_len): (usize, usize) = match first {
        0..=0x7f => (2, first),
        0x81..=0x84 => {
            let n = first - 0x80;
            let octets = bytes.get(2..2 + n)?;
            (2 + n, octets.iter().fold(0, |len, octet| len << 8 | usize::from(*octet)))
        }
        _ => return None,
    };
    let end = header_len.checked_add(content_len)?;
    (end <= bytes.len()).then_some((header_len, content_len))
}

/// The element at the start of `bytes` with its header, and what is behind it.
pub(crate) fn split_element(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (header_len, content_len) = lengths(bytes)?;
    bytes.split_at_checked(header_len + content_len)
}

/// The content of the element at the start of `bytes`.
pub(crate) fn content(bytes: &[u8]) -> Option<&[u8]> {
    let (header_len, content_len) = lengths(bytes)?;
    bytes.get(header_len..header_len + content_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_shortest_form() {
        assert_eq!(element(4, &[&[0; 127]])[..2], [4, 127]);
        assert_eq!(element(4, &[&[0; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(element(4, &[&[0; 256]])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn integers_are_minimal_and_not_negative() {
        assert_eq!(unsigned(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[0, 0]), [2, 1, 0]);
    }

    #[test]
    fn an_element_never_reaches_past_its_bytes() {
        let split = |bytes: &'static [u8]| split_element(bytes).map(|(element, _)| element.len());
        assert_eq!(split(&[0x30, 1, 0, 9]), Some(3));
        assert_eq!(split(&[0x30, 2, 0]), None);
        assert_eq!(split(&[0x30, 0x80, 0, 0]), None);
        assert_eq!(split(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(split(&[0x30, 0x85, 0, 0, 0, 0, 0]), None);
        assert_eq!(split(&[0x30]), None);
        assert_eq!(content(&[0x30, 0x81, 1, 7, 9]), Some([7].as_slice()));
    }
}
