//! What is set aside, and who decided what.

use api::fleet_report::{Exceptions, Report};

use super::{Block, Cell, Level, Sink, Table, Tone, cover::person, part, say, toned};
use crate::time::time;

pub(super) fn tell(report: &Report, sink: &mut Sink<'_>) {
    part(sink, "Exceptions");
    let exceptions = &report.exceptions;
    let in_maintenance: Vec<_> =
        report.hosts.iter().filter_map(|host| Some((host, host.maintenance.as_ref()?))).collect();
    let Exceptions { waivers, approved_keys, acknowledged, more_acknowledged } = exceptions;
    if waivers.is_empty()
        && approved_keys.is_empty()
        && acknowledged.is_empty()
        && in_maintenance.is_empty()
    {
        say(sink, "Nothing is waived or set aside.");
    }
    if !waivers.is_empty() || !approved_keys.is_empty() {
        sink(Block::Heading(Level::Sub, "Waived by the policy".to_owned()));
        let waived = waivers.iter().map(|waiver| {
            let what = format!("{} counts as {}", waiver.code, waiver.severity);
            vec![what.into(), waiver.reason.clone().into(), until(&waiver.until, waiver.in_force)]
        });
        let keys = approved_keys.iter().map(|key| {
            let what = format!("endorsement key without certificate {}", key.ek_sha256);
            vec![what.into(), key.reason.clone().into(), until(&key.until, key.in_force)]
        });
        sink(Block::Table(Table {
            about: "What the policy waives".to_owned(),
            columns: vec![("What", 0.38), ("Why", 0.40), ("Until", 0.22)],
            rows: waived.chain(keys).collect(),
        }));
    }
    if !acknowledged.is_empty() {
        sink(Block::Heading(Level::Sub, "Acknowledged alarms".to_owned()));
        say(sink, "An acknowledgement says that a person knows of it. It changes no verdict.");
        let row = |alarm: &api::fleet_report::AcknowledgedAlarm| {
            vec![
                toned(Tone::Strong, alarm.host.clone()),
                alarm.code.clone().into(),
                alarm.reason.clone().into(),
                person(&alarm.by).to_owned().into(),
                alarm.until_ms.map_or("with the alarm".to_owned(), |ms| time(Some(ms))).into(),
            ]
        };
        sink(Block::Table(Table {
            about: "Alarms of which a person said that nothing else is to be done now".to_owned(),
            columns: vec![
                ("Host", 0.18),
                ("Alarm", 0.18),
                ("Why", 0.34),
                ("By", 0.14),
                ("Until", 0.16),
            ],
            rows: acknowledged.iter().map(row).collect(),
        }));
        if *more_acknowledged {
            say(sink, "There are more than are told here.");
        }
    }
    if !in_maintenance.is_empty() {
        sink(Block::Heading(Level::Sub, "In maintenance".to_owned()));
        say(sink, "Alarms of these hosts are told to nobody meanwhile. It changes no verdict.");
        let rows = in_maintenance.iter().map(|(host, maintenance)| {
            let cells: Vec<Cell> = vec![
                toned(Tone::Strong, host.name.clone()),
                maintenance.reason.clone().into(),
                person(&maintenance.by).to_owned().into(),
                time(Some(maintenance.since_ms)).into(),
                maintenance
                    .until_ms
                    .map_or("a person ends it".to_owned(), |ms| time(Some(ms)))
                    .into(),
            ];
            cells
        });
        sink(Block::Table(Table {
            about: "Hosts on which somebody works".to_owned(),
            columns: vec![
                ("Host", 0.18),
                ("Why", 0.34),
                ("By", 0.16),
                ("Since", 0.16),
                ("Until", 0.16),
            ],
            rows: rows.collect(),
        }));
    }
    decisions(report, sink);
}

fn until(until: &str, in_force: bool) -> Cell {
    if in_force {
        until.to_owned().into()
    } else {
        toned(Tone::Quiet, format!("{until} (ended, counts no more)"))
    }
}

fn decisions(report: &Report, sink: &mut Sink<'_>) {
    part(sink, "Who decided what");
    if report.decisions.is_empty() {
        return say(
            sink,
            "The audit log has no decision of a person about these hosts in this time.",
        );
    }
    say(
        sink,
        "Decisions of people about hosts, references and trust anchors, the newest first, with their rows \
         of the audit log.",
    );
    let row = |decision: &api::fleet_report::Decision| {
        vec![
            time(Some(decision.at_ms)).into(),
            toned(Tone::Strong, person(&decision.by).to_owned()),
            decision.action.clone().into(),
            decision.subject.clone().into(),
            decision.reason.clone().unwrap_or_else(|| "–".to_owned()).into(),
            toned(Tone::Quiet, decision.audit_seq.to_string()),
        ]
    };
    sink(Block::Table(Table {
        about: "Decisions of people".to_owned(),
        columns: vec![
            ("When", 0.15),
            ("Who", 0.14),
            ("What", 0.18),
            ("Of what", 0.20),
            ("Why", 0.25),
            ("Row", 0.08),
        ],
        rows: report.decisions.iter().map(row).collect(),
    }));
    if report.more_decisions {
        say(sink, "There are older ones: the audit log has them all.");
    }
}
