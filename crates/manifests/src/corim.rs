//! CoRIMs that say values of PCRs. [CORIM-11], [RFC9052], [RFC9360]
//!
//! The draft has measurements of all kinds and leaves to profiles what they mean. Read is the one
//! kind that says it by itself: integrity registers whose names are the numbers of PCRs, of a class
//! with vendor and model, beside the version of the firmware. All else is refused, not passed over:
//! what a manifest also says might change what the rest means.

use references::{Baseline, Content, ExpectedValue, Manifest, Model, Origin};
use tpm_wire::{Digest, PcrSet, TpmAlgId};
use verify::{SignatureScheme, SignerAnchor, StrongHash, UnixTime, VerifiedSigner, verify_signer};

use crate::ManifestError;
use crate::cbor::{self, Item, put_bytes};
use crate::error::shown;
use crate::tree::MANIFEST_BYTES_MAX;

const SIGN1: u64 = 18;
const UNSIGNED_CORIM: u64 = 501;
const COMID: u64 = 506;
/// CoMIDs of one CoRIM: of one model it is one.
const TAGS_MAX: usize = 16;

/// A CoRIM whose signature holds. Only [`Self::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corim {
    id: String,
    model: Model,
    signer: VerifiedSigner,
    registers: Vec<(u32, TpmAlgId, Digest)>,
    sha256: [u8; 32],
}

const fn form(what: &'static str) -> ManifestError {
    ManifestError::Form { what }
}

const fn missing(what: &'static str) -> ManifestError {
    ManifestError::Missing { what }
}

impl Corim {
    /// Reads the signed CoRIM `bytes`, if somebody whom `anchor` vouches for at `now` signed it.
    ///
    /// In order: a COSE_Sign1 of a CoRIM, the signer's certificate, the signature, the times between
    /// which it counts, no profile, its registers, all of them of one model.
    pub fn verify(
        bytes: &[u8],
        anchor: &SignerAnchor,
        now: UnixTime,
    ) -> Result<Self, ManifestError> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            return Err(ManifestError::Size { have: bytes.len() });
        }
        let document = cbor::read(bytes)?;
        let parts = document.tagged(SIGN1).and_then(Item::array);
        let Some([protected, unprotected, Item::Bytes(payload), Item::Bytes(signature)]) = parts
        else {
            return Err(missing("who signed it"));
        };
        let protected = protected.bytes().ok_or(form("its header is not a COSE header"))?;
        let header = cbor::read(protected)?;
        let signer = signer(&header, unprotected, anchor, now)?;
        let scheme = scheme(&header)?;
        signer
            .check(scheme, &signed(protected, payload), signature)
            .map_err(ManifestError::Signature)?;
        if let Some(meta) = header.at(8) {
            let meta = cbor::read(meta.bytes().ok_or(form("its header is not one of a CoRIM"))?)?;
            check_validity(meta.at(1), now)?;
        }

        let payload = cbor::read(payload)?;
        let corim = payload.tagged(UNSIGNED_CORIM).ok_or(missing("what a CoRIM says"))?;
        if let Some(profile) = corim.at(3) {
            let profile = match profile {
                Item::Tag(_, inner) => inner.text().unwrap_or("a number").to_owned(),
                _ => "another".to_owned(),
            };
            return Err(ManifestError::Algorithm { what: "the profile", have: shown(&profile) });
        }
        if !corim.has_only(&[0, 1, 4, 5]) {
            return Err(form("it depends on other manifests, or has parts that are not known"));
        }
        check_validity(corim.at(4), now)?;
        let tags = corim.at(1).and_then(Item::array).ok_or(missing("what it is about"))?;
        if tags.len() > TAGS_MAX {
            return Err(form("it has too many parts"));
        }
        let mut found = Found::default();
        for tag in tags {
            let tag = tag.tagged(COMID).and_then(Item::bytes);
            found.comid(&cbor::read(tag.ok_or(form("a part of it is not a CoMID"))?)?)?;
        }
        Ok(Self {
            id: identifier(corim.at(0)).ok_or(missing("its identifier"))?,
            model: found.model.ok_or(missing("the model of the machine"))?,
            signer,
            registers: found.registers,
            sha256: event_log::sha256(&[bytes]),
        })
    }

    /// The machines that it is about.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// What it says of `pcrs`. `name` is what its file is called.
    pub fn baseline(&self, name: &str, pcrs: PcrSet) -> Result<Baseline, ManifestError> {
        let meant = self.registers.iter().filter(|(pcr, ..)| pcrs.contains(*pcr));
        let values = meant.map(|(pcr_index, alg, digest)| ExpectedValue {
            pcr_index: *pcr_index,
            alg: *alg,
            any_of: vec![*digest],
        });
        let manifest = Manifest {
            model: self.model.clone(),
            id: self.id.clone(),
            signer: self.signer.subject().to_owned(),
            signer_sha256: self.signer.fingerprint().0,
            anchor_sha256: self.signer.anchor().0,
            files: vec![(name.to_owned(), self.sha256)],
        };
        let content = Content {
            origin: Origin::Vendor,
            manifest: Some(Box::new(manifest)),
            complete: PcrSet::EMPTY,
            events: Vec::new(),
            values: values.collect(),
            images: Vec::new(),
        };
        Baseline::new(content).map_err(ManifestError::Content)
    }
}

