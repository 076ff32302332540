//! `bootproof policy …`

use std::{collections::BTreeMap, path::Path, time::Duration};

use api::policy::{PolicyChange, PolicyTryRequest};
use appraise::{ExpiredEndorsement, Policy};
use client::Client;
use indicatif::{ProgressBar, ProgressStyle};
use policy::{LoadError, PolicyError};
use serde::Serialize;

use super::{Exit, block_on};
use crate::{
    args::PolicyFile,
    error::CliError,
    output::{Output, Tone, plain},
};

/// Hosts that are judged in one request: well below a second.
const HOSTS_PER_REQUEST: u32 = 200;

/// The policy in `file`, and its text.
pub(super) fn load(file: &Path) -> Result<(Policy, String), CliError> {
    Ok(policy::load(file)?)
}

/// What a policy says, all of it.
#[derive(Serialize)]
struct Effective {
    valid: bool,
    pcrs: Pcrs,
    banks: Banks,
    endorsement: Endorsement,
    verdict: Verdict,
    schedule: Vec<Schedule>,
    secure_boot: SecureBoot,
    #[serde(skip_serializing_if = "Option::is_none")]
    ima: Option<Ima>,
    references: References,
    /// Whether the site has rules of its own.
    has_rules: bool,
    findings: Vec<Rule>,
}

#[derive(Serialize)]
struct References {
    mode: &'static str,
    pcrs: Vec<u32>,
    /// Changes that are set aside.
    ignore: Vec<Ignored>,
}

#[derive(Serialize)]
struct Ignored {
    pcr: u32,
    subject: String,
    reason: String,
    until: String,
}

#[derive(Serialize)]
struct Ima {
    mode: &'static str,
    pcr: u32,
    n_paths: usize,
    n_digests: usize,
    n_signers: usize,
}

#[derive(Serialize)]
struct Pcrs {
    required: Vec<u32>,
    continued: Vec<u32>,
}

#[derive(Serialize)]
struct Banks {
    minimum: &'static str,
}

#[derive(Serialize)]
struct Endorsement {
    permit_expired: bool,
    /// Keys without a certificate that are approved.
    approved: Vec<Approved>,
}

#[derive(Serialize)]
struct Approved {
    ek_sha256: String,
    reason: String,
    expires: String,
    /// Whether the approval has ended, and counts no more.
    ended: bool,
}

#[derive(Serialize)]
struct SecureBoot {
    #[serde(skip_serializing_if = "Option::is_none")]
    n_allowed_authorities: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_dbx: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_sbat: Option<String>,
}

#[derive(Serialize)]
struct Verdict {
    good_for_s: Option<u64>,
}

#[derive(Serialize)]
struct Schedule {
    labels: BTreeMap<String, String>,
    interval_s: u64,
    jitter_pct: u8,
    verdict_good_for_s: u64,
}

#[derive(Serialize)]
struct Rule {
    code: &'static str,
    by_itself: &'static str,
    severity: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    /// Whether a waiver has ended, and counts no more.
    ended: bool,
}

#[derive(Serialize)]
struct Invalid<'a> {
    valid: bool,
    line: usize,
    column: usize,
    message: &'a str,
    hint: Option<&'a str>,
}

impl Schedule {
    fn of(schedule: &appraise::Schedule) -> Self {
        let appraise::Schedule { labels, interval_s, jitter_pct, verdict_good_for_s } =
            schedule.clone();
        Self { labels, interval_s, jitter_pct, verdict_good_for_s }
    }
}

