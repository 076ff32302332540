//! Deliveries to programs of others: an address is resolved and looked at, TLS verified, one message sent,
//! and it is said step by step what happened. No rules of what is told to whom, and no store.

mod alertmanager;
mod connect;
mod http;
mod mail;
mod syslog;
mod text;
mod webhook;

pub(crate) use alertmanager::{Alert, Alertmanager, label_name};
pub(crate) use connect::{Reach, Target};
pub(crate) use http::{Address, exchange};
pub(crate) use mail::{Attachment, Mail, Mailer, Security, is_address};
pub(crate) use syslog::{Record, Syslog, SyslogSeverity};
pub(crate) use webhook::{Webhook, new_secret, secret_bytes};

use std::time::Duration;

/// For one delivery, from the resolver to the answer: shorter than a lease, so that nobody else begins
/// the same meanwhile.
pub(crate) const DELIVERY_MAX: Duration = Duration::from_secs(20);

/// Why something was not delivered. What is said may be the receiver's words: one line, cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undelivered {
    /// The receiver will not take this one, however often it comes.
    #[error("{0}")]
    Refused(String),
    /// It may go later.
    #[error("{0}")]
    Later(String),
}

/// What was done, in order, for a person who tests a channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Steps(pub(crate) Vec<Step>);

/// One of [`Steps`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) said: String,
    pub(crate) is_well: bool,
}

impl Steps {
    fn well(&mut self, name: &'static str, said: impl Into<String>) {
        self.0.push(Step { name, said: said.into(), is_well: true });
    }

    /// Notes what failed.
    pub(crate) fn failed(&mut self, name: &'static str, said: impl Into<String>) {
        self.0.push(Step { name, said: said.into(), is_well: false });
    }

    /// Notes `outcome`, and hands it on.
    fn of<T>(
        &mut self,
        name: &'static str,
        outcome: Result<T, Undelivered>,
        said: impl FnOnce(&T) -> String,
    ) -> Result<T, Undelivered> {
        match &outcome {
            Ok(done) => {
                let said = said(done);
                self.well(name, said);
            }
            Err(err) => self.failed(name, err.to_string()),
        }
        outcome
    }
}

fn later(said: impl Into<String>) -> Undelivered {
    Undelivered::Later(said.into())
}
