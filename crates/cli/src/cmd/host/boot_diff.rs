//! `bootproof host diff`: two boots of a host beside each other.

use api::boot_diff::{BootDiffQuery, ComparedBoot};
use client::Client;

use super::find;
use crate::{
    args::HostDiff,
    cmd::{Exit, local_time::time},
    error::CliError,
    output::{Output, Tone, plain},
};

pub(super) async fn run(
    command: &HostDiff,
    client: &Client,
    output: &Output,
) -> Result<Exit, CliError> {
    let host = find(&command.host.host, client).await?;
    let query = BootDiffQuery { from: command.from, to: command.to };
    let diff = client.diff_boots(&host.id, &query).await?;
    let exit = if diff.changes.is_empty() { Exit::Done } else { Exit::No };
    if output.is_json() {
        output.json(&diff)?;
        return Ok(exit);
    }
    let boot = |boot: &ComparedBoot| {
        let resets = boot.reset_count.map_or_else(String::new, |n| format!(", TPM reset {n}"));
        format!("judgement {} of {}: {}{resets}", boot.id, time(Some(boot.at_ms)), boot.verdict)
    };
    output.line(&format!("before: {}", boot(&diff.from)))?;
    output.line(&format!("after:  {}", boot(&diff.to)))?;
    output.line("")?;
    if diff.changes.is_empty() {
        output.line(&output.paint(Tone::Good, "nothing that is measured is different"))?;
    }
    for change in &diff.changes {
        let event = change.event.map_or_else(String::new, |event| format!(", event {event}"));
        output.line(&format!("PCR {}{event}: {}", change.pcrs, plain(&change.words)))?;
    }
    if diff.n_more > 0 {
        output.line(&format!("and {} more", diff.n_more))?;
    }
    Ok(exit)
}
