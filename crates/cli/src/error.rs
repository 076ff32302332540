//! Errors as people read them: what, why, and a hint.

use std::error::Error as StdError;

use client::{ClientError, ContextError};

use crate::output::Output;

/// A command could not do what it was asked.
#[derive(Debug)]
pub struct CliError {
    source: anyhow::Error,
    hint: Option<String>,
}

impl CliError {
    /// An error with a hint.
    pub fn with_hint(source: impl Into<anyhow::Error>, hint: impl Into<String>) -> Self {
        Self { source: source.into(), hint: Some(hint.into()) }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The same error, with what to do in the words of the command.
    pub(crate) fn hinted(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }

    /// Whether the server refused with this code.
    pub(crate) fn is_refusal(&self, code: &str) -> bool {
        let client = self.source.downcast_ref::<ClientError>();
        client.and_then(ClientError::code) == Some(code)
    }

    /// Whether the same may succeed later, with nothing changed by a person.
    pub(crate) fn is_transient(&self) -> bool {
        self.source.downcast_ref::<ClientError>().is_some_and(ClientError::is_transient)
    }

    /// Whether nobody reads what is written any more: `| head`.
    pub(crate) fn is_gone(&self) -> bool {
        let io = self.source.downcast_ref::<std::io::Error>();
        io.is_some_and(|err| err.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// The same error, told of `what`.
    pub fn about(self, what: &str) -> Self {
        Self { source: self.source.context(what.to_owned()), hint: self.hint }
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.source)
    }
}

impl From<anyhow::Error> for CliError {
    fn from(source: anyhow::Error) -> Self {
        Self { source, hint: None }
    }
}

impl From<std::io::Error> for CliError {
    fn from(source: std::io::Error) -> Self {
        Self { source: source.into(), hint: None }
    }
}

impl From<ClientError> for CliError {
    fn from(err: ClientError) -> Self {
        let hint = err.hint();
        Self { source: err.into(), hint }
    }
}

impl From<ContextError> for CliError {
    fn from(err: ContextError) -> Self {
        let hint = match err {
            ContextError::NotFound { .. } => {
                "the server writes it as admin.toml into its data folder: name it with --context \
                 or BOOTPROOF_CONTEXT, or copy it to ~/.config/bootproof/context.toml; people with an account: `bootproof login`"
            }
            _ => {
                "the server writes one as admin.toml into its data folder, `bootproof login` another; it must \
                 be readable by you, and is secret: mode 0600"
            }
        };
        Self { source: err.into(), hint: Some(hint.to_owned()) }
    }
}

impl From<policy::LoadError> for CliError {
    fn from(err: policy::LoadError) -> Self {
        let hint = err.hint().map(str::to_owned);
        Self { source: err.into(), hint }
    }
}

/// Writes `error: …` with its causes, then a blank line and `hint: …`.
pub fn report_error(err: &CliError, output: &Output) {
    let mut text = err.source.to_string();
    let mut source: Option<&(dyn StdError + 'static)> = err.source.chain().nth(1);
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    output.error(&text, err.hint.as_deref());
}
