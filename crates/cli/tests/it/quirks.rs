//! Known deviations in a judgement: each is told by its name, refused by it where the policy says so,
//! and lets nothing pass that does not pass without it.

use std::process::Command;

use api::appraisal::Appraisal;
use api::machine::Machine;
use cli::{evidence_dir::EvidenceFolder, judge_under};
use event_log::EventType;
use findings::Code;
use quirks::QUIRKS;
use testkit::log::{BootLog, BuiltLog, Entry};
use verify::RootStore;

use crate::finding_cases::{Bench, boot_pcrs, with_changed_data};
use crate::recorded::NOW;

/// Raised only where a policy names a quirk.
pub(crate) const CODES: [Code; 1] = [Code::QuirkRefused];

/// A boot whose separators lie in slots of 50 bytes.
pub(crate) fn slots(sound: &BootLog) -> BuiltLog {
    let mut entries = sound.entries();
    let separators = entries.iter_mut().filter(|e| e.event_type == EventType::SEPARATOR);
    separators.for_each(|entry| entry.data.resize(50, 0));
    sound.build_from(&entries)
}

/// What a host says of itself.
pub(crate) fn machine(vendor: &str, product: &str, firmware: &str) -> Option<Machine> {
    Some(Machine {
        system_vendor: Some(vendor.to_owned()),
        product_name: Some(product.to_owned()),
        firmware_version: Some(firmware.to_owned()),
        ..Machine::default()
    })
}

fn judged(policy: &str, folder: &EvidenceFolder, roots: &RootStore) -> Appraisal {
    judge_under(&policy::read(policy).unwrap(), folder, roots, NOW)
}

/// Severity and quirk of each finding of this code.
fn found(appraisal: &Appraisal, code: Code) -> Vec<(String, String)> {
    let findings = appraisal.findings.iter().filter(|finding| finding.code == code.as_str());
    let quirk = |finding: &api::finding::Finding| match finding.arguments.get("quirk") {
        Some(name) => name.as_str().unwrap().to_owned(),
        None => String::new(),
    };
    findings.map(|finding| (finding.severity.clone(), quirk(finding))).collect()
}

fn one(severity: &str, quirk: &str) -> Vec<(String, String)> {
    vec![(severity.to_owned(), quirk.to_owned())]
}

#[test]
fn a_deviation_is_told_once_and_refused_by_its_name() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let folder = bench.evidence(&slots(&BootLog::sound()), boot_pcrs());
    let appraisal = judged("", &folder, &roots);
    assert_eq!(appraisal.verdict, "accepted", "{:?}", appraisal.findings);
    assert_eq!(found(&appraisal, Code::QuirkAccepted), one("info", "separator-fixed-slot"));
    let quirks = appraisal.facts.event_log.unwrap().quirks;
    assert_eq!(quirks, ["separator-fixed-slot (8 events)"]);

    let refusing = "[quirks]\nrefuse = ['separator-fixed-slot', 'shim-authority-byte']";
    let appraisal = judged(refusing, &folder, &roots);
    assert_eq!(appraisal.verdict, "not accepted");
    assert_eq!(found(&appraisal, Code::QuirkRefused), one("fail", "separator-fixed-slot"));
    let other = judged("[quirks]\nrefuse = ['shim-authority-byte']", &folder, &roots);
    assert_eq!((&*other.verdict, found(&other, Code::QuirkRefused)), ("accepted", vec![]));
    let raised = judged("[findings.quirk-accepted]\nseverity = 'fail'", &folder, &roots);
    assert_eq!(raised.verdict, "not accepted");
}

#[test]
fn a_log_without_the_end_of_boot_services_is_refused_unless_a_policy_permits_it() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let sound = BootLog::sound();
    let mut entries = sound.entries();
    let n_all = entries.len();
    entries.retain(|entry| !entry.data.starts_with(b"Exit Boot Services"));
    assert_eq!(n_all - entries.len(), 2);
    // The TPM was extended with all of it, and the log ends before.
    let mut folder = bench.evidence(&sound.build(), boot_pcrs());
    folder.event_log = Some(sound.build_from(&entries).bytes);

    const NAME: &str = "exit-boot-services-not-logged";
    let refused = judged("", &folder, &roots);
    assert_eq!(refused.verdict, "not accepted");
    assert_eq!(found(&refused, Code::QuirkExplains), one("info", NAME));
    assert_eq!(found(&refused, Code::LogReplay).len(), 1);

    let permitting = format!("[quirks]\npermit = ['{NAME}']");
    let accepted = judged(&permitting, &folder, &roots);
    assert_eq!(accepted.verdict, "accepted", "{:?}", accepted.findings);
    assert_eq!(found(&accepted, Code::QuirkAccepted), one("info", NAME));
    assert_eq!(accepted.facts.event_log.unwrap().quirks, [format!("{NAME} (2 events)")]);

    // Another event of that PCR less, and that is not all that is lacking.
    let last = entries.iter().rposition(|entry| entry.pcr_index == 5).unwrap();
    entries.remove(last);
    folder.event_log = Some(sound.build_from(&entries).bytes);
    let cut = judged(&permitting, &folder, &roots);
    assert_eq!(cut.verdict, "not accepted");
    assert_eq!(
        (found(&cut, Code::QuirkAccepted), found(&cut, Code::QuirkExplains)),
        (vec![], vec![])
    );
}

