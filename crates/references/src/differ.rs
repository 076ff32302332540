//! Two sequences of events: what is only in one, what moved. Bounded work, whatever a host sends.

use std::collections::HashMap;

/// Events of one PCR on either side that are put into the order of change. Real logs have below
/// 200 in one PCR; a table over more than these squared would cost megabytes for a log that nobody
/// reads event by event.
const TABLE_MAX: usize = 512;

/// One step from what was expected to what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The expected event of this place is missing here.
    Removed(usize),
    /// The event of this place is not expected here.
    Added(usize),
    /// The event of the first place is at the second one.
    Moved(usize, usize),
}

/// The steps from `expected` to `actual`, both as numbers that are equal for equal events; in the
/// order of the sequences. Empty for equal sequences only.
pub(crate) fn steps(expected: &[u32], actual: &[u32]) -> Vec<Step> {
    let start = expected.iter().zip(actual).take_while(|(a, b)| a == b).count();
    let (left, right) = (rest(expected, start), rest(actual, start));
    let behind = left.iter().rev().zip(right.iter().rev()).take_while(|(a, b)| a == b).count();
    let left = left.get(..left.len().saturating_sub(behind)).unwrap_or(&[]);
    let right = right.get(..right.len().saturating_sub(behind)).unwrap_or(&[]);
    let steps = match left.len() <= TABLE_MAX && right.len() <= TABLE_MAX {
        true => by_table(left, right),
        false => by_count(left, right),
    };
    let at = |place: usize| place.saturating_add(start);
    let steps = steps.into_iter().map(|step| match step {
        Step::Removed(from) => Step::Removed(at(from)),
        Step::Added(to) => Step::Added(at(to)),
        Step::Moved(from, to) => Step::Moved(at(from), at(to)),
    });
    with_moves(steps.collect(), expected, actual)
}

fn rest(items: &[u32], from: usize) -> &[u32] {
    items.get(from..).unwrap_or(&[])
}

/// By the longest common subsequence.
fn by_table(left: &[u32], right: &[u32]) -> Vec<Step> {
    let width = right.len().saturating_add(1);
    let mut lengths = vec![0u16; width.saturating_mul(left.len().saturating_add(1))];
    let at = |i: usize, j: usize| i.saturating_mul(width).saturating_add(j);
    // From the end, so that the walk below goes forward.
    for (i, a) in left.iter().enumerate().rev() {
        for (j, b) in right.iter().enumerate().rev() {
            let of = |i, j| lengths.get(at(i, j)).copied().unwrap_or(0);
            let (down, across) = (i.saturating_add(1), j.saturating_add(1));
            let best = match a == b {
                true => of(down, across).saturating_add(1),
                false => of(down, j).max(of(i, across)),
            };
            if let Some(slot) = lengths.get_mut(at(i, j)) {
                *slot = best;
            }
        }
    }
    let of = |i, j| lengths.get(at(i, j)).copied().unwrap_or(0);
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < left.len() || j < right.len() {
        let (down, across) = (i.saturating_add(1), j.saturating_add(1));
        match (left.get(i), right.get(j)) {
            (Some(a), Some(b)) if a == b => (i, j) = (down, across),
            (Some(_), None) => {
                steps.push(Step::Removed(i));
                i = down;
            }
            (None, _) => {
                steps.push(Step::Added(j));
                j = across;
            }
            (Some(_), Some(_)) if of(down, j) >= of(i, across) => {
                steps.push(Step::Removed(i));
                i = down;
            }
            (Some(_), Some(_)) => {
                steps.push(Step::Added(j));
                j = across;
            }
        }
    }
    steps
}

/// By how often each event occurs; the order is not looked at, and if only that differs the first
/// place says so.
fn by_count(left: &[u32], right: &[u32]) -> Vec<Step> {
    let only_in = |these: &[u32], those: &[u32]| {
        let mut left_over: HashMap<u32, usize> = HashMap::new();
        those.iter().for_each(|id| {
            let n = left_over.entry(*id).or_default();
            *n = n.saturating_add(1);
        });
        let mut only = Vec::new();
        for (place, id) in these.iter().enumerate() {
            match left_over.get_mut(id) {
                Some(n) if *n > 0 => *n = n.saturating_sub(1),
                _ => only.push(place),
            }
        }
        only
    };
    let removed = only_in(left, right).into_iter().map(Step::Removed);
    let mut steps: Vec<_> = removed.collect();
    steps.extend(only_in(right, left).into_iter().map(Step::Added));
    if steps.is_empty() && left != right {
        steps.push(Step::Moved(0, 0));
    }
    steps
}

/// Where the same event is removed in one place and added in another, it moved.
fn with_moves(steps: Vec<Step>, expected: &[u32], actual: &[u32]) -> Vec<Step> {
    let mut removed: HashMap<u32, Vec<usize>> = HashMap::new();
    for step in steps.iter().rev() {
        if let Step::Removed(from) = step
            && let Some(id) = expected.get(*from)
        {
            removed.entry(*id).or_default().push(*from);
        }
    }
    let mut moved_from = std::collections::HashSet::new();
    let mut out = Vec::with_capacity(steps.len());
    for step in steps {
        let from = match step {
            Step::Added(to) => actual
                .get(to)
                .and_then(|id| removed.get_mut(id))
                .and_then(Vec::pop)
                .map(|f| (f, to)),
            Step::Removed(_) | Step::Moved(..) => None,
        };
        match from {
            Some((from, to)) => {
                moved_from.insert(from);
                out.push(Step::Moved(from, to));
            }
            None => out.push(step),
        }
    }
    out.retain(|step| !matches!(step, Step::Removed(from) if moved_from.contains(from)));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_tell_added_removed_and_moved() {
        assert_eq!(steps(&[1, 2, 3], &[1, 2, 3]), []);
        assert_eq!(steps(&[1, 2, 3], &[1, 3]), [Step::Removed(1)]);
        assert_eq!(steps(&[1, 3], &[1, 2, 3]), [Step::Added(1)]);
        assert_eq!(steps(&[1, 2, 3], &[1, 4, 3]), [Step::Removed(1), Step::Added(1)]);
        assert_eq!(steps(&[1, 2, 3, 4], &[2, 3, 1, 4]), [Step::Moved(0, 2)]);
        assert_eq!(steps(&[], &[7]), [Step::Added(0)]);
        assert_eq!(steps(&[7], &[7, 7]), [Step::Added(1)]);
    }

    #[test]
    fn sequences_that_differ_always_have_a_step() {
        let long: Vec<u32> = (0..2000).collect();
        let mut turned = long.clone();
        turned.reverse();
        assert!(!steps(&long, &turned).is_empty());
        let mut one_less = turned.clone();
        one_less.pop();
        assert_eq!(steps(&long, &one_less), [Step::Removed(0)]);
        // Every pair of short sequences over two events.
        let all: Vec<Vec<u32>> =
            (0..64u32).map(|n| (0..n % 7).map(|i| n >> i & 1).collect()).collect();
        for a in &all {
            for b in &all {
                assert_eq!(steps(a, b).is_empty(), a == b, "{a:?} {b:?}");
            }
        }
    }
}
