//! What people write about what they do.

/// Characters of a reason: a ticket's number and a sentence.
pub(super) const REASON_CHARS_MAX: usize = 500;

/// Whether `text` is one line with something on it, of this many characters at most.
pub(super) fn is_line(text: &str, chars_max: usize) -> bool {
    let n_chars = text.chars().take(chars_max + 1).count();
    n_chars <= chars_max && !text.trim().is_empty() && !text.chars().any(char::is_control)
}
