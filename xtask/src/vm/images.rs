//! What a disk boots, made of the distribution's parts: shim with GRUB, a unified kernel image, or
//! systemd-boot with one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use anyhow::Context as _;
use image::Image;
use tpm_wire::TpmAlgId;

use super::{
    disk::{self, Placed},
    guest,
    keys::{Key, OwnerKeys},
    packages::{GRUB, Kernel, Packages, STUB, SYSTEMD_BOOT},
    scenario::{Content, Disk, Initrd, Signer, Version},
};
use crate::sh;

/// To the serial port, that the lab reads; nothing else is on it.
const COMMAND_LINE: &str = "console=ttyS0 panic=-1 quiet";

/// Where the stub looks for its sections; each has room up to the next.
const SECTIONS_AT: [(&str, u64); 4] =
    [(".osrel", 0x2_0000), (".cmdline", 0x3_0000), (".linux", 0x200_0000), (".initrd", 0x300_0000)];

const OS_RELEASE: &str = "ID=bootproof-lab\nNAME=\"Bootproof lab\"\nVERSION_ID=1\n";

/// Makes disks; what several of them need is made once.
pub(super) struct Workshop {
    packages: Packages,
    keys: OwnerKeys,
    agent: PathBuf,
    folder: PathBuf,
    // Two scenarios may want the same part: it is made once.
    one_at_a_time: Mutex<()>,
}

impl Workshop {
    /// With files in `folder`.
    pub(super) fn new(packages: Packages, agent: PathBuf, folder: &Path) -> anyhow::Result<Self> {
        let keys = OwnerKeys::generate(&folder.join("keys"))?;
        Ok(Self { packages, keys, agent, folder: folder.to_owned(), one_at_a_time: Mutex::new(()) })
    }

    pub(super) const fn keys(&self) -> &OwnerKeys {
        &self.keys
    }

    fn kernel(&self, version: Version) -> anyhow::Result<&Kernel> {
        match version {
            Version::Usual => Ok(&self.packages.kernel),
            Version::Other => self.packages.other_kernel.as_ref().context("no other kernel"),
        }
    }

    const fn key(&self, signer: Signer) -> Option<&Key> {
        match signer {
            Signer::Nobody => None,
            Signer::Owner => Some(&self.keys.db),
            Signer::Mok => Some(&self.keys.mok),
        }
    }

    /// SHA-256, as dbx has it, of what a disk is booted by first.
    pub(super) fn loader_digest(&self, disk: &Disk) -> anyhow::Result<Vec<u8>> {
        let _lock = self.one_at_a_time.lock();
        digest(&self.loader(disk)?)
    }

    fn loader(&self, disk: &Disk) -> anyhow::Result<PathBuf> {
        Ok(match disk {
            Disk::ShimGrub(_) => self.packages.shim.clone(),
            Disk::Uki(content) => self.uki(content)?,
            Disk::SystemdBoot(_) => self.signed(Path::new(SYSTEMD_BOOT), Signer::Owner)?,
        })
    }

    /// A disk, made at its first use.
    pub(super) fn disk(&self, disk: &Disk) -> anyhow::Result<PathBuf> {
        let _lock = self.one_at_a_time.lock();
        let out = self.folder.join(format!("{}.img", disk.name()));
        if out.exists() {
            return Ok(out);
        }
        let loader = Placed { path: "/EFI/BOOT/BOOTX64.EFI", file: self.loader(disk)? };
        let files = match disk {
            Disk::Uki(_) => vec![loader],
            Disk::SystemdBoot(content) => {
                vec![loader, Placed { path: "/EFI/Linux/lab.efi", file: self.uki(content)? }]
            }
            Disk::ShimGrub(content) => {
                let mut files = self.grub(content)?;
                files.push(loader);
                files
            }
        };
        disk::write_boot(&out, &files)?;
        Ok(out)
    }

    fn grub(&self, content: &Content) -> anyhow::Result<Vec<Placed>> {
        let config = format!(
            "search --no-floppy --set=root --file /vmlinuz\nlinux /vmlinuz {}\n\
             initrd /initrd.img\nboot\n",
            command_line(content)
        );
        let config = self.text(&format!("{}.grub.cfg", content.name()), &config)?;
        let image = self.kernel(content.kernel)?.image.clone();
        let kernel = match content.signer {
            // As it came: by the distribution.
            Signer::Nobody => image,
            signer => self.signed(&image, signer)?,
        };
        Ok(vec![
            Placed { path: "/EFI/BOOT/grubx64.efi", file: GRUB.into() },
            Placed { path: "/EFI/debian/grub.cfg", file: config },
            Placed { path: "/vmlinuz", file: kernel },
            Placed { path: "/initrd.img", file: self.initrd(content)? },
        ])
    }

    fn initrd(&self, content: &Content) -> anyhow::Result<PathBuf> {
        let out =
            self.folder.join(format!("{}-{:?}.initrd", content.kernel.name(), content.initrd));
        if !out.exists() {
            let extra = (content.initrd == Initrd::OneMoreFile).then_some("one more file\n");
            let kernel = self.kernel(content.kernel)?;
            guest::write_initrd(&out, kernel, &self.agent, extra)?;
        }
        Ok(out)
    }

    /// A unified kernel image.
    fn uki(&self, content: &Content) -> anyhow::Result<PathBuf> {
        let out = self.folder.join(format!("{}.efi", content.name()));
        if out.exists() {
            return Ok(out);
        }
        let line = self.text(&format!("{}.cmdline", content.name()), &command_line(content))?;
        let release = self.text("os-release", OS_RELEASE)?;
        let kernel = self.kernel(content.kernel)?.image.clone();
        let parts = [release, line, kernel, self.initrd(content)?];
        let mut join = Command::new("objcopy");
        for ((section, at), part) in SECTIONS_AT.iter().zip(&parts) {
            join.arg("--add-section").arg(format!("{section}={}", part.display()));
            join.arg("--change-section-vma").arg(format!("{section}={at:#x}"));
        }
        let unsigned = out.with_extension("unsigned");
        sh::finish("objcopy", join.arg(STUB).arg(&unsigned))?;
        match self.key(content.signer) {
            None => fs::rename(&unsigned, &out)?,
            Some(key) => key.sign(&unsigned, &out)?,
        }
        Ok(out)
    }

    fn signed(&self, image: &Path, signer: Signer) -> anyhow::Result<PathBuf> {
        let name = image.file_name().context("no file")?.to_string_lossy();
        let out = self.folder.join(format!("{name}.{signer:?}"));
        match self.key(signer) {
            None => return Ok(image.to_owned()),
            Some(_) if out.exists() => {}
            Some(key) => key.sign(image, &out)?,
        }
        Ok(out)
    }

    fn text(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let out = self.folder.join(name);
        fs::write(&out, text)?;
        Ok(out)
    }
}

fn digest(file: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = fs::read(file)?;
    let image = Image::parse(&bytes).with_context(|| format!("{}", file.display()))?;
    let digest = image.authenticode(TpmAlgId::SHA256).context("no SHA-256")?;
    Ok(digest.as_bytes().to_vec())
}

fn command_line(content: &Content) -> String {
    [COMMAND_LINE, content.more_arguments].join(" ").trim_end().to_owned()
}
