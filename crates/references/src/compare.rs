//! What changed.

use std::collections::HashMap;

use event_log::Event;
use tpm_wire::PcrSet;
use verify::UnixTime;

use crate::agree::{Agreement, Banks};
use crate::baseline::{Baseline, IMAGE_PCR};
use crate::boot::Boot;
use crate::describe::describe;
use crate::differ::{Step, steps};
use crate::group::{Signers, grouped};
use crate::{Hint, IgnoreRule, Rules, words};

/// Changes that are told one by one; past that they are counted. Nobody reads more, and a log of
/// somebody who wants to flood a page has 30,000.
pub const CHANGES_MAX: usize = 128;

/// How something changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It was measured and is not expected.
    Added,
    /// It is expected and was not measured.
    Removed,
    /// Something else was measured in its place.
    Replaced,
    /// It was measured in another place of its PCR.
    Moved,
    /// The value of the PCR is none of those that are expected.
    Value,
    /// The boot does not tell.
    Incomparable,
}

impl ChangeKind {
    /// The word in findings and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Replaced => "replaced",
            Self::Moved => "moved",
            Self::Value => "value",
            Self::Incomparable => "incomparable",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// The PCRs in which it shows.
    pub pcrs: PcrSet,
    /// The event of the boot's log, where there is one.
    pub event: Option<u32>,
    /// What was expected.
    pub before: Option<Hint>,
    /// What was measured.
    pub after: Option<Hint>,
    /// All of that in words, without the PCRs. What no digest covers is said to be the host's word.
    pub words: String,
}

/// A boot beside what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The PCRs that must be equal.
    pub agreement: Agreement,
    /// What changed in them, one cause in several PCRs told once.
    pub changes: Vec<Change>,
    /// Changes beyond [`CHANGES_MAX`].
    pub n_more: usize,
    /// What changed in them and is set aside, each with the number of its rule.
    pub ignored: Vec<(Change, usize)>,
    /// What changed in the others.
    pub varied: Vec<Change>,
}

impl Comparison {
    /// The comparison of a boot whose held PCRs [agree](Agreement::is_match).
    pub const fn equal(agreement: Agreement, varied: Vec<Change>) -> Self {
        Self { agreement, changes: Vec::new(), n_more: 0, ignored: Vec::new(), varied }
    }

    /// Whether the boot is what is expected, but for what is set aside. Nothing compared is no
    /// agreement.
    pub fn is_match(&self) -> bool {
        self.changes.is_empty()
            && self.n_more == 0
            && self.agreement.incomparable.is_empty()
            && !(self.agreement.equal.is_empty() && self.ignored.is_empty())
    }
}

impl Baseline {
    /// Compares `boot` with what is expected, at `now`, and tells what changed.
    pub fn compare(&self, boot: &Boot<'_, '_>, rules: &Rules, now: UnixTime) -> Comparison {
        let agreement = self.agrees(boot, rules.pcrs);
        let mut held = Differences { left: CHANGES_MAX, ..Differences::default() };
        if agreement.equal.union(agreement.differing).union(agreement.incomparable).is_empty() {
            held.push(words::nothing_compared());
        }
        for pcr in agreement.incomparable.iter() {
            held.push(words::incomparable(pcr));
        }
        for pcr in agreement.differing.iter() {
            let before = held.n();
            self.differences(boot, pcr, &mut held);
            if held.n() == before {
                // The banks do not tell the same story, or only their order differs.
                held.push(words::otherwise(pcr));
            }
        }
        let mut ignored = Vec::new();
        let mut changes = Vec::new();
        for change in held.changes {
            match rules.ignore.iter().position(|rule| is_ignored(&change, rule, now)) {
                Some(rule) => ignored.push((change, rule)),
                None => changes.push(change),
            }
        }
        let signers = match agreement.equal.contains(7) {
            true => Signers::Same,
            false => Signers::Unknown,
        };
        let changes = grouped(changes, signers);
        let varied = self.varied(boot, rules.pcrs);
        Comparison { agreement, changes, n_more: held.n_more, ignored, varied }
    }

    /// What changed in the PCRs that need not be equal.
    pub fn varied(&self, boot: &Boot<'_, '_>, held: PcrSet) -> Vec<Change> {
        let others = self.agrees(boot, PcrSet::ALL.minus(held)).differing;
        let mut differences = Differences { left: CHANGES_MAX, ..Differences::default() };
        others.iter().for_each(|pcr| self.differences(boot, pcr, &mut differences));
        differences.changes
    }

    fn differences(&self, boot: &Boot<'_, '_>, pcr: u32, out: &mut Differences) {
        if self.content().complete.contains(pcr) {
            self.event_differences(boot, pcr, out);
        } else if pcr == IMAGE_PCR && !self.content().images.is_empty() {
            self.image_differences(boot, out);
        }
        let mut values = self.content().values.iter().filter(|value| value.pcr_index == pcr);
        let is_wrong = values.any(|value| {
            let bank = boot.quoted.iter().find(|bank| bank.alg() == value.alg);
            let quoted = bank.and_then(|bank| bank.get(pcr));
            quoted.is_some_and(|quoted| !value.any_of.contains(quoted))
        });
        if is_wrong {
            out.push(words::value(pcr));
        }
    }

