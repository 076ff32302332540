//! The programs that are packaged.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::Dist;
use crate::{sh, static_agent, static_program};

/// The three programs. The folder of copies goes with this value.
pub(super) struct Programs {
    pub(super) agent: PathBuf,
    pub(super) server: PathBuf,
    pub(super) cli: PathBuf,
    _copies: tempfile::TempDir,
}

impl Programs {
    pub(super) fn build(dist: Dist) -> anyhow::Result<Self> {
        let agent = static_agent::build()?;
        let (profile, folder) = match dist {
            Dist::Release => ("release", "release"),
            Dist::Check => ("dev", "debug"),
        };
        let cargo = sh::cargo();
        let dynamic = match dist {
            Dist::Release => &["-p", "server"][..],
            Dist::Check => &["-p", "server", "-p", "cli"],
        };
        sh::run(&cargo, &[&["build", "--locked", "--profile", profile], dynamic].concat())?;
        let built = sh::target()?.join(folder);
        let copies = tempfile::tempdir()?;
        let copy = |from: &Path| -> anyhow::Result<PathBuf> {
            let to = copies.path().join(from.file_name().unwrap_or_default());
            std::fs::copy(from, &to).with_context(|| format!("{}", from.display()))?;
            // Lines for debuggers go, names for backtraces stay.
            sh::output("strip", &["--strip-debug", &to.to_string_lossy()])?;
            Ok(to)
        };
        let cli = match dist {
            Dist::Release => static_program::build(&static_program::CLI)?,
            Dist::Check => built.join("bootproof"),
        };
        let (server, cli) = (copy(&built.join("bootproof-server"))?, copy(&cli)?);
        Ok(Self { agent, server, cli, _copies: copies })
    }
}

/// The oldest C library that has all that a dynamic program wants of it: `2.34`. Its symbols carry
/// the version that made them.
pub(super) fn libc_version(program: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(program)?;
    let newest = newest_glibc(&bytes);
    ensure!(newest.is_some(), "{} names no version of the C library", program.display());
    Ok(format!("2.{}", newest.unwrap_or_default()))
}

fn newest_glibc(bytes: &[u8]) -> Option<u32> {
    const PREFIX: &[u8] = b"GLIBC_2.";
    let versions = bytes.windows(PREFIX.len()).enumerate().filter(|(_, word)| *word == PREFIX);
    let minor = versions.filter_map(|(at, _)| {
        let rest = bytes.get(at + PREFIX.len()..)?;
        let digits: String =
            rest.iter().take(3).map(|b| char::from(*b)).take_while(char::is_ascii_digit).collect();
        digits.parse::<u32>().ok()
    });
    minor.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_symbol_says_which_libc() {
        let symbols = b"\0GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0";
        assert_eq!(newest_glibc(symbols), Some(34));
        assert_eq!(newest_glibc(b"GLIBC_2."), None);
    }
}
