//! Running programs.

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Runs a program of the workspace's folder, its output shown; an error where it fails.
pub(crate) fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    println!("\n$ {program} {}", arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    let status = command.status().with_context(|| format!("{program} cannot be started"))?;
    ensure!(status.success(), "{program} {} failed: {status}", arguments.join(" "));
    Ok(())
}

/// Runs `command`, `program` with its arguments, without showing what it says; an error with all of
/// that where it fails.
pub(crate) fn finish(program: &str, command: &mut Command) -> anyhow::Result<()> {
    stdout(program, command).map(drop)
}

/// What `command` prints; an error with all that it said where it fails.
pub(crate) fn stdout(program: &str, command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let done = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{program} cannot be started"))?;
    let said = [&*done.stdout, &*done.stderr].map(String::from_utf8_lossy);
    ensure!(done.status.success(), "{program} failed: {}\n{}{}", done.status, said[0], said[1]);
    Ok(done.stdout)
}

/// What a program prints, run in the workspace's folder.
pub(crate) fn output(program: impl AsRef<OsStr>, arguments: &[&str]) -> anyhow::Result<String> {
    let shown = format!("{} {}", program.as_ref().display(), arguments.join(" "));
    let mut command = Command::new(program);
    let printed = stdout(&shown, command.args(arguments).current_dir(root()))?;
    Ok(String::from_utf8_lossy(&printed).into_owned())
}

/// Where a program lies.
pub(crate) fn which(program: &str) -> anyhow::Result<PathBuf> {
    let path = output("sh", &["-c", &format!("command -v {program}")])?;
    Ok(PathBuf::from(path.trim_end()))
}

/// Whether a program is on the PATH.
pub(crate) fn has(program: &str) -> bool {
    let mut command = Command::new("sh");
    let look = format!("command -v {program}");
    command.args(["-c", &look]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The cargo that runs this task.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> anyhow::Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().current_dir(root()).exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}
