//! Fuzzing: seeds, and a short run of each target.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use fuzz_entries::{ENTRIES, seeds};

use crate::sh;

/// Bytes of one input: logs of a few dozen events fit, and small inputs are fast ones.
const INPUT_BYTES_MAX: usize = 16 * 1024;

fn folder() -> PathBuf {
    sh::root().join("fuzz")
}

/// Writes the seeds of each target into `fuzz/corpus/<target>/`, beside what fuzzing found itself.
pub(crate) fn write_seeds() -> anyhow::Result<()> {
    let seeds = seeds();
    for seed in &seeds {
        let folder = folder().join("corpus").join(seed.target);
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("seed-{}", seed.n));
        std::fs::write(&file, &seed.bytes)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    println!("{} seeds for {} targets", seeds.len(), ENTRIES.len());
    Ok(())
}

/// Runs each target, or the one that is named, for `seconds`. Without a nightly compiler or
/// cargo-fuzz it says so: the same functions run on the seeds in `cargo nextest run -p
/// fuzz-entries`.
pub(crate) fn smoke(seconds: u32, only: Option<&str>) -> anyhow::Result<()> {
    if let Some(only) = only
        && ENTRIES.iter().all(|entry| entry.name != only)
    {
        bail!("{only} is none of the targets {}", ENTRIES.map(|entry| entry.name).join(" "));
    }
    if let Some(missing) = missing() {
        println!("\nfuzzing is skipped: {missing}");
        return Ok(());
    }
    write_seeds()?;
    let time = format!("-max_total_time={seconds}");
    let length = format!("-max_len={INPUT_BYTES_MAX}");
    for entry in ENTRIES.iter().filter(|entry| only.is_none_or(|only| only == entry.name)) {
        // rustup's cargo, not the one that runs this task: only that one takes a toolchain.
        let run = ["+nightly", "fuzz", "run", entry.name, "--", &time, &length, "-timeout=5"];
        run_in(&folder(), &run).with_context(|| {
            format!(
                "{} found an input in fuzz/artifacts/{}: make it a test, and mend what it shows",
                entry.name, entry.name
            )
        })?;
    }
    println!("\neach target ran for {seconds} s, and nothing was found");
    Ok(())
}

fn run_in(folder: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    println!("\n$ cargo {}", arguments.join(" "));
    let status = cargo(arguments).current_dir(folder).status()?;
    anyhow::ensure!(status.success(), "cargo {} failed: {status}", arguments.join(" "));
    Ok(())
}

/// rustup's cargo, without what the toolchain of this task told its children.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command
}

fn missing() -> Option<&'static str> {
    let works = |arguments: &[&str]| {
        let mut command = cargo(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works(&["+nightly", "--version"]) {
        return Some("no nightly compiler; `rustup toolchain install nightly --profile minimal`");
    }
    if !works(&["fuzz", "--version"]) {
        return Some("no cargo-fuzz; `cargo install cargo-fuzz --locked`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_a_target_and_each_target_an_entry() {
        let files = std::fs::read_dir(folder().join("targets")).unwrap();
        let mut targets: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        targets.sort();
        let stems: Vec<_> = targets.iter().map(|file| file.file_stem().unwrap().to_str()).collect();
        let mut names = ENTRIES.map(|entry| Some(entry.name));
        names.sort_unstable();
        assert_eq!(stems, names);
        let manifest = std::fs::read_to_string(folder().join("Cargo.toml")).unwrap();
        for (entry, file) in ENTRIES.iter().flat_map(|e| targets.iter().map(move |f| (e, f))) {
            let text = std::fs::read_to_string(file).unwrap();
            let is_its_own = file.file_stem().is_some_and(|stem| stem == entry.name);
            assert_eq!(text.contains(&format!("run(\"{}\"", entry.name)), is_its_own, "{file:?}");
            assert!(manifest.contains(&format!("name = \"{}\"", entry.name)), "{}", entry.name);
        }
    }
}
