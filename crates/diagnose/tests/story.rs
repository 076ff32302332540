//! Whole logs: the founding story, order, hosts, bounds.

use std::sync::Arc;

use diagnose::{
    CASES_MAX, Diagnosis, EVIDENCE_BYTES_MAX, EVIDENCE_LINES_MAX, HostReport, LINE_BYTES_MAX,
    Lines, Matcher, Place, Report, State, Year,
};
use findings::Code;

const VMKERNEL: &str = include_str!("story/vmkernel.log");
const VPXD: &str = include_str!("story/vpxd.log");

fn place(file: &str) -> Place {
    Place { file: Arc::from(file), host: None, year: Year::Unknown }
}

/// What is found in `files`, given in pieces of `n` bytes.
fn report_in_pieces(files: &[(&str, &[u8])], n: usize) -> Report {
    let matcher = Matcher::new().unwrap();
    let mut diagnosis = Diagnosis::new();
    for (name, bytes) in files {
        let place = place(name);
        let mut lines = Lines::new();
        let mut found =
            |number, line: &[u8], hits: &[_]| diagnosis.line(&place, number, line, hits);
        for piece in bytes.chunks(n) {
            lines.push(&matcher, piece, &mut found);
        }
        let lines = lines.finish(&matcher, &mut found);
        let expected = bytes.split(|byte| *byte == b'\n').count() as u64;
        assert_eq!(
            lines.n_lines(),
            expected - u64::from(bytes.is_empty() || bytes.ends_with(b"\n"))
        );
    }
    diagnosis.report()
}

fn report(files: &[(&str, &[u8])]) -> Report {
    report_in_pieces(files, usize::MAX)
}

fn ids(cases: &[diagnose::Case]) -> Vec<&'static str> {
    cases.iter().map(|case| case.signature.id).collect()
}

fn only(report: &Report) -> &HostReport {
    assert_eq!(report.hosts.len(), 1, "{:?}", report.hosts);
    &report.hosts[0]
}

#[test]
fn the_founding_story_has_its_three_causes_on_one_host() {
    let files = [("vmkernel.log", VMKERNEL.as_bytes()), ("vpxd-11.log", VPXD.as_bytes())];
    let found = report(&files);
    let host = only(&found);
    assert_eq!(host.name.as_ref().unwrap().as_str(), "esxi-117.foobar.com");
    assert!(host.has_unnamed_lines, "the lines of vmkernel.log name no host");

    // The missing identity key lasts; the bank was off until the driver loaded.
    assert_eq!(ids(&host.causes), ["E05", "L01"]);
    let [key, bank] = &host.causes[..] else { panic!("two causes") };
    assert_eq!((key.finding(), key.state), (Some(Code::NoIdentityKey), State::Lasts));
    assert!(key.next_step().contains("disconnect"));
    assert_eq!(bank.finding(), Some(Code::Sha256BankInactive));
    assert_eq!(bank.first_ms, Some(1_525_901_421_060));
    assert_eq!(bank.state, State::EndedAt(1_525_960_947_817));
    // TXT shows as nothing but a harmless code: it is told as what it may be.
    let [(suspicion, code)] = &host.suspicions[..] else { panic!("one suspicion") };
    assert_eq!(suspicion.finding, Some(Code::DynamicLaunch));
    assert!(suspicion.says.contains("TXT"));
    assert!(code.evidence[0].text.ends_with("0x18b"));

    assert_eq!(ids(&host.symptoms), ["E03", "L02", "L04"]);
    assert_eq!(host.symptoms[0].explained_by, ["E05"]);
    assert_eq!(host.symptoms[1].explained_by, ["L01"]);
    assert_eq!(ids(&host.harmless), ["L06", "L22", "L05", "E04"]);
    assert!(found.is_trouble());
}

#[test]
fn neither_order_nor_pieces_change_a_report() {
    let files = [("vmkernel.log", VMKERNEL.as_bytes()), ("vpxd-11.log", VPXD.as_bytes())];
    let whole = format!("{:?}", report(&files));
    for n in [1, 7, 100, 4096] {
        assert_eq!(format!("{:?}", report_in_pieces(&files, n)), whole, "pieces of {n}");
    }
    let turned = [files[1], files[0]];
    assert_eq!(format!("{:?}", report(&turned)), whole);
}

#[test]
fn an_absent_index_on_a_sound_host_is_harmless_and_a_wrong_password_is_not() {
    let line = "2018-05-10T14:02:55.920Z cpu18:2100795)tpmDriver: Tpm2ResMgrProcessResponse:846: \
                Error: TPM command error code 0x18b\n";
    let found = report(&[("vmkernel.log", line.as_bytes())]);
    assert!(!found.is_trouble());
    assert_eq!(ids(&only(&found).harmless), ["L05"]);
    assert!(only(&found).suspicions.is_empty());

    let wrong = line.replace("0x18b", "0x98e");
    let found = report(&[("vmkernel.log", wrong.as_bytes())]);
    assert_eq!(ids(&only(&found).causes), ["L05"]);
    assert!(only(&found).causes[0].says().contains("TPM_RC_AUTH_FAIL (session 1)"));

    let busy = line.replace("0x18b", "0x922");
    assert_eq!(ids(&only(&report(&[("vmkernel.log", busy.as_bytes())])).symptoms), ["L05"]);
}

