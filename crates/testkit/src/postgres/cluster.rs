//! A cluster of one's own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::programs::{self, SETTINGS, User};
use super::{PostgresError, failed};
use crate::wait;

/// A PostgreSQL server with an empty database `bootproof`. Dropping it ends its processes and removes
/// its data.
pub struct Cluster {
    folder: TempDir,
    user: User,
    port: u16,
    server: Option<Child>,
    durability: Durability,
}

/// Whether what was committed outlives a loss of power: tests need it not, benchmarks do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    None,
    Full,
}

impl Cluster {
    /// Makes and starts one, which listens on a socket, and on a port of the loopback interface, where
    /// it wants a password: `secret`.
    pub fn start() -> Result<Self, PostgresError> {
        Self::start_with(&[], Durability::None)
    }

    /// One whose commits wait for the disk, as in production.
    pub fn start_durable() -> Result<Self, PostgresError> {
        Self::start_with(&[], Durability::Full)
    }

    /// One that speaks TLS with this certificate, and nothing else on its port. PEM both.
    pub fn start_with_tls(certificate: &str, key: &str) -> Result<Self, PostgresError> {
        Self::start_with(&[("server.crt", certificate), ("server.key", key)], Durability::None)
    }

    fn start_with(tls: &[(&str, &str)], durability: Durability) -> Result<Self, PostgresError> {
        let folder = tempfile::Builder::new()
            .prefix("pg")
            .tempdir()
            .map_err(failed("making a temporary folder"))?;
        let user = User::for_owner_of(folder.path())?;
        user.own(folder.path())?;
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed("a free port"))?;
        let port = listener.local_addr().map_err(failed("a free port"))?.port();
        drop(listener);
        let mut cluster = Self { folder, user, port, server: None, durability };
        let data = cluster.data();
        programs::initdb(user, &data)?;
        for (name, pem) in tls {
            write(user, &data.join(name), pem)?;
        }
        let access = if tls.is_empty() { "host" } else { "hostssl" };
        write(
            user,
            &data.join("pg_hba.conf"),
            &format!("local all all trust\n{access} all all 127.0.0.1/32 scram-sha-256\n"),
        )?;
        let mut settings = String::new();
        if !tls.is_empty() {
            settings.push_str("ssl = on\n");
        }
        write(user, &data.join("postgresql.auto.conf"), &settings)?;
        cluster.run()?;
        cluster.psql("postgres", "ALTER USER bootproof PASSWORD 'secret'")?;
        cluster.psql("postgres", "CREATE DATABASE bootproof")?;
        Ok(cluster)
    }

    /// Starts the server again, where it was ended.
    pub fn run(&mut self) -> Result<(), PostgresError> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .map_err(failed("the server's log"))?;
        let mut server = Command::new(programs::folder()?.join("postgres"));
        server
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.folder.path())
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(failed("the server's log"))?)
            .stderr(log);
        if self.durability == Durability::Full {
            // The last one counts.
            server.args([
                "-c",
                "fsync=on",
                "-c",
                "full_page_writes=on",
                "-c",
                "shared_buffers=1GB",
            ]);
        }
        let server = self.user.runs(&mut server).spawn().map_err(failed("postgres"))?;
        self.server = Some(server);
        let socket = self.socket();
        wait::until("the database server answers", || {
            UnixStream::connect(&socket).ok().filter(|_| self.psql("postgres", "SELECT 1").is_ok())
        });
        Ok(())
    }

    /// Ends the server at once, as a crash would, but for what it leaves in memory.
    pub fn end(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        signal("QUIT", &[server.id()]);
        drop(server.wait());
    }

    /// Freezes the server with all its connections: they stay, and nothing answers.
    pub fn freeze(&self) {
        signal("STOP", &self.pids());
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self) {
        signal("CONT", &self.pids());
    }

    /// The processes of the server.
    pub fn pids(&self) -> Vec<u32> {
        let Some(server) = &self.server else { return Vec::new() };
        let pid = server.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(pid).chain(children).collect()
    }

    /// The address of the database, over the socket.
    pub fn address(&self) -> String {
        format!(
            "postgres://bootproof@/bootproof?host={}&port={}",
            self.folder.path().display(),
            self.port
        )
    }

    /// The port on the loopback interface.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Has psql do one thing in a database.
    pub fn psql(&self, database: &str, sql: &str) -> Result<(), PostgresError> {
        programs::psql(self.folder.path(), self.port, database, sql)
    }

    /// What the server wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join(format!(".s.PGSQL.{}", self.port))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.thaw();
        self.end();
    }
}

fn write(user: User, path: &Path, text: &str) -> Result<(), PostgresError> {
    fs::write(path, text).map_err(failed(path.display()))?;
    user.own(path)
}

fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    // One that has ended meanwhile is no error.
    drop(
        Command::new("kill")
            .arg(format!("-{name}"))
            .args(pids.iter().map(u32::to_string))
            .stderr(Stdio::null())
            .status(),
    );
}
