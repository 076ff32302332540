//! A disk without room.

use std::process::Command;

use api::admin::HostPage;

use crate::{
    bench::{Server, code},
    faults::{OFTEN, TIME_MAX, check, each_once_more, patrol},
};

/// How large a file of the server may become: the kernel refuses what is beyond, as a full disk does.
fn limit_files(server: &Server, bytes: &str) {
    let pid = server.pid().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_and_got_over() {
    let server = Server::start_with(OFTEN).await;
    let patrol = patrol(&server.admin, 24).await;
    each_once_more(&patrol, 2).await;
    // Less than the log of the database has: the next commit does not fit.
    limit_files(&server, "4096");
    let refused = patrol.record().n_unanswered;
    let told = |record: &fleet_sim::Record| record.n_unanswered >= refused + 24;
    assert!(patrol.until(TIME_MAX, told).await, "hosts are not told to come again");
    // What only reads goes on, and what writes says why it does not.
    let page: HostPage = server.admin.get("/v1/hosts").await.unwrap();
    assert_eq!(page.hosts.len(), 24);
    let label = api::inventory::LabelsRequest {
        set: [("rack".to_owned(), "7".to_owned())].into(),
        ..Default::default()
    };
    let path = format!("/v1/hosts/{}/labels", page.hosts[0].id);
    assert_eq!(code(server.admin.post::<_, serde_json::Value>(&path, &label).await), "unavailable");

    limit_files(&server, "unlimited");
    each_once_more(&patrol, 2).await;
    let _: serde_json::Value = server.admin.post(&path, &label).await.unwrap();
    let record = patrol.end().await;
    let (store, _data) = server.into_store();
    check(&record, &store).await;
}
