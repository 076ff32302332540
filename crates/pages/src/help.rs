//! What findings mean and what to do, and where the book says more.

use api::finding::CatalogueEntry;
use askama::Template;

use crate::{book, frame::Frame};

/// Sections of the book that are shown: who reads no further than these takes another word.
const FOUND_MAX: usize = 20;

/// The page.
#[derive(Debug, Template)]
#[template(path = "help.html")]
pub struct Help {
    /// What stands around it.
    pub frame: Frame,
    /// What was sought.
    pub sought: String,
    /// Findings that fit, in the catalogue's order.
    pub entries: Vec<CatalogueEntry>,
    found: Vec<handbook::Found>,
}

impl Help {
    /// The page with what of `catalogue` has all words of `sought`; all of it where nothing is sought.
    pub fn of(frame: Frame, sought: String, catalogue: Vec<CatalogueEntry>) -> Self {
        let words: Vec<String> = sought.split_whitespace().map(str::to_lowercase).collect();
        let has = |entry: &CatalogueEntry| {
            let CatalogueEntry { code, title, cause, next_step, .. } = entry;
            let all = format!("{code} {title} {cause} {next_step}").to_lowercase();
            words.iter().all(|word| all.contains(word))
        };
        let entries = catalogue.into_iter().filter(has).collect();
        let found = handbook::search(&sought, FOUND_MAX);
        Self { frame, sought, entries, found }
    }

    fn parts(&self) -> Vec<book::Part> {
        book::parts()
    }
}
