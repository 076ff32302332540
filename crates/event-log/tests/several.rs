//! Several logs in one file, and logs of confidential guests.

use event_log::{
    CcelTable, ConfidentialType, MeasurementRegister, ProblemKind, parse, parse_last, split_logs,
};
use testkit::log::BootLog;
use tpm_wire::TpmAlgId;

fn log(cmdline: &str) -> Vec<u8> {
    BootLog::sound().kernel_cmdline(cmdline).dbx_hashes(1).build().bytes
}

#[test]
fn logs_of_earlier_boots_are_told_apart_and_the_last_is_read() {
    let logs = [log("first"), log("second"), log("third")];
    let file = logs.concat();
    assert_eq!(split_logs(&file), logs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let (parsed, place) = parse_last(&file);
    assert_eq!((place.n_earlier, place.n_bytes), (2, logs[2].len()));
    assert_eq!(&file[place.offset..], logs[2]);
    assert_eq!(parsed.log.events(), parse(&logs[2]).log.events());
    assert_eq!(parsed.problems, []);

    // Read as one, it ends where the second begins, and says so.
    let first = parse(&file);
    assert_eq!(first.log.events(), parse(&logs[0]).log.events());
    assert_eq!(first.problems[0].kind, ProblemKind::AnotherLog);
    assert_eq!(first.problems[0].offset, logs[0].len());
    assert!(first.problems[0].to_string().ends_with("another log begins here"));
}

#[test]
fn one_log_is_one_piece_whatever_is_wrong_with_it() {
    let whole = log("quiet");
    for end in 0..whole.len() {
        assert_eq!(split_logs(&whole[..end]), [&whole[..end]]);
    }
    let (_, place) = parse_last(&whole);
    assert_eq!((place.n_earlier, place.offset, place.n_bytes), (0, 0, whole.len()));
    // A cut log before a whole one: nothing tells where the whole one begins.
    let cut = [&whole[..whole.len() - 1], &whole].concat();
    assert!(parse_last(&cut).0.problems.iter().all(|p| p.kind != ProblemKind::AnotherLog));
    // The text of a header inside of an event begins no log.
    let inside = log("Spec ID Event03\0");
    assert_eq!(split_logs(&inside).len(), 1);
    // A log of SHA-1 records is told apart where a crypto-agile one follows.
    let old = BootLog::sound().banks(&[TpmAlgId::SHA1]).dbx_hashes(1).build().bytes;
    assert_eq!(split_logs(&[&old[..], &whole].concat()).len(), 2);
}

#[test]
fn recorded_logs_behind_one_another_are_those_that_they_were() {
    let folder = "machines/immune-gmbh+guard-oss/evidence-extract/dell-notebook-5eventlogs-WBCL";
    let Some(folder) = testkit::corpus::folder(folder) else { return };
    let read = |n| std::fs::read(folder.join(format!("eventlog{n}.bin"))).unwrap();
    let logs = [0, 1, 3, 4].map(read);
    assert_eq!(split_logs(&logs.concat()), logs.iter().map(Vec::as_slice).collect::<Vec<_>>());
}

#[test]
fn registers_of_confidential_guests_stand_for_pcrs() {
    let mut table = vec![0; 56];
    table[..4].copy_from_slice(b"CCEL");
    table[36] = 2;
    table[40..48].copy_from_slice(&0x10000_u64.to_le_bytes());
    let read = CcelTable::parse(&table).unwrap();
    assert_eq!((read.kind, read.log_area_bytes), (ConfidentialType::Tdx, 0x10000));
    for end in 0..48 {
        assert_eq!(CcelTable::parse(&table[..end]), None);
    }
    table[36] = 1;
    assert_eq!(CcelTable::parse(&table).unwrap().kind, ConfidentialType::Sev);
    table[0] = b'X';
    assert_eq!(CcelTable::parse(&table), None);

    let of = |index| MeasurementRegister::of_index(ConfidentialType::Tdx, index);
    let told = (0..=5).map(|index| of(index).map(|r| format!("{r} {}", r.pcrs())));
    let told: Vec<_> = told.map(Option::unwrap_or_default).collect();
    assert_eq!(told, ["MRTD 0", "RTMR0 1,7", "RTMR1 2-6", "RTMR2 8-15", "RTMR3 none", ""]);
    // A guest of SEV has none: its events are in the PCRs of a virtual TPM, if anywhere.
    assert_eq!(MeasurementRegister::of_index(ConfidentialType::Sev, 1), None);
}
