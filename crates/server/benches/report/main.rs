//! What a report of 10,000 hosts costs the server: collected out of its database, signed, and written in each
//! format. Its hosts attested once, as agents do; they share one software TPM and its attestation key.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

#[path = "../policy_try/fleet.rs"]
#[expect(dead_code, reason = "the other benchmark uses all of it")]
mod fleet;

use std::time::Instant;

use api::fleet_report::{ReportFormat, ReportKind, ReportQuery};
use fleet::{Fleet, Key, Logs};

const N_HOSTS: usize = 10_000;

/// What issue and design ask for, of the PDF.
const SECONDS_MAX: f64 = 20.0;
const MIB_MAX: f64 = 500.0;

/// The most memory that the process had since [`forget_peak`], in MiB.
fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let begun = Instant::now();
    let fleet = Fleet::of(Key::P256, Logs::Shared, N_HOSTS).await;
    println!("{} hosts attested in {:.0} s", fleet.n_hosts, begun.elapsed().as_secs_f64());
    let token = fleet.app.new_administrator("benchmark").await.unwrap();
    let caller =
        fleet.app.authenticate(&token, std::net::Ipv4Addr::LOCALHOST.into()).await.unwrap();
    for format in [ReportFormat::Pdf, ReportFormat::Html, ReportFormat::Csv, ReportFormat::Json] {
        forget_peak();
        let begun = Instant::now();
        let query = ReportQuery { format, ..ReportQuery::default() };
        let made = fleet.app.write_report(ReportKind::Fleet, query, &caller).await.unwrap();
        assert_eq!(made.n_hosts, N_HOSTS);
        let (seconds, mib) = (begun.elapsed().as_secs_f64(), peak_mib());
        let (n_kib, word) = (made.bytes.len() / 1024, format.as_str());
        println!("  {word:<4} {seconds:>6.2} s, {mib:>5.0} MiB at most, {n_kib:>7} KiB");
        if format == ReportFormat::Pdf {
            let holds = if seconds <= SECONDS_MAX && mib <= MIB_MAX { "holds" } else { "MISSED" };
            println!(
                "report as PDF: {seconds:.1} s and {mib:.0} MiB, {:.2} and {:.2} of the bar \
                 ({SECONDS_MAX} s, {MIB_MAX} MiB), {holds}",
                seconds / SECONDS_MAX,
                mib / MIB_MAX
            );
        }
    }
}
