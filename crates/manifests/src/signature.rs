//! The signature of a document over all of itself.
//!
//! One form of XML signatures is accepted, and everything else is refused: one Signature, right
//! below the root, over the whole document without it. [XMLDSIG-1.1]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};
use tpm_wire::TpmAlgId;
use verify::{SignatureScheme, SignerAnchor, StrongHash, UnixTime, VerifiedSigner, verify_signer};

use crate::ManifestError;
use crate::canonical::{Form, canonical};
use crate::error::shown;
use crate::tree::{elements, only, text};

const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// References of one signature: to the document, and to the time of signing.
const REFERENCES_MAX: usize = 2;

/// A document that somebody trusted signed. Only [`verify`] makes one.
pub(crate) struct Signed<'d> {
    root: Node<'d, 'd>,
    signature: Node<'d, 'd>,
    signer: VerifiedSigner,
}

impl<'d> Signed<'d> {
    /// The root. Of what lies below it [`Self::elements`] gives what was signed.
    pub(crate) const fn root(&self) -> Node<'d, 'd> {
        self.root
    }

    /// The elements right below the root, without the signature.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Node<'d, 'd>> {
        elements(self.root).filter(|node| *node != self.signature)
    }

    pub(crate) const fn signer(&self) -> &VerifiedSigner {
        &self.signer
    }
}

/// Checks the signature of `document`.
///
/// In order: its form, the signer's certificate, the signature over what it says that was signed,
/// and the digest of each such thing.
pub(crate) fn verify<'d>(
    document: &'d Document<'d>,
    anchor: &SignerAnchor,
    now: UnixTime,
) -> Result<Signed<'d>, ManifestError> {
    let root = document.root_element();
    let is_signature = |node: &Node<'_, '_>| node.has_tag_name((DSIG, "Signature"));
    let mut signatures = root.descendants().filter(is_signature);
    let signature = match (signatures.next(), signatures.next()) {
        (None, _) => return Err(ManifestError::Missing { what: "who signed it" }),
        (Some(only), None) if only.parent_element() == Some(root) => only,
        _ => return Err(ManifestError::Form { what: "its signature is not one, below its root" }),
    };
    let info = only(signature, (DSIG, "SignedInfo"), "what was signed")?;
    let value = base64(only(signature, (DSIG, "SignatureValue"), "the value of its signature")?)?;
    let form = form(only(info, (DSIG, "CanonicalizationMethod"), "its canonical form")?)?;
    let scheme = scheme(only(info, (DSIG, "SignatureMethod"), "how it was signed")?)?;
    let references = references(info, root, signature)?;

    let chain = certificates(signature)?;
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let signer = verify_signer(&chain, anchor, now).map_err(ManifestError::Signer)?;
    signer.check(scheme, &canonical(info, None, form), &value).map_err(ManifestError::Signature)?;
    for reference in references {
        let bytes = canonical(reference.target, Some(signature), reference.form);
        let digest = event_log::hash(reference.alg, &[&bytes]);
        if digest.is_none_or(|digest| digest.as_bytes() != reference.digest) {
            return Err(ManifestError::Changed);
        }
    }
    Ok(Signed { root, signature, signer })
}

/// Something that was signed: its canonical form has this digest.
struct Reference<'d> {
    target: Node<'d, 'd>,
    form: Form,
    alg: TpmAlgId,
    digest: Vec<u8>,
}

/// What `info` says that was signed: the whole document without its signature, once, and at most
/// the time of signing inside of the signature.
fn references<'d>(
    info: Node<'d, 'd>,
    root: Node<'d, 'd>,
    signature: Node<'d, 'd>,
) -> Result<Vec<Reference<'d>>, ManifestError> {
    let all: Vec<_> = elements(info).filter(|n| n.has_tag_name((DSIG, "Reference"))).collect();
    if all.len() > REFERENCES_MAX || elements(info).count() != all.len().saturating_add(2) {
        return Err(ManifestError::Form { what: "it says too much of what was signed" });
    }
    let mut read = Vec::new();
    let mut is_whole = false;
    for reference in all {
        let uri = reference.attribute("URI");
        let other = || ManifestError::Algorithm {
            what: "a reference to",
            have: shown(uri.unwrap_or("something outside")),
        };
        let target = match uri.ok_or_else(other)? {
            "" => root,
            uri => named(root, uri.strip_prefix('#').ok_or_else(other)?).ok_or_else(other)?,
        };
        let is_time = target.has_tag_name((DSIG, "SignatureProperty"))
            && target.ancestors().nth(3) == Some(signature);
        if target == root && !is_whole {
            is_whole = true;
        } else if !is_time {
            return Err(other());
        }
        let form = transforms(reference, target == root)?;
        let method = only(reference, (DSIG, "DigestMethod"), "a digest")?;
        let alg = hash_of(algorithm(method, "the digest")?).ok_or_else(|| {
            ManifestError::Algorithm { what: "the digest", have: shown(name_of(method)) }
        })?;
        let digest = base64(only(reference, (DSIG, "DigestValue"), "a digest")?)?;
        read.push(Reference { target, form, alg, digest });
    }
    match is_whole {
        true => Ok(read),
        false => Err(ManifestError::Form { what: "its signature does not cover all of it" }),
    }
}

