//! `bootproof firmware scan`

use api::firmware as document;
use comfy_table::Cell;
use firmware::assess::{Finding, Outcome, Readiness, Severity};
use firmware::system::Identity;
use firmware::{ResourcePath, System, assess};
use secure_boot_facts::Date;

use super::{goal, source};
use crate::{
    args::FirmwareScan,
    cmd::Exit,
    error::CliError,
    output::{Output, Tone, plain},
};

/// Up to so many hosts each finding is told without being asked for.
const HOSTS_WITH_DETAILS: usize = 3;

pub(super) fn run(command: &FirmwareScan, output: &Output) -> Result<Exit, CliError> {
    let goal = goal(&command.goal);
    let today = today();
    let mut hosts = Vec::new();
    let mut failed = Vec::new();
    let judge = move |system: &System| Judged {
        path: system.path.clone(),
        identity: system.identity.clone(),
        readiness: assess(system, goal, today),
    };
    for source in source::read_all(&command.source, output, judge)? {
        match source.hosts {
            Ok(judged) => hosts.extend(
                judged.into_iter().map(|judged| Host { source: source.name.clone(), judged }),
            ),
            Err(err) => failed.push(document::FailedSource {
                source: source.name,
                error: anyhow::Error::from(err)
                    .chain()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(": "),
            }),
        }
    }
    let exit = exit(&hosts, &failed);
    if output.is_json() {
        output.json(&document::Scan {
            profile: goal.profile.as_str().to_owned(),
            hosts: hosts.iter().map(Host::document).collect(),
            failed,
        })?;
        return Ok(exit);
    }
    if !hosts.is_empty() {
        table(&hosts, output)?;
    }
    if command.details || hosts.len() <= HOSTS_WITH_DETAILS {
        for host in &hosts {
            details(host, output)?;
        }
    } else {
        output.line("Each finding with its evidence: --details, or --json.")?;
    }
    for failed in &failed {
        let label = output.paint(Tone::Bad, "could not be read");
        output.line(&format!("{label} {}: {}", plain(&failed.source), plain(&failed.error)))?;
    }
    output.line("This is what BMCs say; a server's verdict proves how a host booted.")?;
    Ok(exit)
}

/// The day, for certificates that have expired. Where it cannot be told it is one on which those of
/// the table were valid still, so that nothing is called expired for a clock's fault.
fn today() -> Date {
    let now = jiff::Timestamp::now().to_string();
    now.get(..10).and_then(Date::parse).unwrap_or(secure_boot_facts::DBX_DATE)
}

fn exit(hosts: &[Host], failed: &[document::FailedSource]) -> Exit {
    let has = |outcome| hosts.iter().any(|host| host.judged.readiness.outcome == outcome);
    match () {
        () if has(Outcome::NotReady) => Exit::No,
        () if has(Outcome::Unsure) || !failed.is_empty() || hosts.is_empty() => Exit::Unsure,
        () => Exit::Done,
    }
}

/// What is kept of a host: its settings and its registry are not.
struct Judged {
    path: ResourcePath,
    identity: Identity,
    readiness: Readiness,
}

struct Host {
    source: String,
    judged: Judged,
}

impl Host {
    /// What people know it by: the name that it gave itself, else that of its source.
    fn name(&self) -> String {
        let Identity { host_name, id, .. } = &self.judged.identity;
        match host_name {
            Some(name) => name.clone(),
            None => format!("{} ({id})", self.source),
        }
    }

    fn document(&self) -> document::Host {
        let identity = self.judged.identity.clone();
        let place = |source: &firmware::system::Source| document::Source {
            resource: source.resource.to_string(),
            property: source.property.clone(),
        };
        let finding = |finding: &Finding| document::Finding {
            code: finding.code.as_str().to_owned(),
            severity: finding.severity.as_str().to_owned(),
            title: finding.code.entry().title.to_owned(),
            detail: finding.detail.clone(),
            cause: finding.code.entry().cause.to_owned(),
            by: finding.by.as_str().to_owned(),
            next_step: finding.next_step.clone(),
            source: finding.source.as_ref().map(place),
        };
        let seen = self.judged.readiness.seen.iter().map(|seen| document::Seen {
            what: seen.what.to_owned(),
            value: seen.value.clone(),
            source: place(&seen.source),
        });
        document::Host {
            source: self.source.clone(),
            system: self.judged.path.to_string(),
            manufacturer: identity.manufacturer,
            model: identity.model,
            serial: identity.serial,
            host_name: identity.host_name,
            bios_version: identity.bios_version,
            outcome: self.judged.readiness.outcome.as_str().to_owned(),
            menders: self
                .judged
                .readiness
                .menders()
                .iter()
                .map(|by| by.as_str().to_owned())
                .collect(),
            reboots: u64::try_from(self.judged.readiness.plan.reboots).unwrap_or(u64::MAX),
            findings: self.judged.readiness.findings.iter().map(finding).collect(),
            seen: seen.collect(),
        }
    }
}

