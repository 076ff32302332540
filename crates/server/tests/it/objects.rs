//! Evidence outside of the database: in a store that others wrote, and in a folder.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use api::{
    admin::Approval,
    agent::Evidence,
    policy::{PolicyTryPage, PolicyTryRequest},
};
use evidence_objects::{ObjectError, ObjectName, Objects, Packed, Place};
use serde_json::{Value, json};
use server::app::{remove_objects, sweep_objects};
use store::{Appraisals as _, EvidenceObjects, Hosts as _};
use testkit::{
    log::BootLog,
    postgres::Database,
    s3::{ACCESS_KEY_ID, BUCKET, S3Server, SECRET_ACCESS_KEY},
    wait,
};

use crate::bench::{Host, Server, code};

/// The program, with the data folder of a test.
fn run(data: &Path, config: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
        .arg("--config")
        .arg(data.join(config))
        .arg("--data-dir")
        .arg(data)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn done(data: &Path, config: &str, arguments: &[&str]) -> Value {
    let output = run(data, config, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

/// A configuration of `s3`, with its files in `folder`.
fn on(s3: &S3Server, folder: &Path) -> String {
    let (keys, ca) = (folder.join("keys.toml"), folder.join("s3-ca.pem"));
    let text =
        format!("access_key_id = '{ACCESS_KEY_ID}'\nsecret_access_key = '{SECRET_ACCESS_KEY}'\n");
    std::fs::write(&keys, text).unwrap();
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&ca, &s3.ca_pem).unwrap();
    // As many as a process may have files for anywhere.
    format!(
        "connections_max = 500\n[evidence]\nstore = 's3'\nbucket = '{BUCKET}'\nprefix = 'fleet/a'\nendpoint = '{}'\n\
         credentials_file = '{}'\nca_file = '{}'\nbytes_min = 2048\n",
        s3.endpoint(),
        keys.display(),
        ca.display()
    )
}

/// The evidence of the last judgement, as JSON.
async fn evidence(server: &Server, id: &str) -> Value {
    let evidence: Evidence = server.admin.get(&format!("/v1/hosts/{id}/evidence")).await.unwrap();
    serde_json::to_value(evidence).unwrap()
}

async fn attested(server: &Server, name: &str, log: &BootLog) -> Host {
    let host = Host::boot(name, log);
    server.join(&host).await;
    host.attest(server).await.unwrap();
    host
}

/// In an empty data folder.
async fn start(config: &str) -> Server {
    let server = Server::start_with(config).await;
    server.trust().await;
    server
}

#[tokio::test]
async fn a_bucket_has_the_logs_and_belongs_to_one_database() {
    let (s3, files) = (S3Server::start(), tempfile::tempdir().unwrap());
    let config = on(&s3, files.path());
    let mut server = start(&config).await;
    let log = BootLog::sound();
    let host = attested(&server, "web-1", &log).await;
    let id = host.credentials().host_id;
    assert_eq!(server.host(&id).await.host.verdict, "accepted");
    let sent = evidence(&server, &id).await;
    let log = api::Bytes::from(log.build().bytes);
    assert_eq!(sent["event_log"], serde_json::to_value(&log).unwrap());
    let n_objects = s3.objects("fleet/a").len();
    assert!(n_objects >= 2, "the log, and whose it is");
    // Another host that booted the same brings no other log; a further attestation nothing at all.
    host.attest(&server).await.unwrap();
    let data = server.data.path().to_owned();
    assert_eq!(s3.objects("fleet/a").len(), n_objects);
    let status = done(&data, "server.toml", &["evidence", "status", "--json"]);
    assert!(status["parts_as_objects"].as_u64().unwrap() >= 1, "{status}");
    assert!(status["place"].as_str().unwrap().contains("fleet/a"), "{status}");
    let checked = run(&data, "server.toml", &["config", "check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let shown = run(&data, "server.toml", &["config", "show"]);
    assert!(!String::from_utf8_lossy(&shown.stdout).contains("secret_access_key"));

    // Another database at the same place: neither may remove what is the other's.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("server.toml"), &config).unwrap();
    let said = Server::refused(other.path());
    assert!(said.contains("another database"), "{said}");
    server.kill();
}

#[tokio::test]
async fn hosts_with_a_new_log_wait_while_the_place_is_away() {
    let (mut s3, files) = (S3Server::start(), tempfile::tempdir().unwrap());
    let database = Database::new().unwrap();
    let config = format!("store = \"{}\"\n{}", database.address(), on(&s3, files.path()));
    let server = start(&config).await;
    let known = attested(&server, "web-1", &BootLog::sound()).await;
    let new = Host::boot("web-2", &BootLog::sound().secure_boot_off());
    server.join(&new).await;
    s3.stop();
    // What brings nothing new needs no object, and goes on.
    assert_eq!(known.attest(&server).await.unwrap().verdict, "accepted");
    // No verdict without its evidence; what was said before stands.
    let id = new.credentials().host_id;
    assert_eq!(code(new.attest(&server).await), "unavailable");
    assert!(server.host(&id).await.host.appraised_at_ms.is_none());
    let concern = async || {
        let ready = server.admin.get_readiness().await.unwrap();
        assert!(ready.ready, "it serves on: {ready:?}");
        ready.checks.iter().any(|check| check.name == "evidence")
    };
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    while !concern().await {
        assert!(tokio::time::Instant::now() < deadline, "nobody says that the place is away");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    s3.start_again();
    assert_eq!(new.attest(&server).await.unwrap().verdict, "not accepted");
    assert!(evidence(&server, &id).await["event_log"].is_string());
    while concern().await {
        assert!(tokio::time::Instant::now() < deadline, "it is there again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The one object of a log in a folder.
fn objects(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found
}

#[tokio::test]
async fn what_is_lost_counts_no_more_where_it_is_judged_anew_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let data = tempfile::tempdir().unwrap();
    let policy = data.path().join("policy.toml");
    std::fs::write(&policy, "").unwrap();
    let config = format!(
        "policy = 'policy.toml'\n[evidence]\nstore = 'folder'\nfolder = '{}'\nbytes_min = 2048\n",
        folder.path().display()
    );
    std::fs::write(data.path().join("server.toml"), config).unwrap();
    let server = Server::start_in(data).await;
    server.trust().await;
    let host = attested(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let sent = evidence(&server, &id).await;
    let objects = objects(folder.path());
    assert!(!objects.is_empty());
    for object in &objects {
        std::fs::write(object, b"something else").unwrap();
    }
    // The verdict was made when the evidence was whole; the evidence itself is refused.
    assert_eq!(server.host(&id).await.host.verdict, "accepted");
    let path = format!("/v1/hosts/{id}/evidence");
    assert_eq!(code(server.admin.get::<Evidence>(&path).await), "evidence-lost");
    let checked = run(server.data.path(), "server.toml", &["evidence", "check", "--json"]);
    assert_eq!(checked.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(found["lost"].as_array().unwrap().len(), objects.len(), "{found}");

    // Another policy cannot be judged by, and that is no pass.
    let stricter = "[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6, 7, 23]\n";
    let request = PolicyTryRequest {
        policy: stricter.to_owned(),
        files: Default::default(),
        cursor: None,
        limit: None,
    };
    let page: PolicyTryPage = server.admin.post("/v1/policy/try", &request).await.unwrap();
    let change = &page.changes[0];
    assert_eq!((change.to.as_str(), page.changes.len()), ("not appraised", 1));
    assert_eq!(change.because[0].code, "never-appraised");
    std::fs::write(&policy, stricter).unwrap();
    let detail = server.wait_for(&id, "not appraised", Some("never-appraised")).await;
    assert!(detail.host.findings[0].cause.contains("lost"), "{:?}", detail.host.findings);

    // The host is asked again, and what it brings is whole.
    std::fs::write(&policy, "").unwrap();
    host.attest(&server).await.unwrap();
    let again = evidence(&server, &id).await;
    assert_eq!(again["event_log"], sent["event_log"]);
    let found = done(server.data.path(), "server.toml", &["evidence", "check", "--json"]);
    assert_eq!(found["lost"], json!([]));
}

#[tokio::test]
async fn evidence_is_moved_there_and_back_while_the_server_serves() {
    let folder = tempfile::tempdir().unwrap();
    let config = |store: &str| {
        format!(
            "[evidence]\nstore = '{store}'\nfolder = '{}'\nbytes_min = 2048\nremoved_after_days = 0\n",
            folder.path().display()
        )
    };
    let server = start(&config("database")).await;
    let data = server.data.path();
    std::fs::write(data.join("there.toml"), config("folder")).unwrap();
    let one = attested(&server, "web-1", &BootLog::sound()).await;
    let two = attested(&server, "web-2", &BootLog::sound().secure_boot_off()).await;
    let ids = [one.credentials().host_id, two.credentials().host_id];
    let before = [evidence(&server, &ids[0]).await, evidence(&server, &ids[1]).await];
    let same = async |what: &str| {
        for (id, before) in ids.iter().zip(&before) {
            assert_eq!(&evidence(&server, id).await, before, "{what}");
        }
    };
    assert_eq!(objects(folder.path()).len(), 0);
    let refused = run(data, "server.toml", &["evidence", "move", "--to", "objects"]);
    assert_eq!(refused.status.code(), Some(1), "the server would put new ones elsewhere");
    let moved = done(data, "there.toml", &["evidence", "move", "--to", "objects", "--json"]);
    let n = moved["moved"].as_u64().unwrap();
    assert!(n >= 2, "{moved}");
    assert_eq!(objects(folder.path()).len(), usize::try_from(n).unwrap());
    same("as objects").await;
    let again = done(data, "there.toml", &["evidence", "move", "--to", "objects", "--json"]);
    assert_eq!(again["moved"], 0);
    let back = done(data, "server.toml", &["evidence", "move", "--to", "database", "--json"]);
    assert_eq!(back["moved"], n);
    same("in the database").await;
    wait::until("objects that nothing refers to go", || {
        done(data, "server.toml", &["evidence", "sweep", "--json"]);
        objects(folder.path()).is_empty().then_some(())
    });
    same("and stay there").await;
}

#[tokio::test]
async fn a_place_that_is_wrong_is_said_before_anything_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = folder.path().join("evidence");
    std::fs::create_dir(&evidence).unwrap();
    let config = format!(
        "[evidence]\nstore = 'folder'\nfolder = '{}'\nbytes_min = 2048\n",
        evidence.display()
    );
    let mut server = start(&config).await;
    attested(&server, "web-1", &BootLog::sound()).await;
    server.kill();
    let data = server.data.path();
    let file = data.join("server.toml");
    let said = |config: &str| {
        std::fs::write(&file, config).unwrap();
        std::fs::remove_file(data.join("server.log")).unwrap();
        Server::refused(data)
    };
    let none = said("");
    assert!(none.contains("does not say where"), "{none}");
    std::fs::rename(&evidence, folder.path().join("away")).unwrap();
    std::fs::create_dir(&evidence).unwrap();
    let empty = said(&config);
    assert!(empty.contains("nothing of this database"), "{empty}");
    std::fs::remove_dir(&evidence).unwrap();
    let gone = said(&config);
    assert!(gone.contains("cannot be used"), "{gone}");
    let checked = run(data, "server.toml", &["config", "check"]);
    assert_eq!(checked.status.code(), Some(1));
    std::fs::rename(folder.path().join("away"), &evidence).unwrap();
    server.restart().await;
    assert_eq!(server.hosts().await.len(), 1);
}

#[tokio::test]
async fn what_no_row_names_is_swept_when_it_is_old_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[evidence]\nstore = 'folder'\nfolder = '{}'\nbytes_min = 2048\n",
        folder.path().display()
    );
    let server = start(&config).await;
    let one = attested(&server, "web-1", &BootLog::sound()).await;
    let two = attested(&server, "web-2", &BootLog::sound().secure_boot_off()).await;
    // One's are needed; two's are removed, and stay for their days.
    server.admin.remove_host(&two.credentials().host_id).await.unwrap();
    let before = objects(folder.path()).len();
    let objects_there = || objects(folder.path()).len();
    let (store, _data) = server.into_store();
    let there = Objects::at(&Place::Folder(folder.path().to_owned())).unwrap();
    let left = ObjectName::fresh(&[7; 32], Packed::No).unwrap();
    there.put(&left, b"of a judgement that was not recorded".to_vec()).await.unwrap();
    let since_1970 = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let an_hour_ago = i64::try_from(since_1970.as_millis()).unwrap() - 3_600_000;
    assert_eq!(sweep_objects(&store, &there, an_hour_ago).await.unwrap(), 0, "it may be needed");
    assert_eq!(sweep_objects(&store, &there, i64::MAX).await.unwrap(), 1);
    assert_eq!(objects_there(), before);
    assert!(matches!(there.fetch(&left, 100).await, Err(ObjectError::Missing)));
    // Their days are over.
    let n = remove_objects(&store, &there, i64::MAX).await.unwrap();
    assert!(n >= 1);
    assert_eq!(objects_there(), before - usize::try_from(n).unwrap());
    let store = store.with_objects(EvidenceObjects { objects: Arc::new(there), bytes_min: 2048 });
    let host = store.host(&one.credentials().host_id.into()).await.unwrap().unwrap();
    assert!(!store.evidence(host.last.unwrap().id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_restored_server_uses_the_objects_when_it_is_told_that_they_are_its_own() {
    let (folder, files) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = format!(
        "[evidence]\nstore = 'folder'\nfolder = '{}'\nbytes_min = 2048\n",
        folder.path().display()
    );
    let mut server = start(&config).await;
    let host = attested(&server, "web-1", &BootLog::sound()).await;
    let id = host.credentials().host_id;
    let before = evidence(&server, &id).await;
    let file = files.path().join("backup.bpb").display().to_string();
    done(server.data.path(), "server.toml", &["backup", "--json", &file]);
    server.kill();

    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), &config).unwrap();
    done(data.path(), "server.toml", &["restore", &file]);
    let said = Server::refused(data.path());
    assert!(said.contains("before it was restored") && said.contains("evidence adopt"), "{said}");
    assert!(run(data.path(), "server.toml", &["evidence", "check"]).status.code() == Some(1));
    let adopted = run(data.path(), "server.toml", &["evidence", "adopt"]);
    assert!(adopted.status.success());
    let restored = Server::start_in(data).await;
    assert_eq!(evidence(&restored, &id).await, before);
    // And the one that it was restored from may not go on beside it.
    let said = Server::refused(server.data.path());
    assert!(said.contains("another database"), "{said}");
    let token = restored.token(Some(1), Approval::NotRequired).await;
    assert!(!token.token.is_empty());
}
