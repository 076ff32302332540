//! What fuzzing calls: for each parser a function that takes any bytes, and what must hold of it.
//!
//! The targets in `fuzz/` call these under a fuzzer; `tests/seeds.rs` calls the same on every seed
//! and on changed seeds, with the stable compiler. A function panics where what must hold does not:
//! a reader that panics, a structure that is not written back as it was read, evidence nobody
//! vouches for that is accepted.

mod archive;
mod cabinet;
mod certificate;
mod efi;
mod event_log;
mod evidence;
mod ima;
mod image;
mod log_lines;
mod manifest;
mod policy;
mod redaction;
mod redfish;
mod report;
mod seeds;
mod tpm;

pub use seeds::{Seed, seeds};

/// One parser under test.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Name of the target in `fuzz/` and of its folder of seeds.
    pub name: &'static str,
    /// Reads the bytes, and panics where something does not hold that must.
    pub run: fn(&[u8]),
}

/// Each target. A test of `xtask` compares the names with the files in `fuzz/`.
pub const ENTRIES: [Entry; 27] = [
    Entry { name: "event_log", run: event_log::event_log },
    Entry { name: "efi_variable", run: efi::variable },
    Entry { name: "signature_lists", run: efi::signature_lists },
    Entry { name: "device_path", run: efi::device_path },
    Entry { name: "attest", run: tpm::attest },
    Entry { name: "public", run: tpm::public },
    Entry { name: "signature", run: tpm::signature },
    Entry { name: "certificate", run: certificate::certificate },
    Entry { name: "evidence_json", run: evidence::evidence_json },
    Entry { name: "ima_list", run: ima::ima_list },
    Entry { name: "allow_list", run: ima::allow_list },
    Entry { name: "image", run: image::image },
    Entry { name: "base_rim", run: manifest::base_rim },
    Entry { name: "corim", run: manifest::corim },
    Entry { name: "policy", run: policy::policy },
    Entry { name: "cabinet", run: cabinet::cabinet },
    Entry { name: "log_lines", run: log_lines::log_lines },
    Entry { name: "log_time", run: log_lines::log_time },
    Entry { name: "tar_archive", run: archive::tar_archive },
    Entry { name: "gzip_stream", run: archive::gzip_stream },
    Entry { name: "zip_archive", run: archive::zip_archive },
    Entry { name: "log_encodings", run: archive::log_encodings },
    Entry { name: "redfish_registry", run: redfish::registry },
    Entry { name: "redfish_walk", run: redfish::walk },
    Entry { name: "redaction", run: redaction::redaction },
    Entry { name: "esxi_outputs", run: redaction::esxi_outputs },
    Entry { name: "report_pdf", run: report::report_pdf },
];

/// Runs the entry of this name.
///
/// # Panics
/// Where there is none, or something does not hold that must.
pub fn run(name: &str, bytes: &[u8]) {
    let entry = ENTRIES.iter().find(|entry| entry.name == name);
    (entry.expect("an entry of this name").run)(bytes);
}

/// Takes the way of a value to people: its texts are built, and thrown away.
fn show(value: &(impl std::fmt::Debug + ?Sized)) {
    std::hint::black_box(format!("{value:?}"));
}
