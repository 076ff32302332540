//! What to ask a TPM for: endorsement keys as the TCG wants them, storage root and attestation keys
//! as we do.

use crate::alg::TpmAlgId;
use crate::attributes::ObjectAttributes;
use crate::handle::Handle;
use crate::policy_digest::{
    POLICY_A_SHA256, POLICY_A_SHA384, POLICY_A_SHA512, POLICY_B_SHA256, POLICY_B_SHA384,
    POLICY_B_SHA512, POLICY_C_SHA256, POLICY_C_SHA384, POLICY_C_SHA512,
};
use crate::public::{PublicArea, PublicKey, Scheme, Symmetric, TpmEccCurve};

/// A template of the TCG EK Credential Profile. [TCG-EK-2.6 §B.3, §B.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EkTemplate {
    /// The profile's name for it.
    pub name: &'static str,
    /// What TPM2_CreatePrimary is asked for.
    pub area: PublicArea<'static>,
    /// NV index of its certificate.
    pub nv_certificate: Handle,
    /// NV index of a nonce that replaces the front of the unique field, low range only.
    pub nv_nonce: Option<Handle>,
    /// NV index of a template that replaces this one.
    pub nv_template: Handle,
    /// How to satisfy its policy.
    pub policy: EkPolicy,
}

/// How the policy of an endorsement key is satisfied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EkPolicy {
    /// TPM2_PolicySecret with the endorsement hierarchy: PolicyA.
    Secret,
    /// The same, then TPM2_PolicyOR over these two: PolicyA, and PolicyC for who may replace it.
    SecretOr([&'static [u8]; 2]),
}

/// First and last NV index of certificates between an EK certificate and its root.
/// [TCG-EK-2.6 §2.2.1.5.2]
pub const NV_EK_CHAIN: (Handle, Handle) = (Handle(0x01C0_0100), Handle(0x01C0_01FF));

const EK_LOW: ObjectAttributes = ObjectAttributes::FIXED_TPM
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN)
    .union(ObjectAttributes::ADMIN_WITH_POLICY)
    .union(ObjectAttributes::RESTRICTED)
    .union(ObjectAttributes::DECRYPT);
const EK_HIGH: ObjectAttributes = EK_LOW.union(ObjectAttributes::USER_WITH_AUTH);
const STORAGE: ObjectAttributes = ObjectAttributes::FIXED_TPM
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN)
    .union(ObjectAttributes::USER_WITH_AUTH)
    .union(ObjectAttributes::NO_DA)
    .union(ObjectAttributes::RESTRICTED)
    .union(ObjectAttributes::DECRYPT);
const ATTESTATION: ObjectAttributes = ObjectAttributes::FIXED_TPM
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN)
    .union(ObjectAttributes::USER_WITH_AUTH)
    .union(ObjectAttributes::NO_DA)
    .union(ObjectAttributes::RESTRICTED)
    .union(ObjectAttributes::SIGN);

const SIGNING: ObjectAttributes = ObjectAttributes::FIXED_TPM
    .union(ObjectAttributes::FIXED_PARENT)
    .union(ObjectAttributes::SENSITIVE_DATA_ORIGIN)
    .union(ObjectAttributes::USER_WITH_AUTH)
    .union(ObjectAttributes::NO_DA)
    .union(ObjectAttributes::SIGN);

const OR_SHA256: EkPolicy = EkPolicy::SecretOr([&POLICY_A_SHA256, &POLICY_C_SHA256]);
const OR_SHA384: EkPolicy = EkPolicy::SecretOr([&POLICY_A_SHA384, &POLICY_C_SHA384]);
const OR_SHA512: EkPolicy = EkPolicy::SecretOr([&POLICY_A_SHA512, &POLICY_C_SHA512]);

const fn rsa(symmetric: Symmetric, key_bits: u16, modulus: &'static [u8]) -> PublicKey<'static> {
    PublicKey::Rsa { symmetric, scheme: Scheme::NULL, key_bits, exponent: 0, modulus }
}

const fn ecc(
    symmetric: Symmetric,
    curve: TpmEccCurve,
    unique: &'static [u8],
) -> PublicKey<'static> {
    let (scheme, kdf) = (Scheme::NULL, Scheme::NULL);
    PublicKey::Ecc { symmetric, scheme, curve, kdf, x: unique, y: unique }
}

