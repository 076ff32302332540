//! Writes logs: those of the writer's own, and what was read, byte for byte.

use tpm_wire::{Digest, TpmAlgId};

use crate::event_type::EventType;
use crate::hash::hash;
use crate::log::{Event, Format, Log};
use crate::spec_id::SIGNATURE_AGILE;

/// Writes a crypto-agile log event by event. [PFP-1.06 §10.2]
#[derive(Clone, Debug)]
pub struct LogWriter {
    bytes: Vec<u8>,
    banks: Vec<TpmAlgId>,
    n_events: u32,
}

impl LogWriter {
    /// A log with digests of `banks`; begins with its Spec ID event. Banks without a hash of known
    /// length are left out.
    pub fn new(banks: impl IntoIterator<Item = TpmAlgId>) -> Self {
        let banks: Vec<_> = banks.into_iter().filter(|alg| alg.digest_len().is_some()).collect();
        let mut data = SIGNATURE_AGILE.to_vec();
        // Platform class client, version 2.0 errata 2, 64-bit firmware.
        data.extend([0, 0, 0, 0, 0, 2, 2, 2]);
        data.extend(len_u32(banks.len()));
        for alg in &banks {
            data.extend(alg.0.to_le_bytes());
            let len = alg.digest_len().and_then(|len| u16::try_from(len).ok()).unwrap_or(0);
            data.extend(len.to_le_bytes());
        }
        data.push(0);
        let mut writer = Self { bytes: Vec::new(), banks, n_events: 1 };
        write_header(&mut writer.bytes, 0, EventType::NO_ACTION);
        writer.bytes.extend([0; 20]);
        writer.write_data(&data);
        writer
    }

    /// The banks of the log.
    pub fn banks(&self) -> &[TpmAlgId] {
        &self.banks
    }

    /// How many events, the Spec ID event among them; also the number of the next one.
    pub const fn n_events(&self) -> u32 {
        self.n_events
    }

    /// An event whose digests are of `measured`, and whose data is `data`. Gives the digests.
    pub fn measure(
        &mut self,
        pcr_index: u32,
        event_type: EventType,
        measured: &[u8],
        data: &[u8],
    ) -> Vec<(TpmAlgId, Digest)> {
        let digests: Vec<_> =
            self.banks.iter().filter_map(|alg| Some((*alg, hash(*alg, &[measured])?))).collect();
        self.event(pcr_index, event_type, &digests, data);
        digests
    }

    /// An event with the digests given.
    pub fn event(
        &mut self,
        pcr_index: u32,
        event_type: EventType,
        digests: &[(TpmAlgId, Digest)],
        data: &[u8],
    ) {
        write_header(&mut self.bytes, pcr_index, event_type);
        self.bytes.extend(len_u32(digests.len()));
        for (alg, digest) in digests {
            self.bytes.extend(alg.0.to_le_bytes());
            self.bytes.extend(digest.as_bytes());
        }
        self.write_data(data);
        self.n_events = self.n_events.saturating_add(1);
    }

    /// An EV_NO_ACTION event: digests of zero, never extended.
    pub fn no_action(&mut self, pcr_index: u32, data: &[u8]) {
        let zero = |alg: &TpmAlgId| Some((*alg, Digest::filled(0, alg.digest_len()?)?));
        let digests: Vec<_> = self.banks.iter().filter_map(zero).collect();
        self.event(pcr_index, EventType::NO_ACTION, &digests, data);
    }

    /// The log.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn write_data(&mut self, data: &[u8]) {
        self.bytes.extend(len_u32(data.len()));
        self.bytes.extend(data);
    }
}

/// The bytes of `log`, written field by field: of a log that was read whole, the bytes read.
pub fn encode(log: &Log<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in log.events() {
        encode_event(&mut bytes, log, event);
    }
    bytes.extend(log.padding);
    bytes
}

fn encode_event(bytes: &mut Vec<u8>, log: &Log<'_>, event: &Event<'_>) {
    write_header(bytes, event.pcr_index, event.untrusted_event_type);
    // The Spec ID event is a record of the old format, so that old readers can read it.
    if matches!(log.format(), Format::CryptoAgile(_)) && event.number != 0 {
        bytes.extend(len_u32(event.digests.len()));
        for (alg, digest) in event.digests.iter() {
            bytes.extend(alg.0.to_le_bytes());
            bytes.extend(digest);
        }
    } else {
        event.digests.iter().for_each(|(_, digest)| bytes.extend(digest));
    }
    bytes.extend(len_u32(event.untrusted_data.len()));
    bytes.extend(event.untrusted_data);
}

fn write_header(bytes: &mut Vec<u8>, pcr_index: u32, event_type: EventType) {
    bytes.extend(pcr_index.to_le_bytes());
    bytes.extend(event_type.0.to_le_bytes());
}

/// A length that came from a log under its limit, or from our own small structures.
fn len_u32(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}
