//! What the TPM says of itself: maker, model, firmware, its guard against guessing.

use api::{agent::TpmProperties, machine::TpmLockout};
use tpm_device::{PT_MANUFACTURER, Tpm, TpmError};

/// TPM_PT_VENDOR_STRING_1 to _4. [TPM2-P2-1.59 §6.13]
const PT_VENDOR_STRING: std::ops::RangeInclusive<u32> = 0x106..=0x109;
/// TPM_PT_FIRMWARE_VERSION_1; _2 follows.
const PT_FIRMWARE_VERSION_1: u32 = 0x10B;

/// Reads them with one command; one that the TPM has not is 0.
pub fn properties(tpm: &mut Tpm) -> Result<TpmProperties, TpmError> {
    let found = tpm.properties(PT_MANUFACTURER, 8)?;
    let value =
        |property| found.iter().find(|(at, _)| *at == property).map_or(0, |(_, value)| *value);
    let text: Vec<u8> = PT_VENDOR_STRING.flat_map(|at| value(at).to_be_bytes()).collect();
    let text = String::from_utf8_lossy(&text);
    Ok(TpmProperties {
        manufacturer: value(PT_MANUFACTURER),
        vendor_string: text.trim_end_matches(['\0', ' ']).replace('\0', " "),
        firmware_version: [value(PT_FIRMWARE_VERSION_1), value(PT_FIRMWARE_VERSION_1 + 1)],
        ak_parent: None,
    })
}

/// TPM_PT_PERMANENT, with TPMA_PERMANENT's bit inLockout. [TPM2-P2-1.59 §6.13, §8.6]
const PT_PERMANENT: u32 = 0x200;
const IN_LOCKOUT: u32 = 1 << 9;
/// TPM_PT_LOCKOUT_COUNTER; TPM_PT_MAX_AUTH_FAIL and TPM_PT_LOCKOUT_INTERVAL follow.
const PT_LOCKOUT_COUNTER: u32 = 0x20E;
/// From the first of them to the last.
const N_PROPERTIES: u32 = 0x210 - PT_PERMANENT + 1;

/// The guard against guessing, with one command; `None` where the TPM does not say all of it.
pub(crate) fn lockout(tpm: &mut Tpm) -> Result<Option<TpmLockout>, TpmError> {
    let found = tpm.properties(PT_PERMANENT, N_PROPERTIES)?;
    let value = |property| found.iter().find(|(at, _)| *at == property).map(|(_, value)| *value);
    let all = || {
        Some(TpmLockout {
            locked: value(PT_PERMANENT)? & IN_LOCKOUT != 0,
            failures: value(PT_LOCKOUT_COUNTER)?,
            failures_max: value(PT_LOCKOUT_COUNTER + 1)?,
            interval_s: value(PT_LOCKOUT_COUNTER + 2)?,
        })
    };
    Ok(all())
}
