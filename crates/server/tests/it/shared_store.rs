//! Several servers on one PostgreSQL: equal, and each of them dispensable.

use std::time::Duration;

use api::admin::Approval;
use testkit::{
    log::BootLog,
    postgres::{Cluster, Database},
};

use crate::bench::{Host, Server, code};

fn on(address: &str) -> String {
    format!("store = \"{address}\"\n")
}

async fn two() -> (Server, Server, Database) {
    let database = Database::new().unwrap();
    let a = Server::start_with(&on(&database.address())).await;
    let b = a.beside().await;
    assert_ne!(a.listen(), b.listen());
    (a, b, database)
}

#[tokio::test]
async fn a_host_of_one_server_is_a_host_of_the_other() {
    let (a, b, _database) = two().await;
    a.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    // The token is of one server, the enrolment of the other.
    let token = a.token(Some(1), Approval::NotRequired).await;
    host.join(&b, &token.token).await.unwrap();
    let id = host.credentials().host_id;
    assert_eq!(host.attest(&b).await.unwrap().verdict, "accepted");
    assert_eq!(a.host(&id).await.host.verdict, "accepted");
    let used = Host::boot("web-2", &BootLog::sound()).join(&a, &token.token).await.unwrap_err();
    assert!(format!("{used:#}").contains("no use left"), "{used:#}");

    // A challenge of one is answered at the other, once.
    let (nonce, pcrs) = host.challenge(&a).await.unwrap();
    let evidence = host.evidence(&nonce, pcrs).await;
    assert_eq!(host.send(&b, &evidence).await.unwrap().verdict, "accepted");
    for server in [&a, &b] {
        assert_eq!(code(host.send(server, &evidence).await), "nonce-used");
    }

    // What a person says at one holds at the other.
    a.steer(&id, "disconnect").await;
    assert_eq!(b.host(&id).await.host.connection, "disconnected");
    b.steer(&id, "reconnect").await;
    assert_eq!(a.host(&id).await.host.connection, "connected");
}

#[tokio::test]
async fn a_server_that_is_killed_is_not_missed() {
    let (mut a, b, _database) = two().await;
    a.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    a.join(&host).await;
    let id = host.credentials().host_id;
    let mut verdicts = 0;
    for n in 0..6_u64 {
        let (nonce, pcrs) = host.challenge(&a).await.unwrap();
        let evidence = host.evidence(&nonce, pcrs).await;
        // Killed somewhere between the request and its answer.
        let sent = tokio::time::timeout(Duration::from_millis(n * 3), host.send(&a, &evidence));
        let answer = sent.await;
        a.kill();
        match (answer, host.send(&b, &evidence).await) {
            (Ok(Ok(_)), again) => assert_eq!(code(again), "nonce-used"),
            (_, Ok(reply)) => assert_eq!(reply.verdict, "accepted"),
            // It was recorded, and the answer was lost.
            (_, refused) => assert_eq!(code(refused), "nonce-used"),
        }
        verdicts += 1;
        let detail = b.host(&id).await;
        assert_eq!(detail.host.verdict, "accepted");
        assert_eq!(host.attest(&b).await.unwrap().verdict, "accepted");
        verdicts += 1;
        a.restart().await;
    }
    let history: Vec<api::admin::PastAppraisal> =
        a.admin.get(&format!("/v1/hosts/{id}/appraisals")).await.unwrap();
    assert_eq!(history.len(), verdicts, "none lost, none doubled");
}

