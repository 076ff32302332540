//! Recorded logs: their PCRs, and which data is a lie. Exceptions are named one by one.

use std::path::Path;

use event_log::{DataCheck, check_data, compare, encode, parse, replay};
use serde_json::Value;
use testkit::corpus;
use tpm_wire::{Digest, PcrBank, TpmAlgId};

fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// `{ "sha256": { "0": "hex" } }`, as far as the banks are of hashes that we know.
fn banks(value: &Value) -> Vec<PcrBank> {
    let banks = value.as_object().unwrap().iter().filter_map(|(name, values)| {
        let mut bank = PcrBank::new(TpmAlgId::from_hash_name(name)?);
        for (index, value) in values.as_object().unwrap() {
            let value = Digest::new(&hex::decode(value.as_str().unwrap()).unwrap()).unwrap();
            assert!(bank.set(index.parse().unwrap(), value), "{name} {index}");
        }
        Some(bank)
    });
    banks.collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter().map(Value::to_string).collect()
}

/// Boots of one laboratory, with the PCRs of their TPM: all differences are told by expect.json.
#[test]
#[expect(clippy::print_stderr, reason = "the count of cases is told")]
fn boots_replay_to_the_pcrs_of_their_tpm() {
    let Some(root) = corpus::folder("boots") else { return };
    let (mut n_cases, mut n_without_log, mut n_problems) = (0, 0, 0);
    for entry in std::fs::read_dir(&root).unwrap() {
        let dir = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(dir.join("eventlog.bin")) else {
            n_without_log += usize::from(dir.join("expect.json").exists());
            continue;
        };
        let expect = json(&dir.join("expect.json"));
        let name = expect["case"].as_str().unwrap();
        let parsed = parse(&bytes);
        let reasons = strings(&expect["reasons"]);
        let has = |reason: &str| reasons.contains(&format!("\"{reason}\""));
        let no_log = has("LOG_PARSE") || has("NO_EVENT_LOG");
        assert_eq!(!parsed.problems.is_empty(), no_log, "{name}: {:?}", parsed.problems);
        n_cases += 1;
        if no_log {
            n_problems += 1;
            continue;
        }
        let log = &parsed.log;
        assert_eq!(encode(log), bytes, "{name}");
        assert_eq!(Some(log.events().len() as u64), expect["log_events"].as_u64(), "{name}");
        let replay = replay(log, log.algorithms());
        assert_eq!(replay.startup_problems, [], "{name}");
        let quoted = banks(&json(&dir.join("pcrs.json")));
        let comparison = compare(log, &replay, &quoted, &event_log::Rules::default());
        // PCR 10 is IMA's: each boot here goes on with it after the log, and expect.json leaves it
        // out. Another PCR that may go on is told by it where it differs.
        let continued = comparison.continued.iter().filter(|m| m.pcr_index != 10);
        let mut bad: Vec<_> = comparison.mismatches.iter().chain(continued).collect();
        bad.sort_by_key(|m| (m.alg, m.pcr_index));
        let bad: Vec<_> = bad.iter().map(|m| format!("\"{}:{}\"", m.alg, m.pcr_index)).collect();
        assert_eq!(bad, strings(&expect["replay_bad"]), "{name}");
        assert_eq!(comparison.mismatches.is_empty(), !has("LOG_REPLAY"), "{name}");
        let contradicting = log
            .events()
            .iter()
            .filter(|event| matches!(check_data(event, |_| true), DataCheck::Contradicts(_)));
        let contradicting: Vec<_> = contradicting.map(|event| event.number.to_string()).collect();
        assert_eq!(contradicting, strings(&expect["data_mismatch_events"]), "{name}");
        assert_eq!(contradicting.is_empty(), !has("EVENT_DATA"), "{name}");
    }
    eprintln!("{n_cases} logs, {n_problems} with problems; {n_without_log} cases without a log");
    assert!(n_cases >= 50, "{n_cases} logs");
}

/// Logs of machines that cannot be read, and why.
const NOT_READ: [(&str, &str); 1] = [(
    "specid-vendordata.bin",
    "a fixture whose vendor information lies behind the end of its event",
)];

