//! `bootproof doctor` on hosts of which each lacks one thing: it names that one first.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use api::doctor::{Check, Checklist};
use testkit::{
    boot::boot,
    log::{BootLog, BuiltLog, Extend},
    machine::dynamic_launch,
    swtpm::{Ca, Swtpm},
};
use tpm_wire::{Digest, TpmAlgId};

const EFIVARS: &str = "sys/firmware/efi/efivars";
const GLOBAL: &str = "8be4df61-93ca-11d2-aa0d-00e098032b8c";
const LOG: &str = "sys/kernel/security/tpm0/binary_bios_measurements";
const TABLE: &str = "sys/firmware/acpi/tables/TPM2";
const TPM: &str = "sys/class/tpm/tpm0";

/// A host: its TPM, and the folders of its kernel.
struct Host {
    ca: Ca,
    tpm: Swtpm,
    root: tempfile::TempDir,
}

/// The log of a machine that booted, with what it extended into these banks.
fn recorded_log(bytes: &[u8], banks: &[TpmAlgId]) -> BuiltLog {
    let parsed = event_log::parse(bytes);
    let extended = parsed.log.events().iter().filter(|event| event.is_extended());
    let extends = extended.map(|event| {
        let digests = event.digests.iter().filter(|(alg, _)| banks.contains(alg));
        let digests = digests.map(|(alg, digest)| (alg, Digest::new(digest).unwrap())).collect();
        Extend { pcr_index: event.pcr_index, digests }
    });
    let extends = extends.collect();
    BuiltLog { bytes: bytes.to_vec(), locality: 0, extends, pcrs: Vec::new() }
}

/// A machine of `testdata/boots`, as it would look at itself: its log, its kernel's word, and a TPM
/// that was extended as its own was.
fn recorded(name: &str) -> Host {
    let boots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/boots");
    let folder = cli::evidence_dir::read(&boots.join(name)).unwrap();
    let banks = folder.active_banks.unwrap();
    let log = recorded_log(folder.event_log.as_deref().unwrap_or_default(), &banks);
    let names: Vec<_> = banks.iter().map(|bank| bank.hash_name().unwrap()).collect();
    let host = Host::booted(&names.join(","), &log, FIFO);
    if folder.event_log.is_none() {
        fs::remove_file(host.at(LOG)).unwrap();
    }
    host.put(TABLE, &folder.acpi_tpm2.unwrap());
    match folder.machine.unwrap().platform.secure_boot {
        Some(on) => host.variable("SecureBoot", on.into()),
        None => fs::remove_file(host.at(&format!("{EFIVARS}/SecureBoot-{GLOBAL}"))).unwrap(),
    }
    host
}

#[test]
fn machines_that_booted_are_told_their_first_cause() {
    for (name, exit, expected) in [
        ("sound-own-keys", 0, ("dbx", "warn", "dbx-outdated")),
        ("sound-microsoft", 0, ("microsoft-authorities", "warn", "ca-2011-only")),
        ("sha256-sha384", 0, ("dbx", "warn", "dbx-outdated")),
        ("crb", 0, ("interface", "warn", "interface-not-fifo")),
        ("sha1-only", 1, ("sha256-bank", "fail", "sha256-bank-inactive")),
        ("secure-boot-off", 1, ("secure-boot", "fail", "secure-boot-off")),
        ("setup-mode", 1, ("secure-boot", "fail", "setup-mode")),
    ] {
        let (code, list) = recorded(name).look();
        assert_eq!((code, first(&list)), (exit, expected), "{name}: {list:#?}");
        if exit == 0 {
            // Where no shim started nobody measures a level of SBAT, and none is needed.
            assert!(of_state(&list, "unknown").is_empty(), "{name}: {list:#?}");
        }
    }
    // GRUB loses the log where Secure Boot is off, which is then to be mended first.
    let host = recorded("secure-boot-off-grub");
    host.variable("SecureBoot", 0);
    let list = host.look().1;
    assert_eq!(first(&list).2, "secure-boot-off");
    assert!(check(&list, "event-log").after_first_failure);
    assert_eq!(state(&list, "event-log"), "fail");
}

