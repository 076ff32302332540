//! `bootproof host …`

use api::{
    admin::{
        AttestRequested, Candidate, Host as HostView, HostDetail, HostPage, PastAppraisal,
        ReplaceRequest, Replaced,
    },
    agent::Evidence,
    finding::Finding,
    fleet::Peers,
};
use client::Client;
use comfy_table::{Attribute, Cell, Color};

use super::{
    Exit,
    local_time::time,
    reference::fleet,
    verify::{show_facts, show_findings},
};
use crate::{
    args::{Attest, Host, HostReplace, OneHost},
    error::CliError,
    evidence_dir,
    output::{Output, Tone, plain},
};

pub(super) async fn run(
    command: &Host,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Host::List => list(client, output).await,
        Host::Show(host) => show(host, client, output).await,
        Host::Attest(command) => attest(command, client, output).await,
        Host::Disconnect(host) => {
            let host = post(host, "disconnect", client).await?;
            output.note(&format!(
                "{host} is disconnected: it is not attested until it is reconnected"
            ));
            Ok(Exit::Done)
        }
        Host::Reconnect(host) => {
            let host = post(host, "reconnect", client).await?;
            output.note(&format!(
                "{host} is reconnected: its agent will have its identity key stored"
            ));
            Ok(Exit::Done)
        }
        Host::Replace(command) => replace(command, client, output).await,
        Host::RotateKey(host) => {
            let host = post(host, "rotate-key", client).await?;
            output.note(&format!("the agent of {host} will make a new key at its next contact"));
            Ok(Exit::Done)
        }
        Host::Approve(host) => {
            let host = post(host, "approve", client).await?;
            output.note(&format!("{host} is approved"));
            Ok(Exit::Done)
        }
        Host::Remove(host) => {
            let host = find(&host.host, client).await?;
            client.delete::<()>(&format!("/v1/hosts/{}", host.id)).await?;
            output.note(&format!("{} is removed", host.name));
            Ok(Exit::Done)
        }
        Host::Learn(command) => fleet::learn(command, client, output).await,
        Host::AcceptChange(command) => fleet::accept_change(command, client, output).await,
        Host::History(host) => history(host, client, output).await,
        Host::Peers(host) => peers(host, client, output).await,
        Host::Evidence(command) => {
            let host = find(&command.host.host, client).await?;
            let path = format!("/v1/hosts/{}", host.id);
            let detail: HostDetail = client.get(&path).await?;
            let evidence: Evidence = client.get(&format!("{path}/evidence")).await?;
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

async fn all(client: &Client) -> Result<Vec<HostView>, CliError> {
    let mut hosts = Vec::new();
    let mut path = "/v1/hosts?limit=500".to_owned();
    loop {
        let page: HostPage = client.get(&path).await?;
        hosts.extend(page.hosts);
        match page.next_cursor {
            Some(cursor) => path = format!("/v1/hosts?limit=500&cursor={cursor}"),
            None => return Ok(hosts),
        }
    }
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let hosts = all(client).await?;
    if output.is_json() {
        output.json(&hosts)?;
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
            Cell::new(&host.connection),
            Cell::new(plain(&causes.join("\n"))),
            Cell::new(plain(&next_step.unwrap_or_default())),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

/// The findings that decide a verdict: those that fail or hold, and warnings.
fn deciding(findings: &[Finding]) -> Vec<&Finding> {
    let decides = |severity: &str| matches!(severity, "fail" | "hold" | "warn");
    findings.iter().filter(|finding| decides(&finding.severity)).collect()
}

async fn show(host: &OneHost, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let host = find(&host.host, client).await?;
    let detail: HostDetail = client.get(&format!("/v1/hosts/{}", host.id)).await?;
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
    output.line(&format!("{name}: {verdict}, {}", host.connection))?;
    output.line("")?;
    show_findings(&host.findings, output)?;
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    line("identifier", &host.id)?;
    line("joined", &time(Some(detail.joined_at_ms)))?;
    line("last seen", &time(host.last_seen_ms))?;
    line("judged", &time(host.appraised_at_ms))?;
    if let Some(due_s) = detail.next_due_s {
        line("next due", &format!("in {due_s} s"))?;
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
    let path = format!("/v1/hosts/{}/replace", host.id);
    let replaced: Replaced = client.post(&path, &request).await?;
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
    let state = if candidate.approved { "takes its place" } else { "waits for a person" };
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
    let host = find(&command.host.host, client).await?;
    let path = format!("/v1/hosts/{}", host.id);
    let requested: AttestRequested = client.post(&format!("{path}/attest"), &()).await?;
    let after = requested.requested_at_ms;
    let started = std::time::Instant::now();
    loop {
        let path = format!("{path}?appraised_after_ms={after}");
        let detail: HostDetail = client.get_waiting(&path, api::POLL_S_MAX).await?;
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
    let past: Vec<PastAppraisal> = client.get(&format!("/v1/hosts/{}/appraisals", host.id)).await?;
    if output.is_json() {
        output.json(&past)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["judged", "verdict", "findings"]);
    for judged in past {
        let codes: Vec<_> =
            deciding(&judged.appraisal.findings).iter().map(|f| f.code.clone()).collect();
        table.add_row([time(Some(judged.at_ms)), judged.appraisal.verdict, codes.join(" ")]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

async fn peers(host: &OneHost, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let host = find(&host.host, client).await?;
    let peers: Peers = client.get(&format!("/v1/hosts/{}/peers", host.id)).await?;
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

async fn post(host: &OneHost, verb: &str, client: &Client) -> Result<String, CliError> {
    let host = find(&host.host, client).await?;
    client.post::<_, ()>(&format!("/v1/hosts/{}/{verb}", host.id), &()).await?;
    Ok(host.name)
}

/// The host of this identifier or name. A name that several hosts have is refused.
pub(super) async fn find(named: &str, client: &Client) -> Result<HostView, CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if named.is_empty() || !named.chars().all(fits) {
        return Err(no_host(named));
    }
    let page: HostPage = client.get(&format!("/v1/hosts?name={named}")).await?;
    let mut hosts = page.hosts.into_iter();
    match (hosts.next(), hosts.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(CliError::with_hint(
            anyhow::anyhow!("several hosts are named {named}"),
            "use the identifier: `bootproof host list --json` shows it",
        )),
        (None, _) => match client.get::<HostDetail>(&format!("/v1/hosts/{named}")).await {
            Ok(detail) => Ok(detail.host),
            Err(err) if err.code() == Some("host-not-found") => Err(no_host(named)),
            Err(err) => Err(err.into()),
        },
    }
}

fn no_host(named: &str) -> CliError {
    CliError::with_hint(
        anyhow::anyhow!("there is no host {named:?}"),
        "`bootproof host list` shows the hosts",
    )
}
