//! Debian packages of agent, server and command line.

mod build;
mod check;
mod contents;
mod package;
mod programs;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use build::Compression;
use package::Package;
use programs::Programs;

use crate::{install, sh};

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dist {
    /// Packages of optimised programs, as they are released.
    Release,
    /// Packages of the programs that the tests use, installed into an empty root, tried, removed.
    Check,
}

pub(crate) fn run(dist: Dist) -> anyhow::Result<()> {
    install::packages(install::PACKAGING_TOOLS)?;
    let folder = sh::target()?.join("debian");
    let epoch = source_date_epoch()?;
    let programs = Programs::build(dist)?;
    let packages = contents::packages(&programs, epoch)?;
    if dist == Dist::Check {
        return check::run(&packages, epoch);
    }
    for file in write(&packages, &folder, epoch, Compression::Well)? {
        println!("{} {} bytes", file.display(), std::fs::metadata(&file)?.len());
    }
    Ok(())
}

/// Writes the packages into `folder`, and gives their files.
fn write(
    packages: &[Package],
    folder: &Path,
    epoch: u64,
    compression: Compression,
) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
    packages.iter().map(|package| build::build(package, folder, epoch, compression)).collect()
}

/// Seconds since 1970 that all times in packages are: SOURCE_DATE_EPOCH, else the last commit's.
fn source_date_epoch() -> anyhow::Result<u64> {
    if let Ok(epoch) = std::env::var("SOURCE_DATE_EPOCH") {
        return epoch.parse().context("SOURCE_DATE_EPOCH is not a number of seconds");
    }
    let shown = sh::output("git", &["log", "-1", "--format=%ct"])?;
    shown.trim().parse().context("git does not say when the last commit was")
}