impl Host {
    /// One that booted `log`, with a kernel that shows it, and with this interface of the TPM.
    fn booted(banks: &str, log: &BuiltLog, start_method: u8) -> Self {
        let ca = Ca::new().unwrap();
        let tpm = Swtpm::builder().banks(banks).ek_cert(&ca).start().unwrap();
        boot(&tpm, log).unwrap();
        let host = Self { ca, tpm, root: tempfile::tempdir().unwrap() };
        host.put(LOG, &log.bytes);
        let mut table = vec![0; 76];
        table[..4].copy_from_slice(b"TPM2");
        table[48] = start_method;
        host.put(TABLE, &table);
        host.variable("SecureBoot", 1);
        host.variable("SetupMode", 0);
        host.put(&format!("{TPM}/tpm_version_major"), b"2\n");
        let authorities = host.ca.root_pem().unwrap() + &host.ca.issuer_pem().unwrap();
        host.put("ek-roots.pem", authorities.as_bytes());
        host
    }

    fn sound() -> Self {
        Self::booted("sha256", &sound(), FIFO)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn variable(&self, name: &str, value: u8) {
        self.put(&format!("{EFIVARS}/{name}-{GLOBAL}"), &[6, 0, 0, 0, value]);
    }

    /// Looks with the roots of its TPM's maker.
    fn look(&self) -> (i32, Checklist) {
        self.look_with(&[])
    }

    fn look_with(&self, more: &[&str]) -> (i32, Checklist) {
        let (roots, tpm) = (self.at("ek-roots.pem"), self.tpm.address());
        doctor(self.root.path(), &[&["--tpm", &tpm, "--ek-root", text(&roots)], more].concat())
    }

    /// Looks at the copy of its files, without its TPM.
    fn look_at_copy(&self) -> (i32, Checklist) {
        doctor(self.root.path(), &[])
    }
}

const FIFO: u8 = 6;
const CRB: u8 = 7;

fn sound() -> BuiltLog {
    BootLog::sound().banks(&[TpmAlgId::SHA256]).build()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn doctor(root: &Path, arguments: &[&str]) -> (i32, Checklist) {
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["doctor", "--json", "--root", text(root)])
        .args(arguments)
        .env_remove("BOOTPROOF_TPM")
        .env_remove("BOOTPROOF_EVENT_LOG")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let read = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), read.unwrap_or_else(|err| panic!("{err}: {stderr}")))
}

fn first(list: &Checklist) -> (&str, &str, &str) {
    let first = list.first.as_ref().unwrap_or_else(|| panic!("{list:#?}"));
    (&first.check, &first.reason.state, &first.reason.code)
}

fn check<'l>(list: &'l Checklist, name: &str) -> &'l Check {
    list.checks.iter().find(|check| check.check == name).unwrap()
}

fn state<'l>(list: &'l Checklist, name: &str) -> &'l str {
    &check(list, name).state
}

/// All checks of which this holds.
fn of_state<'l>(list: &'l Checklist, state: &str) -> Vec<&'l str> {
    let checks = list.checks.iter().filter(|check| check.state == state);
    checks.map(|check| check.check.as_str()).collect()
}

#[test]
fn a_sound_host_passes_and_nothing_is_left_in_its_tpm() {
    let host = Host::sound();
    let before = [handles(&host.tpm, 0x80), handles(&host.tpm, 0x81)];
    let (exit, list) = host.look();
    assert_eq!(of_state(&list, "pass").len(), list.checks.len(), "{list:#?}");
    assert_eq!((exit, list.outcome.as_str(), &list.first), (0, "sound", &None));
    assert_eq!([handles(&host.tpm, 0x80), handles(&host.tpm, 0x81)], before);
    // The same host says the same: only what the TPM signs anew differs, and that is not shown.
    assert_eq!(host.look(), (exit, list));
}

/// How many handles of this kind the TPM holds: TPM2_GetCapability(TPM_CAP_HANDLES).
fn handles(tpm: &Swtpm, kind: u8) -> u8 {
    let ask = [0x80, 1, 0, 0, 0, 22, 0, 0, 1, 0x7a, 0, 0, 0, 1, kind, 0, 0, 0, 0, 0, 0, 32];
    let answer = tpm.client().unwrap().transmit(&ask).unwrap();
    assert_eq!(answer[6..10], [0; 4]);
    answer[18]
}

