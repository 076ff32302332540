//! The hosts of a fleet, and what holds them back.

use api::fleet_report::{Report, ReportedHost};

use super::{Block, Cell, Level, Sink, Table, Tone, part, say, toned, verdict};
use crate::time::time;

/// Those that did not pass first, each with its cause: they are what one looks for.
pub(super) fn hosts(report: &Report, sink: &mut Sink<'_>) {
    part(sink, "Hosts");
    if report.hosts.is_empty() {
        return say(sink, "There are none.");
    }
    let (passed, others): (Vec<_>, Vec<_>) =
        report.hosts.iter().partition(|host| host.verdict == "accepted");
    if !others.is_empty() {
        sink(Block::Heading(Level::Sub, "Not passed, or not appraised".to_owned()));
        sink(Block::Table(Table {
            about: "Hosts that did not pass, each with its cause and the next step".to_owned(),
            columns: vec![
                ("Host", 0.15),
                ("Verdict", 0.13),
                ("Cause", 0.28),
                ("Next step", 0.27),
                ("Since", 0.17),
            ],
            rows: others.into_iter().map(held_back).collect(),
        }));
    }
    if !passed.is_empty() {
        sink(Block::Heading(Level::Sub, "Passed".to_owned()));
        sink(Block::Table(Table {
            about: "Hosts that passed".to_owned(),
            columns: vec![
                ("Host", 0.22),
                ("Verdict", 0.10),
                ("Judged", 0.17),
                ("Counts until", 0.17),
                ("Machine, its own word", 0.34),
            ],
            rows: passed.into_iter().map(sound).collect(),
        }));
    }
}

fn held_back(host: &ReportedHost) -> Vec<Cell> {
    let dash = || "–".to_owned();
    let finding = host.findings.first();
    vec![
        toned(Tone::Strong, host.name.clone()),
        verdict(&host.verdict),
        finding.map_or_else(dash, |it| format!("{}: {}", it.code, it.cause)).into(),
        finding.map_or_else(dash, |it| it.next_step.clone()).into(),
        time(host.since_ms).into(),
    ]
}

fn sound(host: &ReportedHost) -> Vec<Cell> {
    let machine = host.evidence.as_ref().and_then(|shown| shown.untrusted_machine.as_ref());
    vec![
        toned(Tone::Strong, host.name.clone()),
        verdict(&host.verdict),
        time(host.appraised_at_ms).into(),
        time(host.good_until_ms).into(),
        machine.map_or("–", String::as_str).into(),
    ]
}

/// What holds hosts back, by cause.
pub(super) fn causes(report: &Report, sink: &mut Sink<'_>) {
    let causes = &report.summary.causes;
    if causes.is_empty() {
        return;
    }
    sink(Block::Heading(Level::Sub, "What holds hosts back".to_owned()));
    let row = |cause: &api::fleet_report::CauseCount| {
        let tone = if cause.severity == "hold" { Tone::Unsure } else { Tone::Bad };
        vec![
            toned(tone, cause.n_hosts.to_string()),
            format!("{} ({})", cause.title, cause.code).into(),
            cause.next_step.clone().into(),
        ]
    };
    sink(Block::Table(Table {
        about: "Causes, how many hosts have each, and the next step".to_owned(),
        columns: vec![("Hosts", 0.08), ("Cause", 0.36), ("Next step", 0.56)],
        rows: causes.iter().map(row).collect(),
    }));
}
