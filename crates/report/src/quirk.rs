//! The table of known deviations as JSON types.

use api::quirk::{MachineTexts, QuirkEntry};
use quirks::{MachinePattern, QUIRKS, Row};

/// All rows, in the order of the table.
pub fn quirks() -> Vec<QuirkEntry> {
    QUIRKS.iter().map(|row| entry(row)).collect()
}

fn entry(row: &Row) -> QuirkEntry {
    let machine = |pattern: &MachinePattern| MachineTexts {
        system_vendor: pattern.vendor.to_owned(),
        product_name: pattern.product.to_owned(),
        firmware_vendor: pattern.firmware_vendor.to_owned(),
        firmware_version: pattern.firmware.to_owned(),
    };
    QuirkEntry {
        name: row.name.to_owned(),
        who: row.who.to_owned(),
        machines: row.machines.iter().map(machine).collect(),
        deviates: row.deviates.to_owned(),
        permits: row.permits.to_owned(),
        rests_on: row.rests_on.as_str().to_owned(),
        effect: row.effect.as_str().to_owned(),
        finding: row.effect.told_by().map(|code| code.as_str().to_owned()),
        known: row.sure.as_str().to_owned(),
        refusable: row.effect.is_refusable(),
        permissible: row.effect.is_permissible(),
    }
}
