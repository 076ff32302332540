//! The agent as one static program: for hosts of any distribution, and for an initramfs.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use testkit::log::BootLog;

use crate::{
    demo::fleet::Fleet,
    install, sh,
    static_program::{self, StaticProgram},
};

const AGENT: StaticProgram =
    StaticProgram { package: "agent", name: "bootproof-agent", profile: "dist" };

/// The largest that the program may be: it goes into an initramfs, which firmware reads.
const BYTES_MAX: u64 = 8 * 1024 * 1024;

/// The most that it may have in memory: it runs on each host of a fleet, beside what that is for.
const RESIDENT_BYTES_MAX: u64 = 12 * 1024 * 1024;

/// The most that the agent's own time may be of the TPM's. A TPM that is a program answers at once; a chip
/// takes some hundred times as long.
const RATIO_MAX: f64 = 0.1;

/// A log with the area that firmware of large servers hands over.
const LOG_BYTES: usize = 200 * 1024;

/// Attestations before it is measured: what grows with each would show.
const N_ATTESTATIONS: u32 = 20;

/// How long a step may take on a busy machine.
const STEP_TIME_MAX: Duration = Duration::from_secs(120);

/// Builds the agent and gives its path. An error where it is larger than 8 MiB, or not static.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let program = static_program::build(&AGENT)?;
    let size = size(&program)?;
    ensure!(
        size <= BYTES_MAX,
        "{} has {size} bytes, {} too many: see what it links with `cargo tree -p agent -e features`",
        program.display(),
        size - BYTES_MAX
    );
    Ok(program)
}

/// What `cargo xtask agent` is to do beside building it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing more.
    SizeOnly,
    /// See that it joins and attests, and how much memory it has then.
    Running,
}

/// Builds the agent, prints its path and size, and checks what `check` says.
pub(crate) fn run(check: Check) -> anyhow::Result<()> {
    let program = build()?;
    let size = size(&program)?;
    println!("\n{}", program.display());
    println!("{size} bytes, {:.0} % of those it may have", 100.0 * ratio(size, BYTES_MAX));
    match check {
        Check::SizeOnly => Ok(()),
        Check::Running => running(program),
    }
}

/// Lets the program join a real server and attest a software TPM, and measures it.
fn running(program: PathBuf) -> anyhow::Result<()> {
    install::packages(install::TPM_TOOLS)?;
    sh::run(&sh::cargo(), &["build", "--locked", "-p", "server", "-p", "cli"])?;
    let mut fleet = Fleet::start_with(program)?;
    fleet.add("small", "sha256", &BootLog::sound().padding(0, LOG_BYTES))?;
    fleet.trust()?;
    fleet.join(&["small"])?;
    fleet.wait_for("small", "accepted", None, STEP_TIME_MAX)?;
    for _ in 0..N_ATTESTATIONS {
        fleet.attest("small")?;
    }
    let resident = fleet.agent_bytes_max("small")?;
    println!(
        "\nafter {N_ATTESTATIONS} attestations: {} KiB resident at most, {:.0} % of those it may have",
        resident / 1024,
        100.0 * ratio(resident, RESIDENT_BYTES_MAX)
    );
    ensure!(resident <= RESIDENT_BYTES_MAX, "the agent had {resident} bytes in memory");
    let mut took = fleet.took("small")?;
    took.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let median = took.get(took.len() / 2).context("the agent tells of no attestation")?;
    let holds = if median.ratio() <= RATIO_MAX { "holds" } else { "MISSED" };
    println!(
        "half of them took the agent no more than {:.0} % of the TPM's time: {:.2} ms beside {:.2} ms; bar {:.0} %, {holds}",
        100.0 * median.ratio(),
        median.own_ms,
        median.tpm_ms,
        100.0 * RATIO_MAX
    );
    Ok(())
}

fn size(program: &Path) -> anyhow::Result<u64> {
    let metadata = std::fs::metadata(program);
    Ok(metadata.with_context(|| format!("{} is not there", program.display()))?.len())
}

fn ratio(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes of programs are far below 2^52")]
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}
