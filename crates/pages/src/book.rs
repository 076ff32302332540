//! A chapter of the book, with the way to all others.

use askama::Template;
use handbook::Chapter;

use crate::frame::Frame;

/// The page.
#[derive(Debug, Template)]
#[template(path = "book.html")]
pub struct BookPage {
    /// What stands around it.
    pub frame: Frame,
    chapter: &'static Chapter,
    before: Option<&'static Chapter>,
    after: Option<&'static Chapter>,
}

impl BookPage {
    /// The chapter of this name; `None` where there is no such.
    pub fn of(frame: Frame, name: &str) -> Option<Self> {
        let (before, chapter, after) = handbook::chapter(name)?;
        Some(Self { frame, chapter, before, after })
    }

    fn parts(&self) -> Vec<Part> {
        parts()
    }

    /// The headings of the chapter's parts: where it has a way within it to show.
    fn headings(&self) -> Vec<&'static handbook::Section> {
        self.chapter.text.sections.iter().filter(|section| section.level == 2).collect()
    }
}

/// Chapters that belong together.
pub(crate) struct Part {
    pub(crate) title: &'static str,
    pub(crate) chapters: Vec<&'static Chapter>,
}

/// The book's parts, in order.
pub(crate) fn parts() -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for chapter in handbook::chapters() {
        match parts.last_mut() {
            Some(part) if part.title == chapter.part => part.chapters.push(chapter),
            _ => parts.push(Part { title: chapter.part, chapters: vec![chapter] }),
        }
    }
    parts
}
