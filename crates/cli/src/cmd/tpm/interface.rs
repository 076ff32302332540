//! How software speaks to a TPM: as the ACPI table TPM2 says, else as the kernel's driver shows.

use std::{fs, path::Path};

use agent::source::acpi;
use api::tpm::Interface;
use tpm_device::Address;

/// What is known of the interface of the TPM at `address`; `table` where it is not the kernel's.
pub(super) fn interface(address: &Address, table: Option<&Path>) -> Interface {
    let device = match address {
        Address::Device(path) => Some(path.as_path()),
        Address::SwtpmUnix(_) | Address::SwtpmTcp { .. } => None,
    };
    if device.is_none() && table.is_none() {
        return Interface {
            known_by: "nobody: a socket has no registers".to_owned(),
            ..Interface::default()
        };
    }
    let driver = device.and_then(driver);
    let by_driver = driver.as_deref().and_then(kind_of_driver);
    let read = acpi::read(table.unwrap_or(Path::new(acpi::TPM2_TABLE)));
    let (kind, known_by, start_method) = match &read {
        Ok(Some(table)) => {
            let method = start_method(table);
            match (appraise::Interface::from_acpi_tpm2(table), by_driver) {
                (Some(kind), _) => (Some(kind.as_str()), "the ACPI table TPM2", method),
                (None, Some(kind)) => (Some(kind), "the kernel's driver", method),
                (None, None) => (None, "nobody: the ACPI table TPM2 names neither", method),
            }
        }
        _ if by_driver.is_some() => (by_driver, "the kernel's driver", None),
        Ok(None) => (None, "nobody: there is no ACPI table TPM2", None),
        Err(_) => (None, "nobody: only root may read the ACPI table TPM2", None),
    };
    Interface { kind: kind.map(str::to_owned), known_by: known_by.to_owned(), start_method, driver }
}

/// The start method, a little-endian number at offset 48. [ACPI-TPM2-1.2 §7.3]
fn start_method(table: &[u8]) -> Option<u32> {
    (table.get(..4)? == b"TPM2").then_some(())?;
    Some(u32::from_le_bytes(*table.get(48..)?.first_chunk()?))
}

/// The driver of `/dev/tpm0` and of `/dev/tpmrm0` alike.
fn driver(device: &Path) -> Option<String> {
    let node = device.file_name()?.to_str()?;
    let number = node.strip_prefix("tpmrm").or_else(|| node.strip_prefix("tpm"))?;
    let number: u32 = number.parse().ok()?;
    let link = fs::read_link(format!("/sys/class/tpm/tpm{number}/device/driver")).ok()?;
    Some(link.file_name()?.to_str()?.to_owned())
}

fn kind_of_driver(driver: &str) -> Option<&'static str> {
    match driver {
        _ if driver.starts_with("tpm_tis") => Some("fifo"),
        _ if driver.starts_with("tpm_crb") => Some("crb"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Address {
        Address::SwtpmUnix("/nowhere".into())
    }

    #[test]
    fn the_table_says_it_and_a_method_of_neither_kind_is_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("TPM2");
        let mut table = [0; 76];
        table[..4].copy_from_slice(b"TPM2");
        for (method, kind) in [(6, Some("fifo")), (7, Some("crb")), (2, None)] {
            table[48] = method;
            fs::write(&path, table).unwrap();
            let said = interface(&socket(), Some(&path));
            assert_eq!((said.kind.as_deref(), said.start_method), (kind, Some(method.into())));
        }
        fs::write(&path, b"TPM2").unwrap();
        let said = interface(&socket(), Some(&path));
        assert_eq!((said.kind, said.start_method), (None, None));
    }

    #[test]
    fn a_socket_has_none_and_a_driver_names_its_own() {
        assert_eq!(interface(&socket(), None).kind, None);
        assert_eq!(kind_of_driver("tpm_tis_spi"), Some("fifo"));
        assert_eq!(kind_of_driver("tpm_crb"), Some("crb"));
        assert_eq!(kind_of_driver("tpm_vtpm_proxy"), None);
    }
}
