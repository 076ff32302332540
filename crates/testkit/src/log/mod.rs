//! Boot logs of a plausible server, with quirks, and what a TPM must be extended with to match.

mod certificates;
mod encode;
mod entry;
mod server;

use tpm_wire::{PcrBank, TpmAlgId};

pub use certificates::{Certificates, certificates};
pub use encode::{Device, image_load, load_option, signature_data, signature_list, ucs2, variable};
pub use entry::{BuiltLog, Entry, Extend};
pub use server::revoking;

/// A boot log in the making: [`BootLog::sound`] and what shall be odd about it.
#[derive(Clone, Debug)]
pub struct BootLog {
    banks: Vec<TpmAlgId>,
    secure_boot: Option<Vec<u8>>,
    separators: [Option<[u8; 4]>; 8],
    locality: Option<Locality>,
    kernel: String,
    kernel_cmdline: String,
    firmware: String,
    option_rom: bool,
    n_dbx: Option<usize>,
    n_modules: usize,
    mok: bool,
    padding: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locality {
    Logged(u8),
    Unlogged(u8),
    HCrtm,
}

impl BootLog {
    /// A sound boot of a Linux server, about 60 events in the SHA-256 bank: Secure Boot on, shim,
    /// GRUB, kernel, initrd. All that is not measured by certificates is the same each time.
    pub fn sound() -> Self {
        Self {
            banks: vec![TpmAlgId::SHA256],
            secure_boot: Some(vec![1]),
            separators: [Some([0; 4]); 8],
            locality: None,
            kernel: "6.1.0-56-amd64".to_owned(),
            kernel_cmdline: "root=/dev/mapper/vg-root ro quiet".to_owned(),
            firmware: "2.14.7".to_owned(),
            option_rom: false,
            n_dbx: None,
            n_modules: 0,
            mok: false,
            padding: Vec::new(),
        }
    }

    /// Digests in these banks instead of SHA-256.
    #[must_use]
    pub fn banks(mut self, banks: &[TpmAlgId]) -> Self {
        self.banks = banks.to_vec();
        self
    }

    /// SecureBoot = 0.
    #[must_use]
    pub fn secure_boot_off(self) -> Self {
        self.secure_boot_value(&[0])
    }

    /// SecureBoot with any value.
    #[must_use]
    pub fn secure_boot_value(mut self, value: &[u8]) -> Self {
        self.secure_boot = Some(value.to_vec());
        self
    }

    /// Firmware that does not measure SecureBoot.
    #[must_use]
    pub fn no_secure_boot_variable(mut self) -> Self {
        self.secure_boot = None;
        self
    }

    /// Firmware that forgets the separator of this PCR, 0 to 7.
    #[must_use]
    pub fn without_separator(mut self, pcr_index: usize) -> Self {
        self.separators[pcr_index] = None;
        self
    }

    /// Firmware that met an error before it handed over this PCR, 0 to 7.
    #[must_use]
    pub fn error_separator(self, pcr_index: usize) -> Self {
        self.separator_value(pcr_index, [1, 0, 0, 0])
    }

    /// Another separator of this PCR, 0 to 7.
    #[must_use]
    pub fn separator_value(mut self, pcr_index: usize, value: [u8; 4]) -> Self {
        self.separators[pcr_index] = Some(value);
        self
    }

    /// A TPM started at this locality, 0 or 3, and a log that says so.
    #[must_use]
    pub fn startup_locality(mut self, locality: u8) -> Self {
        self.locality = Some(Locality::Logged(locality));
        self
    }

    /// The same, and a log that does not say so.
    #[must_use]
    pub fn unlogged_startup_locality(mut self, locality: u8) -> Self {
        self.locality = Some(Locality::Unlogged(locality));
        self
    }

    /// A boot that an H-CRTM began: PCR 0 starts at locality 4, and its event comes first.
    #[must_use]
    pub fn h_crtm(mut self) -> Self {
        self.locality = Some(Locality::HCrtm);
        self
    }

    /// Another kernel.
    #[must_use]
    pub fn kernel(mut self, release: &str) -> Self {
        release.clone_into(&mut self.kernel);
        self
    }

    /// Other parameters behind the kernel's name.
    #[must_use]
    pub fn kernel_cmdline(mut self, parameters: &str) -> Self {
        parameters.clone_into(&mut self.kernel_cmdline);
        self
    }

    /// Another firmware version, and so other firmware.
    #[must_use]
    pub fn firmware(mut self, version: &str) -> Self {
        version.clone_into(&mut self.firmware);
        self
    }

    /// A network card's driver, and the entry of db that allowed it, before the separators.
    #[must_use]
    pub fn option_rom(mut self) -> Self {
        self.option_rom = true;
        self
    }

    /// A dbx of this many invented images, instead of all that are revoked today.
    #[must_use]
    pub fn dbx_hashes(mut self, n: usize) -> Self {
        self.n_dbx = Some(n);
        self
    }

    /// GRUB loads so many modules more than it needs: an event each, which makes a log long.
    #[must_use]
    pub fn grub_modules(mut self, n: usize) -> Self {
        self.n_modules = n;
        self
    }

    /// A kernel that the owner's key (MOK) allowed, not the distribution's.
    #[must_use]
    pub fn mok_kernel(mut self) -> Self {
        self.mok = true;
        self
    }

    /// Bytes behind the last event, as firmware that hands over its whole log area.
    #[must_use]
    pub fn padding(mut self, fill: u8, n: usize) -> Self {
        self.padding = vec![fill; n];
        self
    }

    /// The events, behind the Spec ID event: change them as you like, then [`Self::build_from`].
    pub fn entries(&self) -> Vec<Entry> {
        server::entries(self)
    }

    /// The log, the extends, and the PCRs.
    pub fn build(&self) -> BuiltLog {
        self.build_from(&self.entries())
    }

    /// The same with these events instead: each is logged and extended.
    pub fn build_from(&self, entries: &[Entry]) -> BuiltLog {
        let locality = match self.locality {
            None => 0,
            Some(Locality::Logged(locality) | Locality::Unlogged(locality)) => locality,
            Some(Locality::HCrtm) => 4,
        };
        entry::build(&self.banks, entries, locality, &self.padding)
    }
}

impl BuiltLog {
    /// The PCRs of the bank `alg`.
    ///
    /// # Panics
    /// Where the log has no such bank.
    pub fn bank(&self, alg: TpmAlgId) -> &PcrBank {
        self.pcrs.iter().find(|bank| bank.alg() == alg).expect("a bank of the log")
    }
}
