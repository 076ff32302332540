//! UEFI images.

use image::{Image, uki};
use tpm_wire::TpmAlgId;

use crate::show;

/// An image, to the last certificate; what a signature writes never changes the digest.
pub(crate) fn image(bytes: &[u8]) {
    let image = match Image::parse(bytes) {
        Ok(image) => image,
        Err(error) => return show(&error.to_string()),
    };
    let digest = image.authenticode(TpmAlgId::SHA256).expect("a digest");
    assert_ne!(Some(digest), image.flat(TpmAlgId::SHA256), "a digest of the whole file");
    let (signatures, fault) = image.signatures();
    show(&fault.map(|fault| fault.to_string()));
    for signature in &signatures {
        show(signature);
        std::hint::black_box(signature.names(&image));
    }
    show(&image.sbat());
    match uki::measured_sections(&image) {
        Ok(sections) => {
            let values = uki::values(&sections, TpmAlgId::SHA256).expect("values");
            assert!(values.iter().all(|value| !value.is_zero()), "nothing was measured");
        }
        Err(error) => show(&error.to_string()),
    }
}
