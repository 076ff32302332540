//! `bootproof-agent support-bundle` holds no token of the host and no key of its TPM.

use std::{fs, path::Path, process::Command};

use api::support::Manifest;
use testkit::bundle;

#[test]
fn no_secret_of_the_agent_is_in_its_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    bundle::journalctl(folder.path()).unwrap();
    fs::create_dir(path("state")).unwrap();
    let token = format!("bph_{}", "5a".repeat(32));
    let state = format!(
        "{{\"member\":{{\"server\":\"https://s:8443\",\"ca_pem\":\"pem\",\"credentials\":\
         {{\"host_id\":\"host-1\",\"host_token\":\"{token}\"}}}},\"activating\":null,\
         \"ak\":{{\"public\":\"cHVibGlj\",\"private\":\"aHVudGVyMmh1bnRlcjI=\"}}}}"
    );
    fs::write(path("state/state.json"), state).unwrap();
    fs::write(
        path("settings"),
        "# hunter2\nBOOTPROOF_LOG=info\nBOOTPROOF_JOIN_TOKEN=hunter2\nOTHER=hunter2\n",
    )
    .unwrap();
    fs::write(path("eventlog"), b"a log\0").unwrap();
    fs::write(path("agent.log"), bundle::LINES.join("\n")).unwrap();
    let out = path("bundle.tar.gz");
    let programs = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let done = Command::new(env!("CARGO_BIN_EXE_bootproof-agent"))
        .args(["--state-dir", &path("state"), "--tpm", "none", "--event-log", &path("eventlog")])
        .args(["support-bundle", "--out", &out, "--settings", &path("settings")])
        .args(["--log", &path("agent.log")])
        .env("PATH", programs)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let files = bundle::unpack(Path::new(&out)).unwrap();
    let mut secrets =
        [bundle::ALSO_PLANTED, &[bundle::PLANTED, "5a5a", "aHVudGVyMmh1bnRlcjI"]].concat();
    secrets.sort_unstable();
    let secrets: Vec<&[u8]> = secrets.iter().map(|secret| secret.as_bytes()).collect();
    assert_eq!(bundle::leaks(&files, &secrets), Vec::<String>::new());
    let file = |name: &str| &files.iter().find(|(other, _)| other == name).unwrap().1;
    let facts: serde_json::Value = serde_json::from_slice(file("facts.json")).unwrap();
    assert_eq!(facts["member"]["server"], "https://s:8443");
    assert_eq!(facts["member"]["host_id"], "host-1");
    assert_eq!((&facts["has_attestation_key"], &facts["tpm"]), (&true.into(), &"absent".into()));
    assert_eq!(file("evidence/eventlog.bin"), b"a log\0");
    let settings = String::from_utf8(file("config/settings").clone()).unwrap();
    assert!(settings.contains("BOOTPROOF_LOG = info\n"), "{settings}");
    let manifest: Manifest = serde_json::from_slice(file("MANIFEST.json")).unwrap();
    assert_eq!((manifest.program.as_str(), manifest.made_at_ms), ("bootproof-agent", None));
    let keys: Vec<_> =
        manifest.removed.iter().filter_map(|removed| removed.key.as_deref()).collect();
    assert_eq!(keys, ["BOOTPROOF_JOIN_TOKEN", "OTHER"]);
}
