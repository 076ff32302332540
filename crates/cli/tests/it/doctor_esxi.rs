//! `bootproof doctor --esxi`: what ESXi's own commands print, saved and pasted.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use api::doctor::{Check, Checklist};

/// A sound host of ESXi 8, as it comes out of a terminal.
const SOUND: &str = "\
[root@esx-1:~] vmware -v
VMware ESXi 8.0.3 build-24022510
[root@esx-1:~] /usr/lib/vmware/secureboot/bin/secureBoot.py -s
Enabled
[root@esx-1:~] /usr/lib/vmware/secureboot/bin/secureBoot.py -c
Secure boot can be enabled: All vib signatures verified. All tardisks validated. All acceptance levels validated
[root@esx-1:~] esxcli hardware trustedboot get
   Drtm Enabled: false
   Tpm Present: true
[root@esx-1:~] esxcli system settings encryption get
   Mode: TPM
   Require Executables Only From Installed VIBs: true
   Require Secure Boot: true
[root@esx-1:~] esxcli system settings encryption recovery list
Recovery ID                             Key
--------------------------------------  ---
{2DDD5424-7F3F-406A-8DA8-D62630F6C8BC}  478269-039194-473926-430939-686855-231401-642208-184477-602511-225586-551660-586542-338394-092578-687140-267425
[root@esx-1:~] esxcli system security keypersistence get
   Enabled: false
[root@esx-1:~] esxcli software acceptance get
PartnerSupported
[root@esx-1:~] vsish -e get /vmkModules/tpmdriver/vendor
NTC
[root@esx-1:~] vsish -e get /vmkModules/tpmdriver/firmware/version
7.2.3.1
[root@esx-1:~] grep -i tpm /var/log/vmkernel.log
2026-05-10T14:02:27.716Z cpu46:2099728)tpmDriver: Tpm2CheckInterface:603: TPM is in FIFO mode.
2026-05-10T14:02:27.736Z cpu46:2099728)tpmDriver: Tpm2LogVendor:1551: Vendor ID: NTC
2026-05-10T14:02:27.836Z cpu46:2099728)tpmDriver: Tpm2ResMgrProcessResponse:846: Error: TPM command error code 0x18b
2026-05-10T14:02:27.936Z cpu46:2099728)Mod: 4962: tpmdriver loaded successfully.
[root@esx-1:~] grep Tpm20Provider /var/log/hostd.log
2026-05-10T14:03:00.000Z info hostd[2100000] [Originator@6876 sub=Hostsvc.Tpm20Provider] Preprovisioned endorsement key not found at 0x81010001
[root@esx-1:~]
root@vcsa [ ~ ]# grep Attestation /var/log/vmware/vpxd/vpxd.log
2026-05-10T14:05:00.000Z info vpxd[4711] [Originator@6876 sub=Attestation opID=1] No cached identity key, loading from DB
";

fn doctor(files: &[&Path], pasted: &[u8], more: &[&str]) -> (i32, Checklist, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["doctor", "--json"])
        .args(more)
        .arg("--esxi")
        .args(files)
        .args((!pasted.is_empty()).then_some("-"))
        .env_remove("BOOTPROOF_TPM")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Who looks at files alone reads nothing of it.
    drop(child.stdin.take().unwrap().write_all(pasted));
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    for said in [&stderr, &stdout] {
        assert!(!said.contains("478269") && !said.contains("267425"), "{said}");
    }
    let list = serde_json::from_str(&stdout).unwrap_or_else(|err| panic!("{err}: {stderr}"));
    (output.status.code().unwrap(), list, stderr)
}

fn pasted(text: &str) -> (i32, Checklist) {
    let (exit, list, _) = doctor(&[], text.as_bytes(), &[]);
    (exit, list)
}

fn check<'l>(list: &'l Checklist, name: &str) -> &'l Check {
    list.checks.iter().find(|check| check.check == name).unwrap()
}

fn state<'l>(list: &'l Checklist, name: &str) -> &'l str {
    &check(list, name).state
}

