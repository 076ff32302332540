//! Events in places where the firmware's order has none.

use crate::view::View;

/// Events in a place where the firmware's order has none: the first, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misplaced {
    /// Number of the first.
    pub first: u32,
    /// Its PCR.
    pub pcr_index: u32,
    /// How many there are.
    pub n: usize,
}

impl Misplaced {
    fn note(found: &mut Option<Self>, event: u32, pcr_index: u32) {
        match found {
            Some(found) => found.n = found.n.saturating_add(1),
            None => *found = Some(Self { first: event, pcr_index, n: 1 }),
        }
    }
}

/// What was measured into PCR 0 behind its last separator. The digests of that PCR cover the order. The
/// firmware's own code is measured before it hands over; in the other PCRs loaders may load drivers,
/// and some firmware measures tables and entries at each attempt.
pub(crate) fn read_late(view: &View<'_, '_, '_>) -> Option<Misplaced> {
    let mut found = None;
    let mut is_behind = false;
    for event in view.events().filter(|event| event.pcr_index == 0) {
        // The last one counts: a second is a problem of its own, and some firmware measures four zero
        // bytes for a part of its root of trust that is not there.
        if view.separator_value(event).is_some() {
            is_behind = true;
            found = None;
        } else if is_behind && view.replayed.covers(event) {
            Misplaced::note(&mut found, event.number, 0);
        }
    }
    found
}

/// What the log has of PCRs 8 to 15 before the first separator of PCRs 0 to 6: those are of loaders
/// and operating systems. No digest covers the order of two PCRs, so this is what the log says.
pub(crate) fn read_early(view: &View<'_, '_, '_>) -> Option<Misplaced> {
    let mut found = None;
    for event in view.events() {
        if event.pcr_index <= 6 && view.separator_value(event).is_some() {
            return found;
        }
        if (8..=15).contains(&event.pcr_index) && view.replayed.covers(event) {
            Misplaced::note(&mut found, event.number, event.pcr_index);
        }
    }
    // Without a separator nothing is before it.
    None
}
