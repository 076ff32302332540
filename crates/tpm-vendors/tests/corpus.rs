//! The table of authorities against the certificates themselves.

use tpm_vendors::{AUTHORITIES, authority};
use verify::RootStore;

#[test]
fn fingerprints_are_those_of_the_vendors_certificates() {
    let folder = testkit::corpus::folder("machines/loicsikidi+tpm-ca-certificates");
    let Some(folder) = folder else { return };
    let mut known = 0;
    for file in ["tpm-ca-certificates.pem", "tpm-intermediate-ca-certificates.pem"] {
        let pem = std::fs::read_to_string(folder.join(format!("MIRROR.{file}"))).unwrap();
        for root in RootStore::from_pem(&pem).unwrap().iter() {
            let found = authority(&root.fingerprint().0);
            assert!(found.is_some(), "{} {}", root.fingerprint(), root.subject());
            known += 1;
        }
    }
    assert_eq!(known, AUTHORITIES.len());
}