/// Both waits are longer than a test is: without a word from the other server this fails.
#[tokio::test]
async fn who_waits_at_one_server_hears_of_the_other() {
    let (a, b, _database) = two().await;
    a.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    a.join(&host).await;
    let id = host.credentials().host_id;
    assert_eq!(host.attest(&a).await.unwrap().verdict, "accepted");

    // The agent waits at `b`; a person asks at `a`, and waits there.
    let waiting = host.wait_for_challenge(&b);
    let asking = async {
        let asked: api::admin::AttestRequested =
            a.admin.post(&format!("/v1/hosts/{id}/attest"), &()).await.unwrap();
        asked.requested_at_ms
    };
    let (work, asked_at_ms) = tokio::join!(waiting, asking);
    let (nonce, pcrs) = work.unwrap();
    let evidence = host.evidence(&nonce, pcrs).await;
    let path = format!("/v1/hosts/{id}?appraised_after_ms={asked_at_ms}");
    let start = std::time::Instant::now();
    let (seen, sent) = tokio::join!(
        a.admin.get_waiting::<api::admin::HostDetail>(&path, api::POLL_S_MAX),
        host.send(&b, &evidence),
    );
    assert_eq!(sent.unwrap().verdict, "accepted");
    assert_eq!(seen.unwrap().host.verdict, "accepted");
    let half = Duration::from_secs(api::POLL_S_MAX) / 2;
    assert!(start.elapsed() < half, "{:?}", start.elapsed());
}

#[tokio::test]
async fn alarms_of_a_server_that_is_killed_are_raised_by_the_other_once() {
    let (mut a, b, _database) = two().await;
    let token = a.token(None, Approval::NotRequired).await;
    let names: Vec<_> = (0..40).map(|n| format!("bare-{n}")).collect();
    for name in &names {
        Host::without_tpm(name).join(&a, &token.token).await.unwrap();
    }
    // Wherever it is with its looks: what it had claimed is the other's when the lease ends.
    a.kill();
    let deadline = tokio::time::Instant::now() + testkit::wait::TIME_MAX;
    loop {
        let page: api::alarm::AlarmPage = b.admin.get("/v1/alarms?limit=1000").await.unwrap();
        let mut raised: Vec<_> = page.alarms.iter().map(|alarm| alarm.host.clone()).collect();
        let n_raised = raised.len();
        raised.sort();
        raised.dedup();
        assert_eq!(n_raised, raised.len(), "none twice");
        if n_raised == names.len() {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{n_raised} of {}", names.len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_with_another_authority_does_not_start() {
    let database = Database::new().unwrap();
    let _first = Server::start_with(&on(&database.address())).await;
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("server.toml"), on(&database.address())).unwrap();
    let said = Server::refused(data.path());
    assert!(said.contains("copy ca.pem and ca.key"), "{said}");
}

#[tokio::test]
async fn an_address_that_may_not_be_used_is_refused_without_its_password() {
    for (address, why) in [
        ("postgres://u:hunter2@db.example/db?sslmode=disable", "loopback"),
        ("postgres://u:hunter2@db.example/db?sslmode=require", "verify-full"),
        ("postgres://u:hunter2@db.example/db", "sslrootcert"),
        ("postgres://u:hunter2@127.0.0.1:1/db?sslmode=disable", "cannot be opened"),
    ] {
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("server.toml"), on(address)).unwrap();
        let said = Server::refused(data.path());
        assert!(said.contains(why), "{address}: {said}");
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[tokio::test]
async fn a_database_that_goes_away_is_waited_for() {
    let mut cluster = Cluster::start().unwrap();
    let server = Server::start_with(&on(&cluster.address())).await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    let (nonce, pcrs) = host.challenge(&server).await.unwrap();
    let evidence = host.evidence(&nonce, pcrs).await;
    cluster.end();
    let gone = server.admin.get::<api::admin::HostPage>("/v1/hosts").await;
    assert_eq!(code(gone), "unavailable");
    assert!(host.send(&server, &evidence).await.unwrap_err().is_transient());
    cluster.run().unwrap();
    // A connection that was closed with a refusal in between is noticed only when it is used: an agent
    // comes again, too.
    let mut reply = host.send(&server, &evidence).await;
    for _ in 0..100 {
        let Err(err) = &reply else { break };
        assert!(err.is_transient(), "{err:?}");
        reply = host.send(&server, &evidence).await;
    }
    assert_eq!(reply.unwrap().verdict, "accepted");
}
