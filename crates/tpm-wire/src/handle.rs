//! Handles.

use core::fmt;

/// TPM_HANDLE. [TPM2-P2-1.59 §7] The first octet says what kind of thing it names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle(pub u32);

impl Handle {
    /// TPM_RH_OWNER: the storage hierarchy.
    pub const OWNER: Self = Self(0x4000_0001);
    /// TPM_RH_NULL.
    pub const NULL: Self = Self(0x4000_0007);
    /// TPM_RS_PW: the authorisation is a password.
    pub const PASSWORD: Self = Self(0x4000_0009);
    /// TPM_RH_LOCKOUT.
    pub const LOCKOUT: Self = Self(0x4000_000A);
    /// TPM_RH_ENDORSEMENT: the endorsement hierarchy.
    pub const ENDORSEMENT: Self = Self(0x4000_000B);
    /// TPM_RH_PLATFORM.
    pub const PLATFORM: Self = Self(0x4000_000C);

    /// First NV index.
    pub const NV_FIRST: Self = Self(0x0100_0000);
    /// First loaded HMAC session.
    pub const LOADED_SESSION_FIRST: Self = Self(0x0200_0000);
    /// First transient object.
    pub const TRANSIENT_FIRST: Self = Self(0x8000_0000);
    /// First persistent object.
    pub const PERSISTENT_FIRST: Self = Self(0x8100_0000);
    /// First persistent handle for endorsement keys; they end before 0x81020000.
    pub const PERSISTENT_EK_FIRST: Self = Self(0x8101_0000);
    /// Where the TCG's provisioning guidance has the storage root key.
    pub const PERSISTENT_SRK: Self = Self(0x8100_0001);

    /// The first octet: TPM_HT.
    pub const fn kind(self) -> u32 {
        self.0 >> 24
    }

    /// Whether it goes away when it is flushed: a transient object or a session.
    pub const fn is_flushable(self) -> bool {
        matches!(self.kind(), 0x02 | 0x03 | 0x80)
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}
