//! Pages of lists, and whether another one follows: of the store one row more than a page shows is asked for.

/// How many rows to ask for, for a page of `limit`.
pub(super) const fn one_more(limit: u32) -> u32 {
    limit.saturating_add(1)
}

/// The rows of a page of `limit`, and whether another one follows. A store gives `most` rows at once: behind a page of
/// so many it may be that nothing is, which the next page says.
pub(super) fn cut<T>(mut rows: Vec<T>, limit: u32, most: u32) -> (Vec<T>, bool) {
    let n_shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let follows = rows.len() > n_shown || (limit >= most && rows.len() >= n_shown);
    rows.truncate(n_shown);
    (rows, follows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_follows_where_a_row_does() {
        let page = |n: usize| cut(vec![(); n], 3, 10);
        assert_eq!(page(0), (vec![], false));
        assert_eq!(page(3), (vec![(); 3], false), "exactly one page");
        assert_eq!(page(4), (vec![(); 3], true));
        assert!(cut(vec![(); 10], 10, 10).1, "nobody knows");
        assert!(!cut(vec![(); 9], 10, 10).1);
    }
}
