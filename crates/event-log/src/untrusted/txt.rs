//! Events of Intel TXT, in PCRs 17 and 18.

use core::fmt;

/// One row per type.
macro_rules! txt_types {
    ($($number:literal $name:literal;)*) => {
        impl TxtEventType {
            /// Each type that has a name.
            pub const KNOWN: &[Self] = &[$(Self($number)),*];

            /// The name, where it is known.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

/// The type of an event that a measured launch made. [TXT-SDG] Outside the numbers of the PC
/// Client profile, so it is read only in PCRs 17 to 22.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TxtEventType(pub u32);

txt_types! {
    0x401 "EVTYPE_PCRMAPPING";
    0x402 "EVTYPE_HASH_START";
    0x403 "EVTYPE_COMBINED_HASH";
    0x404 "EVTYPE_MLE_HASH";
    0x40a "EVTYPE_BIOSAC_REG_DATA";
    0x40b "EVTYPE_CPU_SCRTM_STAT";
    0x40c "EVTYPE_LCP_CONTROL_HASH";
    0x40d "EVTYPE_ELEMENTS_HASH";
    0x40e "EVTYPE_STM_HASH";
    0x40f "EVTYPE_OSSINITDATA_CAP_HASH";
    0x410 "EVTYPE_SINIT_PUBKEY_HASH";
    0x411 "EVTYPE_LCP_HASH";
    0x412 "EVTYPE_LCP_DETAILS_HASH";
    0x413 "EVTYPE_LCP_AUTHORITIES_HASH";
    0x414 "EVTYPE_NV_INFO_HASH";
    0x415 "EVTYPE_COLD_BOOT_BIOS_HASH";
    0x416 "EVTYPE_KM_HASH";
    0x417 "EVTYPE_BPM_HASH";
    0x418 "EVTYPE_KM_INFO_HASH";
    0x419 "EVTYPE_BPM_INFO_HASH";
    0x41a "EVTYPE_BOOT_POL_HASH";
    0x4fe "EVTYPE_RANDVALUE";
    0x4ff "EVTYPE_CAP_VALUE";
}

impl fmt::Display for TxtEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for TxtEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TxtEventType({self})")
    }
}
