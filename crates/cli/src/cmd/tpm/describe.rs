//! A TPM's properties -> its description.

use std::{collections::BTreeMap, path::Path};

use api::{
    machine::TpmLockout,
    tpm::{Advisory, Bank, Description, Hierarchies, Ownership, Resources, Specification},
};
use tpm_device::{TpmError, pt};
use tpm_vendors::{FirmwareVersion, Vendor, advisories, software_tpm};

use super::{concerns::concerns, device::Opened, interface::interface};

/// What it says of itself: two lists of properties and its banks.
pub(super) fn describe(
    opened: &mut Opened,
    acpi_tpm2: Option<&Path>,
) -> Result<Description, TpmError> {
    let Opened { tpm, address } = opened;
    let mut said: BTreeMap<u32, u32> = tpm.property_group(pt::FIXED)?.into_iter().collect();
    said.extend(tpm.property_group(pt::PERMANENT)?);
    let banks = tpm.pcr_banks()?;
    let value = |property: u32| said.get(&property).copied();

    let vendor = Vendor::new(value(pt::MANUFACTURER).unwrap_or(0));
    let vendor_string = text(pt::VENDOR_STRING.map(|at| value(at).unwrap_or(0)));
    let version = [pt::FIRMWARE_VERSION_1, pt::FIRMWARE_VERSION_2]
        .map(|property| u64::from(value(property).unwrap_or(0)));
    let version = FirmwareVersion::from_properties(version[0] << 32 | version[1]);
    let known: Vec<_> = advisories(vendor, &version).collect();
    let banks = banks.banks().iter().map(|(alg, pcrs)| Bank {
        name: alg.to_string(),
        active: !pcrs.is_empty(),
        n_pcrs: pcrs.len(),
    });
    let mut description = Description {
        address: address.to_string(),
        vendor: vendor.to_string(),
        software: software_tpm(vendor, None, Some(&vendor_string)).map(|tpm| tpm.name.to_owned()),
        vendor_string,
        firmware_version: version.to_string(),
        specification: specification(&value),
        banks: banks.collect(),
        interface: interface(address, acpi_tpm2),
        lockout: lockout(&value),
        lockout_recovery_s: value(pt::LOCKOUT_RECOVERY),
        ownership: value(pt::PERMANENT).map(ownership),
        hierarchies: value(pt::STARTUP_CLEAR).map(hierarchies),
        resources: resources(&value),
        advisories: known.iter().map(|known| advisory(known)).collect(),
        concerns: Vec::new(),
    };
    description.concerns = concerns(&description, &known, &version);
    Ok(description)
}

/// Four characters of each value, without what pads them.
fn text(values: impl Iterator<Item = u32>) -> String {
    let bytes: Vec<u8> = values.flat_map(u32::to_be_bytes).collect();
    let text = String::from_utf8_lossy(&bytes);
    text.trim_end_matches(['\0', ' ']).replace('\0', " ")
}

fn specification(value: &impl Fn(u32) -> Option<u32>) -> Specification {
    Specification {
        family: text(value(pt::FIXED).into_iter()),
        level: value(pt::LEVEL),
        revision: value(pt::REVISION)
            .map(|revision| format!("{}.{:02}", revision / 100, revision % 100)),
        year: value(pt::YEAR),
        day_of_year: value(pt::DAY_OF_YEAR),
    }
}

fn lockout(value: &impl Fn(u32) -> Option<u32>) -> Option<TpmLockout> {
    Some(TpmLockout {
        locked: value(pt::PERMANENT)? & pt::permanent::IN_LOCKOUT != 0,
        failures: value(pt::LOCKOUT_COUNTER)?,
        failures_max: value(pt::MAX_AUTH_FAIL)?,
        interval_s: value(pt::LOCKOUT_INTERVAL)?,
    })
}

fn ownership(bits: u32) -> Ownership {
    use pt::permanent::{DISABLE_CLEAR, ENDORSEMENT_AUTH_SET, LOCKOUT_AUTH_SET, OWNER_AUTH_SET};
    let has = |bit| bits & bit != 0;
    Ownership {
        owner_password: has(OWNER_AUTH_SET),
        endorsement_password: has(ENDORSEMENT_AUTH_SET),
        lockout_password: has(LOCKOUT_AUTH_SET),
        clear_permitted: !has(DISABLE_CLEAR),
    }
}

fn hierarchies(bits: u32) -> Hierarchies {
    use pt::startup_clear::{ENDORSEMENT, PLATFORM, STORAGE};
    let has = |bit| bits & bit != 0;
    Hierarchies { platform: has(PLATFORM), storage: has(STORAGE), endorsement: has(ENDORSEMENT) }
}

fn resources(value: &impl Fn(u32) -> Option<u32>) -> Resources {
    Resources {
        transient_left: value(pt::TRANSIENT_LEFT),
        sessions_loaded_left: value(pt::SESSIONS_LOADED_LEFT),
        sessions_active_left: value(pt::SESSIONS_ACTIVE_LEFT),
        persistent: value(pt::PERSISTENT),
        persistent_left: value(pt::PERSISTENT_LEFT),
        nv_indices: value(pt::NV_INDICES),
        nv_counters_left: value(pt::NV_COUNTERS_LEFT),
    }
}

fn advisory(known: &tpm_vendors::Advisory) -> Advisory {
    Advisory {
        id: known.id.to_owned(),
        name: known.name.to_owned(),
        impact: known.impact.to_owned(),
        fixed: known.fixed.to_owned(),
    }
}
