//! `bootproof-server support-bundle` beside a running server: what it tells, and none of its secrets.

use std::{fs, path::Path, process::Command};

use api::{
    admin::Approval,
    support::{HostFindings, Manifest},
};
use testkit::{bundle, log::BootLog};

use crate::bench::{Host, Server};

/// Exit code, standard error and files of a bundle of `server`.
fn make(server: &Server, more: &[&str]) -> (i32, String, Vec<(String, Vec<u8>)>) {
    let data = server.data.path();
    let tools = tempfile::tempdir().unwrap();
    bundle::journalctl(tools.path()).unwrap();
    let out = tools.path().join("bundle.tar.gz");
    let done = Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
        .arg("--config")
        .arg(data.join("server.toml"))
        .arg("--data-dir")
        .arg(data)
        .args(["support-bundle", "--log"])
        .arg(data.join("server.log"))
        .arg("--out")
        .arg(&out)
        .args(more)
        .env("PATH", format!("{}:{}", tools.path().display(), std::env::var("PATH").unwrap()))
        .output()
        .unwrap();
    let files = if done.status.success() { bundle::unpack(&out).unwrap() } else { Vec::new() };
    (done.status.code().unwrap(), String::from_utf8(done.stderr).unwrap(), files)
}

fn document<T: serde::de::DeserializeOwned>(files: &[(String, Vec<u8>)], name: &str) -> T {
    let file = files.iter().find(|(other, _)| other == name).unwrap_or_else(|| panic!("{name}"));
    serde_json::from_slice(&file.1).unwrap()
}

/// What in the server's folder nobody else may see.
fn secrets(data: &Path, server: &Server) -> Vec<Vec<u8>> {
    let admin = fs::read_to_string(data.join("admin.toml")).unwrap();
    let token = admin.split("bpa_").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let key = fs::read_to_string(data.join("ca.key")).unwrap();
    let key = key.lines().nth(1).unwrap().to_owned();
    let db = server.database();
    let mut kept = db.prepare("SELECT value FROM secrets").unwrap();
    let kept = kept.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let kept: Vec<Vec<u8>> = kept.map(Result::unwrap).collect();
    assert!(!kept.is_empty());
    let hex = kept.iter().map(|secret| hex::encode(secret).into_bytes()).collect::<Vec<_>>();
    [vec![token.into_bytes(), key.into_bytes()], kept, hex].concat()
}

