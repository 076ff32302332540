//! Questions that take more than one command.

use tpm_wire::command::{
    Capability, CapabilityValues, GetCapability, NvRead, NvReadPublic, PcrRead, PublicAndName,
    ReadPublic,
};
use tpm_wire::{Digest, Handle, PcrBank, PcrSelection, PcrSet, ResponseCode, TpmEccCurve};

use crate::error::TpmError;
use crate::pt;
use crate::tpm::Tpm;

/// Values asked for at once; a TPM gives what fits its buffer and says that there are more.
const VALUES_AT_ONCE: u32 = 254;
/// Answers to one list, so that a TPM that always has more comes to an end. The largest lists have
/// a few hundred entries.
const PAGES_MAX: u32 = 64;
/// Largest NV index that is read: a certificate has under 2 KiB, a chain of three under 8.
const NV_LEN_MAX: usize = 16 * 1024;
/// Bytes of NV read at once where the TPM does not say: each TPM can do so many.
const NV_AT_ONCE: u16 = 512;
/// How often PCRs are read anew because they changed in between.
const PCR_TRIES_MAX: u32 = 8;

impl Tpm {
    /// All values of `capability` from `first` on, as long as `keep` takes them into `values`;
    /// it gives the last value that it took, to go on behind it.
    fn list<T>(
        &mut self,
        capability: Capability,
        first: u32,
        take: impl Fn(CapabilityValues) -> Option<Vec<(u32, T)>>,
    ) -> Result<Vec<T>, TpmError> {
        let mut values = Vec::new();
        let mut first = first;
        for _ in 0..PAGES_MAX {
            let ask = GetCapability { capability, first, n_max: VALUES_AT_ONCE };
            let (page, more) = self.run(&ask)?;
            let page = take(page).unwrap_or_default();
            let last = page.last().map(|(at, _)| *at);
            values.extend(page.into_iter().map(|(_, value)| value));
            match last.and_then(|at| at.checked_add(1)) {
                Some(next) if more && next > first => first = next,
                _ => return Ok(values),
            }
        }
        Err(TpmError::Endless { command: "TPM2_GetCapability" })
    }

    /// The handles of the kind of `first` that exist, from `first` on.
    pub fn handles(&mut self, first: Handle) -> Result<Vec<Handle>, TpmError> {
        self.list(Capability::HANDLES, first.0, |values| match values {
            CapabilityValues::Handles(handles) => {
                Some(handles.into_iter().map(|handle| (handle.0, handle)).collect())
            }
            _ => None,
        })
    }

    /// The curves that the TPM has.
    pub fn curves(&mut self) -> Result<Vec<TpmEccCurve>, TpmError> {
        self.list(Capability::CURVES, 0, |values| match values {
            CapabilityValues::Curves(curves) => {
                Some(curves.into_iter().map(|curve| (u32::from(curve.0), curve)).collect())
            }
            _ => None,
        })
    }

    /// TPM_PT `property`, or `None` where the TPM has it not.
    pub fn property(&mut self, property: u32) -> Result<Option<u32>, TpmError> {
        let ask = GetCapability { capability: Capability::PROPERTIES, first: property, n_max: 1 };
        let (values, _) = self.run(&ask)?;
        Ok(match values {
            CapabilityValues::Properties(found) => {
                found.into_iter().find(|(at, _)| *at == property).map(|(_, value)| value)
            }
            _ => None,
        })
    }

    /// The properties from `first` on, `n_max` at most, as many as the TPM gives at once.
    pub fn properties(&mut self, first: u32, n_max: u32) -> Result<Vec<(u32, u32)>, TpmError> {
        let ask = GetCapability { capability: Capability::PROPERTIES, first, n_max };
        Ok(match self.run(&ask)? {
            (CapabilityValues::Properties(found), _) => found,
            _ => Vec::new(),
        })
    }

    /// All properties of the group of `first` ([`pt::FIXED`] or [`pt::PERMANENT`]), from it on. A TPM in
    /// failure mode gives few of them, and one that is older fewer.
    pub fn property_group(&mut self, first: u32) -> Result<Vec<(u32, u32)>, TpmError> {
        self.list(Capability::PROPERTIES, first, |values| match values {
            CapabilityValues::Properties(found) => {
                Some(found.into_iter().map(|found| (found.0, found)).collect())
            }
            _ => None,
        })
    }

    /// The PCR banks that the TPM has; one that is switched off has no PCR.
    pub fn pcr_banks(&mut self) -> Result<PcrSelection, TpmError> {
        let ask = GetCapability { capability: Capability::PCRS, first: 0, n_max: VALUES_AT_ONCE };
        match self.run(&ask)? {
            (CapabilityValues::Pcrs(banks), _) => Ok(banks),
            _ => Ok(PcrSelection::EMPTY),
        }
    }