/// The bytes that are signed. [RFC9052 §4.4 Sig_structure]
fn signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = b"\x84\x6aSignature1".to_vec();
    put_bytes(&mut out, protected);
    put_bytes(&mut out, &[]);
    put_bytes(&mut out, payload);
    out
}

/// Who signed it, by the chain of the header. [RFC9360 §2 x5chain]
fn signer(
    header: &Item<'_>,
    unprotected: &Item<'_>,
    anchor: &SignerAnchor,
    now: UnixTime,
) -> Result<VerifiedSigner, ManifestError> {
    const X5CHAIN: u64 = 33;
    const CRIT: u64 = 2;
    if !matches!((header, unprotected), (Item::Map(_), Item::Map(_))) {
        return Err(form("its header is not a COSE header"));
    }
    if header.at(CRIT).is_some() {
        return Err(form("its header has something that must be understood"));
    }
    let chain = match (header.at(X5CHAIN), unprotected.at(X5CHAIN)) {
        (Some(_), Some(_)) => return Err(form("it says something twice")),
        (Some(chain), None) | (None, Some(chain)) => Some(chain),
        (None, None) => None,
    };
    let chain: Option<Vec<&[u8]>> = match chain {
        None => Some(Vec::new()),
        Some(Item::Bytes(only)) => Some(vec![only]),
        Some(Item::Array(all)) => all.iter().map(Item::bytes).collect(),
        Some(_) => None,
    };
    let chain = chain.ok_or(form("its chain of certificates is none"))?;
    verify_signer(&chain, anchor, now).map_err(ManifestError::Signer)
}

/// How it was signed. [RFC9053 §2.1], [RFC8230 §2]
fn scheme(header: &Item<'_>) -> Result<SignatureScheme, ManifestError> {
    use SignatureScheme::{Ecdsa, RsaPss};
    Ok(match header.at(1) {
        Some(Item::Negative(6)) => Ecdsa(StrongHash::Sha256),
        Some(Item::Negative(34)) => Ecdsa(StrongHash::Sha384),
        Some(Item::Negative(35)) => Ecdsa(StrongHash::Sha512),
        Some(Item::Negative(36)) => RsaPss(StrongHash::Sha256),
        Some(Item::Negative(37)) => RsaPss(StrongHash::Sha384),
        Some(Item::Negative(38)) => RsaPss(StrongHash::Sha512),
        other => {
            let have = shown(&format!("{other:?}"));
            return Err(ManifestError::Algorithm { what: "the algorithm", have });
        }
    })
}

/// Whether `now` lies between the times of `validity`, as far as it says some.
fn check_validity(validity: Option<&Item<'_>>, now: UnixTime) -> Result<(), ManifestError> {
    let Some(validity) = validity else { return Ok(()) };
    let time = |key| match validity.at(key) {
        None => Ok(None),
        Some(Item::Tag(1, inner)) => match **inner {
            Item::Unsigned(seconds) => {
                Ok(Some(UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX))))
            }
            _ => Err(form("a time of it cannot be read")),
        },
        Some(_) => Err(form("a time of it cannot be read")),
    };
    let is_known = validity.has_only(&[0, 1]);
    let (from, to) = (time(0)?, time(1)?);
    if !is_known || from.is_some_and(|from| now < from) || to.is_some_and(|to| now > to) {
        return Err(form("it does not count yet, or no more"));
    }
    Ok(())
}

