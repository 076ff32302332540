//! Controls of standards, and which hosts meet them.

use api::fleet_report::{Answer, Control, Report};

use super::{
    Block, Cell, Level, Sink, Table, Tone, answer, part, readiness::counted, say, toned, verdict,
};

pub(super) fn tell(report: &Report, sink: &mut Sink<'_>) {
    part(sink, "Controls");
    say(
        sink,
        "Identifiers are those of the standards; what each asks for is told in our words. A host meets a \
         control only where evidence shows it: what was not checked is not met. Controls for ESXi are asked \
         of hosts alone that say that they run it.",
    );
    let row = |control: &Control| {
        let answers = &control.answers;
        let cells: Vec<Cell> = vec![
            toned(Tone::Strong, control.id.clone()),
            format!("{} ({})", control.asks, control.standard).into(),
            counted(Tone::Good, answers.met),
            counted(Tone::Bad, answers.not_met),
            counted(Tone::Unsure, answers.not_checked),
            control.shown_by.clone().into(),
        ];
        cells
    };
    sink(Block::Table(Table {
        about: "Controls, and how many hosts meet each".to_owned(),
        columns: vec![
            ("Control", 0.16),
            ("Asks", 0.28),
            ("Met", 0.07),
            ("Not met", 0.08),
            ("Not checked", 0.10),
            ("Shown by", 0.31),
        ],
        rows: report.controls.iter().map(row).collect(),
    }));
}

/// For each control that is asked of any host, the hosts that do not meet it, and how many do.
pub(super) fn hosts(report: &Report, sink: &mut Sink<'_>) {
    let asked = report.controls.iter().filter(|control| control.answers.n_asked() > 0);
    for control in asked {
        part(sink, &format!("{}: {}", control.id, control.asks));
        let of = |host: &&api::fleet_report::ReportedHost| host.controls.get(&control.id).copied();
        let asked = control.answers.n_asked();
        say(
            sink,
            format!(
                "{} of {} meet it. {}",
                control.answers.met,
                super::hosts_of(asked),
                control.shown_by
            ),
        );
        let (met, others): (Vec<_>, Vec<_>) = report
            .hosts
            .iter()
            .filter(|host| of(host) != Some(Answer::NotApplicable))
            .partition(|host| of(host) == Some(Answer::Met));
        let rows = others.iter().chain(&met).map(|host| {
            let finding = host.findings.first().filter(|_| of(host) != Some(Answer::Met));
            let why = finding.map_or("–".to_owned(), |it| format!("{}: {}", it.code, it.cause));
            vec![
                toned(Tone::Strong, host.name.clone()),
                answer(of(host)),
                verdict(&host.verdict),
                why.into(),
            ]
        });
        sink(Block::Table(Table {
            about: format!("How each host answers {}", control.id),
            columns: vec![("Host", 0.25), ("Control", 0.14), ("Verdict", 0.14), ("Cause", 0.47)],
            rows: rows.collect(),
        }));
    }
    let unasked: Vec<_> = report
        .controls
        .iter()
        .filter(|control| control.answers.n_asked() == 0)
        .map(|control| control.id.as_str())
        .collect();
    if !unasked.is_empty() {
        sink(Block::Heading(Level::Sub, "Asked of no host".to_owned()));
        say(sink, unasked.join(", "));
    }
}
