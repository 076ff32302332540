//! `server-bench`: see `--help`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark talks to a person")]

mod outcome;
mod scene;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use outcome::{Figure, Figures};
use scene::{SCENES, Scene};
use server_bench::serve::Programs;

/// What an attestation costs the server, beside a program that does only what cannot be left out
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Run it by `cargo xtask bench server`, which builds the programs.

Exit codes: 0 all bars hold, 1 one is missed, 2 it could not be measured."
)]
struct Arguments {
    /// bootproof-server
    #[arg(long, value_name = "FILE")]
    server: PathBuf,
    /// server-limit
    #[arg(long, value_name = "FILE")]
    limit: PathBuf,
    /// The folder for databases, on a disk
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    folder: PathBuf,
    /// Only this (may be repeated); without one all
    #[arg(long, value_name = "NAME", value_parser = scene::by_name)]
    only: Vec<&'static Scene>,
    /// Seconds of each turn
    #[arg(long, value_name = "N", default_value_t = 3.0)]
    seconds: f64,
    /// Turns of each that is compared
    #[arg(long, value_name = "N", default_value_t = 5)]
    turns: usize,
    /// Hosts, where their number is not what is measured
    #[arg(long, value_name = "N", default_value_t = 6_000)]
    hosts: usize,
    /// Hosts of the large fleet of the scene `fleet`
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    enrolled: usize,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// What scenes need.
struct Bench {
    programs: Programs,
    turn: Duration,
    turns: usize,
    hosts: usize,
    enrolled: usize,
    figures: Figures,
}

impl Bench {
    /// Progress of `n` things.
    fn progress(&self, what: &'static str, n: usize) -> ProgressBar {
        let bar =
            ProgressBar::with_draw_target(u64::try_from(n).ok(), ProgressDrawTarget::stderr());
        match ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
            Ok(style) => bar.with_style(style).with_message(what),
            Err(_) => bar,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let json = arguments.json;
    let done =
        runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(run(arguments)));
    match done {
        Ok(figures) => {
            tell(&figures, json);
            ExitCode::from(u8::from(!figures.iter().all(Figure::holds)))
        }
        Err(err) => {
            eprintln!("error: {err:#}");
            ExitCode::from(2)
        }
    }
}

fn tell(figures: &[Figure], json: bool) {
    if json {
        println!("{}", serde_json::to_string_pretty(figures).unwrap_or_default());
        return;
    }
    for figure in figures {
        println!("{figure}");
    }
    let n_missed = figures.iter().filter(|figure| !figure.holds()).count();
    let n_bars = figures.iter().filter(|figure| !matches!(figure.bar, outcome::Bar::None)).count();
    println!("{} of {n_bars} bars hold", n_bars - n_missed);
}

async fn run(arguments: Arguments) -> anyhow::Result<Vec<Figure>> {
    let mut bench = Bench {
        programs: Programs {
            server: arguments.server,
            limit: arguments.limit,
            folder: std::path::absolute(arguments.folder)?,
        },
        turn: Duration::from_secs_f64(arguments.seconds),
        turns: arguments.turns.max(1),
        hosts: arguments.hosts.max(1),
        enrolled: arguments.enrolled,
        figures: Figures::default(),
    };
    let chosen: Vec<&Scene> = match arguments.only.is_empty() {
        true => SCENES.iter().collect(),
        false => arguments.only,
    };
    for (n, scene) in chosen.iter().enumerate() {
        eprintln!("\n[{}/{}] {}: {}", n + 1, chosen.len(), scene.name, scene.about);
        (scene.play)(&mut bench).await?;
    }
    Ok(bench.figures.0)
}