/// The one element with this identifier.
fn named<'d>(root: Node<'d, 'd>, id: &str) -> Option<Node<'d, 'd>> {
    let has_id = |node: &Node<'_, '_>| {
        let names = ["Id", "ID", "id", "iD"];
        names.into_iter().any(|name| node.attribute(name) == Some(id))
            || node.attributes().any(|found| {
                found.namespace().is_some()
                    && found.name().eq_ignore_ascii_case("id")
                    && found.value() == id
            })
    };
    let mut found = root.descendants().filter(has_id);
    found.next().filter(|_| !id.is_empty() && found.next().is_none())
}

/// The canonical form that the transforms of a reference lead to: of the document they begin with
/// the one that leaves the signature out.
fn transforms(reference: Node<'_, '_>, is_root: bool) -> Result<Form, ManifestError> {
    let list = elements(reference).find(|node| node.has_tag_name((DSIG, "Transforms")));
    let mut all = list.into_iter().flat_map(elements);
    if is_root {
        let first = all.next().ok_or(ManifestError::Missing { what: "how it was signed" })?;
        if algorithm(first, "a transform")? != ENVELOPED {
            return Err(ManifestError::Algorithm {
                what: "a transform",
                have: shown(name_of(first)),
            });
        }
    }
    let form = all.next().map_or(Ok(Form::Inclusive), form)?;
    match all.next() {
        None => Ok(form),
        Some(more) => {
            Err(ManifestError::Algorithm { what: "one more transform", have: shown(name_of(more)) })
        }
    }
}

fn name_of<'a>(node: Node<'a, '_>) -> &'a str {
    node.attribute("Algorithm").unwrap_or_default()
}

/// The algorithm that `node` names, without parameters.
fn algorithm<'a>(node: Node<'a, '_>, what: &'static str) -> Result<&'a str, ManifestError> {
    match elements(node).next() {
        None => Ok(name_of(node)),
        Some(_) => Err(ManifestError::Algorithm { what, have: "parameters".to_owned() }),
    }
}

fn form(node: Node<'_, '_>) -> Result<Form, ManifestError> {
    let what = "the canonical form";
    Ok(match algorithm(node, what)? {
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" => Form::Inclusive,
        "http://www.w3.org/2006/12/xml-c14n11" => Form::Inclusive11,
        "http://www.w3.org/2001/10/xml-exc-c14n#" => Form::Exclusive,
        have => return Err(ManifestError::Algorithm { what, have: shown(have) }),
    })
}

/// The hash with this name in XML: SHA-1 is none.
pub(crate) fn hash_of(name: &str) -> Option<TpmAlgId> {
    Some(match name {
        "http://www.w3.org/2001/04/xmlenc#sha256" => TpmAlgId::SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => TpmAlgId::SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => TpmAlgId::SHA512,
        _ => return None,
    })
}

fn scheme(node: Node<'_, '_>) -> Result<SignatureScheme, ManifestError> {
    use SignatureScheme::{Ecdsa, RsaPkcs1, RsaPss};
    let what = "the algorithm";
    let have = algorithm(node, what)?;
    let more = have.strip_prefix("http://www.w3.org/2001/04/xmldsig-more#");
    let pss = have.strip_prefix("http://www.w3.org/2007/05/xmldsig-more#");
    Ok(match (more, pss) {
        (Some("rsa-sha256"), _) => RsaPkcs1(StrongHash::Sha256),
        (Some("rsa-sha384"), _) => RsaPkcs1(StrongHash::Sha384),
        (Some("rsa-sha512"), _) => RsaPkcs1(StrongHash::Sha512),
        (Some("ecdsa-sha256"), _) => Ecdsa(StrongHash::Sha256),
        (Some("ecdsa-sha384"), _) => Ecdsa(StrongHash::Sha384),
        (Some("ecdsa-sha512"), _) => Ecdsa(StrongHash::Sha512),
        (_, Some("sha256-rsa-MGF1")) => RsaPss(StrongHash::Sha256),
        (_, Some("sha384-rsa-MGF1")) => RsaPss(StrongHash::Sha384),
        (_, Some("sha512-rsa-MGF1")) => RsaPss(StrongHash::Sha512),
        _ => return Err(ManifestError::Algorithm { what, have: shown(have) }),
    })
}

/// The certificates that came along, in their order: the first is the signer's. A key without a
/// certificate, or its name, says nothing that could be trusted.
fn certificates(signature: Node<'_, '_>) -> Result<Vec<Vec<u8>>, ManifestError> {
    let within = |name| move |node: &Node<'_, '_>| node.has_tag_name((DSIG, name));
    let info = elements(signature).filter(within("KeyInfo"));
    let data = info.flat_map(elements).filter(within("X509Data"));
    data.flat_map(elements).filter(within("X509Certificate")).map(base64).collect()
}

fn base64(node: Node<'_, '_>) -> Result<Vec<u8>, ManifestError> {
    let text: String = text(node)?.split_ascii_whitespace().collect();
    STANDARD
        .decode(text)
        .map_err(|_| ManifestError::Form { what: "a part of its signature is not Base64" })
}
