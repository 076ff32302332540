//! Bytes that nobody should have sent: read or refused, and nothing else.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tpm_wire::command::{
    ActivateCredential, Command, Create, CreatePrimary, GetCapability, GetRandom, Load, NvRead,
    NvReadPublic, PcrRead, PolicyGetDigest, PolicySecret, Quote, ReadPublic, StartPolicySession,
    decode, encode, response_code,
};
use tpm_wire::{
    Handle, ObjectAttributes, PcrSelection, PcrSet, PublicArea, PublicKey, Reader, ResponseCode,
    Scheme, Symmetric, TpmAlgId, TpmEccCurve, TpmsAttest, TpmtPublic, TpmtSignature, Writer,
};

#[derive(Clone, Copy, Debug)]
enum Tag {
    NoSessions,
    Sessions,
}

/// A response with this body.
fn response(tag: Tag, code: u32, body: &[u8]) -> Vec<u8> {
    let mut to = Writer::new();
    to.u16(match tag {
        Tag::NoSessions => 0x8001,
        Tag::Sessions => 0x8002,
    });
    to.u32(u32::try_from(10 + body.len()).unwrap());
    to.u32(code);
    to.bytes(body);
    to.finish().unwrap()
}

/// Reads it as the answer to every command: how many can.
fn decode_all(bytes: &[u8]) -> usize {
    fn ok<C: Command>(bytes: &[u8]) -> usize {
        usize::from(decode::<C>(bytes).is_ok())
    }
    ok::<GetCapability>(bytes)
        + ok::<GetRandom>(bytes)
        + ok::<NvReadPublic>(bytes)
        + ok::<NvRead>(bytes)
        + ok::<PcrRead>(bytes)
        + ok::<StartPolicySession>(bytes)
        + ok::<PolicySecret>(bytes)
        + ok::<PolicyGetDigest>(bytes)
        + ok::<CreatePrimary<'_>>(bytes)
        + ok::<Create<'_>>(bytes)
        + ok::<Load<'_>>(bytes)
        + ok::<ReadPublic>(bytes)
        + ok::<Quote<'_>>(bytes)
        + ok::<ActivateCredential<'_>>(bytes)
}

