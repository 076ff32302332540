//! CoRIMs: those that say values of PCRs, and many that do not.

use std::fs;

use manifests::{Corim, FIRMWARE_PCRS, MANIFEST_BYTES_MAX, ManifestError};
use references::{Model, Origin};
use testkit::rim::{Vendor, cbor, corim};
use tpm_wire::{PcrSet, TpmAlgId};
use verify::{RootStore, SignerAnchor, SignerError, UnixTime};

const NOW: UnixTime = UnixTime(1_790_000_000);
const MODEL: [&str; 3] = ["Vendor Inc.", "Model 9", "1.2"];

fn pinned(vendor: &Vendor) -> SignerAnchor {
    SignerAnchor::pinned(&vendor.signer).unwrap()
}

fn values() -> Vec<(u64, Vec<u8>)> {
    vec![(0, vec![0xa0; 32]), (2, vec![0xa2; 32]), (7, vec![0xa7; 32])]
}

#[test]
fn a_signed_corim_becomes_values_of_its_model() {
    let vendor = Vendor::new();
    let bytes = vendor.corim(&corim::payload(MODEL, &values()));
    let roots = SignerAnchor::roots(RootStore::from_der(&vendor.authority).unwrap()).unwrap();
    for anchor in [pinned(&vendor), roots] {
        let corim = Corim::verify(&bytes, &anchor, NOW).unwrap();
        let [system_vendor, product_name, firmware_version] = MODEL.map(str::to_owned);
        assert_eq!(*corim.model(), Model { system_vendor, product_name, firmware_version });
        let baseline = corim.baseline("bios.corim", FIRMWARE_PCRS).unwrap();
        let content = baseline.content();
        assert_eq!((content.origin, content.values.len()), (Origin::Vendor, 2));
        let value = &content.values[0];
        assert_eq!((value.pcr_index, value.alg), (0, TpmAlgId::SHA256));
        assert_eq!(value.any_of[0].as_bytes(), [0xa0; 32]);
        assert_eq!(content.manifest.as_ref().unwrap().signer, "CN=Vendor signer");
        assert!(corim.baseline("bios.corim", PcrSet::EMPTY.with(5)).is_err());
    }
    let other = Vendor::new();
    let cause = Corim::verify(&bytes, &pinned(&other), NOW);
    assert!(matches!(cause, Err(ManifestError::Signer(SignerError::Another { .. }))), "{cause:?}");
}

#[test]
fn no_changed_byte_of_a_corim_passes() {
    let vendor = Vendor::new();
    let bytes = vendor.corim(&corim::payload(MODEL, &values()));
    let anchor = pinned(&vendor);
    for at in 0..bytes.len() {
        assert!(Corim::verify(&bytes[..at], &anchor, NOW).is_err(), "{at}");
        for flip in [1, 0x20, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            assert!(Corim::verify(&changed, &anchor, NOW).is_err(), "{at}");
        }
    }
    assert!(Corim::verify(&[&bytes[..], &[0]].concat(), &anchor, NOW).is_err());
    let large = vec![0; MANIFEST_BYTES_MAX + 1];
    assert_eq!(Corim::verify(&large, &anchor, NOW), Err(ManifestError::Size { have: large.len() }));
    // What claims to be large, and what is deep.
    assert!(Corim::verify(b"\xd2\x9b\xff\xff\xff\xff\xff\xff\xff\xff", &anchor, NOW).is_err());
    assert!(Corim::verify(&[0x81; 100_000], &anchor, NOW).is_err());
    assert!(Corim::verify(b"\xd2\x9f\xff", &anchor, NOW).is_err());
}

