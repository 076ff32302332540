//! The courier before the network is up, over the server's restarts, and with a TPM that is busy.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use agent::{
    enrol::Enrolled,
    join::{Order, Patience, join},
    session::TpmChoice,
    source,
};
use api::admin::Approval;
use client::{CaPin, Client, ClientError, Trust};
use server::authority::Authority;
use testkit::{boot::boot, log::BootLog, swtpm::Swtpm, wait};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    bench::{CA, Host, Server, has},
    busy_tpm::{BusyTpm, QUOTE},
};

/// Where nothing waits, this is below every pause and every network.
const SHORT: Duration = Duration::from_millis(300);

async fn order(server: &Server, host: &Host, patience: Patience) -> Order {
    let token = server.token(Some(1), Approval::NotRequired).await;
    Order {
        server: server.admin.base().to_owned(),
        ca_pin: server.pin().await,
        token: token.token,
        host: source::host::says(Some(host.name.clone())),
        patience,
    }
}

fn joining(order: &Order, host: &Host) -> JoinHandle<anyhow::Result<Enrolled>> {
    let (order, file, session) = (order.clone(), host.file.clone(), host.session.clone());
    tokio::spawn(async move { join(&order, &file, &session).await })
}

/// Ends with what `task` gives, which must not take long.
async fn soon<T>(task: JoinHandle<T>) -> T {
    tokio::time::timeout(wait::TIME_MAX, task).await.expect("it still waits").unwrap()
}

/// Takes the place of a server that is away, until somebody has tried to reach it.
async fn somebody_tries(listen: &str) {
    let listener = TcpListener::bind(listen).await.unwrap();
    tokio::time::timeout(wait::TIME_MAX, listener.accept()).await.expect("nobody tries").unwrap();
}

#[tokio::test]
async fn a_join_waits_for_a_server_that_is_away() {
    let mut server = Server::start().await;
    server.trust().await;
    let host = Host::boot("early", &BootLog::sound());
    let order = order(&server, &host, Patience::Endless).await;
    server.kill();

    // Without patience, and with too little of it, the first error is the last.
    for patience in [Patience::None, Patience::For(SHORT)] {
        let hasty = Order { patience, ..order.clone() };
        let err = soon(joining(&hasty, &host)).await.unwrap_err();
        let err = err.downcast::<ClientError>().unwrap();
        assert!(matches!(err, ClientError::Unreachable(_)), "{err:?}");
    }

    let waiting = joining(&order, &host);
    somebody_tries(server.listen()).await;
    assert!(!waiting.is_finished());
    server.restart().await;
    let enrolled = soon(waiting).await.unwrap();
    assert!(enrolled.findings.is_empty(), "{:?}", enrolled.findings);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn what_waiting_does_not_mend_ends_a_join_at_once() {
    let server = Server::start().await;
    let host = Host::without_tpm("a");
    let right = order(&server, &host, Patience::Endless).await;

    let pin = Order { ca_pin: CaPin([7; 32]), ..right.clone() };
    let err = soon(joining(&pin, &host)).await.unwrap_err();
    assert!(matches!(err.downcast::<ClientError>(), Ok(ClientError::Untrusted(_))));

    let token = Order { token: "bpj_00".to_owned(), ..right.clone() };
    let err = soon(joining(&token, &host)).await.unwrap_err();
    assert_eq!(err.downcast::<ClientError>().unwrap().code(), Some("join-token-unknown"));

    soon(joining(&right, &host)).await.unwrap();
    let twice = soon(joining(&right, &host)).await.unwrap_err();
    assert!(twice.to_string().contains("bootproof-agent leave"), "{twice}");
}

#[tokio::test]
async fn a_join_waits_for_a_tpm_whose_driver_comes_later() {
    let server = Server::start().await;
    server.trust().await;
    let log = BootLog::sound().build();
    let mut tpm = Swtpm::builder().ek_cert(&CA).name("early").start().unwrap();
    tpm.stop();
    let choice = TpmChoice::At(tpm.address().parse().unwrap());
    let host = Host::with("early", choice, &log.bytes, None);
    let waiting = joining(&order(&server, &host, Patience::Endless).await, &host);
    tpm.start().unwrap();
    boot(&tpm, &log).unwrap();
    let enrolled = soon(waiting).await.unwrap();
    assert!(enrolled.findings.is_empty(), "{:?}", enrolled.findings);
    assert!(server.host(&enrolled.host_id).await.identity.is_some());
}

#[tokio::test]
async fn an_activation_whose_answer_was_lost_is_settled_by_the_next_join() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("lost", &BootLog::sound());
    let order = order(&server, &host, Patience::None).await;
    let first = join(&order, &host.file, &host.session).await.unwrap();
    // The agent was killed after it sent the proof, and before it read the answer.
    let mut state = host.file.load().unwrap();
    state.activating = state.member.as_mut().unwrap().credentials.take();
    host.file.save(&state).unwrap();
    let second = join(&order, &host.file, &host.session).await.unwrap();
    assert_eq!(first.host_id, second.host_id);
    assert_eq!(server.hosts().await.len(), 1);
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}