impl Effective {
    fn at(policy: &Policy, now_s: i64) -> Self {
        let mut findings: Vec<Rule> = policy
            .waivers()
            .map(|(code, severity, waiver)| Rule {
                code: code.as_str(),
                by_itself: code.entry().severity.as_str(),
                severity: severity.as_str(),
                reason: Some(waiver.reason.clone()),
                expires: Some(waiver.until.clone()),
                ended: waiver.expires.0 <= now_s,
            })
            .collect();
        findings.extend(policy.raised().map(|(code, severity)| Rule {
            code: code.as_str(),
            by_itself: code.entry().severity.as_str(),
            severity: severity.as_str(),
            reason: None,
            expires: None,
            ended: false,
        }));
        Self {
            valid: true,
            pcrs: Pcrs {
                required: policy.required_pcrs().iter().collect(),
                continued: policy.continued_pcrs().iter().collect(),
            },
            banks: Banks { minimum: policy.minimum_bank().as_str() },
            endorsement: Endorsement {
                permit_expired: policy.expired_endorsement() == ExpiredEndorsement::Permit,
                approved: policy
                    .approved_eks()
                    .iter()
                    .map(|approved| Approved {
                        ek_sha256: hex::encode(approved.ek_sha256),
                        reason: approved.waiver.reason.clone(),
                        expires: approved.waiver.until.clone(),
                        ended: approved.waiver.expires.0 <= now_s,
                    })
                    .collect(),
            },
            verdict: Verdict { good_for_s: policy.verdict_good_for_s },
            schedule: policy.schedules.iter().map(Schedule::of).collect(),
            secure_boot: SecureBoot {
                n_allowed_authorities: policy
                    .secure_boot
                    .allowed_authorities
                    .as_ref()
                    .map(Vec::len),
                minimum_dbx: policy.secure_boot.minimum_dbx.map(|date| date.to_string()),
                minimum_sbat: policy.secure_boot.minimum_sbat.clone(),
            },
            ima: policy.ima.as_ref().map(|ima| Ima {
                mode: ima.mode.as_str(),
                pcr: ima.pcr_index,
                n_paths: ima.allowed.n_paths(),
                n_digests: ima.allowed.n_digests(),
                n_signers: ima.signers.len(),
            }),
            references: References {
                mode: policy.references.mode.as_str(),
                pcrs: policy.references.pcrs.iter().collect(),
                ignore: policy
                    .references
                    .ignore
                    .iter()
                    .map(|rule| Ignored {
                        pcr: rule.pcr_index,
                        subject: rule.subject.clone(),
                        reason: rule.reason.clone(),
                        until: rule.until.clone(),
                    })
                    .collect(),
            },
            has_rules: policy.site_rules.is_some(),
            findings,
        }
    }
}

pub(super) fn check(command: &PolicyFile, output: &Output) -> Result<Exit, CliError> {
    let file = command.file.display();
    let policy = match policy::load(&command.file) {
        Ok((policy, _)) => policy,
        Err(LoadError::Invalid { source, .. }) => {
            invalid(&source, &file.to_string(), output)?;
            return Ok(Exit::No);
        }
        Err(err) => return Err(err.into()),
    };
    let effective = Effective::at(&policy, jiff::Timestamp::now().as_second());
    if output.is_json() {
        output.json(&effective)?;
        return Ok(Exit::Done);
    }
    output.line(&format!(
        "{}: {}",
        plain(&file.to_string()),
        output.paint(Tone::Good, "a policy")
    ))?;
    output.line("")?;
    let line = |name: &str, value: &str| output.line(&format!("{name:<16} {value}"));
    line("required PCRs", &policy.required_pcrs().to_string())?;
    line("continued PCRs", &policy.continued_pcrs().to_string())?;
    line("minimum bank", effective.banks.minimum)?;
    let expired = if effective.endorsement.permit_expired { "permitted" } else { "refused" };
    line("expired EK certs", expired)?;
    for key in &effective.endorsement.approved {
        let ended = if key.ended { ": ended, counts no more" } else { "" };
        let reason = plain(&key.reason);
        line(
            "approved EK",
            &format!("{}: {reason} (until {}{ended})", key.ek_sha256, key.expires),
        )?;
    }
    line(
        "verdicts count",
        &match policy.verdict_good_for_s {
            Some(seconds) => format!("{seconds} s"),
            None => "as the server is configured".to_owned(),
        },
    )?;
    for Schedule { labels, interval_s, jitter_pct, verdict_good_for_s } in &effective.schedule {
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let of = if labels.is_empty() { "all others".to_owned() } else { plain(&labels.join(",")) };
        let times = format!("{interval_s} s \u{b1} {jitter_pct} %, counts {verdict_good_for_s} s");
        line("schedule", &format!("{of}: {times}"))?;
    }
    if let Some(Ima { mode, pcr, n_paths, n_digests, n_signers }) = &effective.ima {
        let allowed = format!("{n_paths} paths with {n_digests} digests, {n_signers} signers");
        line("IMA", &format!("{mode}, PCR {pcr}, {allowed}"))?;
    }
    let held: tpm_wire::PcrSet = effective.references.pcrs.iter().copied().collect();
    let n_ignored = effective.references.ignore.len();
    let held = format!("{}, PCR {held}, {n_ignored} set aside", effective.references.mode);
    line("references", &held)?;
    line("rules in Rego", if effective.has_rules { "yes" } else { "none" })?;
    for rule in &effective.findings {
        output.line("")?;
        let code = output.paint(Tone::Strong, rule.code);
        output.line(&format!("{code}: {} instead of {}", rule.severity, rule.by_itself))?;
        if let (Some(reason), Some(expires)) = (&rule.reason, &rule.expires) {
            let ended = if rule.ended { ": ended, counts no more" } else { "" };
            output.line(&format!("  {reason} (until {expires}{ended})"))?;
        }
    }
    Ok(Exit::Done)
}

