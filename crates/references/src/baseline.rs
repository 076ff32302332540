//! Content that holds together.

use event_log::{EVENTS_MAX, EventType, Log};
use tpm_wire::{Digest, PCR_COUNT, PcrSet, TpmAlgId};

use crate::boot::Boot;
use crate::content::{
    Content, Expected, ExpectedImage, IMAGES_MAX, MANIFEST_FILES_MAX, Manifest, Model, Origin,
    VALUES_MAX,
};
use crate::describe::describe;
use crate::{Hint, NAME_CHARS_MAX, NAMES_MAX, TEXT_CHARS_MAX};

/// What is expected to boot. Made only by [`Self::new`] and [`Self::learn`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    content: Content,
    /// Of each PCR: which events of the content are its own.
    by_pcr: Vec<Vec<usize>>,
    /// Of each PCR: the strong banks in which all of its events have digests.
    banks: Vec<Vec<TpmAlgId>>,
}

/// Why content is no baseline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentFault {
    /// It expects nothing, so that everything would fit.
    #[error("it says nothing of any PCR")]
    Empty,
    /// More than a limit.
    #[error("{what}: {have}, at most {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        have: usize,
        /// How many there may be.
        max: usize,
    },
    /// A PCR over 23.
    #[error("{place}: there is no PCR {pcr_index}")]
    NoPcr {
        /// Which part.
        place: Place,
        /// The PCR.
        pcr_index: u32,
    },
    /// An event of a PCR that is not said to be complete.
    #[error("{place}: PCR {pcr_index} is not among the complete ones")]
    NotComplete {
        /// Which part.
        place: Place,
        /// The PCR.
        pcr_index: u32,
    },
    /// EV_NO_ACTION is not measured.
    #[error("{place}: such an event is not measured")]
    NotMeasured {
        /// Which part.
        place: Place,
    },
    /// A digest of another length than its bank's, or two of one bank.
    #[error("{place}: the digest of bank {alg} does not fit, or is there twice")]
    Digest {
        /// Which part.
        place: Place,
        /// The bank.
        alg: TpmAlgId,
    },
    /// No digest of SHA-256 or better.
    #[error("{place}: no digest of SHA-256 or better")]
    NoStrongDigest {
        /// Which part.
        place: Place,
    },
    /// A manifest of a vendor where the origin is another, or none where it is that.
    #[error("the origin `vendor` and the manifest of a vendor belong together")]
    Manifest,
    /// A text that is too long, or not plain.
    #[error("{place}: a text is empty, over its limit or has control characters")]
    Text {
        /// Which part.
        place: Place,
    },
}

/// A part of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The event of this number, from 0.
    Event(usize),
    /// The value of this number, from 0.
    Value(usize),
    /// The image of this number, from 0.
    Image(usize),
    /// The list of complete PCRs.
    Complete,
    /// What is said of the vendor's manifest.
    Manifest,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Event(n) => write!(f, "events[{n}]"),
            Self::Value(n) => write!(f, "values[{n}]"),
            Self::Image(n) => write!(f, "images[{n}]"),
            Self::Complete => f.write_str("complete_pcrs"),
            Self::Manifest => f.write_str("manifest"),
        }
    }
}

impl Baseline {
    /// `content`, if it holds together: it says something, each digest fits its bank and one of
    /// them is strong, each event belongs to a complete PCR, no limit is passed.
    pub fn new(content: Content) -> Result<Self, ContentFault> {
        check(&content)?;
        let mut by_pcr = vec![Vec::new(); PCR_COUNT];
        for (n, event) in content.events.iter().enumerate() {
            if let Some(events) = slot(event.pcr_index).and_then(|at| by_pcr.get_mut(at)) {
                events.push(n);
            }
        }
        let banks = by_pcr.iter().map(|events| banks_of(&content, events)).collect();
        Ok(Self { content, by_pcr, banks })
    }

