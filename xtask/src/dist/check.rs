//! The packages, installed into an empty root as dpkg does it, tried, updated, removed and purged.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};

use super::{
    build::{Compression, VERSION},
    contents::{AGENT, CLI, SERVER},
    package::Package,
    write,
};
use crate::sh;

pub(super) fn run(packages: &[Package], epoch: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let files = write(packages, &folder.path().join("one"), epoch, Compression::Fast)?;
    let again = write(packages, &folder.path().join("two"), epoch, Compression::Fast)?;
    for (one, two) in files.iter().zip(&again) {
        ensure!(fs::read(one)? == fs::read(two)?, "{} is not reproducible", one.display());
    }
    let system = System::empty(&folder.path().join("root"))?;

    system.dpkg("--install", &files)?;
    installed(&system)?;
    // The administrator's own words live through an update.
    let kept = system.path("etc/bootproof/server.toml");
    fs::write(&kept, "names = ['kept']\n")?;
    system.dpkg("--install", &files)?;
    ensure!(fs::read_to_string(&kept)?.contains("kept"), "an update replaced {}", kept.display());
    installed(&system)?;

    let names = [AGENT, SERVER, CLI].map(PathBuf::from);
    for data in ["var/lib/bootproof-agent", "var/lib/bootproof"] {
        fs::create_dir_all(system.path(data))?;
        fs::write(system.path(data).join("kept"), "")?;
    }
    system.dpkg("--remove", &names)?;
    system.absent(&["usr/bin/bootproof-agent", "usr/bin/bootproof-server", "usr/bin/bootproof"])?;
    ensure!(kept.exists(), "configuration goes with the purge, not before");
    ensure!(system.path("var/lib/bootproof-agent/kept").exists(), "a removal took the membership");
    system.dpkg("--purge", &names)?;
    system.absent(&[
        "etc/bootproof/server.toml",
        "etc/default/bootproof-agent",
        "etc/systemd/system/multi-user.target.wants/bootproof-agent.service",
        "etc/systemd/system/multi-user.target.wants/bootproof-server.service",
        "var/lib/bootproof-agent",
    ])?;
    ensure!(system.path("var/lib/bootproof/kept").exists(), "a purge took the inventory");
    println!("\n{} packages: built alike twice, installed, updated, removed, purged", files.len());
    Ok(())
}

/// What must hold of a system with all packages.
fn installed(system: &System) -> anyhow::Result<()> {
    for (name, page) in [(AGENT, "-join"), (SERVER, ""), (CLI, "-host-show")] {
        // The agent needs nothing of the root that it is in; the others this machine's C library.
        let program = system.path(&format!("usr/bin/{name}"));
        let said = match name {
            AGENT => sh::output("chroot", &[&system.shown(), "/usr/bin/bootproof-agent", "-V"])?,
            _ => sh::output(&program, &["--version"])?,
        };
        ensure!(said.trim() == format!("{name} {VERSION}"), "{name} says {said:?}");
        let page = system.path(&format!("usr/share/man/man1/{name}{page}.1.gz"));
        sh::output("gzip", &["--test", &page.to_string_lossy()])?;
        let script = system.path(&format!("usr/share/bash-completion/completions/{name}"));
        sh::output("bash", &["-n", &script.to_string_lossy()])?;
        for doc in ["copyright", "changelog.gz", "CHANGELOG.md.gz"] {
            let path = system.path(&format!("usr/share/doc/{name}/{doc}"));
            ensure!(path.exists(), "{} is missing", path.display());
        }
        let copyright =
            fs::read_to_string(system.path(&format!("usr/share/doc/{name}/copyright")))?;
        ensure!(copyright.contains("rustls v"), "{name} does not say what it contains");
    }
    let chapter = system.path(&format!("usr/share/doc/{SERVER}/book/quick-start.md"));
    ensure!(chapter.exists(), "{} is missing", chapter.display());
    for name in [AGENT, SERVER] {
        let wants = format!("etc/systemd/system/multi-user.target.wants/{name}.service");
        let link = fs::read_link(system.path(&wants));
        let link = link.with_context(|| format!("{name} is not enabled"))?;
        let unit = link.strip_prefix("/").unwrap_or(&link);
        ensure!(system.path(&unit.to_string_lossy()).exists(), "{wants} leads to nothing");
    }
    let users = fs::read_to_string(system.path("etc/passwd"))?;
    ensure!(users.lines().any(|line| line.starts_with("bootproof:")), "the user is not made");
    Ok(())
}

/// A root without anything but dpkg's own lists.
struct System {
    root: PathBuf,
}

impl System {
    fn empty(root: &Path) -> anyhow::Result<Self> {
        for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/log", "etc"] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::write(root.join("var/lib/dpkg/status"), "")?;
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn shown(&self) -> String {
        self.root.to_string_lossy().into_owned()
    }

    /// Runs dpkg on this root. Scripts run outside of it and are told where it is: there is no
    /// shell in it, as in images that are made so.
    fn dpkg(&self, verb: &str, what: &[PathBuf]) -> anyhow::Result<()> {
        let root = format!("--root={}", self.shown());
        let force = "--force-script-chrootless,depends,confold,not-root";
        let mut arguments = vec![root.as_str(), force, "--no-triggers", verb];
        let what: Vec<_> = what.iter().map(|what| what.to_string_lossy()).collect();
        arguments.extend(what.iter().map(|what| &**what));
        sh::output("dpkg", &arguments).map(drop)
    }

    fn absent(&self, paths: &[&str]) -> anyhow::Result<()> {
        for path in paths {
            let path = self.path(path);
            ensure!(fs::symlink_metadata(&path).is_err(), "{} is still there", path.display());
        }
        Ok(())
    }
}