#[test]
fn a_cause_that_comes_again_lasts() {
    let off = "Z cpu1:1)WARNING: tpmDriver: I:1: TPM 2 SHA-256 PCR bank not found to be active.\n";
    let on = "Z cpu1:1)tpmdriver loaded successfully.\n";
    let day = |day: u8, text: &str| format!("2018-05-{day:02}T00:00:00{text}");
    let state = |log: &str| only(&report(&[("x", log.as_bytes())])).causes[0].state;
    assert!(matches!(state(&(day(1, off) + &day(2, on))), State::EndedAt(_)));
    assert_eq!(state(&(day(1, off) + &day(2, on) + &day(3, off))), State::Lasts);
    // Without times nothing is over.
    assert_eq!(state(&format!("{off}{on}")), State::Lasts);
}

#[test]
fn hosts_are_told_apart_and_joined_by_name() {
    let both = "2018-05-10T14:00:00Z esxi-1 vmkernel: tpmdriver failed to load.\n\
                2018-05-10T14:00:00Z esxi-10 vmkernel: tpmdriver failed to load.\n\
                x [vim.HostSystem:host-1,ESXI-1.a.b] No identity key in DB, try to reconnect host\n\
                2018-05-10T14:00:00Z i vpxd[1] [opID=HB-host-1@1] No cached identity key, loading from DB\n";
    let found = report(&[("x", both.as_bytes())]);
    let names: Vec<_> =
        found.hosts.iter().map(|host| host.name.as_ref().unwrap().as_str()).collect();
    assert_eq!(names, ["esxi-1.a.b", "esxi-10"]);
    assert_eq!(ids(&found.hosts[0].symptoms), ["L02"]);
    assert_eq!(ids(&found.hosts[0].harmless), ["E04"]);
    assert!(!found.hosts[0].has_unnamed_lines);

    // Two hosts that have this short name: it is neither.
    let two = format!(
        "{both}x [vim.HostSystem:host-2,esxi-1.c.d] No identity key in DB, try to reconnect host\n"
    );
    assert_eq!(report(&[("x", two.as_bytes())]).hosts.len(), 4);
}

#[test]
fn a_line_of_a_hundred_megabytes_is_cut_and_the_next_is_read() {
    let matcher = Matcher::new().unwrap();
    let (mut lines, mut seen) = (Lines::new(), Vec::new());
    let mut found = |number: u64, line: &[u8], _: &[_]| seen.push((number, line.len()));
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..100 {
        lines.push(&matcher, &piece, &mut found);
    }
    lines.push(&matcher, b"tpmdriver failed to load\ntpmdriver failed to load\n", &mut found);
    assert_eq!((lines.n_lines(), lines.n_lines_cut()), (2, 1));
    assert_eq!(seen, [(2, 24)]);
}

#[test]
fn what_stands_at_the_limit_of_a_line_counts_and_what_is_behind_it_does_not() {
    for pieces in [1000, usize::MAX] {
        for (before, n) in [(LINE_BYTES_MAX - 24, 1), (LINE_BYTES_MAX - 23, 0)] {
            let line = format!("{}tpmdriver failed to load\n", "x".repeat(before));
            let found = report_in_pieces(&[("x", line.as_bytes())], pieces);
            assert_eq!(found.hosts.len(), n, "{before} bytes before it");
        }
    }
}

#[test]
fn evidence_is_bounded_and_the_earliest() {
    let mut log = String::new();
    for minute in (0..60).rev() {
        let junk = "\u{1b}[2J".repeat(400);
        log += &format!("2018-05-10T14:{minute:02}:00Z cpu1:1)tpmdriver failed to load {junk}\n");
    }
    let found = report(&[("x", log.as_bytes())]);
    let case = &only(&found).symptoms[0];
    assert_eq!((case.n_lines, case.evidence.len()), (60, EVIDENCE_LINES_MAX));
    assert!(case.evidence.iter().all(|line| line.text.len() <= EVIDENCE_BYTES_MAX));
    assert!(case.evidence[0].text.starts_with("2018-05-10T14:00:00Z"));
    assert_eq!(case.evidence[0].number, 60);
}

#[test]
fn more_hosts_than_are_kept_are_counted() {
    let mut log = String::new();
    for host in 0..CASES_MAX + 5 {
        log += &format!("2018-05-10T14:00:00Z h{host} vmkernel: tpmdriver failed to load.\n");
    }
    let found = report(&[("x", log.as_bytes())]);
    assert_eq!((found.hosts.len(), found.n_lines_left_out), (CASES_MAX, 5));
}

#[test]
fn junk_is_harmless() {
    let mut state = 1_u64;
    let mut junk = Vec::new();
    for _ in 0..200_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        junk.push((state >> 33) as u8);
    }
    junk.extend_from_slice(b"\n\xff\xfe tpmdriver failed to load \xc3\x28\r\n");
    let found = report(&[("x", &junk)]);
    assert_eq!(
        only(&found).symptoms[0].evidence[0].text,
        "\u{fffd}\u{fffd} tpmdriver failed to load \u{fffd}("
    );
    assert!(report(&[("x", b"")]).hosts.is_empty());
}
