//! Alarms: raised and cleared by what counts of hosts, and known to people.

use std::time::Duration;

use api::alarm::{Alarm, AlarmGroup, AlarmPage, AlarmQuery, AlarmsChanged};
use cli::Exit;
use serde_json::json;
use testkit::{boot::boot, log::BootLog, wait};

use crate::{
    bench::{Host, Server, code},
    commands::bootproof,
};

async fn standing(server: &Server) -> Vec<Alarm> {
    let page: AlarmPage = server.admin.get("/v1/alarms").await.unwrap();
    page.alarms
}

/// Waits until exactly these stand, by code and host.
pub(crate) async fn wait_for(server: &Server, expected: &[(&str, &str)]) -> Vec<Alarm> {
    let deadline = tokio::time::Instant::now() + wait::TIME_MAX;
    loop {
        let alarms = standing(server).await;
        let mut now: Vec<_> =
            alarms.iter().map(|alarm| (alarm.code.as_str(), alarm.host.as_str())).collect();
        now.sort_unstable();
        if now == expected {
            return alarms;
        }
        assert!(tokio::time::Instant::now() < deadline, "{expected:?} never stood: {now:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn groups(server: &Server) -> Vec<AlarmGroup> {
    server.admin.get("/v1/alarm-groups").await.unwrap()
}

async fn joined(server: &Server, name: &str, log: &BootLog) -> (Host, String) {
    let host = Host::boot(name, log);
    let id = server.join(&host).await.host_id;
    (host, id)
}

#[tokio::test]
async fn an_alarm_comes_and_goes_with_its_cause() {
    let mut server = Server::start().await;
    server.trust().await;
    let off = BootLog::sound().secure_boot_off();
    let (mut web, id) = joined(&server, "web-1", &off).await;
    let (db, _) = joined(&server, "db-1", &off).await;
    web.attest(&server).await.unwrap();
    db.attest(&server).await.unwrap();
    let both = [("secure-boot-off", "db-1"), ("secure-boot-off", "web-1")];
    let raised = wait_for(&server, &both).await;
    assert!(raised.iter().all(|alarm| !alarm.next_step.is_empty() && alarm.severity == "fail"));
    let [group] = &groups(&server).await[..] else { panic!("one cause is one group") };
    assert_eq!((&*group.code, group.n_hosts, group.n_acknowledged), ("secure-boot-off", 2, 0));

    // The same evidence again, and the server's next start, raise nothing anew.
    web.attest(&server).await.unwrap();
    server.kill_and_restart().await;
    let again = wait_for(&server, &both).await;
    let ids = |alarms: &[Alarm]| alarms.iter().map(|alarm| alarm.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&raised));

    // One boots soundly: its alarm is gone, the other's stands.
    let tpm = web.tpm.as_mut().unwrap();
    tpm.stop();
    tpm.start().unwrap();
    let sound = BootLog::sound().build();
    boot(tpm, &sound).unwrap();
    std::fs::write(web.log_file(), &sound.bytes).unwrap();
    assert_eq!(web.attest(&server).await.unwrap().verdict, "accepted");
    wait_for(&server, &both[..1]).await;
    let query = AlarmQuery { host: Some(id), cleared: true, ..AlarmQuery::default() };
    let past: AlarmPage = server.admin.get_with("/v1/alarms", &query).await.unwrap();
    assert_eq!(past.alarms.len(), 1);
    assert!(past.alarms[0].cleared_at_ms >= Some(past.alarms[0].raised_at_ms));
}

#[tokio::test]
async fn a_silent_host_raises_one_when_its_verdict_ends() {
    let server = Server::start_with("attest_interval_s = 1\nverdict_good_for_s = 2").await;
    server.trust().await;
    let (web, id) = joined(&server, "web-1", &BootLog::sound()).await;
    assert_eq!(web.attest(&server).await.unwrap().verdict, "accepted");
    let expired = wait_for(&server, &[("verdict-expired", "web-1")]).await;
    assert_eq!(expired[0].severity, "hold");
    // Nothing is expected of a host that a person took out.
    server.steer(&id, "disconnect").await;
    wait_for(&server, &[]).await;
    assert_eq!(web.attest(&server).await.unwrap_err().code(), Some("host-disconnected"));
}

#[tokio::test]
async fn a_person_knows_of_alarms_and_works_on_hosts() {
    let server = Server::start().await;
    let id = server.join(&Host::without_tpm("web-1")).await.host_id;
    server.join(&Host::without_tpm("web-2")).await;
    let alarms = wait_for(&server, &[("no-tpm", "web-1"), ("no-tpm", "web-2")]).await;
    let of_web_1 = alarms.iter().find(|alarm| alarm.host_id == id).unwrap().id;
    let request = json!({ "alarms": { "ids": [of_web_1] }, "reason": "ticket 1" });
    let changed: AlarmsChanged =
        server.admin.post("/v1/alarms/acknowledge", &request).await.unwrap();
    assert_eq!(changed.n, 1);
    let known = standing(&server).await;
    let known: Vec<_> = known.iter().filter(|alarm| alarm.acknowledgement.is_some()).collect();
    assert_eq!((known.len(), known[0].id), (1, of_web_1));
    assert_eq!(known[0].acknowledgement.as_ref().unwrap().by, "administrator");

    let maintenance = json!({ "reason": "new board" });
    let path = format!("/v1/hosts/{id}/maintenance");
    server.admin.post::<_, ()>(&path, &maintenance).await.unwrap();
    let muted = standing(&server).await;
    assert!(muted.iter().all(|alarm| alarm.muted == (alarm.host_id == id)));
    let request = json!({ "alarms": { "code": "no-tpm" } });
    let changed: AlarmsChanged = server.admin.post("/v1/alarms/withdraw", &request).await.unwrap();
    assert_eq!(changed.n, 1);
    let [group] = &groups(&server).await[..] else { panic!("one group") };
    assert_eq!((group.n_hosts, group.n_acknowledged, group.n_muted), (2, 0, 1));

    for (reason, until_ms) in [("", None), ("a\nb", None), ("over", Some(1))] {
        let alarms = json!({ "code": "no-tpm" });
        let request = json!({ "alarms": alarms, "reason": reason, "until_ms": until_ms });
        let answer = server.admin.post::<_, AlarmsChanged>("/v1/alarms/acknowledge", &request);
        assert_eq!(code(answer.await), "acknowledgement-invalid");
    }
    let many = json!({ "alarms": { "ids": vec![1; 1001] } });
    let answer = server.admin.post::<_, AlarmsChanged>("/v1/alarms/withdraw", &many).await;
    assert_eq!(code(answer), "too-many-alarms");
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_read_and_known_on_the_command_line() {
    let server = Server::start().await;
    let run =
        async |words: &[&str]| bootproof(&server, &[&["alarm"], words].concat()).await.unwrap();
    assert_eq!(run(&["list"]).await, Exit::Done);
    server.join(&Host::without_tpm("web-1")).await;
    wait_for(&server, &[("no-tpm", "web-1")]).await;
    assert_eq!(run(&["list"]).await, Exit::No, "one that nobody knows of");
    assert_eq!(run(&["show", "no-tpm"]).await, Exit::Done);
    let known = ["acknowledge", "--host", "web-1", "--reason", "ordered", "--for", "2d"];
    assert_eq!(run(&known).await, Exit::Done);
    assert_eq!(run(&["list"]).await, Exit::Done);
    assert_eq!(run(&["show", "--host", "web-1", "--cleared", "--json"]).await, Exit::Done);
    assert_eq!(run(&["withdraw", "no-tpm"]).await, Exit::Done);
    assert_eq!(run(&["list", "--json"]).await, Exit::No);
    assert_eq!(run(&["show", "log-replay"]).await, Exit::Done, "a cause that nothing has now");
    for words in [&["show", "no-tmp"][..], &["acknowledge", "no-tmp", "--reason", "ordered"]] {
        let refused = bootproof(&server, &[&["alarm"], words].concat()).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no finding \"no-tmp\"");
        assert!(refused.hint().is_some_and(|hint| hint.starts_with("is `no-tpm` meant?")));
    }
}
