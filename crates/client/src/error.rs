//! What can go wrong between a client and the server.

use api::problem::Problem;

/// A request did not give its answer. One variant per decision that a caller can take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is not `https://HOST[:PORT]`.
    #[error("{url:?} is not the address of a server")]
    Address {
        /// What was given.
        url: String,
    },
    /// The server's certificate is not one of the known authority.
    #[error("the server's certificate is not trusted")]
    Untrusted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server's certificate is not valid yet, or not any more, by this machine's clock: try
    /// again later, for clocks are set after boot, and servers renew their certificates.
    #[error("the server's certificate is not valid at the time of this machine")]
    Untimely(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No connection, or it broke: try again later.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No answer in time: try again later.
    #[error("the server did not answer within {seconds} s")]
    Timeout {
        /// Seconds that were waited.
        seconds: u64,
    },
    /// The server refused, and says why.
    #[error("{}", .0.title)]
    Problem(Problem),
    /// The query has a field that no address can carry: a bug of the caller.
    #[error("the query cannot be written")]
    Query,
    /// The answer is not what the API promises.
    #[error("the server's answer cannot be read: {0}")]
    Answer(String),
}

impl ClientError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address { .. } => Some("write it as https://HOST:PORT".to_owned()),
            Self::Untrusted(_) => Some(
                "at a join compare the pin with the one that `bootproof token create` prints on the server; a \
                 context file must be of this very server (its admin.toml, or `bootproof login`); the name in \
                 the address must be one of the server's names"
                    .to_owned(),
            ),
            Self::Untimely(_) => {
                Some("check the clocks of this machine and of the server".to_owned())
            }
            Self::Unreachable(_) | Self::Timeout { .. } => {
                Some("check the address, and that bootproof-server runs there".to_owned())
            }
            Self::Problem(problem) => problem.hint.clone(),
            Self::Query => None,
            Self::Answer(_) => Some("client and server may have different versions".to_owned()),
        }
    }

    /// The server's code for what it refused.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }

    /// Whether the same request may succeed later, with nothing changed by a person.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Untimely(_) | Self::Unreachable(_) | Self::Timeout { .. } => true,
            Self::Problem(problem) => problem.status == 429 || problem.status >= 500,
            _ => false,
        }
    }
}
