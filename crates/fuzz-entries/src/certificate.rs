//! Certificates: of endorsement keys, of their authorities, and files of them.

use verify::{RootStore, UnixTime, certificates_in, verify_ek_certificate};

/// A date within the seeds' time of validity.
const NOW: UnixTime = UnixTime(1_790_000_000);

/// Whoever trusts nothing accepts nothing; a certificate that may be an anchor is judged as an
/// endorsement certificate under itself.
pub(crate) fn certificate(bytes: &[u8]) {
    let n_bytes: usize = certificates_in(bytes).map(<[u8]>::len).sum();
    assert!(n_bytes <= bytes.len());
    let nothing = verify_ek_certificate(bytes, &[bytes], &RootStore::new(), NOW);
    assert!(nothing.is_err(), "nobody vouches for it");
    super::show(&nothing);
    if let Ok(roots) = RootStore::from_der(bytes) {
        roots.iter().for_each(super::show);
        match verify_ek_certificate(bytes, &[bytes], &roots, NOW) {
            Ok(ek) => {
                super::show(&ek);
                assert_eq!(roots.find(&ek.root()).map(|root| root.fingerprint()), Some(ek.root()));
            }
            Err(err) => drop(err.to_string()),
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        super::show(&RootStore::from_pem(text));
    }
}
