//! What machine this is and what it runs, as the kernel shows it. The host's own words: they say
//! which hosts should boot alike, and prove nothing.

use std::path::Path;

use api::machine::{MACHINE_TEXT_CHARS_MAX, Machine, Platform};
use rustix::system::uname;

use super::limited;

/// Where Linux shows the texts of SMBIOS. What may name a single machine (serial numbers) is not
/// read.
pub const DMI: &str = "/sys/class/dmi/id";

/// What the system calls itself.
pub const OS_RELEASE: &str = "/etc/os-release";

/// A text of sysfs has one page.
const DMI_TEXT_BYTES_MAX: u64 = 4096;

/// Ones in use are below 1 KiB.
const OS_RELEASE_BYTES_MAX: u64 = 64 * 1024;

/// What can be read in the folder `dmi`; what cannot is absent. The platform and the system's name are
/// other sources.
pub fn says(dmi: &Path) -> Machine {
    let text = |name: &str| {
        let bytes = limited::read(&dmi.join(name), DMI_TEXT_BYTES_MAX).ok()??;
        shown(&String::from_utf8_lossy(&bytes))
    };
    Machine {
        system_vendor: text("sys_vendor"),
        product_name: text("product_name"),
        product_version: text("product_version"),
        product_sku: text("product_sku"),
        board_vendor: text("board_vendor"),
        board_name: text("board_name"),
        board_version: text("board_version"),
        firmware_vendor: text("bios_vendor"),
        firmware_version: text("bios_version"),
        firmware_date: text("bios_date"),
        kernel_release: shown(&uname().release().to_string_lossy()),
        os_name: None,
        platform: Platform::default(),
    }
}

/// PRETTY_NAME of the file `os_release`, else NAME; `None` where it cannot be read.
pub fn os_name(os_release: &Path) -> Option<String> {
    let bytes = limited::read(os_release, OS_RELEASE_BYTES_MAX).ok()??;
    let text = String::from_utf8_lossy(&bytes);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        shown(line.trim().trim_matches(['"', '\'']))
    };
    value("PRETTY_NAME").or_else(|| value("NAME"))
}

/// A text as the server takes it; `None` where nothing is left of it.
fn shown(text: &str) -> Option<String> {
    let plain: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    let cut: String = plain.trim().chars().take(MACHINE_TEXT_CHARS_MAX).collect();
    (!cut.is_empty()).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_said_and_what_is_not_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        put("sys_vendor", "Vendor Inc.\n");
        put("product_name", " Model 9 \n");
        put("bios_version", &"9".repeat(500));
        put("board_name", "\n");
        put("product_serial", "S123\n");
        put("os-release", "ID=x\nNAME=Plain\nPRETTY_NAME=\"Plain 12 (tree)\"\n");
        let machine = says(folder.path());
        assert_eq!(machine.system_vendor.as_deref(), Some("Vendor Inc."));
        assert_eq!(machine.product_name.as_deref(), Some("Model 9"));
        assert_eq!(machine.firmware_version.as_ref().unwrap().len(), MACHINE_TEXT_CHARS_MAX);
        assert_eq!((&machine.board_name, &machine.firmware_date), (&None, &None));
        let name = os_name(&folder.path().join("os-release"));
        assert_eq!(name.as_deref(), Some("Plain 12 (tree)"));
        assert!(machine.is_bounded());
        assert!(!serde_json::to_string(&machine).unwrap().contains("S123"));

        let nowhere = Path::new("/nonexistent");
        assert_eq!((says(nowhere).cohort(), os_name(nowhere)), (None, None));
    }
}
