//! What lies around a certificate in the NV storage of a TPM.

use crate::der;

/// Tag of TCG_PCCLIENT_STORED_CERT and its certificate type "full". [PCC-1.2 §7.3.2]
const STORED_CERT: &[u8] = &[0x10, 0x01, 0x00];
/// Tag of TCG_FULL_CERT.
const FULL_CERT: &[u8] = &[0x10, 0x02];

/// A certificate cut out of the bytes of an NV index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NvCertificate<'a> {
    /// The certificate, exactly.
    pub(crate) der: &'a [u8],
    /// Bytes of padding behind it: an index is often defined larger than its certificate.
    pub(crate) n_padding_bytes: usize,
    /// What lay before it.
    pub(crate) header: Header,
}

/// What lies before a certificate in NV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// Nothing, as today's profile has it.
    None,
    /// TCG_PCCLIENT_STORED_CERT and TCG_FULL_CERT. [PCC-1.2 §7.3.2]
    Tpm12,
}

/// Cuts the certificate out of what an NV index held. Two things may lie around it: the header
/// that TPM 1.2 specifications put in front, which some vendors kept, and a run of one byte
/// (0x00, 0xFF) up to the end of the index. Anything else behind the certificate is refused.
pub(crate) fn certificate(nv: &[u8]) -> Option<NvCertificate<'_>> {
    let (header, body) = match nv.strip_prefix(STORED_CERT) {
        Some(rest) => {
            let (size, body) = rest.split_first_chunk::<2>()?;
            let size = usize::from(u16::from_be_bytes(*size));
            (Header::Tpm12, body.get(..size)?.strip_prefix(FULL_CERT)?)
        }
        None => (Header::None, nv),
    };
    if body.first() != Some(&der::SEQUENCE) {
        return None;
    }
    let (der, padding) = der::split_element(body)?;
    let fill = padding.first();
    if padding.iter().any(|byte| Some(byte) != fill) {
        return None;
    }
    Some(NvCertificate { der, n_padding_bytes: padding.len(), header })
}

/// The certificate in an NV index of an endorsement key's, without the header of TPM 1.2 and padding.
/// Nothing of it was read but its length.
pub fn certificate_in(nv: &[u8]) -> Option<&[u8]> {
    certificate(nv).map(|found| found.der)
}

/// The certificates that lie one behind the other in `nv`, as vendors store their intermediates
/// in the NV indices 0x01C00100 to 0x01C001FF, concatenated in the order of the indices.
/// Ends at the first byte that does not begin one. [TCG-EK-2.6 §2.2.1.5.3]
pub fn certificates_in(nv: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = nv;
    core::iter::from_fn(move || {
        if rest.first() != Some(&der::SEQUENCE) {
            return None;
        }
        let (der, behind) = der::split_element(rest)?;
        rest = behind;
        Some(der)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DER: &[u8] = &[0x30, 3, 1, 2, 3];

    fn cut(parts: &[&[u8]]) -> Option<(Vec<u8>, usize)> {
        let nv = parts.concat();
        certificate(&nv).map(|found| (found.der.to_vec(), found.n_padding_bytes))
    }

    #[test]
    fn wrapper_and_padding_are_taken_off() {
        let expected = |n| Some((DER.to_vec(), n));
        assert_eq!(cut(&[DER]), expected(0));
        assert_eq!(cut(&[DER, &[0xff; 300]]), expected(300));
        assert_eq!(cut(&[DER, &[0; 7]]), expected(7));
        assert_eq!(cut(&[&[0x10, 1, 0, 0, 7, 0x10, 2], DER]), expected(0));
        assert_eq!(cut(&[&[0x10, 1, 0, 0, 7, 0x10, 2], DER, &[9, 8]]), expected(0));
    }

    #[test]
    fn what_is_neither_is_refused() {
        assert_eq!(cut(&[]), None);
        assert_eq!(cut(&[DER, &[0xff, 0]]), None);
        assert_eq!(cut(&[&[0x10, 1, 0, 0, 8, 0x10, 2], DER]), None, "size past the end");
        assert_eq!(cut(&[&[0x10, 1, 1, 0, 7, 0x10, 2], DER]), None, "not a full certificate");
        assert_eq!(cut(&[&DER[..4]]), None, "cut");
    }

    #[test]
    fn certificates_are_found_one_behind_the_other() {
        let nv = [DER, &[0x30, 0], DER, &[0xff; 3]].concat();
        assert_eq!(certificates_in(&nv).count(), 3);
        assert_eq!(certificates_in(&[]).count(), 0);
    }
}
