//! What the agent keeps across restarts: one file, readable by root alone.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use api::Bytes;
use serde::{Deserialize, Serialize};

/// The largest state file that is read: two certificates and some keys are below 16 KiB.
const STATE_BYTES_MAX: u64 = 256 * 1024;

/// This host is a member of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this host has not joined a server yet")]
pub struct NotJoined;

impl NotJoined {
    /// What to do about it.
    pub const fn hint(self) -> &'static str {
        "`bootproof token create` at the server prints the command that joins this host; --state-dir names another \
         folder of the agent's state"
    }
}

/// The state file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// Reading or writing failed.
    #[error("the state file {} cannot be used", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is not ours, or damaged.
    #[error("{} is damaged: remove it and join again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// The agent's state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// The membership of a server's inventory; absent before the agent joined.
    pub member: Option<Member>,
    /// An enrolment whose activation may or may not have reached the server: written before the
    /// proof is sent, so that no crash loses the token.
    pub activating: Option<Credentials>,
    /// A join whose answer never came: its token, made and kept before the server heard of it.
    #[serde(default)]
    pub joining: Option<Credentials>,
    /// The attestation key, as the TPM wrapped it: of use in this TPM only.
    pub ak: Option<WrappedKey>,
    /// An attestation key that is to take the place of `ak` once the server has bound it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ak: Option<WrappedKey>,
}

/// Where the host is a member, and as whom.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The server's address.
    pub server: String,
    /// The certificate of its authority, PEM.
    pub ca_pem: String,
    /// Who this host is there; absent until the server's first answer, or the first activation.
    pub credentials: Option<Credentials>,
}

/// Who this host is to the server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The host's identifier.
    pub host_id: String,
    /// Its token: a secret.
    pub host_token: String,
}

/// A key that the TPM wrapped.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrappedKey {
    /// TPMT_PUBLIC.
    pub public: Bytes,
    /// The content of TPM2B_PRIVATE.
    pub private: Bytes,
}

/// The state file in its folder.
#[derive(Clone, Debug)]
pub struct StateFile {
    path: PathBuf,
}

impl StateFile {
    /// The state file of `folder`, which is made with mode 0700 where it is not there.
    pub fn in_folder(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join("state.json");
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| StateError::Io { path: folder.to_owned(), source })?;
        Ok(Self { path })
    }

    /// The state, or an empty one where there is no file yet.
    pub fn load(&self) -> Result<State, StateError> {
        let io = |source| StateError::Io { path: self.path.clone(), source };
        let len = match fs::metadata(&self.path) {
            Ok(metadata) => metadata.len(),
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(err) => return Err(io(err)),
        };
        if len > STATE_BYTES_MAX {
            return Err(io(io::Error::other(format!("it is larger than {STATE_BYTES_MAX} bytes"))));
        }
        let text = fs::read(&self.path).map_err(io)?;
        serde_json::from_slice(&text)
            .map_err(|source| StateError::Damaged { path: self.path.clone(), source })
    }

    /// Writes `state` so that a crash at any moment leaves the old one or the new one.
    pub fn save(&self, state: &State) -> Result<(), StateError> {
        write(&self.path, state)
            .map_err(|source| StateError::Io { path: self.path.clone(), source })
    }

    /// The key for client certificates, where there is one. In a file of its own: who keeps certificates and
    /// who attests do so side by side. A damaged one is as good as none: another key does as well.
    pub fn load_client_key(&self) -> Result<Option<WrappedKey>, StateError> {
        let path = self.client_key();
        let read = || -> io::Result<Vec<u8>> {
            let mut text = Vec::new();
            File::open(&path)?.take(STATE_BYTES_MAX).read_to_end(&mut text)?;
            Ok(text)
        };
        match read() {
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StateError::Io { path, source }),
        }
    }

    /// Writes the key for client certificates, as [`Self::save`] does.
    pub fn save_client_key(&self, key: &WrappedKey) -> Result<(), StateError> {
        let path = self.client_key();
        write(&path, key).map_err(|source| StateError::Io { path, source })
    }

    fn client_key(&self) -> PathBuf {
        self.path.with_file_name("client-key.json")
    }
}

fn write<T: Serialize>(path: &Path, state: &T) -> io::Result<()> {
    let new = path.with_extension("new");
    match fs::remove_file(&new) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(&serde_json::to_vec_pretty(state)?)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_was_saved_is_loaded_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::in_folder(&folder.path().join("state")).unwrap();
        assert!(file.load().unwrap().member.is_none());
        let credentials = Credentials { host_id: "h".to_owned(), host_token: "secret".to_owned() };
        let state = State { activating: Some(credentials.clone()), ..State::default() };
        file.save(&state).unwrap();
        assert!(file.load().unwrap().activating == Some(credentials));
        assert_eq!(fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::in_folder(folder.path()).unwrap();
        fs::write(&file.path, "{").unwrap();
        let err = file.load().err().unwrap();
        assert!(err.to_string().contains("join again"), "{err}");
    }
}
