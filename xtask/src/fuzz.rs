//! Fuzzing: seeds, and a short run of each target.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::Mutex,
};

use anyhow::{Context as _, bail};
use fuzz_entries::{ENTRIES, Entry, seeds};

use crate::{install, sh};

/// The version that the project is fuzzed with.
const CARGO_FUZZ: &str = "0.13.2";

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

/// How each target is run.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// For how long.
    pub(crate) seconds: u32,
    /// Where libFuzzer begins, so that whoever builds the same finds the same.
    pub(crate) seed: u32,
    /// The parsers have no `unsafe` for a sanitizer to watch, and run three to four times as fast without one.
    pub(crate) sanitizer: &'static str,
}

/// Runs each target, or the one that is named, as `run` says. Where a nightly compiler or cargo-fuzz
/// is missing and cannot be installed it says so: the same functions run on the seeds in
/// `cargo nextest run -p fuzz-entries`.
pub(crate) fn smoke(only: Option<&str>, run: Run) -> anyhow::Result<()> {
    if let Some(only) = only
        && ENTRIES.iter().all(|entry| entry.name != only)
    {
        bail!("{only} is none of the targets {}", ENTRIES.map(|entry| entry.name).join(" "));
    }
    if let Err(missing) = prepared() {
        println!("\nfuzzing is skipped: {missing}");
        return Ok(());
    }
    write_seeds()?;
    let wanted = |entry: &&Entry| only.is_none_or(|only| only == entry.name);
    let targets: Vec<_> = ENTRIES.iter().filter(wanted).map(|entry| entry.name).collect();
    let build = ["+nightly", "fuzz", "build", "--sanitizer", run.sanitizer];
    println!("\n$ cargo {}", build.join(" "));
    let built = cargo(&build).current_dir(folder()).status()?;
    anyhow::ensure!(built.success(), "the fuzz targets do not build: {built}");
    let found = run_all(&targets, run)?;
    anyhow::ensure!(
        found.is_empty(),
        "{} found an input, in fuzz/artifacts: make it a test, and mend what it shows",
        found.join(", ")
    );
    let n = targets.len();
    println!("\neach of {n} targets ran for {} s, and nothing was found", run.seconds);
    Ok(())
}

/// Runs `targets`, as many at once as there are cores, and gives those that found something, which
/// were told with all that they wrote.
fn run_all(targets: &[&'static str], run: Run) -> anyhow::Result<Vec<&'static str>> {
    let n_at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let queue = Mutex::new(targets.iter());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let worker = || -> anyhow::Result<()> {
            loop {
                let next = lock(&queue).next().copied();
                let Some(target) = next else { return Ok(()) };
                if !run_one(target, run)? {
                    lock(&found).push(target);
                }
            }
        };
        let workers: Vec<_> = (0..n_at_once).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| {
            // A panic is no run in which nothing was found.
            worker.join().unwrap_or_else(|_| bail!("a target was not run to its end"))
        })
    })?;
    Ok(found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Whether `target` found nothing.
fn run_one(target: &str, run: Run) -> anyhow::Result<bool> {
    let time = format!("-max_total_time={}", run.seconds);
    let seed = format!("-seed={}", run.seed);
    let length = format!("-max_len={INPUT_BYTES_MAX}");
    // rustup's cargo, not the one that runs this task: only that one takes a toolchain.
    let options = [time.as_str(), &seed, &length, "-timeout=5"];
    let run = ["+nightly", "fuzz", "run", "--sanitizer", run.sanitizer, target, "--"];
    let output = cargo(&[&run[..], &options].concat()).current_dir(folder()).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        let done = text.lines().rfind(|line| line.starts_with("Done")).unwrap_or("done");
        println!("{target:<18} {done}");
    } else {
        println!("{target:<18} {}\n{text}", output.status);
    }
    Ok(output.status.success())
}

/// rustup's cargo, without what the toolchain of this task told its children.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments).env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    command
}

/// Installs what fuzzing needs where that can be done, or says what is missing.
fn prepared() -> Result<(), &'static str> {
    let works = |arguments: &[&str]| {
        let mut command = cargo(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works(&["+nightly", "--version"]) {
        let install = ["toolchain", "install", "nightly", "--profile", "minimal"];
        if !sh::has("rustup") || sh::run("rustup", &install).is_err() {
            return Err(
                "no nightly compiler; `rustup toolchain install nightly --profile minimal`",
            );
        }
    }
    let installed = || install::cargo_tool("cargo-fuzz", CARGO_FUZZ).is_ok();
    if !works(&["fuzz", "--version"]) && !installed() {
        return Err("no cargo-fuzz; `cargo install cargo-fuzz --locked`");
    }
    Ok(())
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
