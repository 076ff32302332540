//! The head of a report, and what it comes to in one sentence.

use api::fleet_report::{Report, ReportKind, Summary};

use super::{Block, Sink, Tone, hosts_of, say, title};
use crate::time::time;

pub(super) fn tell(report: &Report, json_sha256: &str, sink: &mut Sink<'_>) {
    let made = &report.made;
    sink(Block::Title(title(report.kind).to_owned(), "Report by Bootproof".to_owned()));
    let selection = &report.selection;
    let mut of = Vec::new();
    if let Some(host) = &selection.host {
        of.push(format!("the host {host}"));
    }
    if let Some(labels) = &selection.labels {
        of.push(format!("hosts with the labels {labels}"));
    }
    if !selection.scope.is_empty() {
        let scope: Vec<_> =
            selection.scope.iter().map(|(key, value)| format!("{key}={value}")).collect();
        of.push(format!("of those that its maker may see: {}", scope.join(", ")));
    }
    if of.is_empty() {
        of.push("all hosts of the server".to_owned());
    }
    sink(Block::Facts(vec![
        ("As of", time(Some(made.at_ms))),
        ("Server", format!("{} (Bootproof {})", made.server, made.version)),
        ("Made by", person(&made.by).to_owned()),
        ("Covers", of.join("; ")),
        ("Policy", format!("SHA-256 {}", report.policy.sha256)),
        ("Report", format!("SHA-256 {json_sha256} of its JSON, which is signed")),
    ]));
    super::part(sink, "Summary");
    summary(report, sink);
    sink(Block::Contents);
}

/// Somebody as people call them.
pub(super) fn person(actor: &str) -> &str {
    actor.strip_prefix("user:").unwrap_or(actor)
}

fn summary(report: &Report, sink: &mut Sink<'_>) {
    let summary = &report.summary;
    let (tone, sentence) = sentence(report.kind, summary);
    sink(Block::Paragraph(tone, sentence));
    if report.kind == ReportKind::Host {
        return;
    }
    sink(Block::Bar(vec![
        (Tone::Good, summary.n_accepted),
        (Tone::Unsure, summary.n_not_appraised),
        (Tone::Bad, summary.n_not_accepted),
    ]));
    say(
        sink,
        format!(
            "Passed: {}. Not passed: {}. Not appraised: {}. Not responding, whatever their verdict: {}.",
            summary.n_accepted,
            summary.n_not_accepted,
            summary.n_not_appraised,
            summary.n_not_responding
        ),
    );
}

fn sentence(kind: ReportKind, summary: &Summary) -> (Tone, String) {
    let Summary { n_hosts, n_accepted, .. } = *summary;
    let is_all = n_hosts > 0 && n_hosts == n_accepted;
    if n_hosts == 0 {
        let text = "There is no host in this report, so it proves nothing of any.";
        return (Tone::Unsure, text.to_owned());
    }
    let tone = if is_all { Tone::Good } else { Tone::Bad };
    let done = match (kind, n_accepted) {
        (ReportKind::Host, 1) => "Secure Boot has done its job on this host".to_owned(),
        (ReportKind::Host, _) => {
            return (
                Tone::Bad,
                "It is not proved that Secure Boot has done its job on this host; below is why, and what \
                 to do next."
                    .to_owned(),
            );
        }
        _ if is_all && n_hosts > 1 => {
            format!("Secure Boot has done its job on all {n_hosts} hosts")
        }
        _ => format!("Secure Boot has done its job on {n_accepted} of {}", hosts_of(n_hosts)),
    };
    (tone, format!("{done}, and here is how we know."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(n_hosts: usize, n_accepted: usize) -> (Tone, String) {
        sentence(ReportKind::Fleet, &Summary { n_hosts, n_accepted, ..Summary::default() })
    }

    #[test]
    fn only_a_whole_fleet_that_passed_is_good() {
        let (tone, text) = of(212, 211);
        assert_eq!(tone, Tone::Bad);
        assert_eq!(
            text,
            "Secure Boot has done its job on 211 of 212 hosts, and here is how we know."
        );
        assert_eq!(of(212, 212).0, Tone::Good);
        assert_eq!(
            of(1, 1).1,
            "Secure Boot has done its job on 1 of 1 host, and here is how we know."
        );
        assert_eq!(of(0, 0).0, Tone::Unsure, "nothing passes on nothing");
    }
}
