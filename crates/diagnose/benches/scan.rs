//! How fast a log without anything in it is read, beside `grep -F -f` and ripgrep with the same texts.
//!
//! `cargo bench -p diagnose`. All read the same file out of the page cache in turns, each on one
//! core, and the fastest of each counts: on a machine that does other things, too, slower turns tell
//! of those.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

use std::{
    fs::File,
    hint::black_box,
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use diagnose::{Diagnosis, Lines, Matcher, Place, Year, signatures};

const LOG_BYTES: usize = 256 << 20;
const TURNS: usize = 7;
/// The least that this must be, in MB/s: a support bundle of some gigabytes is read in seconds.
const RATE_BAR: f64 = 500.0;
/// The least of ripgrep's rate.
const RIPGREP_BAR: f64 = 0.5;

/// Lines of a vmkernel.log on a sound host; numbers vary so that no line is like another.
const LINES: [&str; 4] = [
    "ScsiDeviceIO: 3068: Cmd(0x459a40bfbec0) 0x85, CmdSN 0x@ from world @ to dev \"naa.6005\" failed H:0x0 D:0x2 P:0x0 Valid sense data: 0x5 0x20 0x0.",
    "NetPort: 1879: disabled port 0x@",
    "WARNING: NMP: nmp_DeviceRequestFastDeviceProbe:237: NMP device \"naa.6005@\" state in doubt; requested fast path state update...",
    "VSCSI: 6726: handle @(vscsi0:0):Destroying Device for world @ (pendCom 0)",
];

fn log() -> Vec<u8> {
    let mut log = Vec::with_capacity(LOG_BYTES + 512);
    let mut n = 1_u64;
    while log.len() < LOG_BYTES {
        n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let line = LINES[(n >> 33) as usize % LINES.len()].replace('@', &(n >> 40).to_string());
        let (minute, second) = ((n >> 34) % 60, (n >> 44) % 60);
        let _ = writeln!(log, "2018-05-10T14:{minute:02}:{second:02}.660Z cpu29:{})", n >> 48);
        log.pop();
        log.extend_from_slice(line.as_bytes());
        log.push(b'\n');
    }
    log
}

/// What reading `line` again and again costs, with all that is kept of it, in MB/s.
fn rate_of(line: &str, matcher: &Matcher) -> f64 {
    let log = line.repeat((32 << 20) / line.len());
    let place = Place { file: Arc::from("x"), host: None, year: Year::Unknown };
    let best = (0..TURNS).map(|_| {
        let start = Instant::now();
        let (mut lines, mut diagnosis) = (Lines::new(), Diagnosis::new());
        let mut found = |n, line: &[u8], hits: &[_]| diagnosis.line(&place, n, line, hits);
        log.as_bytes().chunks(256 << 10).for_each(|piece| lines.push(matcher, piece, &mut found));
        lines.finish(matcher, &mut found);
        black_box(diagnosis.report());
        start.elapsed()
    });
    log.len() as f64 / 1e6 / best.min().unwrap().as_secs_f64()
}

fn ours(path: &Path, matcher: &Matcher) -> Duration {
    let start = Instant::now();
    let mut file = File::open(path).unwrap();
    let (mut lines, mut block, mut n_found) = (Lines::new(), vec![0; 256 << 10], 0);
    loop {
        let n = file.read(&mut block).unwrap();
        if n == 0 {
            break;
        }
        lines.push(matcher, &block[..n], &mut |_, _, _| n_found += 1);
    }
    let lines = lines.finish(matcher, &mut |_, _, _| n_found += 1);
    assert_eq!(n_found, 0, "the log must have nothing in it");
    black_box(lines.n_lines());
    start.elapsed()
}

/// What `program` takes for the same file and texts, if it is installed.
fn theirs(program: &mut Command, path: &Path, patterns: &Path) -> Option<Duration> {
    let start = Instant::now();
    let status = program
        .args(["-c", "-F", "-f"])
        .args([patterns, path])
        .env("LC_ALL", "C")
        .stdout(Stdio::null())
        .status()
        .ok()?;
    assert_eq!(status.code(), Some(1), "the log must have nothing in it");
    Some(start.elapsed())
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (path, patterns) = (folder.path().join("vmkernel.log"), folder.path().join("patterns"));
    std::fs::write(&path, log()).unwrap();
    // They get of each text the part that we look for first, too.
    let texts = signatures().flat_map(|row| row.texts);
    let parts: Vec<_> = texts
        .filter_map(|text| text.trim_start_matches('^').split('*').max_by_key(|part| part.len()))
        .collect();
    std::fs::write(&patterns, parts.join("\n") + "\n").unwrap();
    let matcher = Matcher::new().unwrap();
    let mut best = [None::<Duration>; 3];
    for _ in 0..TURNS {
        let turn = [
            Some(ours(&path, &matcher)),
            theirs(&mut Command::new("grep"), &path, &patterns),
            // As it reads files that are named: by mapping them; with one thread, as we do.
            theirs(Command::new("rg").args(["--no-config", "-j1"]), &path, &patterns),
        ];
        for (best, time) in best.iter_mut().zip(turn) {
            *best = best.iter().copied().chain(time).min();
        }
    }
    let rate = |time: Duration| LOG_BYTES as f64 / 1e6 / time.as_secs_f64();
    println!("{} texts, {} MiB without a hit", parts.len(), LOG_BYTES >> 20);
    let [ours, grep, ripgrep] = best.map(|time| time.map(rate));
    let ours = ours.unwrap();
    println!("diagnose       {ours:>6.0} MB/s; bar {RATE_BAR}, {}", holds(ours >= RATE_BAR));
    for (what, line) in DENSE {
        println!("lines {what}: {:.0} MB/s", rate_of(line, &matcher));
    }
    match grep {
        Some(grep) => {
            println!("grep -F -f     {grep:>6.0} MB/s");
            println!("ratio diagnose/grep: {:.2}", ours / grep);
        }
        None => println!("grep is not installed: no ratio to it"),
    }
    match ripgrep {
        Some(ripgrep) => {
            let ratio = ours / ripgrep;
            println!("rg -F -f       {ripgrep:>6.0} MB/s");
            let holds = holds(ratio >= RIPGREP_BAR);
            println!("ratio diagnose/ripgrep: {ratio:.2}; bar {RIPGREP_BAR}, {holds}");
        }
        None => println!(
            "ratio diagnose/ripgrep: NOT MEASURED, ripgrep is not installed (apt-get install ripgrep)"
        ),
    }
}

/// Lines that no log has so many of: what they cost is told, and no bar counts for it.
const DENSE: [(&str, &str); 3] = [
    (
        "about TPMs, without a hit",
        "2018-05-10T14:02:27.716Z cpu46:2099728)tpmDriver: Tpm2Init:1582: Activated locality 0 at 0xfed40000\n",
    ),
    (
        "with a hit",
        "2018-05-10T14:02:55.920Z cpu18:2100795)tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x18b\n",
    ),
    (
        "that name a host",
        "2018-05-10T17:41:05.588Z info vpxd[05828] [Originator@6876 sub=HostCnx opID=1] heartbeat; [vim.HostSystem:host-29,esxi-117.foobar.com]\n",
    ),
];

fn holds(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}
