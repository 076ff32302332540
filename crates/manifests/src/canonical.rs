//! The canonical form of a part of a document: the bytes that were hashed.
//! [XML-C14N-1.0], [XML-C14N-1.1], [XML-EXC-C14N-1.0], each without comments.

use roxmltree::{Attribute, Node};

/// The namespace of `xml:lang` and its like.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// Which canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Canonical XML 1.0.
    Inclusive,
    /// Canonical XML 1.1: the same but for `xml:id` and `xml:base` of elements above the part.
    Inclusive11,
    /// Exclusive XML Canonicalization 1.0, without a list of prefixes.
    Exclusive,
}

/// A prefix, empty for the default namespace, and its name, empty for none.
type Binding<'a> = (&'a str, &'a str);

/// The canonical form of `apex` and all below it, but for `without` and all below that.
pub(crate) fn canonical(apex: Node<'_, '_>, without: Option<Node<'_, '_>>, form: Form) -> Vec<u8> {
    let mut writer = Writer { out: Vec::new(), without, form };
    writer.element(apex, &[], inherited(apex, form));
    writer.out
}

/// The attributes `xml:…` of elements above `apex` that it takes over: the nearest of each.
fn inherited<'a>(apex: Node<'a, '_>, form: Form) -> Vec<(&'a str, &'a str)> {
    let mut taken: Vec<(&str, &str)> = Vec::new();
    if form == Form::Exclusive {
        return taken;
    }
    for above in apex.ancestors().skip(1) {
        for attribute in above.attributes().filter(|found| found.namespace() == Some(XML)) {
            // 1.1 takes no identifiers over, and joins addresses; no manifest has an address.
            let is_meant = form == Form::Inclusive || !matches!(attribute.name(), "id" | "base");
            let name = attribute.name();
            if is_meant
                && apex.attribute((XML, name)).is_none()
                && taken.iter().all(|(have, _)| *have != name)
            {
                taken.push((name, attribute.value()));
            }
        }
    }
    taken
}

struct Writer<'n> {
    out: Vec<u8>,
    without: Option<Node<'n, 'n>>,
    form: Form,
}

impl Writer<'_> {
    /// One element; recursion is as deep as the document, which has a limit. `above` are the
    /// namespaces that the written elements above it have.
    fn element(&mut self, node: Node<'_, '_>, above: &[Binding<'_>], taken: Vec<(&str, &str)>) {
        let name = qualified(node);
        let mut scope = above.to_vec();
        let mut declared: Vec<Binding<'_>> = Vec::new();
        for (prefix, uri) in self.namespaces(node, name) {
            let known = above.iter().rev().find(|(have, _)| *have == prefix);
            // No default namespace above is the same as an empty one.
            let is_known =
                known.map_or(prefix.is_empty() && uri.is_empty(), |(_, have)| *have == uri);
            if !is_known {
                declared.push((prefix, uri));
                scope.retain(|(have, _)| *have != prefix);
                scope.push((prefix, uri));
            }
        }
        declared.sort_unstable();
        self.put("<");
        self.put(name);
        for (prefix, uri) in declared {
            match prefix {
                "" => self.put(" xmlns"),
                prefix => {
                    self.put(" xmlns:");
                    self.put(prefix);
                }
            }
            self.value(uri);
        }
        self.attributes(node, taken);
        self.put(">");
        for child in node.children() {
            if child.is_element() && Some(child) != self.without {
                self.element(child, &scope, Vec::new());
            } else if child.is_text() {
                self.escaped(child.text().unwrap_or_default(), |c| match c {
                    '&' => Some("&amp;"),
                    '<' => Some("&lt;"),
                    '>' => Some("&gt;"),
                    '\r' => Some("&#xD;"),
                    _ => None,
                });
            }
        }
        self.put("</");
        self.put(name);
        self.put(">");
    }

    /// The namespaces that `node` must declare where none above it did.
    fn namespaces<'a>(&self, node: Node<'a, '_>, name: &'a str) -> Vec<Binding<'a>> {
        let in_scope =
            node.namespaces().map(|found| (found.name().unwrap_or_default(), found.uri()));
        let mut all: Vec<Binding<'a>> = in_scope.filter(|(prefix, _)| *prefix != "xml").collect();
        if !all.iter().any(|(prefix, _)| prefix.is_empty()) {
            all.push(("", ""));
        }
        if self.form == Form::Exclusive {
            let used = |wanted: &str| {
                prefix_of(name) == wanted
                    || (!wanted.is_empty()
                        && node
                            .attributes()
                            .any(|found| prefix_of(attribute_name(node, &found)) == wanted))
            };
            all.retain(|(prefix, _)| used(prefix));
        }
        all
    }

    /// By the name of the namespace, then by the local name.
    fn attributes(&mut self, node: Node<'_, '_>, taken: Vec<(&str, &str)>) {
        let taken =
            taken.into_iter().map(|(name, value)| (XML, name, format!("xml:{name}"), value));
        let own = node.attributes().map(|found| {
            let qualified = attribute_name(node, &found).to_owned();
            (found.namespace().unwrap_or_default(), found.name(), qualified, found.value())
        });
        let mut all: Vec<_> = own.chain(taken).collect();
        all.sort_unstable();
        for (_, _, name, value) in all {
            self.put(" ");
            self.put(&name);
            self.value(value);
        }
    }

    fn value(&mut self, value: &str) {
        self.put("=\"");
        self.escaped(value, |c| match c {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '"' => Some("&quot;"),
            '\t' => Some("&#x9;"),
            '\n' => Some("&#xA;"),
            '\r' => Some("&#xD;"),
            _ => None,
        });
        self.put("\"");
    }

    fn escaped(&mut self, text: &str, escape: impl Fn(char) -> Option<&'static str>) {
        for c in text.chars() {
            match escape(c) {
                Some(escaped) => self.put(escaped),
                None => self.put(c.encode_utf8(&mut [0; 4])),
            }
        }
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

/// The name of an element with its prefix, as it is written: the tree knows the namespace only.
fn qualified<'a>(node: Node<'a, '_>) -> &'a str {
    let source = node.document().input_text();
    let tag = source.get(node.range()).and_then(|tag| tag.strip_prefix('<')).unwrap_or_default();
    let end = tag.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
    end.and_then(|end| tag.get(..end)).unwrap_or_default()
}

fn attribute_name<'a>(node: Node<'a, '_>, attribute: &Attribute<'_, '_>) -> &'a str {
    node.document().input_text().get(attribute.range_qname()).unwrap_or_default()
}

fn prefix_of(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}
