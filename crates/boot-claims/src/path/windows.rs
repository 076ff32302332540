//! What Windows says of its boot: TPM counters of its boots, and waking from hibernation.

use event_log::untrusted::{EventData, SipaValue, TagValue, TaggedEvents};
use event_log::{Event, EventType, hash};

use crate::belief::Belief;
use crate::view::View;

/// The PCR of Windows' boot manager.
const PCR: u32 = 12;

/// What ends its part of that PCR.
const END: &[u8] = b"WBCL";

const BOOT_COUNTER: u32 = 0x0002_0002;
const TRANSFER_CONTROL: u32 = 0x0002_0003;
const EVENT_COUNTER: u32 = 0x0002_0006;

/// What Windows' boot manager measured of its boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowsBoot {
    /// Number of the event.
    pub event: u32,
    /// How often it booted, by a counter in the TPM's own memory: SIPAEVENT_BOOTCOUNTER. It only
    /// grows, so that a log of an earlier boot has a smaller one.
    pub boot_count: Option<u64>,
    /// How many events it counted, which only grows too.
    pub event_count: Option<u64>,
    /// Whether it woke a system from hibernation instead of starting one: SIPAEVENT_TRANSFER_CONTROL
    /// names whom it handed over to, 1 the loader.
    pub resumed: Option<bool>,
    /// Whether all of this is what was measured.
    pub belief: Belief,
}

/// Reads the first container of the boot manager that counts boots or hands over, before its
/// separator: behind that, anybody may have written.
pub(super) fn read(view: &View<'_, '_, '_>) -> Option<WindowsBoot> {
    let of_pcr = view.events().filter(|event| event.pcr_index == PCR);
    let before_end = of_pcr.take_while(|event| !is_end(event));
    let tagged = before_end.filter(|event| event.untrusted_event_type == EventType::EVENT_TAG);
    let mut boots = tagged.filter_map(|event| {
        let EventData::Tagged(tags) = EventData::read(event, view.replayed.log().format()) else {
            return None;
        };
        let mut boot = WindowsBoot {
            event: event.number,
            boot_count: None,
            event_count: None,
            resumed: None,
            belief: view.belief(event),
        };
        note(&mut boot, &tags);
        (boot.boot_count.is_some() || boot.resumed.is_some()).then_some(boot)
    });
    boots.next()
}

/// The first value of each counts, as of each fact of a boot.
fn note(boot: &mut WindowsBoot, tags: &TaggedEvents<'_>) {
    for tag in tags.iter() {
        match (tag.id, tag.value()) {
            (_, TagValue::Container(inner)) => note(boot, &inner),
            (BOOT_COUNTER, TagValue::Sipa(SipaValue::Number(n))) => {
                boot.boot_count = boot.boot_count.or(Some(n));
            }
            (EVENT_COUNTER, TagValue::Sipa(SipaValue::Number(n))) => {
                boot.event_count = boot.event_count.or(Some(n));
            }
            (TRANSFER_CONTROL, TagValue::Sipa(SipaValue::Number(to))) => {
                boot.resumed = boot.resumed.or(Some(to != 1));
            }
            _ => {}
        }
    }
}

fn is_end(event: &Event<'_>) -> bool {
    event
        .digests
        .iter()
        .any(|(alg, digest)| hash(alg, &[END]).is_some_and(|end| end.as_bytes() == digest))
}
