//! `bootproof`: see `--help`.

use std::process::ExitCode;

use clap::Parser as _;
use cli::{Output, args::Arguments, report_error, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.json);
    match run(&arguments, &output) {
        Ok(exit) => exit.into(),
        Err(err) => {
            report_error(&err, &output);
            ExitCode::from(2)
        }
    }
}
