//! What turns bytes of a host into verified facts: the EK certificate and its chain, the AK and
//! its binding to the EK, the challenge, the quote and the PCR values that it covers.
//!
//! The way of trust, each step a type that only the step before can make:
//! roots → [`VerifiedEk`] → ([`make_credential`], [`bind`]) → [`BoundAk`] → ([`verify_quote`]) →
//! [`VerifiedQuote`]; and [`BoundAk`] → ([`verify_certify`]) → [`CertifiedKey`] → ([`verify_possession`]) →
//! [`PossessedKey`]. No clock and no I/O: time comes in as an argument. Randomness comes in too,
//! with one exception that [`make_credential`] names.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod ak;
mod bind;
mod certificate;
mod certificate_label;
mod certify;
mod chain;
mod credential;
mod der;
mod ek;
mod ek_cert;
mod file_signer;
mod hash;
mod kdf;
mod key;
mod name;
mod nonce;
mod nv;
mod oid;
mod quote;
mod roots;
mod selection;
mod signer;
mod time;

pub use ak::{AkError, AkPublic, AkScheme, SignatureProblem, check_ak};
pub use bind::{ActivationError, BindError, BoundAk, EnrolledKey, bind};
pub use certificate::{CERTIFICATE_BYTES_MAX, CertificateError};
pub use certificate_label::CertificateLabel;
pub use certify::{
    CertifiedKey, CertifyProblem, PossessedKey, RawCertification, verify_certify, verify_possession,
};
pub use chain::{CHAIN_DEPTH_MAX, CHAIN_SIGNATURES_MAX, UntrustedCause};
pub use credential::{
    ActivationProof, Credential, CredentialError, CredentialSecret, SECRET_LEN, make_credential,
};
pub use ek::{EkError, EkPublic, check_ek};
pub use ek_cert::{
    EkCertDeviation, EkCertError, INTERMEDIATES_MAX, OutOfDate, TpmModel, VerifiedEk, WrongUse,
    verify_ek_certificate,
};
pub use file_signer::{FILE_SIGNERS_MAX, FileSigner, FileSigners, FileSignersError};
pub use hash::StrongHash;
pub use key::{Curve, EcKey, KeyError, PublicKey, RSA_BITS_MAX, RSA_BITS_MIN, RsaKey};
pub use name::Name;
pub use nonce::{FUTURE_MS_MAX, IssuedAt, Nonce, NonceError, NonceKey};
pub use nv::{certificate_in, certificates_in};
pub use quote::{
    CheckedSignature, QuoteCheck, QuoteProblem, RawQuote, UntrustedAttest, VerifiedQuote,
    verify_quote, verify_quote_again,
};
pub use roots::{Fingerprint, Root, RootError, RootErrorKind, RootKind, RootStore};
pub use selection::{BankRule, SelectionProblem, SelectionRule};
pub use signer::{
    AnchorError, SignatureMismatch, SignatureScheme, SignerAnchor, SignerError, VerifiedSigner,
    verify_signer,
};
pub use time::UnixTime;
