//! EK certificates of real chips, under the certificates that their vendors publish.

use std::fs;
use std::path::{Path, PathBuf};

use verify::{
    EkCertError, PublicKey, RootStore, UnixTime, UntrustedCause, WrongUse, verify_ek_certificate,
};

/// 1 January 2027.
const NOW: UnixTime = UnixTime(1_798_761_600);

/// The first file of this name below `dir`.
fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(dir).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort_unstable();
    let here = paths.iter().find(|path| path.is_file() && path.ends_with(name)).cloned();
    here.or_else(|| paths.iter().filter(|path| path.is_dir()).find_map(|dir| find(dir, name)))
}

fn read(corpus: &Path, name: &str) -> Vec<u8> {
    let path = find(corpus, name).unwrap_or_else(|| panic!("{name} is not in the corpus"));
    fs::read(path).unwrap()
}

#[test]
fn chips_of_several_vendors_are_told_by_their_certificates() {
    let Some(corpus) = testkit::corpus::root() else { return };
    for (leaf, root, manufacturer, model, is_rsa) in [
        (
            "st_sha256_with_rsa_der.der",
            "STM TPM EK Intermediate CA 05_2.crt",
            0x5354_4D20,
            "ST33HTPHAHB4",
            true,
        ),
        (
            "st_ecdsa_sha256_der.der",
            "STM TPM ECC Intermediate CA 01_2.crt",
            0x5354_4D20,
            "ST33HTPHAHB4",
            false,
        ),
        ("devicecert.cer", "Nuvoton TPM Root CA 2111.cer", 0x4E54_4300, "NPCT75x", false),
    ] {
        let roots = RootStore::from_der(&read(&corpus, root)).unwrap();
        let leaf = read(&corpus, leaf);
        let ek = verify_ek_certificate(&leaf, &[], &roots, NOW).unwrap();
        assert_eq!(ek.tpm().manufacturer_id(), Some(manufacturer));
        assert_eq!(ek.tpm().model.as_deref(), Some(model));
        assert_eq!(matches!(ek.key(), PublicKey::Rsa(_)), is_rsa);
        assert_eq!(ek.deviations(), []);
    }
}

#[test]
fn a_wrapped_certificate_with_an_oaep_key_is_read() {
    let Some(corpus) = testkit::corpus::root() else { return };
    let wrapped = read(&corpus, "ek_cert_untouched.cer");
    let issuer = RootStore::from_der(&read(&corpus, "stmtpmekint02.crt")).unwrap();
    let by_issuer = verify_ek_certificate(&wrapped, &[], &issuer, NOW);
    let Err(EkCertError::Untrusted(UntrustedCause::WeakSignature { issuer })) = by_issuer else {
        panic!("signed with SHA-1: {by_issuer:?}");
    };
    assert!(issuer.ends_with("CN=STM TPM EK Intermediate CA 02"), "{issuer}");

    let bare = read(&corpus, "ek_cert_7_byte_header_removed.cer");
    let pinned = RootStore::from_der(&bare).unwrap();
    let Err(EkCertError::Expired(expired)) = verify_ek_certificate(&wrapped, &[], &pinned, NOW)
    else {
        panic!("it ended in 2024");
    };
    let ek = expired.permit();
    assert_eq!(ek.tpm().model.as_deref(), Some("ST33ZP24PVSP"));
    assert!(matches!(ek.key(), PublicKey::Rsa(key) if key.bits() == 2048));
    let before = UnixTime(1_700_000_000);
    assert_eq!(verify_ek_certificate(&wrapped, &[], &pinned, before), Ok(ek));
}

#[test]
fn an_identity_certificate_is_not_one_of_an_ek() {
    let Some(corpus) = testkit::corpus::root() else { return };
    let leaf = read(&corpus, "iak_der.der");
    let pinned = RootStore::from_der(&leaf).unwrap();
    let result = verify_ek_certificate(&leaf, &[], &pinned, NOW);
    assert_eq!(result, Err(EkCertError::WrongUse(WrongUse::ExtendedKeyUsage)));
}
