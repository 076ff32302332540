//! What boots: kernel, shim and firmware of the distribution, out of its packages. Kernel and shim
//! are unpacked beside the build, never installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail, ensure};

use super::scenario::{Content, Scenario, Version};
use crate::{
    install::{self, Needed},
    sh,
};

/// What makes the machines and their disks.
pub(super) const TOOLS: &[Needed] = &[
    Needed::new("qemu-system-x86_64", "qemu-system-x86"),
    Needed::new("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "ovmf"),
    // Its kernel module of a network card has a ROM.
    Needed::new("/usr/lib/ipxe/qemu/efi-virtio.rom", "ipxe-qemu"),
    Needed::new("busybox", "busybox-static"),
    Needed::new("mcopy", "mtools"),
    Needed::new("modinfo", "kmod"),
    Needed::new("xz", "xz-utils"),
    Needed::new("mkfs.ext4", "e2fsprogs"),
    Needed::new("sfdisk", "fdisk"),
    Needed::new("objcopy", "binutils"),
    Needed::new("sbsign", "sbsigntool"),
    Needed::new(GRUB, "grub-efi-amd64-signed"),
    Needed::new(STUB, "systemd-boot-efi"),
];

/// GRUB, signed by the distribution.
pub(super) const GRUB: &str = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed";
/// The stub of a unified kernel image.
pub(super) const STUB: &str = "/usr/lib/systemd/boot/efi/linuxx64.efi.stub";
/// The loader of a machine with keys of its owner's.
pub(super) const SYSTEMD_BOOT: &str = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi";
/// A program in the ROM of a network card.
pub(super) const OPTION_ROM: &str = "/usr/lib/ipxe/qemu/efi-virtio.rom";

/// The small kernel for virtual machines.
const KERNEL: &str = "linux-image-cloud-amd64";
/// Another one of the same maker.
const OTHER_KERNEL: &str = "linux-image-amd64";

const SHIM: &str = "shim-signed";

/// Modules that the guest needs, the ones that they need too.
const MODULES: &[&str] =
    &["virtio_pci", "virtio_blk", "virtio_net", "efivarfs", "crc32c_generic", "ext4"];

/// A firmware: its program and its blank and Microsoft's variables.
#[derive(Clone, Debug)]
pub(super) struct Firmware {
    pub(super) code: PathBuf,
    pub(super) blank: PathBuf,
    pub(super) microsoft: PathBuf,
}

impl Firmware {
    /// Two builds of the same sources, the quicker one first.
    pub(super) fn builds() -> [Self; 2] {
        ["", "_4M"].map(|build| {
            let file = |name: &str| PathBuf::from(format!("/usr/share/OVMF/OVMF_{name}.fd"));
            Self {
                code: file(&format!("CODE{build}.secboot")),
                blank: file(&format!("VARS{build}")),
                microsoft: file(&format!("VARS{build}.ms")),
            }
        })
    }
}

/// A kernel and what it loads.
#[derive(Clone, Debug)]
pub(super) struct Kernel {
    pub(super) image: PathBuf,
    /// Modules in the order in which they are loaded.
    pub(super) modules: Vec<PathBuf>,
}

/// What was unpacked.
#[derive(Debug)]
pub(super) struct Packages {
    pub(super) kernel: Kernel,
    /// Fetched where a scenario boots it: it is large.
    pub(super) other_kernel: Option<Kernel>,
    pub(super) shim: PathBuf,
}

impl Packages {
    /// Fetches and unpacks what `folder` does not have yet, for these scenarios.
    pub(super) fn fetch(folder: &Path, scenarios: &[&Scenario]) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        if missing(folder) {
            install::update()?;
        }
        let fetched = |package| kernel(&unpacked(folder, &behind(package)?)?);
        let kernel = fetched(KERNEL)?;
        let is_other = |content: &Content| content.kernel == Version::Other;
        let n_other = scenarios.iter().flat_map(|scenario| scenario.contents()).filter(is_other);
        let other_kernel = (n_other.count() > 0).then(|| fetched(OTHER_KERNEL)).transpose()?;
        let shim = unpacked(folder, SHIM)?.join("usr/lib/shim/shimx64.efi.signed");
        ensure!(shim.exists(), "the package shim-signed has no {}", shim.display());
        Ok(Self { kernel, other_kernel, shim })
    }
}

