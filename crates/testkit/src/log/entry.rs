//! Events, and what they add up to.

use event_log::{EventType, LogWriter, hash};
use tpm_wire::{Digest, PcrBank, TpmAlgId};

/// One event to be logged, and extended if it is not EV_NO_ACTION.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The PCR.
    pub pcr_index: u32,
    /// The type.
    pub event_type: EventType,
    /// What is hashed.
    pub measured: Vec<u8>,
    /// What is logged as its data.
    pub data: Vec<u8>,
}

impl Entry {
    /// An event whose digest is of its data.
    pub fn of_data(pcr_index: u32, event_type: EventType, data: &[u8]) -> Self {
        Self { pcr_index, event_type, measured: data.to_vec(), data: data.to_vec() }
    }

    /// An event whose digest is of something else.
    pub fn of(pcr_index: u32, event_type: EventType, measured: &[u8], data: &[u8]) -> Self {
        Self { pcr_index, event_type, measured: measured.to_vec(), data: data.to_vec() }
    }
}

/// A log, and what a TPM must be told so that it matches.
#[derive(Clone, Debug)]
pub struct BuiltLog {
    /// The log.
    pub bytes: Vec<u8>,
    /// The locality to start the TPM at; 4 stands for an H-CRTM.
    pub locality: u8,
    /// TPM2_PCR_Extend commands, in order. With an H-CRTM the first is done by it.
    pub extends: Vec<Extend>,
    /// The PCRs afterwards, each bank of the log.
    pub pcrs: Vec<PcrBank>,
}

/// One TPM2_PCR_Extend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extend {
    /// The PCR.
    pub pcr_index: u32,
    /// A digest for each bank.
    pub digests: Vec<(TpmAlgId, Digest)>,
}

pub(crate) fn build(
    banks: &[TpmAlgId],
    entries: &[Entry],
    locality: u8,
    padding: &[u8],
) -> BuiltLog {
    let mut log = LogWriter::new(banks.iter().copied());
    let mut extends = Vec::new();
    for Entry { pcr_index, event_type, measured, data } in entries {
        if *event_type == EventType::NO_ACTION {
            log.no_action(*pcr_index, data);
        } else {
            let digests = log.measure(*pcr_index, *event_type, measured, data);
            extends.push(Extend { pcr_index: *pcr_index, digests });
        }
    }
    let pcrs = banks.iter().map(|alg| extended(*alg, locality, &extends)).collect();
    let bytes = [&log.finish(), padding].concat();
    BuiltLog { bytes, locality, extends, pcrs }
}

/// The PCRs of one bank, counted apart from the product's own replay.
fn extended(alg: TpmAlgId, locality: u8, extends: &[Extend]) -> PcrBank {
    let mut bank = PcrBank::new(alg);
    let len = alg.digest_len().expect("a hash");
    for index in 0..24 {
        let fill = if (17..=22).contains(&index) { 0xff } else { 0 };
        let mut value = vec![fill; len];
        if index == 0 {
            value[len - 1] = locality;
        }
        for extend in extends.iter().filter(|extend| extend.pcr_index == index) {
            let (_, digest) = extend.digests.iter().find(|(have, _)| *have == alg).expect("digest");
            value = hash(alg, &[&value, digest.as_bytes()]).expect("a hash").as_bytes().to_vec();
        }
        assert!(bank.set(index, Digest::new(&value).expect("a digest")), "a value of the bank");
    }
    bank
}