const fn high(
    name: &'static str,
    nv_certificate: u32,
    name_alg: TpmAlgId,
    auth_policy: &'static [u8],
    policy: EkPolicy,
    key: PublicKey<'static>,
) -> EkTemplate {
    EkTemplate {
        name,
        area: PublicArea { name_alg, attributes: EK_HIGH, auth_policy, key },
        nv_certificate: Handle(nv_certificate),
        nv_nonce: None,
        nv_template: Handle(nv_certificate + 1),
        policy,
    }
}

/// L-1: RSA-2048. Its unique field is 256 zeros: with an empty one it is another key.
pub const EK_L1: EkTemplate = EkTemplate {
    name: "L-1",
    area: PublicArea {
        name_alg: TpmAlgId::SHA256,
        attributes: EK_LOW,
        auth_policy: &POLICY_A_SHA256,
        key: rsa(Symmetric::AES_128_CFB, 2048, &[0; 256]),
    },
    nv_certificate: Handle(0x01C0_0002),
    nv_nonce: Some(Handle(0x01C0_0003)),
    nv_template: Handle(0x01C0_0004),
    policy: EkPolicy::Secret,
};

/// L-2: P-256. Its unique field is two times 32 zeros.
pub const EK_L2: EkTemplate = EkTemplate {
    name: "L-2",
    area: PublicArea {
        name_alg: TpmAlgId::SHA256,
        attributes: EK_LOW,
        auth_policy: &POLICY_A_SHA256,
        key: ecc(Symmetric::AES_128_CFB, TpmEccCurve::P256, &[0; 32]),
    },
    nv_certificate: Handle(0x01C0_000A),
    nv_nonce: Some(Handle(0x01C0_000B)),
    nv_template: Handle(0x01C0_000C),
    policy: EkPolicy::Secret,
};

/// H-1: RSA-2048.
pub const EK_H1: EkTemplate = high(
    "H-1",
    0x01C0_0012,
    TpmAlgId::SHA256,
    &POLICY_B_SHA256,
    OR_SHA256,
    rsa(Symmetric::AES_128_CFB, 2048, &[]),
);
/// H-2: P-256.
pub const EK_H2: EkTemplate = high(
    "H-2",
    0x01C0_0014,
    TpmAlgId::SHA256,
    &POLICY_B_SHA256,
    OR_SHA256,
    ecc(Symmetric::AES_128_CFB, TpmEccCurve::P256, &[]),
);
/// H-3: P-384.
pub const EK_H3: EkTemplate = high(
    "H-3",
    0x01C0_0016,
    TpmAlgId::SHA384,
    &POLICY_B_SHA384,
    OR_SHA384,
    ecc(Symmetric::AES_256_CFB, TpmEccCurve::P384, &[]),
);
/// H-4: P-521.
pub const EK_H4: EkTemplate = high(
    "H-4",
    0x01C0_0018,
    TpmAlgId::SHA512,
    &POLICY_B_SHA512,
    OR_SHA512,
    ecc(Symmetric::AES_256_CFB, TpmEccCurve::P521, &[]),
);
/// H-6: RSA-3072.
pub const EK_H6: EkTemplate = high(
    "H-6",
    0x01C0_001C,
    TpmAlgId::SHA384,
    &POLICY_B_SHA384,
    OR_SHA384,
    rsa(Symmetric::AES_256_CFB, 3072, &[]),
);
/// H-7: RSA-4096.
pub const EK_H7: EkTemplate = high(
    "H-7",
    0x01C0_001E,
    TpmAlgId::SHA384,
    &POLICY_B_SHA384,
    OR_SHA384,
    rsa(Symmetric::AES_256_CFB, 4096, &[]),
);

/// The templates, elliptic curves first: their keys are made and used faster. H-5 (SM2) is left
/// out: nothing here computes with SM2.
pub const EK_TEMPLATES: [EkTemplate; 8] = [EK_H3, EK_H2, EK_L2, EK_H4, EK_H6, EK_H1, EK_L1, EK_H7];

/// A storage root key on P-256, as the TCG's provisioning guidance has it.
pub const SRK_P256: PublicArea<'static> = PublicArea {
    name_alg: TpmAlgId::SHA256,
    attributes: STORAGE,
    auth_policy: &[],
    key: ecc(Symmetric::AES_128_CFB, TpmEccCurve::P256, &[0; 32]),
};

