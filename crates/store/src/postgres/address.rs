//! Where the database is, and how the way to it is kept from others.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// A password file is one line. More is another file.
const PASSWORD_BYTES_MAX: u64 = 4096;

/// The address of a PostgreSQL database, with the password where it names one. Neither `Debug` nor
/// `Display` shows that.
#[derive(Clone)]
pub struct PostgresAddress {
    pub(super) config: Config,
    pub(super) way: Way,
    shown: String,
}

/// What keeps others out of the way to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// It does not leave this machine.
    Local,
    /// TLS, with a certificate that one of these roots vouches for, in the name that was asked for.
    VerifiedTls {
        /// PEM.
        roots: PathBuf,
    },
}

/// Why a text is no address of a database that may be used. No variant holds what was read: it may
/// be a password.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// It does not begin as one.
    #[error("it does not begin with postgres:// or postgresql://")]
    Scheme,
    /// The library does not know it.
    #[error("it is not postgres://USER@HOST:PORT/DATABASE?KEY=VALUE")]
    Malformed,
    /// No database is named.
    #[error("it names no database: postgres://USER@HOST/DATABASE")]
    NoDatabase,
    /// No host is named.
    #[error("it names no host: postgres://USER@HOST/DATABASE, or ?host=/FOLDER for a socket")]
    NoHost,
    /// A mode of TLS in which nobody knows who answers.
    #[error(
        "sslmode may be verify-full, and disable for this machine itself; other modes do not check \
         who answers"
    )]
    SslMode,
    /// Without TLS, to another machine.
    #[error(
        "sslmode=disable is for loopback addresses and sockets: the password and all evidence would be readable on the way"
    )]
    PlainToElsewhere,
    /// Nothing says whose certificates count.
    #[error(
        "sslrootcert=FILE is missing: the certificate of the authority that signed the database's"
    )]
    NoRoots,
    /// A file of the address cannot be used.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl PostgresAddress {
    /// The password, in place of one that the address has: out of the environment, say.
    pub fn set_password(&mut self, password: &str) {
        self.config.password(password);
    }

    /// Whether there is a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }
}

/// What is ours of an address; the rest is the library's.
#[derive(Default)]
struct Ours {
    ssl_mode: Option<String>,
    roots: Option<PathBuf>,
    password_file: Option<PathBuf>,
}

impl FromStr for PostgresAddress {
    type Err = AddressError;

    /// `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=FILE`. Keys of libpq that
    /// are known besides: `host` (a folder of a socket), `passfile` (a file with the password and
    /// nothing else, unlike libpq's), `connect_timeout`, `target_session_attrs`, and others that
    /// `tokio_postgres::Config` lists.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(AddressError::Scheme);
        }
        let (rest, ours) = take_ours(text);
        let mut config: Config = rest.parse().map_err(|_| AddressError::Malformed)?;
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(AddressError::NoDatabase);
        }
        if config.get_hosts().is_empty() {
            return Err(AddressError::NoHost);
        }
        let way = way(&config, &ours)?;
        config.ssl_mode(match &way {
            Way::Local => SslMode::Disable,
            Way::VerifiedTls { .. } => SslMode::Require,
        });
        if let Some(path) = &ours.password_file {
            config.password(password(path)?);
        }
        let shown = shown(&config);
        Ok(Self { config, way, shown })
    }
}

/// Takes the keys that the library does not know, or not so, out of an address.
fn take_ours(text: &str) -> (String, Ours) {
    let mut ours = Ours::default();
    let Some((base, query)) = text.split_once('?') else { return (text.to_owned(), ours) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => ours.ssl_mode = Some(mode.to_owned()),
            Some(("sslrootcert", path)) => ours.roots = Some(path.into()),
            Some(("passfile", path)) => ours.password_file = Some(path.into()),
            _ => kept.push(pair),
        }
    }
    (format!("{base}?{}", kept.join("&")), ours)
}

fn way(config: &Config, ours: &Ours) -> Result<Way, AddressError> {
    let is_local = config.get_hosts().iter().all(|host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name
            .parse::<std::net::IpAddr>()
            .map_or(name == "localhost", |address| address.is_loopback()),
    }) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    let has_socket = config.get_hosts().iter().any(|host| matches!(host, Host::Unix(_)));
    match (ours.ssl_mode.as_deref(), &ours.roots) {
        (Some("disable"), _) if is_local => Ok(Way::Local),
        (Some("disable"), _) => Err(AddressError::PlainToElsewhere),
        // TLS is not spoken on sockets, and nobody is in between.
        (None, None) if has_socket && is_local => Ok(Way::Local),
        (Some("verify-full") | None, Some(roots)) => Ok(Way::VerifiedTls { roots: roots.clone() }),
        (Some("verify-full") | None, None) => Err(AddressError::NoRoots),
        (Some(_), _) => Err(AddressError::SslMode),
    }
}

