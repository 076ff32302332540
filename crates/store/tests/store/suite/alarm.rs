//! Alarms: what stands against hosts.

use store::{
    Alarm, AlarmCause, AlarmEdges, AlarmFilter, AlarmSelection, Approval, DueLook, Host, HostId,
    LabelsChange, NewAppraisal, NewCandidate, Settlement, Store, TpmPresence,
};

use super::make::{appraisal, by, digest, enrolled};

fn cause(code: &str) -> AlarmCause {
    AlarmCause { code: code.into(), severity: "fail".into(), cause: format!("{code}, because") }
}

async fn due(store: &dyn Store, now_ms: i64) -> Vec<DueLook> {
    store.claim_looks(now_ms, now_ms, 500).await.unwrap()
}

/// Looks at the one host that is due at `at_ms`, and finds `codes` against it.
async fn look(store: &dyn Store, at_ms: i64, codes: &[&str]) -> AlarmEdges {
    let [due] = &due(store, at_ms).await[..] else { panic!("not one host is due") };
    settle(store, due, at_ms, codes).await
}

async fn settle(store: &dyn Store, due: &DueLook, at_ms: i64, codes: &[&str]) -> AlarmEdges {
    let settlement = Settlement {
        host: due.host.id.clone(),
        change: due.change,
        causes: codes.iter().map(|code| cause(code)).collect(),
        look_again_at_ms: None,
        stands: store::Stood::NotAccepted,
        at_ms,
    };
    store.settle_alarms(settlement).await.unwrap()
}

async fn standing(store: &dyn Store) -> Vec<Alarm> {
    store.alarms(AlarmFilter::default(), None, 500).await.unwrap()
}

fn codes(alarms: &[Alarm]) -> Vec<&str> {
    alarms.iter().map(|alarm| alarm.code.as_str()).collect()
}

async fn is_due(store: &dyn Store, host: &Host, now_ms: i64) -> bool {
    due(store, now_ms).await.iter().any(|due| due.host.id == host.id)
}

