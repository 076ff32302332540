//! The path of a boot in the document and on the screen.

use std::process::Command;

use event_log::EventType;
use testkit::log::{BootLog, Device, Entry, image_load};

use crate::finding_cases::{Bench, boot_pcrs};
use crate::recorded::{NOW, boots};

#[test]
fn attempts_roles_and_loaders_are_in_the_document() {
    let mut bench = Bench::new("sha256");
    let sound = BootLog::sound().option_rom();
    let mut entries = sound.entries();
    let first = |entry: &Entry| entry.event_type == EventType::EFI_BOOT_SERVICES_APPLICATION;
    let at = entries.iter().position(first).unwrap();
    // A network boot that came back, before the disk's turn.
    let network = image_load(Device::Pxe, 4096);
    let action = |text: &str| Entry::of_data(4, EventType::EFI_ACTION, text.as_bytes());
    let attempt = [
        Entry::of(4, EventType::EFI_BOOT_SERVICES_APPLICATION, b"a network loader", &network),
        action("Returning from EFI Application from Boot Option"),
        action("Calling EFI Application from Boot Option"),
    ];
    entries.splice(at..at, attempt);
    let folder = bench.evidence(&sound.build_from(&entries), boot_pcrs());
    let appraisal = cli::judge(&folder, &bench.roots(), NOW);
    assert_eq!(appraisal.verdict, "accepted", "{:?}", appraisal.findings);
    let facts = &appraisal.facts;
    let outcomes: Vec<_> = facts.boot_attempts.iter().map(|told| told.outcome.as_str()).collect();
    assert_eq!(outcomes, ["came back", "took over"]);
    let loaded: Vec<_> = facts
        .boot
        .iter()
        .filter(|step| step.kind == "application")
        .map(|step| {
            (step.attempt, step.untrusted_source.as_deref(), step.untrusted_role.as_deref())
        })
        .collect();
    assert_eq!(
        loaded,
        [
            (Some(1), Some("pxe"), None),
            (Some(2), Some("file"), Some("shim")),
            (Some(2), Some("file"), Some("GRUB")),
            (Some(2), Some("memory"), Some("kernel")),
        ]
    );
    let driver = facts.boot.iter().find(|step| step.kind == "driver").unwrap();
    assert_eq!((driver.pcr, driver.phase.as_deref()), (2, Some("firmware")));
    assert!(driver.digest.as_ref().unwrap().starts_with("sha256:"));
    let line = facts.boot.iter().find(|step| step.kind == "command-line").unwrap();
    assert_eq!(line.belief, "verified");
    assert_eq!(Some(&facts.kernel_command_lines[0]), line.text.as_ref());
    // What a rule of the site sees is what was told.
    let json = serde_json::to_value(&appraisal).unwrap();
    assert_eq!(json["facts"]["boot_attempts"][0]["outcome"], "came back");

    // Without a quote that counts nothing of it is told.
    let mut unsigned = folder;
    unsigned.nonce = Some(vec![1; 20]);
    let refused = cli::judge(&unsigned, &bench.roots(), NOW);
    assert_eq!((refused.facts.boot.len(), refused.facts.boot_attempts.len()), (0, 0));
}

#[test]
fn a_boot_is_shown_step_by_step() {
    let Some(boots) = boots() else { return };
    let shown = |name: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .arg("verify")
            .arg(boots.join(name))
            .arg("--ek-root")
            .arg(boots.join("ca/root.pem"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let shim = shown("a-shim-tis-ms");
    for text in [
        "application      shim: ",
        "application      GRUB: \\EFI\\BOOT\\grubx64.efi",
        "file             kernel: /vmlinuz",
        "as in event 40",
        "command line     /vmlinuz console=ttyS0 quiet loglevel=5 lab.mode=attest (verified)",
    ] {
        assert!(shim.contains(text), "{text}:\n{shim}");
    }
    let uki = shown("b-uki-tis-own");
    for text in ["application      unified kernel image: ", "uki-section      .initrd (verified)"] {
        assert!(uki.contains(text), "{text}:\n{uki}");
    }
    assert!(!uki.contains("attempt 1"), "one attempt needs no heading");
}
