//! Events: published for who listens, kept for a time, read by pages and as they come.
//!
//! The table is the truth. That there is something new is only a reason to look there: readers go on from
//! the cursor that they have, so that nothing is missed or doubled, whoever wakes them.

use std::{sync::Arc, time::Duration};

use api::event::{
    CloudEvent, EventAlarm, EventData, EventHost, EventPage, EventQuery, EventState, EventVerdict,
    type_of,
};
use serde::Deserialize;
use store::{Event, EventCursor, HISTORY_PAGE_MAX};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, sleep},
};

use super::{
    App, AppError, HostScope, RefusalKind,
    alarm::words,
    event_filter::EventFilter,
    paging::{cut, one_more},
};
use crate::http::problem::Chain;

/// Events on a page, where the client does not say, and those that a stream reads at once: with the
/// largest data of some KiB each below the client's limit.
const PAGE_LEN: u32 = 500;

/// The longest between two looks where nothing was heard of: another server may have changed something
/// and died before it told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The shortest: what comes in a burst is published together.
const REST: Duration = Duration::from_millis(20);

/// Between two looks at what is too old.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Events that are forgotten in one transaction, and ends by time in one: instants.
const SLICE: u32 = 1_000;

/// Streams at one time: pages, command lines and programs of a team. Each reads what is new by itself, so
/// that a slow one holds up nobody; more than these would make an event dear. Programs that are many
/// had better be one that hands on.
pub(crate) const STREAMS_MAX: usize = 256;

impl App {
    /// Publishes events as they come, ends what ends by time, and forgets what is too old, for as long as
    /// the program runs. Any number of servers on one store may do it.
    pub async fn publish(self: Arc<Self>) {
        let mut forget_at = Instant::now();
        loop {
            if let Err(err) = self.publish_once(&mut forget_at).await {
                tracing::error!(error = %Chain(&err), "events cannot be published now");
                sleep(LOOK_AGAIN).await;
            }
            self.hub.news_or(LOOK_AGAIN).await;
            sleep(REST).await;
        }
    }

    async fn publish_once(&self, forget_at: &mut Instant) -> Result<(), AppError> {
        let now_ms = self.store.now_ms().await?;
        while self.store.end_lapsed(now_ms, SLICE).await? > 0 {}
        self.number_events().await?;
        let last = self.store.event_span().await?.last;
        self.hub.published(last);
        if Instant::now() >= *forget_at {
            let kept_ms =
                i64::from(self.rules().config.events_kept_days).saturating_mul(86_400_000);
            let before_ms = now_ms.saturating_sub(kept_ms);
            while self.store.forget_events(before_ms, SLICE).await? > 0 {}
            *forget_at = Instant::now() + FORGET_EVERY;
        }
        Ok(())
    }

    /// Gives numbers to what was committed, so that who asks after a change sees it.
    async fn number_events(&self) -> Result<(), AppError> {
        let mut numbered = false;
        while self.store.publish_events().await? > 0 {
            numbered = true;
        }
        if numbered {
            self.hub.news();
            self.store.tell_of_events().await?;
        }
        Ok(())
    }

    /// One page of events, oldest first.
    pub async fn events(
        &self,
        query: EventQuery,
        scope: &HostScope,
    ) -> Result<EventPage, AppError> {
        let limit = query.limit.unwrap_or(PAGE_LEN).clamp(1, HISTORY_PAGE_MAX);
        let filter = EventFilter::of(&query, scope)?;
        self.number_events().await?;
        let after = match query.cursor.as_deref() {
            None => self.store.event_span().await?.first,
            Some(after) => self.cursor(after).await?,
        };
        let events = self.store.events(after, one_more(limit)).await?;
        let (events, more) = cut(events, limit, HISTORY_PAGE_MAX);
        // Also past those that do not fit, so that who goes on does not see them again.
        let next_cursor = events.last().map_or(after, |last| last.cursor).to_string();
        Ok(EventPage { events: self.fitting(events, &filter)?, next_cursor, more })
    }

