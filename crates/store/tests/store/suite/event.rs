//! Events: told once, in order, and to whom it concerns.

use serde_json::Value;
use store::{
    AlarmCause, AlarmSelection, Approval, Conflict, Event, EventCursor, EventKind, EventKind as K,
    Host, HostId, LabelsChange, NewAppraisal, Reenrolment, Settlement, Store, StoreError,
};

use super::make::{appraisal, by, enrolled, host, new_host};

/// All that is there, after it was published.
pub(crate) async fn all(store: &dyn Store) -> Vec<Event> {
    after(store, store.event_span().await.unwrap().first).await
}

async fn after(store: &dyn Store, mut cursor: EventCursor) -> Vec<Event> {
    while store.publish_events().await.unwrap() > 0 {}
    let mut all = Vec::new();
    loop {
        let page = store.events(cursor, 3).await.unwrap();
        let Some(last) = page.last() else { return all };
        cursor = last.cursor;
        all.extend(page);
    }
}

fn kinds(events: &[Event]) -> Vec<EventKind> {
    events.iter().map(|event| event.kind).collect()
}

fn data(event: &Event) -> Value {
    serde_json::from_str(&event.data_json).unwrap()
}

/// What stands against a host, as somebody who looks at it finds it.
async fn settle(store: &dyn Store, id: &HostId, codes: &[&str], at_ms: i64) {
    store.look_at_all().await.unwrap();
    let due = store.claim_looks(at_ms, at_ms, 100).await.unwrap();
    let change = due.iter().find(|due| due.host.id == *id).unwrap().change;
    let cause = |code: &&str| AlarmCause {
        code: (*code).to_owned(),
        severity: "fail".to_owned(),
        cause: format!("{code} was found"),
    };
    let causes = codes.iter().map(cause).collect();
    let look_again_at_ms = None;
    let (host, stands) = (id.clone(), store::Stood::NotAccepted);
    let settlement = Settlement { host, change, causes, look_again_at_ms, stands, at_ms };
    store.settle_alarms(settlement).await.unwrap();
}

fn of(code: &str) -> AlarmSelection {
    AlarmSelection::Code(code.to_owned())
}

fn refused(host: &Host, nonce_at_ms: i64) -> NewAppraisal {
    NewAppraisal { verdict: "not accepted".to_owned(), ..appraisal(host, nonce_at_ms) }
}

pub(crate) async fn each_change_tells_once_and_in_order(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.create_host(new_host("b"), by(4)).await.unwrap();
    let set = [("site".to_owned(), "muc".to_owned())].into();
    let labels = LabelsChange { set, remove: vec![] };
    store.change_labels(&a.id, labels, by(5)).await.unwrap();
    store.record_appraisal(appraisal(&a, 100), by(105)).await.unwrap();
    store.record_appraisal(refused(&a, 200), by(205)).await.unwrap();
    settle(store, &a.id, &["secure-boot-off"], 210).await;
    let known = store.acknowledge_alarms(of("secure-boot-off"), "ticket", None, by(220));
    assert_eq!(known.await.unwrap(), 1);
    store.withdraw_acknowledgements(of("secure-boot-off"), by(230)).await.unwrap();
    settle(store, &a.id, &[], 240).await;
    store.enter_maintenance(&a.id, Some(900), "board", by(250)).await.unwrap();
    store.leave_maintenance(&a.id, by(260)).await.unwrap();
    store.disconnect_host(&a.id, by(270)).await.unwrap();
    store.reconnect_host(&a.id, Reenrolment::NotWanted, by(280)).await.unwrap();
    store.set_approval(&a.id, Approval::Approved, by(290)).await.unwrap();
    store.remove_host(&a.id, by(300)).await.unwrap();

    let events = all(store).await;
    assert_eq!(
        kinds(&events),
        [
            K::HostAdded,
            K::HostAdded,
            K::HostStateChanged,
            K::HostVerdictChanged,
            K::HostVerdictChanged,
            K::AlarmRaised,
            K::AlarmAcknowledged,
            K::AlarmAcknowledgementEnded,
            K::AlarmCleared,
            K::HostStateChanged,
            K::HostStateChanged,
            K::HostStateChanged,
            K::HostStateChanged,
            K::HostStateChanged,
            K::HostRemoved,
        ]
    );
    let numbers: Vec<_> = events.iter().map(|event| event.cursor.seq).collect();
    assert_eq!(numbers, (1..=15).collect::<Vec<_>>(), "no gap");
    assert_eq!(events[1].host.as_str(), "b");
    assert!(events.iter().all(|event| event.host_name
        == format!("{}.example", if event.host == a.id { "a" } else { "b" })));
    assert!(events[3..].iter().all(|event| event.labels["site"] == "muc"), "as they were then");
    assert!(events[0].labels.is_empty());
    let verdict = &data(&events[4])["verdict"];
    assert_eq!(
        (&verdict["verdict"], &verdict["before"]),
        (&"not accepted".into(), &"accepted".into())
    );
    assert_eq!(events[5].severity.as_deref(), Some("fail"));
    assert_eq!(data(&events[5])["alarm"]["code"], "secure-boot-off");
    assert_eq!(data(&events[6])["alarm"]["acknowledgement"]["reason"], "ticket");
    assert_eq!(data(&events[7])["by"], "alice");
    assert_eq!(data(&events[8])["alarm"]["cleared_at_ms"], 240);
    assert_eq!(data(&events[9])["state"]["maintenance"]["reason"], "board");
    assert_eq!(data(&events[11])["state"]["connection"], "disconnected");
    assert_eq!(events[14].cursor.at_ms, 300);
}

