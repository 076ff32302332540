//! Sections of a unified kernel image in PCR 11: a name, and behind it the content. [UAPI.5]

use event_log::untrusted::UkiSection;
use event_log::{Event, hash};

use crate::belief::Belief;
use crate::view::View;

/// The event of a name whose content has not come yet.
#[derive(Clone, Copy)]
struct Name {
    section: UkiSection,
    event: u32,
    is_measured: bool,
}

/// Pairs names with contents.
#[derive(Default)]
pub(super) struct Sections {
    name: Option<Name>,
}

impl Sections {
    /// Something else was measured into the PCR of sections: a content comes right behind its name.
    pub(super) fn interrupted(&mut self) {
        self.name = None;
    }

    /// `Some` where `event` is the content of `section`: the event of its name, and whether that
    /// name was measured. The data of both is the name, which the first one measures with its NUL.
    pub(super) fn content(
        &mut self,
        view: &View<'_, '_, '_>,
        event: &Event<'_>,
        section: UkiSection,
    ) -> Option<(Option<u32>, Belief)> {
        match self.name.take().filter(|name| name.section == section) {
            Some(name) => {
                let belief = match view.belief(event) {
                    Belief::Unverifiable(crate::Doubt::DataNotMeasured) if name.is_measured => {
                        Belief::Verified
                    }
                    other => other,
                };
                Some((Some(name.event), belief))
            }
            None if is_of_name(event, section) => {
                let (event, is_measured) = (event.number, view.replayed.covers(event));
                self.name = Some(Name { section, event, is_measured });
                None
            }
            None => Some((None, view.belief(event))),
        }
    }
}

/// Whether each digest that we have a hash for is of the name.
fn is_of_name(event: &Event<'_>, section: UkiSection) -> bool {
    let name = section.name().as_bytes();
    let mut digests = event
        .digests
        .iter()
        .filter_map(|(alg, digest)| Some(hash(alg, &[name, &[0]])?.as_bytes() == digest));
    // None that could be compared is no match.
    digests.next() == Some(true) && digests.all(|same| same)
}
