//! What waits for a person, on the server and on the command line.

use api::{
    admin::Approval,
    approval::{ApprovalPage, DecideReply, Decision, Kind, Waiting},
};
use cli::Exit;
use serde_json::json;
use testkit::log::BootLog;

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

/// All that waits.
async fn waiting(server: &Server) -> Vec<Waiting> {
    let (mut waiting, mut path) = (Vec::new(), "/v1/approvals?limit=1".to_owned());
    loop {
        let page: ApprovalPage = server.admin.get(&path).await.unwrap();
        waiting.extend(page.waiting);
        match page.next_cursor {
            Some(cursor) => path = format!("/v1/approvals?limit=1&cursor={cursor}"),
            None => return waiting,
        }
    }
}

/// Decides, and gives the code of each refusal.
async fn decide(server: &Server, ids: &[&str], decision: Decision) -> Vec<Option<String>> {
    let request = json!({ "ids": ids, "decision": decision, "reason": "delivery 4711" });
    let reply: DecideReply = server.admin.post("/v1/approvals", &request).await.unwrap();
    assert!(ids.iter().zip(&reply.outcomes).all(|(id, outcome)| *id == outcome.id));
    reply.outcomes.into_iter().map(|outcome| Some(outcome.problem?.code)).collect()
}

#[tokio::test]
async fn hosts_wait_with_what_is_to_be_compared_until_a_person_decides() {
    let server = Server::start().await;
    server.trust().await;
    let token = server.token(None, Approval::Required).await.token;
    let (web, db) = (Host::boot("web-1", &BootLog::sound()), Host::boot("db-1", &BootLog::sound()));
    let bare = Host::without_tpm("bare-1");
    for host in [&web, &db, &bare] {
        host.join(&server, &token).await.unwrap();
    }
    let all = waiting(&server).await;
    let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["web-1", "db-1", "bare-1"], "the longest waiting first, page by page");
    assert!(all.iter().all(|one| one.kind == Kind::Host));
    let identity = server.host(all[0].host_id.as_ref().unwrap()).await.identity.unwrap();
    assert_eq!(all[0].ek_sha256.as_ref(), Some(&identity.ek_spki_sha256));
    assert!(all[0].ek_proved && all[0].certificate_serial.is_some());
    assert!(all[0].certificate_issuer.as_ref().unwrap().contains("CN="), "{all:?}");
    assert_eq!((all[2].ek_proved, &all[2].ek_sha256), (false, &None), "nothing is made up");
    let ids: Vec<_> = all.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(decide(&server, &ids[..1], Decision::Approve).await, [None]);
    assert_eq!(web.attest(&server).await.unwrap().verdict, "accepted");
    let not_waiting = || Some("not-waiting".to_owned());
    let again = decide(&server, &[ids[0], ids[1], "host:nobody", "x"], Decision::Refuse).await;
    let expected =
        [not_waiting(), None, Some("host-not-found".into()), Some("approval-invalid".into())];
    assert_eq!(again, expected, "one that cannot be decided holds no other up");
    assert_eq!(web.attest(&server).await.unwrap().verdict, "accepted");
    assert_eq!(decide(&server, &ids[1..2], Decision::Approve).await, [not_waiting()]);
    let left = waiting(&server).await;
    assert_eq!(left.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), [ids[2]]);

    for (ids, reason, refused) in [
        (vec!["host:a"; 501], "r", "too-many-decisions"),
        (vec!["host:a"], "", "reason-invalid"),
        (vec!["host:a"], "two\nlines", "reason-invalid"),
    ] {
        let request = json!({ "ids": ids, "decision": "approve", "reason": reason });
        let answer = server.admin.post::<_, DecideReply>("/v1/approvals", &request).await;
        assert_eq!(code(answer), refused);
    }
    let answer = server.admin.get::<ApprovalPage>("/v1/approvals?cursor=00").await;
    assert_eq!(code(answer), "cursor-invalid");
}

