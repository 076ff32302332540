//! What hosts lack of what 2026 asks for.

use api::fleet_report::Report;

use super::{Block, Level, Sink, Table, Tone, answer, part, say, toned, verdict};
use crate::readiness::READINESS;

pub(super) fn tell(report: &Report, sink: &mut Sink<'_>) {
    part(sink, "Readiness for 2026");
    say(
        sink,
        "Microsoft's authorities of 2011 ended in June and October 2026. Machines start as before, but what \
         is signed from now on is signed under those of 2023. Each change of these keys changes PCR 7: plan \
         it, and accept the change of the reference afterwards.",
    );
    let rows = READINESS.iter().map(|row| {
        let answers = report.summary.readiness.get(&row.item).copied().unwrap_or_default();
        vec![
            toned(Tone::Strong, row.title),
            counted(Tone::Good, answers.met),
            counted(Tone::Bad, answers.not_met),
            counted(Tone::Unsure, answers.not_checked),
            row.otherwise.into(),
        ]
    });
    sink(Block::Table(Table {
        about: "How many hosts have what 2026 asks for".to_owned(),
        columns: vec![
            ("What", 0.21),
            ("Have it", 0.09),
            ("Lack it", 0.09),
            ("Not checked", 0.11),
            ("What a host that lacks it loses", 0.50),
        ],
        rows: rows.collect(),
    }));
}

/// A number that is looked at only where it is one.
pub(super) fn counted(tone: Tone, n: usize) -> super::Cell {
    toned(if n == 0 { Tone::Quiet } else { tone }, n.to_string())
}

pub(super) fn hosts(report: &Report, sink: &mut Sink<'_>) {
    sink(Block::Heading(Level::Sub, "Hosts".to_owned()));
    if report.hosts.is_empty() {
        return say(sink, "There are none.");
    }
    let rows = report.hosts.iter().map(|host| {
        let mut cells = vec![toned(Tone::Strong, host.name.clone()), verdict(&host.verdict)];
        cells.extend(READINESS.iter().map(|row| answer(host.readiness.get(&row.item).copied())));
        cells
    });
    let mut columns = vec![("Host", 0.14), ("Verdict", 0.10)];
    columns.extend(READINESS.iter().map(|row| (row.title, 0.108)));
    sink(Block::Table(Table {
        about: "What each host has of what 2026 asks for".to_owned(),
        columns,
        rows: rows.collect(),
    }));
}