    fn event_differences(&self, boot: &Boot<'_, '_>, pcr: u32, out: &mut Differences) {
        let events: Vec<&Event<'_>> =
            boot.events().filter(|event| event.pcr_index == pcr).collect();
        let banks = Banks::common(self, boot, pcr);
        let expected = self.events_of(pcr).iter().filter_map(|n| self.content().events.get(*n));
        // Equal events get equal numbers: type and all digests that both sides can have.
        let mut ids: HashMap<(u32, Vec<u8>), u32> = HashMap::new();
        let mut id = |key| {
            let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            *ids.entry(key).or_insert(next)
        };
        let left: Vec<u32> = expected
            .map(|event| {
                let digest = |alg| event.digests.iter().find(|(have, _)| *have == alg);
                let mut key = Vec::new();
                banks.iter().filter_map(digest).for_each(|(_, d)| key.extend(d.as_bytes()));
                id((event.event_type.0, key))
            })
            .collect();
        let right: Vec<u32> = events
            .iter()
            .map(|event| {
                let mut key = Vec::new();
                banks.iter().filter_map(|alg| event.digests.of(alg)).for_each(|d| key.extend(d));
                id((event.untrusted_event_type.0, key))
            })
            .collect();
        let format = boot.log.format();
        let after = |to: usize| events.get(to).map(|event| (event.number, describe(event, format)));
        let before = |from: usize| self.event_of(pcr, from).map(|event| event.hint.clone());
        for pair in paired(steps(&left, &right), &before, &after, out) {
            out.push(words::change(pcr, pair));
        }
    }

    fn image_differences(&self, boot: &Boot<'_, '_>, out: &mut Differences) {
        let format = boot.log.format();
        let mut n_images = 0usize;
        for event in boot.events().filter(|event| event.pcr_index == IMAGE_PCR) {
            match self.image_of(boot, event) {
                Ok(Some(_)) => n_images = n_images.saturating_add(1),
                Ok(None) => {}
                Err(_) if out.is_full() => out.n_more = out.n_more.saturating_add(1),
                Err(_) => {
                    let after = Some((event.number, describe(event, format)));
                    out.push(words::change(IMAGE_PCR, Pair { before: None, after, moved: false }));
                }
            }
        }
        if n_images == 0 {
            out.push(words::no_image());
        }
    }
}

/// Changes of several PCRs, and how many more there are.
#[derive(Default)]
pub(crate) struct Differences {
    changes: Vec<Change>,
    left: usize,
    n_more: usize,
}

impl Differences {
    fn push(&mut self, change: Change) {
        match self.left {
            0 => self.n_more = self.n_more.saturating_add(1),
            _ => {
                self.left = self.left.saturating_sub(1);
                self.changes.push(change);
            }
        }
    }

    const fn n(&self) -> usize {
        self.changes.len().saturating_add(self.n_more)
    }

    const fn is_full(&self) -> bool {
        self.left == 0
    }
}

/// What was expected and what is there in its place.
pub(crate) struct Pair {
    pub(crate) before: Option<Hint>,
    pub(crate) after: Option<(u32, Hint)>,
    pub(crate) moved: bool,
}

/// Pairs what is missing with what is there in its place: between the same two equal events, and of
/// the same kind; first of all with the same subject.
fn paired(
    steps: Vec<Step>,
    before: &dyn Fn(usize) -> Option<Hint>,
    after: &dyn Fn(usize) -> Option<(u32, Hint)>,
    out: &mut Differences,
) -> Vec<Pair> {
    // Half of the changes may be one side of a pair.
    let told = out.left.saturating_mul(2).min(steps.len());
    out.n_more = out.n_more.saturating_add(steps.len().saturating_sub(told));
    let mut pairs: Vec<Pair> = Vec::new();
    let mut open: Vec<(usize, Hint)> = Vec::new();
    let (mut n_removed, mut n_added) = (0usize, 0usize);
    // All removed ones first: an added one looks for its partner among them.
    for step in steps.iter().take(told) {
        if let Step::Removed(from) = step {
            let gap = from.saturating_sub(n_removed);
            n_removed = n_removed.saturating_add(1);
            open.extend(before(*from).map(|hint| (gap, hint)));
        }
    }
    for step in steps.iter().take(told) {
        match step {
            Step::Removed(_) => {}
            Step::Moved(from, to) => {
                pairs.push(Pair { before: before(*from), after: after(*to), moved: true });
            }
            Step::Added(to) => {
                let gap = to.saturating_sub(n_added);
                n_added = n_added.saturating_add(1);
                let Some((number, hint)) = after(*to) else { continue };
                let of_kind = |(at, other): &(usize, Hint)| *at == gap && other.what == hint.what;
                let same = |open: &(usize, Hint)| of_kind(open) && open.1.subject == hint.subject;
                let place = open.iter().position(same).or_else(|| open.iter().position(of_kind));
                let before = place.map(|place| open.remove(place).1);
                pairs.push(Pair { before, after: Some((number, hint)), moved: false });
            }
        }
    }
    let removed = open.into_iter();
    pairs.extend(removed.map(|(_, hint)| Pair { before: Some(hint), after: None, moved: false }));
    pairs
}

/// Whether a rule sets `change` aside: in one PCR, and each side that there is must be covered.
fn is_ignored(change: &Change, rule: &IgnoreRule, now: UnixTime) -> bool {
    let mut sides = change.before.iter().chain(&change.after).peekable();
    change.pcrs == PcrSet::EMPTY.with(rule.pcr_index)
        && change.kind != ChangeKind::Incomparable
        && sides.peek().is_some()
        && sides.all(|hint| rule.covers(rule.pcr_index, hint, now))
}
