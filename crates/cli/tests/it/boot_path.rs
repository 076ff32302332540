//! The path of a boot in the document and on the screen, and the findings about its order.

use std::process::Command;

use efi::Guid;
use event_log::EventType;
use findings::Code;
use testkit::log::{BootLog, Device, Entry, certificates, image_load, signature_data, variable};

use crate::finding_cases::{Bench, boot_pcrs};
use crate::recorded::{NOW, boots};

/// The findings of this file.
pub(crate) const CODES: [Code; 5] = [
    Code::BootApplicationMissing,
    Code::AuthorityMissing,
    Code::MeasuredLate,
    Code::MeasuredEarly,
    Code::BootAttemptFailed,
];

fn is_application(entry: &Entry) -> bool {
    entry.event_type == EventType::EFI_BOOT_SERVICES_APPLICATION
}

fn place(entries: &[Entry], is_it: impl Fn(&Entry) -> bool) -> usize {
    entries.iter().position(is_it).unwrap()
}

#[test]
fn each_finding_of_the_order_has_a_case_and_one_that_just_does_not() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let sound = BootLog::sound();
    let mut told = |log: &BootLog, change: &dyn Fn(&mut Vec<Entry>)| -> Vec<String> {
        let mut entries = log.entries();
        change(&mut entries);
        let folder = bench.evidence(&log.build_from(&entries), boot_pcrs());
        let appraisal = cli::judge(&folder, &roots, NOW);
        // None of these findings refuses a host.
        assert_eq!(appraisal.verdict, "accepted", "{:?}", appraisal.findings);
        let codes = appraisal.findings.into_iter().map(|finding| finding.code);
        codes.filter(|code| code != "tpm-virtual").collect()
    };
    let separator = |pcr: u32| {
        move |entry: &Entry| entry.event_type == EventType::SEPARATOR && entry.pcr_index == pcr
    };

    // No loader, or one that ran before the firmware let go.
    assert_eq!(
        told(&sound, &|log| log.retain(|e| !is_application(e))),
        ["boot-application-missing"]
    );
    let early = |log: &mut Vec<Entry>| {
        let loader = log.remove(place(log, is_application));
        log.retain(|entry| !is_application(entry));
        log.insert(place(log, separator(4)), loader);
    };
    assert_eq!(told(&sound, &early), ["boot-application-missing"]);
    let one_behind = |log: &mut Vec<Entry>| {
        let loader = log.remove(place(log, is_application));
        log.insert(place(log, separator(4)), loader);
    };
    assert_eq!(told(&sound, &one_behind), Vec::<String>::new());
    let elsewhere = |log: &mut Vec<Entry>| {
        log.iter_mut().filter(|entry| is_application(entry)).for_each(|entry| entry.pcr_index = 2);
    };
    assert_eq!(told(&sound, &elsewhere), Vec::<String>::new());

    // No entry of db allowed it. One that allowed a driver before is named once, which is enough.
    let is_db = |entry: &Entry| {
        let value = signature_data(Guid::SHIM_LOCK, &[]);
        let shims = variable(Guid::SHIM_LOCK, "", &value);
        entry.event_type == EventType::EFI_VARIABLE_AUTHORITY && entry.data[..16] != shims[..16]
    };
    let without = |log: &mut Vec<Entry>| log.retain(|entry| !is_db(entry));
    assert_eq!(told(&sound, &without), ["authority-missing"]);
    let with_rom = BootLog::sound().option_rom();
    assert_eq!(told(&with_rom, &|_| {}), Vec::<String>::new());
    let twice = |log: &mut Vec<Entry>| {
        let at = place(log, is_db);
        log.insert(at, log[at].clone());
    };
    assert_eq!(told(&sound, &twice), Vec::<String>::new(), "told twice is told");

    // Behind the separator of PCR 0, and just before it.
    let code = Entry::of(0, EventType::EFI_PLATFORM_FIRMWARE_BLOB, b"late code", &[0; 16]);
    let behind = |n: usize| {
        let code = code.clone();
        move |log: &mut Vec<Entry>| {
            let at = place(log, separator(0));
            log.insert(at + n, code.clone());
        }
    };
    assert_eq!(told(&sound, &behind(1)), ["measured-after-handover"]);
    assert_eq!(told(&sound, &behind(0)), Vec::<String>::new());
    // A loader may load a driver, and firmware measures tables at each attempt.
    let driver = image_load(Device::File("\\EFI\\ext4.efi"), 1);
    let late = |log: &mut Vec<Entry>| {
        log.push(Entry::of(2, EventType::EFI_BOOT_SERVICES_DRIVER, b"ext4", &driver));
        log.push(Entry::of(1, EventType::EFI_HANDOFF_TABLES, b"SMBIOS", &[0; 8]));
    };
    assert_eq!(told(&sound, &late), Vec::<String>::new());

    // A PCR of the operating system before the first separator, and just behind it.
    let os = Entry::of_data(9, EventType::EVENT_TAG, b"\x01\0\0\0\x01\0\0\0x");
    let before = |n: usize| {
        let os = os.clone();
        move |log: &mut Vec<Entry>| {
            let at = place(log, separator(0));
            log.insert(at + n, os.clone());
        }
    };
    assert_eq!(told(&sound, &before(0)), ["measured-before-handover"]);
    assert_eq!(told(&sound, &before(1)), Vec::<String>::new());

    // An entry that came back.
    let back = |log: &mut Vec<Entry>| {
        let at = place(log, is_application);
        let text = b"Returning from EFI Application from Boot Option";
        log.insert(at, Entry::of_data(4, EventType::EFI_ACTION, text));
    };
    assert_eq!(told(&sound, &back), ["boot-attempt-failed"]);
}

#[test]
fn an_authority_that_mok_list_has_is_told_from_one_that_only_shim_knows() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let mut standings = |log: &BootLog, entries: &[Entry]| {
        let folder = bench.evidence(&log.build_from(entries), boot_pcrs());
        let state = cli::judge(&folder, &roots, NOW).facts.secure_boot_state.unwrap();
        let keys = state.authorities.iter().filter(|authority| authority.subject.is_some());
        let told = keys.map(|authority| authority.standing.clone()).collect::<Vec<_>>();
        (told, state.mok_list_trusted, state.mok_revokes)
    };
    let sound = BootLog::sound();
    let told = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let have = standings(&sound, &sound.entries());
    assert_eq!(have, (told(["in db", "in MokList"]), Some(true), false));
    let owner = BootLog::sound().mok_kernel();
    let (have, ..) = standings(&owner, &owner.entries());
    assert_eq!(have, ["in db", "in MokList", "in MokList"]);
    // A list of other content, and one that revokes.
    let mut entries = sound.entries();
    for entry in &mut entries {
        match entry.data.as_slice() {
            b"MokList\0" => entry.measured.push(0),
            b"MokListX\0" => entry.measured = b"a list".to_vec(),
            b"MokListTrusted\0" => entry.measured = vec![0],
            _ => {}
        }
    }
    let have = standings(&sound, &entries);
    assert_eq!(have, (told(["in db", "of shim"]), Some(false), true));
    // The key of someone else under shim's name is in no list.
    let mut entries = sound.entries();
    let foreign = signature_data(Guid::SHIM_LOCK, &certificates().mok);
    let data = variable(Guid::SHIM_LOCK, "MokListRT", &foreign);
    entries.push(Entry::of_data(7, EventType::EFI_VARIABLE_AUTHORITY, &data));
    let (have, ..) = standings(&sound, &entries);
    assert_eq!(have, ["in db", "in MokList", "of shim"]);
}

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
