//! The TPM's part of evidence: endorsement key, attestation key, activation, quote.
//!
//! Nothing here is judged. What the server must see comes out as the bytes that the TPM gave:
//! TPMT_PUBLIC, TPMS_ATTEST, TPMT_SIGNATURE, certificates as they lie in NV.
//!
//! A loaded [`AttestationKey`] belongs to the [`Tpm`] that loaded it. After that was opened anew
//! (a connection that broke, a TPM that was reset), load the key anew.

mod ak;
mod client_key;
mod ek;
mod nv;
mod parent;
mod properties;
mod quote;

pub use ak::AttestationKey;
pub use client_key::{
    CertifiedKey, PARENT as CLIENT_KEY_PARENT, TEMPLATE as CLIENT_KEY_TEMPLATE, certify,
};
pub use ek::Endorsement;
pub(crate) use properties::lockout;
pub use properties::properties;
pub use quote::{Quoted, active_banks};
pub use tpm_device::{Address, DeviceError, Tpm, TpmError};

use tpm_wire::ResponseCode;

/// Whether the refusal means that the TPM has not this kind of key, so that another is worth
/// trying. [TPM2-P3-1.59 §24.1] leaves open which parameter a TPM complains about.
fn is_unsupported(error: &TpmError) -> bool {
    const ASYMMETRIC: ResponseCode = ResponseCode(0x081);
    const ATTRIBUTES: ResponseCode = ResponseCode(0x082);
    const HASH: ResponseCode = ResponseCode(0x083);
    const KEY_SIZE: ResponseCode = ResponseCode(0x087);
    const MODE: ResponseCode = ResponseCode(0x089);
    const TYPE: ResponseCode = ResponseCode(0x08A);
    const KDF: ResponseCode = ResponseCode(0x08C);
    const SCHEME: ResponseCode = ResponseCode(0x092);
    const SIZE: ResponseCode = ResponseCode(0x095);
    const SYMMETRIC: ResponseCode = ResponseCode(0x096);
    error.refused().is_some_and(|code| {
        [
            ASYMMETRIC,
            ATTRIBUTES,
            HASH,
            KEY_SIZE,
            MODE,
            TYPE,
            KDF,
            SCHEME,
            SIZE,
            SYMMETRIC,
            ResponseCode::VALUE,
            ResponseCode::CURVE,
        ]
        .contains(&code)
    })
}
