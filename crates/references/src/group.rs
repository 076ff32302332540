//! One cause that shows in several PCRs, told once.

use tpm_wire::PcrSet;

use crate::compare::{Change, ChangeKind};
use crate::{Hint, Told, What};

/// How the files of a kernel begin; what follows is its version.
const KERNEL_FILES: [&str; 5] = ["vmlinuz-", "initrd.img-", "initramfs-", "initrd-", "kernel-"];

/// Who vouched for what was loaded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signers {
    /// PCR 7 is compared and equal: the same keys as before.
    Same,
    /// Nothing says that they are the same.
    Unknown,
}

/// Tells an update of the kernel and one of the firmware as one change each.
pub(crate) fn grouped(changes: Vec<Change>, signers: Signers) -> Vec<Change> {
    let changes = kernel(changes, signers);
    firmware(changes)
}

/// A measured text names the versions; what differs by them alone belongs to it, and so does the
/// image without a name that a loader brought into memory.
fn kernel(changes: Vec<Change>, signers: Signers) -> Vec<Change> {
    let measured = |hint: &Hint| hint.told == Told::Measured;
    let versions = changes.iter().find_map(|change| {
        let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
        let (from, to) = (version_in(before)?, version_in(after)?);
        (measured(before) && measured(after) && from != to).then_some((from, to))
    });
    let Some((from, to)) = versions else { return changes };
    let belongs = |change: &Change| {
        let (Some(before), Some(after)) = (&change.before, &change.after) else { return false };
        let renamed = |a: &str, b: &str| a.replace(&from, &to) == b;
        let by_name = change.kind == ChangeKind::Replaced
            && before.what == after.what
            && (before.subject != after.subject || before.text != after.text)
            && renamed(&before.subject, &after.subject)
            && renamed(&before.text, &after.text);
        let in_memory = change.kind == ChangeKind::Replaced
            && before.what == What::Application
            && after.what == What::Application
            && before.subject.is_empty()
            && after.subject.is_empty();
        by_name || in_memory
    };
    let signers = match signers {
        Signers::Same => ", same signers",
        Signers::Unknown => "",
    };
    folded(changes, belongs, format!("kernel: {from} -> {to}{signers}"))
}

/// The version in the first name of a kernel's file that a hint has.
fn version_in(hint: &Hint) -> Option<String> {
    let words = hint.subject.split_ascii_whitespace().chain(hint.text.split_ascii_whitespace());
    words.into_iter().find_map(|word| {
        let file = word.rsplit('/').next()?;
        let version = KERNEL_FILES.iter().find_map(|start| file.strip_prefix(start))?;
        let version = version.trim_end_matches(".img");
        (version.starts_with(|c: char| c.is_ascii_digit())).then(|| version.to_owned())
    })
}

/// Code of the firmware that changed along with its version.
fn firmware(changes: Vec<Change>) -> Vec<Change> {
    let version = changes.iter().find(|change| {
        let is_version = |hint: &Option<Hint>| {
            hint.as_ref().is_some_and(|hint| hint.what == What::FirmwareVersion)
        };
        change.kind == ChangeKind::Replaced
            && is_version(&change.before)
            && is_version(&change.after)
    });
    let Some(words) = version.map(|change| change.words.clone()) else { return changes };
    let is_firmware = |hint: &Option<Hint>| {
        let kinds = [What::FirmwareVersion, What::FirmwareCode];
        hint.as_ref().is_none_or(|hint| kinds.contains(&hint.what))
    };
    let belongs = |change: &Change| {
        change.pcrs == PcrSet::EMPTY.with(0)
            && is_firmware(&change.before)
            && is_firmware(&change.after)
            && (change.before.is_some() || change.after.is_some())
    };
    folded(changes, belongs, words)
}

/// `changes` with those that belong together as one, in the place of the first.
fn folded(changes: Vec<Change>, belongs: impl Fn(&Change) -> bool, words: String) -> Vec<Change> {
    let mut out: Vec<Change> = Vec::new();
    let mut place = None;
    for change in changes {
        if !belongs(&change) {
            out.push(change);
            continue;
        }
        match place.and_then(|at: usize| out.get_mut(at)) {
            Some(first) => first.pcrs = first.pcrs.union(change.pcrs),
            None => {
                place = Some(out.len());
                out.push(Change { words: words.clone(), ..change });
            }
        }
    }
    out
}
