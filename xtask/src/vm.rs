//! Machines that boot: Secure Boot firmware, TPM registers and a kernel, with the agent in it, and a
//! server that judges what they send.

mod cpio;
pub(crate) mod demo;
mod disk;
mod doctor;
pub(crate) mod document;
mod guest;
mod images;
mod keys;
mod machine;
mod packages;
mod page;
mod play;
mod scenario;
mod seen;
mod table;
mod varstore;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Context as _, ensure};
use document::RECORD;
use images::Workshop;
use packages::{Firmware, Packages};
use play::{Lab, play};
use scenario::Scenario;
use seen::{Record, Seen};

use crate::{docs, install, sh, static_agent};

/// How many machines run at one time: two share the processors of a small machine, and more make
/// each other late.
const AT_ONE_TIME: usize = 2;

/// What to boot.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The scenarios, by name; without one they are listed
    scenarios: Vec<String>,
    /// All of them
    #[arg(long, conflicts_with_all = ["scenarios", "ci"])]
    all: bool,
    /// Those that continuous integration runs
    #[arg(long, conflicts_with = "scenarios")]
    ci: bool,
    /// All of them, with their evidence into testdata/boots and their times into docs/scenarios.md
    #[arg(long, conflicts_with_all = ["scenarios", "ci", "all", "out"])]
    record: bool,
    /// The folder for evidence; otherwise target/vm/evidence
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let by_names = |names: &[&str]| -> anyhow::Result<Vec<_>> {
        names.iter().map(|name| by_name(name)).collect()
    };
    let chosen: Vec<&Scenario> = if arguments.all || arguments.record {
        table::SCENARIOS.iter().collect()
    } else if arguments.ci {
        by_names(table::IN_CI)?
    } else {
        let names: Vec<_> = arguments.scenarios.iter().map(String::as_str).collect();
        by_names(&names)?
    };
    if chosen.is_empty() {
        for scenario in table::SCENARIOS {
            println!("{:24} {}", scenario.name, scenario.about);
        }
        return Ok(());
    }
    let recorded = sh::root().join(RECORD);
    let out = match arguments.record {
        true => recorded.parent().map(Path::to_owned),
        false => arguments.out.clone(),
    };
    play_and_check(&chosen, out, arguments.record.then_some(&recorded))
}

/// Plays all scenarios, and fails where one does not end as it must.
pub(crate) fn run_all() -> anyhow::Result<()> {
    play_and_check(&table::SCENARIOS.iter().collect::<Vec<_>>(), None, None)
}

fn play_and_check(
    chosen: &[&'static Scenario],
    evidence: Option<PathBuf>,
    record: Option<&PathBuf>,
) -> anyhow::Result<()> {
    let lab = prepare(chosen, evidence)?;
    let start = Instant::now();
    let played = play_all(&lab, chosen);
    let failed = played.iter().filter(|(_, result)| result.is_err()).count();
    println!("\n{} scenarios in {} s", played.len(), start.elapsed().as_secs());
    println!("{} passed, {failed} failed", played.len() - failed);
    ensure!(!lab.is_interrupted(), "interrupted");
    ensure!(failed == 0, "{failed} scenarios did not end as they must");
    if let Some(path) = record {
        let seen: Record = played
            .into_iter()
            .filter_map(|(name, seen)| Some((name.to_owned(), seen.ok()?)))
            .collect();
        std::fs::write(path, serde_json::to_string_pretty(&seen)? + "\n")?;
        docs::write()?;
    }
    Ok(())
}

type Played = (&'static str, anyhow::Result<Vec<Seen>>);

/// Plays them, some at a time; told as they end, given in the order in which they were asked for.
fn play_all(lab: &Lab, scenarios: &[&'static Scenario]) -> Vec<Played> {
    let next = AtomicUsize::new(0);
    let ended = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONE_TIME.min(scenarios.len()) {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if lab.is_interrupted() {
                        break;
                    }
                    let result = play(lab, scenario, &|text| println!("{text}"));
                    tell(scenario, &result);
                    let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
                    ended.push((scenario.name, result));
                }
            });
        }
    });
    let mut ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    ended.sort_by_key(|(name, _)| scenarios.iter().position(|scenario| scenario.name == *name));
    ended
}

fn tell(scenario: &Scenario, result: &anyhow::Result<Vec<Seen>>) {
    match result {
        Err(err) => println!("\nFAILED {err:?}"),
        Ok(seen) => {
            println!("passed {}", scenario.name);
            for seen in seen {
                println!("    {seen}");
            }
        }
    }
}

fn by_name(name: &str) -> anyhow::Result<&'static Scenario> {
    table::SCENARIOS
        .iter()
        .find(|scenario| scenario.name == name)
        .with_context(|| format!("there is no scenario {name}: `cargo xtask vm` lists them"))
}

fn prepare(scenarios: &[&Scenario], evidence: Option<PathBuf>) -> anyhow::Result<Lab> {
    install::packages(install::TPM_TOOLS)?;
    install::packages(packages::TOOLS)?;
    if scenarios.iter().any(|scenario| scenario.has_page()) {
        install::packages(install::BROWSER_TOOLS)?;
        install::node_packages("web")?;
    }
    let cargo = &sh::cargo();
    sh::run(cargo, &["build", "--locked", "-p", "server", "-p", "cli"])?;
    let agent = static_agent::build()?;
    let folder = sh::target()?.join("vm");
    // Ctrl-C reaches machines and servers too; the task stays to see them end, and to remove what
    // they leave.
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    ctrlc::set_handler(move || seen.store(true, Ordering::Relaxed))?;
    let packages = Packages::fetch(&folder.join("packages"), scenarios)?;
    let made = folder.join("made");
    let _ = std::fs::remove_dir_all(&made);
    Ok(Lab {
        workshop: Workshop::new(packages, agent, &made)?,
        firmware: Firmware::builds(),
        acceleration: machine::acceleration()?,
        evidence: evidence.unwrap_or_else(|| folder.join("evidence")),
        interrupted,
    })
}
