//! The book of `docs/`: the chapters that its `SUMMARY.md` names, as HTML and as sections to search.
//!
//! The same files are the sources of an mdBook (`book.toml`), and what the server shows under *Help*, so
//! that a site without the internet has them. They are part of the program: all of it is our own words,
//! and raw HTML in them is left out. What comes out has neither style nor script of its own.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod files;
mod markdown;
mod search;
mod summary;
mod tables;

use std::sync::LazyLock;

pub use files::{FILES, SUMMARY};
pub use markdown::{Link, Section, Text, anchor, read};
pub use search::Found;
pub use summary::Line;

/// Where the server shows chapters: this, and the chapter's name.
pub const ADDRESS: &str = "/help/book/";

/// A chapter.
#[derive(Debug)]
pub struct Chapter {
    /// The file's name without its ending: the last part of its address.
    pub name: &'static str,
    /// As the summary calls it.
    pub title: &'static str,
    /// The part of the book in which it stands; empty before the first.
    pub part: &'static str,
    /// How deep it stands under others: 0, 1.
    pub depth: usize,
    /// What stands in it.
    pub text: Text,
}

impl Chapter {
    /// Where the server shows it.
    pub fn address(&self) -> String {
        format!("{ADDRESS}{}", self.name)
    }
}

/// The chapters in their order. Read once, when the first of them is asked for.
static CHAPTERS: LazyLock<Vec<Chapter>> = LazyLock::new(|| {
    let chapters = summary::lines(SUMMARY).filter_map(|line| {
        let (_, source) = FILES.iter().find(|(name, _)| *name == line.name)?;
        let Line { name, title, part, depth } = line;
        Some(Chapter { name, title, part, depth, text: markdown::read(source) })
    });
    chapters.collect()
});

/// The chapters in their order.
pub fn chapters() -> &'static [Chapter] {
    &CHAPTERS
}

/// The chapter of this name, with those before and behind it.
pub fn chapter(
    name: &str,
) -> Option<(Option<&'static Chapter>, &'static Chapter, Option<&'static Chapter>)> {
    let at = CHAPTERS.iter().position(|chapter| chapter.name == name)?;
    let before = at.checked_sub(1).and_then(|before| CHAPTERS.get(before));
    Some((before, CHAPTERS.get(at)?, CHAPTERS.get(at + 1)))
}

/// Sections that have all these words, those with them in their headings first; `n_max` at most.
pub fn search(words: &str, n_max: usize) -> Vec<Found> {
    search::search(&CHAPTERS, words, n_max)
}
