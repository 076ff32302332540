//! `bootproof trust …`

mod gather;
mod import;

use anyhow::Context as _;
use api::admin::TrustedCertificate;
use client::Client;

use super::{Exit, local_time::time};
use crate::{
    args::Trust,
    error::CliError,
    output::{Output, plain},
};

pub(super) async fn run(
    command: &Trust,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Trust::Import(command) => import::run(command, client, output).await,
        Trust::List => show(&client.list_trust().await?, output),
        Trust::Remove { sha256 } => {
            client.remove_trust(sha256).await?;
            output
                .note("removed; hosts whose certificates led to it fail at their next attestation");
            Ok(Exit::Done)
        }
    }
}

fn show(certificates: &[TrustedCertificate], output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&certificates).context("standard output")?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["subject", "known as", "sha-256", "source", "imported"]);
    for certificate in certificates {
        table.add_row([
            plain(&certificate.subject),
            known_as(&certificate.sha256).unwrap_or_else(|| "-".to_owned()),
            certificate.sha256.clone(),
            plain(&certificate.source),
            time(Some(certificate.added_at_ms)),
        ]);
    }
    output.show_rows(
        table,
        "no TPM vendor is trusted yet, and so no TPM: `bootproof trust import` says how",
    )?;
    Ok(Exit::Done)
}

/// Whose authority it is, where it is one of a TPM vendor that we know; of others only the person
/// who imported them vouches for them.
fn known_as(sha256: &str) -> Option<String> {
    let digest = hex::decode(sha256).ok().and_then(|bytes| bytes.try_into().ok());
    let known = digest.and_then(|digest| tpm_vendors::authority(&digest))?;
    Some(format!("{} {}", known.vendor, known.kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_known_by_its_fingerprint_alone() {
        let known = &tpm_vendors::AUTHORITIES[0];
        assert_eq!(known_as(&hex::encode(known.sha256)).as_deref(), Some("AMD root"));
        assert_eq!(known_as(&"00".repeat(32)), None);
        assert_eq!(known_as("no digest"), None);
    }
}
