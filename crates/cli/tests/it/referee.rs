//! The replay, with tpm2_eventlog as a referee over all recorded logs: PCRs are equal, or the
//! difference is of a class that the specification decides. docs/coverage.md tells who is right.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use event_log::untrusted::{EventData, NoAction};
use event_log::{EventType, Format, Log, NO_PCR, hash, parse, replay};
use tpm_wire::TpmAlgId;

/// Bank -> PCR -> hex.
type Pcrs = BTreeMap<String, BTreeMap<u32, String>>;

/// What a difference is about. The text beside each count in the table says who is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Difference {
    /// The referee extends an EV_NO_ACTION behind the Spec ID event, and starts PCR 0 at zero
    /// whatever StartupLocality says.
    NoAction,
    /// The referee refuses the trailer of Windows, which belongs to no PCR.
    Trailer,
    /// The referee refuses logs of confidential guests, whose Spec ID event is in register 1.
    ConfidentialGuest,
    /// The referee refuses a log that fills its area behind the last event.
    Padding,
    /// The referee refuses a Spec ID event with vendor information.
    VendorInfo,
    /// The referee wants a Spec ID event first in the old format.
    FirstEvent,
    /// The referee gives up where the data of an event is not what its type says.
    EventData,
    /// The referee has no line for a bank that no event extends.
    UntouchedBank,
    /// We refuse a damaged Spec ID event; the referee reads on.
    DamagedHeader,
    /// Both refuse.
    BothRefuse,
}

/// How often each difference is met. One more, or one less, is a change to be explained.
const EXPECTED: [(Difference, usize); 10] = [
    (Difference::NoAction, 22),
    (Difference::Trailer, 9),
    (Difference::ConfidentialGuest, 12),
    (Difference::Padding, 4),
    (Difference::VendorInfo, 1),
    (Difference::FirstEvent, 1),
    (Difference::EventData, 3),
    (Difference::UntouchedBank, 3),
    (Difference::DamagedHeader, 2),
    (Difference::BothRefuse, 7),
];

#[test]
#[expect(clippy::print_stderr, reason = "the counts are part of the result")]
fn replayed_pcrs_are_those_of_the_referee() {
    let Some(root) = testkit::corpus::root() else { return };
    let (mut n_equal_logs, mut n_equal_pcrs) = (0, 0);
    let mut met = BTreeMap::<Difference, Vec<String>>::new();
    for path in logs(&root) {
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        let bytes = std::fs::read(&path).unwrap();
        let theirs = ask(&path);
        let parsed = parse(&bytes);
        let is_refused = bytes.is_empty() || !parsed.problems.is_empty();
        let log = &parsed.log;
        let difference = match (&theirs, is_refused) {
            (None, true) => Some(Difference::BothRefuse),
            (Some(_), true) => Some(Difference::DamagedHeader),
            (None, false) => Some(why_refused(log).unwrap_or_else(|| panic!("{name} is refused"))),
            (Some(theirs), false) => compare(log, theirs, &name),
        };
        match difference {
            Some(difference) => met.entry(difference).or_default().push(name),
            None => {
                n_equal_logs += 1;
                n_equal_pcrs += theirs.unwrap().values().map(BTreeMap::len).sum::<usize>();
            }
        }
    }
    eprintln!("{n_equal_logs} logs and {n_equal_pcrs} PCRs are equal");
    for (difference, names) in &met {
        eprintln!("{difference:?}: {} logs: {names:#?}", names.len());
    }
    let counts =
        EXPECTED.map(|(difference, _)| (difference, met.get(&difference).map_or(0, Vec::len)));
    assert_eq!(counts, EXPECTED);
}

