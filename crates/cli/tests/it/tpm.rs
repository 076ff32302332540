//! `bootproof tpm info`, `pcrs` and `ek`, of software TPMs and of ones that cannot be asked.

use std::{
    fs,
    io::{Read as _, Write as _},
    os::unix::net::UnixListener,
    process::{Command, Output},
};

use api::tpm::{Description, EndorsementKeys, PcrValues};
use serde::de::DeserializeOwned;
use testkit::{
    boot::boot,
    log::BootLog,
    swtpm::{Ca, Swtpm},
};
use tpm_wire::TpmAlgId;

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .arg("tpm")
        .args(arguments)
        .env_remove("BOOTPROOF_TPM")
        .env_remove("BOOTPROOF_ACPI_TPM2")
        .output()
        .unwrap()
}

/// Exit code and document of `bootproof tpm COMMAND --json --device ADDRESS …`.
fn ask<T: DeserializeOwned>(command: &str, address: &str, more: &[&str]) -> (i32, T) {
    let output = run(&[&[command, "--json", "--device", address], more].concat());
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let read = serde_json::from_slice(&output.stdout);
    (output.status.code().unwrap(), read.unwrap_or_else(|err| panic!("{err}: {stderr}")))
}

/// What it says on standard error when it cannot be done.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{said}");
    assert!(said.contains("\n\nhint: "), "{said}");
    said
}

/// A command that must work: its code, handles with an empty password for the first, and parameters.
fn send(tpm: &Swtpm, code: u32, handle: u32, parameters: &[u8]) {
    const EMPTY_PASSWORD: [u8; 13] = [0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0];
    let rest =
        [&code.to_be_bytes(), &handle.to_be_bytes(), &EMPTY_PASSWORD[..], parameters].concat();
    let size = u32::try_from(6 + rest.len()).unwrap().to_be_bytes();
    let answer = tpm.client().unwrap().transmit(&[&[0x80, 2], &size[..], &rest].concat()).unwrap();
    assert_eq!(answer[6..10], [0; 4]);
}

fn codes(tpm: &Description) -> Vec<(&str, &str)> {
    tpm.concerns.iter().map(|why| (why.state.as_str(), why.code.as_str())).collect()
}

#[test]
fn a_tpm_describes_itself() {
    let tpm = Swtpm::builder().start().unwrap();
    let (exit, said): (_, Description) = ask("info", &tpm.address(), &[]);
    assert_eq!((exit, said.concerns.as_slice()), (0, &[][..]));
    assert_eq!((said.vendor.as_str(), said.vendor_string.as_str()), ("IBM", "SW   TPM"));
    assert_eq!(said.software.as_deref(), Some("swtpm or the IBM simulator"));
    assert_eq!(said.specification.family, "2.0");
    assert!(said.specification.revision.as_ref().unwrap().starts_with("1."));
    let on: Vec<_> = said.banks.iter().filter(|bank| bank.active).collect();
    assert_eq!((on.len(), on[0].name.as_str(), on[0].n_pcrs), (1, "sha256", 24));
    assert!(said.banks.iter().any(|bank| bank.name == "sha1" && !bank.active));
    let lockout = said.lockout.unwrap();
    assert!(!lockout.locked && lockout.failures == 0 && lockout.failures_max > 0);
    assert_eq!(said.resources.transient_left, Some(3));
    assert_eq!(said.interface.kind, None, "a socket has no registers");
    let own = said.ownership.unwrap();
    assert!(!own.owner_password && own.clear_permitted);
    // The same TPM says the same: nothing was left in it.
    assert_eq!(ask::<Description>("info", &tpm.address(), &[]).1, said);
}

#[test]
fn the_interface_is_told_with_who_says_it() {
    let tpm = Swtpm::builder().start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("TPM2");
    let mut bytes = [0; 76];
    bytes[..4].copy_from_slice(b"TPM2");
    for (method, kind) in [(6, "fifo"), (7, "crb")] {
        bytes[48] = method;
        fs::write(&table, bytes).unwrap();
        let named = ["--acpi-tpm2", table.to_str().unwrap()];
        let said = ask::<Description>("info", &tpm.address(), &named).1;
        assert_eq!(said.interface.kind.as_deref(), Some(kind));
        assert_eq!(said.interface.known_by, "the ACPI table TPM2");
    }
}

