//! Measurement lists of IMA and allow lists.

use ima::{AllowList, FileSignature, judge, parse, replay};
use tpm_wire::{Digest, TpmAlgId};
use verify::FileSigners;

use crate::show;

/// A list, to the last field; and none leads to a value that nobody extended.
pub(crate) fn ima_list(bytes: &[u8]) {
    let (list, problem) = parse(bytes);
    show(&problem.map(|problem| problem.to_string()));
    for entry in &list.entries {
        let Some(measured) = entry.measured() else { continue };
        show(&measured);
        if let Some(Ok(signature)) = measured.signature.map(FileSignature::parse) {
            show(&signature);
        }
    }
    let nobody = Digest::filled(0x5a, 32).expect("a digest");
    let Err(mismatch) = replay(&list, 10, TpmAlgId::SHA256, &nobody) else {
        panic!("a value that nobody extended")
    };
    // What the list itself leads to covers all of it, and an empty allow list allows no file.
    let Some(led_to) = mismatch.replayed.filter(|value| !value.is_zero()) else { return };
    let replayed = replay(&list, 10, TpmAlgId::SHA256, &led_to).expect("its own value");
    let objections = judge(&replayed, &AllowList::default(), &FileSigners::new());
    let files = replayed.entries().filter(|entry| {
        entry.measured().is_none_or(|m| m.buffer.is_none() && m.name != b"boot_aggregate")
    });
    assert!(objections.len() >= files.count(), "a file that nothing allows");
}

/// An allow list: what is read of it has digests that are strong.
pub(crate) fn allow_list(bytes: &[u8]) {
    match AllowList::parse(bytes) {
        Ok(list) => assert!(list.n_digests() >= list.n_paths(), "a path without a digest"),
        Err(err) => show(&err.to_string()),
    }
}
