//! Channels: held by one, never further than what is delivered.

use store::{
    Approval, Channel, ChannelActivity, ChannelLease, Conflict, DeadLetterId, DeadLetters,
    EventCursor, NewChannel, NewDeadLetter, Progress, Store, StoreError,
};

use super::event::all;
use super::make::{by, enrolled};

fn new(name: &str) -> NewChannel {
    NewChannel {
        name: name.to_owned(),
        kind: "webhook".to_owned(),
        settings_json: r#"{"url":"https://x"}"#.to_owned(),
        sealed: vec![0, 255, 7],
        filter_json: "{}".to_owned(),
        renew_at_ms: None,
    }
}

fn lease(holder: &str, until_ms: i64) -> ChannelLease {
    ChannelLease { holder: holder.to_owned(), until_ms }
}

fn at(channel: &Channel, cursor: EventCursor) -> Progress {
    Progress {
        cursor,
        due_at_ms: 0,
        renew_at_ms: channel.renew_at_ms,
        n_failed: 0,
        last_error: None,
        delivered_at_ms: Some(50),
        dead: Vec::new(),
    }
}

/// A channel with one event behind its cursor.
async fn due(store: &dyn Store) -> EventCursor {
    let a = enrolled(store, "a").await;
    all(store).await;
    store.add_channel(new("ops"), by(5)).await.unwrap();
    assert_eq!(store.claim_channel(lease("me", 100), 10).await.unwrap(), None, "nothing came");
    store.set_approval(&a.id, Approval::Approved, by(6)).await.unwrap();
    all(store).await.last().unwrap().cursor
}

pub(crate) async fn a_channel_is_held_by_one(store: &dyn Store) {
    let last = due(store).await;
    let mine = store.claim_channel(lease("me", 100), 10).await.unwrap().unwrap();
    assert_eq!((&*mine.name, mine.cursor.seq + 1), ("ops", last.seq));
    assert_eq!((mine.sealed, mine.created_at_ms), (vec![0, 255, 7], 5));
    // The holder does not take it twice; when the lease has ended anybody may.
    assert_eq!(store.claim_channel(lease("me", 100), 99).await.unwrap(), None);
    assert!(store.claim_channel(lease("other", 200), 100).await.unwrap().is_some());
    let stale = store.note_progress(
        "ops",
        at(&store.channel("ops").await.unwrap().unwrap(), last),
        lease("me", 300),
    );
    assert!(!stale.await.unwrap(), "it is another's");
    store.release_channel("ops", "me").await.unwrap();
    assert_eq!(store.claim_channel(lease("other", 200), 150).await.unwrap(), None, "still held");
    store.release_channel("ops", "other").await.unwrap();
    assert!(store.claim_channel(lease("other", 300), 150).await.unwrap().is_some());
    let claims = (0..8).map(|_| store.claim_channel(lease("other", 900), 300));
    let won =
        super::appraisal::all(claims).await.into_iter().filter(|c| c.as_ref().unwrap().is_some());
    assert_eq!(won.count(), 1, "one of many");
}

pub(crate) async fn progress_is_noted_by_who_holds_it(store: &dyn Store) {
    let last = due(store).await;
    let mine = store.claim_channel(lease("me", 100), 10).await.unwrap().unwrap();
    let failed = Progress {
        due_at_ms: 70,
        n_failed: 2,
        last_error: Some("no answer".to_owned()),
        delivered_at_ms: None,
        ..at(&mine, mine.cursor)
    };
    assert!(store.note_progress("ops", failed, lease("me", 100)).await.unwrap());
    store.release_channel("ops", "me").await.unwrap();
    let now = store.channel("ops").await.unwrap().unwrap();
    assert_eq!(
        (now.n_failed, now.last_error.as_deref(), now.delivered_at_ms),
        (2, Some("no answer"), None)
    );
    assert_eq!(store.claim_channel(lease("me", 200), 69).await.unwrap(), None, "not yet");
    assert!(store.claim_channel(lease("me", 200), 70).await.unwrap().is_some());
    assert!(store.note_progress("ops", at(&now, last), lease("me", 200)).await.unwrap());
    store.release_channel("ops", "me").await.unwrap();
    assert_eq!(store.claim_channel(lease("me", 300), 80).await.unwrap(), None, "all is delivered");
    let renewed = Progress { renew_at_ms: Some(500), ..at(&now, last) };
    assert!(store.note_progress("ops", renewed, lease("me", 0)).await.unwrap());
    assert_eq!(store.claim_channel(lease("me", 600), 499).await.unwrap(), None);
    let again = store.claim_channel(lease("me", 600), 500).await.unwrap().unwrap();
    assert_eq!((again.cursor, again.delivered_at_ms, again.n_failed), (last, Some(50), 0));
}

