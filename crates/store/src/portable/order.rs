//! The order of tables.

/// Tables after those that they refer to, else by name. Each reference is (from, to); one to itself is
/// none, since a table is put back as a whole.
pub(crate) fn parents_first(
    mut tables: Vec<String>,
    references: &[(String, String)],
) -> Vec<String> {
    tables.sort();
    let mut ordered: Vec<String> = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let ready = tables.iter().position(|table| {
            references.iter().all(|(from, to)| {
                from != table || to == table || ordered.contains(to) || !tables.contains(to)
            })
        });
        // A circle, which no schema of ours has, is left in the order of names: the database says so.
        ordered.push(tables.remove(ready.unwrap_or(0)));
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_after_what_they_refer_to() {
        let names = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let refer = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let references = [refer("a", "c"), refer("c", "d"), refer("b", "b")];
        assert_eq!(parents_first(names.clone(), &references), ["b", "d", "c", "a"]);
        let circle = [refer("a", "b"), refer("b", "a")];
        assert_eq!(parents_first(names, &circle).len(), 4, "it ends");
    }
}
