//! UEFI structures that event logs carry: variables, signature lists, device paths, load options.
//!
//! Readers borrow from the bytes that came, never panic, and allocate nothing that a length field
//! claims. Nothing read here is trusted by being readable: only a digest in a replayed PCR that
//! covers the bytes makes it a fact.
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

mod certificate;
pub mod der;
mod device_path;
mod gpt;
mod guid;
mod image;
mod load_option;
mod reader;
mod signature;
mod text;
mod variable;

pub use certificate::{Certificate, CertificateKey, SignatureHash, X509Name};
pub use device_path::{DEVICE_PATH_TEXT_LEN_MAX, DevicePath, Node};
pub use gpt::{GptEvent, GptPartition, PARTITIONS_MAX};
pub use guid::Guid;
pub use image::ImageLoadEvent;
pub use load_option::LoadOption;
pub use reader::Reader;
pub use signature::{
    CertType, SIGNATURE_LISTS_MAX, Signature, SignatureList, SignatureLists, read_signature,
};
pub use text::{Ascii, Ucs2};
pub use variable::VariableData;
