//! Installing what is missing: packages of Debian, tools of cargo.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, ensure};

use crate::sh;

/// A program, or a file by its whole path, and the package of Debian that has it.
#[derive(Clone, Copy)]
pub(crate) struct Needed {
    program: &'static str,
    package: &'static str,
}

impl Needed {
    pub(crate) const fn new(program: &'static str, package: &'static str) -> Self {
        Self { program, package }
    }
}

/// Software TPMs and the tools that tests use as referees.
pub(crate) const TPM_TOOLS: &[Needed] = &[
    Needed::new("swtpm", "swtpm"),
    Needed::new("swtpm_setup", "swtpm-tools"),
    Needed::new("swtpm_localca", "swtpm-tools"),
    Needed::new("tpm2_checkquote", "tpm2-tools"),
    // Handshakes with keys in TPMs.
    Needed::new("openssl", "openssl"),
    Needed::new("/usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so", "tpm2-openssl"),
];

/// Images of a distribution, and the tools that compute of them what we do.
pub(crate) const IMAGE_TOOLS: &[Needed] = &[
    Needed::new("busybox", "busybox-static"),
    Needed::new("objcopy", "binutils"),
    Needed::new("pesign", "pesign"),
    Needed::new("/usr/lib/systemd/systemd-measure", "systemd"),
    Needed::new("/usr/lib/systemd/boot/efi/linuxx64.efi.stub", "systemd-boot-efi"),
    Needed::new("/usr/lib/shim/fbx64.efi.signed", "shim-helpers-amd64-signed"),
];

/// What packs logs for tests, and what reads them beside us in benchmarks.
pub(crate) const LOG_TOOLS: &[Needed] = &[
    Needed::new("zip", "zip"),
    Needed::new("xz", "xz-utils"),
    Needed::new("zstd", "zstd"),
    Needed::new("/usr/bin/time", "time"),
    Needed::new("rg", "ripgrep"),
];

/// What opens the backups that we encrypt, and encrypts those that we open.
pub(crate) const BACKUP_TOOLS: &[Needed] =
    &[Needed::new("age", "age"), Needed::new("age-keygen", "age")];

/// What sets clocks of programs under test.
pub(crate) const CLOCK_TOOLS: &[Needed] =
    &[Needed::new("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1", "libfaketime")];

/// Receivers of alarms, as others wrote them.
pub(crate) const RECEIVERS: &[Needed] = &[
    Needed::new("prometheus-alertmanager", "prometheus-alertmanager"),
    Needed::new("syslog-ng", "syslog-ng-core"),
    Needed::new("/usr/lib/python3/dist-packages/aiosmtpd/__init__.py", "python3-aiosmtpd"),
];

/// What uses our pages as people do.
pub(crate) const BROWSER_TOOLS: &[Needed] = &[
    Needed::new("/usr/bin/chromium", "chromium"),
    Needed::new("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"),
    Needed::new("node", "nodejs"),
    Needed::new("npm", "npm"),
];

/// What reads the documents that we make.
pub(crate) const DOCUMENT_TOOLS: &[Needed] = &[Needed::new("pdftotext", "poppler-utils")];

/// What judges our units and packages.
pub(crate) const PACKAGING_TOOLS: &[Needed] = &[
    Needed { program: "systemd-analyze", package: "systemd" },
    Needed { program: "dpkg-deb", package: "dpkg" },
    Needed { program: "deb-systemd-helper", package: "init-system-helpers" },
    Needed { program: "strip", package: "binutils" },
];

/// What asks the server as those who run it do.
pub(crate) const OPERATION_TOOLS: &[Needed] =
    &[Needed::new("curl", "curl"), Needed::new("prlimit", "util-linux")];

/// The way of tpm2-tools to swtpm: a library without a program of its own.
const TCTI: &str = "libtss2-tcti-swtpm0";

