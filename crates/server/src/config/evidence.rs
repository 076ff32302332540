//! Where parts of evidence lie: the table `[evidence]`.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use evidence_objects::{Addressing, Encryption, Objects, Place, S3, S3Keys};
use serde::{Deserialize, Serialize};
use store::EvidenceObjects;
use zeroize::Zeroizing;

/// Bits of a file's mode that let others than its owner and its group in.
const OTHERS: u32 = 0o007;

/// Bytes of a file of authorities, or of keys: some authorities, some lines.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Parts below it stay in the database, where nothing is said: those that are read of many hosts in one go
/// (`app::policy`) are not longer, and would be as many requests.
const BYTES_MIN: u32 = 8192;

/// Days for which removed objects stay, where nothing is said.
const REMOVED_AFTER_DAYS: u32 = 7;

/// A part is not longer than what a request brings.
const BYTES_MIN_MAX: u32 = 8 * 1024 * 1024;

/// The table. What its keys mean stands at the field of [`super::Config`].
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvidenceConfig {
    store: EvidenceStore,
    folder: Option<PathBuf>,
    endpoint: Option<String>,
    bucket: Option<String>,
    prefix: Option<String>,
    region: Option<String>,
    addressing: Addressed,
    credentials_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    kms_key: Option<String>,
    bytes_min: Option<u32>,
    removed_after_days: Option<u32>,
}

/// Where new parts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceStore {
    /// Into the database.
    #[default]
    Database,
    /// Into a store that speaks the protocol of Amazon S3.
    S3,
    /// Into a folder.
    Folder,
}

/// How requests name the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Addressed {
    /// In the path.
    #[default]
    Path,
    /// In the host name.
    VirtualHost,
}

/// The file of keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl EvidenceConfig {
    pub(super) fn place_in(&mut self, folder: &Path) {
        let files = [&mut self.folder, &mut self.credentials_file, &mut self.ca_file];
        for named in files.into_iter().flatten() {
            *named = folder.join(&*named);
        }
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut fault = |says: &str| faults.push(format!("evidence: {says}"));
        match self.store {
            EvidenceStore::Database => {}
            EvidenceStore::S3 if self.bucket.is_some() => {}
            EvidenceStore::Folder if self.folder.is_some() => {}
            EvidenceStore::S3 => fault("store is s3, and no `bucket` is named"),
            EvidenceStore::Folder => fault("store is folder, and no `folder` is named"),
        }
        if self.bucket.is_some() && self.folder.is_some() {
            fault("`bucket` and `folder` are both named: keep one");
        }
        if self.bucket.is_some() && self.credentials_file.is_none() {
            fault("`credentials_file` must name the file with the keys of the bucket");
        }
        if self.bucket.is_none()
            && (self.endpoint.is_some() || self.prefix.is_some() || self.credentials_file.is_some())
        {
            fault(
                "`endpoint`, `prefix` and `credentials_file` are of a `bucket`, and none is named",
            );
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if self.prefix.as_ref().is_some_and(|prefix| !prefix.chars().all(is_plain)) {
            fault("`prefix` may have letters, digits, `-`, `_`, `.` and `/`");
        }
        if self.bytes_min.is_some_and(|n| n == 0 || n > BYTES_MIN_MAX) {
            fault(&format!("bytes_min must be 1 to {BYTES_MIN_MAX}"));
        }
        if self.removed_after_days.is_some_and(|days| days > 3660) {
            fault("removed_after_days must be 0 to 3660");
        }
        faults
    }

    /// Where new parts go.
    pub fn store(&self) -> EvidenceStore {
        self.store
    }

    /// Days for which an object stays that nothing refers to any more.
    pub fn removed_after_days(&self) -> u32 {
        self.removed_after_days.unwrap_or(REMOVED_AFTER_DAYS)
    }

    /// The place that is named; `None`: none is. No request is made.
    pub fn open(&self) -> anyhow::Result<Option<EvidenceObjects>> {
        let Some(place) = self.place()? else { return Ok(None) };
        let objects = Arc::new(Objects::at(&place).context("evidence")?);
        let bytes_min = match self.store {
            // What lies there is read; nothing is added.
            EvidenceStore::Database => usize::MAX,
            EvidenceStore::S3 | EvidenceStore::Folder => {
                usize::try_from(self.bytes_min.unwrap_or(BYTES_MIN))?
            }
        };
        Ok(Some(EvidenceObjects { objects, bytes_min }))
    }

    fn place(&self) -> anyhow::Result<Option<Place>> {
        if let Some(folder) = &self.folder {
            return Ok(Some(Place::Folder(folder.clone())));
        }
        let (Some(bucket), Some(file)) = (&self.bucket, &self.credentials_file) else {
            return Ok(None);
        };
        let ca_pem = match &self.ca_file {
            None => None,
            Some(file) => Some(read(file).context("evidence: ca_file")?.to_string()),
        };
        Ok(Some(Place::S3(Box::new(S3 {
            endpoint: self.endpoint.clone(),
            bucket: bucket.clone(),
            prefix: self.prefix.clone().unwrap_or_default(),
            region: self.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            addressing: match self.addressing {
                Addressed::Path => Addressing::Path,
                Addressed::VirtualHost => Addressing::VirtualHost,
            },
            keys: keys(file)?,
            ca_pem,
            encryption: match &self.kms_key {
                None => Encryption::OfTheBucket,
                Some(key_id) => Encryption::Kms { key_id: key_id.clone() },
            },
        }))))
    }
}