pub(crate) async fn what_changes_nothing_tells_nothing(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    store.record_appraisal(appraisal(&a, 100), by(105)).await.unwrap();
    let n = all(store).await.len();
    store.record_appraisal(appraisal(&a, 200), by(205)).await.unwrap();
    store.note_seen(&a.id, 210).await.unwrap();
    settle(store, &a.id, &[], 220).await;
    store.leave_maintenance(&a.id, by(230)).await.unwrap();
    store.change_labels(&a.id, LabelsChange::default(), by(240)).await.unwrap();
    store.withdraw_acknowledgements(of("none"), by(250)).await.unwrap();
    let stale = store.record_appraisal(refused(&a, 200), by(260)).await;
    assert!(stale.is_err(), "what is refused is no event either");
    assert_eq!(store.end_lapsed(10_000, 10).await.unwrap(), 0);
    assert_eq!(all(store).await.len(), n);
}

pub(crate) async fn a_reader_goes_on_where_it_was(store: &dyn Store) {
    let nothing = store.event_span().await.unwrap();
    assert_eq!((nothing.first, nothing.last), (EventCursor::START, EventCursor::START));
    assert!(after(store, EventCursor::START).await.is_empty());
    let a = enrolled(store, "a").await;
    let first = all(store).await;
    let last = store.event_span().await.unwrap().last;
    assert_eq!(first.last().unwrap().cursor, last);
    assert!(after(store, last).await.is_empty());
    store.disconnect_host(&a.id, by(5)).await.unwrap();
    assert_eq!(kinds(&after(store, last).await), [K::HostStateChanged]);
    // A number that was given to another event, and one that was never given.
    for wrong in
        [EventCursor { at_ms: last.at_ms + 1, ..last }, EventCursor { seq: last.seq + 9, ..last }]
    {
        let answer = store.events(wrong, 1).await;
        let no = Conflict::NoSuchEvent { after: wrong };
        assert!(matches!(&answer, Err(StoreError::Conflict(c)) if *c == no), "{answer:?}");
    }
}

pub(crate) async fn what_was_forgotten_is_said(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    for at_ms in [100, 200, 300] {
        store.set_approval(&a.id, Approval::Approved, by(at_ms)).await.unwrap();
    }
    let events = all(store).await;
    assert_eq!(events.len(), 4);
    assert_eq!(store.forget_events(200, 1).await.unwrap(), 1, "a slice");
    assert_eq!(store.forget_events(200, 10).await.unwrap(), 1);
    assert_eq!(store.forget_events(200, 10).await.unwrap(), 0, "the rest is young");
    let lost = store.events(events[0].cursor, 9).await;
    let gone = Conflict::EventsForgotten { after: events[0].cursor };
    assert!(matches!(&lost, Err(StoreError::Conflict(c)) if *c == gone), "{lost:?}");
    // Who has read all that is gone misses nothing.
    assert_eq!(after(store, events[1].cursor).await, events[2..]);
    assert_eq!(all(store).await, events[2..]);
    assert_eq!(store.forget_events(1_000, 10).await.unwrap(), 2);
    let span = store.event_span().await.unwrap();
    assert_eq!((span.first.seq, span.last.seq), (4, 4));
    store.disconnect_host(&a.id, by(2_000)).await.unwrap();
    let next = after(store, events[3].cursor).await;
    assert_eq!(next[0].cursor.seq, 5, "no number is given twice");
}