fn invalid(err: &PolicyError, file: &str, output: &Output) -> Result<(), CliError> {
    let PolicyError { line, column, message, hint } = err;
    if output.is_json() {
        let (line, column) = (*line, *column);
        output.json(&Invalid { valid: false, line, column, message, hint: hint.as_deref() })?;
    } else {
        output.error(&format!("{file}:{line}:{column}: {message}"), hint.as_deref());
    }
    Ok(())
}

pub(super) fn show(output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&Effective::at(&Policy::default(), 0))?;
    } else {
        output.line(policy::defaults().trim_end())?;
    }
    Ok(Exit::Done)
}

/// All pages of a trial together.
#[derive(Default, Serialize)]
struct Trial {
    n_hosts: u32,
    n_judged: u32,
    changes: Vec<PolicyChange>,
}

/// Checks the file before the server is asked for: a fault of it is found without one.
pub(super) fn try_file(
    command: &PolicyFile,
    client: impl FnOnce() -> Result<Client, CliError>,
    output: &Output,
) -> Result<Exit, CliError> {
    let (_, text) = load(&command.file)?;
    let files = super::policy_version::named_files(&text, &command.file)?;
    let request =
        PolicyTryRequest { policy: text, files, cursor: None, limit: Some(HOSTS_PER_REQUEST) };
    block_on(run_trial(request, client()?, output))
}

async fn run_trial(
    request: PolicyTryRequest,
    client: Client,
    output: &Output,
) -> Result<Exit, CliError> {
    // It draws on standard error, and only where that is a terminal. How many hosts there are is
    // known at the end, so it counts.
    let progress = ProgressBar::new_spinner();
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {human_pos} hosts judged, {per_sec}, {msg}")
    {
        progress.set_style(style);
    }
    progress.enable_steady_tick(Duration::from_millis(100));
    let mut trial = Trial::default();
    let mut pages = client.pages_of_policy_try(request);
    while let Some(page) = pages.next().await? {
        trial.n_hosts = trial.n_hosts.saturating_add(page.n_hosts);
        trial.n_judged = trial.n_judged.saturating_add(page.n_judged);
        trial.changes.extend(page.changes);
        progress.set_position(u64::from(trial.n_judged));
        progress.set_message(format!("{} would change", trial.changes.len()));
    }
    progress.finish_and_clear();
    if output.is_json() {
        output.json(&trial)?;
    } else {
        show_trial(&trial, output)?;
    }
    Ok(if trial.changes.is_empty() { Exit::Done } else { Exit::No })
}

fn show_trial(trial: &Trial, output: &Output) -> Result<(), CliError> {
    if !trial.changes.is_empty() {
        let mut table = output.table(&["host", "now", "under the policy", "because"]);
        for change in &trial.changes {
            let because = change.because.iter().map(|finding| {
                format!("{} is {}: {}", finding.code, finding.severity, finding.cause)
            });
            let gone = change.gone.iter().map(|finding| format!("{} is gone", finding.code));
            table.add_row([
                plain(&change.name),
                change.from.clone(),
                change.to.clone(),
                plain(&because.chain(gone).collect::<Vec<_>>().join("\n")),
            ]);
        }
        output.line(&table.to_string())?;
        output.line("")?;
    }
    let without = trial.n_hosts.saturating_sub(trial.n_judged);
    output.line(&format!(
        "{} of {} hosts would change; {without} have no stored evidence to judge.",
        trial.changes.len(),
        trial.n_hosts,
    ))?;
    Ok(())
}
