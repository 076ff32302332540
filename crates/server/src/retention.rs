//! `bootproof-server retention`: what of the history would go.

use std::{
    io::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::Args;
use serde::Serialize;
use server::{app::thinning, config::Config, database};
use store::HostId;

/// Hosts that are looked at in one go.
const HOSTS: u32 = 200;

/// `bootproof-server retention`
#[derive(Args)]
pub(crate) struct Retention {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// What there is, and what would go.
#[derive(Serialize)]
struct Report {
    history_all_days: u32,
    history_thinned_days: u32,
    judgements: u64,
    would_go: u64,
}

pub(crate) fn run(command: &Retention, config: &Config) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(look(config))?;
    let mut stdout = std::io::stdout().lock();
    if command.json {
        serde_json::to_writer_pretty(&mut stdout, &report)?;
        writeln!(stdout)?;
        return Ok(());
    }
    let days = |days: u32| match days {
        0 => "for ever".to_owned(),
        days => format!("for {days} days"),
    };
    writeln!(stdout, "all judgements stay {}", days(report.history_all_days))?;
    writeln!(
        stdout,
        "one a day and each change of the verdict stay {}",
        days(report.history_thinned_days)
    )?;
    writeln!(
        stdout,
        "of {} judgements {} would go now; the server does it once a day",
        report.judgements, report.would_go
    )?;
    Ok(())
}

async fn look(config: &Config) -> anyhow::Result<Report> {
    let store = database::open_to_look(config).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let rule = thinning(config, i64::try_from(now.as_millis())?);
    let mut report = Report {
        history_all_days: config.history_all_days,
        history_thinned_days: config.history_thinned_days,
        judgements: 0,
        would_go: 0,
    };
    let none = thinning(&Config { history_all_days: 36_500, ..config.clone() }, 0);
    let Some(rule) = rule.or(none) else { return Ok(report) };
    let mut after: Option<HostId> = None;
    loop {
        let seen = store.thinning_preview(rule, after, HOSTS).await?;
        report.judgements = report.judgements.saturating_add(seen.n_appraisals);
        report.would_go = report.would_go.saturating_add(seen.n_go);
        match seen.next {
            Some(next) => after = Some(next),
            None => return Ok(report),
        }
    }
}
