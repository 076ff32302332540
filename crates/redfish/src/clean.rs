//! A BMC's words, fit to be shown.

/// Most characters of one text of a BMC that are shown: a message of a registry is a sentence.
const CHARS_MAX: usize = 240;

/// `text` without control characters, and not longer than is shown.
pub fn clean(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars
        .by_ref()
        .take(CHARS_MAX)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bmcs_words_steer_no_terminal_and_fill_no_screen() {
        assert_eq!(clean("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(clean(&"x".repeat(240)), "x".repeat(240));
        assert_eq!(clean(&"x".repeat(241)).chars().count(), 241);
    }
}
