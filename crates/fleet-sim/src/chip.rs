//! A TPM as far as a server can see one: its keys, the credential that only they open, and its quotes.

use anyhow::{Context as _, anyhow, ensure};
use api::agent::{Credential, Quote, TpmKeys, TpmProperties};
use aws_lc_rs::{
    agreement::{self, ECDH_P256, UnparsedPublicKey},
    cipher::{AES_128, DecryptingKey, DecryptionContext, UnboundCipherKey},
    digest::{self, SHA256},
    hmac,
    iv::FixedLength,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use tpm_wire::{
    PcrBank, PcrSelection, PcrSet, PublicArea, PublicKey, TPM_GENERATED, TPM_ST_ATTEST_QUOTE,
    TpmAlgId, TpmtSignature, Writer,
    template::{AK_P256, EK_L2},
};

use crate::maker::{FIRMWARE, MANUFACTURER, Maker};

/// Bytes of a coordinate of P-256.
const COORDINATE: usize = 32;

/// A chip.
pub(crate) struct Chip {
    ek: agreement::PrivateKey,
    ek_x: Vec<u8>,
    ek_public: Vec<u8>,
    ek_certificate: Vec<u8>,
    ak: EcdsaKeyPair,
    ak_public: Vec<u8>,
    ak_name: Vec<u8>,
    /// Resets: one for each boot.
    pub(crate) reset_count: u32,
}

/// Both coordinates of an uncompressed point.
fn coordinates(point: &[u8]) -> anyhow::Result<(&[u8], &[u8])> {
    let both = point.strip_prefix(&[4]).context("no uncompressed point")?;
    both.split_at_checked(COORDINATE).context("no point of P-256")
}

/// A template's public area with the key itself.
fn public_area(template: PublicArea<'_>, point: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (x, y) = coordinates(point)?;
    let PublicKey::Ecc { symmetric, scheme, curve, kdf, .. } = template.key else {
        return Err(anyhow!("the template is none of an elliptic curve"));
    };
    let key = PublicKey::Ecc { symmetric, scheme, curve, kdf, x, y };
    Ok(PublicArea { key, ..template }.to_bytes()?)
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = digest::Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

/// A name: the hash's identifier, and the hash. [TPM2-P1-1.59 §16]
fn name(parts: &[&[u8]]) -> Vec<u8> {
    [TpmAlgId::SHA256.0.to_be_bytes().to_vec(), sha256(parts)].concat()
}

impl Chip {
    /// A new one, with a certificate of `maker`.
    pub(crate) fn new(maker: &Maker) -> anyhow::Result<Self> {
        let ek = agreement::PrivateKey::generate(&ECDH_P256)?;
        let point = ek.compute_public_key()?;
        let (x, _) = coordinates(point.as_ref())?;
        let ak = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let ak_public = public_area(AK_P256, ak.public_key().as_ref())?;
        Ok(Self {
            ek_x: x.to_vec(),
            ek_public: public_area(EK_L2.area, point.as_ref())?,
            ek_certificate: maker.certify(point.as_ref())?,
            ek,
            ak_name: name(&[&ak_public]),
            ak,
            ak_public,
            reset_count: 1,
        })
    }

    pub(crate) fn keys(&self) -> TpmKeys {
        TpmKeys {
            ek_public: self.ek_public.clone().into(),
            ek_certificate: Some(self.ek_certificate.clone().into()),
            ek_chain: Vec::new(),
            ak_public: self.ak_public.clone().into(),
        }
    }

    pub(crate) fn ak_public(&self) -> &[u8] {
        &self.ak_public
    }

    /// The qualified name of the key under which the attestation key lies: any will do.
    fn parent(&self) -> Vec<u8> {
        name(&[b"simulated storage root key", &self.ek_x])
    }

    pub(crate) fn properties(&self) -> TpmProperties {
        TpmProperties {
            manufacturer: MANUFACTURER,
            vendor_string: "NPCT75x".to_owned(),
            firmware_version: [FIRMWARE, 0],
            ak_parent: Some(self.parent().into()),
        }
    }

    /// TPM2_ActivateCredential. [TPM2-P1-1.59 §24, §C.6.4]
    pub(crate) fn activate(&self, credential: &Credential) -> anyhow::Result<Vec<u8>> {
        let sized = |bytes: &[u8]| -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
            let (len, rest) = bytes.split_first_chunk::<2>().context("cut short")?;
            let len = usize::from(u16::from_be_bytes(*len));
            let (value, rest) = rest.split_at_checked(len).context("cut short")?;
            Ok((value.to_vec(), rest.to_vec()))
        };
        let (x, rest) = sized(&credential.encrypted_secret)?;
        let (y, _) = sized(&rest)?;
        let point = [vec![4], x.clone(), y].concat();
        let peer = UnparsedPublicKey::new(&ECDH_P256, point);
        let failed = || anyhow!("no secret can be agreed on");
        let seed = agreement::agree(&self.ek, peer, failed(), |z| {
            // KDFe. [TPM2-P1-1.59 §11.4.10.3]
            Ok(sha256(&[&1_u32.to_be_bytes(), z, b"IDENTITY\0", &x, &self.ek_x]))
        })?;
        let (integrity, mut identity) = sized(&credential.id_object)?;
        // KDFa. [TPM2-P1-1.59 §11.4.10.2]
        let derive = |label: &[u8], context: &[u8], bits: u32| {
            let mut mac = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &seed));
            mac.update(&1_u32.to_be_bytes());
            mac.update(label);
            mac.update(&[0]);
            mac.update(context);
            mac.update(&bits.to_be_bytes());
            mac.sign().as_ref().to_vec()
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, &derive(b"INTEGRITY", &[], 256));
        let covered = [identity.as_slice(), &self.ak_name].concat();
        hmac::verify(&key, &covered, &integrity).context("the credential is for another key")?;
        let aes = derive(b"STORAGE", &self.ak_name, 128);
        let aes = aes.get(..16).context("no key")?;
        let key = DecryptingKey::cfb128(UnboundCipherKey::new(&AES_128, aes)?)?;
        let vector = DecryptionContext::Iv128(FixedLength::from([0; 16]));
        let plain = key.decrypt(&mut identity, vector)?;
        Ok(sized(plain)?.0)
    }

    /// TPM2_Quote over `pcrs` of the bank of SHA-256. [TPM2-P2-1.59 §10.12.12]
    pub(crate) fn quote(
        &self,
        nonce: &[u8],
        pcrs: PcrSet,
        bank: &PcrBank,
        clock_ms: u64,
    ) -> anyhow::Result<Quote> {
        ensure!(bank.alg() == TpmAlgId::SHA256, "the bank is none of SHA-256");
        let values: Vec<&[u8]> =
            pcrs.iter().filter_map(|pcr| Some(bank.get(pcr)?.as_bytes())).collect();
        let mut attest = Writer::new();
        attest.u32(TPM_GENERATED);
        attest.u16(TPM_ST_ATTEST_QUOTE);
        let signer = name(&[&self.parent(), &self.ak_name]);
        attest.sized("TPMS_ATTEST.qualifiedSigner", &signer);
        attest.sized("TPMS_ATTEST.extraData", nonce);
        attest.bytes(&clock_ms.to_be_bytes());
        attest.u32(self.reset_count);
        attest.u32(0);
        attest.bytes(&[1]);
        attest.u32(FIRMWARE);
        attest.u32(0);
        PcrSelection::one(TpmAlgId::SHA256, pcrs).write(&mut attest);
        attest.sized("TPMS_QUOTE_INFO.pcrDigest", &sha256(&values));
        let attest = attest.finish()?;
        let signed = self.ak.sign(&SystemRandom::new(), &attest)?;
        let (r, s) = signed.as_ref().split_at_checked(COORDINATE).context("no signature")?;
        let mut signature = Writer::new();
        TpmtSignature::Ecdsa { hash: TpmAlgId::SHA256, r, s }.write(&mut signature);
        Ok(Quote { attest: attest.into(), signature: signature.finish()?.into() })
    }
}