/// Whether one of the packages that every scenario needs was not fetched yet.
fn missing(folder: &Path) -> bool {
    let kernel = behind(KERNEL).unwrap_or_else(|_| KERNEL.to_owned());
    [kernel.as_str(), SHIM].iter().any(|package| !folder.join(package).exists())
}

/// The package of today's version, that `package` stands for.
fn behind(package: &str) -> anyhow::Result<String> {
    let told = sh::output("apt-cache", &["depends", package])?;
    let version = told.lines().find_map(|line| line.trim().strip_prefix("Depends: linux-image-"));
    let version = version.with_context(|| format!("no kernel is behind {package}:\n{told}"))?;
    Ok(format!("linux-image-{version}"))
}

/// The folder with the content of `package`.
fn unpacked(folder: &Path, package: &str) -> anyhow::Result<PathBuf> {
    let root = folder.join(package);
    if root.exists() {
        return Ok(root);
    }
    let fetch = folder.join("fetch");
    let _ = fs::remove_dir_all(&fetch);
    fs::create_dir_all(&fetch)?;
    println!("$ apt-get download {package}");
    let mut command = Command::new("apt-get");
    // As root the download would be handed to a user who may not write here.
    command.args(["-q", "-o", "APT::Sandbox::User=root", "download", package]).current_dir(&fetch);
    sh::finish("apt-get", &mut command)?;
    let Some(archive) = fs::read_dir(&fetch)?.next() else {
        bail!("{package} cannot be fetched: run `apt-get update`");
    };
    // Unpacked whole before it gets its name: a run that ends halfway leaves no half of a package.
    let content = folder.join("fetch/content");
    let mut unpack = Command::new("dpkg");
    sh::finish("dpkg", unpack.arg("-x").arg(archive?.path()).arg(&content))?;
    fs::rename(&content, &root)?;
    fs::remove_dir_all(&fetch)?;
    Ok(root)
}

fn kernel(root: &Path) -> anyhow::Result<Kernel> {
    let boot = root.join("boot");
    let image = fs::read_dir(&boot)
        .with_context(|| format!("{}", boot.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz-"))
        })
        .with_context(|| format!("no kernel in {}", boot.display()))?;
    let name = image.file_name().map(|name| name.to_string_lossy().into_owned());
    let version =
        name.as_deref().and_then(|name| name.strip_prefix("vmlinuz-")).unwrap_or_default();
    let folder = ["lib/modules", "usr/lib/modules"]
        .map(|modules| root.join(modules).join(version))
        .into_iter()
        .find(|folder| folder.exists())
        .with_context(|| format!("no modules of {version} in {}", root.display()))?;
    let mut modules = Vec::new();
    for name in MODULES {
        add_module(&folder.join("kernel"), name, &mut modules)?;
    }
    Ok(Kernel { image, modules })
}

/// Adds `name` behind what it depends on. What is built into the kernel is in no file.
fn add_module(folder: &Path, name: &str, modules: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let Some(path) = module_file(folder, name)? else { return Ok(()) };
    if modules.contains(&path) {
        return Ok(());
    }
    let depends = sh::output("modinfo", &["-F", "depends", &path.to_string_lossy()])?;
    for needed in depends.trim().split(',').filter(|needed| !needed.is_empty()) {
        add_module(folder, needed, modules)?;
    }
    modules.push(path);
    Ok(())
}

fn module_file(folder: &Path, name: &str) -> anyhow::Result<Option<PathBuf>> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let file = path.file_name().map(|name| name.to_string_lossy().replace('-', "_"));
            let is_it = |file: String| {
                [".ko", ".ko.xz"].iter().any(|end| file.strip_suffix(end) == Some(name))
            };
            if file.is_some_and(is_it) {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}