#[test]
fn names_of_checks_and_their_order_are_stable() {
    let list = Host::sound().look_at_copy().1;
    let names: Vec<_> = list.checks.iter().map(|check| check.check.as_str()).collect();
    assert_eq!(
        names,
        [
            "uefi",
            "secure-boot",
            "tpm",
            "sha256-bank",
            "sha256-extended",
            "interface",
            "dynamic-launch",
            "quote",
            "event-log",
            "event-log-complete",
            "secure-boot-proved",
            "ek-certificate",
            "ek-chain",
            "tpm-lockout",
            "tpm-firmware",
            "tpm-keys",
            "platform-key",
            "microsoft-authorities",
            "dbx",
            "sbat",
            "clock",
            "other"
        ]
    );
}

#[test]
fn what_programs_read_keeps_its_shape() {
    let host = Host::sound();
    host.variable("SecureBoot", 0);
    let list = serde_json::to_value(host.look_at_copy().1).unwrap();
    let expected = serde_json::json!({
        "check": "secure-boot",
        "code": "secure-boot-off",
        "state": "fail",
        "cause": "Secure Boot is off: so the firmware's variable says",
        "next_step": findings::Code::SecureBootOff.entry().next_step,
    });
    assert_eq!((&list["outcome"], &list["first"]), (&"failed".into(), &expected));
    let expected = serde_json::json!({
        "check": "uefi",
        "title": "The firmware boots by UEFI",
        "state": "pass",
        "seen": "the kernel was started by UEFI firmware",
        "reasons": [],
        "after_first_failure": false,
    });
    assert_eq!(list["checks"][0], expected);
    let unknown = serde_json::json!({
        "check": "tpm",
        "title": "A TPM 2.0 is there and answers",
        "state": "unknown",
        "seen": null,
        "reasons": [{
            "code": "not-checked",
            "state": "unknown",
            "cause": "No TPM was asked",
            "next_step": "Run this on the host itself, or name its TPM with `--tpm`.",
        }],
        "after_first_failure": true,
    });
    assert_eq!(list["checks"][2], unknown);
}

#[test]
fn without_roots_the_chain_is_unknown_and_so_the_host_is_not_done() {
    let host = Host::sound();
    let (exit, list) = doctor(host.root.path(), &["--tpm", &host.tpm.address()]);
    assert_eq!(of_state(&list, "unknown"), ["ek-chain"]);
    assert_eq!((exit, list.outcome.as_str(), &list.first), (2, "unsure", &None));
    // Another maker's root is an answer.
    let other = Ca::new().unwrap();
    host.put("ek-roots.pem", other.root_pem().unwrap().as_bytes());
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("ek-chain", "fail", "ek-cert-untrusted")));
}

#[test]
fn secure_boot_that_is_off_comes_first() {
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).secure_boot_off().build();
    let host = Host::booted("sha256", &log, FIFO);
    host.variable("SecureBoot", 0);
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("secure-boot", "fail", "secure-boot-off")));
    assert_eq!(state(&list, "event-log-complete"), "pass");
    // What the running system says is not what PCR 7 proves.
    host.variable("SecureBoot", 1);
    assert_eq!(first(&host.look().1), ("secure-boot", "fail", "secure-boot-off"));
}

#[test]
fn a_firmware_in_setup_mode_has_no_secure_boot() {
    let host = Host::sound();
    host.variable("SetupMode", 1);
    let (exit, list) = host.look_at_copy();
    assert_eq!((exit, first(&list)), (1, ("secure-boot", "fail", "setup-mode")));
}

#[test]
fn a_tpm_with_sha1_only_comes_first() {
    let log = BootLog::sound().banks(&[TpmAlgId::SHA1]).build();
    let host = Host::booted("sha1", &log, FIFO);
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("sha256-bank", "fail", "sha256-bank-inactive")));
    let after = |name| check(&list, name).after_first_failure;
    assert!(!after("secure-boot") && !after("sha256-bank") && after("sha256-extended"));
    for unproved in ["sha256-extended", "event-log-complete", "secure-boot-proved", "dbx"] {
        assert_ne!(state(&list, unproved), "pass", "{unproved}");
    }
}

