//! One host in full.

use api::fleet_report::{PastVerdict, Report, ReportedFinding, ReportedHost, Shown};

use super::{
    Block, Sink, Table, Tone,
    annex::{facts, tone},
    part, say, toned, verdict,
};
use crate::time::time;

pub(super) fn tell(report: &Report, sink: &mut Sink<'_>) {
    let Some(host) = report.hosts.first() else { return };
    part(sink, "The host");
    let mut facts = vec![("Name", host.name.clone())];
    facts.extend(
        self::facts(host)
            .into_iter()
            // Told in full below.
            .filter(|(name, _)| !matches!(*name, "Boot chain" | "Finding" | "Secure Boot keys")),
    );
    facts.push(("Joined", time(Some(host.joined_at_ms))));
    sink(Block::Facts(facts));
    findings(host, sink);
    if let Some(shown) = &host.evidence {
        evidence(shown, sink);
    }
    history(&report.history, sink);
}

fn findings(host: &ReportedHost, sink: &mut Sink<'_>) {
    part(sink, "Findings");
    if host.findings.is_empty() {
        return say(sink, "There are none.");
    }
    let row = |finding: &ReportedFinding| {
        let cause = match &finding.waived {
            Some(reason) => format!("{} (waived: {reason})", finding.cause),
            None => finding.cause.clone(),
        };
        vec![
            toned(tone(&finding.severity), finding.severity.clone()),
            toned(Tone::Strong, finding.code.clone()),
            cause.into(),
            finding.next_step.clone().into(),
        ]
    };
    sink(Block::Table(Table {
        about: "What was found, and the next step".to_owned(),
        columns: vec![("Severity", 0.10), ("Code", 0.18), ("Cause", 0.36), ("Next step", 0.36)],
        rows: host.findings.iter().map(row).collect(),
    }));
}

fn evidence(shown: &Shown, sink: &mut Sink<'_>) {
    part(sink, "Secure Boot keys");
    if shown.keys.is_empty() {
        say(sink, "None was measured and proved.");
    } else {
        let row = |key: &String| {
            let (variable, name) = key.split_once(": ").unwrap_or(("", key));
            vec![toned(Tone::Strong, variable), name.into()]
        };
        sink(Block::Table(Table {
            about: "Certificates of Secure Boot's databases".to_owned(),
            columns: vec![("Database", 0.15), ("Certificate", 0.85)],
            rows: shown.keys.iter().map(row).collect(),
        }));
    }
    part(sink, "What booted");
    if shown.boot.is_empty() {
        say(sink, "The log tells of nothing.");
    } else {
        let row = |step: &api::fleet_report::BootedStep| {
            vec![
                step.pcr.to_string().into(),
                step.what.clone().into(),
                step.untrusted_path.clone().unwrap_or_else(|| "–".to_owned()).into(),
                step.digest.clone().unwrap_or_else(|| "–".to_owned()).into(),
            ]
        };
        say(
            sink,
            "In the order of the log. Digests are what the TPM was extended with; paths are what the log \
             says, and no digest covers them.",
        );
        sink(Block::Table(Table {
            about: "What booted, in order".to_owned(),
            columns: vec![("PCR", 0.06), ("What", 0.24), ("Path", 0.35), ("Digest", 0.35)],
            rows: shown.boot.iter().map(row).collect(),
        }));
        if shown.n_more_steps > 0 {
            say(sink, format!("There were {} more steps.", shown.n_more_steps));
        }
    }
    let Some(pcrs) = &shown.pcrs else { return };
    part(sink, "Quoted PCR values");
    for (bank, values) in &pcrs.0 {
        let row =
            |(pcr, value): (&u32, &String)| vec![pcr.to_string().into(), value.clone().into()];
        sink(Block::Table(Table {
            about: format!("Quoted values of the bank {bank}"),
            columns: vec![("PCR", 0.10), ("Value", 0.90)],
            rows: values.iter().map(row).collect(),
        }));
        sink(Block::Paragraph(Tone::Quiet, format!("Bank {bank}.")));
    }
}

fn history(history: &[PastVerdict], sink: &mut Sink<'_>) {
    part(sink, "History");
    if history.is_empty() {
        return say(sink, "The host was not judged yet.");
    }
    let row = |past: &PastVerdict| {
        let codes = if past.codes.is_empty() { "–".to_owned() } else { past.codes.join(", ") };
        vec![
            time(Some(past.at_ms)).into(),
            verdict(&past.verdict),
            past.reset_count.map_or("–".to_owned(), |n| n.to_string()).into(),
            codes.into(),
        ]
    };
    sink(Block::Table(Table {
        about: "Judgements of the host, the newest first".to_owned(),
        columns: vec![("Judged", 0.20), ("Verdict", 0.16), ("Boot", 0.09), ("Findings", 0.55)],
        rows: history.iter().map(row).collect(),
    }));
    sink(Block::Paragraph(
        Tone::Quiet,
        "Boot: how often the machine had started since its TPM was cleared.".to_owned(),
    ));
}
