//! Images that tests make: the digest is of what must be in it, whatever is done to the file.

use event_log::hash;
use image::{Image, ImageError, SignatureFault, uki};
use testkit::pe;
use tpm_wire::TpmAlgId;

const SBAT: &[u8] = b"sbat,1,SBAT Version,sbat,1,https://example.org\nours,3,Us,ours,2.1,x\n";

fn sample() -> Vec<u8> {
    pe::image(&[(".text", &[0x90; 700]), (".sbat", SBAT), (".data", &[7; 3])])
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    let image = Image::parse(bytes).expect("an image");
    image.authenticode(TpmAlgId::SHA256).expect("a digest").as_bytes().to_vec()
}

fn certificate() -> Vec<u8> {
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Signer of tests");
    params.self_signed(&key).expect("a certificate").der().to_vec()
}

#[test]
fn the_digest_leaves_out_checksum_and_signature_and_nothing_else() {
    let bytes = sample();
    // Of an image without gaps it is the hash over the file without twelve bytes.
    let (checksum_at, directory_at) = (64 + 24 + 64, 64 + 24 + 112 + 32);
    let parts =
        [&bytes[..checksum_at], &bytes[checksum_at + 4..directory_at], &bytes[directory_at + 8..]];
    for alg in [TpmAlgId::SHA256, TpmAlgId::SHA384] {
        let image = Image::parse(&bytes).unwrap();
        assert_eq!(image.authenticode(alg), hash(alg, &parts));
        assert_eq!(image.flat(alg), hash(alg, &[&bytes]));
        assert_ne!(image.flat(alg), image.authenticode(alg));
    }
    let signed = pe::with_signature(&bytes, &sha256(&bytes), &[&certificate()]);
    assert_eq!(sha256(&signed), sha256(&bytes));
    let flat = |bytes: &[u8]| Image::parse(bytes).unwrap().flat(TpmAlgId::SHA256);
    assert_ne!(flat(&signed), flat(&bytes));
}

#[test]
fn every_byte_counts_but_those_that_signing_writes() {
    let bytes = sample();
    let before = sha256(&bytes);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        let Ok(image) = Image::parse(&changed) else { continue };
        let same = image.authenticode(TpmAlgId::SHA256).unwrap().as_bytes() == before;
        // The checksum, and where signatures would be if there were any.
        let is_left_out = (152..156).contains(&at) || (232..236).contains(&at);
        assert_eq!(same, is_left_out, "the byte at {at}");
    }
    for len in 0..bytes.len() {
        assert!(Image::parse(&bytes[..len]).is_err(), "cut to {len}");
    }
    let longer = [bytes.as_slice(), b"more"].concat();
    assert_ne!(sha256(&longer), before, "what is behind the sections");
}

#[test]
fn a_layout_that_loaders_may_read_in_two_ways_is_refused() {
    let section = |n: usize, field: usize| 64 + 24 + 240 + 40 * n + field;
    let with = |at: usize, value: u32| {
        let mut bytes = sample();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        Image::parse(&bytes).map(|_| ())
    };
    let outside = |what| Err(ImageError::Layout { what });
    assert_eq!(with(section(1, 20), 512), outside("a section"), "over another");
    assert_eq!(with(section(0, 20), 8), outside("a section"), "over the headers");
    assert_eq!(with(section(2, 16), u32::MAX), outside("a section"), "beyond the file");
    assert_eq!(with(88 + 60, 64), outside("the headers"));
    assert_eq!(with(88 + 60, u32::MAX), outside("the headers"));
    let signed = pe::with_signature(&sample(), &[0; 32], &[]);
    let behind = [signed.as_slice(), &[0; 8]].concat();
    assert_eq!(Image::parse(&behind).map(|_| ()), outside("a signature"), "bytes behind it");
    let many: Vec<_> = (0..97).map(|_| (".x", b"x".as_slice())).collect();
    assert_eq!(Image::parse(&pe::image(&many)).map(|_| ()), Err(ImageError::Sections { n: 97 }));
    assert_eq!(Image::parse(b"\x7fELF").map(|_| ()), Err(ImageError::NotPe));
}

