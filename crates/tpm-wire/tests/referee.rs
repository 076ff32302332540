//! Another codec as a referee: what both read, they read alike; and what only it reads, we refuse
//! for a limit of ours, never because we lost our place.

use tpm_wire::{
    Attested, ClockInfo, ObjectAttributes, ParseError, ParseErrorKind, PcrSelection, PcrSet,
    Position, ResponseCode, TpmAlgId, TpmsAttest, TpmtPublic, TpmtSignature, Writer, template,
};
use tpm2_protocol::data::{self as theirs, TpmRc, TpmRcIndex, TpmuAttest};
use tpm2_protocol::{TpmMarshal, TpmUnmarshal, TpmWriter};

/// All of `bytes` as a `T` of the referee.
fn read<T: TpmUnmarshal>(bytes: &[u8]) -> Option<T> {
    match T::unmarshal(bytes) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

fn write<T: TpmMarshal>(value: &T) -> Vec<u8> {
    let mut buffer = [0; 4096];
    let mut to = TpmWriter::new(&mut buffer);
    value.marshal(&mut to).unwrap();
    to.as_bytes().to_vec()
}

fn attest(selection: PcrSelection) -> Vec<u8> {
    let mut to = Writer::new();
    to.u32(tpm_wire::TPM_GENERATED);
    to.u16(tpm_wire::TPM_ST_ATTEST_QUOTE);
    to.sized("qualifiedSigner", &[&[0, 0xb][..], &[3; 32]].concat());
    to.sized("extraData", b"a nonce");
    to.u64(86_400_000);
    to.u32(7);
    to.u32(2);
    to.u8(1);
    to.u64(0x2019_1023_0016_3636);
    selection.write(&mut to);
    to.sized("pcrDigest", &[9; 32]);
    to.finish().unwrap()
}

fn two_banks() -> PcrSelection {
    let set = PcrSet::FIRMWARE.with(14);
    PcrSelection::of_banks([TpmAlgId::SHA256, TpmAlgId::SHA384], set).unwrap()
}

fn signatures() -> Vec<Vec<u8>> {
    let hash = TpmAlgId::SHA256;
    [
        TpmtSignature::RsaSsa { hash, signature: &[5; 256] },
        TpmtSignature::RsaPss { hash, signature: &[5; 256] },
        TpmtSignature::Ecdsa { hash, r: &[6; 32], s: &[7; 31] },
    ]
    .map(|signature| {
        let mut to = Writer::new();
        signature.write(&mut to);
        to.finish().unwrap()
    })
    .to_vec()
}

fn publics() -> Vec<Vec<u8>> {
    let more = [template::SRK_P256, template::SRK_RSA2048, template::AK_P256, template::AK_RSA2048];
    let eks = template::EK_TEMPLATES.iter().map(|template| template.area);
    eks.chain(more).map(|area| area.to_bytes().unwrap()).collect()
}

/// Each bit of `bytes` flipped, and `bytes` cut at each length.
fn mutations(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let flips = (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    });
    flips.chain((0..bytes.len()).map(|len| bytes[..len].to_vec()))
}

fn is_a_limit(error: ParseError) -> bool {
    !matches!(error.kind, ParseErrorKind::Short { .. } | ParseErrorKind::Trailing { .. })
}

/// Whether both read it.
fn attests_agree(bytes: &[u8]) -> bool {
    let ours = TpmsAttest::parse(bytes);
    let Some(theirs) = read::<theirs::TpmsAttest>(bytes) else { return false };
    let ours = match ours {
        Ok(ours) => ours,
        Err(error) => {
            assert!(is_a_limit(error), "{error}: {bytes:02x?}");
            return false;
        }
    };
    assert_eq!(write(&theirs), bytes);
    assert_eq!(ours.magic, tpm_wire::TPM_GENERATED);
    assert_eq!(ours.kind, theirs.attest_type.value());
    assert_eq!(ours.qualified_signer, theirs.qualified_signer.as_ref());
    assert_eq!(ours.extra_data, theirs.extra_data.as_ref());
    let clock = theirs.clock_info;
    let theirs_clock = ClockInfo {
        clock_ms: clock.clock.value(),
        reset_count: clock.reset_count.value(),
        restart_count: clock.restart_count.value(),
        safe: u8::from(bool::from(clock.safe)),
    };
    assert_eq!(ours.clock_info, theirs_clock);
    assert_eq!(ours.firmware_version, theirs.firmware_version.value());
    match (ours.attested, &theirs.attested) {
        (Attested::Quote { pcr_select, pcr_digest }, TpmuAttest::Quote(quote)) => {
            assert_eq!(pcr_digest, quote.pcr_digest.as_ref());
            assert_eq!(pcr_select.banks().len(), quote.pcr_select.len());
        }
        (Attested::Certify { name, qualified_name }, TpmuAttest::Certify(certified)) => {
            assert_eq!(name, certified.name.as_ref());
            assert_eq!(qualified_name, certified.qualified_name.as_ref());
        }
        (Attested::Other { .. }, TpmuAttest::Quote(_) | TpmuAttest::Certify(_))
        | (Attested::Quote { .. } | Attested::Certify { .. }, _) => {
            panic!("they do not agree what this is: {bytes:02x?}")
        }
        (Attested::Other { body }, other) => assert_eq!(body, write(other)),
    }
    true
}

