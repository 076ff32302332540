//! Two boots of a host beside each other.

use api::{admin::PastAppraisal, boot_diff::BootDiff};
use cli::Exit;
use client::ClientError;
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
    references::reboot,
};

const OTHER_COMMAND_LINE: &str = "root=/dev/sda1 init=/bin/sh";

async fn diff(server: &Server, id: &str, query: &str) -> Result<BootDiff, ClientError> {
    server.admin.get(&format!("/v1/hosts/{id}/boots/diff{query}")).await
}

async fn history(server: &Server, id: &str) -> Vec<i64> {
    let past: Vec<PastAppraisal> =
        server.admin.get(&format!("/v1/hosts/{id}/appraisals")).await.unwrap();
    past.iter().map(|past| past.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_different_between_two_boots_is_told_in_words() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    assert_eq!(code(diff(&server, &id, "").await), "judgement-not-found", "never judged");
    host.attest(&server).await.unwrap();
    host.attest(&server).await.unwrap();
    assert_eq!(code(diff(&server, &id, "").await), "judgement-not-found", "one boot only");

    reboot(&mut host, &BootLog::sound().kernel_cmdline(OTHER_COMMAND_LINE));
    host.attest(&server).await.unwrap();
    let found = diff(&server, &id, "").await.unwrap();
    let numbers = history(&server, &id).await;
    assert_eq!((found.from.id, found.to.id), (numbers[1], numbers[0]));
    assert_ne!(found.from.reset_count, found.to.reset_count);
    let words: Vec<_> = found.changes.iter().map(|change| change.words.as_str()).collect();
    assert!(words.iter().any(|words| words.contains(OTHER_COMMAND_LINE)), "{words:?}");
    assert!(found.equal_pcrs.contains('7'), "{}", found.equal_pcrs);

    // The same boot twice, and one beside itself: nothing is different.
    for (from, to) in [(numbers[2], numbers[1]), (numbers[0], numbers[0])] {
        let found = diff(&server, &id, &format!("?from={from}&to={to}")).await.unwrap();
        assert_eq!(found.changes, [], "{from} {to}");
    }
    // The other way round it is the same, told from the other side.
    let back =
        diff(&server, &id, &format!("?from={}&to={}", numbers[0], numbers[1])).await.unwrap();
    assert_eq!(back.changes.len(), found.changes.len());

    // A judgement of nobody, or of another host, is none of this one's.
    let other = Host::boot("web-2", &BootLog::sound());
    let other_id = server.join(&other).await.host_id;
    other.attest(&server).await.unwrap();
    let of_other = history(&server, &other_id).await[0];
    for number in [of_other, 0, -1] {
        let query = format!("?from={number}");
        assert_eq!(code(diff(&server, &id, &query).await), "judgement-not-found", "{number}");
    }

    for form in [None, Some("--json")] {
        let words: Vec<_> = ["host", "diff", "web-1"].into_iter().chain(form).collect();
        assert_eq!(bootproof(&server, &words).await.unwrap(), Exit::No);
    }
    let (from, to) = (numbers[2].to_string(), numbers[1].to_string());
    let words = ["host", "diff", "web-1", "--from", &from, "--to", &to];
    assert_eq!(bootproof(&server, &words).await.unwrap(), Exit::Done);
}

#[tokio::test]
async fn a_boot_of_before_the_keys_changed_is_compared_by_the_keys_of_then() {
    let server = Server::start().await;
    server.trust().await;
    let mut host = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&host).await.host_id;
    host.attest(&server).await.unwrap();
    server.steer(&id, "disconnect").await;
    server.steer(&id, "reconnect").await;
    reboot(&mut host, &BootLog::sound().kernel_cmdline(OTHER_COMMAND_LINE));
    let serving = host.serve();
    let deadline = tokio::time::Instant::now() + testkit::wait::TIME_MAX;
    while history(&server, &id).await.len() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "it was not judged again");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(serving);
    let found = diff(&server, &id, "").await.unwrap();
    assert!(!found.changes.is_empty(), "{found:?}");
}
