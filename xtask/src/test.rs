//! All tests and checks.

use std::time::Instant;

use crate::{install, sh, tidy};

/// The versions that the project is checked with.
const NEXTEST: &str = "0.9.143";
const DENY: &str = "0.20.2";

pub(crate) fn run() -> anyhow::Result<()> {
    let start = Instant::now();
    install::packages(install::TPM_TOOLS)?;
    install::packages(install::IMAGE_TOOLS)?;
    install::packages(install::PACKAGING_TOOLS)?;
    install::packages(install::LOG_TOOLS)?;
    install::packages(install::BACKUP_TOOLS)?;
    install::packages(install::CLOCK_TOOLS)?;
    install::packages(install::RECEIVERS)?;
    install::packages(install::DOCUMENT_TOOLS)?;
    install::packages(install::OPERATION_TOOLS)?;
    install::promtool()?;
    install::packages(install::BROWSER_TOOLS)?;
    install::node_packages("web")?;
    install::node_packages("web/provider")?;
    install::node_packages("referees")?;
    install::postgresql()?;
    install::python_tools("schemathesis")?;
    install::python_tools("otlp")?;
    install::cargo_tool("cargo-nextest", NEXTEST)?;
    install::cargo_tool("cargo-deny", DENY)?;
    let cargo = &sh::cargo();
    sh::run(cargo, &["fmt", "--all", "--check"])?;
    tidy::run()?;
    // Licences, sources and bans need no network; advisories do, and are checked where there is one.
    sh::run(cargo, &["deny", "--offline", "check", "bans", "licenses", "sources"])?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    sh::run(cargo, &clippy)?;
    if std::env::var_os("BOOTPROOF_CORPUS").is_none() {
        println!("\nBOOTPROOF_CORPUS is not set: tests on recorded evidence say that they skip");
    }
    sh::run(cargo, &["test", "--workspace", "--doc", "--locked", "--quiet"])?;
    sh::run(cargo, &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"])?;
    println!("\nall tests and checks passed in {} s", start.elapsed().as_secs());
    Ok(())
}

/// Pictures of all pages: those that the test of all pages looks at.
pub(crate) fn screenshots(folder: &std::path::Path) -> anyhow::Result<()> {
    install::packages(install::TPM_TOOLS)?;
    install::packages(install::BROWSER_TOOLS)?;
    install::node_packages("web")?;
    install::cargo_tool("cargo-nextest", NEXTEST)?;
    std::fs::create_dir_all(folder)?;
    let folder = folder.canonicalize()?;
    let mut command = std::process::Command::new(sh::cargo());
    let test = "test(each_page_is_for_everybody)";
    command.args(["nextest", "run", "--locked", "-p", "server", "-E", test]);
    sh::finish(
        "cargo nextest",
        command.env("BOOTPROOF_WEB_SHOTS", &folder).current_dir(sh::root()),
    )?;
    println!("pictures of all pages: {}", folder.display());
    Ok(())
}
