//! A log that could be read, and its events.

use core::fmt;

use efi::Ascii;
use tpm_wire::TpmAlgId;

use crate::event_type::EventType;
use crate::problem::Problem;
use crate::spec_id::{SpecId, declared_len, pairs};

/// The PCR index of events that belong to no PCR; allowed only in EV_NO_ACTION.
pub const NO_PCR: u32 = u32::MAX;

/// What [`parse`](crate::parse) gives: the events that could be read, and why it stopped.
#[derive(Clone, Debug)]
pub struct Parsed<'a> {
    /// The events up to the first problem.
    pub log: Log<'a>,
    /// Empty where the whole log was read.
    pub problems: Vec<Problem>,
}

/// The two formats of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format<'a> {
    /// TCG_PCR_EVENT2 records behind a Spec ID event.
    CryptoAgile(SpecId<'a>),
    /// TCG_PCClientPCREvent records: one SHA-1 digest each.
    Sha1,
}

/// The event log of one boot, as the host gave it. Made only by [`parse`](crate::parse).
/// Trust: none, until it is [compared](crate::compare) with quoted PCRs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log<'a> {
    pub(crate) format: Format<'a>,
    pub(crate) events: Vec<Event<'a>>,
    pub(crate) padding: &'a [u8],
}

impl<'a> Log<'a> {
    /// How its records are built.
    pub const fn format(&self) -> Format<'a> {
        self.format
    }

    /// The events, in order. Number 0 of a crypto-agile log is its Spec ID event.
    pub fn events(&self) -> &[Event<'a>] {
        &self.events
    }

    /// The event of this number.
    pub fn event(&self, number: u32) -> Option<&Event<'a>> {
        self.events.get(usize::try_from(number).ok()?)
    }

    /// Bytes of 00 or FF behind the last event: firmware hands over its whole log area.
    pub const fn padding_len(&self) -> usize {
        self.padding.len()
    }

    /// The algorithms that the log declares, in its order; SHA-1 for the old format.
    pub fn algorithms(&self) -> impl Iterator<Item = TpmAlgId> + use<'a> {
        let (table, sha1) = match self.format {
            Format::CryptoAgile(spec_id) => (spec_id.table(), None),
            Format::Sha1 => (&[][..], Some(TpmAlgId::SHA1)),
        };
        pairs(table).map(|(alg, _)| alg).chain(sha1)
    }
}

/// One record. [PFP-1.06 §10.2.2 TCG_PCR_EVENT2] little-endian, 8 + digests + 4 + size of data
/// bytes; the old format [PFP-1.06 §10.2.1 TCG_PCClientPCREvent] has one SHA-1 digest instead.
/// Trust: a matching replay covers `pcr_index` and `digests`; `untrusted_data` only if it hashes
/// to a digest ([`check_data`](crate::check_data)); `untrusted_event_type` never.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// Place in the log, from 0.
    pub number: u32,
    /// Offset in bytes of the record in the log.
    pub offset: usize,
    /// 0 to 23, or [`NO_PCR`] in an EV_NO_ACTION event.
    pub pcr_index: u32,
    /// What the host says that the event is.
    pub untrusted_event_type: EventType,
    /// What was extended, one per bank.
    pub digests: Digests<'a>,
    /// What the host says that was measured.
    pub untrusted_data: &'a [u8],
}

impl Event<'_> {
    /// Whether firmware extends a PCR for it: EV_NO_ACTION never, wherever it stands.
    pub fn is_extended(&self) -> bool {
        self.untrusted_event_type != EventType::NO_ACTION
    }

    /// Whether it may have been extended, where its PCR replays in `banks`: in none, or it has a digest in one.
    pub fn may_be_in(&self, banks: impl Iterator<Item = TpmAlgId>) -> bool {
        let mut banks = banks.peekable();
        banks.peek().is_none() || banks.any(|alg| self.digests.of(alg).is_some())
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = self.untrusted_data;
        write!(f, "#{} @{:#x} ", self.number, self.offset)?;
        write!(f, "PCR {} {} ", self.pcr_index, self.untrusted_event_type)?;
        write!(f, "{} bytes {}", data.len(), Ascii(data.get(..64).unwrap_or(data)))
    }
}

/// The digests of one event, as they lie in the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digests<'a> {
    /// digestSizes of the Spec ID event; of the old format empty.
    pub(crate) table: &'a [u8],
    /// TPMT_HA records, each of a declared algorithm; of the old format 20 bytes.
    pub(crate) raw: &'a [u8],
    pub(crate) is_sha1_record: bool,
}

impl<'a> Digests<'a> {
    /// Algorithm and digest, in the order of the log.
    pub fn iter(self) -> impl Iterator<Item = (TpmAlgId, &'a [u8])> + Clone + use<'a> {
        let mut rest = self.raw;
        core::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if self.is_sha1_record {
                return Some((TpmAlgId::SHA1, core::mem::take(&mut rest)));
            }
            // The reader of the log has checked that each record is whole and declared.
            let (alg, behind) = rest.split_first_chunk::<2>()?;
            let alg = TpmAlgId(u16::from_le_bytes(*alg));
            let (digest, behind) = behind.split_at_checked(declared_len(self.table, alg)?)?;
            rest = behind;
            Some((alg, digest))
        })
    }

    /// The digest of bank `alg`, where the event has one.
    pub fn of(self, alg: TpmAlgId) -> Option<&'a [u8]> {
        self.iter().find(|(have, _)| *have == alg).map(|(_, digest)| digest)
    }

    /// How many.
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// Bytes of them in the log, with those that name their algorithms.
    pub const fn n_bytes(self) -> usize {
        self.raw.len()
    }
}

impl fmt::Debug for Digests<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digests = self.iter().filter_map(|(alg, d)| Some((alg, tpm_wire::Digest::new(d)?)));
        f.debug_map().entries(digests).finish()
    }
}