#[test]
fn a_bank_that_the_firmware_does_not_extend_comes_first() {
    let host = Host::booted("sha256", &sound(), FIFO);
    // The bank was switched on from the running system: nothing was measured into it.
    let mut tpm = Swtpm::builder().ek_cert(&host.ca).start().unwrap();
    tpm.restart().unwrap();
    let (exit, list) = Host { tpm, ..host }.look();
    assert_eq!(first(&list), ("sha256-extended", "fail", "sha256-bank-not-extended"));
    assert_eq!(exit, 1);
}

#[test]
fn a_host_without_a_tpm_is_told_so_first_and_once() {
    let host = Host::sound();
    let nowhere = host.at("no.sock");
    let address = format!("swtpm:unix:{}", text(&nowhere));
    let (exit, list) = doctor(host.root.path(), &["--tpm", &address]);
    assert_eq!((exit, first(&list)), (1, ("tpm", "fail", "no-tpm")));
    assert_eq!(of_state(&list, "fail"), ["tpm"], "what follows from it is not known");
    assert_eq!(state(&list, "quote"), "unknown");
    // The same, by what the kernel of a copy shows.
    fs::remove_dir_all(host.at(TPM)).unwrap();
    assert_eq!(first(&host.look_at_copy().1), ("tpm", "fail", "no-tpm"));
    host.put(&format!("{TPM}/tpm_version_major"), b"1\n");
    assert_eq!(first(&host.look_at_copy().1), ("tpm", "fail", "tpm-1-2"));
}

#[test]
fn crb_is_worth_a_look_and_no_failure() {
    let host = Host::booted("sha256", &sound(), CRB);
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (0, ("interface", "warn", "interface-not-fifo")));
    assert_eq!((list.outcome.as_str(), of_state(&list, "warn")), ("warned", vec!["interface"]));
    // ESXi's driver speaks FIFO alone.
    let (exit, list) = host.look_with(&["--profile", "esxi-7"]);
    assert_eq!((exit, first(&list)), (1, ("interface", "fail", "interface-not-fifo")));
    fs::remove_file(host.at(TABLE)).unwrap();
    assert_eq!(state(&host.look().1, "interface"), "unknown");
}

#[test]
fn a_host_without_an_event_log_is_told_so_first() {
    let host = Host::sound();
    fs::remove_file(host.at(LOG)).unwrap();
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("event-log", "fail", "no-event-log")));
    assert_eq!((state(&list, "quote"), state(&list, "sha256-extended")), ("pass", "pass"));
    assert_eq!(state(&list, "secure-boot"), "pass", "as the firmware's variable says");
    assert_ne!(state(&list, "secure-boot-proved"), "pass");
    // Its log, kept elsewhere.
    host.put("kept.bin", &sound().bytes);
    let kept = host.at("kept.bin");
    let roots = host.at("ek-roots.pem");
    let tpm = host.tpm.address();
    let named = ["--tpm", &tpm, "--event-log", text(&kept), "--ek-root", text(&roots)];
    assert_eq!(doctor(host.root.path(), &named).1.outcome, "sound");
}

#[test]
fn an_event_log_that_was_cut_is_told() {
    let host = Host::sound();
    let bytes = sound().bytes;
    host.put(LOG, &bytes[..bytes.len() - 40]);
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list).0), (1, "event-log-complete"));
}

#[test]
fn a_legacy_boot_comes_before_all_else() {
    let host = Host::sound();
    fs::remove_dir_all(host.at("sys/firmware/efi")).unwrap();
    assert_eq!(first(&host.look_at_copy().1), ("uefi", "fail", "legacy-boot"));
    // A container shows nothing of the firmware, which is no legacy boot.
    fs::remove_dir_all(host.at("sys/firmware")).unwrap();
    assert_eq!(state(&host.look_at_copy().1, "uefi"), "unknown");
}

