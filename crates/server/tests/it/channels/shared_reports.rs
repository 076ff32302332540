//! Reports of a schedule that two servers of one PostgreSQL have: each of its times is served once.

use std::{collections::BTreeSet, path::Path};

use api::{audit::AuditPage, fleet_report::ReportSchedule};
use serde_json::json;
use testkit::{postgres::Database, wait};

use super::{
    add,
    referees::{free_port, mail_server, mail_server_at, mails},
    sink::Pki,
};
use crate::bench::Server;

const NIGHTLY: &str = r#"
[[report]]
name = "nightly"
kind = "fleet"
format = "csv"
every = "daily 00:00 UTC"
channel = "mail"
"#;

/// Two servers with the schedule, and a channel of mail to `port`. Both know the schedule.
async fn two(port: u16, pki: &Pki) -> (Server, Server, Database) {
    let database = Database::new().unwrap();
    let config = format!("store = \"{}\"\n{NIGHTLY}", database.address());
    let a = Server::start_with(&config).await;
    let settings = json!({
        "kind": "smtp", "server": format!("127.0.0.1:{port}"), "security": "tls",
        "from": "bootproof@example.org", "to": ["auditor@example.org"], "ca_pem": pki.ca_pem,
    });
    add(&a, "mail", settings, None).await;
    let b = a.beside().await;
    // Times from before the schedule was known are nobody's.
    wait::until("a server notes the schedule", || {
        // Refused, since it divides by nothing, as long as there is none.
        database.psql("SELECT 1 / (SELECT count(*) FROM report_runs)").ok()
    });
    (a, b, database)
}

/// Makes the schedule believe that it was served long ago: all servers were off for ten days.
fn miss_some(database: &Database) {
    database.psql("UPDATE report_runs SET served_ms = served_ms - 864000000").unwrap();
}

/// Waits until it is noted that the report was sent `n` times, and gives the mails that came.
async fn sent(server: &Server, folder: &Path, n: usize) -> Vec<String> {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let audit: AuditPage = server.admin.get("/v1/audit?limit=1000").await.unwrap();
        if audit.rows.iter().filter(|row| row.action == "report.send").count() >= n {
            return mails(&folder.join("inbox"));
        }
        let schedules: Vec<ReportSchedule> =
            server.admin.get("/v1/report-schedules").await.unwrap();
        assert!(tokio::time::Instant::now() < deadline, "not sent: {schedules:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// What names mails: a reader that gets one twice shows it once.
fn names(mails: &[String]) -> BTreeSet<&str> {
    mails
        .iter()
        .map(|mail| mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_send_one_report_for_each_time() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let (_program, port) = mail_server(&pki, folder.path(), "tls");
    let (mut a, mut b, database) = two(port, &pki).await;
    for n in 1..=3 {
        a.kill();
        b.kill();
        miss_some(&database);
        // Both look as soon as they are up.
        tokio::join!(a.restart(), b.restart());
        let came = sent(if n % 2 == 0 { &a } else { &b }, folder.path(), n).await;
        assert_eq!(came.len(), n, "{:?}", names(&came));
    }
    // Those that were served are nobody's any more.
    a.kill();
    a.restart().await;
    let came = sent(&b, folder.path(), 3).await;
    assert_eq!(came.len(), 3);
    // It was one time, which the test had forgotten.
    assert_eq!(names(&came).len(), 1, "{:?}", names(&came));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_whose_server_is_killed_at_it_comes_once_from_the_other() {
    let (pki, folder) = (Pki::new(), tempfile::tempdir().unwrap());
    let port = free_port();
    let (mut a, mut b, database) = two(port, &pki).await;
    a.kill();
    b.kill();
    miss_some(&database);
    // A relay that takes the connection and says nothing: the server that sends is held in the middle.
    let relay = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    a.restart().await;
    let (held, _) = tokio::task::spawn_blocking(move || relay.accept()).await.unwrap().unwrap();
    a.kill();
    drop(held);
    let _program = mail_server_at(&pki, folder.path(), "tls", port);

    // The other does not take for dead what may be at it still: it waits for the end of the lease.
    b.restart().await;
    let page: Vec<ReportSchedule> = b.admin.get("/v1/report-schedules").await.unwrap();
    assert_eq!((page[0].sent_at_ms, mails(&folder.path().join("inbox")).len()), (None, 0));
    b.kill();
    database.psql("UPDATE report_runs SET lease_until_ms = 1 WHERE lease_until_ms > 1").unwrap();
    tokio::join!(a.restart(), b.restart());
    let came = sent(&b, folder.path(), 1).await;
    assert_eq!(came.len(), 1, "{:?}", names(&came));
}
