//! `bootproof tpm info`, `pcrs` and `ek`: the TPM asked directly, and nothing changed in it.

mod concerns;
mod describe;
mod device;
pub(super) mod ek;
pub(super) mod info;
mod interface;
pub(super) mod pcrs;

pub(super) use concerns::lockout_objection;