/// Events of machines whose data is not what was measured: file, how many, why.
const CONTRADICTING: [(&str, usize, &str); 8] = [
    ("tpm2bios.log", 18, "OpenPOWER firmware: actions and separators are names of what is hashed"),
    ("linux_tpm12.eventlog.bin", 5, "firmware before TPM 2.0 measures the value of a variable"),
    ("TPMLog_Altered.bin", 1, "altered for a test"),
    ("uefi_event_log_invalid.bin", 1, "altered for a test"),
    ("gdc-host.bin", 1, "Dell: EV_S_CRTM_VERSION"),
    ("IMN-DELL/eventlog.bin", 1, "Dell: EV_S_CRTM_VERSION"),
    ("IMN-DELL-WBCL-BootCtrs/eventlog.bin", 1, "Dell: EV_S_CRTM_VERSION"),
    ("r340/eventlog.bin", 1, "Dell: EV_S_CRTM_VERSION"),
];

/// Logs of real machines: framing, round trip, each bank's replay as the index has it.
#[test]
#[expect(clippy::print_stderr, reason = "the count of cases is told")]
fn logs_of_machines_replay_as_recorded() {
    let Some(root) = corpus::folder("machines") else { return };
    let (mut n_logs, mut n_pcrs, mut n_contradicting) = (0, 0, 0);
    for record in json(&root.join("INDEX.json")).as_array().unwrap() {
        let name = record["file"].as_str().unwrap();
        if record["replay"].is_null() || !record["duplicate_of"].is_null() {
            continue;
        }
        let bytes = std::fs::read(root.join(name)).unwrap();
        let parsed = parse(&bytes);
        n_logs += 1;
        let is_exception = NOT_READ.iter().any(|(file, _)| name.ends_with(file));
        assert_eq!(parsed.problems.is_empty(), !is_exception, "{name}: {:?}", parsed.problems);
        if is_exception {
            continue;
        }
        let log = &parsed.log;
        assert_eq!(encode(log), bytes, "{name}");
        // The index does not count the header of a crypto-agile log.
        let is_agile = record["format"] == "crypto-agile";
        let n_events = log.events().len() - usize::from(is_agile);
        assert_eq!(Some(n_events as u64), record["events"].as_u64(), "{name}");
        assert_eq!(log.padding_len() > 0, record["pad"].is_string(), "{name}");
        let replay = replay(log, log.algorithms());
        for bank in banks(&record["replay"]) {
            let replayed = replay.bank(bank.alg()).unwrap_or_else(|| panic!("{name}"));
            for (index, value) in bank.iter() {
                n_pcrs += 1;
                assert_eq!(replayed.get(index), Some(value), "{name} {} {index}", bank.alg());
            }
        }
        let strong = log.algorithms().any(TpmAlgId::is_strong_hash);
        let counts = |alg: TpmAlgId| alg.is_strong_hash() || !strong;
        let n = log
            .events()
            .iter()
            .filter(|event| matches!(check_data(event, counts), DataCheck::Contradicts(_)));
        let n = n.count();
        let expected = CONTRADICTING.iter().find(|(file, ..)| name.ends_with(file));
        assert_eq!(n, expected.map_or(0, |(_, n, _)| *n), "{name}");
        n_contradicting += usize::from(n > 0);
    }
    eprintln!(
        "{n_logs} logs of machines, {n_pcrs} PCR values equal; {} not read, {n_contradicting} \
         with contradicting events",
        NOT_READ.len()
    );
    assert!(n_logs >= 90, "{n_logs} logs");
    assert!(n_contradicting >= CONTRADICTING.len(), "{n_contradicting}");
}

/// Values that the machines' TPMs had, as their sources state them: no exception.
#[test]
#[expect(clippy::print_stderr, reason = "the count of cases is told")]
fn logs_of_machines_replay_as_expected() {
    let Some(root) = corpus::folder("machines") else { return };
    let (mut n_logs, mut n_pcrs) = (0, 0);
    for (name, expected) in json(&root.join("EXPECTED.json")).as_object().unwrap() {
        let bytes = std::fs::read(root.join(name)).unwrap();
        let log = parse(&bytes).log;
        let replay = replay(&log, log.algorithms());
        n_logs += 1;
        for bank in banks(&expected["pcrs"]) {
            let replayed = replay.bank(bank.alg()).unwrap_or_else(|| panic!("{name}"));
            for (index, value) in bank.iter() {
                n_pcrs += 1;
                assert_eq!(replayed.get(index), Some(value), "{name} {} {index}", bank.alg());
            }
        }
    }
    eprintln!("{n_logs} logs of machines, {n_pcrs} PCR values as expected");
    assert_eq!(n_logs, 16);
}
