//! The menu: what one does each day, what decides how hosts stand, and how the server is run.
//!
//! Beside the page where there is room for it; where there is not, behind a button that works without script.

use crate::frame::Place;

/// A line of the menu.
pub(crate) struct Entry {
    pub(crate) place: Place,
    pub(crate) address: &'static str,
    pub(crate) word: &'static str,
}

/// Lines that belong together.
pub(crate) struct Group {
    /// Names it in the page.
    pub(crate) id: &'static str,
    pub(crate) word: &'static str,
    pub(crate) entries: &'static [Entry],
}

const fn entry(place: Place, address: &'static str, word: &'static str) -> Entry {
    Entry { place, address, word }
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
            entry(Place::Join, "/join", "Join"),
            entry(Place::People, "/people", "People"),
            entry(Place::Channels, "/channels", "Channels"),
            entry(Place::Audit, "/audit", "Audit"),
            entry(Place::Settings, "/settings", "Settings"),
            entry(Place::Help, "/help", "Help"),
        ],
    },
];

/// What the menu calls a place; places that are not in it have no name there.
pub(crate) fn word(place: Place) -> &'static str {
    let mut entries = GROUPS.iter().flat_map(|group| group.entries);
    entries.find(|entry| entry.place == place).map_or("", |entry| entry.word)
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
}