#[tokio::test]
async fn another_tpm_is_decided_about_by_its_digest() {
    let server = Server::start().await;
    server.trust().await;
    let web = Host::boot("web-1", &BootLog::sound());
    let id = server.join(&web).await.host_id;
    let enrolled = server.host(&id).await.identity.unwrap().ek_spki_sha256;
    let board = Host::boot("web-1", &BootLog::sound());
    let token = server.token(None, Approval::NotRequired).await.token;
    assert!(board.join(&server, &token).await.unwrap().quarantined.is_some());
    let [tpm] = &waiting(&server).await[..] else { panic!("one waits") };
    assert_eq!((tpm.kind, tpm.host_id.as_ref()), (Kind::Tpm, Some(&id)));
    assert_eq!(tpm.enrolled_ek_sha256.as_ref(), Some(&enrolled));
    assert_ne!(tpm.ek_sha256.as_ref(), Some(&enrolled));
    assert!(!tpm.ek_proved);

    let another = format!("tpm:{id}:{enrolled}");
    assert_eq!(
        decide(&server, &[&another], Decision::Approve).await,
        [Some("candidate-differs".into())]
    );
    assert_eq!(
        decide(&server, &[&another], Decision::Refuse).await,
        [Some("candidate-differs".into())]
    );
    assert_eq!(decide(&server, &[&tpm.id], Decision::Refuse).await, [None]);
    assert!(waiting(&server).await.is_empty());
    assert!(board.join(&server, &token).await.unwrap().quarantined.is_some());
    assert!(waiting(&server).await.is_empty(), "it was refused, and shows itself again");
    assert!(server.host(&id).await.candidate.unwrap().refused);
    assert_eq!(decide(&server, &[&tpm.id], Decision::Approve).await, [Some("not-waiting".into())]);
    assert_eq!(web.attest(&server).await.unwrap().verdict, "accepted", "the enrolled one counts");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_decided_on_the_command_line() {
    let server = Server::start().await;
    let token = server.token(None, Approval::Required).await.token;
    for name in ["web-1", "web-2", "db-1", "db-2"] {
        Host::without_tpm(name).join(&server, &token).await.unwrap();
    }
    let run = async |words: &[&str]| bootproof(&server, &[&["approval"], words].concat()).await;
    let names = async || waiting(&server).await.into_iter().map(|one| one.name).collect::<Vec<_>>();
    assert_eq!(run(&["list"]).await.unwrap(), Exit::No);
    assert_eq!(run(&["list", "--kind", "tpm"]).await.unwrap(), Exit::Done);
    let reason = ["--reason", "ticket 4711"];
    assert_eq!(
        run(&[&["approve", "web-1", "--dry-run"], &reason[..]].concat()).await.unwrap(),
        Exit::Done
    );
    assert_eq!(names().await.len(), 4, "nothing is done for show");
    assert_eq!(run(&[&["approve", "web-1"], &reason[..]].concat()).await.unwrap(), Exit::Done);
    assert_eq!(names().await, ["web-2", "db-1", "db-2"]);
    assert!(run(&[&["approve", "web-1"], &reason[..]].concat()).await.is_err(), "it waits no more");

    // A list of a purchase names also what has not come.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("list.txt");
    std::fs::write(&file, "# delivery\ndb-1\ndb-9\n").unwrap();
    let file = file.to_str().unwrap();
    let of_file = [&["refuse", "--file", file], &reason[..]].concat();
    assert!(run(&of_file).await.is_err(), "nobody can be asked");
    assert_eq!(run(&[&of_file[..], &["--yes"]].concat()).await.unwrap(), Exit::Done);
    assert_eq!(names().await, ["web-2", "db-2"]);
    let labelled = [&["approve", "--select", "site=muc", "--yes"], &reason[..]].concat();
    assert_eq!(run(&labelled).await.unwrap(), Exit::Done);
    assert_eq!(names().await, ["web-2", "db-2"], "none has that label");
    assert_eq!(
        run(&[&["approve", "--all", "--yes"], &reason[..]].concat()).await.unwrap(),
        Exit::Done
    );
    assert!(names().await.is_empty());
}