pub(crate) async fn dead_letters_wait_for_a_person(store: &dyn Store) {
    let last = due(store).await;
    let mine = store.claim_channel(lease("me", 100), 10).await.unwrap().unwrap();
    let dead = |n: i64| NewDeadLetter {
        event_json: format!(r#"{{"n":{n}}}"#),
        error: "refused".to_owned(),
        died_at_ms: n,
    };
    let progress = Progress { dead: vec![dead(1), dead(2), dead(3)], ..at(&mine, last) };
    assert!(store.note_progress("ops", progress, lease("me", 0)).await.unwrap());
    assert_eq!(store.channel("ops").await.unwrap().unwrap().n_dead, 3);
    assert_eq!(store.claim_channel(lease("me", 100), 20).await.unwrap(), None, "they wait");
    let letters = store.dead_letters("ops", DeadLetterId(0), 2).await.unwrap();
    assert_eq!(letters.len(), 2, "a page");
    let rest = store.dead_letters("ops", letters[1].id, 9).await.unwrap();
    assert_eq!((rest.len(), rest[0].died_at_ms, rest[0].is_due), (1, 3, false));
    let some = DeadLetters::Ids(vec![letters[1].id, DeadLetterId(999)]);
    assert_eq!(store.redeliver("ops", some, by(30)).await.unwrap(), 1);
    assert!(store.claim_channel(lease("me", 100), 40).await.unwrap().is_some());
    let next = store.due_dead_letter("ops").await.unwrap().unwrap();
    assert_eq!(next.event_json, r#"{"n":2}"#);
    store.note_redelivery(next.id, Some("again".to_owned())).await.unwrap();
    assert_eq!(store.due_dead_letter("ops").await.unwrap(), None);
    assert_eq!(store.redeliver("ops", DeadLetters::All, by(50)).await.unwrap(), 3);
    while let Some(next) = store.due_dead_letter("ops").await.unwrap() {
        store.note_redelivery(next.id, None).await.unwrap();
    }
    assert!(store.dead_letters("ops", DeadLetterId(0), 9).await.unwrap().is_empty());
    assert!(matches!(
        store.dead_letters("none", DeadLetterId(0), 9).await,
        Err(StoreError::NotFound(store::Kind::Channel))
    ));
}

pub(crate) async fn a_channel_is_changed_paused_and_removed(store: &dyn Store) {
    due(store).await;
    let taken = store.add_channel(new("ops"), by(7)).await;
    assert!(matches!(taken, Err(StoreError::Conflict(Conflict::NameTaken { .. }))), "{taken:?}");
    let mine = store.claim_channel(lease("me", 100), 10).await.unwrap().unwrap();
    store.set_channel_activity("ops", ChannelActivity::Paused, by(20)).await.unwrap();
    let progress = at(&mine, mine.cursor);
    assert!(!store.note_progress("ops", progress, lease("me", 100)).await.unwrap(), "paused");
    assert_eq!(store.claim_channel(lease("me", 300), 200).await.unwrap(), None);
    let other = NewChannel { filter_json: r#"{"x":1}"#.to_owned(), ..new("ops") };
    store.change_channel(other, by(30)).await.unwrap();
    store.set_channel_activity("ops", ChannelActivity::Active, by(40)).await.unwrap();
    let again = store.claim_channel(lease("me", 300), 200).await.unwrap().unwrap();
    assert_eq!((&*again.filter_json, again.cursor), (r#"{"x":1}"#, mine.cursor));
    store.remove_channel("ops", by(50)).await.unwrap();
    assert!(store.channels().await.unwrap().is_empty());
    for gone in [
        store.remove_channel("ops", by(60)).await,
        store.change_channel(new("ops"), by(60)).await,
        store.set_channel_activity("ops", ChannelActivity::Paused, by(60)).await,
    ] {
        assert!(matches!(gone, Err(StoreError::NotFound(store::Kind::Channel))), "{gone:?}");
    }
    let actions: Vec<_> =
        store.audit(0, 99).await.unwrap().into_iter().map(|row| row.action).collect();
    for action in ["add", "pause", "change", "resume", "remove"] {
        assert!(actions.contains(&format!("channel.{action}")), "{action}");
    }
}
