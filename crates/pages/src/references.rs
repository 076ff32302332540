//! What is expected to boot.

use std::collections::BTreeMap;

use api::fleet::{KeptReference, ReferenceScope};
use askama::Template;

use crate::{frame::Frame, words::Badge};

/// The page.
#[derive(Debug, Template)]
#[template(path = "references.html")]
pub struct References {
    /// What stands around it.
    pub frame: Frame,
    /// References in every state.
    pub references: Vec<KeptReference>,
    /// What hosts are called, by their identifiers; one that was removed is not in it.
    pub host_names: BTreeMap<String, String>,
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
}

impl References {
    fn name_of(&self, id: &str) -> Option<&str> {
        self.host_names.get(id).map(String::as_str)
    }
}

pub(crate) fn state(reference: &KeptReference) -> Badge {
    use api::fleet::ReferenceState as S;
    let (word, look) = match reference.state {
        S::Pending => ("Waits for a person", "hold"),
        S::Active => ("In force", "good"),
        S::Obsolete => ("Obsolete", "note"),
        S::Retired => ("Retired", "note"),
        S::Revoked => ("Revoked", "bad"),
    };
    Badge { word, look }
}

/// The host that it is for, where it is for one.
pub(crate) fn host(reference: &KeptReference) -> Option<&str> {
    match &reference.scope {
        ReferenceScope::Host(id) => Some(id),
        ReferenceScope::Cohort(_) => None,
    }
}

/// For whom it counts, in words.
pub(crate) fn scope(reference: &KeptReference) -> String {
    match &reference.scope {
        ReferenceScope::Host(id) => format!("host {id}"),
        ReferenceScope::Cohort(cohort) => format!("all {cohort}"),
    }
}

#[cfg(test)]
mod tests {
    use api::fleet::{ReferenceState, ReferenceUses};

    use super::*;
    use crate::{Frame, Place};

    #[test]
    fn a_host_is_called_by_its_name() {
        let of = |id: &str| KeptReference {
            id: format!("ref-{id}"),
            name: "as delivered".to_owned(),
            scope: ReferenceScope::Host(id.to_owned()),
            origin: "learnt".to_owned(),
            state: ReferenceState::Active,
            uses: ReferenceUses::Any,
            until_ms: None,
            sha256: "00".repeat(32),
            created_at_ms: 0,
            created_by: "user:ada".to_owned(),
            reason: "ticket 4711".to_owned(),
        };
        let frame = Frame {
            place: Place::References,
            visitor: None,
            said: None,
            stream: None,
            again_ms: None,
            now_ms: 0,
            version: "0",
        };
        let host_names = BTreeMap::from([("h1".to_owned(), "web-<1>".to_owned())]);
        let references = vec![of("h1"), of("h2")];
        let page = References { frame, references, host_names, next_cursor: None };
        let html = page.render().unwrap();
        assert!(html.contains("<a href=\"/hosts/h1\"><bdi>web-&lt;1&gt;</bdi></a>"), "{html}");
        assert!(html.contains("a host that was removed") && !html.contains("/hosts/h2"), "{html}");
    }
}
