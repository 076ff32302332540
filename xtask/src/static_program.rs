//! Programs with all that they need in them: for hosts of any distribution, and quick to start.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use crate::sh;

/// glibc can be linked whole; the target with musl would be one more to install.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Flags for the compiler, and so for the linker. A program that lies anywhere in memory has some ten
/// thousand pointers to set right at each start: packed, their list has 10 KiB instead of 660. What
/// reads such a list is in the program itself; of C libraries only those since 2.36 could.
const FLAGS: &str = "-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs";

/// A program that is built so.
pub(crate) struct StaticProgram {
    pub(crate) package: &'static str,
    pub(crate) name: &'static str,
    pub(crate) profile: &'static str,
}

/// The administrator's command.
pub(crate) const CLI: StaticProgram =
    StaticProgram { package: "cli", name: "bootproof", profile: "command" };

/// Builds it and gives its path. An error where it is not static.
pub(crate) fn build(program: &StaticProgram) -> anyhow::Result<PathBuf> {
    let StaticProgram { package, name, profile } = program;
    // A folder of its own: other flags for the compiler would have everything else built anew.
    let folder = sh::target()?.join("static");
    let cargo = sh::cargo();
    let arguments = ["build", "--locked", "--profile", profile, "--target", TARGET];
    let what = ["--package", package, "--bin", name];
    println!("\n$ {cargo} {} {}", arguments.join(" "), what.join(" "));
    // With --target these flags are not those of build scripts and macros, which must be dynamic.
    let status = Command::new(&cargo)
        .args(arguments)
        .args(what)
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", FLAGS)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(sh::root())
        .status()
        .with_context(|| format!("{cargo} cannot be started"))?;
    ensure!(status.success(), "the static {name} cannot be built: {status}");
    let built = folder.join(TARGET).join(profile).join(name);
    ensure!(is_static(&built)?, "{} is not static", built.display());
    Ok(built)
}

/// Whether the program asks for no interpreter (PT_INTERP): one that does needs the C library of
/// the machine that it was built on.
pub(crate) fn is_static(program: &Path) -> anyhow::Result<bool> {
    let elf = std::fs::read(program).with_context(|| format!("{}", program.display()))?;
    Ok(!asks_for_an_interpreter(&elf)?)
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