fn of_state<'l>(list: &'l Checklist, state: &str) -> Vec<&'l str> {
    let checks = list.checks.iter().filter(|check| check.state == state);
    checks.map(|check| check.check.as_str()).collect()
}

fn first(list: &Checklist) -> (&str, &str, &str) {
    let first = list.first.as_ref().unwrap_or_else(|| panic!("{list:#?}"));
    (&first.check, &first.reason.state, &first.reason.code)
}

#[test]
fn a_sound_host_passes_and_its_recovery_key_is_shown_nowhere() {
    let (exit, list, notes) = doctor(&[], SOUND.as_bytes(), &[]);
    assert_eq!(of_state(&list, "pass").len(), list.checks.len(), "{list:#?}");
    assert_eq!((exit, list.outcome.as_str(), list.profile.as_str()), (0, "sound", "esxi-8"));
    assert!(notes.contains("1 x recovery key"), "{notes}");
    let stig = |name| check(&list, name).stig.as_deref();
    assert_eq!(stig("secure-boot"), Some("ESXI-80-000094"));
    assert_eq!(stig("secure-boot-enforced"), Some("ESXI-80-000085"));
    assert_eq!(stig("sealed-configuration"), Some("ESXI-80-000238"));
    assert_eq!(stig("installed-only"), Some("ESXI-80-000244"));
    assert_eq!(stig("key-persistence"), Some("ESXI-80-000248"));
    assert_eq!(stig("tpm"), None);
}

