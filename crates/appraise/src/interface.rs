//! The TPM's interface, as the ACPI table TPM2 names it.

/// How software speaks to the TPM. The host says so; no quote proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// FIFO registers (TIS). [PTP-1.05 §6.5]
    Fifo,
    /// Command Response Buffer. [PTP-1.05 §6.4]
    Crb,
}

impl Interface {
    /// The word in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Crb => "crb",
        }
    }

    /// Out of the table's start method: 6 is FIFO, 7, 8 and 11 are CRB, each a little-endian
    /// number at offset 52 - 4. `None` where the table is cut, is another one, or names a method
    /// that belongs to neither. [ACPI-TPM2-1.2 §7.3]
    pub fn from_acpi_tpm2(table: &[u8]) -> Option<Self> {
        if table.get(..4)? != b"TPM2" {
            return None;
        }
        let method = table.get(48..)?.first_chunk::<4>()?;
        match u32::from_le_bytes(*method) {
            6 => Some(Self::Fifo),
            7 | 8 | 11 => Some(Self::Crb),
            _ => None,
        }
    }
}

/// Bytes of the area of the event log, at least, as the ACPI table TPM2 has it from its fourth
/// revision on: a little-endian number at offset 64. `None` where the table ends before it, is another
/// one, or names no area. [ACPI-TPM2-1.2 §7.3 LAML]
pub(crate) fn log_area_bytes(table: &[u8]) -> Option<u32> {
    if table.get(..4)? != b"TPM2" {
        return None;
    }
    let len = u32::from_le_bytes(*table.get(64..)?.first_chunk::<4>()?);
    (len > 0).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_method_names_the_interface() {
        let mut table = [0; 76];
        table[..4].copy_from_slice(b"TPM2");
        for (method, interface) in
            [(6, Some(Interface::Fifo)), (7, Some(Interface::Crb)), (2, None), (0, None)]
        {
            table[48] = method;
            assert_eq!(Interface::from_acpi_tpm2(&table), interface, "{method}");
        }
        assert_eq!(log_area_bytes(&table), None, "no area");
        table[64..68].copy_from_slice(&0x10000_u32.to_le_bytes());
        assert_eq!(log_area_bytes(&table), Some(0x10000));
        assert_eq!(log_area_bytes(&table[..67]), None);
        table[48] = 6;
        assert_eq!(Interface::from_acpi_tpm2(&table[..51]), None);
        table[0] = b'X';
        assert_eq!(Interface::from_acpi_tpm2(&table), None);
    }
}
