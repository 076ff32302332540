//! Recovery keys of ESXi's sealed configuration: sixteen groups of six digits with hyphens between, as
//! `esxcli system settings encryption recovery list` shows them behind an identifier in braces.

use crate::{Removed, Secret};

const GROUP_DIGITS: usize = 6;
/// Groups in a row that nothing else has. A key that was wrapped may begin with fewer: see `after_id`.
const GROUPS_MIN: usize = 4;
/// Groups with blanks between, as people write them down: tables of numbers have them, too, so it
/// takes more.
const SPACED_GROUPS_MIN: usize = 8;

/// Takes recovery keys out of line after line.
#[derive(Debug, Default)]
pub(crate) struct RecoveryKeys {
    /// Whether the last line ended in a key, so that this one may go on with it.
    wraps: bool,
}

impl RecoveryKeys {
    pub(crate) fn take_out(&mut self, line: &str, removed: &mut Removed) -> String {
        let is_of_key = |c: char| c.is_ascii_digit() || c == '-';
        let trimmed = line.trim();
        if self.wraps && !trimmed.is_empty() && trimmed.chars().all(is_of_key) {
            return line.replace(trimmed, &Secret::RecoveryKey.mark());
        }
        self.wraps = false;
        let mut kept = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(is_of_key) {
            let (front, run) = rest.split_at(at);
            let (run, behind) = run.split_at(run.find(|c| !is_of_key(c)).unwrap_or(run.len()));
            kept.push_str(front);
            let n_groups = run.split('-').filter(|group| group.len() == GROUP_DIGITS).count();
            // Behind an identifier whatever is there is a key, or the beginning of one.
            if n_groups >= GROUPS_MIN || is_after_id(&kept) {
                kept.push_str(&Secret::RecoveryKey.mark());
                removed.count(Secret::RecoveryKey);
                self.wraps = behind.trim().is_empty();
            } else {
                kept.push_str(run);
            }
            rest = behind;
        }
        kept.push_str(rest);
        spaced(kept, removed)
    }
}

/// Whether `front` ends with an identifier in braces and blanks.
fn is_after_id(front: &str) -> bool {
    let trimmed = front.trim_end();
    let Some(id) = trimmed.strip_suffix('}').filter(|_| trimmed.len() < front.len()) else {
        return false;
    };
    let id = id.rsplit('{').next().unwrap_or_default();
    id.len() == 36 && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Groups with blanks between.
fn spaced(line: String, removed: &mut Removed) -> String {
    let is_group =
        |word: &str| word.len() == GROUP_DIGITS && word.chars().all(|c| c.is_ascii_digit());
    let mut n_in_row = 0_usize;
    let is_key = line.split_whitespace().any(|word| {
        n_in_row = if is_group(word) { n_in_row + 1 } else { 0 };
        n_in_row >= SPACED_GROUPS_MIN
    });
    if !is_key {
        return line;
    }
    removed.count(Secret::RecoveryKey);
    let words = line.split(' ').map(|word| if is_group(word.trim()) { "*" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
