//! `bootproof user …`

use std::path::Path;

use anyhow::anyhow;
use api::people::{GivenPasswordRequest, PasswordRequest, UserChangeRequest, UserRequest};
use client::{Client, Context};

use super::{
    Exit,
    local_time::time,
    login::{keep, new_password, secret},
    people::{role, segment},
};
use crate::{
    args::{User, UserAdd, UserPassword},
    error::CliError,
    output::{Output, plain},
};

pub(super) async fn run(
    command: &User,
    client: &Client,
    context: Option<&Path>,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        User::List => list(client, output).await,
        User::Add(command) => add(command, client, output).await,
        User::Change { name, role: wanted } => {
            let change = UserChangeRequest { role: Some(role(*wanted)), disabled: None };
            self::change(name, change, client, output).await
        }
        User::Disable { name } => {
            let change = UserChangeRequest { role: None, disabled: Some(true) };
            self::change(name, change, client, output).await
        }
        User::Enable { name } => {
            let change = UserChangeRequest { role: None, disabled: Some(false) };
            self::change(name, change, client, output).await
        }
        User::Remove { name } => {
            client.remove_user(segment(name)?).await?;
            output.note(&format!("account {name} is removed, and its sessions have ended"));
            Ok(Exit::Done)
        }
        User::Password(command) => match &command.name {
            Some(name) => give_password(name, command, client, output).await,
            None => own_password(command, client, context, output).await,
        },
    }
}

async fn list(client: &Client, output: &Output) -> Result<Exit, CliError> {
    let users = client.list_users().await?;
    if output.is_json() {
        output.json(&users)?;
        return Ok(Exit::Done);
    }
    let mut table = output.table(&["name", "role", "state", "made by", "made", "password of"]);
    for user in users {
        let state = match (user.disabled, user.must_change_password) {
            (true, _) => "disabled",
            (false, true) => "must change the password",
            (false, false) => "good",
        };
        table.add_row([
            plain(&user.name),
            user.role.as_str().to_owned(),
            state.to_owned(),
            plain(&user.created_by),
            time(Some(user.created_at_ms)),
            time(Some(user.password_at_ms)),
        ]);
    }
    output.show_rows(
        table,
        "there is no account: `bootproof setup NAME` makes the first one, `user add` others",
    )?;
    Ok(Exit::Done)
}

async fn add(command: &UserAdd, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let request = UserRequest {
        name: command.name.clone(),
        role: role(command.role),
        password: new_password(command.password_file.as_deref())?.to_string(),
    };
    let user = client.add_user(&request).await?;
    if output.is_json() {
        output.json(&user)?;
    }
    output.note(&format!(
        "account {} is added; its person must choose another password at the first login",
        user.name
    ));
    Ok(Exit::Done)
}

async fn change(
    name: &str,
    change: UserChangeRequest,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let user = client.change_user(segment(name)?, &change).await?;
    if output.is_json() {
        output.json(&user)?;
    }
    let state = if user.disabled { "disabled" } else { "enabled" };
    output.note(&format!("account {} is {state}, with the role {}", user.name, user.role.as_str()));
    Ok(Exit::Done)
}

async fn give_password(
    name: &str,
    command: &UserPassword,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let name = segment(name)?;
    let password = new_password(command.password_file.as_deref())?.to_string();
    client.give_password(name, &GivenPasswordRequest { password }).await?;
    output.note(&format!("its person must choose another one; sessions of {name} have ended"));
    Ok(Exit::Done)
}

async fn own_password(
    command: &UserPassword,
    client: &Client,
    named: Option<&Path>,
    output: &Output,
) -> Result<Exit, CliError> {
    let path = Context::find(named)?;
    let context = Context::load(Some(&path))?;
    if !context.token.starts_with("bps_") {
        return Err(CliError::with_hint(
            anyhow!("you have not logged in with a password"),
            "`bootproof login NAME`; or name an account: `bootproof user password NAME`",
        ));
    }
    let request = PasswordRequest {
        old: secret(command.old_password_file.as_deref(), "present password: ")?.to_string(),
        new: new_password(command.password_file.as_deref())?.to_string(),
    };
    let begun = client.change_password(&request).await?;
    keep(begun, context, &path, output)
}