    /// What `boot` shows, as what is expected from now on: of each quoted PCR that replays its
    /// events, and that the others that were never extended stay so. PCRs that go on in another
    /// log are left out.
    ///
    /// Trust: only of a boot whose judgement was accepted, or whose change a person accepts.
    pub fn learn(boot: &Boot<'_, '_>) -> Result<Self, ContentFault> {
        let told: PcrSet = (0..24).filter(|pcr| boot.banks_of(*pcr).next().is_some()).collect();
        let untouched = |pcr: &u32| {
            boot.is_untouched(*pcr) && boot.events().all(|event| event.pcr_index != *pcr)
        };
        let complete = (0..24).filter(|pcr| told.contains(*pcr) || untouched(pcr)).collect();
        let format = boot.log.format();
        let events = boot.events().filter(|event| told.contains(event.pcr_index));
        let events = events.map(|event| {
            let banks = boot.banks_of(event.pcr_index);
            let digests = banks.filter_map(|alg| Some((alg, Digest::new(event.digests.of(alg)?)?)));
            Expected {
                pcr_index: event.pcr_index,
                event_type: event.untrusted_event_type,
                digests: digests.collect(),
                hint: describe(event, format),
            }
        });
        Self::new(Content {
            origin: Origin::Learnt,
            manifest: None,
            complete,
            events: events.collect(),
            values: Vec::new(),
            images: Vec::new(),
        })
    }

    /// What a vendor's `log` says of `pcrs`, as what is expected of machines like the one that it
    /// was made on: of those that it has events of.
    ///
    /// Trust: `manifest` must be the one whose verified signature covers the digest of this log.
    pub fn of_manifest(
        log: &Log<'_>,
        pcrs: PcrSet,
        manifest: Manifest,
    ) -> Result<Self, ContentFault> {
        let format = log.format();
        let is_meant =
            |event: &&event_log::Event<'_>| event.is_extended() && pcrs.contains(event.pcr_index);
        let events: Vec<Expected> = log
            .events()
            .iter()
            .filter(is_meant)
            .map(|event| {
                let strong = event.digests.iter().filter(|(alg, _)| alg.is_strong_hash());
                let digests = strong.filter_map(|(alg, digest)| Some((alg, Digest::new(digest)?)));
                Expected {
                    pcr_index: event.pcr_index,
                    event_type: event.untrusted_event_type,
                    digests: digests.collect(),
                    hint: describe(event, format),
                }
            })
            .collect();
        Self::new(Content {
            origin: Origin::Vendor,
            manifest: Some(Box::new(manifest)),
            complete: events.iter().map(|event| event.pcr_index).collect(),
            events,
            values: Vec::new(),
            images: Vec::new(),
        })
    }

    /// What it says.
    pub const fn content(&self) -> &Content {
        &self.content
    }

    /// The PCRs that it says something of.
    pub fn pcrs(&self) -> PcrSet {
        let values: PcrSet = self.content.values.iter().map(|value| value.pcr_index).collect();
        let images = if self.content.images.is_empty() { PcrSet::EMPTY } else { IMAGE_PCRS };
        self.content.complete.union(values).union(images)
    }

