//! What is told through channels, in order, at least once.
//!
//! A channel is its cursor: what is behind it is told, or does not concern it, or is a dead letter. Who
//! delivers holds the channel's lease and moves the cursor after the receiver took an event; whoever dies in
//! between has it told once more, with the same identifier. So servers share channels without a leader, and
//! a receiver that is away keeps its order and costs nothing but the time.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use api::{
    channel::{ChannelFilter, ChannelSettings},
    event::{CloudEvent, EventAlarm, EventHost},
};
use opentelemetry::KeyValue;
use serde_json::json;
use store::{
    Alarm, AlarmFilter, Channel, ChannelLease, Conflict, Event, EventCursor, EventKind,
    HISTORY_PAGE_MAX, NewDeadLetter, Progress, StoreError,
};
use tokio::time::{sleep, timeout};

use super::{
    super::{App, AppError, RefusalKind, alarm::words, event_filter, secret::random},
    filter_of, message,
    outlet::Outlet,
    settings_of,
};
use crate::{
    deliver::{Steps, Undelivered},
    http::problem::Chain,
    traces,
};

/// How long a server holds a channel without a word: longer than one delivery takes, so that nobody else
/// begins with the same meanwhile.
const LEASE_MS: i64 = 30_000;

/// The longest between two looks: tries that are due, and what another server left.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Events that are looked at in one go.
const PAGE_LEN: u32 = 500;

/// Between two tries: a second at first, twice as long each time, and this at most.
const BACK_OFF_S_MAX: u64 = 600;

/// Tries of an event that its receiver refuses, before what comes behind it has its turn.
const REFUSALS_MAX: u32 = 3;

/// What is older than this when it cannot be told is a dead letter: nobody wants yesterday's alarms first.
const DEAD_AFTER_MS: i64 = 24 * 3_600_000;

/// Between two times that alerts which stand are told again.
const RENEW_MS: i64 = 60_000;

/// Alerts in one request.
const ALERTS: usize = 200;

/// Which events a channel tells.
pub(super) struct ChannelEvents {
    kinds: BTreeSet<EventKind>,
    severities: Vec<String>,
    labels: Vec<(String, Option<String>)>,
}

impl ChannelEvents {
    pub(super) fn of(filter: &ChannelFilter, settings: &ChannelSettings) -> Result<Self, AppError> {
        let mut kinds = event_filter::kinds(filter.types.iter().map(String::as_str))?;
        if kinds.is_empty() {
            kinds = BTreeSet::from([
                EventKind::AlarmRaised,
                EventKind::AlarmCleared,
                EventKind::AlarmUnmuted,
                EventKind::AlarmAcknowledgementEnded,
            ]);
            // There it ends the alert: it is silent then.
            if matches!(settings, ChannelSettings::Alertmanager { .. }) {
                kinds.insert(EventKind::AlarmAcknowledged);
            }
        }
        if let Some(wrong) =
            filter.severities.iter().find(|word| !matches!(&***word, "fail" | "hold"))
        {
            return Err(AppError::plain(
                RefusalKind::Invalid,
                "channel-invalid",
                format!("{wrong:?} is no severity of alarms: there are fail and hold"),
            ));
        }
        let labels = event_filter::labels(filter.labels.as_deref())?;
        Ok(Self { kinds, severities: filter.severities.clone(), labels })
    }

    fn fits(&self, event: &Event) -> bool {
        !event.is_muted
            && self.kinds.contains(&event.kind)
            && self.fits_severity(event.severity.as_deref())
            && self.fits_labels(&event.labels)
    }

    fn fits_severity(&self, severity: Option<&str>) -> bool {
        let Some(severity) = severity else { return true };
        self.severities.is_empty() || self.severities.iter().any(|word| word == severity)
    }

    fn fits_labels(&self, labels: &store::Labels) -> bool {
        self.labels.iter().all(|(key, value)| {
            let has = labels.get(key);
            has.is_some_and(|has| value.as_ref().is_none_or(|value| value == has))
        })
    }

    fn stands(&self, alarm: &Alarm, now_ms: i64) -> bool {
        alarm.acknowledged_at(now_ms).is_none()
            && alarm.is_told
            && !alarm.is_muted_at(now_ms)
            && self.fits_severity(Some(&alarm.severity))
            && self.fits_labels(&alarm.host_labels)
    }
}

/// What is next.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// Tell these; then all up to the cursor is told.
    Tell(Vec<Event>, EventCursor),
    /// Nothing of it fits.
    PassOver(EventCursor),
    /// Gather until then; what is before the cursor does not fit.
    Gather(EventCursor, i64),
}

