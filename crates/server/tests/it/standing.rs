//! How the fleet stood, and what of it wants a look, as the timer of counts keeps it.

use api::{attention::Attention, standing::StandingHistory};
use testkit::log::BootLog;

use crate::bench::{Host, Server, code};

#[tokio::test]
async fn what_was_counted_is_told_and_kept_over_a_start() {
    let mut server = Server::start().await;
    server.trust().await;
    let sound = Host::boot("web-1", &BootLog::sound());
    server.join(&sound).await;
    assert_eq!(sound.attest(&server).await.unwrap().verdict, "accepted");
    let off = Host::boot("web-2", &BootLog::sound().secure_boot_off());
    server.join(&off).await;
    off.attest(&server).await.unwrap();

    // It counts when it starts.
    server.kill_and_restart().await;
    let deadline = tokio::time::Instant::now() + testkit::wait::TIME_MAX;
    let hour = loop {
        let history: StandingHistory = server.admin.get("/v1/standing").await.unwrap();
        match history.hours.last() {
            Some(hour) if hour.n_accepted + hour.n_not_accepted == 2 => break *hour,
            _ => assert!(tokio::time::Instant::now() < deadline, "{history:?}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert_eq!((hour.n_accepted, hour.n_not_accepted, hour.n_not_appraised), (1, 1, 0));
    assert_eq!(hour.hour_ms % 3_600_000, 0);
    let attention: Attention = server.admin.get("/v1/attention").await.unwrap();
    let codes: Vec<_> = attention.findings.iter().map(|count| count.code.as_str()).collect();
    assert_eq!(codes.len() * usize::from(attention.counted_at_ms.is_some()), codes.len());
    assert_eq!(attention.minorities, [], "hosts that name no model are compared with nobody");

    for query in ["days=0", "days=93"] {
        let refused = server.admin.get::<StandingHistory>(&format!("/v1/standing?{query}")).await;
        assert_eq!(code(refused), "query-invalid", "{query}");
    }
}