#[test]
fn what_stands_in_the_way_is_told_with_its_next_step() {
    let tpm = Swtpm::builder().banks("sha1").start().unwrap();
    // TPM2_DictionaryAttackParameters: none may fail.
    let parameters = [0u32, 7200, 7200].map(u32::to_be_bytes).concat();
    send(&tpm, 0x13a, 0x4000_000a, &parameters);
    // TPM2_HierarchyChangeAuth: the owner gets a password. TPM2_HierarchyControl: endorsement off.
    send(&tpm, 0x129, 0x4000_0001, &[0, 1, b'x']);
    send(&tpm, 0x121, 0x4000_000c, &[0x40, 0, 0, 0x0b, 0]);
    let (exit, said): (_, Description) = ask("info", &tpm.address(), &[]);
    assert_eq!(exit, 1);
    assert_eq!(
        codes(&said),
        [
            ("fail", "tpm-locked-out"),
            ("fail", "tpm-hierarchy-off"),
            ("fail", "sha256-bank-inactive"),
            ("warn", "tpm-hierarchy-password"),
        ]
    );
    assert!(said.concerns.iter().all(|why| why.next_step.ends_with('.')));
    let hierarchies = said.hierarchies.unwrap();
    assert!(hierarchies.storage && !hierarchies.endorsement);
    let text = String::from_utf8(run(&["info", "--tpm", &tpm.address()]).stdout).unwrap();
    for part in ["LOCKED", "set: owner", "endorsement off", "  next: "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn pcrs_are_shown_and_a_bank_without_measurements_is_told() {
    let tpm = Swtpm::builder().banks("sha256,sha384").start().unwrap();
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).build();
    boot(&tpm, &log).unwrap();
    let (exit, said): (_, PcrValues) = ask("pcrs", &tpm.address(), &["--pcr", "0,7,16"]);
    assert_eq!(exit, 1, "nothing was measured into SHA-384");
    let firmware: Vec<_> =
        said.banks.iter().map(|bank| (bank.bank.as_str(), bank.firmware.as_str())).collect();
    assert_eq!(firmware, [("sha256", "measured"), ("sha384", "not-measured")]);
    let sha256 = &said.banks[0].values;
    assert_eq!(sha256.keys().copied().collect::<Vec<_>>(), [0, 7, 16]);
    let expected = log.pcrs.iter().find(|bank| bank.alg() == TpmAlgId::SHA256).unwrap();
    assert_eq!(sha256[&7], expected.get(7).unwrap().to_string());

    let one = ["--bank", "sha256"];
    let (exit, said): (_, PcrValues) = ask("pcrs", &tpm.address(), &one);
    assert_eq!((exit, said.banks.len(), said.banks[0].values.len()), (0, 1, 24));
    let text = String::from_utf8(run(&["pcrs", "--device", &tpm.address()]).stdout).unwrap();
    assert!(text.contains("the firmware did not measure into this bank"), "{text}");
}

#[test]
fn a_bank_that_is_off_is_refused_with_those_that_are_on() {
    let tpm = Swtpm::builder().start().unwrap();
    let said = refused(&["pcrs", "--device", &tpm.address(), "--bank", "sha1"]);
    assert!(said.contains("bank of sha1 is not on") && said.contains("on: sha256"), "{said}");
    let output = run(&["pcrs", "--device", &tpm.address(), "--pcr", "24"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn endorsement_keys_are_shown_with_the_digest_that_a_policy_takes() {
    let ca = Ca::new().unwrap();
    let tpm = Swtpm::builder().ek_cert(&ca).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, ca.root_pem().unwrap() + &ca.issuer_pem().unwrap()).unwrap();
    let named = ["--ek-root", roots.to_str().unwrap()];
    let (exit, said): (_, EndorsementKeys) = ask("ek", &tpm.address(), &named);
    assert_eq!(exit, 0, "{said:#?}");
    let keys: Vec<_> = said
        .keys
        .iter()
        .map(|key| (key.algorithm.as_deref().unwrap(), key.nv_index.as_deref().unwrap()))
        .collect();
    assert_eq!(keys, [("P-384", "0x01c00016"), ("RSA-2048", "0x01c00002")]);
    assert!(said.keys.iter().all(|key| key.certificate == "trusted" && key.findings.is_empty()));
    assert_eq!(said.keys.iter().filter(|key| key.enrolled).count(), 1);
    for key in &said.keys {
        let endorsement = key.endorsement.as_ref().unwrap();
        assert_eq!(Some(&endorsement.spki_sha256), key.ek_sha256.as_ref());
    }
    assert_eq!(said.keys[1].persistent.as_deref(), Some("0x81010001"));

    // Without roots nothing is said of the chain, and another maker's root refuses it.
    let (exit, said): (_, EndorsementKeys) = ask("ek", &tpm.address(), &[]);
    assert_eq!((exit, said.keys[0].certificate.as_str()), (0, "not-checked"));
    fs::write(&roots, Ca::new().unwrap().root_pem().unwrap()).unwrap();
    let (exit, said): (_, EndorsementKeys) = ask("ek", &tpm.address(), &named);
    assert_eq!((exit, said.keys[0].certificate.as_str()), (1, "refused"));
    assert_eq!(said.keys[0].findings[0].code, "ek-cert-untrusted");
}

#[test]
fn the_certificate_is_given_as_pem() {
    let ca = Ca::new().unwrap();
    let tpm = Swtpm::builder().ek_cert(&ca).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ek.pem");
    let printed = run(&["ek", "--device", &tpm.address(), "--pem"]);
    assert_eq!(printed.status.code(), Some(0));
    let written = run(&["ek", "--device", &tpm.address(), "--out", file.to_str().unwrap()]);
    assert_eq!((written.status.code(), written.stdout.len()), (Some(0), 0));
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), text);
    assert_eq!(verify::RootStore::from_pem(&text).unwrap().len(), 1, "an anchor like any other");
}

#[test]
fn a_tpm_without_a_certificate_is_told_with_its_digest() {
    let tpm = Swtpm::builder().start().unwrap();
    let (exit, said): (_, EndorsementKeys) = ask("ek", &tpm.address(), &[]);
    assert_eq!((exit, said.keys.len()), (1, 1));
    let key = &said.keys[0];
    assert_eq!((key.enrolled, key.certificate.as_str()), (true, "absent"));
    assert_eq!(key.findings[0].code, "ek-cert-absent");
    assert_eq!(key.findings[0].arguments["ek_sha256"], key.ek_sha256.clone().unwrap());
    let said = refused(&["ek", "--device", &tpm.address(), "--pem"]);
    assert!(said.contains("no certificate"), "{said}");
}

/// The address of something that answers each command with `code`, as a TPM in trouble does.
fn answering(folder: &tempfile::TempDir, code: u32) -> String {
    let path = folder.path().join(format!("{code:x}"));
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = [0; 10];
            while client.read_exact(&mut head).is_ok() {
                let size = u32::from_be_bytes(head[2..6].try_into().unwrap());
                let mut rest = vec![0; usize::try_from(size).unwrap() - head.len()];
                client.read_exact(&mut rest).unwrap();
                let answer = [&[0x80, 1, 0, 0, 0, 10][..], &code.to_be_bytes()].concat();
                client.write_all(&answer).unwrap();
            }
        }
    });
    format!("swtpm:unix:{}", path.display())
}

