//! How fast a log without anything in it is read, beside `grep -F -f` with the same texts.
//!
//! `cargo bench -p diagnose`. Both read the same file out of the page cache in turns, and the
//! fastest of each counts: on a machine that does other things, too, slower turns tell of those.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

use std::{
    fs::File,
    hint::black_box,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use diagnose::{Lines, Matcher, signatures};

const LOG_BYTES: usize = 256 << 20;
const TURNS: usize = 7;

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

fn ours(path: &std::path::Path, matcher: &Matcher) -> Duration {
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

fn greps(path: &std::path::Path, patterns: &std::path::Path) -> Duration {
    let start = Instant::now();
    let status = Command::new("grep")
        .args(["-c", "-F", "-f"])
        .args([patterns, path])
        .env("LC_ALL", "C")
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1), "the log must have nothing in it");
    start.elapsed()
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let (path, patterns) = (folder.path().join("vmkernel.log"), folder.path().join("patterns"));
    std::fs::write(&path, log()).unwrap();
    // grep gets of each text the part that we look for first, too.
    let texts = signatures().flat_map(|row| row.texts);
    let parts: Vec<_> = texts.filter_map(|text| text.split('*').max_by_key(|p| p.len())).collect();
    std::fs::write(&patterns, parts.join("\n") + "\n").unwrap();
    let matcher = Matcher::new().unwrap();
    let (mut best_ours, mut best_greps) = (Duration::MAX, Duration::MAX);
    for _ in 0..TURNS {
        best_ours = best_ours.min(ours(&path, &matcher));
        best_greps = best_greps.min(greps(&path, &patterns));
    }
    let rate = |time: Duration| LOG_BYTES as f64 / 1e6 / time.as_secs_f64();
    println!("{} texts, {} MiB without a hit", parts.len(), LOG_BYTES >> 20);
    println!("diagnose       {:>6.0} MB/s", rate(best_ours));
    println!("grep -F -f     {:>6.0} MB/s", rate(best_greps));
    println!("diagnose is {:.2} x as fast", rate(best_ours) / rate(best_greps));
}
