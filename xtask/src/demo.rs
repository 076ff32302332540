//! The demo: a server and four hosts, each with a TPM of its own, and the story of the host that
//! joined before it had one.

pub(crate) mod fleet;

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use fleet::Fleet;
use testkit::log::BootLog;
use tpm_wire::TpmAlgId;

use crate::{install, sh};

/// How long a step of the demo may take: making keys in a software TPM on a busy machine.
const STEP_TIME_MAX: Duration = Duration::from_secs(120);

/// What the table must show at the end, and so whether the demo was one.
const EXPECTED: &[(&str, &str, Option<&str>)] = &[
    ("db-1", "not accepted", Some("sha256-bank-inactive")),
    ("db-2", "accepted", None),
    ("web-1", "accepted", None),
    ("web-2", "not accepted", Some("secure-boot-off")),
];

pub(crate) fn run(once: bool) -> anyhow::Result<()> {
    install::packages(install::TPM_TOOLS)?;
    let cargo = &sh::cargo();
    // As the tests build them, which so have half of their work done: what it shows takes seconds
    // either way, and a release takes minutes more to link.
    sh::run(cargo, &["build", "--locked", "-p", "server", "-p", "agent", "-p", "cli"])?;
    // Ctrl-C reaches the server and the TPMs too; the demo itself stays to see them end, and to
    // remove what they leave.
    ctrlc::set_handler(|| {})?;
    let start = Instant::now();
    let steps = indicatif::ProgressBar::new(7)
        .with_style(indicatif::ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}")?);
    let step = |text: &str| {
        steps.set_message(text.to_owned());
        steps.inc(1);
        // Without a terminal the bar draws nothing, and a log wants the line.
        if steps.is_hidden() {
            println!("{}/7 {text}", steps.position());
        }
    };

    step("starting a server on SQLite");
    let mut fleet = Fleet::start()?;
    step("making four TPMs, and booting each");
    fleet.add("web-1", "sha256", &BootLog::sound())?;
    fleet.add("web-2", "sha256", &BootLog::sound().secure_boot_off())?;
    fleet.add("db-1", "sha1", &BootLog::sound().banks(&[TpmAlgId::SHA1]))?;
    fleet.add("db-2", "sha256", &BootLog::sound())?;
    step("trusting the authority of these TPMs");
    fleet.trust()?;
    step("joining them; db-2 has its TPM still switched off");
    fleet.switch_off("db-2")?;
    fleet.join(&["web-1", "web-2", "db-1", "db-2"])?;
    fleet.wait_for("db-2", "not appraised", Some("no-tpm"), STEP_TIME_MAX)?;
    for (host, verdict, code) in EXPECTED.iter().filter(|(host, ..)| *host != "db-2") {
        fleet.wait_for(host, verdict, *code, STEP_TIME_MAX)?;
    }
    step("switching the TPM of db-2 on");
    fleet.switch_on("db-2", &BootLog::sound())?;
    fleet.wait_for("db-2", "not accepted", Some("no-identity-key"), STEP_TIME_MAX)?;
    steps.suspend(|| -> anyhow::Result<()> {
        println!("\n$ bootproof host list");
        fleet.site.show(&["host", "list"])?;
        println!(
            "\ndb-2 joined before it had a TPM, so no identity key of it is stored. The next step\n\
             says what to do:"
        );
        for verb in ["disconnect", "reconnect"] {
            println!("\n$ bootproof host {verb} db-2");
            fleet.site.show(&["host", verb, "db-2"])?;
        }
        Ok(())
    })?;
    step("reconnecting db-2");
    fleet.wait_for("db-2", "accepted", None, STEP_TIME_MAX)?;
    step("done");
    steps.finish_and_clear();

    println!("\n$ bootproof host list");
    fleet.site.show(&["host", "list"])?;
    println!("\nThe same, in the server's log:");
    fleet.show_story("db-2")?;
    let (accepted, all) = check(&fleet)?;
    println!(
        "\n{accepted} of {all} hosts accepted, as they should be; {} s",
        start.elapsed().as_secs()
    );
    if once {
        return Ok(());
    }
    println!("\nThe server runs at {}. In another terminal:", fleet.site.address());
    println!("\n  export BOOTPROOF_CONTEXT={}", fleet.site.context().display());
    println!("  {} host show web-2", fleet.site.program("bootproof").display());
    println!("\nCtrl-C ends all of it, and removes it.");
    fleet.site.wait_for_interrupt()
}

fn check(fleet: &Fleet) -> anyhow::Result<(usize, usize)> {
    let hosts = fleet.site.hosts()?;
    ensure!(hosts.len() == EXPECTED.len(), "{} hosts are there", hosts.len());
    let mut accepted = 0;
    for (name, verdict, code) in EXPECTED {
        let host = hosts.iter().find(|host| host.name == *name).context("a host is missing")?;
        accepted += usize::from(host.verdict == "accepted");
        if host.verdict != *verdict || !host.has(*code) {
            bail!("{name} is {} with {:?}, not {verdict}", host.verdict, host.codes);
        }
    }
    Ok((accepted, hosts.len()))
}
