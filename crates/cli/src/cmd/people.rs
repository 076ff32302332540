//! `bootproof api-token …` and `bootproof whoami`

use api::{
    inventory::Labels,
    people::{ApiTokenRequest, Role as RoleView},
};
use client::Client;

use super::{Exit, local_time::time};
use crate::{
    args::{ApiToken, ApiTokenCreate, ApiTokenRevoke, Role},
    error::CliError,
    output::{Output, plain},
};

pub(super) async fn api_token(
    command: &ApiToken,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        ApiToken::Create(create) => self::create(create, client, output).await,
        ApiToken::List => list(client, output).await,
        ApiToken::Revoke(revoke) => self::revoke(revoke, client, output).await,
    }
}

async fn revoke(
    command: &ApiTokenRevoke,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let name = segment(&command.name)?;
    if !command.yes && is_last_way_in(name, client).await? {
        return Err(CliError::with_hint(
            anyhow::anyhow!(
                "{name} is the token that you show, and no administrator has another way in"
            ),
            "make an account first (`bootproof user add NAME --role admin`), or say --yes: the server's next \
             start makes a new token, in admin.toml of its data folder",
        ));
    }
    client.revoke_api_token(name).await?;
    output.note(&format!("token {name} is revoked"));
    Ok(Exit::Done)
}

/// Whether this is the token that is shown, an administrator's, beside which there is neither another one nor
/// an account. People of an identity provider do not count: whether it has administrators nobody here knows.
async fn is_last_way_in(name: &str, client: &Client) -> Result<bool, CliError> {
    let me = client.who_am_i().await?;
    if me.actor != name || me.role != RoleView::Admin {
        return Ok(false);
    }
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let tokens = client.list_api_tokens().await?;
    let lets_in = |token: &api::people::ApiToken| {
        let lasts = token.expires_at_ms.is_none_or(|at_ms| at_ms > now_ms);
        token.name != name && token.role == RoleView::Admin && lasts
    };
    let users = client.list_users().await?;
    let has_account = users.iter().any(|user| user.role == RoleView::Admin && !user.disabled);
    Ok(!has_account && !tokens.iter().any(lets_in))
}

/// A name as a part of an address.
pub(super) fn segment(name: &str) -> Result<&str, CliError> {
    match api::people::name_fault(name) {
        None => Ok(name),
        Some(fault) => Err(CliError::from(anyhow::anyhow!("{name:?} is no name: {fault}"))),
    }
}

async fn create(
    command: &ApiTokenCreate,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let request = ApiTokenRequest {
        name: command.name.clone(),
        role: role(command.role),
        hosts: command.host_label.iter().cloned().collect(),
        expires_in_s: command.expires,
    };
    let token = client.create_api_token(&request).await?;
    if output.is_json() {
        output.json(&token)?;
        return Ok(Exit::Done);
    }
    output.line(&token.token)?;
    output.note(&format!(
        "The token is shown this once. It ends {}.",
        time(Some(token.expires_at_ms))
    ));
    Ok(Exit::Done)
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let tokens = client.list_api_tokens().await?;
    if output.is_json() {
        output.json(&tokens)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["name", "role", "hosts", "made by", "last used", "ends"]);
    let now_ms = jiff::Timestamp::now().as_millisecond();
    for token in tokens {
        let ends = match token.expires_at_ms {
            None => "never".to_owned(),
            Some(at_ms) if at_ms <= now_ms => format!("ended {}", time(Some(at_ms))),
            at_ms => time(at_ms),
        };
        table.add_row([
            plain(&token.name),
            token.role.as_str().to_owned(),
            hosts(&token.hosts),
            plain(&token.created_by),
            time(token.last_used_at_ms),
            ends,
        ]);
    }
    output
        .show_rows(table, "there is no API token: `bootproof api-token create NAME` makes one")?;
    Ok(Exit::Done)
}

fn hosts(labels: &Labels) -> String {
    if labels.is_empty() {
        return "all".to_owned();
    }
    let words: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    plain(&words.join(","))
}

pub(super) async fn who_am_i(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let me = client.who_am_i().await?;
    if output.is_json() {
        output.json(&me)?;
        return Ok(Exit::Done);
    }
    let ends = match me.expires_at_ms {
        None => String::new(),
        at_ms => format!(", until {}", time(at_ms)),
    };
    let of_hosts = match me.hosts.is_empty() {
        true => String::new(),
        false => format!(", at hosts with {}", hosts(&me.hosts)),
    };
    output.line(&format!("{}: {}{of_hosts}{ends}", plain(&me.actor), me.role.as_str()))?;
    if me.must_change_password {
        output.note("Choose a password of your own first: `bootproof user password`");
    }
    Ok(Exit::Done)
}

pub(super) const fn role(role: Role) -> RoleView {
    match role {
        Role::RelyingParty => RoleView::RelyingParty,
        Role::Viewer => RoleView::Viewer,
        Role::Operator => RoleView::Operator,
        Role::Admin => RoleView::Admin,
    }
}
