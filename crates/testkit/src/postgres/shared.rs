//! A database of one's own in a cluster that is shared: each test is a process, and to make a cluster
//! takes longer than most tests.
//!
//! Whoever uses the cluster holds a shared lock on a file. The cluster's keeper, a shell, waits for the
//! exclusive one: it gets it when the last user is gone, however that ended, and then ends the cluster.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::programs::{self, SETTINGS, User};
use super::{PostgresError, failed};
use crate::wait;

/// The name of the socket, not a port that is listened on.
const PORT: u16 = 5432;

/// Runs the server whose command line follows, until nobody holds the lock any more. Its arguments:
/// the file of the lock, the data folder.
const KEEPER: &str = "\
    users=$1; data=$2; shift 2
    exec 9<\"$users\"
    \"$@\" 9<&- & server=$!
    flock -x 9
    kill -QUIT $server; wait $server
    rm -rf \"$data\"";

/// An empty database, until this is dropped.
pub struct Database {
    folder: PathBuf,
    name: String,
    _users: File,
}

impl Database {
    /// Makes one; starts the cluster where it does not run.
    pub fn new() -> Result<Self, PostgresError> {
        let folder = folder()?;
        let users = lock_file(&folder, "users.lock")?;
        users.lock_shared().map_err(failed("the lock of the users"))?;
        start(&folder)?;
        static N: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), N.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        programs::psql(&folder, PORT, "postgres", &create)?;
        Ok(Self { folder, name, _users: users })
    }

    /// Its address.
    pub fn address(&self) -> String {
        self.address_of(&self.name)
    }

    /// The address of another database beside it.
    pub fn address_of(&self, name: &str) -> String {
        format!("postgres://bootproof@/{name}?host={}", self.folder.display())
    }

    /// Has psql do one thing in it.
    pub fn psql(&self, sql: &str) -> Result<(), PostgresError> {
        programs::psql(&self.folder, PORT, &self.name, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // What cannot be removed goes with the cluster.
        let drop_it = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        drop(programs::psql(&self.folder, PORT, "postgres", &drop_it));
    }
}

/// The folder of the cluster of this build: another one may have another opinion of what is in it.
fn folder() -> Result<PathBuf, PostgresError> {
    let program = std::env::current_exe().map_err(failed("this program"))?;
    let mut hash = DefaultHasher::new();
    program.parent().hash(&mut hash);
    let folder = std::env::temp_dir().join(format!("bootproof-pg-{:016x}", hash.finish()));
    match fs::create_dir(&folder) {
        Ok(()) => {
            let user = User::for_owner_of(&folder)?;
            user.own(&folder)?;
            // Last: whoever finds it finds the rest done.
            File::create(folder.join("made")).map_err(failed(folder.display()))?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let made = folder.join("made");
            wait::until("another test makes the folder of the cluster", || {
                made.exists().then_some(())
            });
        }
        Err(error) => return Err(failed(folder.display())(error)),
    }
    Ok(folder)
}

fn lock_file(folder: &Path, name: &str) -> Result<File, PostgresError> {
    let path = folder.join(name);
    File::options().create(true).append(true).open(&path).map_err(failed(path.display()))
}

/// Starts the cluster unless it runs. The caller is one of its users.
fn start(folder: &Path) -> Result<(), PostgresError> {
    let one_at_a_time = lock_file(folder, "start.lock")?;
    one_at_a_time.lock().map_err(failed("the lock of the start"))?;
    let socket = folder.join(format!(".s.PGSQL.{PORT}"));
    if UnixStream::connect(&socket).is_ok() {
        return Ok(());
    }
    let owner = fs::metadata(folder).map_err(failed(folder.display()))?;
    let this = fs::metadata("/proc/self").map_err(failed("/proc/self"))?.uid();
    let user = match this {
        0 => User::Other { uid: owner.uid(), gid: owner.gid() },
        _ => User::This,
    };
    let data = folder.join(format!("data-{}", std::process::id()));
    programs::initdb(user, &data)?;
    let log = lock_file(folder, "log")?;
    let mut keeper = Command::new("sh");
    keeper
        .args(["-c", KEEPER, "keeper"])
        .arg(folder.join("users.lock"))
        .arg(&data)
        .arg(programs::folder()?.join("postgres"))
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(folder)
        .args(["-c", "listen_addresses=", "-p", &PORT.to_string()])
        .args(SETTINGS.iter().flat_map(|setting| ["-c", setting]))
        .current_dir("/")
        // Not ended with the tests of this process: others may use the cluster.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed("the server's log"))?)
        .stderr(log);
    let mut keeper = user.runs(&mut keeper).spawn().map_err(failed("sh"))?;
    wait::until("the database server answers", || {
        let ended = keeper.try_wait().ok().flatten();
        assert!(ended.is_none(), "PostgreSQL ended: see {}", folder.join("log").display());
        UnixStream::connect(&socket)
            .ok()
            .filter(|_| programs::psql(folder, PORT, "postgres", "SELECT 1").is_ok())
    });
    // Whoever comes last ends it, and that is not this process.
    drop(keeper);
    Ok(())
}