/// The schemes whose fields differ, and any other.
fn scheme() -> impl Strategy<Value = Scheme> {
    const ECDAA: u16 = 0x1a;
    let alg =
        prop_oneof![Just(0x10), Just(0x14), Just(0x15), Just(0x18), Just(ECDAA), any::<u16>()];
    (alg, any::<u16>()).prop_map(|(alg, count)| match TpmAlgId(alg) {
        alg @ (TpmAlgId::NULL | TpmAlgId::RSAES) => Scheme { alg, ..Scheme::NULL },
        alg if alg.0 == ECDAA => Scheme { alg, hash: TpmAlgId::SHA256, count },
        alg => Scheme::new(alg, TpmAlgId::SHA256),
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..600)) {
        let _ = TpmsAttest::parse(&bytes);
        let _ = TpmtSignature::parse(&bytes);
        let _ = TpmtPublic::parse(&bytes);
        let _ = TpmtPublic::parse_2b(&bytes);
        let _ = PcrSelection::read(&mut Reader::new(&bytes));
        let _ = response_code(&bytes);
        decode_all(&bytes);
    }

    #[test]
    fn any_body_of_a_response_is_read_or_refused(
        body in vec(prop_oneof![3 => 0_u8..4, 1 => any::<u8>()], 0..200),
    ) {
        decode_all(&response(Tag::NoSessions, 0, &body));
        decode_all(&response(Tag::Sessions, 0, &body));
    }

    #[test]
    fn a_response_that_says_no_is_never_a_result(code in 1_u32.., body: Vec<u8>) {
        let bytes = response(Tag::NoSessions, code, &body);
        prop_assert_eq!(response_code(&bytes), Ok(ResponseCode(code)));
        prop_assert_eq!(decode_all(&bytes), 0);
    }

    #[test]
    fn every_response_code_has_a_text(code: u32) {
        let number = format!("{code:#x} ");
        prop_assert!(ResponseCode(code).to_string().starts_with(&number));
    }

    #[test]
    fn selections_come_back(banks in btree_map(any::<u16>(), 0_u32..1 << 24, 0..=8)) {
        let mut selection = PcrSelection::EMPTY;
        for (alg, bits) in &banks {
            let [a, b, c, _] = bits.to_le_bytes();
            prop_assert!(selection.push(TpmAlgId(*alg), PcrSet::from_octets([a, b, c])));
        }
        let mut to = Writer::new();
        selection.write(&mut to);
        let bytes = to.finish().unwrap();
        let mut from = Reader::new(&bytes);
        prop_assert_eq!(PcrSelection::read(&mut from), Ok(selection));
        prop_assert!(from.left().is_empty());
    }

    #[test]
    fn public_areas_come_back(
        rsa: bool,
        attributes: u32,
        name_alg: u16,
        curve: u16,
        scheme in scheme(),
        policy in vec(any::<u8>(), 0..=64),
        unique in vec(any::<u8>(), 0..=80),
    ) {
        let key = if rsa {
            let (symmetric, exponent) = (Symmetric::NULL, attributes);
            PublicKey::Rsa { symmetric, scheme, key_bits: 2048, exponent, modulus: &unique }
        } else {
            let (curve, kdf) = (TpmEccCurve(curve), Scheme::NULL);
            let symmetric = Symmetric::AES_128_CFB;
            PublicKey::Ecc { symmetric, scheme, curve, kdf, x: &unique, y: &policy }
        };
        let area = PublicArea {
            name_alg: TpmAlgId(name_alg),
            attributes: ObjectAttributes(attributes),
            auth_policy: &policy,
            key,
        };
        let bytes = area.to_bytes().unwrap();
        let read = TpmtPublic::parse(&bytes).unwrap();
        prop_assert_eq!(read.area, area);
        prop_assert_eq!(read.raw, &bytes[..]);
        let sized = [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat();
        prop_assert_eq!(TpmtPublic::parse_2b(&sized).unwrap(), read);
        for len in 0..sized.len() {
            prop_assert!(TpmtPublic::parse_2b(&sized[..len]).is_err());
        }
        prop_assert!(TpmtPublic::parse_2b(&[&sized[..], &[0]].concat()).is_err());
    }
}

#[test]
fn a_count_that_claims_more_than_there_is_is_refused() {
    // moreData 0, TPM_CAP_HANDLES, then four thousand million handles; then as many as the limit.
    for count in [u32::MAX, 1025, 1024, 1] {
        let body = [&[0, 0, 0, 0, 1][..], &count.to_be_bytes()].concat();
        assert!(decode::<GetCapability>(&response(Tag::NoSessions, 0, &body)).is_err());
    }
    let none = [0, 0, 0, 0, 1, 0, 0, 0, 0];
    assert!(decode::<GetCapability>(&response(Tag::NoSessions, 0, &none)).is_ok());
}

#[test]
fn bytes_behind_a_response_are_refused() {
    let read = |tag, body: &[u8]| decode::<GetRandom>(&response(tag, 0, body));
    let body = [0, 2, 5, 6];
    assert_eq!(read(Tag::NoSessions, &body).unwrap(), [5, 6]);
    assert!(read(Tag::NoSessions, &[&body[..], &[0]].concat()).is_err());
    // With sessions the authorisation area is what follows the parameters, and only that.
    let with_size = |size: u8| [&[0, 0, 0, size][..], &body, &[0, 0, 1, 0, 0]].concat();
    assert_eq!(read(Tag::Sessions, &with_size(4)).unwrap(), [5, 6]);
    for size in [0, 3, 5, 9, 10, 255] {
        assert!(read(Tag::Sessions, &with_size(size)).is_err(), "{size}");
    }
}

#[test]
fn the_size_of_a_response_is_what_came() {
    let mut bytes = response(Tag::NoSessions, 0, &[0, 0]);
    assert!(response_code(&bytes).is_ok());
    let other_tag = [&[0x80, 0x03][..], &bytes[2..]].concat();
    assert!(response_code(&other_tag).is_err());
    assert!(response_code(&bytes[..9]).is_err());
    bytes.push(0);
    assert!(response_code(&bytes).is_err());
}

#[test]
fn what_does_not_fit_a_command_is_not_sent() {
    let quote = |n: usize| {
        let (key, selection) = (Handle(0x8000_0000), PcrSelection::EMPTY);
        encode(&Quote { key, qualifying_data: &vec![0; n], selection })
    };
    assert!(quote(66).is_ok());
    assert!(quote(4096).is_err(), "over the frame");
    assert!(quote(70_000).is_err(), "over the size field");
}
