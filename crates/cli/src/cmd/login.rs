//! `bootproof login`, `logout`, `setup` and `session …`

mod browser_login;

use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use api::people::{LoginRequest, SessionBegun, SessionsQuery, SetupRequest, ShownAs};
use client::{Client, Context, Trust};
use zeroize::Zeroizing;

use super::{Exit, local_time::time, prompt};
use crate::{
    args::{Login, Session, Setup, Where},
    error::CliError,
    output::{Output, plain},
};

/// Bytes of a file with a password or a code.
const SECRET_BYTES_MAX: u64 = 4096;

/// What a session's token begins with.
const SESSION_PREFIX: &str = "bps_";

/// A secret out of a file, its first line; else asked of a person.
pub(super) fn secret(file: Option<&Path>, question: &str) -> Result<Zeroizing<String>, CliError> {
    let Some(file) = file else {
        return prompt::secret(question)?.ok_or_else(|| {
            CliError::with_hint(
                anyhow!(
                    "there is no terminal to ask for the {}",
                    question.trim_end_matches([':', ' '])
                ),
                "write it to a file with mode 0600 and name that; `-` is standard input",
            )
        });
    };
    let mut text = Zeroizing::new(String::new());
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().take(SECRET_BYTES_MAX).read_to_string(&mut text),
        false => {
            File::open(file).and_then(|file| file.take(SECRET_BYTES_MAX).read_to_string(&mut text))
        }
    };
    read.with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// A new password, typed twice where it is typed.
pub(super) fn new_password(file: Option<&Path>) -> Result<Zeroizing<String>, CliError> {
    let password = secret(file, "new password: ")?;
    if file.is_none() && secret(None, "the same again: ")? != password {
        return Err(anyhow!("the two are not the same").into());
    }
    Ok(password)
}

/// The server, as a context without a token.
async fn server(at: &Where, named: Option<&Path>) -> Result<Context, CliError> {
    match (&at.server, at.ca_sha256) {
        (Some(url), Some(pin)) => {
            let client = Client::new(url, &Trust::CaPin(pin))?;
            let known = client.get_server().await?;
            // Only the certificate that was pinned counts, whatever else is said.
            if client::CaPin::of_pem(&known.ca_pem) != Some(pin) {
                return Err(anyhow!("the server's authority is not the one of the pin").into());
            }
            let token = String::new();
            Ok(Context { server: client.base().to_owned(), ca_pem: known.ca_pem, token })
        }
        _ => Ok(Context { token: String::new(), ..Context::load(named)? }),
    }
}

/// Where the session is to be kept.
fn target(at: &Where) -> Result<PathBuf, CliError> {
    let named = at.save.clone().or_else(Context::own_path);
    let path = named.ok_or_else(|| {
        CliError::with_hint(anyhow!("there is no home folder"), "name a file with --save")
    })?;
    if path.exists() && !is_of_session(&path) {
        return Err(CliError::with_hint(
            anyhow!("{} holds what is no session", path.display()),
            "name another file with --save, and use that with --context",
        ));
    }
    Ok(path)
}

fn is_of_session(path: &Path) -> bool {
    Context::load(Some(path)).is_ok_and(|context| context.token.starts_with(SESSION_PREFIX))
}

fn client(context: &Context) -> Result<Client, CliError> {
    Ok(Client::new(&context.server, &Trust::CaPem(context.ca_pem.clone()))?)
}

/// Keeps a session that has begun.
pub(super) fn keep(
    begun: SessionBegun,
    context: Context,
    path: &Path,
    output: &Output,
) -> Result<Exit, CliError> {
    let token = begun.token.clone().ok_or_else(|| anyhow!("the server gave no token"))?;
    let context = Context { token, ..context };
    context.save(path).with_context(|| format!("{} cannot be written", path.display()))?;
    if output.is_json() {
        output.json(&SessionBegun { token: None, ..begun })?;
        return Ok(Exit::Done);
    }
    output.note(&format!(
        "{} ({}), until {} at the latest; kept in {}",
        plain(&begun.actor),
        begun.role.as_str(),
        time(Some(begun.expires_at_ms)),
        path.display()
    ));
    if begun.must_change_password {
        output.note("Choose a password of your own now: `bootproof user password`");
    }
    Ok(Exit::Done)
}

pub(super) async fn log_in(
    command: &Login,
    named: Option<&Path>,
    output: &Output,
) -> Result<Exit, CliError> {
    let path = target(&command.at)?;
    let context = server(&command.at, named).await?;
    let Some(name) = command.name.clone() else {
        let begun =
            browser_login::run(&client(&context)?, command.browser.as_deref(), output).await?;
        return keep(begun, context, &path, output);
    };
    let password = secret(command.at.password_file.as_deref(), "password: ")?;
    let request = LoginRequest { name, password: password.to_string(), shown_as: ShownAs::Token };
    let begun = client(&context)?.log_in(&request).await?;
    keep(begun, context, &path, output)
}

pub(super) async fn set_up(
    command: &Setup,
    named: Option<&Path>,
    output: &Output,
) -> Result<Exit, CliError> {
    let path = target(&command.at)?;
    let context = server(&command.at, named).await?;
    let code = secret(command.code_file.as_deref(), "code: ")?;
    let password = new_password(command.at.password_file.as_deref())?;
    let request = SetupRequest {
        code: code.to_string(),
        name: command.name.clone(),
        password: password.to_string(),
        shown_as: ShownAs::Token,
    };
    let begun = client(&context)?.set_up(&request).await?;
    keep(begun, context, &path, output)
}

pub(super) async fn log_out(named: Option<&Path>, output: &Output) -> Result<Exit, CliError> {
    let path = Context::find(named)?;
    let context = Context::load(Some(&path))?;
    if !context.token.starts_with(SESSION_PREFIX) {
        return Err(CliError::with_hint(
            anyhow!("{} holds no session", path.display()),
            "a token of a program ends with `bootproof api-token revoke NAME`",
        ));
    }
    match context.client()?.log_out().await {
        // It has ended already.
        Err(err) if err.code() == Some("unauthenticated") => {}
        ended => ended?,
    }
    std::fs::remove_file(&path).with_context(|| format!("{} stays", path.display()))?;
    output.note("the session has ended");
    Ok(Exit::Done)
}

pub(super) async fn session(
    command: &Session,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    match command {
        Session::List { all } => list(*all, client, output).await,
        Session::End { id } => {
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
            if id.is_empty() || !id.chars().all(fits) {
                return Err(anyhow!("{id:?} is no session's identifier").into());
            }
            client.end_session(id).await?;
            output.note("the session has ended");
            Ok(Exit::Done)
        }
    }
}

async fn list(all: bool, client: &Client, output: &Output) -> Result<Exit, CliError> {
    let sessions = client.list_sessions(&SessionsQuery { all }).await?;
    if output.is_json() {
        output.json(&sessions)?;
        return Ok(Exit::Done);
    }
    let mut table =
        output.table(&["identifier", "who", "role", "from", "since", "last used", "ends"]);
    for session in sessions {
        let this = if session.is_this { " (this one)" } else { "" };
        table.add_row([
            format!("{}{this}", session.id),
            plain(&session.actor),
            session.role.as_str().to_owned(),
            session.address,
            time(Some(session.begun_at_ms)),
            time(Some(session.used_at_ms)),
            time(Some(session.expires_at_ms)),
        ]);
    }
    output.show_rows(table, "there is no session: `bootproof login NAME` begins one")?;
    Ok(Exit::Done)
}
