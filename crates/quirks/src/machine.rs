//! Quirks that are known by what a host says of its machine. Each of them only explains or eases
//! what is found without it: a host that lies about its maker gains a word, and no verdict.

use crate::{QUIRKS, Quirk};

/// What a host says of its machine. Nothing proves any of it; empty is what
/// it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UntrustedMachine<'a> {
    /// Who made it.
    pub vendor: &'a str,
    /// The model.
    pub product: &'a str,
    /// Who made the firmware.
    pub firmware_vendor: &'a str,
    /// The firmware's version.
    pub firmware: &'a str,
}

/// Machines: each text is what the host's begins with, whatever its case. An empty one fits all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachinePattern {
    /// Who made it.
    pub vendor: &'static str,
    /// The model.
    pub product: &'static str,
    /// Who made the firmware.
    pub firmware_vendor: &'static str,
    /// The firmware's version.
    pub firmware: &'static str,
}

impl MachinePattern {
    /// All machines; for patterns that name one thing.
    pub const ANY: Self = Self { vendor: "", product: "", firmware_vendor: "", firmware: "" };

    /// Whether `machine` says that it is one of these.
    pub fn fits(&self, machine: &UntrustedMachine<'_>) -> bool {
        let begins = |text: &str, with: &str| {
            text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        begins(machine.vendor, self.vendor)
            && begins(machine.product, self.product)
            && begins(machine.firmware_vendor, self.firmware_vendor)
            && begins(machine.firmware, self.firmware)
    }
}

impl Quirk {
    fn is_of(self, machine: &UntrustedMachine<'_>) -> bool {
        self.row().machines.iter().any(|pattern| pattern.fits(machine))
    }
}

/// The quirk of `machine` that its version text is measured in another form than it is logged in.
pub fn of_crtm_version(machine: &UntrustedMachine<'_>) -> Option<Quirk> {
    Some(Quirk::CrtmVersionOtherForm).filter(|quirk| quirk.is_of(machine))
}

/// The quirks of `machine` that explain why `pcr_index` does not replay.
pub fn explaining_replay(
    machine: UntrustedMachine<'_>,
    pcr_index: u32,
) -> impl Iterator<Item = Quirk> {
    let explains = move |quirk: &Quirk| match quirk {
        Quirk::HpeU31Pcr0 | Quirk::VmwareGuestPcr0 => pcr_index == 0,
        Quirk::CorebootLog => pcr_index <= 7,
        _ => false,
    };
    let quirks = QUIRKS.iter().map(|row| row.quirk).filter(explains);
    quirks.filter(move |quirk| quirk.is_of(&machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HPE: UntrustedMachine<'_> = UntrustedMachine {
        vendor: "HPE",
        product: "ProLiant DL160 Gen10",
        firmware_vendor: "HPE",
        firmware: "U31",
    };

    #[test]
    fn a_machine_is_of_a_row_by_each_text_that_the_row_has() {
        let explained = |machine, pcr| explaining_replay(machine, pcr).collect::<Vec<_>>();
        assert_eq!(explained(HPE, 0), [Quirk::HpeU31Pcr0]);
        assert_eq!(explained(HPE, 2), [], "another PCR");
        assert_eq!(explained(UntrustedMachine { vendor: "hpe", ..HPE }, 0), [Quirk::HpeU31Pcr0]);
        for other in [
            UntrustedMachine { vendor: "HP", ..HPE },
            UntrustedMachine { product: "ProLiant DL360 Gen10", ..HPE },
            UntrustedMachine { firmware: "U30", ..HPE },
            UntrustedMachine { firmware: "", ..HPE },
        ] {
            assert_eq!(explained(other, 0), [], "{other:?}");
        }
        let guest = UntrustedMachine { vendor: "VMware, Inc.", ..UntrustedMachine::default() };
        assert_eq!(explained(guest, 0), [Quirk::VmwareGuestPcr0]);
        let board = UntrustedMachine { firmware_vendor: "coreboot", ..UntrustedMachine::default() };
        assert_eq!((explained(board, 7), explained(board, 8)), (vec![Quirk::CorebootLog], vec![]));
    }

    #[test]
    fn only_one_maker_measures_its_version_in_another_form() {
        let dell = UntrustedMachine { vendor: "Dell Inc.", ..UntrustedMachine::default() };
        assert_eq!(of_crtm_version(&dell), Some(Quirk::CrtmVersionOtherForm));
        assert_eq!(of_crtm_version(&HPE), None);
        assert_eq!(of_crtm_version(&UntrustedMachine::default()), None, "a host that says nothing");
    }
}
