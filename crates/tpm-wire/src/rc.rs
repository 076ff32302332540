//! Response codes.

use core::fmt;

use crate::rc_table::{FORMAT_0, FORMAT_1, WARNINGS};

/// TPM_RC, as a response carries it. [TPM2-P2-1.59 §6.6] Open: vendors' codes and those of a
/// resource manager are kept as numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ResponseCode(pub u32);

/// What a response code of format 1 complains about; positions count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// A handle of the command; 0 means that the TPM does not say which.
    Handle(u8),
    /// A session of the authorisation area; 0 means that the TPM does not say which.
    Session(u8),
    /// A parameter; 0 means that the TPM does not say which.
    Parameter(u8),
}

/// One line of the table: number, name, meaning.
pub(crate) type Entry = (u32, &'static str, &'static str);

impl ResponseCode {
    /// It worked.
    pub const SUCCESS: Self = Self(0);
    /// TPM_RC_INITIALIZE: before TPM2_Startup, or after it where Startup is asked for again.
    pub const INITIALIZE: Self = Self(0x100);
    /// TPM_RC_COMMAND_CODE: the TPM has not this command.
    pub const COMMAND_CODE: Self = Self(0x143);
    /// TPM_RC_VALUE, without a position.
    pub const VALUE: Self = Self(0x084);
    /// TPM_RC_HANDLE, without a position.
    pub const HANDLE: Self = Self(0x08B);
    /// TPM_RC_INTEGRITY, without a position: a blob of another TPM, or a damaged one.
    pub const INTEGRITY: Self = Self(0x09F);
    /// TPM_RC_CURVE, without a position.
    pub const CURVE: Self = Self(0x0A6);
    /// TPM_RC_OBJECT_MEMORY: no transient slot is free.
    pub const OBJECT_MEMORY: Self = Self(0x902);
    /// TPM_RC_YIELDED: ask again.
    pub const YIELDED: Self = Self(0x908);
    /// TPM_RC_TESTING: ask again.
    pub const TESTING: Self = Self(0x90A);
    /// TPM_RC_NV_RATE: the TPM spares its NV memory; ask again after a while.
    pub const NV_RATE: Self = Self(0x920);
    /// TPM_RC_LOCKOUT.
    pub const LOCKOUT: Self = Self(0x921);
    /// TPM_RC_RETRY: ask again. The first use of a key under lockout protection after start-up
    /// answers so once.
    pub const RETRY: Self = Self(0x922);
    /// TPM_RC_NV_UNAVAILABLE: the NV memory cannot be written right now; ask again.
    pub const NV_UNAVAILABLE: Self = Self(0x923);

    /// Whether the same command is to be sent again. [TPM2-P2-1.59 §6.6.3] Not the lockout: it
    /// lasts, and each try in it is one more that the TPM refuses.
    pub const fn is_retry(self) -> bool {
        matches!(
            self,
            Self::RETRY | Self::YIELDED | Self::TESTING | Self::NV_RATE | Self::NV_UNAVAILABLE
        )
    }

    /// Whether it worked.
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// The code without the position that a TPM puts into it, to compare with the constants.
    /// A code of a software layer keeps its layer and so is none of them.
    #[must_use]
    pub const fn error(self) -> Self {
        if self.is_format_1() { Self(self.0 & 0xffff_f0bf) } else { self }
    }

    const fn is_format_1(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// The layer above the TPM that made the code (bits 16 to 23), 0 for the TPM itself; 11 is a
    /// resource manager, such as the one of the kernel.
    pub const fn layer(self) -> u32 {
        (self.0 >> 16) & 0xff
    }

    /// What it complains about, for codes of format 1.
    pub fn position(self) -> Option<Position> {
        if !self.is_format_1() {
            return None;
        }
        let n = u8::try_from((self.0 >> 8) & 0xf).unwrap_or(0);
        Some(if self.0 & 0x40 != 0 {
            Position::Parameter(n)
        } else if n & 8 != 0 {
            Position::Session(n & 7)
        } else {
            Position::Handle(n)
        })
    }

    fn entry(self) -> Option<&'static Entry> {
        // Bit 10 marks a vendor's code: its number means what the vendor says.
        let (number, table) = match self.0 & 0xffff {
            code if code & 0x80 != 0 => (code & 0x3f, FORMAT_1),
            code if code & 0x400 != 0 => return None,
            code if code & 0x900 == 0x900 => (code & 0x7f, WARNINGS),
            code if code & 0x100 != 0 => (code & 0x7f, FORMAT_0),
            0 if self.0 == 0 => return Some(&(0, "TPM_RC_SUCCESS", "it worked")),
            0x1e => return Some(&(0x1e, "TPM_RC_BAD_TAG", "the TPM is not a TPM 2.0")),
            _ => return None,
        };
        table.iter().find(|(n, _, _)| *n == number)
    }

