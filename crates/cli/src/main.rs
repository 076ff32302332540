//! `bootproof`: see `--help`.

use std::{ffi::OsString, io::Write as _, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};
use cli::{Output, args::Arguments, report_error, run};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(err) if err.kind() == ErrorKind::MissingSubcommand => return help_instead(&err),
        Err(err) => err.exit(),
    };
    let output = Output::new(arguments.json);
    match run(&arguments, &output) {
        Ok(exit) => exit.into(),
        Err(err) => {
            report_error(&err, &output);
            ExitCode::from(2)
        }
    }
}

/// What there is to say, where nothing was said. The parser does so only where no argument has a value, and the
/// environment may give `--context` one.
fn help_instead(err: &clap::Error) -> ExitCode {
    let asked = std::env::args_os().chain([OsString::from("-h")]);
    let help = Arguments::try_parse_from(asked).err();
    let text = help.filter(|help| help.kind() == ErrorKind::DisplayHelp);
    // Where even standard error is gone, there is nobody to tell.
    let _ = write!(std::io::stderr(), "{}", text.as_ref().unwrap_or(err).render());
    ExitCode::from(2)
}
