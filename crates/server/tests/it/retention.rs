//! History that grew old, on a server that serves.

use std::process::Command;

use testkit::{log::BootLog, wait};

use crate::bench::{Host, Server};

const DAY_MS: i64 = 24 * 3600 * 1000;

fn would_go(server: &Server) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof-server"))
        .arg("--config")
        .arg(server.data.path().join("server.toml"))
        .arg("--data-dir")
        .arg(server.data.path())
        .args(["retention", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_server_thins_its_history_by_itself() {
    let mut server = Server::start_with("history_all_days = 30\n").await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    let id = host.credentials().host_id;
    server.kill();
    let db = server.database();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let today = i64::try_from(now.as_millis()).unwrap() / DAY_MS;
    // Ten judgements of one day forty days ago, and ten of yesterday.
    for (n, age_days) in (0..10).map(|n| (n, 40)).chain((0..10).map(|n| (n, 1))) {
        db.execute(
            "INSERT INTO appraisals (host_id, at_ms, verdict, document_json)
             VALUES (?1, ?2, 'accepted', '{}')",
            (&id, (today - age_days) * DAY_MS + n),
        )
        .unwrap();
    }
    // As if no run had been yet.
    db.execute("UPDATE thinning SET ended_at_ms = 0, thinned_before_ms = 0", []).unwrap();
    let seen = would_go(&server);
    assert_eq!((&seen["judgements"], &seen["would_go"]), (&20.into(), &9.into()), "{seen}");
    server.restart().await;
    wait::until("the history is thinned", || {
        let n: i64 = db.query_row("SELECT count(*) FROM appraisals", [], |row| row.get(0)).unwrap();
        (n == 11).then_some(())
    });
    assert_eq!(would_go(&server)["would_go"], 0);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    assert_eq!(server.host(&id).await.host.verdict, "accepted");
}

#[tokio::test]
async fn ages_that_contradict_each_other_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let config = "history_all_days = 30\nhistory_thinned_days = 29\n";
    std::fs::write(data.path().join("server.toml"), config).unwrap();
    let said = Server::refused(data.path());
    assert!(said.contains("history_thinned_days is 29"), "{said}");
}
