//! `bootproof certificate …`

use api::client_certificate::{
    ClientAuthority, ClientCertificate, ClientCertificatePage, ClientCertificateQuery,
    ClientCrlQuery, RevokeRequest, RotateClientAuthority,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use client::Client;
use comfy_table::Cell;

use super::{Exit, host::find, local_time::time};
use crate::{
    args::{Certificate, CertificateRotate},
    error::CliError,
    output::{Output, Tone, plain},
};

/// Certificates of one request.
const PAGE_LEN: u32 = 1_000;

pub(super) async fn run(
    command: &Certificate,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Certificate::List(command) => list(command.host.as_deref(), client, output).await,
        Certificate::Show { host } => show(host, client, output).await,
        Certificate::Revoke(command) => {
            revoke(&command.host, &command.reason, client, output).await
        }
        Certificate::Authority => authority(client, output).await,
        Certificate::Authorities => authorities(client, output).await,
        Certificate::Rotate(command) => rotate(command, client, output).await,
        Certificate::Crl => crl(client, output).await,
    }
}

/// The identifier of the host that is meant, where one is.
async fn id_of(host: Option<&str>, client: &Client) -> Result<Option<String>, CliError> {
    Ok(match host {
        None => None,
        Some(named) => Some(find(named, client).await?.id),
    })
}

async fn page(
    id: Option<&str>,
    query: &ClientCertificateQuery,
    client: &Client,
) -> Result<ClientCertificatePage, CliError> {
    Ok(match id {
        None => client.list_client_certificates(query).await?,
        Some(id) => client.list_host_client_certificates(id, query).await?,
    })
}

async fn list(host: Option<&str>, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let id = id_of(host, client).await?;
    let mut certificates = Vec::new();
    let mut query = ClientCertificateQuery { cursor: None, limit: Some(PAGE_LEN) };
    loop {
        let page = page(id.as_deref(), &query, client).await?;
        certificates.extend(page.certificates);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => break,
        }
    }
    if output.is_json() {
        output.json(&certificates)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["host", "serial", "issued", "until", "state"]);
    for certificate in &certificates {
        table.add_row([
            Cell::new(plain(&certificate.host_name)),
            Cell::new(&certificate.serial),
            Cell::new(time(Some(certificate.issued_at_ms))),
            Cell::new(time(Some(certificate.not_after_ms))),
            output.cell(state(certificate).0, &state(certificate).1),
        ]);
    }
    output.show_rows(
        table,
        "no host has a client certificate: `bootproof fleet settings` says whether any is issued",
    )?;
    Ok(Exit::Done)
}

fn state(certificate: &ClientCertificate) -> (Tone, String) {
    match &certificate.revoked {
        Some(revoked) => (Tone::Bad, format!("revoked: {}", plain(&revoked.why))),
        None if certificate.counts => (Tone::Good, "counts".to_owned()),
        None => (Tone::Plain, "ended".to_owned()),
    }
}

async fn show(named: &str, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let id = id_of(Some(named), client).await?;
    let query = ClientCertificateQuery { cursor: None, limit: Some(1) };
    let page = page(id.as_deref(), &query, client).await?;
    let newest = page.certificates.into_iter().next();
    let exit = match newest.as_ref().is_some_and(|certificate| certificate.counts) {
        true => Exit::Done,
        false => Exit::No,
    };
    if output.is_json() {
        output.json(&newest)?;
        return Ok(exit);
    }
    let Some(certificate) = newest else {
        output.note(&format!("{} has no certificate", plain(named)));
        return Ok(exit);
    };
    let line = |name: &str, value: &str| output.line(&format!("{name:<12} {}", plain(value)));
    line("host", &certificate.host_name)?;
    let (tone, state) = state(&certificate);
    output.line(&format!("{:<12} {}", "state", output.paint(tone, &state)))?;
    line("serial", &certificate.serial)?;
    line("key name", &certificate.key_name)?;
    line("issued", &time(Some(certificate.issued_at_ms)))?;
    line("until", &time(Some(certificate.not_after_ms)))?;
    if let Some(revoked) = &certificate.revoked {
        line("revoked", &format!("{}, by {}", time(Some(revoked.at_ms)), revoked.by))?;
        if !revoked.reason.is_empty() {
            line("reason", &revoked.reason)?;
        }
    }
    Ok(exit)
}

async fn revoke(
    named: &str,
    reason: &str,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let host = find(named, client).await?;
    let request = RevokeRequest { reason: reason.to_owned() };
    let revoked = client.revoke_client_certificates(&host.id, &request).await?;
    if output.is_json() {
        output.json(&revoked)?;
    } else {
        output.note(&format!("{} of {} revoked", revoked.n, plain(&host.name)));
    }
    Ok(Exit::Done)
}

async fn authority(client: &Client, output: &Output) -> Result<Exit, CliError> {
    output.line(client.get_client_ca().await?.trim_end())?;
    Ok(Exit::Done)
}

async fn authorities(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let known = client.list_client_authorities().await?;
    if output.is_json() {
        output.json(&known)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["number", "state", "issues from", "ends", "sha-256"]);
    for authority in &known {
        table.add_row([
            authority.number.to_string(),
            authority_state(authority, output),
            time(Some(authority.begins_at_ms).filter(|begins_at_ms| *begins_at_ms > 0)),
            time(Some(authority.not_after_ms)),
            plain(&authority.sha256),
        ]);
    }
    output.line(&table.to_string())?;
    Ok(Exit::Done)
}

fn authority_state(authority: &ClientAuthority, output: &Output) -> String {
    match &*authority.state {
        "issuing" => output.paint(Tone::Good, "issuing"),
        other => plain(other),
    }
}

async fn rotate(
    command: &CertificateRotate,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = RotateClientAuthority {
        reason: command.reason.clone(),
        announced_for_s: command.announce_for,
    };
    let made = client.rotate_client_authority(&request).await?;
    if output.is_json() {
        output.json(&made)?;
        return Ok(Exit::Done);
    }
    output.note(&format!(
        "authority {} issues from {} on; have relying parties read `bootproof certificate authority` before",
        made.number,
        time(Some(made.begins_at_ms))
    ));
    Ok(Exit::Done)
}

/// Those of all authorities, one after the other: a relying party that checks lists needs that of each.
async fn crl(client: &Client, output: &Output) -> Result<Exit, CliError> {
    for authority in client.list_client_authorities().await? {
        let query = ClientCrlQuery { authority: Some(authority.number) };
        let der = client.get_client_crl(&query).await?;
        output.line("-----BEGIN X509 CRL-----")?;
        for line in STANDARD.encode(der).as_bytes().chunks(64) {
            output.line(&String::from_utf8_lossy(line))?;
        }
        output.line("-----END X509 CRL-----")?;
    }
    Ok(Exit::Done)
}
