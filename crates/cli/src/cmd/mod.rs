//! The commands, a file per noun.

mod alarm;
mod approval;
mod attested_result;
mod audit;
mod boot_path;
mod certificate;
mod channel;
mod diagnose;
mod doctor;
mod ek_list;
mod eventlog;
mod events;
mod explain;
mod firmware;
mod fleet;
mod generate;
mod host;
mod input;
mod local_time;
mod login;
mod measured;
mod people;
mod policy;
mod policy_version;
mod prompt;
mod quirks;
pub(crate) mod reference;
mod report;
mod response_code;
mod screen;
mod secure_boot;
mod signed;
mod support_bundle;
mod token;
mod tpm;
mod trust;
mod user;
pub(crate) mod verify;
mod watch;

use std::process::ExitCode;

use client::{Client, Context};

use crate::{
    args::{Arguments, Command, Policy, Tpm},
    error::CliError,
    output::Output,
};

/// What a command's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; for a verdict: accepted.
    Done,
    /// Done, and the answer is no: not accepted, not appraised, a log with a fault.
    No,
    /// Nothing speaks against it, and something could not be looked at.
    Unsure,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => Self::SUCCESS,
            Exit::No => Self::from(1),
            Exit::Unsure => Self::from(2),
        }
    }
}

/// Runs a command.
pub fn run(arguments: &Arguments, output: &Output) -> Result<Exit, CliError> {
    let context = arguments.context.as_deref();
    let client = || -> Result<Client, CliError> { Ok(Context::load(context)?.client()?) };
    match &arguments.command {
        Command::Doctor(command) => doctor::run(command, output),
        Command::Firmware(command) => firmware::run(command, output),
        Command::Verify(command) => verify::run(command, output),
        Command::Policy(command) => match &**command {
            Policy::Check(file) => policy::check(file, output),
            Policy::Show(command) => match command.number {
                None => policy::show(output),
                Some(number) => block_on(policy_version::show(number, &client()?, output)),
            },
            Policy::Try(file) => policy::try_file(file, client, output),
            Policy::List => block_on(policy_version::list(&client()?, output)),
            Policy::Put(command) => block_on(policy_version::put(command, &client()?, output)),
            Policy::Diff(command) => block_on(policy_version::diff(command, &client()?, output)),
            Policy::Activate(command) => {
                block_on(policy_version::activate(command, &client()?, output))
            }
        },
        Command::Reference(command) => reference::run(command, client, output),
        Command::Eventlog(command) => eventlog::run(command, output),
        Command::Quirks(command) => quirks::run(command, output),
        Command::Explain(command) => explain::run(command, output),
        Command::Diagnose(command) => diagnose::run(command, output),
        Command::SupportBundle(command) => support_bundle::run(command, context, output),
        Command::Tpm(command) => match &**command {
            Tpm::Rc(command) => response_code::run(command, output),
            Tpm::Info(command) => tpm::info::run(command, output),
            Tpm::Pcrs(command) => tpm::pcrs::run(command, output),
            Tpm::Ek(command) => tpm::ek::run(command, output),
        },
        Command::Completions(command) => generate::completions(command, output),
        Command::Man(command) => generate::man(command, output),
        Command::Host(command) => block_on(host::run(command, &client()?, output)),
        Command::Fleet(command) => block_on(fleet::run(command, &client()?, output)),
        Command::Alarm(command) => block_on(alarm::run(command, &client()?, output)),
        Command::Approval(command) => block_on(approval::run(command, &client()?, output)),
        Command::Certificate(command) => block_on(certificate::run(command, &client()?, output)),
        Command::Channel(command) => block_on(channel::run(command, &client()?, output)),
        Command::Events(command) => block_on(events::run(command, &client()?, output)),
        Command::EkList(command) => block_on(ek_list::run(command, client, output)),
        Command::Audit(command) => block_on(audit::run(command, &client()?, output)),
        Command::Result(command) => block_on(attested_result::run(command, client, output)),
        Command::Report(command) => block_on(report::run(command, client, output)),
        Command::Token(command) => block_on(token::run(command, &client()?, output)),
        Command::ApiToken(command) => block_on(people::api_token(command, &client()?, output)),
        Command::Login(command) => block_on(login::log_in(command, context, output)),
        Command::Logout => block_on(login::log_out(context, output)),
        Command::Setup(command) => block_on(login::set_up(command, context, output)),
        Command::Session(command) => block_on(login::session(command, &client()?, output)),
        Command::User(command) => block_on(user::run(command, &client()?, context, output)),
        Command::Whoami => block_on(people::who_am_i(&client()?, output)),
        Command::Trust(command) => block_on(trust::run(command, &client()?, output)),
    }
}

/// Only commands that speak to a server pay for a runtime.
fn block_on(command: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}
