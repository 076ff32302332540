//! Whether a database has an entry, asked as often as a log likes.

use std::cell::{Cell, OnceCell};

use efi::Guid;

use crate::database::Database;

/// Questions that are answered by walking through the database: a boot has below ten authorities. A
/// log with thousands of them, and as many entries, would cost the product of both.
const WALKS_MAX: u32 = 16;

/// The entries of a database.
pub(crate) struct Entries<'d, 'a> {
    database: &'d Database<'a>,
    n_walks: Cell<u32>,
    /// Data and owner of each, in order.
    sorted: OnceCell<Vec<(&'a [u8], [u8; 16])>>,
}

impl<'d, 'a> Entries<'d, 'a> {
    pub(crate) const fn of(database: &'d Database<'a>) -> Self {
        Self { database, n_walks: Cell::new(0), sorted: OnceCell::new() }
    }

    /// Whether it has `data`, of `owner` where one is named.
    pub(crate) fn has(&self, owner: Option<Guid>, data: &[u8]) -> bool {
        let n_walks = self.n_walks.get();
        if n_walks < WALKS_MAX {
            self.n_walks.set(n_walks.saturating_add(1));
            return self.database.entries().any(|(_, entry)| {
                entry.data == data && owner.is_none_or(|owner| owner == entry.owner)
            });
        }
        let sorted = self.sorted.get_or_init(|| {
            let entries = self.database.entries();
            let mut sorted: Vec<_> =
                entries.map(|(_, entry)| (entry.data, entry.owner.0)).collect();
            sorted.sort_unstable();
            sorted
        });
        match owner {
            Some(owner) => sorted.binary_search(&(data, owner.0)).is_ok(),
            None => sorted.binary_search_by_key(&data, |(data, _)| data).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Belief, DatabaseName};
    use efi::CertType;

    #[test]
    fn it_answers_the_same_however_often_it_is_asked() {
        let owner = Guid([3; 16]);
        let entries: Vec<u8> =
            [[3; 16], [7; 16]].iter().flat_map(|o| [&o[..], &[9; 32]].concat()).collect();
        let sizes = [28 + 96u32, 0, 48].map(u32::to_le_bytes).concat();
        let value = [&CertType::SHA256.0.0[..], &sizes, &entries].concat();
        let database = Database {
            name: DatabaseName::Db,
            event: 1,
            repeated: Vec::new(),
            value: &value,
            n_entries: vec![(CertType::SHA256, 2)],
            malformed: None,
            belief: Belief::Verified,
        };
        let entries = Entries::of(&database);
        for n in 0..2 * WALKS_MAX {
            assert!(entries.has(None, &[9; 32]) && entries.has(Some(owner), &[9; 32]), "{n}");
            assert!(
                !entries.has(Some(Guid([4; 16])), &[9; 32]) && !entries.has(None, &[9; 31]),
                "{n}"
            );
        }
        assert_eq!(entries.sorted.get().map(Vec::len), Some(2));
    }
}