#[tokio::test]
async fn the_courier_starts_before_the_server_and_outlives_its_restarts() {
    let mut server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    server.kill();
    let serving = host.serve();
    somebody_tries(server.listen()).await;
    server.restart().await;
    server.wait_for(&id, "accepted", None).await;

    for _ in 0..2 {
        let before = server.host(&id).await.host.appraised_at_ms;
        server.kill();
        somebody_tries(server.listen()).await;
        server.restart().await;
        server.steer(&id, "attest").await;
        let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
        while server.host(&id).await.host.appraised_at_ms == before {
            assert!(tokio::time::Instant::now() < deadline, "the courier did not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert_eq!(server.host(&id).await.host.verdict, "accepted");
    drop(serving);
}

#[tokio::test]
async fn a_tpm_that_asks_for_each_command_again_is_asked_again() {
    let server = Server::start().await;
    server.trust().await;
    let log = BootLog::sound().build();
    let tpm = Swtpm::builder().ek_cert(&CA).name("busy").start().unwrap();
    boot(&tpm, &log).unwrap();
    // TPM_RC_RETRY, TPM_RC_YIELDED, TPM_RC_TESTING and TPM_RC_NV_RATE, once each, before the TPM
    // answers: for each code of a command anew.
    let mut refused = HashMap::<u32, usize>::new();
    let busy = BusyTpm::before(&tpm, move |code| {
        let n = refused.entry(code).or_default();
        *n += 1;
        [0x922, 0x908, 0x90a, 0x920].get(*n - 1).copied()
    });
    let host = Host::with("busy", busy.choice(), &log.bytes, None);
    let enrolled = server.join(&host).await;
    assert!(enrolled.findings.is_empty(), "{:?}", enrolled.findings);
    let serving = host.serve();
    server.wait_for(&enrolled.host_id, "accepted", None).await;
    assert!(busy.n_asked(QUOTE) >= 5);
    drop(serving);
}

#[tokio::test]
async fn a_tpm_in_lockout_is_asked_once_for_a_challenge() {
    let server = Server::start().await;
    server.trust().await;
    let log = BootLog::sound().build();
    let tpm = Swtpm::builder().ek_cert(&CA).name("locked").start().unwrap();
    boot(&tpm, &log).unwrap();
    let busy = BusyTpm::before(&tpm, |code| (code == QUOTE).then_some(0x921));
    let host = Host::with("locked", busy.choice(), &log.bytes, None);
    let id = server.join(&host).await.host_id;
    let serving = host.serve();
    let detail = server.wait_for(&id, "not accepted", Some("tpm-fault")).await;
    assert!(has(&detail.host.findings, "tpm-fault"));
    assert_eq!(busy.n_asked(QUOTE), 1);
    // The next challenge comes when the server or a person wants it, and not before.
    server.steer(&id, "attest").await;
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    while server.host(&id).await.host.appraised_at_ms == detail.host.appraised_at_ms {
        assert!(tokio::time::Instant::now() < deadline, "no second judgement");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(busy.n_asked(QUOTE), 2);
    drop(serving);
}

/// A server whose certificates are those of another time, as they look to a machine whose clock is
/// not set yet.
async fn server_of_another_time(now: SystemTime) -> (String, CaPin, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::open(folder.path(), &["127.0.0.1".to_owned()], now).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(authority.server_config().unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            drop(acceptor.accept(stream).await);
        }
    });
    (url, authority.pin().parse().unwrap(), folder)
}

#[tokio::test]
async fn a_clock_that_is_not_set_is_waited_for_and_a_foreign_authority_is_not() {
    const YEARS: Duration = Duration::from_secs(20 * 365 * 24 * 3600);
    for other in [SystemTime::now() + YEARS, SystemTime::now() - YEARS] {
        let (url, pin, _folder) = server_of_another_time(other).await;
        let asked = |pin| {
            let client = Client::new(&url, &Trust::CaPin(pin)).unwrap();
            async move { client.get::<api::admin::Server>("/v1/server").await.unwrap_err() }
        };
        let err = asked(pin).await;
        assert!(matches!(err, ClientError::Untimely(_)), "{err:?}");
        assert!(err.is_transient() && err.hint().unwrap().contains("clock"));
        let err = asked(CaPin([7; 32])).await;
        assert!(matches!(err, ClientError::Untrusted(_)), "{err:?}");
        assert!(!err.is_transient());
    }
}
