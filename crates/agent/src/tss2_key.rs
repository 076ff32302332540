//! A key of the TPM in the file that programs on OpenSSL load: `TSS2 PRIVATE KEY`. What is in it is of use in
//! this TPM alone.

use tpm_wire::Handle;

/// TPMKey.type of a key that its TPM loads, 2.23.133.10.1.3. [TPM2-KEYS §3.1]
const LOADABLE_KEY: &[u8] = &[0x06, 0x06, 0x67, 0x81, 0x05, 0x0a, 0x01, 0x03];
/// TPMKey.emptyAuth, `[0] EXPLICIT BOOLEAN`: the key has no password.
const EMPTY_AUTH: &[u8] = &[0xa0, 0x03, 0x01, 0x01, 0xff];
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// The file of a key: `public` is TPMT_PUBLIC, `private` the contents of TPM2B_PRIVATE, `parent` a persistent
/// handle, or a hierarchy: then the reader makes the key of its template there.
pub(crate) fn pem(parent: Handle, public: &[u8], private: &[u8]) -> String {
    // An INTEGER is signed: a byte of zeros in front keeps it positive.
    let parent = [&[0][..], &parent.0.to_be_bytes()].concat();
    let parent =
        if parent.get(1).is_some_and(|byte| *byte < 0x80) { &parent[1..] } else { &parent };
    let content = [
        LOADABLE_KEY,
        EMPTY_AUTH,
        &element(INTEGER, parent),
        &element(OCTET_STRING, &sized(public)),
        &element(OCTET_STRING, &sized(private)),
    ]
    .concat();
    let text = base64(&element(SEQUENCE, &content));
    let mut pem = String::from("-----BEGIN TSS2 PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at_checked(64).unwrap_or((rest, ""));
        pem.push_str(line);
        pem.push('\n');
        rest = tail;
    }
    pem.push_str("-----END TSS2 PRIVATE KEY-----\n");
    pem
}

/// As a TPM2B. What a TPM gave has below 4 KiB.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&len.to_be_bytes()[..], bytes].concat()
}

/// An element of DER, shorter than 64 KiB.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let header: &[u8] = match (high, low) {
        (0, 0..0x80) => &[tag, low],
        (0, _) => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [header, content].concat()
}

/// [RFC4648 §4] As JSON has it, so that no crate more is needed.
fn base64(bytes: &[u8]) -> String {
    match serde_json::to_value(api::Bytes::from(bytes.to_vec())) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(pem: &str) -> Vec<u8> {
        let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let bytes: api::Bytes = serde_json::from_value(text.into()).unwrap();
        bytes.0
    }

    #[test]
    fn a_key_is_written_as_its_readers_want_it() {
        let written = pem(Handle::OWNER, &[0xaa; 3], &[0xbb; 2]);
        assert!(written.starts_with("-----BEGIN TSS2 PRIVATE KEY-----\n"));
        let expected = [
            &[SEQUENCE, 32][..],
            LOADABLE_KEY,
            EMPTY_AUTH,
            &[INTEGER, 4, 0x40, 0, 0, 1],
            &[OCTET_STRING, 5, 0, 3, 0xaa, 0xaa, 0xaa],
            &[OCTET_STRING, 4, 0, 2, 0xbb, 0xbb],
        ]
        .concat();
        assert_eq!(der(&written), expected);
        // A persistent handle begins with 0x81, and is no negative number.
        let persistent = der(&pem(Handle::PERSISTENT_SRK, &[], &[]));
        assert_eq!(persistent[15..22], [INTEGER, 5, 0, 0x81, 0, 0, 1]);
    }

    #[test]
    fn lines_have_64_characters_and_lengths_their_form() {
        let written = pem(Handle::OWNER, &[1; 120], &[2; 300]);
        assert!(written.lines().all(|line| line.len() <= 64));
        let der = der(&written);
        assert_eq!(der[..2], [SEQUENCE, 0x82]);
        assert_eq!(usize::from(u16::from_be_bytes([der[2], der[3]])) + 4, der.len());
    }
}