    /// Begins a stream of events.
    pub async fn event_reader(
        self: &Arc<Self>,
        query: EventQuery,
        scope: &HostScope,
    ) -> Result<EventReader, AppError> {
        let filter = EventFilter::of(&query, scope)?;
        let place = Arc::clone(&self.streams).try_acquire_owned().map_err(|_| {
            AppError::refused(
                RefusalKind::TooMany,
                "too-many-streams",
                format!("this server has {STREAMS_MAX} streams of events already"),
                "ask for pages instead, or let one program listen and hand on",
            )
        })?;
        let heard = self.hub.publications();
        let cursor = self.cursor(query.cursor.as_deref().unwrap_or("now")).await?;
        // Refused before the stream begins, where there is a status to say it with.
        self.store.events(cursor, 1).await?;
        Ok(EventReader { app: Arc::clone(self), filter, cursor, heard, _place: place })
    }

    async fn cursor(&self, after: &str) -> Result<EventCursor, AppError> {
        match after {
            "now" => Ok(self.store.event_span().await?.last),
            "first" => Ok(self.store.event_span().await?.first),
            text => EventCursor::from_text(text).ok_or_else(|| {
                AppError::refused(
                    RefusalKind::Invalid,
                    "cursor-invalid",
                    "this is no cursor of events",
                    "pass the id of an event, `first` or `now`",
                )
            }),
        }
    }

    fn fitting(
        &self,
        events: Vec<Event>,
        filter: &EventFilter,
    ) -> Result<Vec<CloudEvent>, AppError> {
        let fit = events.into_iter().filter(|event| filter.fits(event));
        fit.map(|event| self.cloud_event(event)).collect()
    }

    /// An event as others read it.
    pub(crate) fn cloud_event(&self, event: Event) -> Result<CloudEvent, AppError> {
        let bug = |err: serde_json::Error| AppError::Bug(err.into());
        let stored: Stored = serde_json::from_str(&event.data_json).map_err(bug)?;
        let alarm = stored.alarm.map(|alarm| {
            let (title, next_step) = words(&alarm.code);
            EventAlarm { title, next_step, ..alarm }
        });
        let time = jiff::Timestamp::from_millisecond(event.cursor.at_ms)
            .map_err(|err| AppError::Bug(err.into()))?;
        Ok(CloudEvent {
            specversion: "1.0".to_owned(),
            id: event.cursor.to_string(),
            source: format!("urn:bootproof:{}", self.authority.pin()),
            event_type: type_of(event.kind.as_str()),
            subject: format!("hosts/{}", event.host),
            time: time.to_string(),
            datacontenttype: "application/json".to_owned(),
            data: EventData {
                host: EventHost {
                    id: event.host.to_string(),
                    name: event.host_name,
                    labels: event.labels,
                },
                alarm,
                verdict: stored.verdict,
                state: stored.state,
                by: stored.by,
            },
        })
    }
}

/// What the store keeps of an event as JSON.
#[derive(Deserialize)]
struct Stored {
    alarm: Option<EventAlarm>,
    verdict: Option<EventVerdict>,
    state: Option<EventState>,
    by: Option<String>,
}

/// A stream of events, one of [`STREAMS_MAX`].
pub struct EventReader {
    app: Arc<App>,
    filter: EventFilter,
    cursor: EventCursor,
    heard: watch::Receiver<EventCursor>,
    _place: OwnedSemaphorePermit,
}

impl EventReader {
    /// Where it is: what comes next comes after this.
    pub fn cursor(&self) -> String {
        self.cursor.to_string()
    }

    /// The next events that fit: at once where there are some, else as soon as some come; none at
    /// `until`. The cursor goes past those that do not fit as well.
    pub async fn next(&mut self, until: Instant) -> Result<Vec<CloudEvent>, AppError> {
        loop {
            self.heard.borrow_and_update();
            let events = self.app.store.events(self.cursor, PAGE_LEN).await?;
            if let Some(last) = events.last() {
                self.cursor = last.cursor;
                let fit = self.app.fitting(events, &self.filter)?;
                if !fit.is_empty() || Instant::now() >= until {
                    return Ok(fit);
                }
                continue;
            }
            // An error means that the sender is gone, and with it the server.
            if tokio::time::timeout_at(until, self.heard.changed()).await.is_err() {
                return Ok(Vec::new());
            }
        }
    }

    /// Resolves when the server ends.
    pub fn ended(&self) -> impl Future<Output = ()> + use<> {
        let app = Arc::clone(&self.app);
        async move { app.hub.ended().await }
    }
}
