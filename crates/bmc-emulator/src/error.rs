//! What can go wrong before a BMC answers.

use std::path::PathBuf;

/// The emulator cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// A file or folder of the tree cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file of the tree is not JSON.
    #[error("{} is not JSON", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// No system with settings is in the tree.
    #[error("the tree has no {what}")]
    Incomplete {
        /// What is missing.
        what: &'static str,
    },
    /// The certificate cannot be made.
    #[error("the certificate cannot be made")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The address cannot be listened on.
    #[error("cannot listen")]
    Listen(#[source] std::io::Error),
}
