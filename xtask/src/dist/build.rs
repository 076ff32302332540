//! One package as a file.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use super::package::{Content, File, Kind, Package};
use crate::sh;

pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(super) const MAINTAINER: &str = "Bootproof <bootproof@example.org>";

/// As the agent is built for it, and the C library is linked.
const ARCHITECTURE: &str = "amd64";

/// How packages are compressed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// For those who download them.
    Well,
    /// For those who only look whether they can be installed.
    Fast,
}

/// Writes `package` into `folder` and gives its file. The same contents and `epoch` give the same
/// bytes.
pub(super) fn build(
    package: &Package,
    folder: &Path,
    epoch: u64,
    compression: Compression,
) -> anyhow::Result<PathBuf> {
    let tree = tempfile::tempdir()?;
    let root = tree.path().join("root");
    let control = root.join("DEBIAN");
    make_folder(&control)?;
    for file in &package.files {
        put(&root, file)?;
    }
    let n_bytes: u64 = package.files.iter().map(|file| size(&root, file)).sum();
    fs::write(control.join("control"), control_file(package, n_bytes.div_ceil(1024)))?;
    fs::write(control.join("md5sums"), md5sums(&root, package)?)?;
    let configuration = package.files.iter().filter(|file| file.kind == Kind::Configuration);
    let conffiles: String = configuration.map(|file| format!("/{}\n", file.path)).collect();
    if !conffiles.is_empty() {
        fs::write(control.join("conffiles"), conffiles)?;
    }
    for (name, text) in &package.scripts {
        let path = control.join(name);
        fs::write(&path, text)?;
        fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    }
    for name in ["control", "md5sums", "conffiles"] {
        let path = control.join(name);
        if path.exists() {
            fs::set_permissions(&path, Permissions::from_mode(0o644))?;
        }
    }
    let file = folder.join(format!("{}_{VERSION}_{ARCHITECTURE}.deb", package.name));
    let compressed: &[&str] = match compression {
        Compression::Well => &["-Zxz"],
        Compression::Fast => &["-Zgzip", "-z1"],
    };
    let mut build = Command::new("dpkg-deb");
    build.args(compressed).args(["--root-owner-group", "--build"]).args([&root, &file]);
    sh::finish("dpkg-deb", build.env("SOURCE_DATE_EPOCH", epoch.to_string()))?;
    Ok(file)
}

/// Makes a folder and those above it, for all to read, whatever this user's mask is.
fn make_folder(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(above) = path.parent() {
        make_folder(above)?;
    }
    fs::create_dir(path)?;
    Ok(fs::set_permissions(path, Permissions::from_mode(0o755))?)
}

fn put(root: &Path, file: &File) -> anyhow::Result<()> {
    let path = root.join(&file.path);
    make_folder(path.parent().context("a file without a folder")?)?;
    match &file.content {
        Content::Text(text) => fs::write(&path, text)?,
        Content::Of(from) => {
            fs::copy(from, &path).with_context(|| format!("{}", from.display()))?;
        }
        Content::Packed(text) => {
            let plain = path.with_extension("");
            fs::write(&plain, text)?;
            sh::output("gzip", &["-9n", &plain.to_string_lossy()])?;
            ensure!(path.exists(), "{} does not end in .gz", path.display());
        }
    }
    Ok(fs::set_permissions(&path, Permissions::from_mode(file.kind.mode()))?)
}

fn size(root: &Path, file: &File) -> u64 {
    fs::metadata(root.join(&file.path)).map_or(0, |metadata| metadata.len())
}

fn control_file(package: &Package, installed_kib: u64) -> String {
    let (line, rest) = package.description;
    let relations: String =
        package.relations.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let rest: String = rest.lines().map(|line| format!(" {line}\n")).collect();
    format!(
        "Package: {}\nVersion: {VERSION}\nArchitecture: {ARCHITECTURE}\nMaintainer: {MAINTAINER}\n\
         Installed-Size: {installed_kib}\n{relations}Section: admin\nPriority: optional\n\
         Description: {line}\n{rest}",
        package.name
    )
}

fn md5sums(root: &Path, package: &Package) -> anyhow::Result<String> {
    // Those of the administrator may change.
    let plain = package.files.iter().filter(|file| file.kind != Kind::Configuration);
    let mut paths: Vec<&str> = plain.map(|file| file.path.as_str()).collect();
    paths.sort_unstable();
    let sums = sh::stdout("md5sum", Command::new("md5sum").args(&paths).current_dir(root))?;
    Ok(String::from_utf8(sums)?)
}
