//! Events in the words of each kind of channel.

use std::collections::BTreeMap;

use api::event::{CloudEvent, EventAlarm, EventData, EventHost, kind_of, type_of};

use crate::deliver::{Alert, Mail, Record, SyslogSeverity, label_name};

/// How long an alert stands where nothing more is heard of it: some renewals.
pub(super) const ALERT_MS: i64 = 5 * 60_000;

/// Hosts that a mail lists: nobody reads more.
const HOSTS_SHOWN: usize = 100;

/// The kind of an event that only tests a channel.
const TEST: &str = "channel.test";

fn time(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map(|time| time.to_string()).unwrap_or_default()
}

/// An event that says it is a test.
pub(super) fn test_event(channel: &str, source: &str, now_ms: i64) -> CloudEvent {
    CloudEvent {
        specversion: "1.0".to_owned(),
        id: format!("test-{now_ms}"),
        source: source.to_owned(),
        event_type: type_of(TEST),
        subject: format!("channels/{channel}"),
        time: time(now_ms),
        datacontenttype: "application/json".to_owned(),
        data: EventData {
            host: EventHost {
                id: "none".to_owned(),
                name: "none".to_owned(),
                labels: BTreeMap::new(),
            },
            alarm: None,
            verdict: None,
            state: None,
            by: None,
        },
    }
}

/// What an alarm is after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Stands,
    Known,
    Cleared,
}

fn phase(kind: &str) -> Option<Phase> {
    match kind {
        "alarm.raised" | "alarm.unmuted" | "alarm.acknowledgement-ended" => Some(Phase::Stands),
        "alarm.acknowledged" => Some(Phase::Known),
        "alarm.cleared" => Some(Phase::Cleared),
        _ => None,
    }
}

/// One line that says what happened.
fn words(event: &CloudEvent) -> String {
    let data = &event.data;
    let host = &data.host.name;
    let kind = kind_of(&event.event_type);
    if kind == TEST {
        return "This is a test of a channel of Bootproof: nothing happened.".to_owned();
    }
    if let Some(alarm) = &data.alarm {
        let word = match phase(kind) {
            Some(Phase::Cleared) => "cleared",
            Some(Phase::Known) => "acknowledged",
            _ => "alarm",
        };
        return format!(
            "{word}: {} at {host}: {} Next: {}",
            alarm.code, alarm.cause, alarm.next_step
        );
    }
    if let Some(verdict) = &data.verdict {
        let before = verdict.before.as_deref().unwrap_or("never judged");
        return format!("{host}: {before} -> {}", verdict.verdict);
    }
    format!("{kind}: {host}")
}

/// One alert; `None` where the event is of no alarm.
pub(super) fn alert(event: &CloudEvent, source: &str, now_ms: i64) -> Option<Alert> {
    let kind = kind_of(&event.event_type);
    if kind == TEST {
        let labels = [("alertname", "BootproofChannelTest"), ("source", source)];
        return Some(Alert {
            labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            annotations: [("description".to_owned(), words(event))].into(),
            starts_at: time(now_ms),
            ends_at: time(now_ms.saturating_add(60_000)),
        });
    }
    let alarm = event.data.alarm.as_ref()?;
    let ends_at_ms = match phase(kind)? {
        Phase::Stands => now_ms.saturating_add(ALERT_MS),
        Phase::Known => now_ms,
        Phase::Cleared => alarm.cleared_at_ms.unwrap_or(now_ms),
    };
    Some(alert_of(alarm, &event.data.host, source, ends_at_ms))
}

