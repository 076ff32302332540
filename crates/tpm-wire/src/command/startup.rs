//! Starting and stopping, which firmware does on a real machine.

use super::Command;
use crate::error::ParseError;
use crate::handle::Handle;
use crate::reader::Reader;
use crate::writer::Writer;

/// TPM_SU. [TPM2-P2-1.59 §6.10]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartupType {
    /// A boot: PCRs start anew.
    Clear,
    /// A wake-up.
    State,
}

impl StartupType {
    fn write(self, to: &mut Writer) {
        to.u16(match self {
            Self::Clear => 0,
            Self::State => 1,
        });
    }
}

/// TPM2_Startup. [TPM2-P3-1.59 §9.3]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Startup(pub StartupType);

impl Command for Startup {
    const CODE: u32 = 0x144;
    const NAME: &'static str = "TPM2_Startup";
    type Response = ();

    fn write_parameters(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read_response(_: Handle, _: &mut Reader<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}

/// TPM2_Shutdown. [TPM2-P3-1.59 §9.4]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shutdown(pub StartupType);

impl Command for Shutdown {
    const CODE: u32 = 0x145;
    const NAME: &'static str = "TPM2_Shutdown";
    type Response = ();

    fn write_parameters(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read_response(_: Handle, _: &mut Reader<'_>) -> Result<(), ParseError> {
        Ok(())
    }
}