/// What is next of `events`, which come behind `from`: `together` at most, gathered for `gather_ms`.
fn next(
    events: Vec<Event>,
    from: EventCursor,
    fits: impl Fn(&Event) -> bool,
    (together, gather_ms): (usize, i64),
    now_ms: i64,
) -> Next {
    let mut cursor = from;
    let mut told = Vec::new();
    for event in events {
        let here = event.cursor;
        if fits(&event) {
            let ready_ms = event.cursor.at_ms.saturating_add(gather_ms);
            if told.is_empty() && ready_ms > now_ms {
                return Next::Gather(cursor, ready_ms);
            }
            told.push(event);
        }
        cursor = here;
        if told.len() >= together {
            break;
        }
    }
    if told.is_empty() { Next::PassOver(cursor) } else { Next::Tell(told, cursor) }
}

/// When it is tried again, after `n_failed` tries.
fn back_off_ms(n_failed: u32, random: u8) -> i64 {
    let seconds = 1_u64.checked_shl(n_failed.saturating_sub(1)).unwrap_or(BACK_OFF_S_MAX);
    let ms = seconds.min(BACK_OFF_S_MAX) * 1000;
    // A quarter less or more: receivers that were away are not met by all at once.
    let spread = ms / 2 * u64::from(random) / 255;
    i64::try_from(ms - ms / 4 + spread).unwrap_or(i64::MAX)
}

/// Whether it is given up, so that what comes behind has its turn.
fn is_dead(err: &Undelivered, n_failed: u32, oldest_at_ms: i64, now_ms: i64) -> bool {
    let is_old = now_ms.saturating_sub(oldest_at_ms) > DEAD_AFTER_MS;
    is_old || (matches!(err, Undelivered::Refused(_)) && n_failed >= REFUSALS_MAX)
}

