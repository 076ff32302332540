//! What runs in the guest: a kernel's first files, with the agent, and nothing else.

use std::{fs, path::Path, process::Command};

use anyhow::Context as _;

use super::{cpio::Archive, packages::Kernel};
use crate::sh;

/// The first program. It leaves the network for the agent to wait for: the agent is started first.
const INIT: &str = include_str!("guest/init.sh");

/// What the agent finds on the disk for its state, before it has joined.
pub(super) const JOIN_FILE: &str = "join.env";

/// Where the guest reaches the server: an address that leads to the lab's loopback.
pub(super) const SERVER_ADDRESS: &str = "10.0.2.100";
/// And its port.
pub(super) const SERVER_PORT: u16 = 8443;

/// Writes the archive that a kernel starts with; `extra` is one more file in it.
pub(super) fn write_initrd(
    out: &Path,
    kernel: &Kernel,
    agent: &Path,
    extra: Option<&str>,
) -> anyhow::Result<()> {
    let busybox = sh::which("busybox")?;
    let read = |path: &Path| fs::read(path).with_context(|| format!("{}", path.display()));
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "etc", "modules", "proc", "state", "sys", "tmp"] {
        archive.folder(folder);
    }
    archive.file("init", 0o755, INIT.as_bytes());
    archive.file("bin/busybox", 0o755, &read(&busybox)?);
    archive.link("bin/sh", "busybox");
    archive.file("bin/bootproof-agent", 0o755, &read(agent)?);
    for (n, module) in kernel.modules.iter().enumerate() {
        let name =
            module.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into());
        let content = match module.extension() {
            Some(end) if end == "xz" => {
                let mut unpack = Command::new("xz");
                sh::stdout("xz", unpack.arg("-dc").arg(module))?
            }
            _ => read(module)?,
        };
        archive.file(&format!("modules/{n:02}-{name}.ko"), 0o644, &content);
    }
    if let Some(text) = extra {
        archive.file("etc/extra", 0o644, text.as_bytes());
    }
    fs::write(out, archive.finish())?;
    Ok(())
}
