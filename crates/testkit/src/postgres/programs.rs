//! PostgreSQL's programs, run by a user without rights.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{PostgresError, failed};

/// Where Debian puts a version's programs: not into the path.
const VERSIONS: &str = "/usr/lib/postgresql";
/// The oldest version that is supported.
const VERSION_MIN: u32 = 15;

/// The folder of the newest version's programs.
pub(super) fn folder() -> Result<PathBuf, PostgresError> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| *version >= VERSION_MIN)
        .filter(|version| PathBuf::from(format!("{VERSIONS}/{version}/bin/initdb")).exists())
        .max();
    newest.map(|version| PathBuf::from(format!("{VERSIONS}/{version}/bin"))).ok_or_else(|| {
        PostgresError(format!(
            "PostgreSQL {VERSION_MIN} or newer is not in {VERSIONS}: install it with `apt-get \
             install postgresql`, or have `cargo xtask test` do it"
        ))
    })
}

/// The user that PostgreSQL runs as: this one, or where this is root another.
#[derive(Clone, Copy)]
pub(super) enum User {
    This,
    Other { uid: u32, gid: u32 },
}

impl User {
    /// `folder` tells who this is: it was made by this process.
    pub(super) fn for_owner_of(folder: &Path) -> Result<Self, PostgresError> {
        let owner = fs::metadata(folder).map_err(failed(folder.display()))?.uid();
        if owner != 0 {
            return Ok(Self::This);
        }
        let users = fs::read_to_string("/etc/passwd").map_err(failed("/etc/passwd"))?;
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| Self::named(&users, name))
            .ok_or_else(|| PostgresError("there is no user postgres or nobody".to_owned()))
    }

    fn named(users: &str, name: &str) -> Option<Self> {
        let fields: Vec<&str> = users
            .lines()
            .map(|line| line.split(':').collect())
            .find(|fields: &Vec<&str>| fields.first() == Some(&name))?;
        Some(Self::Other { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
    }

    /// Gives a file or folder to the user, and takes it from everybody else.
    pub(super) fn own(self, path: &Path) -> Result<(), PostgresError> {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        if let Self::Other { uid, gid } = self {
            chown(path, Some(uid), Some(gid)).map_err(failed(path.display()))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(failed(path.display()))
    }

    /// Has the user run it.
    pub(super) fn runs(self, command: &mut Command) -> &mut Command {
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// Makes a cluster in `data`, whose texts compare as people of a language do and not byte by byte: what
/// relies on the latter must say so.
pub(super) fn initdb(user: User, data: &Path) -> Result<(), PostgresError> {
    let mut initdb = Command::new(folder()?.join("initdb"));
    initdb
        .args(["--username=bootproof", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
        .args(["--locale-provider=icu", "--icu-locale=en-US", "--no-sync", "--no-instructions"])
        .arg("-D")
        .arg(data)
        .current_dir("/");
    run("initdb", user.runs(&mut initdb))
}

/// Has psql do one thing.
pub(super) fn psql(
    socket: &Path,
    port: u16,
    database: &str,
    sql: &str,
) -> Result<(), PostgresError> {
    let mut psql = Command::new(folder()?.join("psql"));
    psql.args(["--no-psqlrc", "--quiet", "--username=bootproof", "--command", sql])
        .arg(format!("--host={}", socket.display()))
        .arg(format!("--port={port}"))
        .arg(database);
    run(sql, &mut psql)
}

fn run(what: &str, command: &mut Command) -> Result<(), PostgresError> {
    let done = command.stdin(Stdio::null()).output().map_err(failed(what))?;
    if done.status.success() {
        return Ok(());
    }
    Err(PostgresError(format!(
        "{what} failed ({}):\n{}{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    )))
}

/// Settings of all servers. A test ends a server by a signal, never by a loss of power, so nothing is
/// flushed to the disk.
pub(super) const SETTINGS: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "shared_buffers=32MB",
    // As many tests as there are cores, each with a pool or two.
    "max_connections=400",
    // In the data folder, so that nothing is left of a server that was killed.
    "dynamic_shared_memory_type=mmap",
    "log_min_messages=warning",
];
