//! Keys of a machine's owner, made anew for each run, and signatures with them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};

use crate::sh;

/// A key, with a certificate by itself.
pub(super) struct Key {
    pub(super) certificate: Vec<u8>,
    key_file: PathBuf,
    certificate_file: PathBuf,
}

impl Key {
    /// Firmware knows RSA-2048 with SHA-256 everywhere. [UEFI-2.10 §32.2.4]
    fn generate(folder: &Path, name: &str, common_name: &str) -> anyhow::Result<Self> {
        let key = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, common_name);
        let certificate = params.self_signed(&key)?;
        let [key_file, certificate_file] =
            ["key", "pem"].map(|end| folder.join(format!("{name}.{end}")));
        fs::write(&key_file, key.serialize_pem())?;
        fs::write(&certificate_file, certificate.pem())?;
        Ok(Self { certificate: certificate.der().to_vec(), key_file, certificate_file })
    }

    /// Writes `image`, signed, to `out`.
    pub(super) fn sign(&self, image: &Path, out: &Path) -> anyhow::Result<()> {
        let mut sign = Command::new("sbsign");
        sign.arg("--key").arg(&self.key_file).arg("--cert").arg(&self.certificate_file);
        sh::finish("sbsign", sign.arg("--output").arg(out).arg(image))
    }
}

/// All keys of an owner.
pub(super) struct OwnerKeys {
    pub(super) pk: Key,
    pub(super) kek: Key,
    pub(super) db: Key,
    /// Known to shim and not to the firmware.
    pub(super) mok: Key,
}

impl OwnerKeys {
    /// New ones, in files of `folder`.
    pub(super) fn generate(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self {
            pk: Key::generate(folder, "PK", "Owner's platform key")?,
            kek: Key::generate(folder, "KEK", "Owner's key exchange key")?,
            db: Key::generate(folder, "db", "Owner's signing key")?,
            mok: Key::generate(folder, "MOK", "Owner's machine key")?,
        })
    }
}