    /// The numbers of the events of a PCR.
    pub(crate) fn events_of(&self, pcr_index: u32) -> &[usize] {
        slot(pcr_index).and_then(|at| self.by_pcr.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The `n`th event of a PCR.
    pub(crate) fn event_of(&self, pcr_index: u32, n: usize) -> Option<&Expected> {
        self.content.events.get(*self.events_of(pcr_index).get(n)?)
    }

    /// The strong banks in which all events of a PCR have digests.
    pub(crate) fn banks_of(&self, pcr_index: u32) -> &[TpmAlgId] {
        slot(pcr_index).and_then(|at| self.banks.get(at)).map_or(&[], Vec::as_slice)
    }
}

/// Boot applications are measured here.
pub(crate) const IMAGE_PCR: u32 = 4;
const IMAGE_PCRS: PcrSet = PcrSet::from_octets([1 << 4, 0, 0]);

fn slot(pcr_index: u32) -> Option<usize> {
    usize::try_from(pcr_index).ok().filter(|at| *at < PCR_COUNT)
}

fn banks_of(content: &Content, events: &[usize]) -> Vec<TpmAlgId> {
    let mut events = events.iter().filter_map(|n| content.events.get(*n));
    let Some(first) = events.next() else { return Vec::new() };
    let mut banks: Vec<TpmAlgId> = first.digests.iter().map(|(alg, _)| *alg).collect();
    banks.retain(|alg| alg.is_strong_hash());
    for event in events {
        banks.retain(|alg| event.digests.iter().any(|(have, _)| have == alg));
    }
    banks
}

fn check(content: &Content) -> Result<(), ContentFault> {
    let Content { origin, manifest, complete, events, values, images } = content;
    match (origin, manifest) {
        (Origin::Vendor, Some(manifest)) => check_manifest(manifest)?,
        (Origin::Vendor, None) | (_, Some(_)) => return Err(ContentFault::Manifest),
        (_, None) => {}
    }
    if complete.is_empty() && values.is_empty() && images.is_empty() {
        return Err(ContentFault::Empty);
    }
    at_most("events", events.len(), EVENTS_MAX)?;
    at_most("values", values.len(), VALUES_MAX)?;
    at_most("images", images.len(), IMAGES_MAX)?;
    for (n, event) in events.iter().enumerate() {
        let place = Place::Event(n);
        has_pcr(place, event.pcr_index)?;
        if !complete.contains(event.pcr_index) {
            return Err(ContentFault::NotComplete { place, pcr_index: event.pcr_index });
        }
        if event.event_type == EventType::NO_ACTION {
            return Err(ContentFault::NotMeasured { place });
        }
        check_digests(place, &event.digests)?;
        check_hint(place, &event.hint)?;
    }
    for (n, value) in values.iter().enumerate() {
        let place = Place::Value(n);
        has_pcr(place, value.pcr_index)?;
        at_most("values of one PCR", value.any_of.len(), IMAGES_MAX)?;
        if !value.alg.is_strong_hash() || value.any_of.is_empty() {
            return Err(ContentFault::NoStrongDigest { place });
        }
        let len = value.alg.digest_len();
        if value.any_of.iter().any(|digest| Some(digest.as_bytes().len()) != len) {
            return Err(ContentFault::Digest { place, alg: value.alg });
        }
    }
    for (n, ExpectedImage { digests, hint }) in images.iter().enumerate() {
        check_digests(Place::Image(n), digests)?;
        check_hint(Place::Image(n), hint)?;
    }
    Ok(())
}

const fn at_most(what: &'static str, have: usize, max: usize) -> Result<(), ContentFault> {
    if have > max { Err(ContentFault::TooMany { what, have, max }) } else { Ok(()) }
}

fn has_pcr(place: Place, pcr_index: u32) -> Result<(), ContentFault> {
    slot(pcr_index).map(|_| ()).ok_or(ContentFault::NoPcr { place, pcr_index })
}

fn check_digests(place: Place, digests: &[(TpmAlgId, Digest)]) -> Result<(), ContentFault> {
    let mut rest = digests;
    while let Some(((alg, digest), behind)) = rest.split_first() {
        let fits = alg.digest_len() == Some(digest.as_bytes().len());
        if !fits || behind.iter().any(|(other, _)| other == alg) {
            return Err(ContentFault::Digest { place, alg: *alg });
        }
        rest = behind;
    }
    let strong = digests.iter().any(|(alg, _)| alg.is_strong_hash());
    if strong { Ok(()) } else { Err(ContentFault::NoStrongDigest { place }) }
}

fn check_manifest(manifest: &Manifest) -> Result<(), ContentFault> {
    let Manifest { model, id, signer, files, .. } = manifest;
    let Model { system_vendor, product_name, firmware_version } = model;
    at_most("files of the manifest", files.len(), MANIFEST_FILES_MAX)?;
    let named = [system_vendor, product_name, firmware_version, id, signer];
    let mut texts = named.into_iter().chain(files.iter().map(|(name, _)| name));
    let all = texts.all(|text| !text.is_empty() && fits(text, NAME_CHARS_MAX));
    if all { Ok(()) } else { Err(ContentFault::Text { place: Place::Manifest }) }
}

fn fits(text: &str, chars_max: usize) -> bool {
    text.chars().take(chars_max.saturating_add(1)).count() <= chars_max
        && !text.chars().any(char::is_control)
}

fn check_hint(place: Place, hint: &Hint) -> Result<(), ContentFault> {
    let all = fits(&hint.subject, NAME_CHARS_MAX)
        && fits(&hint.text, TEXT_CHARS_MAX)
        && hint.names.len() <= NAMES_MAX
        && hint.names.iter().all(|name| fits(name, NAME_CHARS_MAX));
    if all { Ok(()) } else { Err(ContentFault::Text { place }) }
}
