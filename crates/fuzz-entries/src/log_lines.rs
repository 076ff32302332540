//! Lines of logs, which anybody on a host may write.

use std::sync::{Arc, LazyLock};

use diagnose::{
    Diagnosis, EVIDENCE_BYTES_MAX, Lines, Matcher, Place, Report, Watch, Year, signatures,
};

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
    let lines = lines.finish(&MATCHER, &mut found);
    diagnosis.ended(&place, lines.order());
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

/// Times, names of hosts, addresses and response codes in front of a signature: whatever stands there,
/// the line has the signature, and what is read of it is kept within bounds.
pub(crate) fn log_time(bytes: &[u8]) {
    let line: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != b'\n').take(4096).collect();
    let line = [&line[..], b" tpmdriver failed to load"].concat();
    let told = report(&line, usize::MAX);
    let cases = |report: &Report| -> usize {
        let of_host = |host: &diagnose::HostReport| {
            let all = [&host.causes, &host.symptoms, &host.harmless];
            all.into_iter().flatten().filter(|case| case.signature.id == "L02").count()
        };
        report.hosts.iter().map(of_host).sum()
    };
    assert_eq!(cases(&told), 1);
    let mut watch = Watch::new();
    let place = Place { file: Arc::from("log"), host: None, year: Year::Unknown };
    let hits = MATCHER.hits(&line);
    let began = watch.line(&place, 1, &line, &hits);
    assert!(began.iter().any(|event| event.case.signature.id == "L02" && !event.is_over()));
    // The same again is told no more, unless the line itself says that it is over.
    let again = watch.line(&place, 2, &line, &hits);
    assert!(again.is_empty() || again.iter().any(|event| event.is_over()));
    crate::show(&(told, began));
}

/// Each text of the table, behind times and names of each kind.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let texts: Vec<_> = signatures()
        .flat_map(|row| row.texts)
        .map(|text| {
            text.trim_start_matches('^').replace('*', "x")
                + "0x18b [vim.HostSystem:host-29,esxi-117.a.b]\n"
        })
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

/// Heads of lines as programs write them.
pub(crate) fn heads() -> Vec<Vec<u8>> {
    [
        "2018-05-09T21:30:21.060Z cpu23:2099722)",
        "<181>1 2018-05-10T14:02:27.659Z esxi-117.a.b vmkernel - - - ",
        "Thu 2018-05-10 14:02:27 CEST web-1 kernel: ",
        "May  9 21:30:21 esxi-117 kernel: ",
        "[Thu May 10 14:02:27 2018] ",
        "[   12.345678] ",
        "x [vim.HostSystem:host-29,esxi-117.a.b] esxi-117.a.b (10.1.2.3) ",
        "opID=HB-host-29@1 tpm: session 1, error code 0x22 of index 0x01c00002 Esys_NV_ReadPublic(0x18b)",
    ]
    .map(|head| head.as_bytes().to_vec())
    .to_vec()
}