fn signatures_agree(bytes: &[u8]) -> bool {
    let ours = TpmtSignature::parse(bytes);
    let Some(theirs) = read::<theirs::TpmtSignature>(bytes) else { return false };
    match ours {
        Ok(ours) => {
            let mut to = Writer::new();
            ours.write(&mut to);
            assert_eq!(to.finish().unwrap(), bytes);
            assert_eq!(write(&theirs), bytes);
            assert_eq!(ours.scheme().0, theirs.sig_alg.value());
            true
        }
        Err(error) => {
            assert!(is_a_limit(error), "{error}: {bytes:02x?}");
            false
        }
    }
}

fn publics_agree(bytes: &[u8]) -> bool {
    // ECDAA is left out of the comparison: its scheme has a counter behind the hash, which is
    // there in [TPM2-P2-1.59 §11.2.1.3] and not in every codec.
    const ECDAA_SHA256: [u8; 4] = [0, 0x1a, 0, 0xb];
    if bytes.windows(4).any(|window| window == ECDAA_SHA256) {
        return false;
    }
    let ours = TpmtPublic::parse(bytes);
    let Some(theirs) = read::<theirs::TpmtPublic>(bytes) else { return false };
    match ours {
        Ok(ours) => {
            assert_eq!(write(&theirs), bytes);
            assert_eq!(ours.area.to_bytes().unwrap(), bytes);
            assert_eq!(ours.area.key.kind().0, theirs.object_type.value());
            assert_eq!(ours.area.name_alg.0, theirs.name_alg.value());
            assert_eq!(ours.area.attributes, ObjectAttributes(theirs.object_attributes.bits()));
            assert_eq!(ours.area.auth_policy, theirs.auth_policy.as_ref());
            true
        }
        Err(error) => {
            assert!(is_a_limit(error), "{error}: {bytes:02x?}");
            false
        }
    }
}

#[test]
fn what_we_write_the_referee_reads_alike() {
    assert!(attests_agree(&attest(two_banks())));
    assert!(signatures().iter().all(|bytes| signatures_agree(bytes)));
    assert!(publics().iter().all(|bytes| publics_agree(bytes)));
}

#[test]
fn mutations_are_read_alike_or_not_at_all() {
    let n_agreed = |frames: &[Vec<u8>], agree: fn(&[u8]) -> bool| {
        let all = frames.iter().flat_map(|bytes| mutations(bytes));
        all.filter(|bytes| agree(bytes)).count()
    };
    // Contents can change and stay readable: the comparison is not an empty one.
    let n_attests = n_agreed(&[attest(two_banks())], attests_agree);
    assert!(n_attests > 500, "{n_attests}");
    let n_signatures = n_agreed(&signatures(), signatures_agree);
    assert!(n_signatures > 4000, "{n_signatures}");
    let n_publics = n_agreed(&publics(), publics_agree);
    assert!(n_publics > 4000, "{n_publics}");
}

#[test]
fn response_codes_are_read_alike() {
    let mut n_known = 0;
    for code in 0..0x1000 {
        let ours = ResponseCode(code);
        let Ok(theirs) = TpmRc::try_from(code) else { continue };
        n_known += 1;
        assert!(ours.name().is_some(), "{code:#x} is {theirs} to the referee");
        let position = match theirs {
            TpmRc::Fmt1(code) => code.index.map(|index| match index {
                TpmRcIndex::Parameter(n) => Position::Parameter(n),
                TpmRcIndex::Handle(n) => Position::Handle(n),
                TpmRcIndex::Session(n) => Position::Session(n),
            }),
            _ => None,
        };
        let ours_position = ours.position().filter(|position| *position != Position::Handle(0));
        assert_eq!(ours_position, position, "{code:#x}");
    }
    assert!(n_known > 1000, "{n_known}");
}

#[test]
fn recorded_quotes_and_keys_are_read_alike() {
    let Some(boots) = testkit::corpus::folder("boots") else { return };
    let (mut n_attests, mut n_signatures, mut n_publics) = (0, 0, 0);
    for entry in std::fs::read_dir(boots).unwrap() {
        let dir = entry.unwrap().path();
        if let Ok(bytes) = std::fs::read(dir.join("quote.msg")) {
            n_attests += usize::from(attests_agree(&bytes));
        }
        if let Ok(bytes) = std::fs::read(dir.join("quote.sig")) {
            n_signatures += usize::from(signatures_agree(&bytes));
        }
        if let Ok(bytes) = std::fs::read(dir.join("ak.tpm2b")) {
            let public = TpmtPublic::parse_2b(&bytes).unwrap();
            n_publics += usize::from(publics_agree(public.raw));
        }
    }
    // Some of the recorded quotes are broken on purpose.
    assert!(n_attests > 20 && n_signatures > 20 && n_publics > 20);
}