pub(crate) async fn a_host_is_due_after_each_change_and_when_its_verdict_ends(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    assert!(is_due(store, &a, 10).await, "a host that joined");
    look(store, 10, &[]).await;
    assert!(!is_due(store, &a, i64::MAX - 1).await, "nothing was judged that could end");

    let first = NewAppraisal { look_again_at_ms: 500, ..appraisal(&a, 100) };
    store.record_appraisal(first, by(105)).await.unwrap();
    assert!(is_due(store, &a, 106).await, "the first verdict");
    look(store, 106, &[]).await;

    // The same again puts the end off, for who looks then.
    let settled = |look_again_at_ms| Settlement {
        host: a.id.clone(),
        change: 0,
        causes: Vec::new(),
        look_again_at_ms,
        stands: store::Stood::Accepted,
        at_ms: 107,
    };
    let change = |found: &[DueLook]| found[0].change;
    store.look_at_all().await.unwrap();
    let found = due(store, 107).await;
    let again = Settlement { change: change(&found), ..settled(Some(500)) };
    store.settle_alarms(again).await.unwrap();
    assert!(!is_due(store, &a, 499).await);
    assert!(is_due(store, &a, 500).await, "the verdict ends by age");
    let same = NewAppraisal { look_again_at_ms: 600, ..appraisal(&a, 200) };
    store.record_appraisal(same, by(205)).await.unwrap();
    assert!(!is_due(store, &a, 499).await);
    let found = due(store, 500).await;
    assert_eq!(found[0].host.last.as_ref().unwrap().at_ms, 205, "the younger one");
    let again = Settlement { change: change(&found), ..settled(Some(600)) };
    store.settle_alarms(again.clone()).await.unwrap();
    assert!(!is_due(store, &a, 599).await && is_due(store, &a, 600).await);
    store.settle_alarms(again.clone()).await.unwrap();
    // One that ends before the last one does.
    let short = NewAppraisal { look_again_at_ms: 550, ..appraisal(&a, 300) };
    store.record_appraisal(short, by(305)).await.unwrap();
    assert!(!is_due(store, &a, 549).await && is_due(store, &a, 550).await);
    // One that came too late leaves the host due: that its verdict had ended is to be settled.
    let late = NewAppraisal { look_again_at_ms: 2_000, ..appraisal(&a, 700) };
    store.record_appraisal(late, by(705)).await.unwrap();
    assert!(is_due(store, &a, 705).await);
    let found_before = change(&due(store, 705).await);
    look(store, 705, &[]).await;
    // So does one that came when that was settled.
    assert!(!is_due(store, &a, i64::MAX - 1).await);
    let later = NewAppraisal { look_again_at_ms: 2_000, ..appraisal(&a, 750) };
    store.record_appraisal(later, by(755)).await.unwrap();
    assert!(is_due(store, &a, 755).await);
    // Who looked before it came does not settle it.
    store.settle_alarms(Settlement { change: found_before, ..settled(None) }).await.unwrap();
    assert!(is_due(store, &a, 755).await);
    look(store, 755, &[]).await;

    let refused = NewAppraisal {
        verdict: "not accepted".into(),
        look_again_at_ms: 2_000,
        ..appraisal(&a, 800)
    };
    store.record_appraisal(refused, by(805)).await.unwrap();
    assert!(is_due(store, &a, 805).await, "another verdict");
    look(store, 805, &[]).await;
    let other_findings = NewAppraisal {
        verdict: "not accepted".into(),
        findings_json: "[1]".into(),
        look_again_at_ms: 2_000,
        ..appraisal(&a, 900)
    };
    store.record_appraisal(other_findings, by(905)).await.unwrap();
    assert!(is_due(store, &a, 905).await, "other findings");
    look(store, 905, &[]).await;

    store.note_seen(&a.id, 910).await.unwrap();
    assert!(!is_due(store, &a, 910).await, "that it spoke says nothing");
    store.note_tpm(&a.id, TpmPresence::Absent).await.unwrap();
    assert!(is_due(store, &a, 910).await, "its TPM");
    look(store, 910, &[]).await;
    store.set_approval(&a.id, Approval::Waiting, by(911)).await.unwrap();
    assert!(is_due(store, &a, 911).await, "its approval");
    look(store, 911, &[]).await;
    let candidate = NewCandidate {
        host: a.id.clone(),
        ek_spki_sha256: digest("another"),
        judgement_json: "null".into(),
        expires_at_ms: 5_000,
        stale_before_ms: 0,
    };
    store.note_candidate(candidate, by(912)).await.unwrap();
    assert!(is_due(store, &a, 912).await, "another TPM");
    look(store, 912, &[]).await;
    let labels = [("site".to_owned(), "muc".to_owned())].into();
    let change = LabelsChange { set: labels, remove: Vec::new() };
    store.change_labels(&a.id, change, by(913)).await.unwrap();
    assert!(is_due(store, &a, 913).await, "its labels, and so its schedule");
    look(store, 913, &[]).await;
    store.disconnect_host(&a.id, by(913)).await.unwrap();
    assert!(is_due(store, &a, 913).await, "its connection");
}

