//! `bootproof support-bundle`: what is in it, what is not, and that `diagnose` reads it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};

use api::{diagnosis::Diagnosis, doctor::Checklist, support::Manifest};
use testkit::bundle;

/// A machine with secrets in each place that is looked at.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap() };
        bundle::journalctl(machine.folder.path()).unwrap();
        let ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        machine.put(
            "context.toml",
            &format!("server = \"https://s:8443\"\nca_pem = \"\"\"\n{ca}\"\"\"\ntoken = \"bpa_hunter2\"\n# hunter2\n"),
        );
        machine.put("root/etc/os-release", "PRETTY_NAME=\"Plain 12\"\n");
        machine.put("root/sys/class/dmi/id/sys_vendor", "Vendor\n");
        machine.put("root/sys/firmware/efi/x", "");
        machine.put("root/sys/kernel/security/tpm0/binary_bios_measurements", "a log\0");
        let bank_off = "2018-05-09T21:30:21.060Z cpu23:1)WARNING: tpmDriver: TpmDriverInitImpl:532: \
                        TPM 2 SHA-256 PCR bank not found to be active.";
        machine.put("vmkernel.log", &[bundle::LINES, &[bank_off]].concat().join("\n"));
        machine
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn run(&self, more: &[&str]) -> Output {
        let path = std::env::var("PATH").unwrap();
        Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .args(["--context", &self.path("context.toml"), "support-bundle"])
            .args(["--root", &self.path("root"), "--log", &self.path("vmkernel.log")])
            .args(more)
            .env("PATH", format!("{}:{path}", self.folder.path().display()))
            .env_remove("BOOTPROOF_TPM")
            .env_remove("BOOTPROOF_EVENT_LOG")
            .output()
            .unwrap()
    }
}

fn manifest(files: &[(String, Vec<u8>)]) -> Manifest {
    serde_json::from_slice(&files.iter().find(|(name, _)| name == "MANIFEST.json").unwrap().1)
        .unwrap()
}

#[test]
fn no_secret_is_in_it_and_the_manifest_says_what_was_removed() {
    let machine = Machine::new();
    let out = machine.path("bundle.tar.gz");
    let done = machine.run(&["--out", &out]);
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let files = bundle::unpack(Path::new(&out)).unwrap();
    let planted = [bundle::ALSO_PLANTED, &[bundle::PLANTED]].concat();
    let planted: Vec<&[u8]> = planted.iter().map(|secret| secret.as_bytes()).collect();
    assert_eq!(bundle::leaks(&files, &planted), Vec::<String>::new());
    let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "MANIFEST.json",
            "config/context.toml",
            "doctor.json",
            "evidence/eventlog.bin",
            "facts.json",
            "logs/bootproof-agent.log",
            "logs/bootproof-server.log",
            "logs/kernel.log",
            "logs/vmkernel.log",
        ]
    );
    let manifest = manifest(&files);
    for kind in bundle::KINDS {
        let of_log = |removed: &&api::support::Removed| removed.file == "logs/vmkernel.log";
        assert!(
            manifest.removed.iter().filter(of_log).any(|removed| removed.what == *kind),
            "{kind}"
        );
    }
    let of_context =
        manifest.removed.iter().filter(|removed| removed.file == "config/context.toml");
    let keys: Vec<_> = of_context.filter_map(|removed| removed.key.as_deref()).collect();
    assert_eq!(keys, ["ca_pem", "token"]);
    let context = String::from_utf8(files[1].1.clone()).unwrap();
    assert!(context.contains("server = \"https://s:8443\"\n"), "{context}");
    // What is no secret is there.
    let log = String::from_utf8(files[8].1.clone()).unwrap();
    assert_eq!(log.lines().count(), bundle::LINES.len() - 2 + 1, "a key's lines are one mark");
    assert!(log.contains("https://root:[removed: password]@bmc.example.org/redfish/v1"), "{log}");
    assert!(log.contains("TPM 2 SHA-256 PCR bank not found to be active."));
    let list: Checklist = serde_json::from_slice(&files[2].1).unwrap();
    assert!(list.checks.len() > 20);
}