#[test]
fn neither_encoding_nor_colours_nor_files_change_what_is_seen() {
    let expected = pasted(SOUND).1;
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let crlf = SOUND.replace('\n', "\r\n");
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(crlf.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let coloured = SOUND.replace("[root@esx-1:~]", "\u{1b}[1;32m[root@esx-1:~]\u{1b}[0m");
    let wrong = SOUND.replace("build-24022510", "build-24022510 \u{e9}");
    let latin1: Vec<u8> = wrong.chars().map(|c| u8::try_from(c).unwrap()).collect();
    for bytes in [crlf.as_bytes(), &utf16, coloured.as_bytes(), &latin1] {
        assert_eq!(doctor(&[], bytes, &[]).1, expected);
    }
    let (front, back) = SOUND.split_at(SOUND.find("[root@esx-1:~] esxcli software").unwrap());
    let files = [put("a.txt", front.as_bytes()), put("b.log", back.as_bytes())];
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let states = |list: &Checklist| -> Vec<_> {
        list.checks.iter().map(|check| (check.check.clone(), check.state.clone())).collect()
    };
    assert_eq!(states(&doctor(&files, b"", &[]).1), states(&expected));
    assert_eq!(states(&doctor(&[files[1], files[0]], b"", &[]).1), states(&expected));
}

#[test]
fn an_output_that_is_absent_is_unknown_with_the_command_to_run() {
    for (without, name, command) in [
        ("secureBoot.py -s\nEnabled\n", "secure-boot", "secureBoot.py -s"),
        ("secureBoot.py -c\nSecure boot can be enabled", "signed-vibs", "secureBoot.py -c"),
        ("   Tpm Present: true\n", "tpm", "trustedboot get"),
        ("   Drtm Enabled: false\n", "dynamic-launch", "trustedboot get"),
        ("   Mode: TPM\n", "sealed-configuration", "encryption get"),
        ("   Require Secure Boot: true\n", "secure-boot-enforced", "encryption get"),
        (
            "   Require Executables Only From Installed VIBs: true\n",
            "installed-only",
            "encryption get",
        ),
        ("   Enabled: false\n", "key-persistence", "keypersistence get"),
        ("\nNTC\n", "tpm-firmware", "vsish"),
        ("TPM is in FIFO mode", "interface", "grep -i tpm"),
        ("tpmdriver loaded successfully", "sha256-bank", "grep -i tpm"),
        ("sub=Hostsvc.Tpm20Provider", "ek-certificate", "hostd.log"),
        ("sub=Attestation", "identity-key", "vpxd.log"),
    ] {
        // The driver's load vouches for the TPM, too.
        let text = match name {
            "tpm" => SOUND.replace("tpmdriver loaded successfully", "x"),
            _ => SOUND.to_owned(),
        };
        let text = text.replace(without, "\n").replace(
            "No cached identity key",
            match name {
                "identity-key" => "x",
                _ => "No cached identity key",
            },
        );
        let (exit, list) = pasted(&text);
        assert_eq!(state(&list, name), "unknown", "{name}: {list:#?}");
        let reason = &check(&list, name).reasons[0];
        assert_eq!(reason.code, "not-checked");
        assert!(reason.next_step.contains(command), "{name}: {}", reason.next_step);
        assert_eq!((exit, list.outcome.as_str()), (2, "unsure"), "{name}");
    }
    let (exit, list) = pasted("nothing of it\n");
    assert_eq!((exit, of_state(&list, "unknown").len()), (2, list.checks.len()));
}

#[test]
fn each_thing_that_is_wrong_is_told_under_its_check() {
    for (from, to, exit, expected) in [
        ("-s\nEnabled", "-s\nDisabled", 1, ("secure-boot", "fail", "secure-boot-off")),
        (
            "Secure boot can be enabled: All vib",
            "Secure boot CANNOT be enabled: All vib",
            1,
            ("signed-vibs", "fail", "S08"),
        ),
        ("Tpm Present: true", "Tpm Present: false", 1, ("tpm", "fail", "no-tpm")),
        (
            "tpmDriver: Tpm2CheckInterface:603: TPM is in FIFO mode.",
            "VMB_TPM: 99: Unsupported 'startMethod': 7",
            1,
            ("interface", "fail", "interface-not-fifo"),
        ),
        (
            "Mod: 4962: tpmdriver loaded successfully.",
            "WARNING: tpmDriver: TpmDriverInitImpl:532: TPM 2 SHA-256 PCR bank not found to be active.",
            1,
            ("sha256-bank", "fail", "sha256-bank-inactive"),
        ),
        (
            "Drtm Enabled: false",
            "Drtm Enabled: true",
            0,
            ("dynamic-launch", "warn", "txt-stops-quick-boot"),
        ),
        ("\n7.2.3.1\n", "\n1.3.2.8\n", 0, ("tpm-firmware", "warn", "tpm-firmware-advisory")),
        (
            "Mode: TPM",
            "Mode: NONE",
            0,
            ("sealed-configuration", "warn", "configuration-not-sealed"),
        ),
        (
            "Require Secure Boot: true",
            "Require Secure Boot: false",
            0,
            ("secure-boot-enforced", "warn", "secure-boot-not-enforced"),
        ),
        (
            "Installed VIBs: true",
            "Installed VIBs: false",
            0,
            ("installed-only", "warn", "any-program-runs"),
        ),
        (
            "Enabled: false\n[root@esx-1:~] esxcli software",
            "Enabled: true\n[root@esx-1:~] esxcli software",
            0,
            ("key-persistence", "warn", "keys-persist"),
        ),
        (
            "\nPartnerSupported\n",
            "\nCommunitySupported\n",
            0,
            ("signed-vibs", "warn", "acceptance-community"),
        ),
        (
            "No cached identity key, loading from DB",
            "Failed to update integrity report; [vim.HostSystem:host-29,esx-1], \
             N7Vmacore9ExceptionE(No identity key in DB, try to reconnect host)",
            1,
            ("identity-key", "fail", "no-identity-key"),
        ),
        (
            "Preprovisioned endorsement key not found at 0x81010001",
            "Unable to read default RSA EK certificate",
            1,
            ("ek-certificate", "fail", "ek-cert-absent"),
        ),
    ] {
        assert!(SOUND.contains(from), "{from}");
        let (code, list) = pasted(&SOUND.replace(from, to));
        assert_eq!((code, first(&list)), (exit, expected), "{to}: {list:#?}");
        let reason = &list.first.as_ref().unwrap().reason;
        assert!(reason.next_step.ends_with(['.', ')']), "{}", reason.next_step);
    }
}

#[test]
fn what_txt_may_be_depends_on_the_version() {
    let on = SOUND.replace("Drtm Enabled: false", "Drtm Enabled: true");
    for (profile, when_on, when_off) in [
        ("esxi-6.7", "fail", "pass"),
        ("esxi-7", "warn", "pass"),
        ("esxi-8", "warn", "pass"),
        ("esx-9", "pass", "warn"),
    ] {
        let of = |text: &str| {
            let list = doctor(&[], text.as_bytes(), &["--profile", profile]).1;
            state(&list, "dynamic-launch").to_owned()
        };
        assert_eq!((of(&on).as_str(), of(SOUND).as_str()), (when_on, when_off), "{profile}");
    }
    // Without a version nobody can say, and the outputs name one where they can.
    let nameless = on.replace("VMware ESXi 8.0.3", "");
    assert_eq!(state(&pasted(&nameless).1, "dynamic-launch"), "unknown");
    let old = on.replace("ESXi 8.0.3", "ESXi 6.7.0");
    assert_eq!(first(&pasted(&old).1), ("dynamic-launch", "fail", "txt-forbidden"));
}

#[test]
fn outputs_that_contradict_each_other_are_no_pass() {
    let (exit, list) = pasted(&format!("{SOUND}   Tpm Present: false\n"));
    assert_eq!((exit, state(&list, "tpm")), (2, "unknown"));
    assert_eq!(check(&list, "tpm").reasons[0].code, "outputs-contradict");
}

#[test]
fn commands_that_no_host_has_say_nothing() {
    let (_, list) = pasted(
        "[root@esx-1:~] esxcli hardware tpm get\n   Present: true\n   Version: 2.0\n\
         [root@esx-1:~] esxcli system settings encryption tpm attestation status get\n   Status: passed\n",
    );
    assert_eq!(of_state(&list, "unknown").len(), list.checks.len(), "{list:#?}");
}

#[test]
fn wrong_use_is_an_error() {
    for arguments in [
        &["doctor", "--profile", "linux", "--esxi", "-"][..],
        &["doctor", "--esxi", "/nonexistent"],
        &["doctor", "--esxi", "-", "--root", "/"],
        &["doctor", "--profile", "esxi-5", "--esxi", "-"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

/// The blocks of the collected samples, by what their headings say.
fn samples() -> Option<Vec<(String, String)>> {
    let file = testkit::corpus::folder("esxi/outputs/samples.md")?;
    let text = std::fs::read_to_string(file).unwrap();
    let parts = text.split("\n## ").skip(1).map(|part| {
        let (heading, rest) = part.split_once('\n').unwrap();
        let block: Vec<_> = rest.split("```").skip(1).step_by(2).collect();
        (heading.to_owned(), block.join("\n"))
    });
    Some(parts.collect())
}

#[test]
fn collected_samples_say_what_they_are_of() {
    let Some(samples) = samples() else { return };
    let of = |heading: &str| {
        let found = samples.iter().find(|(name, _)| name.contains(heading));
        &found.unwrap_or_else(|| panic!("{heading}")).1
    };
    let seen = |heading, name, expected| {
        let list = pasted(of(heading)).1;
        assert_eq!(state(&list, name), expected, "{heading}: {list:#?}");
    };
    seen("esxcli system settings encryption get", "sealed-configuration", "pass");
    seen("esxcli system settings encryption get", "secure-boot-enforced", "pass");
    seen("esxcli system settings encryption get", "installed-only", "warn");
    seen("same command when the TPM hangs", "tpm", "fail");
    seen("secureBoot.py -c", "signed-vibs", "pass");
    seen("secureBoot.py -s", "secure-boot", "pass");
    seen("vsish", "tpm", "fail");
    seen("vmkernel.log / vmkwarning.log", "sha256-bank", "fail");
    seen("vmkernel.log / vmkwarning.log", "interface", "fail");
    seen("hostd.log", "ek-certificate", "fail");
    seen("vpxd.log", "identity-key", "fail");
    seen("vCenter messages", "ek-certificate", "fail");
    // All of them at once, in their Markdown.
    let all: String = samples.iter().map(|(name, block)| format!("## {name}\n{block}\n")).collect();
    let (exit, list) = pasted(&all);
    assert_eq!(exit, 1);
    assert!(list.first.is_some());
}