#[test]
fn signatures_show_what_they_sign_and_who_is_named() {
    let bytes = sample();
    let der = certificate();
    let signed = pe::with_signature(&bytes, &sha256(&bytes), &[&der]);
    let image = Image::parse(&signed).unwrap();
    let (signatures, fault) = image.signatures();
    assert_eq!(fault, None);
    let [signature] = signatures.as_slice() else { panic!("one signature") };
    assert!(signature.names(&image));
    let [certificate] = signature.untrusted_certificates.as_slice() else { panic!("one") };
    assert_eq!((certificate.subject.as_str(), certificate.der), ("CN=Signer of tests", &*der));
    assert_eq!(Some(certificate.fingerprint), hash(TpmAlgId::SHA256, &[&der]));

    let other = pe::with_signature(&bytes, &[9; 32], &[&der]);
    let image = Image::parse(&other).unwrap();
    assert!(!image.signatures().0[0].names(&image), "a signature of another image");
    assert_eq!(Image::parse(&bytes).unwrap().signatures(), (Vec::new(), None));
}

#[test]
fn a_broken_signature_is_told_and_leaves_the_digest() {
    let bytes = sample();
    let signed = pe::with_signature(&bytes, &sha256(&bytes), &[&certificate()]);
    for at in bytes.len()..signed.len() {
        let mut changed = signed.clone();
        changed[at] ^= 0x55;
        assert_eq!(sha256(&changed), sha256(&bytes));
        let image = Image::parse(&changed).unwrap();
        let _ = image.signatures();
    }
    let mut kind = signed;
    kind[bytes.len() + 6] = 1;
    let (found, fault) = Image::parse(&kind).unwrap().signatures();
    assert_eq!((found.len(), fault), (0, Some(SignatureFault::Kind { kind: 1 })));
}

#[test]
fn sbat_rows_are_read() {
    let bytes = sample();
    let rows = Image::parse(&bytes).unwrap().sbat().unwrap();
    let rows: Vec<_> = rows.iter().map(|row| (row.component, row.generation, row.rest)).collect();
    let first = ("sbat", 1, "SBAT Version,sbat,1,https://example.org");
    assert_eq!(rows, [first, ("ours", 3, "Us,ours,2.1,x")]);
    let bad = pe::image(&[(".sbat", b"sbat,one,x\n")]);
    assert_eq!(Image::parse(&bad).unwrap().sbat(), None);
}

fn names(bytes: &[u8]) -> Result<Vec<&'static str>, uki::UkiError> {
    let image = Image::parse(bytes).expect("an image");
    let sections = uki::measured_sections(&image)?;
    Ok(sections.iter().map(|section| section.name).collect())
}

#[test]
fn what_is_measured_follows_the_release_of_the_stub() {
    let sections: Vec<(&str, &[u8])> =
        [".sbat", ".uname", ".pcrpkey", ".ucode", ".initrd", ".pcrsig", ".cmdline", ".linux"]
            .map(|name| (name, name.as_bytes()))
            .to_vec();
    let measured = |release| names(&pe::uki(release, &sections));
    let first = [".linux", ".cmdline", ".initrd"];
    assert_eq!(measured(252).unwrap(), [&first[..], &[".pcrpkey"]].concat());
    assert_eq!(measured(254).unwrap(), [&first[..], &[".uname", ".sbat", ".pcrpkey"]].concat());
    let newest = [&first[..], &[".ucode", ".uname", ".sbat", ".pcrpkey"]].concat();
    assert_eq!(measured(257).unwrap(), newest);
    assert_eq!(measured(251), Err(uki::UkiError::Release { release: 251 }));
    assert_eq!(measured(253), Err(uki::UkiError::Release { release: 253 }));
}

#[test]
fn what_is_chosen_at_boot_or_unclear_is_not_told() {
    let linux = (".linux", b"kernel".as_slice());
    let with =
        |more: &[(&'static str, &'static [u8])]| names(&pe::uki(257, &[&[linux], more].concat()));
    for name in [".profile", ".dtbauto", ".hwids", ".efifw"] {
        assert_eq!(with(&[(name, b"x")]), Err(uki::UkiError::Chosen { name }));
    }
    let twice = with(&[(".cmdline", b"a"), (".cmdline", b"b")]);
    assert_eq!(twice, Err(uki::UkiError::Twice { name: ".cmdline" }));
    assert_eq!(names(&sample()), Err(uki::UkiError::NotUki));
    assert_eq!(names(&pe::image(&[linux])), Err(uki::UkiError::UnknownStub));
    let mut larger = pe::uki(257, &[linux]);
    let memory_at = 64 + 24 + 240 + 40 * 2 + 8;
    larger[memory_at..memory_at + 4].copy_from_slice(&513u32.to_le_bytes());
    assert_eq!(names(&larger), Err(uki::UkiError::Memory { name: ".linux" }));
}
