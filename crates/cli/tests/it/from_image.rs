//! References of files: they accept the boot that used those files, and no other.

use std::{path::Path, process::Command};

use appraise::Policy;
use cli::judge_with;
use event_log::EventType;
use image::{Image, uki};
use references::{Applied, Scope, State};
use testkit::{
    log::{BootLog, Entry},
    pe,
};
use tpm_wire::TpmAlgId;

use crate::{finding_cases::Bench, recorded::NOW};

const SECTIONS: [(&str, &[u8]); 3] =
    [(".linux", b"a kernel"), (".cmdline", b"ro quiet\0"), (".initrd", b"an initrd")];

/// What Authenticode hashes of an image without gaps and without a signature.
fn hashed(image: &[u8]) -> Vec<u8> {
    let (checksum_at, directory_at) = (152, 232);
    [&image[..checksum_at], &image[checksum_at + 4..directory_at], &image[directory_at + 8..]]
        .concat()
}

/// The entries of a sound boot that starts these programs, the last a unified kernel image.
fn boot(made: &BootLog, loader: &[u8], kernel: &[u8]) -> Vec<Entry> {
    let is_program = |entry: &Entry| {
        entry.event_type == EventType::EFI_BOOT_SERVICES_APPLICATION && entry.pcr_index == 4
    };
    let mut entries = made.entries();
    let first = entries.iter().position(is_program).unwrap();
    let sample = entries[first].clone();
    entries.retain(|entry| !is_program(entry));
    let program = |image| Entry { measured: hashed(image), ..sample.clone() };
    entries.insert(first, program(loader));
    entries.insert(first + 1, program(kernel));
    let image = Image::parse(kernel).unwrap();
    for section in uki::measured_sections(&image).unwrap() {
        let name = [section.name.as_bytes(), &[0]].concat();
        entries.push(Entry::of_data(11, EventType::IPL, &name));
        entries.push(Entry::of(11, EventType::IPL, section.content, &name));
    }
    entries
}

fn from_image(folder: &Path, files: &[(&str, &[u8])]) -> (std::path::PathBuf, serde_json::Value) {
    let out = folder.join("reference.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
    command.args(["reference", "from-image", "--json", "--out"]).arg(&out);
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
        command.arg(folder.join(name));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (out, serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_reference_of_files_accepts_the_boot_that_used_them_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let loader = pe::image(&[(".text", b"loader")]);
    let kernel = pe::uki(257, &SECTIONS);
    let (file, facts) =
        from_image(folder.path(), &[("loader.efi", &loader), ("linux.efi", &kernel)]);
    assert_eq!(facts["not_told"], serde_json::json!([]));
    let sections = serde_json::json!([".linux", ".cmdline", ".initrd"]);
    assert_eq!(facts["images"][1]["measured_sections"], sections);
    let baseline = report::reference::read(&std::fs::read(&file).unwrap()).unwrap();
    let reference = Applied {
        name: "files",
        scope: Scope::Host,
        state: State::Active,
        accepted_by: "ada",
        accepted_at: Some(NOW),
        until: None,
        baseline: &baseline,
    };

    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let made = BootLog::sound().banks(&[TpmAlgId::SHA256]);
    let mut judged = |entries: &[Entry]| {
        let evidence = bench.evidence(&made.build_from(entries), (0..=14).collect());
        judge_with(&Policy::default(), &[reference], &evidence, &roots, NOW)
    };
    let sound = judged(&boot(&made, &loader, &kernel));
    assert_eq!(sound.verdict, "accepted", "{sound:#?}");

    let refused =
        |entries: &[Entry], judged: &mut dyn FnMut(&[Entry]) -> api::appraisal::Appraisal| {
            let appraisal = judged(entries);
            assert_eq!(appraisal.verdict, "not accepted");
            let failed = appraisal.findings.iter().filter(|finding| finding.severity == "fail");
            assert!(failed.clone().count() > 0);
            assert!(
                failed.clone().all(|finding| finding.code == "reference-change"),
                "{appraisal:#?}"
            );
        };
    let other_loader = pe::image(&[(".text", b"Loader")]);
    refused(&boot(&made, &other_loader, &kernel), &mut judged);
    // Another command line: PCR 4 and 11 differ. Another that PCR 4 does not show: 11 alone.
    let other = pe::uki(257, &[SECTIONS[0], (".cmdline", b"ro init=/bin/sh\0"), SECTIONS[2]]);
    refused(&boot(&made, &loader, &other), &mut judged);
    let mut entries = boot(&made, &loader, &kernel);
    entries.last_mut().unwrap().measured.push(0);
    refused(&entries, &mut judged);
    // A phase later is right, a word that is none is not.
    let word = |text: &str| Entry::of_data(11, EventType::IPL, text.as_bytes());
    let mut entries = boot(&made, &loader, &kernel);
    entries.push(word("enter-initrd"));
    assert_eq!(judged(&entries).verdict, "accepted");
    entries.push(word("enter-initrd"));
    refused(&entries, &mut judged);
}

#[test]
fn what_is_no_program_and_what_cannot_be_told_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "no program").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
    let output = command.args(["reference", "from-image"]).arg(&text).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("no UEFI program") && stderr.contains("\n\nhint: "), "{stderr}");

    let kernel = pe::uki(257, &[SECTIONS[0], (".profile", b"ID=one")]);
    let (_, facts) = from_image(folder.path(), &[("linux.efi", &kernel)]);
    let untold = facts["not_told"][0].as_str().unwrap();
    assert!(untold.contains(".profile"), "{untold}");
    assert_eq!(facts["reference"]["values"], serde_json::Value::Null);
}

#[test]
fn an_image_of_a_revoked_generation_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let with = |sbat: &[u8]| pe::image(&[(".text", b"a loader"), (".sbat", sbat)]);
    let old = with(b"sbat,1,SBAT Version\ngrub,4,Free Software Foundation\n");
    let new = with(b"sbat,1,SBAT Version\ngrub,5,Free Software Foundation\n");
    let (_, facts) = from_image(folder.path(), &[("old.efi", &old), ("new.efi", &new)]);
    let revoked = |n: usize| facts["images"][n]["revoked"].as_array().unwrap().clone();
    assert_eq!(revoked(0), ["grub 4 is below 5, SBAT 2025051000"]);
    assert!(revoked(1).is_empty());
}
