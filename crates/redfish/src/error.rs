//! What can go wrong between us and a BMC. One variant per decision that a caller can take.

use crate::Address;

/// A request to a BMC did not give its answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedfishError {
    /// The certificate is none that is trusted: somebody else may answer there.
    #[error("the certificate of {address} is not trusted")]
    Untrusted {
        /// The BMC.
        address: Address,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The BMC refuses the account.
    #[error("{address} refuses the user name or the password")]
    Unauthorised {
        /// The BMC.
        address: Address,
    },
    /// The account may not do this.
    #[error("{address} does not let this account do that{}", list(.messages))]
    Forbidden {
        /// The BMC.
        address: Address,
        /// What it says.
        messages: Vec<String>,
    },
    /// The BMC forgets each session that it makes.
    #[error("{address} forgets its sessions")]
    SessionsLost {
        /// The BMC.
        address: Address,
    },
    /// No connection, or it broke.
    #[error("{address} cannot be reached")]
    Unreachable {
        /// The BMC.
        address: Address,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No answer in time.
    #[error("{address} did not answer within {seconds} s")]
    Timeout {
        /// The BMC.
        address: Address,
        /// Seconds that were waited.
        seconds: u64,
    },
    /// An answer with a status that is no success.
    #[error("{address} answered {path} with status {status}{}", list(.messages))]
    Status {
        /// The BMC.
        address: Address,
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
        /// What it says.
        messages: Vec<String>,
    },
    /// The answer leads to another host, or round in circles.
    #[error("{address} redirects {path} elsewhere or for ever")]
    Redirected {
        /// The BMC.
        address: Address,
        /// What was asked for.
        path: String,
    },
    /// The answer is longer than is read.
    #[error("{address} answers {path} with more than {bytes_max} bytes")]
    TooLarge {
        /// The BMC.
        address: Address,
        /// What was asked for.
        path: String,
        /// The limit.
        bytes_max: usize,
    },
    /// The answer is no JSON object.
    #[error("{address} answers {path} with something that is no JSON object")]
    NotJson {
        /// The BMC.
        address: Address,
        /// What was asked for.
        path: String,
    },
}

fn list(messages: &[String]) -> String {
    if messages.is_empty() { String::new() } else { format!(": {}", messages.join("; ")) }
}

impl RedfishError {
    /// Whether the same request may succeed later, with nothing changed by a person: a BMC that
    /// restarts drops connections, then answers with 5xx.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Untrusted { .. } => {
                "compare the SHA-256 of the BMC's certificate on a line that you trust, then give it \
                 as the pin, or give the authority that issued it"
            }
            Self::Unauthorised { .. } => {
                "check the credential; BMCs lock an account after some wrong passwords, so that \
                 nothing was tried twice"
            }
            Self::Forbidden { .. } => {
                "give the account the right to configure, and look whether the machine is locked down"
            }
            Self::SessionsLost { .. } => {
                "restart the BMC, and look whether its sessions are used up"
            }
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                "check the address, the network, and that the BMC runs"
            }
            Self::Status { .. } => "what the BMC says is above; its firmware may need an update",
            Self::Redirected { .. } => "give the address of the BMC itself, not of a proxy",
            Self::TooLarge { .. } | Self::NotJson { .. } => {
                "look whether a BMC with Redfish answers at this address"
            }
        }
    }
}