#[test]
fn what_a_dynamic_launch_is_depends_on_the_profile() {
    let host = Host::sound();
    // What the boot loader handed to the kernel: the address of tboot's page, 0 where there is none.
    let mut boot_params = [0; 4096];
    let put = |page: &[u8]| host.put("sys/kernel/boot_params/data", page);
    put(&boot_params);
    assert_eq!(host.look().1.outcome, "sound");
    assert_eq!(state(&host.look_at_copy().1, "dynamic-launch"), "unknown");
    boot_params[0x58] = 1;
    put(&boot_params);
    let reason = |list: &Checklist| check(list, "dynamic-launch").reasons[0].clone();
    assert_eq!(reason(&host.look_at_copy().1).code, "dynamic-launch");
    put(&[0; 4096]);
    dynamic_launch(host.tpm.control().unwrap(), b"launched").unwrap();
    let (exit, list) = host.look();
    assert_eq!((exit, list.outcome.as_str(), reason(&list).state.as_str()), (0, "sound", "pass"));
    // What is to run on the machine decides what it is.
    for (profile, exit, expected) in
        [("esxi-6.7", 1, "fail"), ("esxi-8", 0, "warn"), ("esx-9", 0, "pass")]
    {
        let (code, list) = host.look_with(&["--profile", profile]);
        assert_eq!((code, state(&list, "dynamic-launch")), (exit, expected), "{profile}");
    }
    let next = host.look_with(&["--profile", "esxi-8"]).1.first.unwrap().reason.next_step;
    assert!(next.contains("Quick Boot"), "{next}");
}

#[test]
fn a_tpm_without_a_certificate_is_told() {
    let mut host = Host::sound();
    host.tpm = Swtpm::builder().start().unwrap();
    boot(&host.tpm, &sound()).unwrap();
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("ek-certificate", "fail", "ek-cert-absent")));
    assert_eq!(state(&list, "ek-chain"), "unknown");
}

/// Sends a command that must work: its code, handles with an empty password for the first of them, and
/// parameters.
fn send(tpm: &Swtpm, code: u32, handles: &[u32], parameters: &[u8]) {
    const EMPTY_PASSWORD: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
    let handles: Vec<_> = handles.iter().flat_map(|handle| handle.to_be_bytes()).collect();
    let rest = [&code.to_be_bytes(), &handles[..], &EMPTY_PASSWORD, parameters].concat();
    let size = u32::try_from(6 + rest.len()).unwrap().to_be_bytes();
    let command = [&[0x80, 2], &size[..], &rest].concat();
    let answer = tpm.client().unwrap().transmit(&command).unwrap();
    assert_eq!(answer[6..10], [0; 4]);
}

#[test]
fn a_tpm_that_is_locked_out_is_told() {
    let host = Host::sound();
    // TPM2_DictionaryAttackParameters for TPM_RH_LOCKOUT: none may fail, and 7200 s for each.
    let parameters = [0u32, 7200, 7200].map(u32::to_be_bytes).concat();
    send(&host.tpm, 0x13a, &[0x4000_000a], &parameters);
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("tpm-lockout", "fail", "tpm-locked-out")));
    assert_eq!(of_state(&list, "fail"), ["tpm-lockout"]);
}

#[test]
fn a_tpm_whose_endorsement_hierarchy_is_off_is_told_with_what_it_answered() {
    let host = Host::sound();
    // TPM2_HierarchyControl by TPM_RH_PLATFORM: TPM_RH_ENDORSEMENT off, as a firmware setup does.
    send(&host.tpm, 0x121, &[0x4000_000c], &[0x40, 0, 0, 0x0b, 0]);
    let (exit, list) = host.look();
    assert_eq!((exit, first(&list)), (1, ("tpm", "fail", "tpm-fault")));
    let cause = &list.first.as_ref().unwrap().reason.cause;
    assert!(cause.contains("TPM_RC_HIERARCHY"), "{cause}");
    assert_eq!((state(&list, "event-log"), state(&list, "quote")), ("pass", "fail"));
}

#[test]
fn of_a_copy_nothing_passes_that_only_a_tpm_can_say() {
    let (exit, list) = Host::sound().look_at_copy();
    assert_eq!(of_state(&list, "pass"), ["uefi", "secure-boot", "interface", "event-log"]);
    assert!(of_state(&list, "fail").is_empty(), "{list:#?}");
    assert_eq!((exit, list.outcome.as_str()), (2, "unsure"));
}