/// The alert of an alarm.
pub(super) fn alert_of(
    alarm: &EventAlarm,
    host: &EventHost,
    source: &str,
    ends_at_ms: i64,
) -> Alert {
    let severity = if alarm.severity == "fail" { "critical" } else { "warning" };
    let mut labels: BTreeMap<String, String> =
        host.labels.iter().map(|(key, value)| (label_name(key), value.clone())).collect();
    labels.extend(
        [
            ("alertname", &*alarm.code),
            ("severity", severity),
            ("host", &*host.name),
            ("host_id", &*host.id),
            ("source", source),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    let annotations =
        [("summary", &alarm.title), ("description", &alarm.cause), ("next_step", &alarm.next_step)];
    Alert {
        labels,
        annotations: annotations.map(|(key, value)| (key.to_owned(), value.clone())).into(),
        starts_at: time(alarm.raised_at_ms),
        // It cannot end before it began, also where clocks jumped.
        ends_at: time(ends_at_ms.max(alarm.raised_at_ms)),
    }
}

/// One mail for a cause, however many hosts it hits; what is of no alarm is one mail for a type.
pub(super) fn mails(events: &[CloudEvent]) -> Vec<Mail> {
    let mut groups: BTreeMap<(Option<Phase>, String), Vec<&CloudEvent>> = BTreeMap::new();
    for event in events {
        let kind = kind_of(&event.event_type);
        let subject = event.data.alarm.as_ref().map_or(kind, |alarm| &alarm.code).to_owned();
        groups.entry((phase(kind), subject)).or_default().push(event);
    }
    groups.into_iter().filter_map(|(key, events)| mail(key.0, &key.1, &events)).collect()
}

fn mail(phase: Option<Phase>, of: &str, events: &[&CloudEvent]) -> Option<Mail> {
    let first = events.first()?;
    let at = match events {
        [one] => one.data.host.name.clone(),
        many => format!("{} hosts", many.len()),
    };
    let word = match phase {
        Some(Phase::Cleared) => "cleared: ",
        Some(Phase::Known) => "acknowledged: ",
        Some(Phase::Stands) | None => "",
    };
    let subject =
        if of == TEST { "test of a channel".to_owned() } else { format!("{word}{of} at {at}") };
    let mut body = String::new();
    if let Some(alarm) = &first.data.alarm {
        body.push_str(&format!("{}\n\nNext step: {}\n\n", alarm.title, alarm.next_step));
    }
    for event in events.iter().take(HOSTS_SHOWN) {
        let said = match &event.data.alarm {
            Some(alarm) => format!("{}: {}", event.data.host.name, alarm.cause),
            None => words(event),
        };
        body.push_str(&format!("- {}  {said}\n", event.time));
    }
    if events.len() > HOSTS_SHOWN {
        body.push_str(&format!("- and {} more\n", events.len() - HOSTS_SHOWN));
    }
    body.push_str(&format!("\nTold by {}\n", first.source));
    // A group of the same events that comes again has the same first one.
    Some(Mail {
        id: format!("{}.{of}", first.id),
        subject: format!("[bootproof] {subject}"),
        body,
        attachments: Vec::new(),
    })
}

/// One record.
pub(super) fn record(event: &CloudEvent) -> Record {
    let kind = kind_of(&event.event_type);
    let data = &event.data;
    let severity = match (&data.alarm, phase(kind)) {
        (Some(alarm), Some(Phase::Stands)) if alarm.severity == "fail" => SyslogSeverity::Error,
        (Some(_), Some(Phase::Stands)) => SyslogSeverity::Warning,
        (Some(_), _) => SyslogSeverity::Notice,
        (None, _) => match &data.verdict {
            Some(verdict) if verdict.verdict != "accepted" => SyslogSeverity::Warning,
            _ => SyslogSeverity::Informational,
        },
    };
    let mut parameters = vec![
        ("id", event.id.clone()),
        ("type", event.event_type.clone()),
        ("host", data.host.name.clone()),
        ("hostId", data.host.id.clone()),
    ];
    if let Some(alarm) = &data.alarm {
        parameters.push(("code", alarm.code.clone()));
        parameters.push(("severity", alarm.severity.clone()));
    }
    if let Some(verdict) = &data.verdict {
        parameters.push(("verdict", verdict.verdict.clone()));
    }
    Record {
        severity,
        time: event.time.clone(),
        message_id: kind.to_owned(),
        parameters,
        message: words(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(n: i64, kind: &str, host: &str, code: &str) -> CloudEvent {
        let mut event = test_event("ops", "urn:bootproof:0", n);
        event.event_type = type_of(kind);
        event.id = format!("{n}-{n}");
        event.data.host.name = host.to_owned();
        event.data.host.labels = [("rack.no/1".to_owned(), "7".to_owned())].into();
        event.data.alarm = Some(EventAlarm {
            id: n,
            code: code.to_owned(),
            title: "T".to_owned(),
            severity: "fail".to_owned(),
            cause: "C".to_owned(),
            next_step: "N".to_owned(),
            raised_at_ms: 1_000,
            cleared_at_ms: (kind == "alarm.cleared").then_some(9_000),
            acknowledgement: None,
            muted: false,
        });
        event
    }

    #[test]
    fn one_mail_is_for_one_cause_and_not_for_one_host() {
        let events = [
            event(1, "alarm.raised", "web-1", "secure-boot-off"),
            event(2, "alarm.raised", "web-2", "secure-boot-off"),
            event(3, "alarm.cleared", "db-1", "secure-boot-off"),
            event(4, "alarm.unmuted", "web-3", "secure-boot-off"),
            event(5, "alarm.raised", "web-1", "no-tpm"),
        ];
        let mails = mails(&events);
        let subjects: Vec<_> = mails.iter().map(|mail| &*mail.subject).collect();
        assert_eq!(
            subjects,
            [
                "[bootproof] no-tpm at web-1",
                "[bootproof] secure-boot-off at 3 hosts",
                "[bootproof] cleared: secure-boot-off at db-1",
            ]
        );
        for host in ["web-1", "web-2", "web-3"] {
            assert!(mails[1].body.contains(host), "{}", mails[1].body);
        }
    }

    #[test]
    fn an_alert_ends_when_its_alarm_does() {
        let of = |kind| alert(&event(1, kind, "web-1", "no-tpm"), "s", 10_000).unwrap();
        let raised = of("alarm.raised");
        assert_eq!(raised.ends_at, time(10_000 + ALERT_MS));
        assert_eq!(raised.labels["label_rack_no_1"], "7");
        assert_eq!(
            (&*raised.labels["alertname"], &*raised.labels["severity"]),
            ("no-tpm", "critical")
        );
        assert_eq!(of("alarm.cleared").ends_at, time(9_000));
        assert_eq!(of("alarm.acknowledged").ends_at, time(10_000));
        assert_eq!(of("alarm.cleared").labels, raised.labels, "one and the same");
        assert_eq!(alert(&event(1, "host.added", "web-1", "x"), "s", 1), None);
    }

    #[test]
    fn a_record_is_as_bad_as_its_alarm() {
        assert_eq!(record(&event(1, "alarm.raised", "h", "c")).severity, SyslogSeverity::Error);
        assert_eq!(record(&event(1, "alarm.cleared", "h", "c")).severity, SyslogSeverity::Notice);
        let test = test_event("ops", "s", 1);
        assert_eq!(record(&test).severity, SyslogSeverity::Informational);
    }
}
