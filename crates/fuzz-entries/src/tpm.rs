//! What a TPM signs, and its keys.

use tpm_wire::{TpmsAttest, TpmtPublic, TpmtSignature, Writer};
use verify::{UntrustedAttest, check_ak, check_ek};

/// TPMS_ATTEST.
pub(crate) fn attest(bytes: &[u8]) {
    let attest = TpmsAttest::parse(bytes);
    assert_eq!(UntrustedAttest::parse(bytes).is_ok(), attest.is_ok());
    if let Ok(attest) = attest {
        assert_eq!(attest.raw, bytes);
        super::show(&attest);
    }
}

/// TPMT_PUBLIC, by itself and behind its size: written back byte for byte.
pub(crate) fn public(bytes: &[u8]) {
    if let Ok(public) = TpmtPublic::parse(bytes) {
        assert_eq!(public.area.to_bytes().as_deref(), Ok(bytes), "written as it was read");
        super::show(&public);
    }
    if let Ok(public) = TpmtPublic::parse_2b(bytes) {
        assert_eq!(Some(public.raw), bytes.get(2..));
    }
    if let Ok(ak) = check_ak(bytes) {
        assert_eq!(ak.raw(), bytes);
        drop((ak.name().to_string(), ak.key().spki_pem()));
    }
    if let Ok(ek) = check_ek(bytes) {
        assert_eq!(ek.raw(), bytes);
        drop((ek.name().to_string(), ek.key().spki_pem()));
    }
}

/// TPMT_SIGNATURE, written back byte for byte.
pub(crate) fn signature(bytes: &[u8]) {
    if let Ok(signature) = TpmtSignature::parse(bytes) {
        let mut writer = Writer::new();
        signature.write(&mut writer);
        assert_eq!(writer.finish().as_deref(), Ok(bytes), "written as it was read");
        super::show(&(signature, signature.hash()));
    }
}
