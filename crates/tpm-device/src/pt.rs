//! Numbers of what a TPM says of itself: TPM_PT, and the bits in two of its values.
//! [TPM2-P2-1.59 §6.13, §8.6, §8.7]

/// First of the values that never change while the firmware stays: TPM_PT_FAMILY_INDICATOR, four
/// characters (`2.0`).
pub const FIXED: u32 = 0x100;
/// TPM_PT_LEVEL of the specification.
pub const LEVEL: u32 = 0x101;
/// TPM_PT_REVISION of the specification, times 100.
pub const REVISION: u32 = 0x102;
/// TPM_PT_DAY_OF_YEAR of the specification.
pub const DAY_OF_YEAR: u32 = 0x103;
/// TPM_PT_YEAR of the specification.
pub const YEAR: u32 = 0x104;
/// TPM_PT_MANUFACTURER: four characters.
pub const MANUFACTURER: u32 = 0x105;
/// TPM_PT_VENDOR_STRING_1 to _4, four characters each.
pub const VENDOR_STRING: std::ops::RangeInclusive<u32> = 0x106..=0x109;
/// TPM_PT_FIRMWARE_VERSION_1: two numbers of 16 bits.
pub const FIRMWARE_VERSION_1: u32 = 0x10B;
/// TPM_PT_FIRMWARE_VERSION_2.
pub const FIRMWARE_VERSION_2: u32 = 0x10C;
/// TPM_PT_NV_BUFFER_MAX: bytes of NV that are read at once.
pub const NV_BUFFER_MAX: u32 = 0x12C;

/// First of the values that change: TPM_PT_PERMANENT, the bits of [`permanent`].
pub const PERMANENT: u32 = 0x200;
/// TPM_PT_STARTUP_CLEAR, the bits of [`startup_clear`].
pub const STARTUP_CLEAR: u32 = 0x201;
/// TPM_PT_HR_NV_INDEX: defined indices of NV.
pub const NV_INDICES: u32 = 0x202;
/// TPM_PT_HR_LOADED_AVAIL: sessions that can still be loaded.
pub const SESSIONS_LOADED_LEFT: u32 = 0x204;
/// TPM_PT_HR_ACTIVE_AVAIL: sessions that can still be opened.
pub const SESSIONS_ACTIVE_LEFT: u32 = 0x206;
/// TPM_PT_HR_TRANSIENT_AVAIL: objects that can still be loaded.
pub const TRANSIENT_LEFT: u32 = 0x207;
/// TPM_PT_HR_PERSISTENT: keys that are kept.
pub const PERSISTENT: u32 = 0x208;
/// TPM_PT_HR_PERSISTENT_AVAIL: keys that can still be kept.
pub const PERSISTENT_LEFT: u32 = 0x209;
/// TPM_PT_NV_COUNTERS_AVAIL: counters of NV that can still be made.
pub const NV_COUNTERS_LEFT: u32 = 0x20B;
/// TPM_PT_LOCKOUT_COUNTER: wrong authorisations that count now.
pub const LOCKOUT_COUNTER: u32 = 0x20E;
/// TPM_PT_MAX_AUTH_FAIL: at so many of them the TPM locks itself.
pub const MAX_AUTH_FAIL: u32 = 0x20F;
/// TPM_PT_LOCKOUT_INTERVAL: seconds after which one of them is forgotten.
pub const LOCKOUT_INTERVAL: u32 = 0x210;
/// TPM_PT_LOCKOUT_RECOVERY: seconds after which a wrong lockout password is forgiven; 0: at the next
/// start.
pub const LOCKOUT_RECOVERY: u32 = 0x211;

/// TPMA_PERMANENT.
pub mod permanent {
    /// The owner has a password.
    pub const OWNER_AUTH_SET: u32 = 1;
    /// The endorsement hierarchy has a password.
    pub const ENDORSEMENT_AUTH_SET: u32 = 1 << 1;
    /// The lockout has a password.
    pub const LOCKOUT_AUTH_SET: u32 = 1 << 2;
    /// TPM2_Clear by the lockout's password is switched off.
    pub const DISABLE_CLEAR: u32 = 1 << 8;
    /// It refuses what is guarded now.
    pub const IN_LOCKOUT: u32 = 1 << 9;
}

/// TPMA_STARTUP_CLEAR: which hierarchies are on, up to the next start.
pub mod startup_clear {
    /// The platform's, which firmware switches off before it hands over on some machines.
    pub const PLATFORM: u32 = 1;
    /// The owner's, in which attestation keys lie.
    pub const STORAGE: u32 = 1 << 1;
    /// The endorsement hierarchy.
    pub const ENDORSEMENT: u32 = 1 << 2;
}
