//! The table of authorities against the certificates themselves.
#![expect(clippy::print_stdout, reason = "a test that is skipped says so")]

use std::path::Path;

use tpm_vendors::{AUTHORITIES, authority};
use verify::RootStore;

#[test]
fn fingerprints_are_those_of_the_vendors_certificates() {
    let Some(corpus) = std::env::var_os("BOOTPROOF_CORPUS") else {
        println!("skipped: BOOTPROOF_CORPUS is not set");
        return;
    };
    let folder = Path::new(&corpus).join("machines/loicsikidi+tpm-ca-certificates");
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
