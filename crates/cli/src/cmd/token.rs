//! `bootproof token …`

use api::admin::{Approval, TokenRequest};
use client::Client;

use super::{Exit, local_time::time};
use crate::{
    args::{Token, TokenCreate},
    error::CliError,
    output::{Output, Tone},
};

pub(super) async fn run(
    command: &Token,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Token::Create(create) => self::create(create, client, output).await,
        Token::List => list(client, output).await,
        Token::Revoke { id } => {
            client.revoke_join_token(id).await?;
            output.note(&format!("token {id} is revoked; hosts that joined with it stay"));
            Ok(Exit::Done)
        }
    }
}

async fn create(command: &TokenCreate, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let request = TokenRequest {
        expires_in_s: command.expires,
        uses_max: (!command.any_uses).then_some(command.uses),
        approval: if command.approval { Approval::Required } else { Approval::NotRequired },
        labels: command.label.iter().cloned().collect(),
        listed_on: command.listed.clone(),
        note: command.note.clone(),
    };
    let token = client.create_join_token(&request).await?;
    if output.is_json() {
        output.json(&token)?;
        return Ok(Exit::Done);
    }
    output.line(&output.paint(Tone::Strong, "Join a host with this command, as root:"))?;
    output.line("")?;
    output.line(&format!(
        "  bootproof-agent join {} --token {} --ca-sha256 {}",
        token.server, token.token, token.ca_sha256
    ))?;
    output.line("")?;
    output.line(&format!(
        "The token is shown this once. It ends {}.",
        time(Some(token.expires_at_ms))
    ))?;
    Ok(Exit::Done)
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let tokens = client.list_join_tokens().await?;
    if output.is_json() {
        output.json(&tokens)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["identifier", "ends", "uses", "approval", "state", "note"]);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for token in tokens {
        let max = token.uses_max.map_or("any".to_owned(), |max| max.to_string());
        let state = if token.revoked {
            "revoked"
        } else if token.expires_at_ms <= now_ms {
            "expired"
        } else if token.uses_max.is_some_and(|max| token.uses >= max) {
            "used up"
        } else {
            "good"
        };
        let approval = match token.approval {
            Approval::Required => "required",
            Approval::NotRequired => "no",
        };
        table.add_row([
            token.id,
            time(Some(token.expires_at_ms)),
            format!("{} of {max}", token.uses),
            approval.to_owned(),
            state.to_owned(),
            crate::output::plain(&token.note),
        ]);
    }
    output.show_rows(table, "there is no join token: `bootproof token create` makes one")?;
    Ok(Exit::Done)
}
