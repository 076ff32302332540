//! Floods and half-open connections: the server stays up, and sound hosts stay as they are.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use agent::source;
use api::{
    admin::Approval,
    agent::{EnrolReply, JoinRequest},
};
use testkit::{log::BootLog, wait};

use crate::bench::{Host, Server};

/// Kibibytes that the server's process holds in memory.
fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_joins_is_refused_and_disturbs_nobody() {
    let server = Server::start().await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    // Whoever floods has a token that joins any number of hosts.
    let token = server.token(None, Approval::NotRequired).await.token;
    let before_kib = resident_kib(&server);
    let start = Instant::now();
    let flood = |n: u8| {
        let (client, token) = (server.admin.clone(), token.clone());
        tokio::spawn(async move {
            let (mut n_joined, mut n_refused) = (0_u32, 0_u32);
            let mut token_sha256 = [n; 32];
            while start.elapsed() < Duration::from_secs(3) {
                token_sha256[..4].copy_from_slice(&(n_joined + n_refused).to_be_bytes());
                let request = JoinRequest {
                    token: token.clone(),
                    host: source::host::says(Some("flood".to_owned())),
                    tpm: None,
                    token_sha256: token_sha256.to_vec().into(),
                };
                match client.post::<_, EnrolReply>("/v1/agent/join", &request).await {
                    Ok(_) => n_joined += 1,
                    Err(err) if err.code() == Some("too-many-joins") => n_refused += 1,
                    Err(err) => panic!("neither joined nor refused: {err:?}"),
                }
            }
            (n_joined, n_refused)
        })
    };
    let floods: Vec<_> = (0..4).map(flood).collect();
    let mut n_attested = 0;
    while start.elapsed() < Duration::from_secs(3) {
        assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
        n_attested += 1;
    }
    let (mut n_joined, mut n_refused) = (0, 0);
    for flood in floods {
        let (joined, refused) = flood.await.unwrap();
        n_joined += joined;
        n_refused += refused;
    }
    let elapsed_s = u32::try_from(start.elapsed().as_secs()).unwrap() + 1;
    assert!(n_joined <= 256 + 32 * elapsed_s, "{n_joined} joined in {elapsed_s} s");
    assert!(n_refused > n_joined, "{n_refused} refused of a flood, {n_attested} attestations");
    let grown_kib = resident_kib(&server).saturating_sub(before_kib);
    assert!(grown_kib < 64 * 1024, "the server grew by {grown_kib} KiB");
    assert_eq!(server.host(&id).await.host.verdict, "accepted");
}

/// Whether the peer has closed the connection.
fn is_closed(mut stream: &TcpStream) -> bool {
    matches!(stream.read(&mut [0; 16]), Ok(0)) || stream.take_error().is_ok_and(|err| err.is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_end_and_disturb_nobody() {
    // Places for all of them but one, so that one more has to wait for the first to end.
    let server = Server::start_with("connections_max = 64").await;
    server.trust().await;
    let host = Host::boot("web-1", &BootLog::sound());
    server.join(&host).await;
    let address = server.admin.base().strip_prefix("https://").unwrap().to_owned();
    // A first record of TLS that never ends, or nothing at all.
    let half = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc];
    let sockets: Vec<_> = (0..150)
        .map(|n| {
            let mut stream = TcpStream::connect(&address).unwrap();
            if n % 2 == 0 {
                stream.write_all(&half).unwrap();
            }
            stream.set_nonblocking(true).unwrap();
            stream
        })
        .collect();
    // Over a connection that is there, and over a new one once a place is free.
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
    wait::until("the first of them are closed", || {
        sockets.iter().filter(|stream| is_closed(stream)).nth(40).map(|_| ())
    });
    assert_eq!(host.attest(&server).await.unwrap().verdict, "accepted");
}
