//! What a report of 10,000 hosts costs, from the facts of its hosts to the bytes of each format.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

#[path = "../tests/it/sample.rs"]
mod sample;

use std::time::{Duration, Instant};

use api::fleet_report::ReportKind;
use fleet_report::{Attached, csv, html, json, pdf, sha256};

const N_HOSTS: usize = 10_000;

/// What issue and design ask for, of the PDF.
const SECONDS_MAX: f64 = 20.0;
const MIB_MAX: u64 = 500;

/// The most memory that the process had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn told(what: &str, took: Duration, n_bytes: usize) {
    println!("  {what:<6} {:>6.2} s, {:>7} KiB", took.as_secs_f64(), n_bytes / 1024);
}

fn main() {
    let begun = Instant::now();
    let report = sample::report(ReportKind::Fleet, N_HOSTS);
    println!("{N_HOSTS} hosts: facts in {:.2} s", begun.elapsed().as_secs_f64());
    let now = Instant::now();
    let json = json(&report).unwrap();
    told("json", now.elapsed(), json.len());
    let now = Instant::now();
    let pdf = pdf(&report, Attached { json: &json, jws: "eyJ..a" }).unwrap();
    told("pdf", now.elapsed(), pdf.len());
    let (seconds, mib) = (begun.elapsed().as_secs_f64(), peak_mib());
    let holds = if seconds <= SECONDS_MAX && mib <= MIB_MAX { "holds" } else { "MISSED" };
    println!(
        "report as PDF: {seconds:.1} s and {mib} MiB at most, {:.2} and {:.2} of the bar ({SECONDS_MAX} s, \
         {MIB_MAX} MiB), {holds}",
        seconds / SECONDS_MAX,
        f64::from(u32::try_from(mib).unwrap()) / 500.0
    );
    drop(pdf);
    for (what, write) in [
        ("html", (|report, digest| html(report, digest).unwrap()) as fn(&_, &str) -> Vec<u8>),
        ("csv", |report, digest| csv(report, digest).unwrap()),
    ] {
        let now = Instant::now();
        let bytes = write(&report, &sha256(&json));
        told(what, now.elapsed(), bytes.len());
    }
}
