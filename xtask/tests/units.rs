//! The systemd units: how much they leave open, and when the agent's starts.

use std::{path::PathBuf, process::Command};

/// Tenths of the exposure that a unit may have, 0 to 100.
const EXPOSURE_MAX: &str = "20";

fn unit(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging")).join(name)
}

/// The last line of systemd's own judgement, and whether it is at most [`EXPOSURE_MAX`].
fn judged(unit: &std::path::Path) -> (String, bool) {
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--threshold", EXPOSURE_MAX])
        .arg(unit)
        .output()
        .expect("systemd-analyze cannot be run: apt-get install systemd");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = said.lines().last().unwrap_or_default().to_owned();
    let told = last.contains("Overall exposure level");
    assert!(told, "{said}{}", String::from_utf8_lossy(&output.stderr));
    (last, output.status.success())
}

#[test]
fn systemd_finds_the_units_hardened() {
    for name in ["bootproof-agent.service", "bootproof-server.service"] {
        let (said, hardened) = judged(&unit(name));
        assert!(hardened, "{said}");
    }
}

#[test]
fn a_unit_that_is_not_hardened_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(unit("bootproof-agent.service")).unwrap();
    let open = folder.path().join("open.service");
    std::fs::write(&open, text.replace("NoNewPrivileges=yes\n", "")).unwrap();
    let (said, hardened) = judged(&open);
    assert!(!hardened, "{said}");
}

#[test]
fn the_agent_starts_before_the_network() {
    let text = std::fs::read_to_string(unit("bootproof-agent.service")).unwrap();
    let directives = || text.lines().filter(|line| !line.starts_with('#'));
    assert!(!directives().any(|line| line.contains("network")), "{text}");
    // The nodes of a TPM may come later than the unit: what names them must not need them.
    for line in directives().filter(|line| line.starts_with("DeviceAllow=")) {
        let by_name = line.starts_with("DeviceAllow=/dev/") && !line.contains("/dev/char/");
        assert!(!by_name, "{line}");
    }
}
