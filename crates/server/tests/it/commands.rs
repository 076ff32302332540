//! The administrator's commands against a server.

use std::path::Path;

use clap::Parser as _;
use cli::{CliError, Exit, Output, args::Arguments, evidence_dir};
use testkit::log::BootLog;
use verify::{RootStore, UnixTime};

use crate::bench::{CA, Host, Server};

/// Runs `bootproof` with these arguments as its program does, on a thread of its own.
pub(crate) async fn bootproof(server: &Server, arguments: &[&str]) -> Result<Exit, CliError> {
    let context = server.data.path().join("admin.toml").display().to_string();
    let mut all = vec!["bootproof", "--context", &context];
    all.extend(arguments);
    let arguments = Arguments::try_parse_from(all).unwrap();
    tokio::task::spawn_blocking(move || cli::run(&arguments, &Output::new(arguments.json)))
        .await
        .unwrap()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_steered_from_the_command_line() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let root = write(folder.path(), "root.pem", &CA.root_pem().unwrap());
    let issuer = write(folder.path(), "issuer.pem", &CA.issuer_pem().unwrap());
    let done = |exit: Result<Exit, CliError>| assert_eq!(exit.unwrap(), Exit::Done);
    done(bootproof(&server, &["host", "list"]).await);
    done(bootproof(&server, &["trust", "import", &root, &issuer]).await);
    done(bootproof(&server, &["trust", "list"]).await);
    done(bootproof(&server, &["token", "create", "--approval", "--note", "x"]).await);
    done(bootproof(&server, &["token", "list"]).await);

    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    server.wait_for(&id, "accepted", None).await;
    for command in ["show", "attest", "history"] {
        done(bootproof(&server, &["host", command, "web-1"]).await);
        done(bootproof(&server, &["host", command, &id, "--json"]).await);
    }
    done(bootproof(&server, &["host", "list", "--json"]).await);
    done(bootproof(&server, &["host", "disconnect", "web-1"]).await);
    assert!(bootproof(&server, &["host", "attest", "web-1"]).await.is_err());
    done(bootproof(&server, &["host", "reconnect", "web-1"]).await);
    // The verdict of before stands until the keys are enrolled anew; evidence that is asked for now
    // comes after that.
    done(bootproof(&server, &["host", "attest", "web-1"]).await);

    // What the server judged, judged again without it.
    let out = folder.path().join("evidence");
    let out_text = out.display().to_string();
    done(bootproof(&server, &["host", "evidence", "web-1", "--out", &out_text]).await);
    let mut roots = RootStore::from_pem(&CA.root_pem().unwrap()).unwrap();
    roots.extend(RootStore::from_pem(&CA.issuer_pem().unwrap()).unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = UnixTime(i64::try_from(now.as_secs()).unwrap());
    let offline = cli::judge(&evidence_dir::read(&out).unwrap(), &roots, now);
    assert_eq!(Some(offline), server.host(&id).await.appraisal);

    drop(serving);
    done(bootproof(&server, &["host", "remove", "web-1"]).await);
    assert!(bootproof(&server, &["host", "show", "web-1"]).await.is_err());
    assert!(server.hosts().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fleet_is_looked_at_from_the_command_line() {
    let server = Server::start().await;
    for form in [None, Some("--json")] {
        for command in ["standing", "attention", "settings"] {
            let words: Vec<_> = ["fleet", command].into_iter().chain(form).collect();
            assert_eq!(bootproof(&server, &words).await.unwrap(), Exit::Done, "{command}");
        }
    }
    let settings: api::settings::Settings = server.admin.get("/v1/settings").await.unwrap();
    assert_eq!((settings.store.kind.as_str(), settings.checks.is_empty()), ("sqlite", false));
    assert!(settings.keys.iter().any(|key| key.name == "attest_interval_s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_accepted_has_another_exit_code() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-2", &BootLog::sound().secure_boot_off());
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    server.wait_for(&id, "not accepted", Some("secure-boot-off")).await;
    assert_eq!(bootproof(&server, &["host", "attest", "web-2"]).await.unwrap(), Exit::No);
    drop(serving);

    let bare = Host::without_tpm("bare");
    server.join(&bare).await;
    assert!(bootproof(&server, &["host", "attest", "bare"]).await.is_err(), "nothing to wait for");
}
