//! Backups of servers that serve, and servers that go on from them.

use std::{
    collections::BTreeSet,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use api::admin::Approval;
use store::{Appraisals as _, HostId, Hosts as _, SqliteStore};
use testkit::{log::BootLog, postgres::Database};

use crate::bench::{Host, Server, answered as answered_by, code};

/// The program, with the data folder of a test.
fn program(data: &Path, config: &Path) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_bootproof-server"));
    program.arg("--config").arg(config).arg("--data-dir").arg(data).stdin(Stdio::null());
    program
}

fn run(data: &Path, config: &Path, arguments: &[&str]) -> Output {
    program(data, config).args(arguments).output().unwrap()
}

fn done(data: &Path, config: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = run(data, config, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn refused(data: &Path, config: &Path, arguments: &[&str]) -> String {
    let output = run(data, config, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn config_of(server: &Server) -> std::path::PathBuf {
    server.data.path().join("server.toml")
}

/// An empty data folder with a configuration.
fn empty(config: &str) -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), config).unwrap();
    data
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

/// The challenges that were answered, by the store.
async fn answered(store: &SqliteStore, host: &str) -> BTreeSet<Vec<u8>> {
    let mut answered = BTreeSet::new();
    for row in store.appraisals(&HostId::from(host.to_owned()), 1_000).await.unwrap() {
        let parts = store.evidence(row.id).await.unwrap();
        answered.insert(answered_by(&parts));
    }
    answered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_acknowledged_is_missing_and_hosts_go_on() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    let id = host.credentials().host_id;
    let unused = server.token(Some(1), Approval::NotRequired).await;
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "a.bpb");
    let mut acknowledged = BTreeSet::new();
    for round in 0..4 {
        let (data, config) = (server.data.path().to_owned(), config_of(&server));
        let arguments = ["backup", "--json", "--overwrite", &file].map(str::to_owned);
        let before = acknowledged.clone();
        let backup = tokio::task::spawn_blocking(move || {
            done(&data, &config, &arguments.each_ref().map(String::as_str))
        });
        // Attested all the while.
        while !backup.is_finished() || acknowledged.len() < 5 * (round + 1) {
            let (nonce, pcrs) = host.challenge(&server).await.unwrap();
            let evidence = host.evidence(&nonce, pcrs).await;
            if host.send(&server, &evidence).await.is_ok() {
                acknowledged.insert(nonce);
            }
        }
        let said = backup.await.unwrap();
        assert_eq!(said["encryption"], "none");
        let restored = empty("");
        let config = restored.path().join("server.toml");
        done(restored.path(), &config, &["restore", "--json", &file]);
        let store = SqliteStore::open(restored.path().join("bootproof.db")).unwrap();
        let has = answered(&store, &id).await;
        assert!(before.is_subset(&has), "{} of {}", has.len(), before.len());
    }

    // A challenge that was answered after the last backup, on the server that is lost now.
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let evidence = host.evidence(&nonce, pcrs).await;
    assert_eq!(host.send(&server, &evidence).await.unwrap().verdict, "accepted");
    let (_store, _data) = server.into_store();
    let restored = empty("");
    let config = restored.path().join("server.toml");
    let said = done(restored.path(), &config, &["restore", "--json", &file]);
    assert_eq!(said["join_tokens_ended"], 2, "also the one that has no use left");
    let again = refused(restored.path(), &config, &["restore", &file]);
    assert!(again.contains("is not empty") && again.contains("ca.key"), "{again}");
    let server = Server::start_in(restored).await;
    assert_eq!(code(host.send(&server, &evidence).await), "nonce-used");
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let late = Host::boot("web-2", &BootLog::sound()).join(&server, &unused.token).await;
    assert!(late.is_err(), "a token of before may have been used");
    server.join(&Host::boot("web-2", &BootLog::sound())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_moves_to_postgresql_encrypted() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let folder = tempfile::tempdir().unwrap();
    let (file, key) = (path(folder.path(), "a.bpb"), path(folder.path(), "key"));
    // Of the format's own tests.
    let public = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    let secret = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    std::fs::write(&key, format!("# for tests\n{secret}\n")).unwrap();
    let (data, config) = (server.data.path(), config_of(&server));
    let said = done(data, &config, &["backup", "--json", "--recipient", public, &file]);
    assert_eq!((&said["encryption"], &said["rows"]["hosts"]), (&"age".into(), &1.into()));
    let there = refused(data, &config, &["backup", &file]);
    assert!(there.contains("--overwrite"), "{there}");
    let closed = refused(data, &config, &["backup", "verify", &file]);
    assert!(closed.contains("--identity"), "{closed}");
    let seen = done(data, &config, &["backup", "verify", "--json", "--identity", &key, &file]);
    assert_eq!(seen["id"], said["id"]);
    let (_store, _data) = server.into_store();

    let database = Database::new().unwrap();
    let moved = empty(&format!("store = \"{}\"\n", database.address()));
    let config = moved.path().join("server.toml");
    let arguments = ["restore", "--keep-join-tokens", "--identity", &key, &file];
    done(moved.path(), &config, &arguments);
    let other = empty(&format!("store = \"{}\"\n", database.address()));
    let full = refused(other.path(), &other.path().join("server.toml"), &arguments);
    assert!(full.contains("restored into this database before"), "{full}");
    assert!(!other.path().join("ca.key").exists() && !other.path().join("restoring").exists());
    let server = Server::start_in(moved).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    assert_eq!(server.hosts().await.len(), 1);

    // And back.
    let back = path(folder.path(), "b.bpb");
    done(server.data.path(), &config_of(&server), &["backup", "--json", &back]);
    drop(server);
    let returned = empty("");
    done(returned.path(), &returned.path().join("server.toml"), &["restore", &back]);
    let server = Server::start_in(returned).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_killed_in_the_middle_did_nothing() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "a.bpb");
    let (data, config) = (server.data.path(), config_of(&server));
    done(data, &config, &["backup", "--json", &file]);
    let whole = std::fs::read(&file).unwrap();
    for n in 0..12_u64 {
        let mut backup = program(data, &config);
        backup.args(["backup", "--overwrite", &file]).stdout(Stdio::null()).stderr(Stdio::null());
        kill_after(&mut backup, Duration::from_millis(n * 5));
        done(data, &config, &["backup", "verify", "--json", &file]);
    }
    std::fs::write(&file, &whole).unwrap();
    for n in 0..24_u64 {
        let restored = empty("");
        let config = restored.path().join("server.toml");
        let mut restore = program(restored.path(), &config);
        restore.args(["restore", &file]).stdout(Stdio::null()).stderr(Stdio::null());
        kill_after(&mut restore, Duration::from_millis(n * 4));
        let database = restored.path().join("bootproof.db");
        if restored.path().join("restoring").exists() {
            let said = Server::refused(restored.path());
            assert!(said.contains("did not end"), "{said}");
            done(restored.path(), &config, &["restore", &file]);
        } else if !database.exists() {
            done(restored.path(), &config, &["restore", &file]);
        }
        let store = SqliteStore::open(&database).unwrap();
        assert_eq!(store.n_hosts().await.unwrap(), 1);
        assert!(restored.path().join("ca.key").exists());
    }
}

fn kill_after(command: &mut Command, delay: Duration) {
    let mut child = command.spawn().unwrap();
    let deadline = std::time::Instant::now() + delay;
    // Not a wait for something: the moment of the kill moves with each round.
    while std::time::Instant::now() < deadline && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    drop(child.kill());
    child.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_leaves_what_was_there() {
    let server = Server::start().await;
    server.trust().await;
    server.join(&Host::boot("web-1", &BootLog::sound())).await;
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "a.bpb");
    let (data, config) = (server.data.path(), config_of(&server));
    done(data, &config, &["backup", "--json", &file]);
    let whole = std::fs::read(&file).unwrap();
    // As the shell counts: blocks of 512 bytes. A program that ignores the signal is told by an error.
    let limited = |blocks: usize, data: &Path, config: &Path, arguments: &[&str]| {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let mut command = Command::new("sh");
        command.args(["-c", &limit, "sh", env!("CARGO_BIN_EXE_bootproof-server"), "--config"]);
        command.arg(config).arg("--data-dir").arg(data).args(arguments);
        command.stdin(Stdio::null()).output().unwrap()
    };
    for blocks in 0..=(whole.len() - 1) / 512 {
        let full = limited(blocks, data, &config, &["backup", "--overwrite", &file]);
        let said = String::from_utf8_lossy(&full.stderr);
        assert_eq!(full.status.code(), Some(1), "{blocks}: {said}");
        assert!(said.contains("cannot be written"), "{said}");
        assert_eq!(std::fs::read(&file).unwrap(), whole);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left");
    }
    for blocks in [0, 1, 8, 100, 400] {
        let restored = empty("");
        let config = restored.path().join("server.toml");
        let full = limited(blocks, restored.path(), &config, &["restore", &file]);
        assert_eq!(full.status.code(), Some(1), "{blocks}: {full:?}");
        let left: Vec<_> = std::fs::read_dir(restored.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        done(restored.path(), &config, &["restore", &file]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_sound_backup_changes_nothing() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = path(folder.path(), "a.bpb");
    done(server.data.path(), &config_of(&server), &["backup", "--json", &file]);
    let whole = std::fs::read(&file).unwrap();
    let restored = empty("");
    let config = restored.path().join("server.toml");
    for (bytes, why) in [
        (whole[..whole.len() / 2].to_vec(), "cut off"),
        ([&whole[..], b"x"].concat(), "damaged"),
        (b"SQLite format 3\0".to_vec(), "not a backup of Bootproof"),
        (Vec::new(), "not a backup of Bootproof"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        for arguments in [&["restore", &file][..], &["backup", "verify", &file]] {
            let said = refused(restored.path(), &config, arguments);
            assert!(said.contains(why), "{said}");
        }
        assert_eq!(std::fs::read_dir(restored.path()).unwrap().count(), 1);
    }
    // Not a data folder at all.
    let said = refused(restored.path(), &config, &["backup", &path(folder.path(), "b.bpb")]);
    assert!(said.contains("no ca.key"), "{said}");
}
