//! `bootproof host …`

mod boot_diff;
mod list;
mod many;
mod show;
mod view;

use api::{
    admin::{Host as HostView, ReplaceRequest},
    finding::Finding,
    inventory::{Action, HostQuery, LabelsRequest, MaintenanceRequest},
};
use client::{Client, LabelsQuery};
use many::Words;

use super::{
    Exit,
    local_time::{after, time},
    reference::fleet,
};
use crate::{
    args::{Attest, EnterMaintenance, Host, HostReplace, OneHost},
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
        Host::List(command) => list::run(command, client, output).await,
        Host::View(command) => view::run(command, client, output).await,
        Host::Show(command) => show::run(command, client, output).await,
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
                let past = client.list_appraisals(&detail.host.id).await?;
                show::detail(&detail, &past, output)?;
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