pub(crate) async fn an_alarm_stands_as_long_as_its_cause(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let edges = look(store, 10, &["secure-boot-off", "log-mismatch"]).await;
    assert_eq!(codes(&edges.raised), ["secure-boot-off", "log-mismatch"]);
    assert!(edges.cleared.is_empty());
    let raised = &edges.raised[0];
    assert_eq!((&raised.host, &*raised.host_name, raised.raised_at_ms), (&a.id, "a.example", 10));

    // The same again is no edge; one goes, one comes.
    store.look_at_all().await.unwrap();
    assert_eq!(look(store, 20, &["secure-boot-off", "log-mismatch"]).await, AlarmEdges::default());
    store.look_at_all().await.unwrap();
    let edges = look(store, 30, &["log-mismatch", "ek-changed"]).await;
    assert_eq!(
        (codes(&edges.raised), codes(&edges.cleared)),
        (vec!["ek-changed"], vec!["secure-boot-off"])
    );
    assert_eq!(edges.cleared[0].cleared_at_ms, Some(30));

    // Other words for the same cause are no other alarm.
    store.look_at_all().await.unwrap();
    let [due] = &due(store, 40).await[..] else { panic!() };
    let worse =
        AlarmCause { cause: "PCR 4".into(), severity: "hold".into(), ..cause("log-mismatch") };
    let settlement = Settlement {
        host: a.id.clone(),
        change: due.change,
        causes: vec![worse, cause("ek-changed")],
        look_again_at_ms: None,
        stands: store::Stood::NotAccepted,
        at_ms: 40,
    };
    assert_eq!(store.settle_alarms(settlement).await.unwrap(), AlarmEdges::default());
    let now = standing(store).await;
    assert_eq!(codes(&now), ["ek-changed", "log-mismatch"]);
    assert_eq!((&*now[1].cause, &*now[1].severity, now[1].raised_at_ms), ("PCR 4", "hold", 10));

    // What comes back is a new alarm.
    store.look_at_all().await.unwrap();
    look(store, 50, &[]).await;
    assert!(standing(store).await.is_empty());
    store.look_at_all().await.unwrap();
    look(store, 60, &["ek-changed"]).await;
    let all = AlarmFilter { with_cleared: true, ..AlarmFilter::default() };
    let all = store.alarms(all, None, 500).await.unwrap();
    let of_ek: Vec<_> = all.iter().filter(|alarm| alarm.code == "ek-changed").collect();
    assert_eq!((of_ek.len(), of_ek[0].cleared_at_ms, of_ek[1].cleared_at_ms), (2, None, Some(50)));
}

pub(crate) async fn a_change_during_a_look_keeps_the_host_due(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    let [due_before] = &due(store, 10).await[..] else { panic!() };
    store.note_tpm(&a.id, TpmPresence::Absent).await.unwrap();
    let edges = settle(store, due_before, 11, &["secure-boot-off"]).await;
    assert_eq!(edges, AlarmEdges::default(), "it is not what stands any more");
    assert!(is_due(store, &a, 11).await);
    assert_eq!(codes(&look(store, 12, &["no-tpm"]).await.raised), ["no-tpm"]);
    // A host that is gone.
    let gone = DueLook { host: Host { id: HostId::from("none"), ..a }, change: 0 };
    assert_eq!(settle(store, &gone, 13, &["no-tpm"]).await, AlarmEdges::default());
}

/// Enrols these hosts; each has these codes against it.
async fn fleet(store: &dyn Store, hosts: &[(&str, &[&str])]) -> Vec<Host> {
    let mut all = Vec::new();
    for (name, codes) in hosts {
        let host = enrolled(store, name).await;
        let found = due(store, 10).await;
        let due = found.iter().find(|due| due.host.id == host.id).unwrap();
        settle(store, due, 10, codes).await;
        all.push(host);
    }
    all
}