fn identifier(item: Option<&Item<'_>>) -> Option<String> {
    let id = match item? {
        Item::Text(text) => shown(text),
        Item::Bytes(bytes) => shown(&hex::encode(bytes)),
        Item::Tag(37, inner) => shown(&hex::encode(inner.bytes()?)),
        _ => return None,
    };
    (!id.trim().is_empty()).then_some(id)
}

/// What the CoMIDs say together.
#[derive(Default)]
struct Found {
    model: Option<Model>,
    registers: Vec<(u32, TpmAlgId, Digest)>,
}

impl Found {
    fn comid(&mut self, comid: &Item<'_>) -> Result<(), ManifestError> {
        let triples = comid.at(4).ok_or(missing("what it is about"))?;
        if !triples.has_only(&[0]) {
            return Err(form("it says more than reference values"));
        }
        let all = triples.at(0).and_then(Item::array).ok_or(missing("reference values"))?;
        for triple in all {
            let Some([environment, Item::Array(measurements)]) = triple.array() else {
                return Err(form("a reference value is not one of a CoRIM"));
            };
            for measurement in measurements {
                self.measurement(environment, measurement)?;
            }
        }
        Ok(())
    }

    /// Registers and the version of the firmware, of one class of machines.
    fn measurement(
        &mut self,
        environment: &Item<'_>,
        measurement: &Item<'_>,
    ) -> Result<(), ManifestError> {
        let class = environment.at(0).filter(|_| environment.has_only(&[0]));
        let class = class.filter(|class| class.has_only(&[0, 1, 2]));
        let class = class.ok_or(form("it is about something else than machines of one model"))?;
        let value = measurement.at(1).filter(|_| measurement.has_only(&[0, 1]));
        let value = value.filter(|value| value.has_only(&[0, 14]));
        let value = value.ok_or(form("it has measurements that are no registers"))?;
        let say = |item: Option<&Item<'_>>, what| {
            let text = item.and_then(Item::text).map(str::trim).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or(missing(what))
        };
        let model = Model {
            system_vendor: say(class.at(1), "who made the machine")?,
            product_name: say(class.at(2), "the model of the machine")?,
            firmware_version: say(
                value.at(0).and_then(|version| version.at(0)),
                "the version of the firmware",
            )?,
        };
        if *self.model.get_or_insert_with(|| model.clone()) != model {
            return Err(form("it is about several models"));
        }
        let Some(Item::Map(registers)) = value.at(14) else {
            return Err(missing("registers"));
        };
        for (name, digests) in registers {
            let Item::Unsigned(pcr @ 0..=23) = name else {
                return Err(form("a register of it is no PCR"));
            };
            let pcr = u32::try_from(*pcr).unwrap_or(u32::MAX);
            let digests = digests.array().filter(|digests| !digests.is_empty());
            for digest in digests.ok_or(missing("the value of a register"))? {
                let (alg, digest) = value_of(digest)?;
                if self.registers.iter().any(|(have, bank, _)| (*have, *bank) == (pcr, alg)) {
                    return Err(form("it says something twice"));
                }
                self.registers.push((pcr, alg, digest));
            }
        }
        Ok(())
    }
}

/// A digest with its algorithm, by number or name of the registry of named information.
fn value_of(item: &Item<'_>) -> Result<(TpmAlgId, Digest), ManifestError> {
    let Some([alg, Item::Bytes(digest)]) = item.array() else {
        return Err(form("the value of a register is no digest"));
    };
    let known = match alg {
        Item::Unsigned(1) | Item::Text("sha-256") => TpmAlgId::SHA256,
        Item::Unsigned(7) | Item::Text("sha-384") => TpmAlgId::SHA384,
        Item::Unsigned(8) | Item::Text("sha-512") => TpmAlgId::SHA512,
        other => {
            let have = shown(&format!("{other:?}"));
            return Err(ManifestError::Algorithm { what: "a digest", have });
        }
    };
    let digest = Digest::new(digest).filter(|_| known.digest_len() == Some(digest.len()));
    Ok((known, digest.ok_or(form("a digest of it has another length than its hash"))?))
}
