//! `bootproof audit …`

use api::audit::{AuditRow, CHECKPOINT_TYPE, Checkpoint};
use audit_log::{AuditChain, AuditRow as Row};
use client::{Client, PageQuery};

use super::{
    Exit,
    local_time::time,
    signed::{self, Ends},
};
use crate::{
    args::{Audit, AuditVerify},
    error::CliError,
    output::{Output, Tone, plain},
};

pub(super) async fn run(
    command: &Audit,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Audit::List { after } => list(*after, client, output).await,
        Audit::Verify(command) => verify(command, client, output).await,
        Audit::Checkpoint => {
            let checkpoint = client.get_audit_checkpoint().await?;
            if output.is_json() {
                output.json(&checkpoint)?;
            } else {
                output.line(&checkpoint.jws)?;
            }
            Ok(Exit::Done)
        }
    }
}

async fn list(after: i64, client: &Client, output: &Output) -> Result<Exit, CliError> {
    // The number of a row is a cursor, too.
    let query = PageQuery { cursor: Some(after.to_string()), limit: None };
    let rows = client.pages_of_audit(query).all().await?;
    if output.is_json() {
        output.json(&rows)?;
        return Ok(Exit::Done);
    }
    // No table: identifiers and details are longer than its columns would be.
    for row in rows {
        let what = output.paint(Tone::Strong, &plain(&row.action));
        let (who, on_what) = (plain(&row.actor), plain(&row.subject));
        output.line(&format!(
            "{:>6}  {}  {what}  {on_what}  by {who}",
            row.seq,
            time(Some(row.at_ms))
        ))?;
        if row.detail_json != "{}" {
            output.line(&format!("        {}", plain(&row.detail_json)))?;
        }
    }
    Ok(Exit::Done)
}

/// A row as it was sealed; a seal that is none fits nothing.
fn sealed(row: AuditRow) -> Row {
    let mut sha256 = [0; 32];
    if hex::decode_to_slice(&row.sha256, &mut sha256).is_err() {
        sha256 = [0; 32];
    }
    Row {
        seq: row.seq,
        at_ms: row.at_ms,
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        detail_json: row.detail_json,
        sha256,
    }
}

async fn verify(command: &AuditVerify, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let mut kept = Vec::new();
    if !command.checkpoint.is_empty() {
        let keys = signed::keys(command.keys.as_deref(), || Ok(client.clone())).await?;
        for file in &command.checkpoint {
            let jws = signed::text(file)?;
            let named = file.display().to_string();
            match signed::claims::<Checkpoint>(&jws, CHECKPOINT_TYPE, &keys, Ends::Never) {
                Ok(checkpoint) => kept.push((named, checkpoint)),
                Err(why) => return refuse_checkpoint(&named, &why, output),
            }
        }
    }
    let mut chain = AuditChain::default();
    // The end as the server signs it now: rows that it does not give are missed.
    let end = client.get_audit_checkpoint().await?;
    let keys = signed::keys(None, || Ok(client.clone())).await?;
    match signed::claims::<Checkpoint>(&end.jws, CHECKPOINT_TYPE, &keys, Ends::Never) {
        Ok(checkpoint) => kept.push(("the end of the log".to_owned(), checkpoint)),
        Err(why) => return refuse(&format!("the end of the log: {why}"), output),
    }
    kept.sort_by_key(|(_, checkpoint)| checkpoint.seq);
    let mut waiting = kept.iter().peekable();
    let mut pages = client.pages_of_audit(PageQuery::default());
    while let Some(page) = pages.next().await? {
        for row in page.rows {
            if let Err(fault) = chain.check(&sealed(row)) {
                return refuse(&fault.to_string(), output);
            }
            let (seq, sha256) = chain.head();
            while let Some((named, checkpoint)) =
                waiting.next_if(|(_, checkpoint)| checkpoint.seq <= seq)
            {
                // A log that has nothing yet is a part of each.
                if checkpoint.seq == seq && checkpoint.sha256 != hex::encode(sha256) {
                    return refuse(&format!("row {seq} is another than {named} has"), output);
                }
            }
        }
    }
    let (n_rows, sha256) = chain.head();
    if let Some((named, checkpoint)) = waiting.find(|(_, checkpoint)| checkpoint.seq > n_rows) {
        let why = format!(
            "the log ends at row {n_rows}, and {named} has row {}: rows were cut off",
            checkpoint.seq
        );
        return refuse(&why, output);
    }
    let n_kept = command.checkpoint.len();
    if output.is_json() {
        let head = hex::encode(sha256);
        output.json(&serde_json::json!({
            "holds": true, "rows": n_rows, "sha256": head, "checkpoints": n_kept
        }))?;
    } else {
        let holds = output.paint(Tone::Good, "The log holds");
        let kept = match n_kept {
            0 => "no checkpoint was compared".to_owned(),
            1 => "1 checkpoint fits".to_owned(),
            n => format!("{n} checkpoints fit"),
        };
        output.line(&format!("{holds}: {n_rows} rows, and {kept}."))?;
        if n_kept == 0 {
            output.note(
                "keep checkpoints elsewhere (`bootproof audit checkpoint`): against them also a log shows \
                 that was written anew as a whole",
            );
        }
    }
    Ok(Exit::Done)
}

fn refuse(why: &str, output: &Output) -> Result<Exit, CliError> {
    let next = "keep a copy of the database as it is, and find out who could write to it";
    no("The log does not hold", why, next, output)
}

/// A file that proves nothing says nothing of the log either, neither that it holds nor that it does not.
fn refuse_checkpoint(file: &str, why: &str, output: &Output) -> Result<Exit, CliError> {
    let next = "name a file of `bootproof audit checkpoint`, and with --keys the keys of the server that it is of";
    no(
        "The checkpoint proves nothing, and the log was not looked at",
        &format!("{file}: {why}"),
        next,
        output,
    )
}

fn no(title: &str, why: &str, next: &str, output: &Output) -> Result<Exit, CliError> {
    if output.is_json() {
        output.json(&serde_json::json!({ "holds": false, "cause": why }))?;
    } else {
        let title = output.paint(Tone::Bad, title);
        output.line(&format!("{title}: {}", plain(why)))?;
        output.line(&format!("  next: {next}"))?;
    }
    Ok(Exit::No)
}
