//! Accounts of BMCs. They come from a file or from the environment, never from a command line, which
//! everybody on the machine can read.

use std::{collections::BTreeMap, fmt, io::Read as _, path::PathBuf};

use zeroize::{Zeroize as _, Zeroizing};

/// Largest file of credentials: a thousand accounts have below a tenth.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A user name and its password.
#[derive(Clone)]
pub struct Credential {
    pub(crate) user: String,
    pub(crate) password: Zeroizing<String>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Credential {
    /// An account.
    pub fn new(user: impl Into<String>, password: Zeroizing<String>) -> Self {
        Self { user: user.into(), password }
    }
}

/// Credentials cannot be used. No variant holds a text out of the file: it may be a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The file cannot be read.
    #[error("the file of credentials {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("others than its owner can read the file of credentials {} (mode {mode:04o})", .path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is not what it should be.
    #[error("{} is no file of credentials (line {line})", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong, from 1; 0 where that is not known.
        line: usize,
    },
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    user: String,
    password: String,
}

/// Credentials by name.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    by_name: BTreeMap<String, Credential>,
}

impl Credentials {
    /// Reads a TOML file: a table for each name, with `user` and `password`. It must be its owner's
    /// alone (mode 0600 or stricter).
    pub fn read(path: &std::path::Path) -> Result<Self, CredentialError> {
        use std::os::unix::fs::MetadataExt as _;
        let unreadable = |source| CredentialError::Read { path: path.to_owned(), source };
        // One file is opened, looked at and read: not a name that may change in between.
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(CredentialError::Mode { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(unreadable)?;
        let accounts: BTreeMap<String, Account> = toml::from_str(&text).map_err(|err| {
            // The parser's message quotes the line, and the password with it.
            let line = err.span().map_or(0, |span| {
                let before = text.as_bytes().get(..span.start).unwrap_or_default();
                before.iter().filter(|byte| **byte == b'\n').count() + 1
            });
            CredentialError::Form { path: path.to_owned(), line }
        })?;
        let by_name = accounts.into_iter().map(|(name, mut account)| {
            let password = Zeroizing::new(account.password.clone());
            account.password.zeroize();
            (name, Credential::new(account.user, password))
        });
        Ok(Self { by_name: by_name.collect() })
    }

    /// The credential of this name.
    pub fn named(&self, name: &str) -> Option<&Credential> {
        self.by_name.get(name)
    }

    /// The only one, where there is one only.
    pub fn single(&self) -> Option<&Credential> {
        let mut all = self.by_name.values();
        all.next().filter(|_| all.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn credentials_are_named_and_their_owners_alone() {
        let text = "[rack7]\nuser = 'root'\npassword = 'geheim'\n";
        let (_folder, path) = file(text, 0o600);
        let credentials = Credentials::read(&path).unwrap();
        assert_eq!(credentials.named("rack7").unwrap().user, "root");
        assert!(credentials.single().is_some());
        assert!(!format!("{credentials:?}").contains("geheim"));
        let (_folder, path) = file(text, 0o640);
        let err = Credentials::read(&path).unwrap_err();
        assert!(matches!(err, CredentialError::Mode { mode: 0o640, .. }), "{err}");
    }

    #[test]
    fn a_broken_file_gives_nothing_of_itself_away() {
        let (_folder, path) = file("[a]\nuser = 'x'\npassword = geheim\n", 0o600);
        let err = Credentials::read(&path).unwrap_err();
        assert!(matches!(err, CredentialError::Form { line: 3, .. }), "{err:?}");
        assert!(!format!("{err} {err:?}").contains("geheim"));
    }
}
