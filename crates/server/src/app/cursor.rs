//! Cursors of lists whose rows have numbers. To clients they are texts, as those of all other lists are.

use super::{AppError, RefusalKind};

/// The number behind which a page begins; `None` for the first page.
pub(super) fn number(cursor: Option<&str>) -> Result<Option<i64>, AppError> {
    cursor.map(|text| text.parse().map_err(|_| invalid())).transpose()
}

/// The cursor of the page behind a row of this number.
pub(super) fn to_text(number: i64) -> String {
    number.to_string()
}

/// That a cursor is none of a list's.
pub(super) fn invalid() -> AppError {
    AppError::refused(
        RefusalKind::Invalid,
        "cursor-invalid",
        "this is no cursor of this list",
        "pass `next_cursor` of the page before as it is, or none for the first page",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_or_refused() {
        let of = |text: &str| number(Some(text)).ok().flatten();
        assert_eq!(of(&to_text(i64::MAX)), Some(i64::MAX));
        for wrong in ["", "x", "1.5", "9223372036854775808", "1 ", "0x1"] {
            assert_eq!(of(wrong), None, "{wrong:?}");
        }
        assert!(matches!(number(None), Ok(None)), "the first page");
    }
}