fn keys(file: &Path) -> anyhow::Result<S3Keys> {
    let mode = file.metadata().map(|meta| meta.mode()).unwrap_or_default();
    anyhow::ensure!(
        mode & OTHERS == 0,
        "evidence: everybody on this machine may read the keys in {path}: `chmod o= {path}`",
        path = file.display()
    );
    let text = read(file).context("evidence: credentials_file")?;
    // What is wrong is not quoted: a key may be in it.
    let keys: Credentials = toml::from_str(&text).ok().with_context(|| {
        format!(
            "evidence: {} has not access_key_id = \"…\", secret_access_key = \"…\" and perhaps \
             session_token = \"…\", and nothing else",
            file.display()
        )
    })?;
    Ok(S3Keys {
        access_key_id: keys.access_key_id,
        secret_access_key: keys.secret_access_key,
        session_token: keys.session_token,
    })
}

fn read(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    use std::io::Read as _;
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut text))
        .with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn faults(text: &str) -> Vec<String> {
        toml::from_str::<EvidenceConfig>(text).unwrap().faults()
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        for good in [
            "",
            "store = 's3'\nbucket = 'b'\ncredentials_file = 'c'\nprefix = 'a/b'",
            "store = 'database'\nbucket = 'b'\ncredentials_file = 'c'",
            "store = 'folder'\nfolder = 'f'\nbytes_min = 1",
        ] {
            assert_eq!(faults(good), Vec::<String>::new(), "{good}");
        }
        for bad in [
            "store = 's3'",
            "store = 'folder'",
            "bucket = 'b'",
            "bucket = 'b'\ncredentials_file = 'c'\nfolder = 'f'",
            "endpoint = 'https://x'",
            "bucket = 'b'\ncredentials_file = 'c'\nprefix = 'a b'",
            "bytes_min = 0",
            "removed_after_days = 4000",
        ] {
            assert_eq!(faults(bad).len(), 1, "{bad}: {:?}", faults(bad));
        }
        assert!(toml::from_str::<EvidenceConfig>("secret_access_key = 'x'").is_err());
    }

    #[test]
    fn keys_are_in_a_file_that_nobody_else_reads_and_are_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys.toml");
        let mut config: EvidenceConfig =
            toml::from_str("store = 's3'\nbucket = 'b'\ncredentials_file = 'keys.toml'").unwrap();
        config.place_in(folder.path());
        let said = |config: &EvidenceConfig| format!("{:#}", config.open().unwrap_err());
        assert!(said(&config).contains("cannot be read"), "{}", said(&config));
        std::fs::write(&file, "access_key_id = 'hunter1'\nsecret = 'hunter2'").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert!(said(&config).contains("chmod o="), "{}", said(&config));
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert!(said(&config).contains("access_key_id"), "{}", said(&config));
        assert!(!said(&config).contains("hunter"), "{}", said(&config));
        std::fs::write(&file, "access_key_id = 'hunter1'\nsecret_access_key = 'hunter2'").unwrap();
        let opened = config.open().unwrap().unwrap();
        assert!(!format!("{opened:?}").contains("hunter"), "{opened:?}");
    }
}
