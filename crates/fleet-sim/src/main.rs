//! `fleet-sim`: a fleet of virtual hosts against a server.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::Context as _;
use clap::Parser;
use client::{ClientError, Context};
use fleet_sim::{Faults, Fleet, Order, Summary};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Virtual hosts that join a server and attest, as fast as it answers
///
/// The server comes to trust a maker of chips that is invented for the run, and keeps the hosts: use one
/// that is made for it.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Exit codes: 0 each host had an answer, 1 some had none, 2 it could not be done.

Examples:
  fleet-sim --context data/admin.toml --hosts 1000 --rounds 3
  fleet-sim --context data/admin.toml --hosts 200 --drift 5 --bad-evidence 1 --reboot --json"
)]
struct Arguments {
    /// The administrator's context file, which the server wrote as admin.toml
    #[arg(long, value_name = "FILE", env = client::CONTEXT_ENV)]
    context: Option<PathBuf>,
    /// How many hosts
    #[arg(long, value_name = "N", default_value_t = 100)]
    hosts: usize,
    /// How often each attests
    #[arg(long, value_name = "N", default_value_t = 1)]
    rounds: usize,
    /// How many do something at one time
    #[arg(long, value_name = "N", default_value_t = 64)]
    at_one_time: usize,
    /// A label of all hosts (may be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = api::inventory::label)]
    label: Vec<(String, String)>,
    /// Bytes that make each event log larger
    #[arg(long, value_name = "N", default_value_t = 0)]
    log_padding: usize,
    /// All hosts boot before each round but the first
    #[arg(long)]
    reboot: bool,
    /// Of a hundred hosts so many boot something else at their second boot
    #[arg(long, value_name = "PERCENT", default_value_t = 0, requires = "reboot",
          value_parser = clap::value_parser!(u32).range(0..=100))]
    drift: u32,
    /// Of a hundred hosts so many send quotes that were changed on their way
    #[arg(long, value_name = "PERCENT", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=100))]
    bad_evidence: u32,
    /// Of a hundred hosts so many fall silent after they joined
    #[arg(long, value_name = "PERCENT", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=100))]
    silent: u32,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done =
        runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(&arguments)));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(err) => {
            let mut stderr = std::io::stderr().lock();
            let _ = writeln!(stderr, "error: {err:#}");
            if let Some(hint) = hint(&err) {
                let _ = writeln!(stderr, "\nhint: {hint}");
            }
            ExitCode::from(2)
        }
    }
}

/// What to do about it. What a server for a real fleet takes of one address is less than a whole fleet at once.
fn hint(err: &anyhow::Error) -> Option<String> {
    let refused = err.chain().find_map(|cause| cause.downcast_ref::<ClientError>())?;
    match refused.code() {
        Some("too-many-joins") => Some(
            "raise joins_per_s in the configuration of this server, which is one for trials"
                .to_owned(),
        ),
        _ => refused.hint(),
    }
}

fn bar(what: &'static str, n: usize) -> ProgressBar {
    let target = match std::io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(u64::try_from(n).ok(), target).with_message(what);
    match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {per_sec} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let context = Context::load(arguments.context.as_deref())
        .context("no context file: the server writes it as admin.toml into its data folder")?;
    let admin = context.client()?;
    let order = Order {
        hosts: arguments.hosts,
        at_one_time: arguments.at_one_time.max(1),
        labels: arguments.label.iter().cloned().collect(),
        log_padding: arguments.log_padding,
        faults: Faults {
            drift: arguments.drift,
            bad_evidence: arguments.bad_evidence,
            silent: arguments.silent,
        },
    };
    let mut stdout = std::io::stdout();
    let begun = Instant::now();
    let joining = bar("joining", order.hosts);
    let mut fleet = Fleet::join(&order, &admin, || joining.inc(1)).await?;
    joining.finish_and_clear();
    let join_seconds = begun.elapsed().as_secs_f64();
    if !arguments.json {
        writeln!(stdout, "{} hosts joined in {join_seconds:.1} s", fleet.n_hosts())?;
    }
    let mut rounds = Vec::new();
    for n in 0..arguments.rounds {
        if n > 0 && arguments.reboot {
            fleet.reboot();
        }
        let attesting = bar("attesting", fleet.n_hosts());
        let round = fleet.attest(|| attesting.inc(1)).await?;
        attesting.finish_and_clear();
        if !arguments.json {
            writeln!(stdout, "round {}: {round}", n + 1)?;
        }
        rounds.push(round);
    }
    let all_answered = rounds.iter().all(|round| round.errors == 0);
    if arguments.json {
        let summary = Summary { hosts: fleet.n_hosts(), join_seconds, rounds };
        writeln!(stdout, "{}", serde_json::to_string_pretty(&summary)?)?;
    }
    Ok(all_answered)
}
