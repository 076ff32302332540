//! Reading columns in order, and words in them.

use rusqlite::Row;
use rusqlite::types::{FromSql, Type};

use crate::Labels;

/// Takes a row's columns from left to right, so that a list of columns and the code that reads it
/// stay in one order instead of in two numberings.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn take<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next = index.saturating_add(1);
        self.row.get(index)
    }

    /// Leaves out columns.
    pub(super) fn pass_over(&mut self, n: usize) {
        self.next = self.next.saturating_add(n);
    }

    /// The next column, a word of an enum.
    pub(super) fn word<T>(&mut self, from_word: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
        let index = self.next;
        let word: String = self.take()?;
        from_word(&word).ok_or_else(|| {
            let text = format!("{word:?} is not a known word");
            rusqlite::Error::FromSqlConversionFailure(index, Type::Text, text.into())
        })
    }

    /// The next column, a JSON object of texts.
    pub(super) fn labels(&mut self) -> rusqlite::Result<Labels> {
        let index = self.next;
        let json: String = self.take()?;
        // What nearly all hosts of a small fleet have.
        if json == "{}" {
            return Ok(Labels::new());
        }
        serde_json::from_str(&json).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
        })
    }

    /// The next column, a JSON array of hexadecimal texts.
    pub(super) fn hex_list(&mut self) -> rusqlite::Result<Vec<Vec<u8>>> {
        let index = self.next;
        let json: String = self.take()?;
        let bad = |error| rusqlite::Error::FromSqlConversionFailure(index, Type::Text, error);
        let texts: Vec<String> =
            serde_json::from_str(&json).map_err(|error| bad(Box::new(error)))?;
        texts.iter().map(|text| hex::decode(text).map_err(|error| bad(Box::new(error)))).collect()
    }
}
