//! Each row about certificates: one that has it, and the sound one that has not.

#[path = "../../verify/tests/common/ca.rs"]
#[expect(dead_code, reason = "of the authorities of tests one is used")]
#[expect(unreachable_pub, reason = "a module that is compiled into each test program")]
mod ca;

use ca::{Ca, ek_params};
use quirks::{Quirk, in_certificate};
use rcgen::{CertificateParams, KeyPair, KeyUsagePurpose};
use verify::{RootStore, UnixTime, verify_ek_certificate};

const NOW: UnixTime = UnixTime(1_795_600_000);

fn quirks(nv: &[u8], roots: &RootStore) -> Vec<Quirk> {
    in_certificate(&verify_ek_certificate(nv, &[], roots, NOW).unwrap()).collect()
}

#[test]
fn what_makers_leave_out_has_a_name() {
    let root = Ca::root("Root");
    let key = KeyPair::generate().unwrap();
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = ek_params();
        change(&mut params);
        quirks(&root.issue(&params, &key), &root.store())
    };
    assert_eq!(with(&|_| ()), []);
    let found = with(&|params| params.extended_key_usages.clear());
    assert_eq!(found, [Quirk::EkCertNoExtendedKeyUsage]);
    let found = with(&|params| params.custom_extensions.clear());
    assert_eq!(found, [Quirk::EkCertNoManufacturer]);
    let found = with(&|params| params.key_usages.clear());
    assert_eq!(found, [Quirk::EkCertNoKeyUsage]);
    let found = with(&|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_eq!(found, [Quirk::EkCertEccKeyEncipherment]);
}

#[test]
fn what_lies_around_a_certificate() {
    let root = Ca::root("Root");
    let der = root.issue(&ek_params(), &KeyPair::generate().unwrap());
    let size = u16::try_from(der.len() + 2).unwrap().to_be_bytes();
    let wrapped = [&[0x10, 1, 0][..], &size, &[0x10, 2], &der].concat();
    assert_eq!(quirks(&wrapped, &root.store()), [Quirk::EkCertNvHeader]);
    let padded = [&der[..], &[0xff; 300]].concat();
    assert_eq!(quirks(&padded, &root.store()), [], "an index that is larger is usual");
}

/// The operator chose this one certificate: that is no deviation, and has a finding of its own.
#[test]
fn a_certificate_that_is_its_own_anchor_has_no_quirk() {
    let der = Ca::root("Root").issue(&ek_params(), &KeyPair::generate().unwrap());
    let pinned = RootStore::from_der(&der).unwrap();
    assert_eq!(quirks(&der, &pinned), []);
    assert!(verify_ek_certificate(&der, &[], &pinned, NOW).unwrap().is_pinned());
}
