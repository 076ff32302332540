//! The guards of the platform, as the running system shows them. The host's own words.

use std::path::Path;

use api::machine::{Lockdown, Platform};

use super::{iommu, lockdown, processor, tboot, uefi_mode};

/// What can be read under `root`, where the folders `proc` and `sys` of the kernel are; what cannot
/// is absent. What the TPM says of itself is added by who has it open.
pub fn says(root: &Path) -> Platform {
    Platform {
        secure_boot: uefi_mode::is_on(root, "SecureBoot"),
        lockdown: lockdown(root),
        txt_capable: processor::has_smx(root),
        tboot: tboot::launched(root),
        iommu: iommu::is_used(root),
        tpm_lockout: None,
    }
}

/// How far the kernel under `root` keeps root out of itself; `None` where it does not say so.
pub fn lockdown(root: &Path) -> Option<Lockdown> {
    lockdown::mode(root)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    /// A kernel's folders with these files.
    fn kernel(files: &[(&str, &[u8])]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let root = folder.path().to_owned();
        (folder, root)
    }

    const VARIABLE: &str =
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
    const LOCKDOWN: &str = "sys/kernel/security/lockdown";

    #[test]
    fn a_kernel_that_shows_nothing_says_nothing() {
        assert!(says(Path::new("/nonexistent")).is_silent());
    }

    #[test]
    fn what_is_shown_is_said() {
        let mut boot_params = [0; 4096];
        boot_params[0x58] = 1;
        let (_folder, root) = kernel(&[
            (VARIABLE, &[6, 0, 0, 0, 1]),
            (LOCKDOWN, b"none [integrity] confidentiality\n"),
            ("proc/cpuinfo", b"processor\t: 0\nflags\t\t: fpu vmx smx est\n\nprocessor\t: 1\n"),
            ("sys/kernel/boot_params/data", &boot_params),
            ("sys/class/iommu/dmar0", b""),
        ]);
        let expected = Platform {
            secure_boot: Some(true),
            lockdown: Some(Lockdown::Integrity),
            txt_capable: Some(true),
            tboot: Some(true),
            iommu: Some(true),
            tpm_lockout: None,
        };
        assert_eq!(says(&root), expected);
    }

    #[test]
    fn what_is_off_is_not_what_is_unknown() {
        let (_folder, root) = kernel(&[
            (VARIABLE, &[6, 0, 0, 0, 0]),
            (LOCKDOWN, b"[none] integrity confidentiality\n"),
            ("proc/cpuinfo", b"flags\t: fpu smxx\n"),
            ("sys/kernel/boot_params/data", &[0; 4096]),
        ]);
        fs::create_dir_all(root.join("sys/class/iommu")).unwrap();
        let off = Some(false);
        let expected = Platform {
            secure_boot: off,
            lockdown: Some(Lockdown::None),
            txt_capable: off,
            tboot: off,
            iommu: off,
            tpm_lockout: None,
        };
        assert_eq!(says(&root), expected);
    }

    #[test]
    fn what_is_of_another_shape_is_unknown() {
        let (_folder, root) = kernel(&[
            (VARIABLE, &[6, 0, 0, 0, 1, 0]),
            (LOCKDOWN, b"none integrity\n"),
            ("proc/cpuinfo", b"Features\t: fp asimd\n"),
            ("sys/kernel/boot_params/data", &[0; 0x5f]),
        ]);
        assert!(says(&root).is_silent());
        let (_folder, root) = kernel(&[(VARIABLE, &[6, 0, 0, 0, 2]), (LOCKDOWN, b"[other]\n")]);
        assert!(says(&root).is_silent());
    }
}
