//! Base RIMs of PC clients, and the log that they name. [TCG-RIM-1.01], [PC-RIM-1.04]

use event_log::parse;
use references::{Baseline, Manifest, Model};
use roxmltree::{Attribute, Node};
use tpm_wire::{Digest, PcrSet, TpmAlgId};
use verify::{SignerAnchor, UnixTime, VerifiedSigner};

use crate::error::shown;
use crate::signature::{Signed, hash_of};
use crate::tree::only;
use crate::{ManifestError, signature, tree};

/// Files that one manifest names: of a PC it is one log.
pub const FILES_MAX: usize = 8;

/// What firmware measures of itself and of the machine, before it starts anything. What it starts
/// then, from which disk and by whose keys (PCR 4, 5 and 7) is for whoever installs the system to
/// say, and no vendor knows it.
pub const FIRMWARE_PCRS: PcrSet = PcrSet::from_octets([0b0100_1111, 0, 0]);

const SWID: &str = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
/// The namespace of the TCG's attributes: that of the specification, and that of its tool.
const RIM: [&str; 2] = [
    "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/",
    "https://trustedcomputinggroup.org/wp-content/uploads/TCG_RIM_Model",
];
const EVENT_LOG: &str = "TCG_EventLog_Assertion";

/// A base RIM whose signature holds. Only [`Self::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseRim {
    tag_id: String,
    model: Model,
    signer: VerifiedSigner,
    files: Vec<NamedFile>,
    sha256: [u8; 32],
}

/// A file that a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// Its name, without folders.
    pub name: String,
    digests: Vec<(TpmAlgId, Digest)>,
    size: Option<usize>,
}

impl BaseRim {
    /// Reads the base RIM `bytes` of a PC, if a signature by somebody whom `anchor` vouches for at
    /// `now` covers all of it.
    ///
    /// In order: XML without a document type, the signature, that it is of a PC and complete by
    /// itself, its model, the files that it names. A patch and a supplement are refused: they say
    /// something only together with another manifest.
    pub fn verify(
        bytes: &[u8],
        anchor: &SignerAnchor,
        now: UnixTime,
    ) -> Result<Self, ManifestError> {
        let document = tree::read(bytes)?;
        let tag = (SWID, "SoftwareIdentity");
        let root = document.root_element();
        if !root.has_tag_name(tag) {
            return Err(ManifestError::Other { have: shown(root.tag_name().name()) });
        }
        if root.descendants().filter(|node| node.has_tag_name(tag)).count() != 1 {
            return Err(ManifestError::Form { what: "it has another manifest in it" });
        }
        let signed = signature::verify(&document, anchor, now)?;
        let is_set =
            |name| matches!(signed.root().attribute(name).map(str::trim), Some("true" | "1"));
        if is_set("patch") || is_set("supplemental") {
            return Err(ManifestError::Other { have: "a patch or a supplement".to_owned() });
        }
        let tag_id = signed.root().attribute("tagId").filter(|id| !id.trim().is_empty());
        let files = files(&signed)?;
        Ok(Self {
            tag_id: tag_id.ok_or(ManifestError::Missing { what: "its identifier" })?.to_owned(),
            model: model(&signed)?,
            signer: signed.signer().clone(),
            files,
            sha256: event_log::sha256(&[bytes]),
        })
    }

    /// The machines that it is about.
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Who signed it.
    pub const fn signer(&self) -> &VerifiedSigner {
        &self.signer
    }

    /// The files that it names.
    pub fn files(&self) -> &[NamedFile] {
        &self.files
    }

    /// What its log says of `pcrs`. `name` is what its own file is called; `files` must be exactly
    /// those whose digests it has, which is one log. What they are called does not count.
    pub fn baseline(
        &self,
        name: &str,
        files: &[(&str, &[u8])],
        pcrs: PcrSet,
    ) -> Result<Baseline, ManifestError> {
        for named in &self.files {
            if !files.iter().any(|(_, bytes)| named.is(bytes)) {
                let name = shown(&named.name);
                return Err(match files.iter().any(|(name, _)| *name == named.name) {
                    true => ManifestError::OtherFile { name },
                    false => ManifestError::NoFile { name },
                });
            }
        }
        let is_named = |bytes: &[u8]| self.files.iter().any(|named| named.is(bytes));
        if let Some((name, _)) = files.iter().find(|(_, bytes)| !is_named(bytes)) {
            return Err(ManifestError::Unnamed { name: shown(name) });
        }
        let [(log_name, log)] = files else {
            return Err(ManifestError::Logs { have: files.len() });
        };
        let parsed = parse(log);
        if let Some(problem) = parsed.problems.first() {
            return Err(ManifestError::Log { name: shown(log_name), why: problem.to_string() });
        }
        let own = [(name.to_owned(), self.sha256)].into_iter();
        let others =
            files.iter().map(|(name, bytes)| ((*name).to_owned(), event_log::sha256(&[bytes])));
        let manifest = Manifest {
            model: self.model.clone(),
            id: self.tag_id.clone(),
            signer: self.signer.subject().to_owned(),
            signer_sha256: self.signer.fingerprint().0,
            anchor_sha256: self.signer.anchor().0,
            files: own.chain(others).collect(),
        };
        Baseline::of_manifest(&parsed.log, pcrs, manifest).map_err(ManifestError::Content)
    }
}

