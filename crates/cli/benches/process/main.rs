//! What `bootproof verify` costs as a process, as a ratio to a process that does nothing.
//!
//! Both are spawned in turn, their output goes nowhere, and each ratio is formed within a round: the
//! median of all rounds is printed. CPU time is that of the whole process from its start to its end,
//! the kernel's share with it; wall time depends on what else the machine does.
//!
//! The program is that of this build, or the one that BOOTPROOF_PROGRAM names: `cargo xtask bench verify`
//! names the static one that is packaged, and the bar is for that.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// The most that the ratio may be.
const BAR: f64 = 3.0;

/// Rounds of which the median is taken.
const ROUNDS: usize = 200;

/// Microseconds of one run.
#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    wall: f64,
}

fn main() {
    let Some(boots) = testkit::corpus::folder("boots") else {
        println!("left out: BOOTPROOF_CORPUS is not set");
        return;
    };
    let named = std::env::var_os("BOOTPROOF_PROGRAM").map(PathBuf::from);
    let program = &named.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_bootproof")));
    let folder = boots.join("a-shim-tis-ms");
    let root = boots.join("ca/root.pem");
    let nothing = || Command::new("/bin/true");
    let version = || {
        let mut command = Command::new(program);
        command.arg("--version");
        command
    };
    let verify = || {
        let mut command = Command::new(program);
        command.arg("verify").arg(&folder).arg("--ek-root").arg(&root);
        command
    };
    let mut costs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        costs.push([run(nothing()), run(version()), run(verify())]);
    }
    for (name, i) in [("/bin/true", 0), ("bootproof --version", 1), ("bootproof verify", 2)] {
        let cpu = median(costs.iter().map(|round| round[i].cpu));
        let wall = median(costs.iter().map(|round| round[i].wall));
        println!("{name}: {cpu:.0} µs of CPU, {wall:.0} µs of wall time");
    }
    let start = median(costs.iter().map(|[nothing, version, _]| version.cpu / nothing.cpu));
    println!("ratio version/true: {start:.2}   the start of the program alone");
    let cpu = median(costs.iter().map(|[nothing, _, verify]| verify.cpu / nothing.cpu));
    let wall = median(costs.iter().map(|[nothing, _, verify]| verify.wall / nothing.wall));
    let holds = if cpu <= BAR { "holds" } else { "MISSED" };
    println!(
        "ratio verify/true: {cpu:.2}; bar {BAR}, {holds}   (CPU time; of wall time {wall:.2})"
    );
}

/// Runs `command` to its end.
fn run(mut command: Command) -> Cost {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    // It has ended, and is still there to be asked.
    let pid = Pid::from_child(&child);
    let ended = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    assert!(ended.is_some());
    let wall = start.elapsed().as_secs_f64() * 1e6;
    let scheduled = std::fs::read_to_string(format!("/proc/{}/schedstat", child.id())).unwrap();
    let cpu_ns: f64 = scheduled.split(' ').next().unwrap().parse().unwrap();
    let status = child.wait().unwrap();
    assert!(matches!(status.code(), Some(0 | 1)), "{command:?}: {status}");
    Cost { cpu: cpu_ns / 1e3, wall }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
