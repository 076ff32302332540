//! XML as a tree, and no more of XML than manifests need.

use roxmltree::{Document, Node, ParsingOptions};

use crate::ManifestError;
use crate::error::shown;

/// Bytes of one manifest: real ones have 5 KiB. The reader compares the attributes of one element
/// with one another, which costs the square of how many fit in.
pub const MANIFEST_BYTES_MAX: usize = 128 * 1024;
/// Elements, texts and comments: a manifest of 5 KiB has 60.
const NODES_MAX: u32 = 20_000;
/// Elements within one another: a manifest has seven.
const DEPTH_MAX: usize = 24;
/// Namespaces that are known in one element, which a canonical form looks at for each element below
/// it: a manifest has seven.
const NAMESPACES_MAX: usize = 32;

/// `bytes` as a tree. A document type is refused, and so nothing is ever expanded or fetched;
/// processing instructions are refused, because no manifest needs one.
pub(crate) fn read(bytes: &[u8]) -> Result<Document<'_>, ManifestError> {
    if bytes.len() > MANIFEST_BYTES_MAX {
        return Err(ManifestError::Size { have: bytes.len() });
    }
    let not_text = || ManifestError::Xml { why: "it is not UTF-8".to_owned() };
    let text = core::str::from_utf8(bytes).map_err(|_| not_text())?;
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..Default::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|err| ManifestError::Xml { why: shown(&err.to_string()) })?;
    let form = |what| Err(ManifestError::Form { what });
    for node in document.descendants() {
        if node.is_pi() {
            return form("it has a processing instruction");
        }
        if node.is_element() {
            // The root of the document is an ancestor too.
            if node.ancestors().take(DEPTH_MAX.saturating_add(3)).count() > DEPTH_MAX + 2 {
                return form("its elements lie too deep within one another");
            }
            if node.namespaces().len() > NAMESPACES_MAX {
                return form("an element knows too many namespaces");
            }
        }
    }
    Ok(document)
}

/// The elements right below `parent`.
pub(crate) fn elements<'a, 'i>(parent: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    parent.children().filter(Node::is_element)
}

/// The one element of this name right below `parent`; `what` says what it is, where there is none
/// or are several.
pub(crate) fn only<'a, 'i>(
    parent: Node<'a, 'i>,
    name: (&'static str, &'static str),
    what: &'static str,
) -> Result<Node<'a, 'i>, ManifestError> {
    let mut found = elements(parent).filter(|node| node.has_tag_name(name));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(ManifestError::Missing { what }),
        (Some(_), Some(_)) => Err(ManifestError::Form { what: "it says something twice" }),
    }
}

/// The text of an element that has nothing but text.
pub(crate) fn text(node: Node<'_, '_>) -> Result<String, ManifestError> {
    let mut text = String::new();
    for child in node.children() {
        match child.text().filter(|_| child.is_text()) {
            Some(part) => text.push_str(part),
            None => return Err(ManifestError::Form { what: "a text has something else in it" }),
        }
    }
    Ok(text)
}
