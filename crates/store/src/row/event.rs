//! Events: what changed, for who listens.

use serde_json::{Map, Value, json};

use super::word_enum;
use crate::{Alarm, AppraisalId, Approval, Connection, HostId, Labels, Maintenance, Reply};

/// Where a reader of events is: after this one. As text, `SEQ-AT`: the time tells a number that was given
/// anew, after a store was restored to what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventCursor {
    /// The event's number: grows by one in the order in which events became visible.
    pub seq: i64,
    /// Its time.
    pub at_ms: i64,
}

impl EventCursor {
    /// Before the first event that there ever was.
    pub const START: Self = Self { seq: 0, at_ms: 0 };

    /// The cursor that `text` says.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let digits = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        };
        let (seq, at_ms) = text.split_once('-')?;
        Some(Self { seq: digits(seq)?, at_ms: digits(at_ms)? })
    }
}

impl std::fmt::Display for EventCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.seq, self.at_ms)
    }
}

/// Which events there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSpan {
    /// Before the oldest that is kept.
    pub first: EventCursor,
    /// At the newest.
    pub last: EventCursor,
}

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// An alarm stands that did not before.
    AlarmRaised,
    /// Its cause is gone.
    AlarmCleared,
    /// A person knows of it.
    AlarmAcknowledged,
    /// Nobody's acknowledgement counts any more, and it still stands.
    AlarmAcknowledgementEnded,
    /// Nobody works on the host any more, and what was raised meanwhile still stands.
    AlarmUnmuted,
    /// A host was judged, and otherwise than before.
    HostVerdictChanged,
    /// A host joined.
    HostAdded,
    /// A host was removed.
    HostRemoved,
    /// Connection, approval, maintenance, identity or labels of a host changed.
    HostStateChanged,
}

word_enum!(EventKind {
    AlarmRaised = "alarm.raised",
    AlarmCleared = "alarm.cleared",
    AlarmAcknowledged = "alarm.acknowledged",
    AlarmAcknowledgementEnded = "alarm.acknowledgement-ended",
    AlarmUnmuted = "alarm.unmuted",
    HostVerdictChanged = "host.verdict-changed",
    HostAdded = "host.added",
    HostRemoved = "host.removed",
    HostStateChanged = "host.state-changed",
});

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::AlarmRaised,
        Self::AlarmCleared,
        Self::AlarmAcknowledged,
        Self::AlarmAcknowledgementEnded,
        Self::AlarmUnmuted,
        Self::HostVerdictChanged,
        Self::HostAdded,
        Self::HostRemoved,
        Self::HostStateChanged,
    ];
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number and time.
    pub cursor: EventCursor,
    /// What it tells.
    pub kind: EventKind,
    /// The host, which may be gone.
    pub host: HostId,
    /// The host's name, then.
    pub host_name: String,
    /// The host's labels, then.
    pub labels: Labels,
    /// Of an alarm: its severity.
    pub severity: Option<String>,
    /// Nobody is to be disturbed by it: somebody works on the host.
    pub is_muted: bool,
    /// The rest (JSON): `alarm`, `verdict` or `state`, and `by`, who did it.
    pub data_json: String,
}

/// An event that is to be written with its change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at_ms: i64,
    pub(crate) kind: EventKind,
    pub(crate) host: HostId,
    pub(crate) severity: Option<String>,
    pub(crate) is_muted: bool,
    pub(crate) data_json: String,
}

impl Change {
    fn of_host(kind: EventKind, host: &HostId, at_ms: i64, data: &Value) -> Self {
        let (severity, is_muted) = (None, false);
        Self { at_ms, kind, host: host.clone(), severity, is_muted, data_json: data.to_string() }
    }

    /// Something about an alarm, which is given as it is afterwards.
    pub(crate) fn of_alarm(kind: EventKind, alarm: &Alarm, by: Option<&str>, at_ms: i64) -> Self {
        let mut told = json!({
            "id": alarm.id.0,
            "code": alarm.code,
            "severity": alarm.severity,
            "cause": alarm.cause,
            "raised_at_ms": alarm.raised_at_ms,
            "muted": !alarm.is_told,
        });
        if let Some(cleared_at_ms) = alarm.cleared_at_ms {
            put(&mut told, "cleared_at_ms", json!(cleared_at_ms));
        }
        if let Some(ack) = alarm.acknowledged_at(at_ms) {
            let ack = json!({
                "at_ms": ack.at_ms, "by": ack.by, "reason": ack.reason, "until_ms": ack.until_ms,
            });
            put(&mut told, "acknowledgement", ack);
        }
        let mut data = json!({ "alarm": told });
        if let Some(by) = by {
            put(&mut data, "by", json!(by));
        }
        Self {
            severity: Some(alarm.severity.clone()),
            is_muted: !alarm.is_told,
            ..Self::of_host(kind, &alarm.host, at_ms, &data)
        }
    }

