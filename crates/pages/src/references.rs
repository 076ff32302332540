//! What is expected to boot.

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
    /// What to pass as `cursor` for the next page.
    pub next_cursor: Option<String>,
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