    /// The specification's name, or `None` for a code that it has not.
    pub fn name(self) -> Option<&'static str> {
        self.entry().map(|(_, name, _)| *name)
    }

    /// What the specification says that it means.
    pub fn meaning(self) -> Option<&'static str> {
        self.entry().map(|(_, _, meaning)| *meaning)
    }
}

/// `0x18b TPM_RC_HANDLE (handle 1): the handle is not correct for the use`.
impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)?;
        match self.layer() {
            0 => {}
            11 => f.write_str(" from the resource manager")?,
            layer => write!(f, " from software layer {layer}")?,
        }
        let Some((_, name, meaning)) = self.entry() else {
            return f.write_str(if self.0 & 0x480 == 0x400 {
                " (a code of the TPM's vendor)"
            } else {
                " (not a code of TPM 2.0)"
            });
        };
        write!(f, " {name}")?;
        match self.position() {
            Some(Position::Handle(n)) if n > 0 => write!(f, " (handle {n})")?,
            Some(Position::Session(n)) if n > 0 => write!(f, " (session {n})")?,
            Some(Position::Parameter(n)) if n > 0 => write!(f, " (parameter {n})")?,
            _ => {}
        }
        write!(f, ": {meaning}")
    }
}

impl fmt::Debug for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResponseCode({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_with_name_place_and_meaning() {
        for (code, shown) in [
            (0x18b, "0x18b TPM_RC_HANDLE (handle 1): the handle is not correct for the use"),
            (0x8b, "0x8b TPM_RC_HANDLE: the handle is not correct for the use"),
            (0x2c4, "0x2c4 TPM_RC_VALUE (parameter 2): a value is out of range or not right here"),
            (
                0x98e,
                "0x98e TPM_RC_AUTH_FAIL (session 1): the authorisation is wrong, and the failure counts towards lockout",
            ),
            (
                0x101,
                "0x101 TPM_RC_FAILURE: the TPM is in failure mode: power the machine off and on",
            ),
            (0x922, "0x922 TPM_RC_RETRY: the TPM could not start the command: send it again"),
            (0x500, "0x500 (a code of the TPM's vendor)"),
            (
                0xb0143,
                "0xb0143 from the resource manager TPM_RC_COMMAND_CODE: the TPM does not have this command",
            ),
            (0x7000_0000, "0x70000000 (not a code of TPM 2.0)"),
        ] {
            assert_eq!(ResponseCode(code).to_string(), shown);
        }
    }

    #[test]
    fn a_code_is_compared_without_its_place() {
        assert_eq!(ResponseCode(0x18b).error(), ResponseCode::HANDLE);
        assert_eq!(ResponseCode(0x2c4).error(), ResponseCode::VALUE);
        assert_eq!(ResponseCode(0x922).error(), ResponseCode::RETRY);
        assert_ne!(ResponseCode(0xb018b).error(), ResponseCode::HANDLE);
        assert_eq!(ResponseCode(0x98e).position(), Some(Position::Session(1)));
    }

    #[test]
    fn few_codes_ask_for_the_command_again() {
        let again: Vec<u32> = (0..0x1000).filter(|rc| ResponseCode(*rc).is_retry()).collect();
        assert_eq!(again, [0x908, 0x90a, 0x920, 0x922, 0x923]);
    }

    #[test]
    fn no_number_is_in_a_table_twice() {
        for table in [FORMAT_0, FORMAT_1, WARNINGS] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
        }
    }
}
