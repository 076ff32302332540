//! What the TPM says of itself: maker, model, firmware, its guard against guessing.

use api::{agent::TpmProperties, machine::TpmLockout};
use tpm_device::{Tpm, TpmError, pt};

/// Reads them with one command; one that the TPM has not is 0.
pub fn properties(tpm: &mut Tpm) -> Result<TpmProperties, TpmError> {
    let found = tpm.properties(pt::MANUFACTURER, 8)?;
    let value =
        |property| found.iter().find(|(at, _)| *at == property).map_or(0, |(_, value)| *value);
    let text: Vec<u8> = pt::VENDOR_STRING.flat_map(|at| value(at).to_be_bytes()).collect();
    let text = String::from_utf8_lossy(&text);
    Ok(TpmProperties {
        manufacturer: value(pt::MANUFACTURER),
        vendor_string: text.trim_end_matches(['\0', ' ']).replace('\0', " "),
        firmware_version: [value(pt::FIRMWARE_VERSION_1), value(pt::FIRMWARE_VERSION_2)],
        ak_parent: None,
    })
}

/// From the first of the properties of a lockout to the last.
const N_PROPERTIES: u32 = pt::LOCKOUT_INTERVAL - pt::PERMANENT + 1;

/// The guard against guessing, with one command; `None` where the TPM does not say all of it.
pub(crate) fn lockout(tpm: &mut Tpm) -> Result<Option<TpmLockout>, TpmError> {
    let found = tpm.properties(pt::PERMANENT, N_PROPERTIES)?;
    let value = |property| found.iter().find(|(at, _)| *at == property).map(|(_, value)| *value);
    let all = || {
        Some(TpmLockout {
            locked: value(pt::PERMANENT)? & pt::permanent::IN_LOCKOUT != 0,
            failures: value(pt::LOCKOUT_COUNTER)?,
            failures_max: value(pt::MAX_AUTH_FAIL)?,
            interval_s: value(pt::LOCKOUT_INTERVAL)?,
        })
    };
    Ok(all())
}
