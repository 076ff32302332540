//! What response codes mean to an administrator: who made the code, its name, the place that it
//! complains about, cause and next step. [`tpm_wire::ResponseCode`] knows the codes of TPM 2.0 as
//! the wire has them; here are also those of TPM 1.2, of the software stack and of Windows.

mod advice;
mod origin;
mod tpm12;
mod tss;

use std::fmt;

use tpm_wire::{Position, ResponseCode};

pub use advice::Weight;
pub use origin::Origin;

use self::advice::Advice;
use crate::Code;

/// A response code, explained.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// The code as it was given.
    pub code: ResponseCode,
    /// Who made it.
    pub origin: Origin,
    /// The specification's name, where it has one.
    pub name: Option<&'static str>,
    /// The handle, session or parameter that it complains about.
    pub position: Option<Position>,
    /// What the specification says that it means.
    pub meaning: &'static str,
    /// How much it weighs by itself.
    pub weight: Weight,
    /// Why this happens.
    pub cause: &'static str,
    /// What to do about it.
    pub next_step: &'static str,
    /// The finding that such a code leads to, where the thing that it names is needed.
    pub finding: Option<Code>,
}

/// The codes that people meet in logs, in the order in which they stand in documents: for each of them
/// there is something to do, or a reason why there is not.
pub const OFTEN_MET: &[ResponseCode] = &[
    ResponseCode(0x18b),
    ResponseCode(0x28b),
    ResponseCode(0x185),
    ResponseCode(0x98e),
    ResponseCode(0x9a2),
    ResponseCode(0x99d),
    ResponseCode(0x1df),
    ResponseCode(0x1d5),
    ResponseCode(0x2c4),
    ResponseCode(0x100),
    ResponseCode(0x101),
    ResponseCode(0x120),
    ResponseCode(0x127),
    ResponseCode(0x128),
    ResponseCode(0x12f),
    ResponseCode(0x143),
    ResponseCode(0x148),
    ResponseCode(0x149),
    ResponseCode(0x14a),
    ResponseCode(0x14b),
    ResponseCode(0x14c),
    ResponseCode(0x902),
    ResponseCode(0x903),
    ResponseCode(0x907),
    ResponseCode(0x910),
    ResponseCode(0x921),
    ResponseCode(0x922),
    ResponseCode(0x923),
    // TPM 1.2: answered to a command of 2.0, switched off, failed.
    ResponseCode(0x1e),
    ResponseCode(0x06),
    ResponseCode(0x07),
    ResponseCode(0x09),
    // The software stack: no device, and the resource manager for the TPM.
    ResponseCode(0xa_000a),
    ResponseCode(0xb_0902),
    // Windows.
    ResponseCode(0x8028_0921),
    ResponseCode(0x8028_400f),
];

/// Explains `code`. Every number has an explanation; unknown ones are said to be unknown.
pub fn explain(code: ResponseCode) -> Explanation {
    let origin = Origin::of(code);
    let inner = ResponseCode(code.0 & 0xffff);
    let (name, meaning, advice) = match origin {
        Origin::Tpm12 => found(tpm12::TPM_1_2, inner.0),
        Origin::Software(_) => found(tss::TSS, inner.0),
        Origin::Windows => {
            let (name, meaning, advice) = origin::windows(inner.0);
            (Some(name), meaning, advice)
        }
        Origin::Vendor => (None, "the TPM's maker defines what it means", Advice::OfVendor),
        Origin::Unknown => (None, "no specification has this number", Advice::Unknown),
        Origin::Tpm20 | Origin::ResourceManager | Origin::WindowsTpm => match inner.name() {
            Some(name) => {
                let meaning = inner.meaning().unwrap_or_default();
                (Some(name), meaning, advice::of_tpm_2_0(inner))
            }
            None => found(tpm12::TPM_1_2, inner.0),
        },
    };
    let row = advice.row();
    Explanation {
        code,
        origin,
        name,
        position: origin.is_tpm_2_0().then(|| inner.position()).flatten(),
        meaning,
        weight: row.weight,
        cause: row.cause,
        next_step: row.next_step,
        finding: row.finding,
    }
}

/// The number of a code by the specification's name, `TPM_RC_HANDLE` or `handle`: without a
/// position, and for TPM 2.0 before TPM 1.2.
pub fn by_name(name: &str) -> Option<ResponseCode> {
    let upper = name.to_ascii_uppercase();
    let bare = upper.trim_start_matches("TPM2_RC_").trim_start_matches("TPM_RC_");
    let of_2_0 = (0x80..0xc0).chain(0x100..0x180).chain(0x900..0x980).map(ResponseCode);
    let is_named = |code: &ResponseCode| {
        code.name().and_then(|name| name.strip_prefix("TPM_RC_")).is_some_and(|name| name == bare)
    };
    of_2_0.into_iter().find(is_named).or_else(|| {
        let bare = upper.trim_start_matches("TPM_E_").trim_start_matches("TPM_");
        let is_named = |entry: &&tpm12::Entry| entry.1.strip_prefix("TPM_") == Some(bare);
        tpm12::TPM_1_2.iter().find(is_named).map(|entry| ResponseCode(entry.0))
    })
}

fn found(table: &[tpm12::Entry], number: u32) -> (Option<&'static str>, &'static str, Advice) {
    match table.iter().find(|entry| entry.0 == number) {
        Some((_, name, meaning, advice)) => (Some(name), meaning, *advice),
        None => (None, "no specification has this number", Advice::Unknown),
    }
}

/// `0x18b TPM_RC_HANDLE (handle 1): the handle is not correct for the use`.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.code.0)?;
        if let Some(name) = self.name {
            write!(f, " {name}")?;
        }
        match self.position {
            Some(Position::Handle(n)) if n > 0 => write!(f, " (handle {n})")?,
            Some(Position::Session(n)) if n > 0 => write!(f, " (session {n})")?,
            Some(Position::Parameter(n)) if n > 0 => write!(f, " (parameter {n})")?,
            _ => {}
        }
        write!(f, ": {}", self.meaning)
    }
}

#[cfg(test)]
mod tests;
