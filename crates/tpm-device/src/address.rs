//! Where a TPM is, as one string.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a TPM is. `device:/dev/tpmrm0`, `swtpm:unix:/run/x.sock`, `swtpm:tcp:127.0.0.1:2321`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A character device of the kernel: `/dev/tpmrm0` with its resource manager, `/dev/tpm0`
    /// without.
    Device(PathBuf),
    /// The data channel of swtpm on a Unix socket.
    SwtpmUnix(PathBuf),
    /// The data channel of swtpm on TCP: host and port.
    SwtpmTcp {
        /// Name or address; an IPv6 address stands in brackets.
        host: String,
        /// Port of the data channel, not of the control channel.
        port: u16,
    },
}

impl Address {
    /// Whether nobody shares the TPM's memory while this is open: no resource manager is in
    /// between, and what an earlier program left behind is in the way.
    pub(crate) fn is_exclusive(&self) -> bool {
        match self {
            Self::Device(path) => {
                !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("tpmrm"))
            }
            Self::SwtpmUnix(_) | Self::SwtpmTcp { .. } => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(path) => write!(f, "device:{}", path.display()),
            Self::SwtpmUnix(path) => write!(f, "swtpm:unix:{}", path.display()),
            Self::SwtpmTcp { host, port } => write!(f, "swtpm:tcp:{host}:{port}"),
        }
    }
}

/// The string is none of the forms of an [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a TPM address: write device:/dev/tpmrm0, device:/dev/tpm0, \
     swtpm:unix:/path/to/socket or swtpm:tcp:127.0.0.1:2321"
)]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        if let Some(path) = text.strip_prefix("device:").filter(|path| !path.is_empty()) {
            return Ok(Self::Device(path.into()));
        }
        if let Some(path) = text.strip_prefix("swtpm:unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::SwtpmUnix(path.into()));
        }
        let (host, port) =
            text.strip_prefix("swtpm:tcp:").and_then(|at| at.rsplit_once(':')).ok_or_else(wrong)?;
        // Without brackets the last group of an IPv6 address would be taken for the port.
        let bare_v6 = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
        match port.parse() {
            Ok(port) if port != 0 && !host.is_empty() && !bare_v6 => {
                Ok(Self::SwtpmTcp { host: host.to_owned(), port })
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_they_are_shown() {
        for text in [
            "device:/dev/tpmrm0",
            "device:/dev/tpm0",
            "swtpm:unix:/run/x.sock",
            "swtpm:tcp:127.0.0.1:2321",
            "swtpm:tcp:[::1]:2321",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_strings_are_refused_with_the_forms() {
        for text in [
            "",
            "/dev/tpm0",
            "device:",
            "swtpm:unix:",
            "swtpm:tcp:",
            "swtpm:tcp:2321",
            "swtpm:tcp::2321",
            "swtpm:tcp:host:0",
            "swtpm:tcp:host:65536",
            "swtpm:tcp:::1:2321",
            "mssim:host=x",
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("device:/dev/tpmrm0"), "{text}: {error}");
        }
    }

    #[test]
    fn only_the_resource_manager_shares() {
        for (text, exclusive) in [
            ("device:/dev/tpmrm0", false),
            ("device:/dev/tpmrm1", false),
            ("device:/dev/tpm0", true),
            ("swtpm:unix:/tpmrm/x", true),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().is_exclusive(), exclusive, "{text}");
        }
    }
}