#[test]
fn the_manifest_has_each_file_with_its_digest_and_nothing_is_left_beside_it() {
    let machine = Machine::new();
    let out = machine.path("bundle.tar.gz");
    assert!(machine.run(&["--out", &out]).status.success());
    let files = bundle::unpack(Path::new(&out)).unwrap();
    let manifest = manifest(&files);
    assert_eq!((manifest.format, manifest.program.as_str()), (1, "bootproof"));
    assert!(manifest.made_at_ms.is_some() && !manifest.machine.is_empty());
    assert_eq!(manifest.files.len() + 1, files.len());
    for file in &manifest.files {
        let bytes = &files.iter().find(|(name, _)| *name == file.name).unwrap().1;
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        assert_eq!(file.sha256, hex::encode(digest), "{}", file.name);
        assert_eq!(file.n_bytes, bytes.len() as u64);
        assert_eq!(file.verbatim, file.name.starts_with("evidence/"), "{}", file.name);
    }
    let left: Vec<_> = manifest.left_out.iter().map(|left| left.what.as_str()).collect();
    assert_eq!(left, ["evidence/acpi-TPM2.bin"]);
    let mode = fs::metadata(&out).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let parts = fs::read_dir(machine.folder.path()).unwrap();
    let parts = parts
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("part"));
    assert_eq!(parts.count(), 0);
    // Once more: the old one is replaced by a whole one, which is the same but for its time.
    assert!(machine.run(&["--out", &out]).status.success());
    assert_eq!(bundle::unpack(Path::new(&out)).unwrap()[1..], files[1..]);
}

#[test]
fn diagnose_reads_it() {
    let machine = Machine::new();
    let out = machine.path("bundle.tar.gz");
    assert!(machine.run(&["--out", &out]).status.success());
    let done = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["diagnose", "--json", &out])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", String::from_utf8_lossy(&done.stderr));
    let said: Diagnosis = serde_json::from_slice(&done.stdout).unwrap();
    let findings = said.hosts.iter().flat_map(|host| &host.causes);
    let codes: Vec<_> = findings.filter_map(|cause| cause.finding.as_deref()).collect();
    assert_eq!(codes, ["sha256-bank-inactive"]);
}

#[test]
fn what_is_too_long_is_cut_and_what_cannot_be_read_is_told() {
    let machine = Machine::new();
    let line = "x".repeat(1023) + "\n";
    machine.put("long.log", &("old\n".to_owned() + &line.repeat(17 * 1024) + "newest\n"));
    fs::write(machine.path("old.log.1.gz"), [0x1f, 0x8b, 8, 0]).unwrap();
    let out = machine.path("bundle.tar.gz");
    let logs = [
        "--log",
        &machine.path("long.log"),
        "--log",
        &machine.path("old.log.1.gz"),
        "--log",
        "/nonexistent",
    ];
    assert!(machine.run(&[&["--out", &out][..], &logs].concat()).status.success());
    let files = bundle::unpack(Path::new(&out)).unwrap();
    let long = &files.iter().find(|(name, _)| name == "logs/long.log").unwrap().1;
    assert!(long.len() <= 16 << 20 && long.ends_with(b"x\nnewest\n") && !long.starts_with(b"old"));
    let manifest = manifest(&files);
    let why = |what: &str| {
        let left = manifest.left_out.iter().find(|left| left.what.ends_with(what));
        left.unwrap_or_else(|| panic!("{what}")).why.as_str()
    };
    assert!(why("logs/long.log").contains("older lines"));
    assert!(why("old.log.1.gz").contains("unpack it first"));
    assert!(why("/nonexistent").contains("No such file"));
}

#[test]
fn one_that_cannot_be_written_is_an_error_with_a_hint() {
    let machine = Machine::new();
    let done = machine.run(&["--out", "/nonexistent/bundle.tar.gz"]);
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(said.contains("cannot be written") && said.contains("\n\nhint: "), "{said}");
}