    /// A verdict that is another one than before.
    pub(crate) fn of_verdict(
        host: &HostId,
        verdict: &str,
        before: Option<&str>,
        appraisal: AppraisalId,
        at_ms: i64,
    ) -> Self {
        let verdict = json!({ "verdict": verdict, "before": before, "appraisal": appraisal.0 });
        let data = json!({ "verdict": verdict });
        Self::of_host(EventKind::HostVerdictChanged, host, at_ms, &data)
    }

    /// A host that is new.
    pub(crate) fn added(host: &HostId, approval: Approval, by: &str, at_ms: i64) -> Self {
        let connection = Connection::Connected.as_str();
        let state = json!({ "connection": connection, "approval": approval.as_str() });
        let data = json!({ "state": state, "by": by });
        Self::of_host(EventKind::HostAdded, host, at_ms, &data)
    }

    /// A host that is about to be removed.
    pub(crate) fn removed(host: &HostId, by: &str, at_ms: i64) -> Self {
        Self::of_host(EventKind::HostRemoved, host, at_ms, &json!({ "by": by }))
    }

    fn of_state(host: &HostId, state: &Value, by: &str, at_ms: i64) -> Self {
        let data = json!({ "state": state, "by": by });
        Self::of_host(EventKind::HostStateChanged, host, at_ms, &data)
    }

    pub(crate) fn connection(host: &HostId, to: Connection, by: &str, at_ms: i64) -> Self {
        let state = json!({ "changed": "connection", "connection": to.as_str() });
        Self::of_state(host, &state, by, at_ms)
    }

    pub(crate) fn approval(host: &HostId, to: Approval, by: &str, at_ms: i64) -> Self {
        let state = json!({ "changed": "approval", "approval": to.as_str() });
        Self::of_state(host, &state, by, at_ms)
    }

    /// A known host bound keys of a TPM.
    pub(crate) fn identity(host: &HostId, approval: Approval, by: &str, at_ms: i64) -> Self {
        let state = json!({ "changed": "identity", "approval": approval.as_str() });
        Self::of_state(host, &state, by, at_ms)
    }

    pub(crate) fn labels(host: &HostId, by: &str, at_ms: i64) -> Self {
        Self::of_state(host, &json!({ "changed": "labels" }), by, at_ms)
    }

    /// Somebody works on it now, or nobody any more.
    pub(crate) fn maintenance(
        host: &HostId,
        now: Option<&Maintenance>,
        by: &str,
        at_ms: i64,
    ) -> Self {
        let mut state = json!({ "changed": "maintenance" });
        if let Some(now) = now {
            let maintenance = json!({
                "since_ms": now.since_ms, "until_ms": now.until_ms, "reason": now.reason, "by": now.by,
            });
            put(&mut state, "maintenance", maintenance);
        }
        Self::of_state(host, &state, by, at_ms)
    }
}

fn put(object: &mut Value, key: &str, value: Value) {
    object.as_object_mut().unwrap_or(&mut Map::new()).insert(key.to_owned(), value);
}

/// What a store does with events: a part of
/// [`crate::Store`].
pub trait Events {
    /// Events after `after`, oldest first; at most `n_max` and [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX). An event is written
    /// in the transaction of the change that it tells, and has a number once it is published: whoever
    /// goes on from a number misses nothing and gets nothing twice. [`Conflict::EventsForgotten`](crate::Conflict::EventsForgotten) where
    /// events behind `after` are gone, [`Conflict::NoSuchEvent`](crate::Conflict::NoSuchEvent) where there never was one.
    fn events(&self, after: EventCursor, n_max: u32) -> Reply<'_, Vec<Event>>;
    /// Which events there are.
    fn event_span(&self) -> Reply<'_, EventSpan>;
    /// Gives numbers to events that were committed and have none; returns how many, at most
    /// [`HISTORY_PAGE_MAX`](crate::HISTORY_PAGE_MAX).
    fn publish_events(&self) -> Reply<'_, u32>;
    /// Forgets the oldest events, those from before `before_ms`, at most `n_max`; returns how many.
    fn forget_events(&self, before_ms: i64, n_max: u32) -> Reply<'_, u32>;
    /// Ends what ends by time, and was not ended yet: acknowledgements of alarms that stand, and
    /// maintenance. At most `n_max` of each; returns how many.
    fn end_lapsed(&self, now_ms: i64, n_max: u32) -> Reply<'_, u32>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_nothing_else_is_one() {
        let cursor = EventCursor { seq: 17, at_ms: 1_764_000_000_000 };
        assert_eq!(EventCursor::from_text(&cursor.to_string()), Some(cursor));
        for text in ["", "-", "1", "1-", "-1-2", "+1-2", "1-2-3", "99999999999999999999-1", "a-b"] {
            assert_eq!(EventCursor::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn each_kind_has_a_word() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_word(kind.as_str()), Some(kind));
        }
    }
}