#[test]
fn a_corim_that_says_something_else_is_refused() {
    use cbor::{array, bytes, map, tag, text, uint};
    let vendor = Vendor::new();
    let refused = |payload: &[u8], why: &str| {
        let found = Corim::verify(&vendor.corim(payload), &pinned(&vendor), NOW);
        assert!(found.is_err(), "{why}: {found:?}");
        found.unwrap_err()
    };
    let accepted = |payload: &[u8]| {
        Corim::verify(&vendor.corim(payload), &pinned(&vendor), NOW).unwrap();
    };
    let class = || vec![(1, text(MODEL[0])), (2, text(MODEL[1]))];
    let version = || (0, map(&[(uint(0), text(MODEL[2]))]));
    let digest = |alg: u64, n: usize| array(&[uint(alg), bytes(&vec![9; n])]);
    let registers = |name: Vec<u8>, digests: &[Vec<u8>]| (14, map(&[(name, array(digests))]));
    let good = || registers(uint(0), &[digest(1, 32)]);
    let keyed = |all: Vec<(u64, Vec<u8>)>| {
        let all: Vec<_> = all.into_iter().map(|(key, value)| (uint(key), value)).collect();
        map(&all)
    };
    let comid = |class: Vec<(u64, Vec<u8>)>, values: Vec<(u64, Vec<u8>)>| {
        let environment = keyed(vec![(0, keyed(class))]);
        let measurement = keyed(vec![(1, keyed(values))]);
        let triple = array(&[environment, array(&[measurement])]);
        keyed(vec![(4, keyed(vec![(0, array(&[triple]))]))])
    };
    let with = |comids: &[Vec<u8>], more: Vec<(u64, Vec<u8>)>| {
        let tags: Vec<_> = comids.iter().map(|comid| tag(506, &bytes(comid))).collect();
        let mut all = vec![(0, text("id")), (1, array(&tags))];
        all.extend(more);
        tag(501, &keyed(all))
    };
    let of = |class, values| with(&[comid(class, values)], vec![]);
    accepted(&of(class(), vec![version(), good()]));
    accepted(&of(class(), vec![version(), registers(uint(0), &[digest(1, 32), digest(7, 48)])]));

    let profile = (3, tag(32, &text("https://vendor.example/profile")));
    let told = refused(&with(&[comid(class(), vec![version(), good()])], vec![profile]), "profile");
    assert!(told.to_string().contains("https://vendor.example/profile"), "{told}");
    let time = |seconds| tag(1, &uint(seconds));
    let now = u64::try_from(NOW.0).unwrap();
    for (key, seconds, fits) in
        [(0, now, true), (0, now + 1, false), (1, now, true), (1, now - 1, false)]
    {
        let validity = (4, keyed(vec![(key, time(seconds))]));
        let payload = with(&[comid(class(), vec![version(), good()])], vec![validity]);
        match fits {
            true => accepted(&payload),
            false => drop(refused(&payload, "validity")),
        }
    }
    refused(&with(&[], vec![]), "nothing");
    refused(&with(&[comid(class(), vec![version(), good()])], vec![(2, array(&[]))]), "depends");
    refused(&of(vec![(1, text(MODEL[0]))], vec![version(), good()]), "no model");
    refused(&of(vec![(2, text(MODEL[1]))], vec![version(), good()]), "no vendor");
    let layer = [class(), vec![(3, uint(1))]].concat();
    refused(&of(layer, vec![version(), good()]), "a layer");
    refused(&of(class(), vec![good()]), "no version");
    refused(&of(class(), vec![version()]), "no registers");
    let plain = (2, array(&[digest(1, 32)]));
    refused(&of(class(), vec![version(), plain, good()]), "a digest of something");
    for (name, digests, why) in [
        (text("pcr0"), vec![digest(1, 32)], "a name"),
        (uint(24), vec![digest(1, 32)], "no PCR"),
        (uint(0), vec![], "no value"),
        (uint(0), vec![digest(1, 31)], "a length"),
        (uint(0), vec![digest(7, 32)], "another length"),
        (uint(0), vec![digest(2, 16)], "a short hash"),
        (uint(0), vec![digest(1, 32), digest(1, 32)], "twice"),
    ] {
        refused(&of(class(), vec![version(), registers(name, &digests)]), why);
    }
    let second = comid(vec![(1, text(MODEL[0])), (2, text("Model 8"))], vec![version(), good()]);
    refused(&with(&[comid(class(), vec![version(), good()]), second], vec![]), "two models");
    let twice = map(&[(uint(0), text("id")), (uint(0), text("id"))]);
    refused(&tag(501, &twice), "one key twice");
}

#[test]
fn recorded_corims_say_nothing_of_pcrs_and_are_refused() {
    let Some(folder) = testkit::corpus::folder("machines/veraison+corim/corim/testcases") else {
        return;
    };
    let vendor = Vendor::new();
    let mut n = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".cbor") {
            continue;
        }
        n += 1;
        let bytes = fs::read(&path).unwrap();
        let found = Corim::verify(&bytes, &pinned(&vendor), NOW).unwrap_err();
        match name.starts_with("signed-") {
            // Read up to the signature, which is nobody's that is trusted here.
            true => assert!(matches!(found, ManifestError::Signature(_)), "{name}: {found:?}"),
            false => {
                let unsigned = ManifestError::Missing { what: "who signed it" };
                assert_eq!(found, unsigned, "{name}");
                // By whomever they are signed, they are of other things than PCRs.
                let signed = vendor.corim(&bytes);
                let found = Corim::verify(&signed, &pinned(&vendor), NOW).unwrap_err();
                assert!(!matches!(found, ManifestError::Signature(_)), "{name}: {found:?}");
            }
        }
    }
    assert_eq!(n, 11);
}
