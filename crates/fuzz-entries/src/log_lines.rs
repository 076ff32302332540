//! Lines of logs, which anybody on a host may write.

use std::sync::{Arc, LazyLock};

use diagnose::{Diagnosis, EVIDENCE_BYTES_MAX, Lines, Matcher, Place, Report, Year, signatures};

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| Matcher::new().expect("the table is small"));

fn report(bytes: &[u8], piece_bytes: usize) -> Report {
    let place = Place {
        file: Arc::from("log"),
        host: None,
        // 2018-05-11.
        year: Year::EndedAt(1_526_000_000_000),
    };
    let mut diagnosis = Diagnosis::new();
    let mut found = |number, line: &[u8], hits: &[_]| diagnosis.line(&place, number, line, hits);
    let mut lines = Lines::new();
    bytes.chunks(piece_bytes).for_each(|piece| lines.push(&MATCHER, piece, &mut found));
    lines.finish(&MATCHER, &mut found);
    diagnosis.report()
}

/// The pieces in which a log comes change nothing of what is told, and evidence is bounded.
pub(crate) fn log_lines(bytes: &[u8]) {
    let whole = report(bytes, usize::MAX);
    let told = format!("{whole:?}");
    for piece_bytes in [1, 61] {
        assert_eq!(format!("{:?}", report(bytes, piece_bytes)), told);
    }
    for host in &whole.hosts {
        let cases = [&host.causes, &host.symptoms, &host.harmless].into_iter().flatten();
        for case in cases {
            let is_bounded = |text: &str| text.len() <= EVIDENCE_BYTES_MAX;
            assert!(case.evidence.iter().all(|line| is_bounded(&line.text)));
            crate::show(&(case.says(), case.cause(), case.next_step(), case.finding()));
        }
    }
}

/// Each text of the table, behind times and names of each kind.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts: Vec<_> = signatures()
        .flat_map(|row| row.texts)
        .map(|text| text.replace('*', "x") + "0x18b [vim.HostSystem:host-29,esxi-117.a.b]\n")
        .collect();
    [
        "2018-05-09T21:30:21.060Z cpu23:2099722)",
        "2018-05-09T21:30:21+02:00 esxi-117 vmkernel: ",
        "May  9 21:30:21 esxi-117 kernel: ",
        "[   12.345678] ",
        "[Thu May 10 14:02:27 2018] ",
        "{\"__REALTIME_TIMESTAMP\":\"1525960947659000\",\"_HOSTNAME\":\"web-1\"} ",
    ]
    .iter()
    .zip(texts.chunks(texts.len().div_ceil(6)))
    .map(|(head, texts)| texts.iter().map(|text| format!("{head}{text}")).collect::<String>())
    .map(String::into_bytes)
    .collect()
}