#[test]
fn the_kernel_of_a_copy_shows_banks_and_what_was_measured() {
    let host = Host::sound();
    let value = |bank: &str, byte: u8| {
        for pcr in 0..8 {
            host.put(&format!("{TPM}/pcr-{bank}/{pcr}"), hex::encode([byte; 32]).as_bytes());
        }
    };
    value("sha1", 0x11);
    assert_eq!(first(&host.look_at_copy().1), ("sha256-bank", "fail", "sha256-bank-inactive"));
    value("sha384", 0x11);
    assert_eq!(state(&host.look_at_copy().1, "sha256-bank"), "pass", "SHA-256 or better");
    fs::remove_dir_all(host.at(&format!("{TPM}/pcr-sha384"))).unwrap();
    value("sha256", 0);
    let list = host.look_at_copy().1;
    assert_eq!(first(&list), ("sha256-extended", "fail", "sha256-bank-not-extended"));
    assert_eq!(
        check(&list, "sha256-bank").seen.as_deref(),
        Some("sha1 sha256, as the kernel shows")
    );
    value("sha256", 0x11);
    assert_eq!(host.look_at_copy().1.first, None);
    // Some are, some are not: nobody can say why.
    host.put(&format!("{TPM}/pcr-sha256/3"), hex::encode([0; 32]).as_bytes());
    let list = host.look_at_copy().1;
    assert_eq!((state(&list, "sha256-extended"), &list.first), ("unknown", &None));
}

#[test]
fn a_policy_says_what_the_site_demands() {
    let host = Host::sound();
    let policy = host.at("policy.toml");
    let with = ["--policy", text(&policy)];
    host.put("policy.toml", b"[secure_boot]\nminimum_dbx = \"2010-01-01\"\n");
    assert_eq!(host.look_with(&with).1.outcome, "sound");
    host.put("policy.toml", b"[banks]\nminimum = \"sha384\"\n");
    let (exit, list) = host.look_with(&with);
    assert_eq!((exit, list.outcome.as_str()), (1, "failed"), "{list:#?}");
    host.put("policy.toml", b"[banks]\nminimun = \"sha384\"\n");
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["doctor", "--root", text(host.root.path()), "--policy", text(&policy)])
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    // A list of revoked images that is none is no list.
    host.put("dbx.bin", b"junk");
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["doctor", "--root", text(host.root.path()), "--dbx", text(&host.at("dbx.bin"))])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("revokes nothing"), "{said}");
}

#[test]
#[expect(clippy::print_stdout, reason = "a measurement")]
fn it_takes_less_than_a_second_beside_the_tpm() {
    let host = Host::sound();
    let took = |look: &dyn Fn() -> (i32, Checklist)| {
        let times = (0..3).map(|_| {
            let start = std::time::Instant::now();
            look();
            start.elapsed()
        });
        times.min().unwrap()
    };
    let (copy, whole) = (took(&|| host.look_at_copy()), took(&|| host.look()));
    println!("doctor of a copy {copy:?}, with a software TPM {whole:?}");
    // The TPM makes a key and signs; the rest is what a copy takes, and a judgement.
    assert!(copy.as_secs_f64() < 1.0, "{copy:?}");
}

#[test]
fn the_text_says_what_to_mend_first_and_to_change_one_thing_at_a_time() {
    let host = Host::sound();
    host.variable("SecureBoot", 0);
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["doctor", "--root", text(host.root.path())])
        .env_remove("BOOTPROOF_TPM")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    for part in [
        "pass     The firmware boots by UEFI\n",
        "fail     Secure Boot is on, with keys\n",
        "unknown  A TPM 2.0 is there and answers\n",
        "\nMend this first: Secure Boot is off: so the firmware's variable says\n  next: ",
        "Change one thing at a time",
        "could not be made; that is no pass.\n",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
}

#[test]
fn what_cannot_be_looked_at_is_an_error() {
    let host = Host::sound();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bootproof"));
        let output = command.arg("doctor").args(arguments).output().unwrap();
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        said
    };
    let root = text(host.root.path());
    assert!(run(&["--root", "/nonexistent"]).contains("is not a folder"));
    assert!(run(&["--root", root, "--tpm", "floppy"]).contains("--tpm names no TPM"));
    let said = run(&["--root", root, "--event-log", "/nonexistent"]);
    assert!(said.contains("/nonexistent cannot be read"), "{said}");
    // A folder in the place of the log stands for all that this user may not read.
    fs::remove_file(host.at(LOG)).unwrap();
    fs::create_dir(host.at(LOG)).unwrap();
    let said = run(&["--root", root]);
    assert!(said.contains("binary_bios_measurements cannot be read"), "{said}");
    assert!(said.contains("\n\nhint: "), "{said}");
}