pub(crate) async fn alarms_of_one_cause_are_one_group(store: &dyn Store) {
    let hosts: [(&str, &[&str]); 4] = [
        ("a", &["secure-boot-off"]),
        ("b", &["secure-boot-off", "no-tpm"]),
        ("c", &["secure-boot-off"]),
        ("d", &[]),
    ];
    let hosts = fleet(store, &hosts).await;
    store.enter_maintenance(&hosts[1].id, Some(100), "board", by(20)).await.unwrap();
    let counts = async |now_ms| {
        let groups = store.alarm_groups(now_ms).await.unwrap();
        let count = |group: &store::AlarmGroup| {
            (group.code.clone(), group.n_hosts, group.n_acknowledged, group.n_muted)
        };
        groups.iter().map(count).collect::<Vec<_>>()
    };
    let is = |code: &str, n, n_ack, n_muted| (code.to_owned(), n, n_ack, n_muted);
    assert_eq!(counts(99).await, [is("no-tpm", 1, 0, 1), is("secure-boot-off", 3, 0, 1)]);
    assert_eq!(counts(100).await, [is("no-tpm", 1, 0, 0), is("secure-boot-off", 3, 0, 0)]);
    let of_b = AlarmFilter { host: Some(hosts[1].id.clone()), ..AlarmFilter::default() };
    let of_b = store.alarms(of_b, None, 10).await.unwrap();
    assert!(of_b.iter().all(|alarm| alarm.is_muted_at(99) && !alarm.is_muted_at(100)));
    let both = AlarmSelection::Ids(of_b.iter().map(|alarm| alarm.id).collect());
    assert_eq!(store.acknowledge_alarms(both, "known", None, by(30)).await.unwrap(), 2);
    assert_eq!(counts(99).await, [is("no-tpm", 1, 1, 0), is("secure-boot-off", 3, 1, 0)]);
    let group = &store.alarm_groups(99).await.unwrap()[1];
    assert_eq!((group.since_ms, group.latest_ms, &*group.severity), (10, 10, "fail"));
}

pub(crate) async fn a_person_knows_of_alarms_for_a_time(store: &dyn Store) {
    let hosts: [(&str, &[&str]); 2] = [("a", &["no-tpm"]), ("b", &["no-tpm", "ek-changed"])];
    fleet(store, &hosts).await;
    let of_cause = || AlarmSelection::Code("no-tpm".into());
    let n = store.acknowledge_alarms(of_cause(), "ticket 1", Some(50), by(20)).await.unwrap();
    assert_eq!(n, 2);
    let alarms = standing(store).await;
    let known: Vec<_> = alarms.iter().filter(|alarm| alarm.acknowledged_at(49).is_some()).collect();
    assert_eq!(known.len(), 2);
    assert!(alarms.iter().all(|alarm| alarm.acknowledged_at(50).is_none()), "it ends by itself");
    let ack = known[0].acknowledged_at(49).unwrap();
    assert_eq!((ack.at_ms, &*ack.by, &*ack.reason), (20, "alice", "ticket 1"));
    assert_eq!(store.withdraw_acknowledgements(of_cause(), by(30)).await.unwrap(), 2);
    assert_eq!(store.withdraw_acknowledgements(of_cause(), by(31)).await.unwrap(), 0);
    assert!(standing(store).await.iter().all(|alarm| alarm.acknowledgement.is_none()));
    let nothing = AlarmSelection::Code("none".into());
    assert_eq!(store.acknowledge_alarms(nothing, "x", None, by(32)).await.unwrap(), 0);
    let audited: Vec<_> =
        store.audit(0, 100).await.unwrap().into_iter().map(|row| row.action).collect();
    let of_alarms: Vec<_> = audited.iter().filter(|action| action.starts_with("alarm.")).collect();
    assert_eq!(
        of_alarms,
        ["alarm.acknowledge", "alarm.withdraw"],
        "what changes nothing is not told"
    );
}

pub(crate) async fn alarms_come_in_pages_and_go_with_their_host(store: &dyn Store) {
    let hosts: [(&str, &[&str]); 3] = [("a", &["x"]), ("b", &["x", "y"]), ("c", &["x"])];
    let hosts = fleet(store, &hosts).await;
    let first = store.alarms(AlarmFilter::default(), None, 3).await.unwrap();
    let rest = store.alarms(AlarmFilter::default(), Some(first[2].id), 3).await.unwrap();
    assert_eq!((first.len(), rest.len()), (3, 1));
    assert!(first.is_sorted_by(|a, b| a.id > b.id) && first[2].id > rest[0].id);
    let of_y = AlarmFilter { code: Some("y".into()), ..AlarmFilter::default() };
    assert_eq!(codes(&store.alarms(of_y.clone(), None, 9).await.unwrap()), ["y"]);
    store.remove_host(&hosts[1].id, by(20)).await.unwrap();
    assert!(store.alarms(of_y, None, 9).await.unwrap().is_empty());
    assert_eq!(standing(store).await.len(), 2);
}