#[test]
fn the_word_of_a_host_eases_a_text_that_nobody_believes_and_no_policy() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().build();
    let mut folder = bench.evidence(&log, boot_pcrs());
    folder.event_log = Some(with_changed_data(&log, EventType::S_CRTM_VERSION, 2));
    let warned = judged("", &folder, &roots);
    assert_eq!(found(&warned, Code::CrtmVersionData), one("warn", ""));
    folder.machine = machine("Example Corp.", "Dell Inc.", "2.5.1");
    assert_eq!(found(&judged("", &folder, &roots), Code::CrtmVersionData), one("warn", ""));
    folder.machine = machine("Dell Inc.", "PowerEdge R340", "2.5.1");
    let eased = judged("", &folder, &roots);
    let name = "crtm-version-other-form";
    assert_eq!(found(&eased, Code::CrtmVersionData), one("info", name));
    assert_eq!((&*eased.verdict, &*warned.verdict), ("accepted", "accepted"));

    // Saying Dell gets around nothing that the policy says.
    let raised = judged("[findings.crtm-version-data]\nseverity = 'fail'", &folder, &roots);
    assert_eq!(found(&raised, Code::CrtmVersionData), one("fail", name));
    let refused = judged(&format!("[quirks]\nrefuse = ['{name}']"), &folder, &roots);
    assert_eq!(found(&refused, Code::QuirkRefused), one("fail", name));

    // Nor around anything else that is wrong.
    folder.event_log = Some(with_changed_data(&log, EventType::EFI_VARIABLE_DRIVER_CONFIG, 0));
    let edited = judged("", &folder, &roots);
    assert_eq!(
        (&*edited.verdict, found(&edited, Code::EventData)),
        ("not accepted", one("fail", ""))
    );
}

#[test]
fn what_a_machine_is_known_for_explains_and_accepts_nothing() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().build();
    let mut folder = bench.evidence(&log, boot_pcrs());
    let sound = folder.clone();
    folder.event_log = Some(BootLog::sound().firmware("2.14.8").build().bytes);
    let refused = judged("", &folder, &roots);
    assert_eq!(found(&refused, Code::QuirkExplains), []);
    folder.machine = machine("HPE", "ProLiant DL160 Gen10", "U31");
    let explained = judged("", &folder, &roots);
    assert_eq!(found(&explained, Code::QuirkExplains), one("info", "hpe-u31-pcr-0"));
    assert_eq!(explained.verdict, "not accepted");
    assert_eq!(found(&explained, Code::LogReplay), found(&refused, Code::LogReplay));

    // The same machine with a log that replays.
    let sound = EvidenceFolder { machine: folder.machine, ..sound };
    let appraisal = judged("", &sound, &roots);
    assert_eq!((&*appraisal.verdict, found(&appraisal, Code::QuirkExplains)), ("accepted", vec![]));
}

#[test]
fn a_final_table_that_stands_in_the_log_twice_is_refused_by_name() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().build();
    let mut folder = bench.evidence(&log, boot_pcrs());
    let parsed = event_log::parse(&log.bytes);
    let tail = parsed.log.events()[parsed.log.events().len() - 3].offset;
    folder.event_log = Some([&log.bytes[..], &log.bytes[tail..]].concat());
    let appraisal = judged("", &folder, &roots);
    assert_eq!(appraisal.verdict, "not accepted");
    assert_eq!(found(&appraisal, Code::QuirkExplains), one("info", "final-events-twice"));
}

#[test]
fn a_text_of_the_firmware_names_its_row_and_a_code_is_only_listed() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let sound = BootLog::sound();
    let mut entries = sound.entries();
    let text = b"Security Level is Downgraded to 0";
    entries.insert(0, Entry::of_data(7, EventType::EFI_ACTION, text));
    entries.insert(0, Entry::of(0, EventType::POST_CODE, b"code", b"ACPI DATA"));
    let folder = bench.evidence(&sound.build_from(&entries), boot_pcrs());
    let appraisal = judged("", &folder, &roots);
    let named = found(&appraisal, Code::SecurityLevelDowngraded);
    assert_eq!(named, one("warn", "security-level-text"));
    assert_eq!(found(&appraisal, Code::QuirkAccepted), []);
    let quirks = appraisal.facts.event_log.unwrap().quirks;
    assert_eq!(quirks, ["post-code-text (1 events)"]);
}

#[test]
fn the_table_is_printed_and_a_policy_that_refuses_nothing_is_none() {
    let bootproof = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_bootproof")).args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, listed, _) = bootproof(&["quirks"]);
    assert_eq!(code, Some(0));
    for row in QUIRKS {
        assert!(listed.contains(row.name), "{}", row.name);
        let (code, one, _) = bootproof(&["quirks", row.name]);
        assert!(code == Some(0) && one.contains(row.permits), "{one}");
    }
    let (_, json, _) = bootproof(&["quirks", "--json"]);
    let entries: Vec<api::quirk::QuirkEntry> = serde_json::from_str(&json).unwrap();
    assert_eq!(entries.len(), QUIRKS.len());
    for entry in entries {
        let refusing = format!("[quirks]\nrefuse = ['{}']", entry.name);
        assert_eq!(policy::read(&refusing).is_ok(), entry.refusable, "{}", entry.name);
        let permitting = format!("[quirks]\npermit = ['{}']", entry.name);
        assert_eq!(policy::read(&permitting).is_ok(), entry.permissible, "{}", entry.name);
    }
    let (code, _, error) = bootproof(&["quirks", "no-such"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("hint: "), "{error}");
    let error = policy::read("[quirks]\nrefuse = ['seperator-fixed-slot']").unwrap_err();
    assert!(format!("{error:?}").contains("separator-fixed-slot"), "{error:?}");
}