/// Installs the packages of what is missing; needs root, or sudo without a terminal's help.
pub(crate) fn packages(needed: &[Needed]) -> anyhow::Result<()> {
    let missing: Vec<_> = needed.iter().filter(|needed| !is_there(needed.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<_> = missing.iter().map(|needed| needed.package).collect();
    packages.push(TCTI);
    packages.sort_unstable();
    packages.dedup();
    if !sh::has("apt-get") {
        bail!("not installed: {}. Install them with your package manager", packages.join(" "));
    }
    update()?;
    apt_get(&[&["install", "-y", "-qq", "--no-install-recommends"], &packages[..]].concat())
}

/// Installs PostgreSQL, of which tests start clusters of their own; none of the distribution's is made.
pub(crate) fn postgresql() -> anyhow::Result<()> {
    if sh::has("pg_createcluster") {
        return Ok(());
    }
    if !sh::has("apt-get") {
        bail!("not installed: postgresql. Install it with your package manager");
    }
    update()?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    // First what makes clusters, so that it can be told to make none.
    apt_get(&[&install[..], &["postgresql-common"]].concat())?;
    let none = "s/^#?create_main_cluster .*/create_main_cluster = false/";
    as_root("sed", &["-ri", none, "/etc/postgresql-common/createcluster.conf"])?;
    apt_get(&[&install[..], &["postgresql"]].concat())
}

/// Puts Prometheus' checker of rules and metrics among cargo's tools. Of its package only this program is
/// taken: installed as a whole it would serve at once.
pub(crate) fn promtool() -> anyhow::Result<()> {
    if sh::has("promtool") {
        return Ok(());
    }
    if !sh::has("apt-get") {
        bail!("not installed: promtool. Install Prometheus with your package manager");
    }
    update()?;
    let folder = tempfile::tempdir()?;
    let script = "apt-get download -qq prometheus && dpkg-deb -x prometheus_*.deb . && install -D \
                  usr/bin/promtool \"${CARGO_HOME:-$HOME/.cargo}/bin/promtool\"";
    // apt gives up root for a folder that its own user may write to, else it says so and goes on.
    let mut command = Command::new("sh");
    sh::finish("apt-get download prometheus", command.args(["-c", script]).current_dir(&folder))
}

/// Installs programs or libraries of Python, each file of them by its digest, into a place of their own under `target/tools`.
pub(crate) fn python_tools(name: &str) -> anyhow::Result<()> {
    let place = sh::root().join("target/tools").join(name);
    let listed = sh::root().join(format!("xtask/requirements/{name}.txt"));
    // The list that is installed, written when all of it is.
    let mark = place.join("installed.txt");
    let list = std::fs::read(&listed)?;
    if std::fs::read(&mark).is_ok_and(|installed| installed == list) {
        return Ok(());
    }
    let shown = place.display().to_string();
    if sh::run("python3", &["-m", "venv", "--clear", &shown]).is_err() {
        // Debian has what makes one in a package of its own.
        update()?;
        apt_get(&["install", "-y", "-qq", "--no-install-recommends", "python3-venv"])?;
        sh::run("python3", &["-m", "venv", "--clear", &shown])?;
    }
    let pip = place.join("bin/pip").display().to_string();
    let listed = listed.display().to_string();
    sh::run(&pip, &["install", "--quiet", "--no-input", "--require-hashes", "-r", &listed])?;
    Ok(std::fs::write(mark, list)?)
}

/// Has apt look what there is: a list of yesterday may name versions that are gone.
pub(crate) fn update() -> anyhow::Result<()> {
    apt_get(&["update", "-qq"])
}

fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    as_root("apt-get", arguments)
}

/// Runs a program as root.
fn as_root(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    if is_root() {
        return sh::run(program, arguments);
    }
    ensure!(sh::has("sudo"), "run as root: {program} {}", arguments.join(" "));
    sh::run("sudo", &[&[program], arguments].concat())
}

fn is_there(program: &str) -> bool {
    if program.starts_with('/') { Path::new(program).exists() } else { sh::has(program) }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").stderr(Stdio::null()).output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs a cargo subcommand, at the version that the project is checked with.
pub(crate) fn cargo_tool(name: &str, version: &str) -> anyhow::Result<()> {
    if sh::has(name) {
        return Ok(());
    }
    sh::run(&sh::cargo(), &["install", "--locked", "--version", version, name])
}

/// Installs a program of crates.io under `target/tools`, as it is checked with: built without optimisation, which
/// takes a third of the time and is fast enough for what it does once. Gives its path.
pub(crate) fn unoptimised_tool(name: &str, version: &str) -> anyhow::Result<PathBuf> {
    let place = sh::root().join("target/tools").join(format!("{name}-{version}"));
    let program = place.join("bin").join(name);
    if !program.exists() {
        let root = place.display().to_string();
        let what = ["install", "--debug", "--locked", "--no-default-features", "--quiet"];
        let which = ["--version", version, "--root", &root, name];
        sh::run(&sh::cargo(), &[&what[..], &which].concat())?;
    }
    Ok(program)
}

/// Installs what the lock file of `folder` names, without running any script of it.
pub(crate) fn node_packages(folder: &str) -> anyhow::Result<()> {
    let at = sh::root().join(folder);
    let changed = |name: &str| at.join(name).metadata().and_then(|meta| meta.modified()).ok();
    if changed("node_modules/.package-lock.json") >= changed("package-lock.json") {
        return Ok(());
    }
    sh::run("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder])
}
