//! Sections by words.

use crate::{Chapter, Section};

/// A section that has what was sought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where the server shows it.
    pub address: String,
    /// The chapter.
    pub chapter: &'static str,
    /// The section's heading.
    pub title: String,
    /// What stands around the first of the words.
    pub excerpt: String,
}

/// Characters of an excerpt: two lines of a page.
const EXCERPT_CHARS: usize = 200;

pub(crate) fn search(chapters: &'static [Chapter], words: &str, n_max: usize) -> Vec<Found> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let has = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word.as_str()))
    };
    let sections = || {
        chapters.iter().flat_map(|chapter| chapter.text.sections.iter().map(move |s| (chapter, s)))
    };
    let in_heading = sections().filter(|(_, section)| has(&section.title));
    let in_text = sections().filter(|(_, section)| {
        !has(&section.title) && has(&format!("{} {}", section.title, section.text))
    });
    let found = in_heading.chain(in_text).take(n_max);
    found.map(|(chapter, section)| told(chapter, section, &words)).collect()
}

fn told(chapter: &'static Chapter, section: &Section, words: &[String]) -> Found {
    let address = match section.level {
        1 => chapter.address(),
        _ => format!("{}#{}", chapter.address(), section.id),
    };
    Found {
        address,
        chapter: chapter.title,
        title: section.title.clone(),
        excerpt: excerpt(&section.text, words),
    }
}

/// What stands around the first of `words`, from the beginning of a word on.
fn excerpt(text: &str, words: &[String]) -> String {
    let lower = text.to_lowercase();
    let at = words.iter().filter_map(|word| lower.find(word.as_str())).min().unwrap_or(0);
    // Lower case may have another length; what is cut is only shown.
    let n_before = lower.get(..at).map_or(0, |before| before.chars().count());
    let skip = n_before.saturating_sub(EXCERPT_CHARS / 3);
    let shown: String = text.chars().skip(skip).take(EXCERPT_CHARS).collect();
    let shown = match skip {
        0 => shown.as_str(),
        _ => shown.split_once(' ').map_or("", |(_, rest)| rest),
    };
    let begun = if skip > 0 { "… " } else { "" };
    let goes_on = text.chars().count() > skip + EXCERPT_CHARS;
    let ended = if goes_on { " …" } else { "" };
    // Nor does it end within a word.
    let shown = match shown.rsplit_once(' ') {
        Some((whole, _)) if goes_on => whole,
        _ => shown,
    };
    format!("{begun}{}{ended}", shown.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_stands_around_what_was_sought() {
        let text = format!("{}needle {}", "hay ".repeat(200), "straw ".repeat(200));
        let shown = excerpt(&text, &["needle".to_owned()]);
        assert!(shown.starts_with("… hay") && shown.contains("needle straw"), "{shown}");
        assert!(
            shown.ends_with(" straw …") && shown.chars().count() < EXCERPT_CHARS + 8,
            "{shown}"
        );
        assert_eq!(excerpt("a needle", &["needle".to_owned()]), "a needle");
    }
}
