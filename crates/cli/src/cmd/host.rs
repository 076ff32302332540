//! `bootproof host …`

mod boot_diff;
mod many;
mod view;

use api::{
    admin::{Candidate, Host as HostView, HostDetail, ReplaceRequest, Schedule},
    finding::Finding,
    inventory::{Action, HostQuery, LabelsRequest, Maintenance, MaintenanceRequest},
};
use client::{Client, LabelsQuery};
use comfy_table::{Attribute, Cell, Color};
use many::Words;

use super::{
    Exit,
    local_time::{after, time},
    reference::fleet,
    verify::{show_facts, show_findings},
};
use crate::{
    args::{Attest, EnterMaintenance, Host, HostList, HostReplace, OneHost},
    error::CliError,
    evidence_dir,
    output::{Output, Tone, plain},
};

/// Hosts of one request.
const PAGE_LEN: u32 = 500;

pub(super) async fn run(
    command: &Host,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Host::List(command) => list(command, client, output).await,
        Host::View(command) => view::run(command, client, output).await,
        Host::Show(host) => show(host, client, output).await,
        Host::Attest(command) => attest(command, client, output).await,
        Host::Replace(command) => replace(command, client, output).await,
        Host::Labels { key } => labels(key.as_deref(), client, output).await,
        Host::Disconnect(hosts) => {
            let done = "disconnected: not attested until it is reconnected";
            let words = Words { verb: "disconnect", done: done.to_owned() };
            many::run(hosts, Action::Disconnect, &words, client, output).await
        }
        Host::Reconnect(hosts) => {
            let done = "reconnected: the agent will have its identity key stored";
            let words = Words { verb: "reconnect", done: done.to_owned() };
            many::run(hosts, Action::Reconnect, &words, client, output).await
        }
        Host::RotateKey(hosts) => {
            let done = "asked: the agent will make a new key at its next contact";
            let words = Words { verb: "rotate the keys of", done: done.to_owned() };
            many::run(hosts, Action::RotateKey, &words, client, output).await
        }
        Host::Approve(hosts) => {
            let words = Words { verb: "approve", done: "approved".to_owned() };
            many::run(hosts, Action::Approve, &words, client, output).await
        }
        Host::Remove(hosts) => {
            let words = Words { verb: "remove", done: "removed".to_owned() };
            many::run(hosts, Action::Remove, &words, client, output).await
        }
        Host::Label(command) => {
            let (set, remove) = (command.set.iter().cloned().collect(), command.remove.clone());
            let action = Action::Label(LabelsRequest { set, remove });
            let words = Words { verb: "label", done: "labelled".to_owned() };
            many::run(&command.hosts, action, &words, client, output).await
        }
        Host::EnterMaintenance(command) => enter_maintenance(command, client, output).await,
        Host::LeaveMaintenance(hosts) => {
            let words =
                Words { verb: "end the maintenance of", done: "out of maintenance".to_owned() };
            many::run(hosts, Action::LeaveMaintenance, &words, client, output).await
        }
        Host::Learn(command) => fleet::learn(command, client, output).await,
        Host::AcceptChange(command) => fleet::accept_change(command, client, output).await,
        Host::History(host) => history(host, client, output).await,
        Host::Diff(command) => boot_diff::run(command, client, output).await,
        Host::Peers(host) => peers(host, client, output).await,
        Host::Evidence(command) => {
            let host = find(&command.host.host, client).await?;
            let detail = client.get_host(&host.id).await?;
            let evidence = client.get_evidence(&host.id).await?;
            let identity = detail.evidence_identity.as_ref().or(detail.identity.as_ref());
            evidence_dir::write(&command.out, &evidence, identity)?;
            output.note(&format!(
                "written; judge it with `bootproof verify {} --ek-root ROOT`",
                command.out.display()
            ));
            Ok(Exit::Done)
        }
    }
}

async fn enter_maintenance(
    command: &EnterMaintenance,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let until_ms = command.lasts_s.map(after);
    let reason = command.reason.clone();
    let done = match until_ms {
        None => "in maintenance until `host leave-maintenance`".to_owned(),
        Some(until_ms) => format!("in maintenance until {}", time(Some(until_ms))),
    };
    let words = Words { verb: "begin the maintenance of", done };
    let action = Action::EnterMaintenance(MaintenanceRequest { reason, until_ms });
    many::run(&command.hosts, action, &words, client, output).await
}

