//! `bootproof trust …`

use std::path::Path;

use anyhow::Context as _;
use api::admin::{TrustRequest, TrustedCertificate};
use client::Client;

use super::{Exit, local_time::time};
use crate::{
    args::Trust,
    error::CliError,
    output::{Output, plain},
};

/// A file of certificates: all roots of all vendors, in PEM, are below 4 MiB.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

pub(super) async fn run(
    command: &Trust,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Trust::Import { files } => {
            let mut imported = Vec::new();
            for file in files {
                let request = TrustRequest {
                    certificates: crate::evidence_dir::read_limited(file, FILE_BYTES_MAX)?.into(),
                    source: source(file),
                };
                let certificates: Vec<TrustedCertificate> = client
                    .post("/v1/trust", &request)
                    .await
                    .map_err(CliError::from)
                    .map_err(|err| err.about(&file.display().to_string()))?;
                imported.extend(certificates);
            }
            show(&imported, output)
        }
        Trust::List => show(&client.get::<Vec<_>>("/v1/trust").await?, output),
        Trust::Remove { sha256 } => {
            client.delete::<()>(&format!("/v1/trust/{sha256}")).await?;
            output
                .note("removed; hosts whose certificates led to it fail at their next attestation");
            Ok(Exit::Done)
        }
    }
}

fn source(file: &Path) -> String {
    file.file_name().map(|name| plain(&name.to_string_lossy())).unwrap_or_default()
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
            known_as(&certificate.sha256),
            certificate.sha256.clone(),
            plain(&certificate.source),
            time(Some(certificate.added_at_ms)),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

/// Whose authority it is, where it is one of a TPM vendor that we know; a dash says that only the
/// person who imported it vouches for it.
fn known_as(sha256: &str) -> String {
    let digest = hex::decode(sha256).ok().and_then(|bytes| bytes.try_into().ok());
    let known = digest.and_then(|digest| tpm_vendors::authority(&digest));
    known.map_or("-".to_owned(), |known| format!("{} {}", known.vendor, known.kind.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_known_by_its_fingerprint_alone() {
        let known = &tpm_vendors::AUTHORITIES[0];
        assert_eq!(known_as(&hex::encode(known.sha256)), "AMD root");
        assert_eq!(known_as(&"00".repeat(32)), "-");
        assert_eq!(known_as("no digest"), "-");
    }
}