fn table(hosts: &[Host], output: &Output) -> Result<(), CliError> {
    let mut table =
        output.table(&["host", "model", "ready", "why not", "who mends it", "restarts"]);
    for host in hosts {
        let readiness = &host.judged.readiness;
        let outcome = readiness.outcome.as_str();
        table.add_row([
            Cell::new(plain(&host.name())),
            Cell::new(plain(host.judged.identity.model.as_deref().unwrap_or("-"))),
            output.cell(tone(readiness.outcome), outcome),
            Cell::new(plain(&why_not(readiness))),
            Cell::new(plain(&who(readiness))),
            Cell::new(readiness.plan.reboots),
        ]);
    }
    Ok(output.line(&table.to_string())?)
}

const fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Ready => Tone::Good,
        Outcome::Warned | Outcome::Unsure => Tone::Unsure,
        Outcome::NotReady => Tone::Bad,
    }
}

/// The codes of what is worst, each once, with how many there are of lesser weight.
fn why_not(readiness: &Readiness) -> String {
    let worst = readiness.findings.iter().map(|finding| finding.severity).min();
    let Some(worst) = worst.filter(|worst| *worst != Severity::Info) else { return "-".to_owned() };
    let mut codes: Vec<&str> = Vec::new();
    for finding in readiness.findings.iter().filter(|finding| finding.severity == worst) {
        if !codes.contains(&finding.code.as_str()) {
            codes.push(finding.code.as_str());
        }
    }
    let is_lesser = |f: &&Finding| f.severity > worst && f.severity != Severity::Info;
    match readiness.findings.iter().filter(is_lesser).count() {
        0 => codes.join(", "),
        n => format!("{} (+{n} lesser)", codes.join(", ")),
    }
}

fn who(readiness: &Readiness) -> String {
    let menders = readiness.menders();
    match menders.is_empty() {
        true => "-".to_owned(),
        false => menders.iter().map(|by| by.as_str()).collect::<Vec<_>>().join(", "),
    }
}

fn details(host: &Host, output: &Output) -> Result<(), CliError> {
    let identity = &host.judged.identity;
    let mut head = plain(&host.name());
    let parts = [&identity.manufacturer, &identity.model, &identity.serial];
    let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    if !parts.is_empty() {
        head.push_str(&format!(": {}", plain(&parts.join(" "))));
    }
    if let Some(version) = &identity.bios_version {
        head.push_str(&format!(", BIOS {}", plain(version)));
    }
    output.line("")?;
    output.line(&output.paint(Tone::Strong, &head))?;
    for finding in &host.judged.readiness.findings {
        let tone = match finding.severity {
            Severity::Fail => Tone::Bad,
            Severity::Unknown | Severity::Warn => Tone::Unsure,
            Severity::Info => Tone::Plain,
        };
        let severity = output.paint(tone, &format!("{:<8}", finding.severity.as_str()));
        let entry = finding.code.entry();
        output.line(&format!("{severity} {}: {}", entry.name, entry.title))?;
        output.line(&format!("         {}", plain(&finding.detail)))?;
        if let Some(source) = &finding.source {
            output.line(&format!("         from: {}", plain(&source.to_string())))?;
        }
        if finding.severity != Severity::Info {
            output.line(&format!(
                "         next: {} ({})",
                plain(&finding.next_step),
                finding.by.as_str()
            ))?;
        }
    }
    for seen in &host.judged.readiness.seen {
        output.line(&format!("seen     {}: {}", seen.what, plain(&seen.value)))?;
    }
    Ok(())
}