/// The storage root key that programs make who load a `TSS2 PRIVATE KEY` whose parent is the owner
/// hierarchy: that of [`SRK_P256`] with an empty unique field, which makes it another key.
pub const OWNER_PARENT_P256: PublicArea<'static> = PublicArea {
    name_alg: TpmAlgId::SHA256,
    attributes: STORAGE,
    auth_policy: &[],
    key: ecc(Symmetric::AES_128_CFB, TpmEccCurve::P256, &[]),
};

/// A storage root key of RSA-2048, for a TPM without P-256.
pub const SRK_RSA2048: PublicArea<'static> = PublicArea {
    name_alg: TpmAlgId::SHA256,
    attributes: STORAGE,
    auth_policy: &[],
    key: rsa(Symmetric::AES_128_CFB, 2048, &[0; 256]),
};

/// An attestation key on P-256: ECDSA with SHA-256. Without lockout protection: it has no
/// password that one could guess.
pub const AK_P256: PublicArea<'static> = PublicArea {
    name_alg: TpmAlgId::SHA256,
    attributes: ATTESTATION,
    auth_policy: &[],
    key: PublicKey::Ecc {
        symmetric: Symmetric::NULL,
        scheme: Scheme::new(TpmAlgId::ECDSA, TpmAlgId::SHA256),
        curve: TpmEccCurve::P256,
        kdf: Scheme::NULL,
        x: &[],
        y: &[],
    },
};

/// A key of P-256 that signs what programs bring, such as the handshake of TLS: no scheme of its own, so
/// that the hash is the program's choice.
pub const SIGNING_P256: PublicArea<'static> = PublicArea {
    name_alg: TpmAlgId::SHA256,
    attributes: SIGNING,
    auth_policy: &[],
    key: ecc(Symmetric::NULL, TpmEccCurve::P256, &[]),
};

/// An attestation key of RSA-2048: RSASSA with SHA-256, because the salt of a PSS signature by an
/// old chip is not as long as its digest and so not everybody checks it.
pub const AK_RSA2048: PublicArea<'static> = PublicArea {
    name_alg: TpmAlgId::SHA256,
    attributes: ATTESTATION,
    auth_policy: &[],
    key: PublicKey::Rsa {
        symmetric: Symmetric::NULL,
        scheme: Scheme::new(TpmAlgId::RSASSA, TpmAlgId::SHA256),
        key_bits: 2048,
        exponent: 0,
        modulus: &[],
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::public::TpmtPublic;

    #[test]
    fn templates_are_what_the_profile_prints() {
        assert_eq!(EK_LOW.0, 0x0003_00b2);
        assert_eq!(EK_HIGH.0, 0x0003_00f2);
        assert_eq!(ATTESTATION.0, 0x0005_0472);
        let l1 = EK_L1.area.to_bytes().unwrap();
        let front =
            [0x00, 0x01, 0x00, 0x0b, 0x00, 0x03, 0x00, 0xb2, 0x00, 0x20, 0x83, 0x71, 0x97, 0x67];
        assert_eq!(l1[..14], front);
        let parameters = [0x00, 0x06, 0x00, 0x80, 0x00, 0x43, 0x00, 0x10, 0x08, 0x00, 0, 0, 0, 0];
        assert_eq!(l1[42..56], parameters);
        assert_eq!(l1[56..58], [0x01, 0x00]);
        assert_eq!(l1.len(), 58 + 256);
    }

    #[test]
    fn every_template_reads_back_as_itself() {
        let more = [SRK_P256, OWNER_PARENT_P256, SRK_RSA2048, AK_P256, AK_RSA2048, SIGNING_P256];
        for area in EK_TEMPLATES.iter().map(|template| template.area).chain(more) {
            let bytes = area.to_bytes().unwrap();
            assert_eq!(TpmtPublic::parse(&bytes).unwrap().area, area);
        }
    }

    #[test]
    fn a_policy_is_as_long_as_its_name_hash() {
        for template in EK_TEMPLATES {
            let len = template.area.name_alg.digest_len().unwrap();
            assert_eq!(template.area.auth_policy.len(), len);
            if let EkPolicy::SecretOr(branches) = template.policy {
                assert!(branches.iter().all(|branch| branch.len() == len));
            }
        }
    }
}
