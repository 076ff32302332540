//! Which events a reader wants.

use std::collections::BTreeSet;

use api::{
    event::{EventQuery, kind_of},
    inventory::selector,
};
use store::{Event, EventKind};

use super::{AppError, HostScope, RefusalKind};

/// Types or hosts of one query: more are no selection, and each event is compared with all.
const NAMED_MAX: usize = 256;

/// Those that fit all of it; what is empty fits any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EventFilter {
    pub(crate) kinds: BTreeSet<EventKind>,
    /// Identifiers or names.
    pub(crate) hosts: BTreeSet<String>,
    /// Those of which the reader may know; an event about any other is not told.
    pub(crate) scope: HostScope,
    /// A key, and its value or any.
    pub(crate) labels: Vec<(String, Option<String>)>,
}

impl EventFilter {
    pub(super) fn of(query: &EventQuery, scope: &HostScope) -> Result<Self, AppError> {
        let hosts = named(query.host.as_deref())?.into_iter().map(str::to_owned).collect();
        Ok(Self {
            kinds: kinds(named(query.types.as_deref())?)?,
            hosts,
            scope: scope.clone(),
            labels: labels(query.labels.as_deref())?,
        })
    }

    pub(crate) fn fits(&self, event: &Event) -> bool {
        let Self { kinds, hosts, scope, labels } = self;
        scope.has(&event.labels)
            && (kinds.is_empty() || kinds.contains(&event.kind))
            && (hosts.is_empty()
                || hosts.contains(event.host.as_str())
                || hosts.contains(&event.host_name))
            && labels.iter().all(|(key, value)| {
                let has = event.labels.get(key);
                has.is_some_and(|has| value.as_ref().is_none_or(|value| value == has))
            })
    }
}

/// The kinds that these name.
pub(super) fn kinds<'a>(
    named: impl IntoIterator<Item = &'a str>,
) -> Result<BTreeSet<EventKind>, AppError> {
    let kind = |name: &str| {
        EventKind::from_word(kind_of(name)).ok_or_else(|| {
            let all = EventKind::ALL.map(EventKind::as_str).join(", ");
            let hint = format!("there are {all}");
            AppError::refused(
                RefusalKind::Invalid,
                "event-type-unknown",
                "there is no such type of events",
                hint,
            )
        })
    };
    named.into_iter().map(kind).collect()
}

/// The labels that a selector names.
pub(super) fn labels(text: Option<&str>) -> Result<Vec<(String, Option<String>)>, AppError> {
    let Some(text) = text else { return Ok(Vec::new()) };
    selector(text).map_err(|fault| AppError::plain(RefusalKind::Invalid, "label-invalid", fault))
}

fn named(text: Option<&str>) -> Result<Vec<&str>, AppError> {
    let names = text.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let names: Vec<_> = names.collect();
    if names.len() > NAMED_MAX {
        let title = format!("a query names {NAMED_MAX} types or hosts at most");
        return Err(AppError::plain(RefusalKind::Invalid, "query-too-long", title));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use store::EventCursor;

    use super::*;

    fn event() -> Event {
        Event {
            cursor: EventCursor::START,
            kind: EventKind::AlarmRaised,
            host: "1".into(),
            host_name: "web-1".to_owned(),
            labels: [("site".to_owned(), "muc".to_owned())].into(),
            severity: None,
            is_muted: false,
            data_json: "{}".to_owned(),
        }
    }

    fn fits(types: &str, host: &str, labels: &str) -> bool {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let query = EventQuery {
            types: some(types),
            host: some(host),
            labels: some(labels),
            ..EventQuery::default()
        };
        EventFilter::of(&query, &HostScope::default()).unwrap().fits(&event())
    }

    #[test]
    fn all_of_a_filter_must_fit() {
        assert!(fits("", "", ""));
        assert!(fits("alarm.cleared, org.bootproof.alarm.raised.v1", "1", "site"));
        assert!(fits("", "web-2,web-1", "site=muc"));
        assert!(!fits("alarm.cleared", "", ""));
        assert!(!fits("", "web-2", ""));
        assert!(!fits("", "", "site=ber"));
        assert!(!fits("", "", "site,rack"));
    }

    #[test]
    fn what_is_no_type_is_refused_and_not_passed_over() {
        for types in ["alarm", "org.bootproof.alarm.raised.v2", "alarm.raised,x"] {
            let query = EventQuery { types: Some(types.to_owned()), ..EventQuery::default() };
            assert!(EventFilter::of(&query, &HostScope::default()).is_err(), "{types}");
        }
        let host = Some("h,".repeat(NAMED_MAX + 1));
        let query = EventQuery { host, ..EventQuery::default() };
        assert!(EventFilter::of(&query, &HostScope::default()).is_err());
    }

    #[test]
    fn who_may_know_of_some_hosts_hears_of_those() {
        let within = |site: &str| {
            let scope = HostScope::new([("site".to_owned(), site.to_owned())].into());
            EventFilter::of(&EventQuery::default(), &scope).unwrap().fits(&event())
        };
        assert!(within("muc"));
        assert!(!within("ber"));
    }
}
