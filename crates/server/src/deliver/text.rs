//! Words of others and of hosts, made fit for one line.

/// Characters of a receiver's answer that are shown.
const ANSWER_CHARS_MAX: usize = 200;

/// A receiver's words: one line, cut.
pub(super) fn answer(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = line(&text);
    match line.char_indices().nth(ANSWER_CHARS_MAX) {
        None => line,
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
    }
}

/// `text` without control characters, line ends among them, and without marks that turn the direction of
/// what follows.
pub(super) fn line(text: &str) -> String {
    let plain = text.trim().chars().map(|c| match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => ' ',
        c => c,
    });
    plain.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_one_line() {
        assert_eq!(line("a\r\nBcc: x\u{202e}\t"), "a  Bcc: x\u{fffd}");
        let long = answer("é".repeat(5_000).as_bytes());
        assert_eq!(long.chars().count(), ANSWER_CHARS_MAX + 1);
    }
}
