//! Where objects are.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use crate::connector::{Connector, Roots};

/// Tries after the first. The longest pause is some seconds, and who waits longer had better come again itself.
const RETRIES_MAX: usize = 3;

/// For all tries of one request: an agent waits 30 s for its answer, of which judging and the database want some.
const TRIES_MAX: Duration = Duration::from_secs(12);

/// Where objects are.
#[derive(Debug, Clone)]
pub enum Place {
    /// Below a folder, for one server, or on a file system that several share. Each write is flushed to the disk.
    Folder(PathBuf),
    /// In a store that speaks the protocol of Amazon S3.
    S3(Box<S3>),
}

/// A store that speaks the protocol of Amazon S3.
#[derive(Clone)]
pub struct S3 {
    /// Its address; `None`: Amazon's of the region.
    pub endpoint: Option<String>,
    /// The bucket, which must be there.
    pub bucket: String,
    /// Before the names of all objects, such as `bootproof/evidence`; empty: nothing.
    pub prefix: String,
    /// The region, which signatures name.
    pub region: String,
    /// How the bucket is named in requests.
    pub addressing: Addressing,
    /// What requests are signed with.
    pub keys: S3Keys,
    /// Authorities that vouch for it, PEM; `None`: those of the system.
    pub ca_pem: Option<String>,
    /// What the store does before it writes to its disks.
    pub encryption: Encryption,
}

/// What requests are signed with. Not shown.
#[derive(Clone)]
pub struct S3Keys {
    /// The identifier.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
    /// A session's token, where the keys are for a time.
    pub session_token: Option<String>,
}

/// How the bucket is named in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// In the path: what most stores on one's own machines understand.
    Path,
    /// In the host name.
    VirtualHost,
}

/// What the store is asked to do before it writes to its disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// What it does by itself.
    OfTheBucket,
    /// Encrypt by a key of its key service.
    Kms {
        /// The key's identifier.
        key_id: String,
    },
}

/// A place that cannot be used as it is named.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The folder is not there, or is no folder.
    #[error("the folder {} cannot be used", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Evidence and signatures would go over the network in the clear.
    #[error("{endpoint} is not https; http is for loopback addresses alone")]
    InTheClear {
        /// The address.
        endpoint: String,
    },
    /// The address is none, or has a user or a password in it.
    #[error("{endpoint} is no address of a store")]
    Endpoint {
        /// The address.
        endpoint: String,
    },
    /// Something else is wrong with it.
    #[error("the object store cannot be used as it is named")]
    Unfit(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for S3Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("S3Keys(…)")
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "the folder {}", path.display()),
            Self::S3(s3) => {
                write!(f, "the bucket {}", s3.bucket)?;
                if !s3.prefix.is_empty() {
                    write!(f, "/{}", s3.prefix)?;
                }
                write!(f, " at {}", s3.endpoint.as_deref().unwrap_or("Amazon"))
            }
        }
    }
}

impl Place {
    /// What speaks to it, and what stands before the names of objects there. No request is made.
    pub(crate) fn open(&self) -> Result<(Arc<dyn ObjectStore>, String), PlaceError> {
        match self {
            Self::Folder(path) => {
                let local = LocalFileSystem::new_with_prefix(path).map_err(|error| {
                    PlaceError::Folder { path: path.clone(), source: Box::new(error) }
                })?;
                // An object counts as soon as it is written: a verdict is told then.
                Ok((Arc::new(local.with_fsync(true).with_automatic_cleanup(false)), String::new()))
            }
            Self::S3(s3) => Ok((Arc::new(s3.open()?), s3.prefix.clone())),
        }
    }
}

impl S3 {
    fn open(&self) -> Result<AmazonS3, PlaceError> {
        let is_plain = match &self.endpoint {
            None => false,
            Some(endpoint) => is_plain(endpoint)?,
        };
        let roots = match &self.ca_pem {
            Some(pem) => Roots::Pem(pem.clone()),
            None => Roots::OfTheSystem,
        };
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(3),
            ..BackoffConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_access_key_id(&self.keys.access_key_id)
            .with_secret_access_key(&self.keys.secret_access_key)
            .with_virtual_hosted_style_request(self.addressing == Addressing::VirtualHost)
            .with_allow_http(is_plain)
            .with_client_options(ClientOptions::new().with_allow_http(is_plain))
            // Many stores that speak the protocol do not know deletions of many at once.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: TRIES_MAX })
            .with_http_connector(Connector::new(&roots).map_err(PlaceError::Unfit)?);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(token) = &self.keys.session_token {
            builder = builder.with_token(token);
        }
        if let Encryption::Kms { key_id } = &self.encryption {
            builder = builder.with_sse_kms_encryption(key_id);
        }
        builder.build().map_err(|error| PlaceError::Unfit(Box::new(error)))
    }
}

/// Whether `endpoint` is without TLS, which only loopback addresses may be.
fn is_plain(endpoint: &str) -> Result<bool, PlaceError> {
    let none = || PlaceError::Endpoint { endpoint: endpoint.to_owned() };
    let uri: http::Uri = endpoint.parse().map_err(|_| none())?;
    let authority = uri.authority().ok_or_else(none)?;
    if authority.as_str().contains('@') || uri.query().is_some() {
        return Err(none());
    }
    match uri.scheme_str() {
        Some("https") => Ok(false),
        Some("http") => {
            let host = authority.host().trim_start_matches('[').trim_end_matches(']');
            let is_loopback = host == "localhost"
                || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
            if is_loopback {
                Ok(true)
            } else {
                Err(PlaceError::InTheClear { endpoint: endpoint.to_owned() })
            }
        }
        _ => Err(none()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s3(endpoint: &str) -> Place {
        Place::S3(Box::new(S3 {
            endpoint: Some(endpoint.to_owned()),
            bucket: "b".to_owned(),
            prefix: "p/q".to_owned(),
            region: "r".to_owned(),
            addressing: Addressing::Path,
            keys: S3Keys {
                access_key_id: "id".to_owned(),
                secret_access_key: "hunter2".to_owned(),
                session_token: None,
            },
            ca_pem: None,
            encryption: Encryption::OfTheBucket,
        }))
    }

    #[test]
    fn nothing_goes_over_a_network_in_the_clear() {
        for plain in ["http://127.0.0.1:9000", "http://[::1]:9000", "http://localhost"] {
            assert!(s3(plain).open().is_ok(), "{plain}");
        }
        for open in ["http://10.0.0.1", "http://s3.example:9000", "http://localhost.example"] {
            assert!(matches!(s3(open).open(), Err(PlaceError::InTheClear { .. })), "{open}");
        }
        for none in ["", "s3.example", "ftp://s3.example", "https://u:p@s3.example", "https://a/?x"]
        {
            assert!(matches!(s3(none).open(), Err(PlaceError::Endpoint { .. })), "{none}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let place = s3("https://s3.example");
        assert_eq!(place.to_string(), "the bucket b/p/q at https://s3.example");
        let shown = format!("{place:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
