//! `bootproof host show`: what the page of a host shows, in the same order.

use api::{
    admin::{Candidate, HostDetail, PastAppraisal, Schedule},
    event::EventQuery,
    finding::Finding,
    inventory::Maintenance,
};
use client::Client;

use super::{find, state};
use crate::{
    args::HostShow,
    cmd::{
        Exit,
        local_time::time,
        verify::{show_facts, show_findings},
        watch,
    },
    error::CliError,
    output::{Output, Tone, columns, plain},
};

/// Judgements in a strip: as many as fit a narrow terminal behind their name.
const STRIP_MAX: usize = 60;

struct Show {
    id: String,
}

/// All about a host. As JSON it is what the server says of it, without its past.
struct Fact {
    detail: HostDetail,
    past: Vec<PastAppraisal>,
}

impl serde::Serialize for Fact {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.detail.serialize(serializer)
    }
}

pub(super) async fn run(
    command: &HostShow,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let id = find(&command.host.host, client).await?.id;
    watch::run(&Show { id }, command.watch, client, output).await
}

impl watch::Sight for Show {
    type Fact = Fact;

    async fn look(&self, client: &Client) -> Result<Fact, CliError> {
        let detail = client.get_host(&self.id).await?;
        let past = client.list_appraisals(&self.id).await?;
        Ok(Fact { detail, past })
    }

    fn show(&self, fact: &Fact, output: &Output) -> Result<(), CliError> {
        detail(&fact.detail, &fact.past, output)
    }

    fn exit(&self, _: &Fact) -> Exit {
        Exit::Done
    }

    fn events(&self) -> EventQuery {
        EventQuery { host: Some(self.id.clone()), ..EventQuery::default() }
    }
}

pub(super) fn detail(
    detail: &HostDetail,
    past: &[PastAppraisal],
    output: &Output,
) -> Result<(), CliError> {
    let host = &detail.host;
    let name = output.paint(Tone::Strong, &plain(&host.name));
    let verdict = output.paint(Tone::of_verdict(&host.verdict), &host.verdict);
    output.line(&format!("{name}: {verdict}, {}", state(host)))?;
    verdict_words(&host.verdict, &host.findings, output)?;
    if !past.is_empty() {
        strip(past, output)?;
        output.line("")?;
    }
    life(detail, output)?;
    identity(detail, output)?;
    let Some(appraisal) = &detail.appraisal else { return Ok(()) };
    output.line("")?;
    show_facts(&appraisal.facts, output)?;
    pcrs(detail, output)
}

/// What decides the verdict, then all that was found beside it.
fn verdict_words(verdict: &str, findings: &[Finding], output: &Output) -> Result<(), CliError> {
    let decides = |finding: &&Finding| matches!(finding.severity.as_str(), "fail" | "hold");
    let deciding = findings.iter().find(decides);
    match deciding {
        Some(finding) => {
            output.line(&format!("  {}", output.paint(Tone::Strong, &plain(&finding.cause))))?;
            output.line(&format!("  next: {}", plain(&finding.next_step)))?;
            let code = output.paint(Tone::of_severity(&finding.severity), &plain(&finding.code));
            output.line(&format!("  {code}: `bootproof explain {}` says more", plain(&finding.code)))?;
        }
        None if verdict == "accepted" => output.line(
            "  The TPM signed what was measured, the log leads to those values, and what booted is what policy \
             allows.",
        )?,
        None => {}
    }
    output.line("")?;
    let is_other = |finding: &&Finding| deciding.is_none_or(|one| !std::ptr::eq(one, *finding));
    let others: Vec<_> = findings.iter().filter(is_other).cloned().collect();
    if !others.is_empty() {
        let heading = if deciding.is_some() { "also found" } else { "what was found" };
        output.line(&output.paint(Tone::Strong, heading))?;
        show_findings(&others, output)?;
    }
    Ok(())
}

/// A mark for each judgement, the newest on the right.
fn strip(past: &[PastAppraisal], output: &Output) -> Result<(), CliError> {
    let Some(newest) = past.iter().map(|one| one.at_ms).max() else { return Ok(()) };
    let n = STRIP_MAX.min(usize::from(columns()).saturating_sub(17)).max(1);
    let mut shown: Vec<_> = past.iter().collect();
    shown.sort_by_key(|one| one.at_ms);
    let shown = shown.split_off(shown.len().saturating_sub(n));
    let marks: String = shown
        .iter()
        .map(|one| {
            let verdict = one.appraisal.verdict.as_str();
            output.paint(Tone::of_verdict(verdict), mark(verdict))
        })
        .collect();
    output.line(&format!("{:<16} {marks}", "judgements"))?;
    let oldest = shown.first().map(|one| one.at_ms);
    let from = format!("{} to {}", time(oldest), time(Some(newest)));
    Ok(output.line(&format!("{:<16} {from}; ✓ accepted, ✕ not accepted, … not appraised", ""))?)
}

/// As the page marks it: also without colours.
fn mark(verdict: &str) -> &'static str {
    match verdict {
        "accepted" => "✓",
        "not accepted" => "✕",
        _ => "…",
    }
}

fn life(detail: &HostDetail, output: &Output) -> Result<(), CliError> {
    let host = &detail.host;
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
    Ok(())
}

fn identity(detail: &HostDetail, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {}", plain(value)));
    line("tpm", &detail.host.tpm)?;
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
    Ok(())
}

/// The quoted values, with what the log leads to.
fn pcrs(detail: &HostDetail, output: &Output) -> Result<(), CliError> {
    let banks = pages::pcr_banks(detail);
    if banks.is_empty() {
        return Ok(output.line(&format!("{:<16} none that a known TPM signed", "PCRs"))?);
    }
    for bank in banks {
        output.line("")?;
        output.line(&output.paint(Tone::Strong, &format!("PCRs, {}", plain(&bank.name))))?;
        for row in bank.rows {
            let tone = if row.replayed == "does not lead here" { Tone::Bad } else { Tone::Plain };
            let replayed = output.paint(tone, &format!("{:<14}", row.replayed));
            let pages::PcrRow { pcr, use_of, value, .. } = row;
            output.line(&format!("  {pcr:>2}  {replayed}  {}  {use_of}", plain(&value)))?;
        }
    }
    Ok(())
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