async fn labels(key: Option<&str>, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let query = LabelsQuery { key: key.map(str::to_owned) };
    let counts = client.list_labels(&query).await?;
    if output.is_json() {
        output.json(&counts)?;
        return Ok(Exit::Done);
    }
    if counts.is_empty() {
        output.note("no host has such a label: `bootproof host label` puts them on");
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["label", "value", "hosts"]);
    for count in counts {
        table.add_row([plain(&count.key), plain(&count.value), count.n_hosts.to_string()]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

/// All hosts that fit.
async fn all(client: &Client, mut query: HostQuery) -> Result<Vec<HostView>, CliError> {
    query.limit = Some(PAGE_LEN);
    Ok(client.pages_of_hosts(query).all().await?)
}

async fn list(command: &HostList, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let query = view::query(command, client).await?;
    let is_all = query == HostQuery { sort: query.sort.clone(), ..HostQuery::default() };
    let hosts = all(client, query).await?;
    if output.is_json() {
        output.json(&hosts)?;
        return Ok(Exit::Done);
    }
    if hosts.is_empty() && !is_all {
        output.note("no host fits");
        return Ok(Exit::Done);
    }
    if hosts.is_empty() {
        output.note("no host has joined yet: `bootproof token create` shows how");
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["host", "verdict", "connection", "cause", "next step"]);
    for host in &hosts {
        let colour = match Tone::of_verdict(&host.verdict) {
            Tone::Good => Color::Green,
            Tone::Bad => Color::Red,
            _ => Color::Yellow,
        };
        let verdict = Cell::new(&host.verdict).fg(colour).add_attribute(Attribute::Bold);
        let deciding = deciding(&host.findings);
        let causes: Vec<_> =
            deciding.iter().map(|finding| format!("{}: {}", finding.code, finding.cause)).collect();
        let next_step = deciding.first().map(|finding| finding.next_step.clone());
        table.add_row([
            Cell::new(plain(&host.name)),
            verdict,
            Cell::new(state(host)),
            Cell::new(plain(&causes.join("\n"))),
            Cell::new(plain(&next_step.unwrap_or_default())),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

/// Whether it speaks, and whether somebody works on it.
fn state(host: &HostView) -> String {
    match &host.maintenance {
        None => host.connection.clone(),
        Some(_) => format!("{}, in maintenance", host.connection),
    }
}

/// The findings that decide a verdict: those that fail or hold, and warnings.
fn deciding(findings: &[Finding]) -> Vec<&Finding> {
    let decides = |severity: &str| matches!(severity, "fail" | "hold" | "warn");
    findings.iter().filter(|finding| decides(&finding.severity)).collect()
}

async fn show(host: &OneHost, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let host = find(&host.host, client).await?;
    let detail = client.get_host(&host.id).await?;
    if output.is_json() {
        output.json(&detail)?;
    } else {
        show_detail(&detail, output)?;
    }
    Ok(Exit::Done)
}

fn show_detail(detail: &HostDetail, output: &Output) -> Result<(), CliError> {
    let host = &detail.host;
    let name = output.paint(Tone::Strong, &plain(&host.name));
    let verdict = output.paint(Tone::of_verdict(&host.verdict), &host.verdict);
    output.line(&format!("{name}: {verdict}, {}", state(host)))?;
    output.line("")?;
    show_findings(&host.findings, output)?;
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    line("identifier", &host.id)?;
    if !host.labels.is_empty() {
        let labels: Vec<_> =
            host.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        line("labels", &labels.join(", "))?;
    }
    if let Some(maintenance) = &host.maintenance {
        let Maintenance { since_ms, until_ms, reason, by } = maintenance;
        let until = until_ms.map_or_else(String::new, |at| format!(" until {}", time(Some(at))));
        line("maintenance", &format!("since {}{until}, by {by}: {reason}", time(Some(*since_ms))))?;
    }
    line("joined", &time(Some(detail.joined_at_ms)))?;
    line("last seen", &time(host.last_seen_ms))?;
    line("judged", &time(host.appraised_at_ms))?;
    if let Some(due_s) = detail.next_due_s {
        line("next due", &format!("in {due_s} s"))?;
    }
    if detail.verdict_good_until_ms.is_some() {
        line("counts until", &time(detail.verdict_good_until_ms))?;
    }
    if let Some(Schedule { interval_s, jitter_pct, because, .. }) = &detail.schedule {
        let every = format!("every {interval_s} s, give or take {jitter_pct} %: {because}");
        line("schedule", &every)?;
    }
    if detail.client_certificate_until_ms.is_some() {
        line("certificate", &format!("until {}", time(detail.client_certificate_until_ms)))?;
    }
    line("tpm", &host.tpm)?;
    match &detail.identity {
        None => line("identity key", "none is stored")?,
        Some(identity) => {
            line("identity key", &format!("stored {}", time(Some(identity.enrolled_at_ms))))?;
            line("  ak name", &identity.ak_name)?;
            line("  ek spki sha256", &identity.ek_spki_sha256)?;
        }
    }
    if detail.rotation_wanted {
        line("  new ak", "asked for; the present one counts until then")?;
    }
    if let Some(candidate) = &detail.candidate {
        show_candidate(candidate, output)?;
    }
    if let Some(peers) = &detail.peers {
        // The firmware's own PCR; `host peers` tells the others.
        if let Some(firmware) = peers.pcrs.iter().find(|pcr| pcr.pcr == 0) {
            line("peers", &firmware.sentence())?;
        }
    }
    if let Some(appraisal) = &detail.appraisal {
        output.line("")?;
        show_facts(&appraisal.facts, output)?;
    }
    Ok(())
}

async fn replace(
    command: &HostReplace,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let host = find(&command.host, client).await?;
    let request =
        ReplaceRequest { ek_sha256: command.ek_sha256.clone(), reason: command.reason.clone() };
    let replaced = client.replace_tpm(&host.id, &request).await?;
    if output.is_json() {
        output.json(&replaced)?;
    }
    output.note(&format!(
        "{} may enrol its new TPM until {}: its agent does so by itself, or joins once more where it \
         lost its state",
        host.name,
        time(Some(replaced.expires_at_ms))
    ));
    Ok(Exit::Done)
}

fn show_candidate(candidate: &Candidate, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    let state = match (candidate.approved, candidate.refused) {
        (true, _) => "takes its place",
        (false, true) => "refused",
        (false, false) => "waits for a person",
    };
    line("another tpm", &format!("{state}, until {}", time(Some(candidate.expires_at_ms))))?;
    line("  ek sha256", &candidate.ek_sha256)?;
    line(
        "  certificate",
        &match &candidate.certificate {
            None => "leads to a trusted root".to_owned(),
            Some(finding) => format!("{}: {}", finding.code, finding.cause),
        },
    )?;
    line("  first seen", &time(Some(candidate.first_seen_ms)))?;
    line("  last seen", &time(Some(candidate.last_seen_ms)))?;
    Ok(())
}

async fn attest(command: &Attest, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let chosen = &command.hosts;
    let [name] = chosen.hosts.as_slice() else {
        let done = "asked for evidence: `host list` shows what comes of it".to_owned();
        let words = Words { verb: "attest", done };
        return many::run(chosen, Action::Attest, &words, client, output).await;
    };
    let host = find(name, client).await?;
    let requested = client.attest_host(&host.id).await?;
    let after = requested.requested_at_ms;
    let started = std::time::Instant::now();
    loop {
        let detail = client.get_host_appraised_after(&host.id, after).await?;
        if detail.host.appraised_at_ms.is_some_and(|at_ms| at_ms >= after) {
            if output.is_json() {
                output.json(&detail)?;
            } else {
                show_detail(&detail, output)?;
            }
            return Ok(match detail.host.verdict.as_str() {
                "accepted" => Exit::Done,
                _ => Exit::No,
            });
        }
        if started.elapsed().as_secs() >= command.wait {
            return Err(CliError::with_hint(
                anyhow::anyhow!("{} sent no evidence within {} s", detail.host.name, command.wait),
                "check that its agent runs: `systemctl status bootproof-agent`",
            ));
        }
    }
}

async fn history(host: &OneHost, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let host = find(&host.host, client).await?;
    let past = client.list_appraisals(&host.id).await?;
    if output.is_json() {
        output.json(&past)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["number", "judged", "verdict", "findings"]);
    for judged in past {
        let codes: Vec<_> =
            deciding(&judged.appraisal.findings).iter().map(|f| f.code.clone()).collect();
        table.add_row([
            judged.id.to_string(),
            time(Some(judged.at_ms)),
            judged.appraisal.verdict,
            codes.join(" "),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

async fn peers(host: &OneHost, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let host = find(&host.host, client).await?;
    let peers = client.get_peers(&host.id).await?;
    if output.is_json() {
        output.json(&peers)?;
        return Ok(Exit::Done);
    }
    let cohort = output.paint(Tone::Strong, &plain(&peers.cohort.to_string()));
    output.line(&format!("{cohort} ({}, as the host says)", peers.bank))?;
    for pcr in &peers.pcrs {
        let tone = if pcr.n_same < pcr.n_most_common { Tone::Unsure } else { Tone::Plain };
        output.line(&format!("  {}", output.paint(tone, &pcr.sentence())))?;
    }
    Ok(Exit::Done)
}

/// The host of this identifier or name. A name that several hosts have is refused.
pub(super) async fn find(named: &str, client: &Client) -> Result<HostView, CliError> {
    let query = HostQuery { name: Some(named.to_owned()), ..HostQuery::default() };
    let page = client.list_hosts(&query).await?;
    let mut hosts = page.hosts.into_iter();
    match (hosts.next(), hosts.next()) {
        (Some(one), None) => return Ok(one),
        (Some(_), Some(_)) => return Err(several(named)),
        (None, _) => {}
    }
    let Some(named) = identifier(named) else { return Err(no_host(named)) };
    match client.get_host(named).await {
        Ok(detail) => Ok(detail.host),
        Err(err) if err.code() == Some("host-not-found") => Err(no_host(named)),
        Err(err) => Err(err.into()),
    }
}

/// What may be an identifier, which is a part of an address.
pub(super) fn identifier(named: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!named.is_empty() && named.chars().all(fits)).then_some(named)
}

fn several(named: &str) -> CliError {
    CliError::with_hint(
        anyhow::anyhow!("several hosts are named {named}"),
        "use the identifier: `bootproof host list --json` shows it",
    )
}

fn no_host(named: &str) -> CliError {
    CliError::with_hint(
        anyhow::anyhow!("there is no host {named:?}"),
        "`bootproof host list` shows the hosts",
    )
}
