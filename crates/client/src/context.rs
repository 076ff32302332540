//! Which server, which authority, which token: a file that the server writes for its administrator.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{Client, ClientError, Trust};

/// The environment variable that names the context file.
pub const CONTEXT_ENV: &str = "BOOTPROOF_CONTEXT";

/// A server, its authority and a token. The file holds a secret: its mode is 0600.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The server's address.
    pub server: String,
    /// The certificate of its authority, PEM.
    pub ca_pem: String,
    /// The token.
    pub token: String,
}

/// A context file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// None was found.
    #[error("no context file found (looked at {})", list(.looked_at))]
    NotFound {
        /// Where it was looked for.
        looked_at: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("the context file {} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is no context.
    #[error("{} is not a context file", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl Context {
    /// Where a context is looked for, in this order, when none is named: the user's own, then the
    /// one that a server on this machine wrote.
    pub fn default_paths() -> Vec<PathBuf> {
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
        let own = config.map(|config| config.join("bootproof/context.toml"));
        own.into_iter().chain([PathBuf::from("/var/lib/bootproof/admin.toml")]).collect()
    }

    /// The user's own context; `None` where there is no home.
    pub fn own_path() -> Option<PathBuf> {
        let own = Self::default_paths().into_iter().next()?;
        own.ends_with("bootproof/context.toml").then_some(own)
    }

    /// Writes this context to `path`, readable by its owner only; a reader sees the old one or the new
    /// one.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let text = toml::to_string(self).map_err(std::io::Error::other)?;
        let new = path.with_extension("new");
        // A leftover may have another mode; begin with no file.
        match std::fs::remove_file(&new) {
            Err(err) if err.kind() != std::io::ErrorKind::NotFound => return Err(err),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, path)
    }

    /// Reads the named file, or the first of [`Self::default_paths`] that exists.
    pub fn load(named: Option<&Path>) -> Result<Self, ContextError> {
        Self::read(&Self::find(named)?)
    }

    /// The file that [`Self::load`] reads.
    pub fn find(named: Option<&Path>) -> Result<PathBuf, ContextError> {
        if let Some(path) = named {
            return Ok(path.to_owned());
        }
        let looked_at = Self::default_paths();
        let found = looked_at.iter().find(|path| path.exists()).cloned();
        found.ok_or(ContextError::NotFound { looked_at })
    }

    fn read(path: &Path) -> Result<Self, ContextError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ContextError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ContextError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }

    /// A client that uses this context.
    pub fn client(&self) -> Result<Client, ClientError> {
        let client = Client::new(&self.server, &Trust::CaPem(self.ca_pem.clone()))?;
        Ok(client.with_token(self.token.clone()))
    }
}
