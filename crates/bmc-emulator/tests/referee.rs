//! sushy, OpenStack's client of Redfish, as a referee: unmodified, it finds in the emulated machines
//! what it expects of real ones.

use std::process::Command;

use bmc_emulator::{PASSWORD, Rack, Tree, USER};

/// A Python that has sushy (`pip install sushy`), for those who want the referee.
const PYTHON_ENV: &str = "BOOTPROOF_SUSHY_PYTHON";

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn sushy_sets_resets_and_turns_secure_boot_on() {
    let Some(python) = std::env::var_os(PYTHON_ENV) else {
        eprintln!("skipped: {PYTHON_ENV} is not set");
        return;
    };
    let rack = Rack::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, rack.ca_pem()).unwrap();
    // Not Lenovo's: sushy gives up its If-Match there.
    for (tree, attribute, value, reset) in [
        ("dell", "TpmSecurity", "On", "GracefulRestart"),
        ("hpe", "TpmActivePcrs", "Sha256", "GracefulRestart"),
        ("supermicro", "SHA256PCRBank_0065", "Enabled", "ForceRestart"),
    ] {
        let bmc = rack.plug_tree(Tree::small(tree).unwrap()).unwrap();
        let output = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/referee.py"))
            .arg(bmc.url())
            .arg(&ca)
            .args([USER, PASSWORD, attribute, value, reset])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{tree}: {said}");
        assert_eq!(bmc.machine().boots(), 2, "{tree}");
    }
}
