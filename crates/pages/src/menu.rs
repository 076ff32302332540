//! The menu: what one does each day, what decides how hosts stand, and how the server is run.
//!
//! Beside the page where there is room for it; where there is not, behind a button that works without script.

use crate::frame::Place;

/// Whom a page is for: to others the menu does not name it, and the server refuses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// Whoever may look.
    Viewers,
    /// Whoever may act on hosts.
    Operators,
    /// Whoever may do everything.
    Administrators,
}

/// A line of the menu.
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) address: &'static str,
    pub(crate) word: &'static str,
    pub(crate) for_whom: For,
}

/// Lines that belong together.
pub(crate) struct Group {
    /// Names it in the page.
    pub(crate) id: &'static str,
    pub(crate) word: &'static str,
    pub(crate) entries: &'static [Entry],
}

const fn entry(place: Place, address: &'static str, word: &'static str) -> Entry {
    Entry { place, address, word, for_whom: For::Viewers }
}

impl Entry {
    const fn only(self, for_whom: For) -> Self {
        Self { for_whom, ..self }
    }
}

pub(crate) const GROUPS: &[Group] = &[
    Group {
        id: "daily",
        word: "Fleet",
        entries: &[
            entry(Place::Overview, "/", "Overview"),
            entry(Place::Hosts, "/hosts", "Hosts"),
            entry(Place::Alarms, "/alarms", "Alarms"),
            entry(Place::Approvals, "/approvals", "To approve"),
            entry(Place::Reports, "/reports", "Reports"),
        ],
    },
    Group {
        id: "rules",
        word: "What must hold",
        entries: &[
            entry(Place::Policies, "/policies", "Policies"),
            entry(Place::References, "/references", "References"),
            entry(Place::Trust, "/trust", "Trust anchors"),
        ],
    },
    Group {
        id: "administration",
        word: "Administration",
        entries: &[
            entry(Place::Join, "/join", "Join").only(For::Operators),
            entry(Place::People, "/people", "People"),
            entry(Place::Channels, "/channels", "Channels"),
            entry(Place::Audit, "/audit", "Audit"),
            entry(Place::Settings, "/settings", "Settings").only(For::Administrators),
            entry(Place::Help, "/help", "Help"),
        ],
    },
];

/// What the menu calls a place; places that are not in it have no name there.
pub(crate) fn word(place: Place) -> &'static str {
    let mut entries = GROUPS.iter().flat_map(|group| group.entries);
    entries.find(|entry| entry.place == place).map_or("", |entry| entry.word)
}

/// Where the page of this path stands: below the line of the menu that its path begins with.
pub fn place_of(path: &str) -> Place {
    let mut entries = GROUPS.iter().flat_map(|group| group.entries);
    let first = path.split('/').nth(1).unwrap_or_default();
    let is_here =
        |entry: &&Entry| !first.is_empty() && entry.address.strip_prefix('/') == Some(first);
    entries.find(is_here).map_or(Place::Elsewhere, |entry| entry.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_in_the_menu_once() {
        let entries: Vec<_> = GROUPS.iter().flat_map(|group| group.entries).collect();
        for (n, entry) in entries.iter().enumerate() {
            assert!(entries[..n].iter().all(|other| other.address != entry.address));
            assert_eq!(word(entry.place), entry.word);
        }
        assert_eq!(word(Place::Elsewhere), "");
    }

    #[test]
    fn a_path_stands_below_the_line_that_it_begins_with() {
        assert_eq!(place_of("/hosts"), Place::Hosts);
        assert_eq!(place_of("/hosts/6a0c/log"), Place::Hosts);
        assert_eq!(place_of("/help/book/policy"), Place::Help);
        for elsewhere in ["/", "", "/hostsx", "/password", "//hosts"] {
            assert_eq!(place_of(elsewhere), Place::Elsewhere, "{elsewhere}");
        }
    }
}