    /// The public area of the object at `handle`, or `None` where there is none.
    pub fn read_public(&mut self, handle: Handle) -> Result<Option<PublicAndName>, TpmError> {
        self.run_or_none(&ReadPublic { handle }, ResponseCode::HANDLE)
    }

    /// What the NV index holds; `None` where it does not exist, was never written, is larger than
    /// 16 KiB, or may not be read without a password.
    pub fn read_nv(&mut self, index: Handle) -> Result<Option<Vec<u8>>, TpmError> {
        let ask = NvReadPublic { index };
        let Some(public) = self.run_or_none(&ask, ResponseCode::HANDLE)? else { return Ok(None) };
        let Some(reader) = public.reader() else { return Ok(None) };
        if !public.is_written() || public.data_len > NV_LEN_MAX {
            return Ok(None);
        }
        let at_once = match self.property(pt::NV_BUFFER_MAX)? {
            // A command with more would not fit the frame.
            Some(n) => u16::try_from(n.min(2048)).unwrap_or(NV_AT_ONCE).max(1),
            None => NV_AT_ONCE,
        };
        let mut data = Vec::new();
        while let Some(left) = public.data_len.checked_sub(data.len()).filter(|left| *left > 0) {
            let n_bytes = at_once.min(u16::try_from(left).unwrap_or(u16::MAX));
            let offset = u16::try_from(data.len()).unwrap_or(u16::MAX);
            let part = self.run(&NvRead { reader, index, n_bytes, offset })?;
            if part.is_empty() {
                return Err(TpmError::Endless { command: "TPM2_NV_Read" });
            }
            data.extend(part);
        }
        Ok(Some(data))
    }

    /// The values of `selection`, all from one moment: where a PCR was extended in between, they
    /// are read anew. The second value is the TPM's pcrUpdateCounter of that moment. A bank that
    /// is switched off and a PCR that the bank has not are left out; a hash that the TPM does not
    /// know it refuses.
    pub fn read_pcrs(&mut self, selection: &PcrSelection) -> Result<(Vec<PcrBank>, u32), TpmError> {
        for _ in 0..PCR_TRIES_MAX {
            if let Some(read) = self.try_read_pcrs(selection)? {
                return Ok(read);
            }
        }
        Err(TpmError::PcrsChanging { n_tries: PCR_TRIES_MAX })
    }

    fn try_read_pcrs(
        &mut self,
        selection: &PcrSelection,
    ) -> Result<Option<(Vec<PcrBank>, u32)>, TpmError> {
        let mut banks: Vec<PcrBank> =
            selection.banks().iter().map(|(alg, _)| PcrBank::new(*alg)).collect();
        let mut left = *selection;
        let mut counter = None;
        loop {
            let read = self.run(&PcrRead { selection: left })?;
            if *counter.get_or_insert(read.update_counter) != read.update_counter {
                return Ok(None);
            }
            let mut n_new = 0_u32;
            for ((alg, index), value) in read.selection.iter().zip(&read.values) {
                n_new += put(&mut banks, alg, index, *value);
            }
            left = without(&left, &read.selection);
            if left.is_empty() || n_new == 0 {
                banks.retain(|bank| !bank.present().is_empty());
                return Ok(Some((banks, read.update_counter)));
            }
        }
    }

    /// The TPM's pcrUpdateCounter: where it is the same as before, no PCR was extended.
    pub fn pcr_update_counter(&mut self) -> Result<u32, TpmError> {
        Ok(self.run(&PcrRead { selection: PcrSelection::EMPTY })?.update_counter)
    }
}

/// 1 where the value went into its bank and was not there yet.
fn put(banks: &mut [PcrBank], alg: tpm_wire::TpmAlgId, index: u32, value: Digest) -> u32 {
    let Some(bank) = banks.iter_mut().find(|bank| bank.alg() == alg) else { return 0 };
    u32::from(bank.get(index).is_none() && bank.set(index, value))
}

/// `from` without the PCRs of `read`; its banks stay, those that are done without a PCR go.
fn without(from: &PcrSelection, read: &PcrSelection) -> PcrSelection {
    let mut left = PcrSelection::EMPTY;
    for (alg, set) in from.banks() {
        let done = read.bank(*alg).unwrap_or(PcrSet::EMPTY);
        let set = done.iter().fold(*set, PcrSet::without);
        if !set.is_empty() {
            // It has no more banks than the selection that it comes from.
            let fits = left.push(*alg, set);
            debug_assert!(fits, "a selection names each bank once");
        }
    }
    left
}
