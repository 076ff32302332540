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
        diagnosis.ended(&place, lines.order());
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
    assert_eq!(ids(&host.harmless), ["L06", "L22", "L05", "E04", "E24"]);
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

const OFF: &str =
    "cpu1:1)WARNING: tpmDriver: I:1: TPM 2 SHA-256 PCR bank not found to be active.\n";
const ON: &str = "cpu1:1)tpmdriver loaded successfully.\n";

#[test]
fn in_one_file_order_tells_where_the_clock_was_set() {
    // The clock stood in 2038 at the first start, and was set before the second.
    let steps = "2018-05-10T00:00:01Z cpu1:1)x\n2018-05-10T00:00:02Z cpu1:1)x\n";
    let log = format!("2038-01-01T00:00:00Z {OFF}2018-05-10T00:00:00Z {ON}{steps}");
    let found = report(&[("vmkernel.log", log.as_bytes())]);
    assert!(matches!(only(&found).causes[0].state, State::EndedAt(1_525_910_400_000)));
    assert_eq!((found.n_clocks_set_back, found.clocks_set_back[0].number), (1, 2));
    // The other way round it broke after the clock was set.
    let log = format!("2038-01-01T00:00:00Z {ON}2018-05-10T00:00:00Z {OFF}{steps}");
    let found = report(&[("vmkernel.log", log.as_bytes())]);
    assert_eq!(only(&found).causes[0].state, State::Lasts);
    // Threads that write out of order are no clock.
    let log = format!("2018-05-10T00:00:59Z {OFF}2018-05-10T00:00:00Z {ON}");
    assert_eq!(report(&[("vmkernel.log", log.as_bytes())]).n_clocks_set_back, 0);
}

#[test]
fn a_file_that_begins_with_its_newest_line_is_put_in_order_by_its_times() {
    let line = |day: u8, text: &str| format!("2018-05-{day:02}T00:00:00Z {text}");
    let turned = line(4, ON) + &line(3, "cpu1:1)x\n") + &line(2, OFF) + &line(1, "cpu1:1)x\n");
    let found = report(&[("journal.txt", turned.as_bytes())]);
    assert!(matches!(only(&found).causes[0].state, State::EndedAt(_)));
    assert_eq!((found.n_clocks_set_back, found.clocks_set_back.len()), (0, 0));
    let turned = line(4, OFF) + &line(3, "cpu1:1)x\n") + &line(2, ON) + &line(1, "cpu1:1)x\n");
    let found = report(&[("journal.txt", turned.as_bytes())]);
    assert_eq!(only(&found).causes[0].state, State::Lasts);
}

#[test]
fn rotated_files_are_put_in_order_by_their_times() {
    let (old, new) = (format!("2018-05-09T00:00:00Z {OFF}"), format!("2018-05-10T00:00:00Z {ON}"));
    let files = [("vmkernel.log", new.as_bytes()), ("vmkernel.0.gz", old.as_bytes())];
    let found = report(&files);
    assert!(matches!(only(&found).causes[0].state, State::EndedAt(_)));
    assert_eq!(found.n_clocks_set_back, 0, "each file has a clock of its own");
}

#[test]
fn zones_are_put_in_one_order() {
    let (off, on) =
        (format!("2018-05-10T03:00:00+02:00 {OFF}"), format!("2018-05-10T02:00:00Z {ON}"));
    let found = report(&[("a", off.as_bytes()), ("b", on.as_bytes())]);
    assert!(matches!(only(&found).causes[0].state, State::EndedAt(_)));
}

#[test]
fn an_address_is_the_host_that_a_line_ties_it_to() {
    let by_address =
        "x [vim.HostSystem:host-1,10.1.2.3] No identity key in DB, try to reconnect host\n";
    let by_name = "2018-05-10T14:00:00Z esxi-1.a.b vmkernel: tpmdriver failed to load.\n";
    let tie = "2018-05-10T14:00:00Z i vpxd[1] sub=Attestation Starting host attestation of esxi-1.a.b (10.1.2.3)\n";
    let names = |log: &[&str]| -> Vec<String> {
        let found = report(&[("x", log.concat().as_bytes())]);
        let names = found.hosts.iter().filter_map(|host| host.name.as_ref());
        names.map(|name| name.as_str().to_owned()).collect()
    };
    assert_eq!(names(&[by_address, by_name]), ["10.1.2.3", "esxi-1.a.b"]);
    assert_eq!(names(&[by_address, by_name, tie]), ["esxi-1.a.b"]);
    // A word that no other line has for a host ties nothing; two hosts of one address neither.
    let word = tie.replace("esxi-1.a.b", "address");
    assert_eq!(names(&[by_address, by_name, &word]), ["10.1.2.3", "esxi-1.a.b"]);
    let other = [tie.replace("esxi-1", "esxi-2"), by_name.replace("esxi-1", "esxi-2")].concat();
    assert_eq!(names(&[by_address, by_name, tie, &other]).len(), 3);
    // A hosts file in a support bundle.
    let matcher = Matcher::new().unwrap();
    let mut diagnosis = Diagnosis::new();
    for (n, line) in [by_address, by_name].into_iter().enumerate() {
        let hits = matcher.hits(line.as_bytes());
        diagnosis.line(&place("x"), n as u64, line.trim_end().as_bytes(), &hits);
    }
    diagnosis.hosts_file_line(b"10.1.2.3 esxi-1.a.b esxi-1");
    assert_eq!(diagnosis.report().hosts.len(), 1);
}

#[test]
fn a_name_is_learnt_from_lines_without_a_signature() {
    let log = "x info vpxd[1] [vim.HostSystem:host-7,esxi-7.a.b] heartbeat\n\
               x info vpxd[1] [opID=HB-host-7@1] No identity key in DB, try to reconnect host\n";
    let found = report(&[("x", log.as_bytes())]);
    assert_eq!(only(&found).name.as_ref().unwrap().as_str(), "esxi-7.a.b");
}

#[test]
fn a_missing_index_is_harmless_unless_it_is_the_certificates() {
    let line = |index: &str| {
        format!(
            "2018-05-10T14:00:00Z web-1 app: tpm: Esys_NV_ReadPublic of {index} failed: 0x18b\n"
        )
    };
    let found = report(&[("x", line("0x01c10110").as_bytes())]);
    assert_eq!((found.is_trouble(), ids(&only(&found).harmless)), (false, vec!["R01"]));
    assert!(only(&found).harmless[0].says().contains("TPM2_NV_ReadPublic: 0x18b TPM_RC_HANDLE"));
    let found = report(&[("x", line("0x01c00002").as_bytes())]);
    let case = &only(&found).causes[0];
    assert_eq!((case.signature.id, case.finding()), ("R01", Some(Code::EkCertAbsent)));
    assert!(case.next_step().contains("ek-cert-absent"));
}

#[test]
fn words_of_an_unknown_version_are_never_called_sound() {
    let log = "2030-05-10T14:00:00Z cpu1:1)WARNING: tpmDriver: Tpm3Init:1: the flux is low\n";
    let found = report(&[("x", log.as_bytes())]);
    assert_eq!((found.is_trouble(), ids(&only(&found).symptoms)), (true, vec!["X01"]));
}
