//! Benchmarks that need programs as they are shipped.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::{install, sh, static_program};

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum What {
    /// What an attestation costs the server
    Server {
        /// Only this (may be repeated): see docs/benchmarks.md
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
        /// Print the figures as JSON
        #[arg(long)]
        json: bool,
        /// More for the program that measures, after `--`
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// What `bootproof verify` costs as a process, of the static program that is packaged
    Verify,
}

pub(crate) fn run(what: &What) -> anyhow::Result<()> {
    match what {
        What::Server { only, json, rest } => server(only, *json, rest),
        What::Verify => verify(),
    }
}

/// The benchmark of the process, with the packaged program in place of the tests' one.
fn verify() -> anyhow::Result<()> {
    let program = static_program::build(&static_program::CLI)?;
    let mut command = Command::new(sh::cargo());
    command.args(["bench", "--locked", "-p", "cli", "--bench", "process"]);
    command.env("BOOTPROOF_PROGRAM", program).current_dir(sh::root());
    let status = command.status().context("cargo cannot be started")?;
    ensure!(status.success(), "the benchmark failed: {status}");
    Ok(())
}

fn server(only: &[String], json: bool, rest: &[String]) -> anyhow::Result<()> {
    install::postgresql()?;
    let packages = ["-p", "server", "-p", "server-bench"];
    // What it prints is for who reads the figures, so cargo's own words are left out.
    let build = [&["build", "--release", "--locked", "--quiet"], &packages[..]].concat();
    let built = Command::new(sh::cargo()).args(&build).current_dir(sh::root()).status()?;
    ensure!(built.success(), "cargo {} failed: {built}", build.join(" "));
    let target = sh::target()?;
    let programs = target.join("release");
    let mut command = Command::new(programs.join("server-bench"));
    command.arg("--server").arg(programs.join("bootproof-server"));
    command.arg("--limit").arg(programs.join("server-limit"));
    // Beside the programs: on a disk, not in a file system in memory.
    command.arg("--folder").arg(&target);
    command.args(only.iter().flat_map(|name| ["--only", name]));
    if json {
        command.arg("--json");
    }
    let status = command.args(rest).status().context("server-bench cannot be started")?;
    ensure!(status.success(), "a bar is missed, or something could not be measured: {status}");
    Ok(())
}
