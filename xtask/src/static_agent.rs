//! The agent as one static program: for hosts of any distribution, and for an initramfs.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use testkit::log::BootLog;

use crate::{demo::fleet::Fleet, install, sh};

/// The largest that the program may be: it goes into an initramfs, which firmware reads.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The most that it may have in memory: it runs on each host of a fleet, beside what that is for.
const RESIDENT_BYTES_MAX: u64 = 12 * 1024 * 1024;

/// A log with the area that firmware of large servers hands over.
const LOG_BYTES: usize = 200 * 1024;

/// Attestations before it is measured: what grows with each would show.
const N_ATTESTATIONS: u32 = 20;

/// How long a step may take on a busy machine.
const STEP_TIME_MAX: Duration = Duration::from_secs(120);

/// glibc can be linked whole; the target with musl would be one more to install.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds the agent and gives its path. An error where it is larger than 8 MiB, or not static.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    // A folder of its own: other flags for the compiler would have everything else built anew.
    let folder = sh::target()?.join("static");
    let cargo = sh::cargo();
    let arguments = ["build", "--locked", "--profile", "dist", "--target", TARGET];
    let what = ["--package", "agent", "--bin", "bootproof-agent"];
    println!("\n$ {cargo} {} {}", arguments.join(" "), what.join(" "));
    // With --target these flags are not those of build scripts and macros, which must be dynamic.
    let status = Command::new(&cargo)
        .args(arguments)
        .args(what)
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(sh::root())
        .status()
        .with_context(|| format!("{cargo} cannot be started"))?;
    ensure!(status.success(), "the static agent cannot be built: {status}");
    let program = folder.join(TARGET).join("dist/bootproof-agent");
    let size = size(&program)?;
    ensure!(
        size <= BYTES_MAX,
        "{} has {size} bytes, {} too many: see what it links with `cargo tree -p agent -e features`",
        program.display(),
        size - BYTES_MAX
    );
    check_static(&program)?;
    Ok(program)
}

/// What `cargo xtask agent` is to do beside building it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing more.
    SizeOnly,
    /// See that it joins and attests, and how much memory it has then.
    Running,
}

/// Builds the agent, prints its path and size, and checks what `check` says.
pub(crate) fn run(check: Check) -> anyhow::Result<()> {
    let program = build()?;
    let size = size(&program)?;
    println!("\n{}", program.display());
    println!("{size} bytes, {:.0} % of those it may have", 100.0 * ratio(size, BYTES_MAX));
    match check {
        Check::SizeOnly => Ok(()),
        Check::Running => running(program),
    }
}

/// Lets the program join a real server and attest a software TPM, and measures it.
fn running(program: PathBuf) -> anyhow::Result<()> {
    install::packages(install::TPM_TOOLS)?;
    sh::run(&sh::cargo(), &["build", "--locked", "-p", "server", "-p", "cli"])?;
    let mut fleet = Fleet::start_with(program)?;
    fleet.add("small", "sha256", &BootLog::sound().padding(0, LOG_BYTES))?;
    fleet.trust()?;
    fleet.join(&["small"])?;
    fleet.wait_for("small", "accepted", None, STEP_TIME_MAX)?;
    for _ in 0..N_ATTESTATIONS {
        fleet.attest("small")?;
    }
    let resident = fleet.agent_bytes_max("small")?;
    println!(
        "\nafter {N_ATTESTATIONS} attestations: {} KiB resident at most, {:.0} % of those it may have",
        resident / 1024,
        100.0 * ratio(resident, RESIDENT_BYTES_MAX)
    );
    ensure!(resident <= RESIDENT_BYTES_MAX, "the agent had {resident} bytes in memory");
    let mut took = fleet.took("small")?;
    took.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let median = took.get(took.len() / 2).context("the agent tells of no attestation")?;
    println!(
        "half of them took the agent no more than {:.0} % of the TPM's time: {:.2} ms beside {:.2} ms",
        100.0 * median.ratio(),
        median.own_ms,
        median.tpm_ms
    );
    Ok(())
}

fn size(program: &Path) -> anyhow::Result<u64> {
    let metadata = std::fs::metadata(program);
    Ok(metadata.with_context(|| format!("{} is not there", program.display()))?.len())
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes of programs are far below 2^52")]
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}

/// Whether the program asks for no interpreter (PT_INTERP): one that does needs the C library of
/// the machine that it was built on.
fn check_static(program: &Path) -> anyhow::Result<()> {
    let elf = std::fs::read(program)?;
    ensure!(!asks_for_an_interpreter(&elf)?, "{} is not static", program.display());
    Ok(())
}

/// [ELF-64 1.5, ELF header and program headers] little-endian.
fn asks_for_an_interpreter(elf: &[u8]) -> anyhow::Result<bool> {
    const PT_INTERP: [u8; 4] = [3, 0, 0, 0];
    let field = |at: usize, len: usize| -> anyhow::Result<usize> {
        let bytes = elf.get(at..at + len).context("the program is cut short")?;
        let value = bytes.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        Ok(usize::try_from(value)?)
    };
    ensure!(elf.starts_with(b"\x7fELF\x02\x01"), "no ELF program of 64 bits");
    let (at, size, n) = (field(0x20, 8)?, field(0x36, 2)?, field(0x38, 2)?);
    let mut headers = (0..n).map(|n| elf.get(at + n * size..));
    Ok(headers.any(|header| header.is_none_or(|header| header.starts_with(&PT_INTERP))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dynamic_program_is_told_from_a_static_one() {
        // This test's own program is dynamic.
        let mut elf = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert!(asks_for_an_interpreter(&elf).unwrap());
        // Without program headers it would ask for nothing.
        elf[0x38..0x3a].fill(0);
        assert!(!asks_for_an_interpreter(&elf).unwrap());
        assert!(asks_for_an_interpreter(b"#!/bin/sh").is_err());
    }
}