pub(crate) async fn what_is_raised_in_maintenance_is_told_afterwards(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    settle(store, &a.id, &["old"], 10).await;
    store.enter_maintenance(&a.id, None, "board", by(20)).await.unwrap();
    settle(store, &a.id, &["old", "new", "short"], 30).await;
    settle(store, &a.id, &["old", "new"], 40).await;
    let from = store.event_span().await.unwrap().last;
    let events = all(store).await;
    let muted: Vec<_> = events
        .iter()
        .filter(|event| event.is_muted)
        .map(|event| (event.kind, data(event)["alarm"]["code"].as_str().unwrap().to_owned()))
        .collect();
    let code = |code: &str| code.to_owned();
    assert_eq!(
        muted,
        [
            (K::AlarmRaised, code("new")),
            (K::AlarmRaised, code("short")),
            (K::AlarmCleared, code("short")),
        ]
    );
    let from = events.last().map_or(from, |event| event.cursor);
    store.leave_maintenance(&a.id, by(50)).await.unwrap();
    let told = after(store, from).await;
    assert_eq!(kinds(&told), [K::HostStateChanged, K::AlarmUnmuted]);
    assert_eq!(data(&told[1])["alarm"]["code"], "new");
    assert!(!told[1].is_muted);
    // What was told is told when it is gone, too.
    settle(store, &a.id, &[], 60).await;
    let cleared = after(store, told[1].cursor).await;
    assert_eq!(kinds(&cleared), [K::AlarmCleared, K::AlarmCleared]);
    assert!(cleared.iter().all(|event| !event.is_muted));
}

pub(crate) async fn an_acknowledgement_that_ends_is_told_again(store: &dyn Store) {
    let a = enrolled(store, "a").await;
    settle(store, &a.id, &["x"], 10).await;
    store.acknowledge_alarms(of("x"), "ticket", Some(100), by(20)).await.unwrap();
    let from = all(store).await.last().unwrap().cursor;
    assert_eq!(store.end_lapsed(99, 10).await.unwrap(), 0, "it lasts");
    assert_eq!(store.end_lapsed(100, 10).await.unwrap(), 1);
    let ended = after(store, from).await;
    assert_eq!(kinds(&ended), [K::AlarmAcknowledgementEnded]);
    assert!(!ended[0].is_muted && data(&ended[0]).get("by").is_none(), "nobody ended it");
    // While somebody works on the host it is told afterwards.
    store.acknowledge_alarms(of("x"), "again", Some(200), by(110)).await.unwrap();
    store.enter_maintenance(&a.id, Some(300), "board", by(120)).await.unwrap();
    let from = all(store).await.last().unwrap().cursor;
    assert_eq!(store.end_lapsed(200, 10).await.unwrap(), 1);
    assert_eq!(store.end_lapsed(300, 10).await.unwrap(), 1);
    let ended = after(store, from).await;
    let expected = [K::AlarmAcknowledgementEnded, K::HostStateChanged, K::AlarmUnmuted];
    assert_eq!(kinds(&ended), expected);
    assert_eq!(ended.iter().map(|event| event.is_muted).collect::<Vec<_>>(), [true, false, false]);
    assert_eq!(host(store, &a.id).await.maintenance, None);
}

pub(crate) async fn what_ends_by_time_ends_once(store: &dyn Store) {
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        ids.push(enrolled(store, name).await.id);
    }
    for id in &ids {
        store.enter_maintenance(id, Some(100), "board", by(10)).await.unwrap();
    }
    let from = all(store).await.last().unwrap().cursor;
    let ends = (0..6).map(|_| store.end_lapsed(100, 2));
    let n_ended: u32 = super::appraisal::all(ends).await.into_iter().map(Result::unwrap).sum();
    let rest = store.end_lapsed(100, 10).await.unwrap();
    assert_eq!(n_ended + rest, 3);
    assert_eq!(after(store, from).await.len(), 3);
}