#[test]
fn a_tpm_that_cannot_be_asked_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["info", "pcrs", "ek"] {
        for (address, why, hint) in [
            ("device:/nonexistent/tpmrm0".to_owned(), "there is no TPM", "firmware's setup"),
            ("none".to_owned(), "no TPM to ask", "--device"),
        ] {
            let said = refused(&[command, "--device", &address]);
            assert!(said.contains(why) && said.contains(hint), "{command}: {said}");
        }
    }
    for (code, hint) in [
        (0x101, "power the machine off and on"),
        (0x921, "lockout"),
        (0x01e, "TPM 1.2"),
        (0x120, ""),
    ] {
        let address = answering(&folder, code);
        let said = refused(&["info", "--device", &address]);
        assert!(said.contains("the TPM answered") && said.contains(hint), "{code:#x}: {said}");
    }
    let output = run(&["info", "--device", "floppy"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("--device names no TPM") && said.contains("device:/dev/tpmrm0"),
        "{said}"
    );
}

#[test]
fn the_environment_of_the_agent_names_the_tpm() {
    let tpm = Swtpm::builder().start().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["tpm", "info", "--json"])
        .env("BOOTPROOF_TPM", tpm.address())
        .output()
        .unwrap();
    let said: Description = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said.address, tpm.address());
}
