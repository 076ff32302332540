//! The order of the list of hosts: headings that sort by their column, and a choice for where headings are not
//! shown.

use api::inventory::HostQuery;

use crate::hosts::{Hosts, address};

/// A heading.
pub(crate) struct Heading {
    pub(crate) word: &'static str,
    /// Where the list is sorted by it, or from its other end.
    pub(crate) address: String,
    /// `ascending` or `descending`, where the list is sorted by it.
    pub(crate) sorted: Option<&'static str>,
}

/// Each order, in words that say what comes first.
const ORDERS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("-name", "Name, from the end"),
    ("verdict", "Not passed first"),
    ("-verdict", "Passed first"),
    ("model", "Model"),
    ("-model", "Model, from the end"),
    ("seen", "Silent for longest first"),
    ("-seen", "Disconnected first"),
    ("judged", "Judged longest ago first"),
    ("-judged", "Judged last first"),
    ("joined", "Joined longest ago first"),
    ("-joined", "Joined last first"),
];

impl Hosts {
    fn order(&self) -> &str {
        self.query.sort.as_deref().unwrap_or("name")
    }

    /// The heading of the column that is sorted by `sort`.
    pub(crate) fn heading(&self, word: &'static str, sort: &str) -> Heading {
        let sorted = match self.order().strip_prefix('-') {
            None if self.order() == sort => Some("ascending"),
            Some(by) if by == sort => Some("descending"),
            _ => None,
        };
        let next = match sorted {
            Some("ascending") => format!("-{sort}"),
            _ => sort.to_owned(),
        };
        // Another order begins at its first page.
        let sort = Some(next).filter(|next| next != "name");
        let query = HostQuery { cursor: None, sort, ..self.query.clone() };
        Heading { word, address: address(&query, "/hosts"), sorted }
    }

    pub(crate) const fn orders(&self) -> &'static [(&'static str, &'static str)] {
        ORDERS
    }

    pub(crate) fn is_order(&self, sort: &str) -> bool {
        self.order() == sort
    }
}

#[cfg(test)]
mod tests {
    use api::inventory::HOST_SORTS;

    use super::*;
    use crate::{Frame, Place};

    fn sorted(sort: Option<&str>) -> Hosts {
        let frame = Frame {
            place: Place::Hosts,
            visitor: None,
            said: None,
            stream: None,
            again_ms: None,
            now_ms: 0,
            version: "1",
        };
        let query = HostQuery {
            sort: sort.map(str::to_owned),
            search: Some("web".to_owned()),
            cursor: Some("ab".to_owned()),
            ..HostQuery::default()
        };
        Hosts {
            frame,
            query,
            hosts: Vec::new(),
            next_cursor: None,
            labels: Vec::new(),
            views: Vec::new(),
        }
    }

    #[test]
    fn a_heading_sorts_by_its_column_and_then_from_the_other_end() {
        let heading = sorted(None).heading("Judged", "judged");
        assert_eq!((heading.sorted, &*heading.address), (None, "/hosts?search=web&sort=judged"));
        let heading = sorted(Some("judged")).heading("Judged", "judged");
        assert_eq!(heading.sorted, Some("ascending"));
        assert_eq!(heading.address, "/hosts?search=web&sort=-judged");
        let heading = sorted(Some("-judged")).heading("Judged", "judged");
        assert_eq!(heading.sorted, Some("descending"));
        assert_eq!(heading.address, "/hosts?search=web&sort=judged");
        let heading = sorted(None).heading("Host", "name");
        assert_eq!(heading.sorted, Some("ascending"), "lists are by name");
        assert_eq!(heading.address, "/hosts?search=web&sort=-name");
    }

    #[test]
    fn each_order_can_be_chosen_from_both_ends() {
        for by in HOST_SORTS {
            for sort in [by.to_owned(), format!("-{by}")] {
                assert!(ORDERS.iter().any(|(known, _)| *known == sort), "{sort}");
            }
        }
        assert_eq!(ORDERS.len(), 2 * HOST_SORTS.len());
    }
}