impl App {
    /// Delivers what channels have to tell, for as long as the program runs.
    pub async fn deliver(self: Arc<Self>) {
        let holder: Arc<str> = match random::<8>() {
            Ok(random) => hex::encode(random).into(),
            Err(err) => return tracing::error!(error = %Chain(&err), "channels cannot deliver"),
        };
        let mut heard = self.hub.publications();
        loop {
            heard.borrow_and_update();
            match self.claim(&holder).await {
                Ok(Some(channel)) => {
                    let (app, holder) = (Arc::clone(&self), Arc::clone(&holder));
                    tokio::spawn(async move { app.work(channel, &holder).await });
                }
                Ok(None) => {
                    let _ = timeout(LOOK_AGAIN, heard.changed()).await;
                }
                Err(err) => {
                    tracing::error!(error = %Chain(&err), "channels cannot deliver now");
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn claim(&self, holder: &str) -> Result<Option<Channel>, AppError> {
        let now_ms = self.store.now_ms().await?;
        Ok(self.store.claim_channel(lease(holder, now_ms), now_ms).await?)
    }

    async fn work(&self, channel: Channel, holder: &str) {
        let name = channel.name.clone();
        if let Err(err) = self.work_on(channel, holder).await {
            tracing::error!(channel = name, error = %Chain(&err), "a channel cannot deliver now");
            // Not at once again: what is wrong here is wrong in a moment, too. The lease ends by time.
            return;
        }
        if let Err(err) = self.store.release_channel(&name, holder).await {
            tracing::debug!(channel = name, error = %Chain(&err), "a channel stays held for a while");
        }
    }

    async fn work_on(&self, channel: Channel, holder: &str) -> Result<(), AppError> {
        let events = ChannelEvents::of(&filter_of(&channel)?, &settings_of(&channel)?)?;
        let mut held = Held { app: self, holder, channel };
        let outlet = match self.outlet(&held.channel)? {
            Ok(outlet) => outlet,
            Err(said) => {
                held.failed(said.to_owned(), Vec::new(), held.channel.cursor).await?;
                return Ok(());
            }
        };
        if !held.redeliver(&outlet).await? || !held.renew(&outlet, &events).await? {
            return Ok(());
        }
        while held.tell_next(&outlet, &events).await? {}
        Ok(())
    }
}

fn lease(holder: &str, now_ms: i64) -> ChannelLease {
    ChannelLease { holder: holder.to_owned(), until_ms: now_ms.saturating_add(LEASE_MS) }
}

/// A channel that this server holds.
struct Held<'a> {
    app: &'a App,
    holder: &'a str,
    channel: Channel,
}

impl Held<'_> {
    /// Notes how far it is; `false` where it is not ours any more.
    async fn note(&mut self, progress: Progress, now_ms: i64) -> Result<bool, AppError> {
        let Progress { cursor, due_at_ms, renew_at_ms, n_failed, .. } = progress;
        let last_error = progress.last_error.clone();
        let lease = lease(self.holder, now_ms);
        let is_ours = self.app.store.note_progress(&self.channel.name, progress, lease).await?;
        let known = std::mem::replace(&mut self.channel.n_failed, n_failed);
        self.channel =
            Channel { cursor, due_at_ms, renew_at_ms, last_error, ..self.channel.clone() };
        if known > 0 && n_failed == 0 && is_ours {
            tracing::info!(channel = self.channel.name, "channel delivers again");
        }
        Ok(is_ours)
    }

    /// All as it is.
    fn progress(&self) -> Progress {
        Progress {
            cursor: self.channel.cursor,
            due_at_ms: self.channel.due_at_ms,
            renew_at_ms: self.channel.renew_at_ms,
            n_failed: self.channel.n_failed,
            last_error: self.channel.last_error.clone(),
            delivered_at_ms: None,
            dead: Vec::new(),
        }
    }

    /// Notes a try that failed, with what died of it. It is tried again later, or goes on behind the dead.
    async fn failed(
        &mut self,
        said: String,
        dead: Vec<NewDeadLetter>,
        cursor: EventCursor,
    ) -> Result<bool, AppError> {
        let now_ms = self.app.store.now_ms().await?;
        let n_failed = self.channel.n_failed.saturating_add(1);
        let [spread] = random::<1>()?;
        if self.channel.n_failed == 0 {
            tracing::warn!(channel = self.channel.name, "channel cannot deliver: {said}");
        }
        for dead in &dead {
            tracing::error!(
                channel = self.channel.name,
                "an event became a dead letter: {}",
                dead.error
            );
        }
        let progress = Progress {
            cursor,
            due_at_ms: now_ms.saturating_add(back_off_ms(n_failed, spread)),
            n_failed,
            last_error: Some(said),
            dead,
            ..self.progress()
        };
        self.note(progress, now_ms).await
    }

    /// Tells the dead letters that a person wants told.
    async fn redeliver(&mut self, outlet: &Outlet) -> Result<bool, AppError> {
        while let Some(dead) = self.app.store.due_dead_letter(&self.channel.name).await? {
            let now_ms = self.app.store.now_ms().await?;
            let error = match serde_json::from_str::<CloudEvent>(&dead.event_json) {
                Ok(event) => {
                    let told = outlet.tell(&[event], now_ms, &mut Steps::default()).await;
                    told.err().map(|err| err.to_string())
                }
                Err(_) => Some("these events are forgotten".to_owned()),
            };
            self.app.store.note_redelivery(dead.id, error).await?;
            let now_ms = self.app.store.now_ms().await?;
            if !self.note(self.progress(), now_ms).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Tells alerts that stand again, where they would be taken for over.
    async fn renew(&mut self, outlet: &Outlet, events: &ChannelEvents) -> Result<bool, AppError> {
        let now_ms = self.app.store.now_ms().await?;
        if self.channel.renew_at_ms.is_none_or(|at_ms| at_ms > now_ms) {
            return Ok(true);
        }
        let source = self.app.channel_source();
        let mut before = None;
        loop {
            let filter = AlarmFilter::default();
            let page = self.app.store.alarms(filter, before, HISTORY_PAGE_MAX).await?;
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            let ends_at_ms = now_ms.saturating_add(message::ALERT_MS);
            let alerts: Vec<_> = page
                .into_iter()
                .filter(|alarm| events.stands(alarm, now_ms))
                .map(|alarm| {
                    let (alarm, host) = told(alarm);
                    message::alert_of(&alarm, &host, &source, ends_at_ms)
                })
                .collect();
            for alerts in alerts.chunks(ALERTS) {
                if let Err(err) = outlet.renew(alerts).await {
                    // The events behind the cursor would fail as well.
                    self.failed(err.to_string(), Vec::new(), self.channel.cursor).await?;
                    return Ok(false);
                }
                let now_ms = self.app.store.now_ms().await?;
                if !self.note(self.progress(), now_ms).await? {
                    return Ok(false);
                }
            }
        }
        let renewed = Progress {
            renew_at_ms: Some(now_ms.saturating_add(RENEW_MS)),
            n_failed: 0,
            last_error: None,
            ..self.progress()
        };
        self.note(renewed, now_ms).await
    }

    /// Tells what is next; `false` where there is nothing to do now.
    async fn tell_next(
        &mut self,
        outlet: &Outlet,
        events: &ChannelEvents,
    ) -> Result<bool, AppError> {
        let now_ms = self.app.store.now_ms().await?;
        let cursor = self.channel.cursor;
        let page = match self.app.store.events(cursor, PAGE_LEN).await {
            Ok(page) if page.is_empty() => return Ok(false),
            Ok(page) => page,
            Err(StoreError::Conflict(
                Conflict::EventsForgotten { .. } | Conflict::NoSuchEvent { .. },
            )) => return self.pass_over_forgotten(now_ms).await,
            Err(err) => return Err(err.into()),
        };
        let (together, gather_ms) = outlet.together();
        // After a failure one by one, where that is no other message: so one that is refused is found.
        let together = if self.channel.n_failed > 0 && gather_ms == 0 { 1 } else { together };
        let fits = |event: &Event| events.fits(event);
        match next(page, cursor, fits, (together, gather_ms), now_ms) {
            Next::PassOver(cursor) => {
                let progress = Progress { cursor, ..self.progress() };
                self.note(progress, now_ms).await
            }
            Next::Gather(cursor, due_at_ms) => {
                let progress = Progress { cursor, due_at_ms, ..self.progress() };
                self.note(progress, now_ms).await?;
                Ok(false)
            }
            Next::Tell(events, cursor) => self.tell(outlet, events, cursor, now_ms).await,
        }
    }

    async fn tell(
        &mut self,
        outlet: &Outlet,
        events: Vec<Event>,
        cursor: EventCursor,
        now_ms: i64,
    ) -> Result<bool, AppError> {
        let oldest_at_ms = events.first().map_or(now_ms, |event| event.cursor.at_ms);
        let events: Vec<_> = events
            .into_iter()
            .map(|event| self.app.cloud_event(event))
            .collect::<Result<_, _>>()?;
        let delivery = traces::task("deliver", || {
            let n_events = i64::try_from(events.len()).unwrap_or(i64::MAX);
            let channel = KeyValue::new("bootproof.channel", self.channel.name.clone());
            vec![channel, KeyValue::new("bootproof.events", n_events)]
        });
        let noted = delivery.clone();
        let telling = async {
            let told = outlet.tell(&events, now_ms, &mut Steps::default()).await;
            match &told {
                Ok(()) => {}
                Err(Undelivered::Refused(_)) => noted.fails("refused".to_owned()),
                Err(Undelivered::Later(_)) => noted.fails("later".to_owned()),
            }
            told
        };
        let told = delivery.run(telling).await;
        let now_ms = self.app.store.now_ms().await?;
        let Err(err) = told else {
            let progress = Progress {
                cursor,
                due_at_ms: 0,
                n_failed: 0,
                last_error: None,
                delivered_at_ms: Some(now_ms),
                ..self.progress()
            };
            return self.note(progress, now_ms).await;
        };
        let n_failed = self.channel.n_failed.saturating_add(1);
        if !is_dead(&err, n_failed, oldest_at_ms, now_ms) {
            self.failed(err.to_string(), Vec::new(), self.channel.cursor).await?;
            return Ok(false);
        }
        let dead = events.iter().map(|event| NewDeadLetter {
            event_json: serde_json::to_string(event).unwrap_or_default(),
            error: err.to_string(),
            died_at_ms: now_ms,
        });
        let dead = dead.collect();
        self.failed(err.to_string(), dead, cursor).await?;
        if matches!(err, Undelivered::Refused(_)) {
            // The receiver is there: what comes behind has its turn, with all its tries.
            let progress = Progress { n_failed: 0, due_at_ms: 0, ..self.progress() };
            return self.note(progress, now_ms).await;
        }
        Ok(false)
    }

    /// It was paused, or its receiver away, for longer than events are kept: that is said in the place of
    /// what is lost.
    async fn pass_over_forgotten(&mut self, now_ms: i64) -> Result<bool, AppError> {
        let span = self.app.store.event_span().await?;
        let from = self.channel.cursor;
        let dead = NewDeadLetter {
            event_json:
                json!({ "forgotten": { "after": from.to_string(), "to": span.first.to_string() } })
                    .to_string(),
            error: "these events were forgotten before they could be told".to_owned(),
            died_at_ms: now_ms,
        };
        tracing::error!(channel = self.channel.name, after = %from, "events were forgotten before they could be told");
        let progress = Progress { cursor: span.first, dead: vec![dead], ..self.progress() };
        self.note(progress, now_ms).await
    }
}

/// An alarm as events tell it.
fn told(alarm: Alarm) -> (EventAlarm, EventHost) {
    let (title, next_step) = words(&alarm.code);
    let host =
        EventHost { id: alarm.host.to_string(), name: alarm.host_name, labels: alarm.host_labels };
    let alarm = EventAlarm {
        id: alarm.id.0,
        code: alarm.code,
        title,
        severity: alarm.severity,
        cause: alarm.cause,
        next_step,
        raised_at_ms: alarm.raised_at_ms,
        cleared_at_ms: alarm.cleared_at_ms,
        acknowledgement: None,
        muted: false,
    };
    (alarm, host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: i64, at_ms: i64, kind: EventKind) -> Event {
        Event {
            cursor: EventCursor { seq, at_ms },
            kind,
            host: "h".into(),
            host_name: "h".to_owned(),
            labels: [("site".to_owned(), "muc".to_owned())].into(),
            severity: Some("hold".to_owned()),
            is_muted: false,
            data_json: "{}".to_owned(),
        }
    }

    fn webhook() -> ChannelSettings {
        ChannelSettings::Webhook { url: String::new(), ca_pem: None }
    }

    #[test]
    fn a_channel_tells_what_fits_and_is_not_muted() {
        let of = |filter: ChannelFilter| ChannelEvents::of(&filter, &webhook()).unwrap();
        let raised = event(1, 1, EventKind::AlarmRaised);
        let any = of(ChannelFilter::default());
        assert!(any.fits(&raised));
        assert!(!any.fits(&Event { is_muted: true, ..raised.clone() }));
        assert!(!any.fits(&event(1, 1, EventKind::HostAdded)));
        assert!(!any.fits(&event(1, 1, EventKind::AlarmAcknowledged)));
        let fail =
            ChannelFilter { severities: vec!["fail".to_owned()], ..ChannelFilter::default() };
        assert!(!of(fail).fits(&raised));
        let other =
            ChannelFilter { labels: Some("site=ber".to_owned()), ..ChannelFilter::default() };
        assert!(!of(other).fits(&raised));
        let warn =
            ChannelFilter { severities: vec!["warn".to_owned()], ..ChannelFilter::default() };
        assert!(ChannelEvents::of(&warn, &webhook()).is_err());
    }

    #[test]
    fn what_is_next_never_passes_over_what_fits() {
        let raised = |seq| event(seq, seq * 10, EventKind::AlarmRaised);
        let other = |seq| event(seq, seq * 10, EventKind::HostAdded);
        let fits = |event: &Event| event.kind == EventKind::AlarmRaised;
        let from = EventCursor { seq: 1, at_ms: 10 };
        let at = |seq| EventCursor { seq, at_ms: seq * 10 };
        let all = || vec![other(2), raised(3), other(4), raised(5), other(6)];
        assert_eq!(next(all(), from, fits, (1, 0), 99), Next::Tell(vec![raised(3)], at(3)));
        let both = Next::Tell(vec![raised(3), raised(5)], at(6));
        assert_eq!(next(all(), from, fits, (9, 0), 99), both);
        assert_eq!(next(all(), from, fits, (9, 100), 129), Next::Gather(at(2), 130));
        assert_eq!(next(all(), from, fits, (9, 100), 130), both, "the first is old enough");
        assert_eq!(next(vec![other(2)], from, fits, (1, 0), 99), Next::PassOver(at(2)));
    }

    #[test]
    fn tries_come_later_each_time_and_end() {
        for (n, least, most) in [(1, 750, 1_250), (2, 1_500, 2_500), (5, 12_000, 20_000)] {
            assert_eq!((back_off_ms(n, 0), back_off_ms(n, 255)), (least, most));
        }
        assert_eq!(back_off_ms(40, 0), 450_000);
        assert_eq!(back_off_ms(u32::MAX, 255), 750_000);
        let (refused, later) =
            (Undelivered::Refused(String::new()), Undelivered::Later(String::new()));
        assert!(!is_dead(&refused, REFUSALS_MAX - 1, 0, 1));
        assert!(is_dead(&refused, REFUSALS_MAX, 0, 1));
        assert!(!is_dead(&later, 100, 0, DEAD_AFTER_MS));
        assert!(is_dead(&later, 1, 0, DEAD_AFTER_MS + 1));
    }
}
