//! How the server is set up, and how it is.

use api::{
    policy::PolicyInForce,
    settings::{Setting, Settings, SettingsCheck},
};
use askama::Template;

use crate::{frame::Frame, words::Badge};

/// The page.
#[derive(Debug, Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    /// What stands around it.
    pub frame: Frame,
    /// How the server is set up.
    pub settings: Settings,
    /// What hosts are judged by.
    pub policy: PolicyInForce,
}

pub(crate) fn check(check: &SettingsCheck) -> Badge {
    match check.state.as_str() {
        "ok" => Badge { word: "Well", look: "good" },
        "warn" => Badge { word: "Warning", look: "hold" },
        _ => Badge { word: "Failed", look: "bad" },
    }
}

/// Whether somebody said another value than the program's.
pub(crate) fn is_set(setting: &Setting) -> bool {
    setting.value != setting.default
}

/// What a key means, and its parts where it is a table: those are said as a list, `- `name`: …`.
pub(crate) fn parts(meaning: &str) -> (&str, Vec<String>) {
    let mut pieces = meaning.split(" - `");
    let first = pieces.next().unwrap_or_default();
    (first, pieces.map(|piece| format!("`{piece}")).collect())
}

/// A size in words.
pub(crate) fn size(n_bytes: &u64) -> String {
    const MIB: u64 = 1024 * 1024;
    match n_bytes / MIB {
        0 => format!("{} KiB", n_bytes / 1024),
        1..10_240 => format!("{} MiB", n_bytes / MIB),
        _ => format!("{} GiB", n_bytes / MIB / 1024),
    }
}

/// Seconds since 1970 as milliseconds.
pub(crate) const fn ms(s: &i64) -> i64 {
    s.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_table_are_a_list() {
        let (meaning, named) = parts("Its keys: - `a`: one - two. - `b`, `c`: three.");
        assert_eq!(meaning, "Its keys:");
        assert_eq!(named, ["`a`: one - two.", "`b`, `c`: three."]);
        assert_eq!(parts("One `word`."), ("One `word`.", vec![]));
    }
}