fn password(path: &Path) -> Result<String, AddressError> {
    use std::io::Read as _;
    let failed = |source| AddressError::File { path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(PASSWORD_BYTES_MAX).read_to_string(&mut text))
        .map_err(failed)?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// For people: where, never by which password.
fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = (0..)
        .zip(config.get_hosts())
        .map(|(n, host): (usize, _)| {
            // One port is for all hosts; none is the usual one.
            let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) if name.contains(':') => format!("[{name}]:{port}"),
                Host::Tcp(name) => format!("{name}:{port}"),
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .collect();
    format!("postgres://{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

impl std::fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl std::fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresAddress")
            .field("at", &self.shown)
            .field("way", &self.way)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PostgresAddress, AddressError> {
        text.parse()
    }

    #[test]
    fn plain_is_for_this_machine_alone() {
        for local in [
            "postgres://u@127.0.0.1/db?sslmode=disable",
            "postgres://u@[::1]:5433/db?sslmode=disable",
            "postgres://u@localhost/db?sslmode=disable",
            "postgres:///db?host=/run/postgresql",
        ] {
            assert_eq!(parse(local).unwrap().way, Way::Local, "{local}");
        }
        for elsewhere in [
            "postgres://u@db.example/db?sslmode=disable",
            "postgres://u@10.0.0.1/db?sslmode=disable",
            "postgres://u@localhost,db.example/db?sslmode=disable",
            "postgres://u@localhost/db?sslmode=disable&hostaddr=10.0.0.1",
        ] {
            let error = parse(elsewhere).unwrap_err();
            assert!(matches!(error, AddressError::PlainToElsewhere), "{elsewhere}: {error}");
        }
    }

    #[test]
    fn tls_is_verified_or_refused() {
        let roots = Way::VerifiedTls { roots: "/ca.pem".into() };
        for text in [
            "postgres://u@db.example/db?sslrootcert=/ca.pem",
            "postgres://u@db.example/db?sslmode=verify-full&sslrootcert=/ca.pem",
        ] {
            let address = parse(text).unwrap();
            assert_eq!((&address.way, address.config.get_ssl_mode()), (&roots, SslMode::Require));
        }
        for mode in ["allow", "prefer", "require", "verify-ca", "VERIFY-FULL", ""] {
            let text = format!("postgres://u@localhost/db?sslmode={mode}&sslrootcert=/ca.pem");
            assert!(matches!(parse(&text), Err(AddressError::SslMode)), "{mode}");
        }
        for text in ["postgres://u@db.example/db", "postgres://u@localhost/db"] {
            assert!(matches!(parse(text), Err(AddressError::NoRoots)), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let mut address = parse("postgres://u:hunter2@127.0.0.1:77/db?sslmode=disable").unwrap();
        assert_eq!(address.to_string(), "postgres://127.0.0.1:77/db");
        address.set_password("hunter3");
        let shown = format!("{address:?} {address} {:?}", address.config);
        assert!(!shown.contains("hunter"), "{shown}");
        for text in [
            "postgres://u:hunter2@127.0.0.1:x/db",
            "postgres://u:hunter2@/db?nonsense=hunter2",
            "postgres://u:hunter2%zz@h/db",
            "mysql://u:hunter2@h/db",
        ] {
            let error = parse(text).unwrap_err();
            let shown = format!("{error:?} {error}");
            assert!(!shown.contains("hunter"), "{shown}");
        }
    }

    #[test]
    fn a_password_may_lie_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        let text = format!("postgres://u@localhost/db?sslmode=disable&passfile={}", path.display());
        let error = parse(&text).unwrap_err();
        assert!(matches!(&error, AddressError::File { path: named, .. } if *named == path));
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(parse(&text).unwrap().config.get_password().unwrap(), b"hunter2");
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(matches!(parse("postgres://u@localhost"), Err(AddressError::NoDatabase)));
        assert!(matches!(parse("postgres:///db"), Err(AddressError::NoHost)));
        assert!(matches!(parse("host=localhost dbname=db"), Err(AddressError::Scheme)));
    }
}