#[tokio::test]
async fn findings_and_counts_are_in_it_and_no_secret_is() {
    let server = Server::start_with("# hunter2\nattest_interval_s = 60\n").await;
    server.trust().await;
    let sound = Host::boot("web-1", &BootLog::sound());
    let off = Host::boot("web-2", &BootLog::sound().secure_boot_off());
    for host in [&sound, &off] {
        server.join(host).await;
        host.attest(&server).await.unwrap();
    }
    let join = server.token(None, Approval::NotRequired).await;
    let (exit, said, files) = make(&server, &[]);
    assert_eq!(exit, 0, "{said}");

    let mut secrets = secrets(server.data.path(), &server);
    secrets.extend([join.token.into_bytes(), b"hunter2".to_vec()]);
    secrets.extend([&sound, &off].map(|host| host.credentials().host_token.into_bytes()));
    secrets.extend(bundle::ALSO_PLANTED.iter().map(|secret| secret.as_bytes().to_vec()));
    let secrets: Vec<&[u8]> = secrets.iter().map(Vec::as_slice).collect();
    assert_eq!(bundle::leaks(&files, &secrets), Vec::<String>::new());

    let findings: Vec<HostFindings> = document(&files, "findings.json");
    let verdicts: Vec<_> = findings
        .iter()
        .map(|host| (host.host.as_str(), host.verdict.as_deref().unwrap()))
        .collect();
    assert_eq!(
        verdicts,
        [("web-2", "not accepted"), ("web-1", "accepted")],
        "those first that need help"
    );
    assert!(findings[0].findings.iter().any(|finding| finding.code == "secure-boot-off"));
    let facts: serde_json::Value = document(&files, "facts.json");
    let database = &facts["database"];
    assert_eq!(database["schema_version"], database["schema_version_known"]);
    let rows = database["rows"].as_array().unwrap();
    assert!(rows.contains(&serde_json::json!(["hosts", 2])), "{database}");
    let manifest: Manifest = document(&files, "MANIFEST.json");
    let kinds = |file: &str| -> Vec<_> {
        let removed = manifest.removed.iter().filter(|removed| removed.file == file);
        removed.map(|removed| removed.what.clone()).collect()
    };
    assert_eq!(kinds("config/server.toml"), ["comment"]);
    for kind in bundle::KINDS {
        assert!(kinds("logs/bootproof-server.log").contains(&(*kind).to_owned()), "{kind}");
    }
    assert!(
        !files.iter().any(|(name, _)| name.starts_with("evidence/")),
        "of no host that was not named"
    );
    // The server that was looked at serves on.
    assert_eq!(sound.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn of_a_host_that_is_named_the_last_evidence_is_in_it() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    host.attest(&server).await.unwrap();
    let other = Host::boot("web-2", &BootLog::sound());
    server.join(&other).await;
    let (exit, said, files) = make(&server, &["--host", "web-1"]);
    assert_eq!(exit, 0, "{said}");
    let findings: Vec<HostFindings> = document(&files, "findings.json");
    assert_eq!(findings.iter().map(|host| host.host.as_str()).collect::<Vec<_>>(), ["web-1"]);
    let judged: serde_json::Value = document(&files, "evidence/web-1/appraisal.json");
    assert_eq!(judged["verdict"], "accepted");
    let log = files.iter().find(|(name, _)| name == "evidence/web-1/event-log").unwrap();
    assert_eq!(log.1, fs::read(host.log_file()).unwrap());
    let manifest: Manifest = document(&files, "MANIFEST.json");
    assert!(
        manifest.files.iter().any(|file| file.verbatim && file.name == "evidence/web-1/answer")
    );
    let answer: serde_json::Value = document(&files, "evidence/web-1/answer");
    assert!(answer["quote"]["attest"].is_string() && answer["nonce"].is_string(), "{answer}");

    let (exit, said, _) = make(&server, &["--host", "nobody"]);
    assert_eq!(exit, 1);
    assert!(said.contains("no host is called \"nobody\""), "{said}");
}

#[tokio::test]
async fn a_database_that_is_none_is_told_in_the_bundle() {
    let mut server = Server::start().await;
    server.kill();
    for name in ["bootproof.db", "bootproof.db-wal", "bootproof.db-shm"] {
        drop(fs::remove_file(server.data.path().join(name)));
    }
    fs::write(server.data.path().join("bootproof.db"), "no database at all, but some text")
        .unwrap();
    let (exit, said, files) = make(&server, &[]);
    assert_eq!(exit, 0, "{said}");
    let facts: serde_json::Value = document(&files, "facts.json");
    assert!(facts["database"]["error"].as_str().unwrap().contains("not a database"), "{facts}");
    let manifest: Manifest = document(&files, "MANIFEST.json");
    assert!(manifest.left_out.iter().any(|left| left.what == "findings.json"));
}

/// Removes the objects below a folder, but not the mark of whose they are. How many.
fn remove_objects(folder: &Path) -> usize {
    let mut n = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            n += remove_objects(&entry.path());
        } else if entry.metadata().unwrap().len() > 512 {
            fs::remove_file(entry.path()).unwrap();
            n += 1;
        }
    }
    n
}

#[tokio::test]
async fn evidence_that_lies_outside_of_the_database_is_in_it_or_named() {
    let objects = tempfile::tempdir().unwrap();
    let config = format!(
        "[evidence]\nstore = 'folder'\nfolder = '{}'\nbytes_min = 2048\n",
        objects.path().display()
    );
    let server = Server::start_with(&config).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    host.attest(&server).await.unwrap();
    let (exit, said, files) = make(&server, &["--host", "web-1"]);
    assert_eq!(exit, 0, "{said}");
    let log = files.iter().find(|(name, _)| name == "evidence/web-1/event-log").unwrap();
    assert_eq!(log.1, fs::read(host.log_file()).unwrap());
    let manifest: Manifest = document(&files, "MANIFEST.json");
    assert!(!manifest.left_out.iter().any(|left| left.what.starts_with("evidence/")));

    // One that is lost, and a place that is not there: all else is in it, and the bundle says so.
    assert!(remove_objects(objects.path()) > 0);
    let left = |files: &[(String, Vec<u8>)]| {
        let manifest: Manifest = document(files, "MANIFEST.json");
        let mut left = manifest.left_out.into_iter();
        left.find(|left| left.what == "evidence/web-1/event-log").unwrap().why
    };
    let (exit, said, files) = make(&server, &["--host", "web-1"]);
    assert_eq!(exit, 0, "{said}");
    assert!(left(&files).contains("is missing"), "{}", left(&files));
    assert!(files.iter().any(|(name, _)| name == "evidence/web-1/answer"));
    fs::remove_dir_all(objects.path()).unwrap();
    let (exit, said, files) = make(&server, &["--host", "web-1"]);
    assert_eq!(exit, 0, "{said}");
    assert!(left(&files).contains("outside of the database"), "{}", left(&files));
}
