//! Changes in words.

use tpm_wire::PcrSet;

use crate::compare::{Change, ChangeKind, Pair};
use crate::hint::plain;
use crate::{Hint, Told, What};

/// Words of a command line that are shown as added or removed, and names of certificates.
const SHOWN_MAX: usize = 12;
/// Characters of a text within a sentence.
const SENTENCE_CHARS_MAX: usize = 200;

fn whole(kind: ChangeKind, pcr: Option<u32>, words: &str) -> Change {
    let pcrs = pcr.map_or(PcrSet::EMPTY, |pcr| PcrSet::EMPTY.with(pcr));
    Change { kind, pcrs, event: None, before: None, after: None, words: words.to_owned() }
}

pub(crate) fn nothing_compared() -> Change {
    let words = "the reference says nothing of a PCR that must be equal";
    whole(ChangeKind::Incomparable, None, words)
}

pub(crate) fn incomparable(pcr: u32) -> Change {
    let words = "it cannot be compared: it is not quoted, or its events do not add up to its value \
                 in a bank that the reference knows";
    whole(ChangeKind::Incomparable, Some(pcr), words)
}

pub(crate) fn otherwise(pcr: u32) -> Change {
    whole(
        ChangeKind::Replaced,
        Some(pcr),
        "its events differ in one of the banks or in their order",
    )
}

pub(crate) fn value(pcr: u32) -> Change {
    whole(ChangeKind::Value, Some(pcr), "its value is none of those that the reference names")
}

pub(crate) fn no_image() -> Change {
    let words = "none of the images of the reference was loaded";
    whole(ChangeKind::Removed, Some(crate::baseline::IMAGE_PCR), words)
}

pub(crate) fn change(pcr: u32, pair: Pair) -> Change {
    let Pair { before, after, moved } = pair;
    let event = after.as_ref().map(|(number, _)| *number);
    let after = after.map(|(_, hint)| hint);
    let (kind, words) = match (&before, &after) {
        (_, Some(hint)) if moved => {
            (ChangeKind::Moved, format!("{} is in another place", called(hint)))
        }
        (Some(before), Some(after)) => (ChangeKind::Replaced, replaced(before, after)),
        (None, Some(after)) => (ChangeKind::Added, format!("{} was added", with_text(after))),
        (Some(before), None) => (ChangeKind::Removed, format!("{} is missing", with_text(before))),
        (None, None) => (ChangeKind::Replaced, "an event changed".to_owned()),
    };
    Change { kind, pcrs: PcrSet::EMPTY.with(pcr), event, before, after, words }
}

/// What an event is and what it is called, and whose word that is.
pub(crate) fn called(hint: &Hint) -> String {
    let what = hint.what.words();
    let subject = short(&hint.subject);
    match (hint.subject.is_empty(), hint.told) {
        (true, _) => what.to_owned(),
        (false, Told::Measured) => format!("{what} {subject}"),
        (false, Told::Untrusted) => format!("{what} {subject} (so the host says)"),
    }
}

fn with_text(hint: &Hint) -> String {
    let text = match (hint.names.first(), hint.text.is_empty()) {
        (Some(_), _) => listed(hint.names.iter().map(String::as_str)),
        (None, false) => short(&hint.text),
        (None, true) => return called(hint),
    };
    match (hint.told, hint.subject.is_empty()) {
        (Told::Untrusted, true) => format!("{}: {text} (so the host says)", called(hint)),
        _ => format!("{}: {text}", called(hint)),
    }
}

/// What is there in place of something of the same kind.
fn replaced(before: &Hint, after: &Hint) -> String {
    // Whose word it is counts for both sides.
    let told = match (before.told, after.told) {
        (Told::Measured, Told::Measured) => Told::Measured,
        _ => Told::Untrusted,
    };
    let whose = match told {
        Told::Measured => "",
        Told::Untrusted => " (so the host says)",
    };
    let what = after.what.words();
    if matches!(after.what, What::KernelCommandLine | What::ModuleCommandLine) {
        let changes = word_changes(&before.text, &after.text);
        return format!("{what} changed: {changes}{whose}");
    }
    if !before.names.is_empty() || !after.names.is_empty() {
        let subject = short(&after.subject);
        let mut parts = Vec::new();
        for (side, other, verb) in [(after, before, "added"), (before, after, "removed")] {
            let only = side.names.iter().filter(|name| !other.names.contains(name));
            let only: Vec<&str> = only.map(String::as_str).collect();
            match only.len() {
                0 => {}
                1 => parts.push(format!("1 certificate {verb}: {}", listed(only))),
                n => parts.push(format!("{n} certificates {verb}: {}", listed(only))),
            }
        }
        if before.text != after.text {
            parts.push(format!("{} -> {}", short(&before.text), short(&after.text)));
        }
        if parts.is_empty() {
            parts.push("other entries".to_owned());
        }
        return format!("{what} {subject}: {}{whose}", parts.join("; "));
    }
    let text = |hint: &Hint| match hint.text.is_empty() {
        true => short(&hint.subject),
        false => short(&hint.text),
    };
    match (before.subject == after.subject, before.text == after.text) {
        (true, true) => format!("{} has another content", called(after)),
        (true, false) if after.subject.is_empty() => {
            format!("{what}: {} -> {}{whose}", text(before), text(after))
        }
        (true, false) => {
            let subject = short(&after.subject);
            format!("{what} {subject}: {} -> {}{whose}", text(before), text(after))
        }
        (false, _) => {
            let (before, after) = (short(&before.subject), short(&after.subject));
            format!("{what}: {before} -> {after}{whose}")
        }
    }
}

/// The words that one line has and the other has not: `- quiet, + init=/bin/sh`.
pub(crate) fn word_changes(before: &str, after: &str) -> String {
    let left: Vec<&str> = before.split_ascii_whitespace().collect();
    let right: Vec<&str> = after.split_ascii_whitespace().collect();
    let removed = left.iter().filter(|word| !right.contains(word)).map(|word| format!("- {word}"));
    let added = right.iter().filter(|word| !left.contains(word)).map(|word| format!("+ {word}"));
    let all: Vec<String> = removed.chain(added).collect();
    match all.is_empty() {
        true => "the same words in another order or number".to_owned(),
        false => listed(all.iter().map(String::as_str)),
    }
}

fn listed<'t>(items: impl IntoIterator<Item = &'t str>) -> String {
    let items: Vec<&str> = items.into_iter().collect();
    let mut text =
        items.iter().take(SHOWN_MAX).map(|item| short(item)).collect::<Vec<_>>().join(", ");
    if items.len() > SHOWN_MAX {
        text.push_str(&format!(" and {} more", items.len().saturating_sub(SHOWN_MAX)));
    }
    text
}

fn short(text: &str) -> String {
    match text.chars().nth(SENTENCE_CHARS_MAX) {
        Some(_) => format!("{}…", plain(text, SENTENCE_CHARS_MAX)),
        None => text.to_owned(),
    }
}
