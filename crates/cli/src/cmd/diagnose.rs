//! `bootproof diagnose`

mod follow;
mod input;
mod read;
mod show;

use std::io::{self, IsTerminal as _};

use diagnose::Matcher;
use indicatif::{ProgressBar, ProgressStyle};

use self::read::Reading;
use super::Exit;
use crate::{args::Diagnose, error::CliError, output::Output};

/// Below it reading takes less than a second, and a bar would only flicker.
const PROGRESS_FROM_BYTES: u64 = 128 * 1024 * 1024;

pub(super) fn run(command: &Diagnose, output: &Output) -> Result<Exit, CliError> {
    let matcher = Matcher::new().map_err(anyhow::Error::from)?;
    if command.follow {
        return follow::run(&command.files, &matcher, output);
    }
    let (inputs, unread) = input::find(&command.files);
    let bar = bar(inputs.iter().map(|input| input.bytes_on_disk).sum());
    let mut reading = Reading::new(&matcher, unread);
    for input in &inputs {
        reading.input(input, &bar);
    }
    bar.finish_and_clear();
    let Reading { diagnosis, mut read, .. } = reading;
    let report = diagnosis.report();
    read.lines_left_out = report.n_lines_left_out;
    read.clocks_set_back = report.clocks_set_back.iter().map(show::clock).collect();
    if report.n_lines_left_out > 0 {
        let lines = show::counted(report.n_lines_left_out, "line was", "lines were");
        let why = format!("{lines} left out, since there are more hosts than can be kept");
        read.unread.push(input::unread("all files", &why));
    }
    if output.is_json() {
        output.json(&show::document(&report, read.clone()))?;
    } else {
        show::in_words(&report, &read, output)?;
    }
    match (report.is_trouble(), read.unread.as_slice()) {
        (true, _) => Ok(Exit::No),
        (false, []) => Ok(Exit::Done),
        // That nothing was found says nothing of what was not read.
        (false, [first, ..]) => Err(CliError::with_hint(
            anyhow::anyhow!(
                "{} not read to the end, the first: {}: {}",
                show::counted(read.unread.len(), "file was", "files were"),
                first.file,
                first.why
            ),
            "nothing was found in the rest; run it as a user who may read the logs, and copy what is cut again",
        )),
    }
}

fn bar(bytes: u64) -> ProgressBar {
    if bytes < PROGRESS_FROM_BYTES || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes);
    let style =
        ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left: {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
