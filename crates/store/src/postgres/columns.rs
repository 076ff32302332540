//! Reading columns in order, and words in them.

use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use crate::{Labels, Sha256, StoreError};

/// Takes a row's columns from left to right, so that a list of columns and the code that reads it
/// stay in one order instead of in two numberings.
pub(super) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// The next column.
    pub(super) fn take<T: FromSqlOwned>(&mut self) -> Result<T, StoreError> {
        let index = self.next;
        self.next = index.saturating_add(1);
        Ok(self.row.try_get(index)?)
    }

    /// Leaves out columns.
    pub(super) fn pass_over(&mut self, n: usize) {
        self.next = self.next.saturating_add(n);
    }

    /// The next column, a digest where there is one.
    pub(super) fn sha256_or_none(&mut self) -> Result<Option<Sha256>, StoreError> {
        let bytes: Option<Vec<u8>> = self.take()?;
        let wrong = |_| StoreError::broken("a digest has not 32 bytes");
        bytes.map(|bytes| bytes.try_into().map_err(wrong)).transpose()
    }

    /// The next column, a digest.
    pub(super) fn sha256(&mut self) -> Result<Sha256, StoreError> {
        self.sha256_or_none()?.ok_or_else(|| StoreError::broken("a digest is missing"))
    }

    /// The next column, a number of a type that the database does not know, where there is one.
    pub(super) fn small_or_none<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, StoreError> {
        let number: Option<i64> = self.take()?;
        let wrong = |_| StoreError::broken("a number is larger than it can be");
        number.map(|number| T::try_from(number).map_err(wrong)).transpose()
    }

    /// The next column, a count.
    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        Ok(self.take::<i64>()?.unsigned_abs())
    }

    /// The next column, a word of an enum.
    pub(super) fn word<T>(&mut self, from_word: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let word: String = self.take()?;
        from_word(&word).ok_or_else(|| StoreError::Broken {
            source: format!("{word:?} is not a known word").into(),
        })
    }

    /// The next column, a JSON object of texts.
    pub(super) fn labels(&mut self) -> Result<Labels, StoreError> {
        let json: String = self.take()?;
        // What nearly all hosts of a small fleet have.
        if json == "{}" {
            return Ok(Labels::new());
        }
        serde_json::from_str(&json).map_err(|error| StoreError::Broken { source: Box::new(error) })
    }

    /// The next column, a JSON array of hexadecimal texts.
    pub(super) fn hex_list(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let json: String = self.take()?;
        let texts: Vec<String> = serde_json::from_str(&json)
            .map_err(|error| StoreError::Broken { source: Box::new(error) })?;
        let wrong = |error| StoreError::Broken { source: Box::new(error) };
        texts.iter().map(|text| hex::decode(text).map_err(wrong)).collect()
    }
}