/// Each recorded log once.
fn logs(root: &Path) -> BTreeSet<PathBuf> {
    let index = std::fs::read(root.join("machines/INDEX.json")).unwrap();
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let is_log = |r: &&serde_json::Value| !r["replay"].is_null() && r["duplicate_of"].is_null();
    let machines = index.as_array().unwrap().iter().filter(is_log);
    let mut files: BTreeSet<_> =
        machines.map(|r| root.join("machines").join(r["file"].as_str().unwrap())).collect();
    for folder in ["keylime/eventlogs", "adversarial"] {
        files.extend(std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap().path()));
    }
    for folder in ["boots", "bench"] {
        let cases = std::fs::read_dir(root.join(folder)).unwrap();
        files.extend(cases.map(|case| case.unwrap().path().join("eventlog.bin")));
    }
    files.retain(|path| path.is_file() && path.extension().is_none_or(|e| e != "json"));
    files
}

/// The referee's PCRs; `None` where it refuses the log.
fn ask(log: &Path) -> Option<Pcrs> {
    let output = Command::new("tpm2_eventlog").arg(log).output().unwrap_or_else(|error| {
        panic!("tpm2_eventlog cannot be started ({error}): install the package tpm2-tools")
    });
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut pcrs = Pcrs::new();
    let mut bank = String::new();
    for line in text.lines().skip_while(|line| *line != "pcrs:").skip(1) {
        match line.trim().split_once(':') {
            Some((name, "")) => name.clone_into(&mut bank),
            Some((index, value)) => {
                let value = value.trim().trim_start_matches("0x").to_owned();
                pcrs.entry(bank.clone()).or_default().insert(index.trim().parse().unwrap(), value);
            }
            None => {}
        }
    }
    Some(pcrs)
}

/// The first thing of a log that the referee is known to refuse.
fn why_refused(log: &Log<'_>) -> Option<Difference> {
    let first = log.events().first()?;
    let is_spec_id =
        |data: &EventData<'_>| matches!(data, EventData::NoAction(NoAction::SpecId(_)));
    let is_malformed =
        |event| matches!(EventData::read(event, log.format()), EventData::Malformed { .. });
    let has_vendor_info = match log.format() {
        Format::CryptoAgile(spec_id) => !spec_id.vendor_info.is_empty(),
        Format::Sha1 => false,
    };
    Some(match () {
        () if log.events().iter().any(|event| event.pcr_index == NO_PCR) => Difference::Trailer,
        () if is_spec_id(&EventData::read(first, log.format())) && first.pcr_index == 1 => {
            Difference::ConfidentialGuest
        }
        () if log.padding_len() > 0 => Difference::Padding,
        () if has_vendor_info => Difference::VendorInfo,
        () if first.untrusted_event_type == EventType::NO_ACTION
            && !is_spec_id(&EventData::read(first, log.format())) =>
        {
            Difference::FirstEvent
        }
        () if log.events().iter().any(is_malformed) => Difference::EventData,
        () => return None,
    })
}

fn compare(log: &Log<'_>, theirs: &Pcrs, name: &str) -> Option<Difference> {
    let replay = replay(log, log.algorithms());
    let mut difference = None;
    for bank in replay.banks() {
        let alg = bank.alg();
        let Some(theirs) = theirs.get(&alg.to_string()) else {
            assert!(log.events().iter().all(|e| e.number == 0 || e.digests.of(alg).is_none()));
            difference = Some(Difference::UntouchedBank);
            continue;
        };
        for (index, value) in theirs {
            if bank.get(*index).unwrap().to_string() == *value {
                continue;
            }
            assert_eq!(*index, 0, "{name}: only PCR 0 may differ");
            let as_they = extended_from_zero_with_no_actions(log, alg);
            assert_eq!(as_they, *value, "{name}: PCR 0 of {alg} is not as the referee counts");
            difference = Some(Difference::NoAction);
        }
    }
    difference
}

/// PCR 0 as the referee counts it, apart from the product's replay.
fn extended_from_zero_with_no_actions(log: &Log<'_>, alg: TpmAlgId) -> String {
    let mut value = vec![0; alg.digest_len().unwrap()];
    for event in log.events().iter().filter(|event| event.pcr_index == 0 && event.number != 0) {
        if let Some(digest) = event.digests.of(alg) {
            value = hash(alg, &[&value, digest]).unwrap().as_bytes().to_vec();
        }
    }
    hex(&value)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
