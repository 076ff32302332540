//! Disks: one partition for the firmware to boot from, and a file system for the agent's state.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::sh;

/// Where the partition begins, as partitioning tools place it.
const PARTITION_AT_BYTES: u64 = 1024 * 1024;
/// Room for a kernel and its first files, twice.
const DISK_BYTES: u64 = 96 * 1024 * 1024;
/// Room for a few files of the agent, and for the doctor; what is empty takes no room.
const STATE_BYTES: u64 = 128 * 1024 * 1024;

/// The same names on every disk: PCR 5 has them.
const TABLE: &str = "label: gpt\n\
    label-id: 7A2C5C0E-6F0B-4B43-9E0C-5D5F6E0C11AA\n\
    start=2048, size=192512, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, \
    uuid=1E0B2F9A-8C51-4F5E-9B7D-2A3B4C5D6E7F, name=ESP\n";

/// A file for the partition, by its path there.
pub(super) struct Placed {
    pub(super) path: &'static str,
    pub(super) file: PathBuf,
}

/// Writes a disk from which the firmware boots.
pub(super) fn write_boot(out: &Path, files: &[Placed]) -> anyhow::Result<()> {
    File::create(out)?.set_len(DISK_BYTES)?;
    let mut partition = Command::new("sfdisk")
        .arg("-q")
        .arg(out)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("sfdisk cannot be started")?;
    let mut table = partition.stdin.take().context("no way to sfdisk")?;
    table.write_all(TABLE.as_bytes())?;
    drop(table);
    ensure!(partition.wait()?.success(), "sfdisk made no partition in {}", out.display());

    let image = format!("{}@@{PARTITION_AT_BYTES}", out.display());
    let tool = |name: &str| {
        let mut command = Command::new(name);
        command.args(["-i", &image]);
        command
    };
    // The size of the partition, not that of the file: the table has a copy at its end.
    let sectors = ["-T", "192512", "-N", "00004201", "-v", "ESP", "::"];
    sh::finish("mformat", tool("mformat").args(sectors))?;
    let mut folders: Vec<String> = Vec::new();
    for Placed { path, file } in files {
        let parents = path.match_indices('/').skip(1).map(|(at, _)| &path[..at]);
        for folder in parents.map(|folder| format!("::{folder}")) {
            if !folders.contains(&folder) {
                sh::finish("mmd", tool("mmd").arg(&folder))?;
                folders.push(folder);
            }
        }
        sh::finish("mcopy", tool("mcopy").arg(file).arg(format!("::{path}")))?;
    }
    Ok(())
}

/// Writes the disk of the agent's state, with what `folder` holds.
pub(super) fn write_state(out: &Path, folder: &Path) -> anyhow::Result<()> {
    File::create(out)?.set_len(STATE_BYTES)?;
    let mut make = Command::new("mkfs.ext4");
    make.args(["-q", "-F", "-L", "state", "-E", "root_owner=0:0", "-d"]).arg(folder).arg(out);
    sh::finish("mkfs.ext4", &mut make)
}
