//! `bootproof trust import`

use std::collections::{BTreeMap, HashSet};

use anyhow::Context as _;
use api::{
    admin::TrustRequest,
    trust::{FoundCertificate, TrustImport},
};
use client::Client;
use indicatif::{ProgressBar, ProgressStyle};
use verify::RootKind;

use super::{
    gather::{Found, Gathered, Named, gather},
    known_as,
};
use crate::{
    args::TrustImportArguments,
    cmd::Exit,
    error::CliError,
    evidence_dir::pem,
    output::{Output, plain},
};

/// Certificates in one request: below 1 MiB of PEM, of which a server takes 6.
const PER_REQUEST: usize = 200;
/// Rows of the table that is shown: TrustedTpm.cab has 1,600 certificates, and `--json` lists all.
const ROWS_MAX: usize = 60;
/// Characters of a source that a server keeps.
const SOURCE_CHARS_MAX: usize = 200;

pub(super) async fn run(
    command: &TrustImportArguments,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let progress = spinner("files read");
    let Gathered { found, skipped, n_cabinets, .. } = gather(&command.paths, &progress)?;
    progress.finish_and_clear();
    let trusted = client.list_trust().await?;
    let trusted: HashSet<String> = trusted.into_iter().map(|known| known.sha256).collect();

    let mut report = TrustImport { dry_run: command.dry_run, skipped, ..TrustImport::default() };
    let intermediates = match command.intermediates {
        true => Intermediates::Take,
        false => Intermediates::LeaveOut,
    };
    let mut chosen = Vec::new();
    for found in found {
        let mut told = told(&found);
        if trusted.contains(&told.sha256) {
            report.already_trusted.push(told);
        } else if let Some(why) = left_out(&found, intermediates) {
            told.why = Some(why.to_owned());
            report.left_out.push(told);
        } else {
            report.imported.push(told);
            chosen.push(found);
        }
    }
    if !command.dry_run {
        send(&chosen, client).await?;
    }
    if output.is_json() {
        output.json(&report).context("standard output")?;
    } else {
        show(&report, n_cabinets, output)?;
    }
    Ok(Exit::Done)
}

/// What becomes of the intermediate authorities of folders and cabinets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Intermediates {
    Take,
    LeaveOut,
}

/// Why a certificate of a folder or a cabinet becomes no trust anchor. One whose file was named
/// becomes one, whatever it is: somebody said so.
fn left_out(found: &Found, intermediates: Intermediates) -> Option<&'static str> {
    match (found.named, found.root.kind(), intermediates) {
        (Named::ByItself, ..)
        | (Named::AmongOthers, RootKind::SelfSigned, _)
        | (Named::AmongOthers, RootKind::Intermediate, Intermediates::Take) => None,
        (Named::AmongOthers, RootKind::Intermediate, Intermediates::LeaveOut) => {
            Some("an intermediate: --intermediates makes it an anchor, too")
        }
        (Named::AmongOthers, RootKind::EndEntity, _) => {
            Some("of no authority: name its file to trust it alone")
        }
    }
}

fn told(found: &Found) -> FoundCertificate {
    let sha256 = found.root.fingerprint().to_string();
    let known = known_as(&sha256);
    FoundCertificate {
        known_as: known,
        sha256,
        subject: found.root.subject().to_owned(),
        kind: found.root.kind().as_str().to_owned(),
        place: found.place.clone(),
        why: None,
    }
}

/// Sends certificates, those of one origin together.
async fn send(chosen: &[Found], client: &Client) -> Result<(), CliError> {
    let mut by_source: BTreeMap<String, Vec<&Found>> = BTreeMap::new();
    for found in chosen {
        let source: String = found.source.chars().take(SOURCE_CHARS_MAX).collect();
        by_source.entry(source).or_default().push(found);
    }
    let progress = spinner("certificates imported");
    for (source, certificates) in by_source {
        for part in certificates.chunks(PER_REQUEST) {
            let pem: String = part.iter().map(|found| pem(found.root.der())).collect();
            let certificates = pem.into_bytes().into();
            let request = TrustRequest { certificates, source: source.clone() };
            let sent = client.add_trust(&request).await;
            sent.map_err(CliError::from).map_err(|err| err.about(&source))?;
            progress.inc(u64::try_from(part.len()).unwrap_or(u64::MAX));
        }
    }
    progress.finish_and_clear();
    Ok(())
}

/// On a terminal only: how far it is.
fn spinner(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(&format!("{{spinner}} {{pos}} {what}"));
    match style {
        Ok(style) => ProgressBar::new_spinner().with_style(style),
        Err(_) => ProgressBar::hidden(),
    }
}

fn show(report: &TrustImport, n_cabinets: usize, output: &Output) -> Result<(), CliError> {
    if !report.imported.is_empty() {
        let mut table = output.table(&["subject", "kind", "known as", "sha-256", "place"]);
        for found in report.imported.iter().take(ROWS_MAX) {
            let known = found.known_as.clone().unwrap_or_else(|| "-".to_owned());
            let (subject, place) = (plain(&found.subject), plain(&found.place));
            table.add_row([subject, found.kind.clone(), known, found.sha256.clone(), place]);
        }
        output.line(&table.to_string())?;
        if let Some(more) = report.imported.len().checked_sub(ROWS_MAX).filter(|n| *n > 0) {
            output.line(&format!("and {more} more; --json lists all"))?;
        }
    }
    let done = if report.dry_run { "would be imported" } else { "imported" };
    output.line(&format!("{} {done}", report.imported.len()))?;
    let known = report.imported.iter().filter(|found| found.known_as.is_some()).count();
    if !report.imported.is_empty() {
        output.line(&format!("  of them known by their fingerprints: {known}"))?;
    }
    output.line(&format!("{} trusted already", report.already_trusted.len()))?;
    counted("left out", report.left_out.iter().filter_map(|found| found.why.as_deref()), output)?;
    counted("files skipped", report.skipped.iter().map(|file| &*file.why), output)?;
    if n_cabinets > 0 {
        output.note(
            "the signature of a cabinet is not checked: what is not known by its fingerprint is as \
             good as the way it came",
        );
    }
    Ok(())
}

/// How many, and how many for each reason.
fn counted<'a>(
    what: &str,
    reasons: impl Iterator<Item = &'a str>,
    output: &Output,
) -> Result<(), CliError> {
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in reasons {
        *by_reason.entry(reason).or_default() += 1;
    }
    output.line(&format!("{} {what}", by_reason.values().sum::<usize>()))?;
    for (reason, n) in by_reason {
        output.line(&format!("  {n}: {}", plain(reason)))?;
    }
    Ok(())
}
