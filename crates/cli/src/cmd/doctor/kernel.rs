//! What the kernel of a host shows, in its own folders or in a copy of them, that no evidence carries.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use agent::source::uefi_mode;

use crate::cmd::measured::{all_alike, is_extended};

/// Files of sysfs read here have one line: a PCR of SHA-512 has 129 bytes.
const LINE_BYTES_MAX: u64 = 256;

/// What started the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartedBy {
    /// UEFI firmware.
    Uefi,
    /// Firmware with ACPI, not by UEFI.
    Legacy,
}

/// The first TPM, as the kernel shows it without asking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KernelTpm {
    /// There is none.
    Absent,
    /// One of version 1.2.
    Version1,
    /// One of version 2.0.
    Version2,
}

/// The folders `proc` and `sys` of a kernel.
#[derive(Debug)]
pub(super) struct Kernel {
    root: PathBuf,
}

impl Kernel {
    pub(super) fn below(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// `None` where the kernel shows too little to tell, as in a container.
    pub(super) fn started_by(&self) -> Option<StartedBy> {
        let firmware = self.root.join("sys/firmware");
        if firmware.join("efi").is_dir() {
            Some(StartedBy::Uefi)
        } else if firmware.join("acpi").is_dir() {
            Some(StartedBy::Legacy)
        } else {
            None
        }
    }

    /// Whether this variable of UEFI's modes is on; `None` where it is not there or of another shape.
    pub(super) fn mode(&self, name: &str) -> Option<bool> {
        uefi_mode::is_on(&self.root, name)
    }

    /// `None` where the kernel shows no devices, or is older than 5.5 and does not say the version.
    pub(super) fn tpm(&self) -> Option<KernelTpm> {
        let class = self.root.join("sys/class");
        let tpm = class.join("tpm/tpm0");
        if !tpm.exists() {
            return class.is_dir().then_some(KernelTpm::Absent);
        }
        match front(&tpm.join("tpm_version_major"), LINE_BYTES_MAX)?.trim_ascii() {
            b"1" => Some(KernelTpm::Version1),
            b"2" => Some(KernelTpm::Version2),
            _ => None,
        }
    }

    /// The hash names of the banks that are on, sorted; `None` where the kernel shows none, as before
    /// 5.12.
    pub(super) fn banks(&self) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.root.join("sys/class/tpm/tpm0")).ok()?;
        let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
        let mut banks: Vec<_> = entries
            .filter_map(|entry| name(entry.ok()?)?.strip_prefix("pcr-").map(str::to_owned))
            .collect();
        banks.sort();
        (!banks.is_empty()).then_some(banks)
    }

    /// Whether each of PCR 0 to 7 of this bank is as at the start, or none is; `None` where they are
    /// not shown, or it is neither.
    pub(super) fn is_extended(&self, bank: &str) -> Option<bool> {
        let folder = self.root.join(format!("sys/class/tpm/tpm0/pcr-{bank}"));
        let extended: Option<Vec<bool>> = (0..8)
            .map(|pcr: u8| {
                let line = front(&folder.join(pcr.to_string()), LINE_BYTES_MAX)?;
                let value =
                    hex::decode(line.trim_ascii()).ok().filter(|value| !value.is_empty())?;
                Some(is_extended(&value))
            })
            .collect();
        all_alike(extended?)
    }
}

/// At most `n` bytes of a file; `None` where it cannot be read.
fn front(path: &Path, n: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(n).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}
