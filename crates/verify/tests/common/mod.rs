//! What several test programs need: a TPM in software, and certificate authorities.
#![expect(dead_code, reason = "each test program uses a part of it")]
#![expect(unreachable_pub, reason = "a module that is compiled into each test program")]

pub mod ca;
pub mod tpm;
