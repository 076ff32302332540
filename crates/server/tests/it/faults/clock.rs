//! A clock that jumps.

use std::path::Path;

use api::admin::HostPage;

use crate::{
    bench::{Host, Server},
    faults::{OFTEN, check, each_once_more, patrol},
};

/// Changes what programs under it see of the time of day, as a file says.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// What has a program see the time that `file` says.
fn variables(file: &Path) -> [(&'static str, &str); 6] {
    assert!(Path::new(FAKETIME).exists(), "libfaketime is missing: apt-get install libfaketime");
    [
        ("LD_PRELOAD", FAKETIME),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        // As a real clock's: what counts seconds goes on.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ]
}

fn set(file: &Path, hours: i32) {
    // As a whole, since it is read at any moment.
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{hours:+}h\n")).unwrap();
    std::fs::rename(&new, file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_by_an_hour_costs_no_host_its_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offset");
    set(&file, 0);
    let variables = variables(&file);
    let server = Server::start_in_environment(OFTEN, &variables).await;
    let patrol = patrol(&server.admin, 16).await;
    each_once_more(&patrol, 1).await;
    let shown = async || {
        let page: HostPage = server.admin.get("/v1/hosts").await.unwrap();
        page.hosts.iter().map(|host| host.appraised_at_ms.unwrap()).max().unwrap()
    };
    let before_ms = shown().await;

    // Ahead: challenges that were open are too old, and hosts ask for new ones.
    set(&file, 1);
    each_once_more(&patrol, 2).await;
    let ahead_ms = shown().await;
    assert!(ahead_ms - before_ms > 3_000_000, "the clock did not jump: {before_ms} {ahead_ms}");
    let sound = server.admin.get::<HostPage>("/v1/hosts?verdict=accepted").await.unwrap();
    assert_eq!(sound.hosts.len(), 16);

    // Back by two: time goes on from where it was, or no challenge would be newer than the last.
    set(&file, -1);
    each_once_more(&patrol, 2).await;
    assert!(shown().await >= ahead_ms, "verdicts are of a time before their host's last");

    // Also in a new process.
    let mut server = server;
    server.kill();
    server.restart_in_environment(&variables).await;
    each_once_more(&patrol, 2).await;

    let record = patrol.end().await;
    let (store, _data) = server.into_store();
    check(&record, &store).await;
}

/// What ends by time ends by the clock that people see.
#[tokio::test]
async fn a_token_that_ends_in_ten_minutes_ends_when_the_clock_jumps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offset");
    set(&file, 0);
    let variables = variables(&file);
    let server = Server::start_in_environment("", &variables).await;
    // Ten minutes.
    let token = server.token(None, api::admin::Approval::NotRequired).await;
    let host = Host::without_tpm("web-1");
    host.join(&server, &token.token).await.unwrap();
    set(&file, 1);
    let late = Host::without_tpm("web-2");
    let refused = late.join(&server, &token.token).await.unwrap_err();
    assert!(format!("{refused:#}").contains("expired"), "{refused:#}");
    // An administrator's token has no end.
    let page: HostPage = server.admin.get("/v1/hosts").await.unwrap();
    assert_eq!(page.hosts.len(), 1);
}