impl NamedFile {
    /// Whether `bytes` have each of its digests, and its size where it has one.
    fn is(&self, bytes: &[u8]) -> bool {
        let fits =
            |(alg, digest): &(TpmAlgId, Digest)| event_log::hash(*alg, &[bytes]) == Some(*digest);
        !self.digests.is_empty()
            && self.digests.iter().all(fits)
            && self.size.is_none_or(|size| size == bytes.len())
    }
}

/// The machines that the manifest is about, where it is one of the firmware of a PC.
fn model(signed: &Signed<'_>) -> Result<Model, ManifestError> {
    let meta: Vec<_> = signed.elements().filter(|node| node.has_tag_name((SWID, "Meta"))).collect();
    let say = |name, what| one(&meta, name)?.ok_or(ManifestError::Missing { what });
    let spec = say("bindingSpec", "what it is a manifest of")?;
    if !spec.eq_ignore_ascii_case("PC Client RIM") {
        return Err(ManifestError::Other { have: shown(&spec) });
    }
    if one(&meta, "payloadType")?.is_some_and(|kind| !kind.eq_ignore_ascii_case("direct")) {
        return Err(ManifestError::Form { what: "it names other manifests instead of files" });
    }
    Ok(Model {
        system_vendor: say("platformManufacturerStr", "who made the machine")?,
        product_name: say("platformModel", "the model of the machine")?,
        firmware_version: say("firmwareVersion", "the version of the firmware")?,
    })
}

/// What attributes of this name of the TCG say, where they say something and all the same. Tools
/// differ in how they write the first letter.
fn one(nodes: &[Node<'_, '_>], name: &str) -> Result<Option<String>, ManifestError> {
    let is_meant = |found: &Attribute<'_, '_>| {
        found.namespace().is_some_and(|uri| RIM.contains(&uri))
            && found.name().eq_ignore_ascii_case(name)
    };
    let all = nodes.iter().flat_map(Node::attributes).filter(is_meant);
    let mut all = all.map(|found| found.value().trim()).filter(|value| !value.is_empty());
    let first = all.next();
    if all.any(|other| Some(other) != first) {
        return Err(ManifestError::Form { what: "it says something twice" });
    }
    Ok(first.map(str::to_owned))
}

/// The files of the payload, each a log. The best-known tool writes folders and files without the
/// namespace of the tag.
fn files(signed: &Signed<'_>) -> Result<Vec<NamedFile>, ManifestError> {
    let payload = only(signed.root(), (SWID, "Payload"), "which files it is about")?;
    let mut files: Vec<NamedFile> = Vec::new();
    for node in payload.descendants() {
        let tag = node.tag_name();
        if !node.is_element()
            || tag.name() != "File"
            || !matches!(tag.namespace(), None | Some(SWID))
        {
            continue;
        }
        let path = node.attribute("name").unwrap_or_default();
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
        let above: Vec<_> = node.ancestors().take_while(|above| *above != signed.root()).collect();
        let format = above.iter().find_map(|above| one(&[*above], "supportRIMFormat").transpose());
        if let Some(format) = format.transpose()?
            && !format.eq_ignore_ascii_case(EVENT_LOG)
        {
            return Err(ManifestError::Other { have: shown(&format) });
        }
        let named = |err: fn(String) -> ManifestError| err(shown(name));
        if name.is_empty() || files.iter().any(|file| file.name == name) {
            return Err(ManifestError::Form { what: "a file has no name, or that of another" });
        }
        let digests =
            digests(node).ok_or_else(|| named(|name| ManifestError::NoDigest { name }))?;
        let size = node.attribute("size").map(|size| size.trim().parse().unwrap_or(usize::MAX));
        files.push(NamedFile { name: name.to_owned(), digests, size });
        if files.len() > FILES_MAX {
            return Err(ManifestError::TooManyFiles { have: files.len() });
        }
    }
    if files.is_empty() {
        return Err(ManifestError::Missing { what: "which files it is about" });
    }
    Ok(files)
}

/// The strong digests of a file, of which it must have one and all must be right; `None` where it
/// has none, or one that is not as long as its hash.
fn digests(file: Node<'_, '_>) -> Option<Vec<(TpmAlgId, Digest)>> {
    let mut digests = Vec::new();
    for attribute in file.attributes().filter(|found| found.name() == "hash") {
        let Some(alg) = attribute.namespace().and_then(hash_of) else { continue };
        let digest = Digest::new(&hex::decode(attribute.value().trim()).ok()?)?;
        if alg.digest_len() != Some(digest.as_bytes().len()) {
            return None;
        }
        digests.push((alg, digest));
    }
    Some(digests).filter(|digests| !digests.is_empty())
}
