//! Errors, one variant per decision of a caller.

use std::error::Error;

/// Why an object was not written, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is none of this name. Trying again does not help.
    #[error("there is no such object")]
    Missing,
    /// It has more bytes than it may: not what was written. Trying again does not help.
    #[error("the object has more than {bytes_max} bytes")]
    TooLong {
        /// How many it may have.
        bytes_max: usize,
    },
    /// The store does not let us: keys, rights or bucket are wrong. It passes when a person mends that.
    #[error("the object store refuses")]
    Refused {
        /// What it said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// The store does not answer, or not as it should. Trying again may help.
    #[error("the object store is not available")]
    Unavailable {
        /// The cause.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl From<object_store::Error> for ObjectError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Of;
        match error {
            // A bucket that is not there is told like this, too, when it is written to; then it is no part that
            // is missing, which callers that write do not ask about.
            Of::NotFound { .. } => Self::Missing,
            Of::PermissionDenied { .. } | Of::Unauthenticated { .. } => {
                Self::Refused { source: Box::new(error) }
            }
            other => Self::Unavailable { source: Box::new(other) },
        }
    }
}
