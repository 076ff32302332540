//! A report as text and as JSON.

use api::diagnosis::{self as document, HostDiagnosis, Line, Read};
use diagnose::{Case, ClockSetBack, HostReport, Report, State, Suspicion};

use crate::{
    cmd::local_time,
    error::CliError,
    output::{Output, Tone, plain},
};

/// The report as `--json` prints it.
pub(super) fn document(report: &Report, read: Read) -> document::Diagnosis {
    let hosts = report.hosts.iter().map(|host| {
        let cases = |cases: &[Case]| cases.iter().map(words).collect();
        HostDiagnosis {
            host: host.name.as_ref().map(|name| name.as_str().to_owned()),
            has_unnamed_lines: host.has_unnamed_lines,
            causes: cases(&host.causes),
            suspicions: host.suspicions.iter().map(suspicion).collect(),
            symptoms: cases(&host.symptoms),
            harmless: cases(&host.harmless),
        }
    });
    document::Diagnosis { trouble: report.is_trouble(), hosts: hosts.collect(), read }
}

/// A place at which time goes back.
pub(super) fn clock(clock: &ClockSetBack) -> document::ClockSetBack {
    document::ClockSetBack {
        file: clock.file.to_string(),
        line: clock.number,
        from_ms: clock.from_ms,
        to_ms: clock.to_ms,
    }
}

pub(super) fn words(case: &Case) -> document::Case {
    document::Case {
        signature: case.signature.id.to_owned(),
        source: case.signature.source.as_str().to_owned(),
        says: case.says(),
        cause: case.cause().to_owned(),
        next_step: case.next_step().to_owned(),
        finding: case.finding().map(|code| code.as_str().to_owned()),
        response_code: case.code.map(|code| format!("{:#x}", code.code.0)),
        command: case.on_line.and_then(|on_line| on_line.command).map(str::to_owned),
        n_lines: case.n_lines,
        since_ms: case.first_ms,
        last_ms: case.last_ms,
        ended_ms: match case.state {
            State::EndedAt(ms) => Some(ms),
            State::Lasts | State::Ended => None,
        },
        explained_by: case.explained_by.iter().map(|id| (*id).to_owned()).collect(),
        evidence: case
            .evidence
            .iter()
            .map(|line| Line {
                file: line.file.to_string(),
                line: line.number,
                text: line.text.clone(),
            })
            .collect(),
    }
}

fn suspicion((suspicion, found): &(Suspicion, Case)) -> document::Case {
    document::Case {
        says: suspicion.says.to_owned(),
        cause: suspicion.cause.to_owned(),
        next_step: suspicion.next_step.to_owned(),
        finding: suspicion.finding.map(|code| code.as_str().to_owned()),
        ..words(found)
    }
}

/// The report as text: hosts with a cause first.
pub(super) fn in_words(report: &Report, read: &Read, output: &Output) -> Result<(), CliError> {
    for one in &report.hosts {
        host(one, output)?;
        output.line("")?;
    }
    let mut summary = format!(
        "{} in {} read",
        counted(read.lines, "line", "lines"),
        counted(read.files, "file", "files")
    );
    // Of nothing nothing is known.
    if !report.is_trouble() && read.lines > 0 {
        summary += ": nothing wrong was found";
    }
    output.line(&summary)?;
    if read.lines_cut > 0 {
        let lines = counted(read.lines_cut, "line was", "lines were");
        output.line(&format!("{lines} too long: only their start was looked at"))?;
    }
    for clock in &report.clocks_set_back {
        output.note(&format!(
            "time goes back at {}:{}, from {} to {}: a clock was set, or logs were put together; times before and behind it cannot be compared",
            clock.file,
            clock.number,
            local_time::time(Some(clock.from_ms)),
            local_time::time(Some(clock.to_ms)),
        ));
    }
    for unread in &read.unread {
        output.note(&format!("not read to the end: {}: {}", unread.file, unread.why));
    }
    Ok(())
}

fn host(host: &HostReport, output: &Output) -> Result<(), CliError> {
    let name = host.name.as_ref().map_or("a host that the logs do not name", |name| name.as_str());
    output.line(&output.paint(Tone::Strong, name))?;
    if host.has_unnamed_lines {
        output.line("  (lines that name no host are counted to this one: no other is named)")?;
    }
    let (over, lasting): (Vec<&Case>, Vec<&Case>) =
        host.causes.iter().partition(|case| case.state != State::Lasts);
    for case in lasting {
        cause("cause", Tone::Bad, &words(case), case, host, output)?;
    }
    for found in &host.suspicions {
        let (label, tone) = ("perhaps", Tone::Unsure);
        cause(label, tone, &suspicion(found), &found.1, host, output)?;
    }
    for case in over {
        cause("was", Tone::Unsure, &words(case), case, host, output)?;
    }
    let unexplained: Vec<_> =
        host.symptoms.iter().filter(|case| case.explained_by.is_empty()).collect();
    for case in unexplained {
        cause("symptom", Tone::Unsure, &words(case), case, host, output)?;
    }
    if !host.harmless.is_empty() {
        output.line("")?;
        output.line(&format!("  {}", output.paint(Tone::Good, "harmless")))?;
        for case in &host.harmless {
            output.line(&format!(
                "    {} ({}): {}",
                case.says(),
                case.signature.id,
                lines_of(case)
            ))?;
        }
    }
    Ok(())
}

fn cause(
    label: &str,
    tone: Tone,
    words: &document::Case,
    case: &Case,
    host: &HostReport,
    output: &Output,
) -> Result<(), CliError> {
    output.line("")?;
    output.line(&format!("  {}: {}", output.paint(tone, label), words.says))?;
    if let Some(since) = words.since_ms {
        let since = local_time::time(Some(since));
        let until =
            words.ended_ms.map(|ended| format!(", over at {}", local_time::time(Some(ended))));
        output.line(&format!("    since {since}{}", until.unwrap_or_default()))?;
    }
    output.line(&format!("    why: {}", words.cause))?;
    output.line(&format!("    next step: {}", words.next_step))?;
    let finding = words.finding.as_ref().map(|code| format!("; bootproof explain {code}"));
    output.line(&format!(
        "    proof: {} of {} ({}{})",
        lines_of(case),
        words.source,
        words.signature,
        finding.unwrap_or_default()
    ))?;
    for line in &words.evidence {
        output.line(&plain(&format!("      {}:{}: {}", line.file, line.line, line.text)))?;
    }
    for symptom in &host.symptoms {
        if symptom.explained_by.contains(&case.signature.id) {
            output.line(&format!(
                "    led to: {} ({}): {}",
                symptom.says(),
                symptom.signature.id,
                lines_of(symptom)
            ))?;
        }
    }
    Ok(())
}

fn lines_of(case: &Case) -> String {
    counted(case.n_lines, "line", "lines")
}

/// `1 line`, `2 lines`.
pub(super) fn counted(n: impl TryInto<u64>, one: &str, many: &str) -> String {
    match n.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        n => format!("{n} {many}"),
    }
}
