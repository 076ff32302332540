//! Measurements of the running system, on quotes of a software TPM.

use cli::evidence_dir::EvidenceFolder;
use event_log::hash;
use testkit::log::{BootLog, BuiltLog};
use tpm_wire::{Digest, TpmAlgId, command::PcrExtend};
use verify::RootStore;

use crate::{
    finding_cases::{Bench, boot_pcrs},
    recorded::NOW,
};

const ALG: TpmAlgId = TpmAlgId::SHA256;

/// A record of systemd's log.
fn record(pcr: u32, digest: &Digest, text: &str) -> Vec<u8> {
    let record = serde_json::json!({
        "pcr": pcr,
        "digests": [{ "hashAlg": "sha256", "digest": digest.to_string() }],
        "content_type": "systemd",
        "content": { "string": text, "eventType": "phase" },
    });
    format!("\u{1e}{record}\n").into_bytes()
}

fn digest(text: &str) -> Digest {
    hash(ALG, &[text.as_bytes()]).unwrap()
}

/// Extends a PCR with the digest of each text, and gives the records.
fn measure(bench: &Bench, pcr: u32, texts: &[&str]) -> Vec<u8> {
    let mut client = bench.tpm.client().unwrap();
    let mut log = Vec::new();
    for text in texts {
        let digests = [(ALG, digest(text))];
        client.run(&PcrExtend { index: pcr, digests: &digests }).unwrap();
        log.extend(record(pcr, &digest(text), text));
    }
    log
}

fn judged(folder: &EvidenceFolder, roots: &RootStore) -> (String, Vec<String>, Vec<String>) {
    let appraisal = cli::judge(folder, roots, NOW);
    // The TPM of these tests is a program, which is told.
    let found = appraisal.findings.iter().filter(|finding| finding.code != "tpm-virtual");
    let codes = found.map(|finding| finding.code.clone()).collect();
    let led_on = appraisal.facts.event_log.map(|log| log.led_on).unwrap_or_default();
    (appraisal.verdict, codes, led_on)
}

struct Booted {
    bench: Bench,
    log: BuiltLog,
    roots: RootStore,
}

fn booted() -> Booted {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().banks(&[ALG]).build();
    let _ = bench.evidence(&log, boot_pcrs());
    Booted { bench, log, roots }
}

#[test]
fn phases_of_the_running_system_explain_its_pcrs() {
    let Booted { mut bench, log, roots } = booted();
    let phases = measure(&bench, 11, &["enter-initrd", "leave-initrd", "sysinit"]);
    let machine = measure(&bench, 15, &["machine-id:0123"]);
    let pcrs = boot_pcrs().with(11).with(15);
    let mut folder = bench.quote(&log, pcrs);
    let (verdict, codes, led_on) = judged(&folder, &roots);
    assert_eq!((&*verdict, codes), ("accepted", vec!["log-continued".to_owned()]));
    assert_eq!(led_on, [] as [&str; 0]);

    folder.userspace_log = Some([phases.clone(), machine.clone()].concat());
    let (verdict, codes, led_on) = judged(&folder, &roots);
    assert_eq!((&*verdict, codes), ("accepted", vec![]));
    assert_eq!(led_on, ["sha256:11 (3 events)", "sha256:15 (1 events)"]);

    // What came after the quote is the next one's; what is missing or changed explains nothing.
    let later = record(11, &digest("ready"), "ready");
    let grown = [phases.clone(), machine.clone(), later].concat();
    folder.userspace_log = Some(grown);
    assert_eq!(judged(&folder, &roots).2.len(), 2);
    let foreign = [record(11, &digest("x"), "x"), phases.clone(), machine.clone()].concat();
    folder.userspace_log = Some(foreign);
    assert_eq!(judged(&folder, &roots).2, ["sha256:15 (1 events)"]);
    folder.userspace_log = Some(machine);
    assert_eq!(judged(&folder, &roots).1, ["log-continued"]);
}

#[test]
fn a_separator_of_the_system_may_close_the_firmwares_pcrs_and_nothing_else_may() {
    let Booted { mut bench, log, roots } = booted();
    let closed: Vec<u8> =
        [0, 4, 7, 9].into_iter().flat_map(|pcr| measure(&bench, pcr, &["os-separator"])).collect();
    let mut folder = bench.quote(&log, boot_pcrs());
    let without = judged(&folder, &roots);
    assert_eq!(without.0, "not accepted");
    assert!(without.1.iter().all(|code| code == "log-replay" || code == "secure-boot-unknown"));
    folder.userspace_log = Some(closed.clone());
    let (verdict, codes, led_on) = judged(&folder, &roots);
    assert_eq!((&*verdict, codes), ("accepted", vec![]));
    assert_eq!(led_on.len(), 4);

    // A second one, or something else, is nothing that a sound system does there.
    let again = measure(&bench, 4, &["os-separator"]);
    let mut folder = bench.quote(&log, boot_pcrs());
    folder.userspace_log = Some([closed, again].concat());
    assert_eq!(judged(&folder, &roots).0, "not accepted");
}

#[test]
fn no_boot_application_hides_in_the_log_of_the_running_system() {
    let Booted { mut bench, log, roots } = booted();
    let folder = bench.quote(&log, boot_pcrs());
    assert_eq!(judged(&folder, &roots).0, "accepted");
    // The last event of each PCR that must replay, moved from the firmware's log to the other one.
    let parsed = event_log::parse(&log.bytes);
    let events = parsed.log.events();
    for pcr in [4, 5, 7, 8, 9] {
        let Some(last) =
            events.iter().rposition(|event| event.pcr_index == pcr && event.is_extended())
        else {
            continue;
        };
        let end = events.get(last + 1).map_or(log.bytes.len(), |next| next.offset);
        let without = [&log.bytes[..events[last].offset], &log.bytes[end..]].concat();
        let digest = Digest::new(events[last].digests.of(ALG).unwrap()).unwrap();
        let hidden = EvidenceFolder {
            event_log: Some(without),
            userspace_log: Some(record(pcr, &digest, "os-separator")),
            ..folder.clone()
        };
        assert_eq!(judged(&hidden, &roots).0, "not accepted", "PCR {pcr}");
    }
}
