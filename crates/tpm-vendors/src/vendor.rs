//! TPM vendor identifiers.

use core::fmt;

/// A TPM vendor: four characters, as TPM2_PT_MANUFACTURER has them, padded with NUL. Vendors pad
/// with spaces or NUL, so [`Vendor::new`] makes one out of the two. [TCG-VendorID-1.06]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Vendor(u32);

macro_rules! vendors {
    ($($name:ident $short:literal $text:literal)+) => {
        #[expect(missing_docs, reason = "the names of vendors")]
        impl Vendor {
            $(pub const $name: Self = Self::of($short);)+

            /// Those that have a name here.
            const NAMED: &[(Self, &str, &str)] = &[$((Self::$name, $short, $text)),+];
        }
    };
}

vendors! {
    AMD "AMD" "AMD"
    AMAZON "AMZN" "Amazon"
    ATMEL "ATML" "Atmel"
    BROADCOM "BRCM" "Broadcom"
    GOOGLE "GOOG" "Google"
    HPE "HPE" "HPE"
    IBM "IBM" "IBM"
    INFINEON "IFX" "Infineon"
    INTEL "INTC" "Intel"
    LENOVO "LEN" "Lenovo"
    MICROSOFT "MSFT" "Microsoft"
    NATIONAL "NSM" "National Semiconductor"
    NATIONZ "NTZ" "Nationz"
    NSING "NSG" "Nsing"
    NUVOTON "NTC" "Nuvoton"
    QUALCOMM "QCOM" "Qualcomm"
    SAMSUNG "SMSN" "Samsung"
    SINOSUN "SNS" "Sinosun"
    ST "STM" "STMicroelectronics"
    VMWARE "VMW" "VMware"
    WINBOND "WEC" "Winbond"
}

impl Vendor {
    /// The vendor of this identifier, in big-endian characters.
    pub const fn new(id: u32) -> Self {
        let [a, b, c, mut d] = id.to_be_bytes();
        if d == b' ' {
            d = 0;
        }
        Self(u32::from_be_bytes([a, b, c, d]))
    }

    const fn of(short: &str) -> Self {
        match short.as_bytes() {
            [a, b, c, d] => Self::new(u32::from_be_bytes([*a, *b, *c, *d])),
            [a, b, c] => Self::new(u32::from_be_bytes([*a, *b, *c, 0])),
            _ => Self(0),
        }
    }

    /// The vendor of this short name, as `IFX`.
    pub fn from_short_name(short: &str) -> Option<Self> {
        Self::NAMED.iter().find(|(_, known, _)| *known == short).map(|(vendor, ..)| *vendor)
    }

    /// The short names that [`Self::from_short_name`] knows.
    pub fn short_names() -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().map(|(_, short, _)| *short)
    }

    /// The maker's name, where it is known.
    pub fn name(self) -> Option<&'static str> {
        Self::NAMED.iter().find(|(vendor, ..)| *vendor == self).map(|(.., name)| *name)
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "id:{:08X}", self.0),
        }
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vendor({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_known_by_either_padding() {
        assert_eq!(Vendor::new(0x5354_4D20), Vendor::ST);
        assert_eq!(Vendor::new(0x5354_4D00), Vendor::ST);
        assert_eq!(Vendor::new(0x494E_5443), Vendor::INTEL);
        assert_eq!(Vendor::new(0x4946_5800).to_string(), "Infineon");
        assert_eq!(Vendor::new(0x1014).to_string(), "id:00001014");
        assert_eq!(Vendor::from_short_name("NTC"), Some(Vendor::NUVOTON));
        assert_eq!(Vendor::from_short_name("ntc"), None);
        for (n, (vendor, short, _)) in Vendor::NAMED.iter().enumerate() {
            assert!(vendor.0 != 0 && (3..=4).contains(&short.len()), "{short}");
            assert!(Vendor::NAMED[..n].iter().all(|(other, ..)| other != vendor), "{short}");
        }
    }
}
