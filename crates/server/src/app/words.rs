//! What people write about what they do.

use super::{AppError, RefusalKind};

/// Characters of a reason: a ticket's number and a sentence.
pub(super) const REASON_CHARS_MAX: usize = 500;

/// Refuses what a person says with `code` where `reason` is no line, or the time until which it is to last
/// is over at `now_ms`.
pub(super) fn check_lasting(
    code: &'static str,
    reason: &str,
    until_ms: Option<i64>,
    now_ms: i64,
) -> Result<(), AppError> {
    let invalid = |title| Err(AppError::plain(RefusalKind::Invalid, code, title));
    if !is_line(reason, REASON_CHARS_MAX) {
        return invalid(format!("a reason is one line of {REASON_CHARS_MAX} characters at most"));
    }
    if until_ms.is_some_and(|until_ms| until_ms <= now_ms) {
        return invalid("the time until which it lasts is over already".to_owned());
    }
    Ok(())
}

/// Whether `text` is one line with something on it, of this many characters at most.
pub(super) fn is_line(text: &str, chars_max: usize) -> bool {
    let n_chars = text.chars().take(chars_max + 1).count();
    n_chars <= chars_max && !text.trim().is_empty() && !text.chars().any(char::is_control)
}
