//! The program: exit codes, streams, errors with hints.

use std::process::{Command, Output};

use testkit::log::BootLog;

fn bootproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(arguments)
        .env_remove("BOOTPROOF_CONTEXT")
        .env("HOME", "/nonexistent")
        .env_remove("XDG_CONFIG_HOME")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn an_error_says_what_and_then_what_to_do() {
    let output = bootproof(&["host", "list", "--context", "/nonexistent/context.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let stderr = text(&output.stderr);
    assert!(stderr.starts_with("error: "), "{stderr}");
    assert!(stderr.contains("\n\nhint: "), "{stderr}");
    assert!(!stderr.contains('\u{1b}'), "no colour where there is no terminal");
    // What is wrong within a file is drawn, and the hint stands below as elsewhere.
    let folder = tempfile::tempdir().unwrap();
    let context = folder.path().join("context.toml");
    std::fs::write(&context, "server = [").unwrap();
    let output = bootproof(&["whoami", "--context", context.to_str().unwrap()]);
    let stderr = text(&output.stderr);
    assert!(stderr.contains("\n\nhint: ") && !stderr.contains("\n\n\n"), "{stderr}");
    let output = bootproof(&["reference", "show", "no-such"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("hint: name a file, or a reference as"));
}

#[test]
fn a_folder_that_is_not_there_cannot_be_judged() {
    let output = bootproof(&["verify", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is not a folder"));
}

#[test]
fn an_empty_folder_is_not_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let output = bootproof(&["verify", folder.path().to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let codes: Vec<_> =
        json["findings"].as_array().unwrap().iter().map(|f| f["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["no-identity-key", "no-quote", "no-event-log"]);
    assert_eq!(json["facts"]["secure_boot"], serde_json::Value::Null);
    // Most likely another folder is meant; where there is any evidence, it is judged without a word.
    assert!(text(&output.stderr).contains("has no file of evidence"));
    std::fs::write(folder.path().join("nonce"), "00").unwrap();
    let output = bootproof(&["verify", folder.path().to_str().unwrap(), "--json"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), String::new()));
}

#[test]
fn the_verifiers_own_files_must_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    for (file, content) in
        [("enrolled.json", "{"), ("enrolled.json", "{}"), ("nonce", "xyz"), ("pcrs.json", "[]")]
    {
        std::fs::write(folder.path().join(file), content).unwrap();
        let output = bootproof(&["verify", folder.path().to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(text(&output.stderr).contains(file), "{file}");
        std::fs::remove_file(folder.path().join(file)).unwrap();
    }
}

#[test]
fn a_log_is_read_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.bin");
    let built = BootLog::sound().build();
    std::fs::write(&file, &built.bytes).unwrap();
    let output = bootproof(&["eventlog", file.to_str().unwrap(), "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let events = json["events"].as_array().unwrap();
    assert!(events.iter().all(|event| event["decoded"]["kind"].is_string()));
    let bank = &built.pcrs[0];
    for (index, value) in bank.iter() {
        let replayed = &json["pcrs"][bank.alg().to_string()][index.to_string()];
        assert_eq!(replayed, &serde_json::Value::from(value.to_string()), "PCR {index}");
    }

    let output = bootproof(&["eventlog", file.to_str().unwrap()]);
    let shown = text(&output.stdout);
    assert!(shown.contains("EV_EFI_VARIABLE_DRIVER_CONFIG") && shown.contains("SecureBoot: 01"));

    std::fs::write(&file, &built.bytes[..built.bytes.len() - 3]).unwrap();
    let output = bootproof(&["eventlog", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("byte "), "the fault has a place");

    std::fs::write(&file, []).unwrap();
    assert_eq!(bootproof(&["eventlog", file.to_str().unwrap()]).status.code(), Some(2));
}

#[test]
fn one_of_several_logs_is_shown_and_registers_have_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.bin");
    let logs = ["quiet", "debug"].map(|line| BootLog::sound().kernel_cmdline(line).build().bytes);
    std::fs::write(&file, logs.concat()).unwrap();
    let file = file.to_str().unwrap();
    let shown = |arguments: &[&str]| {
        let output = bootproof(&[&["eventlog", file], arguments].concat());
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (exit, last, note) = shown(&[]);
    assert_eq!(exit, Some(0));
    assert!(last.contains("debug") && !last.contains("quiet"), "{last}");
    assert!(note.contains("log 2 of the 2 that the file holds"), "{note}");
    let (exit, first, _) = shown(&["--log", "1"]);
    assert!(exit == Some(0) && first.contains("quiet") && !first.contains("debug"), "{first}");
    assert_eq!(shown(&["--log", "3"]).0, Some(2));
    assert_eq!(shown(&["--log", "0"]).0, Some(2));

    let ccel = folder.path().join("CCEL");
    let mut table = vec![0; 56];
    table[..4].copy_from_slice(b"CCEL");
    table[36] = 2;
    std::fs::write(&ccel, &table).unwrap();
    let (exit, of_guest, _) = shown(&["--ccel", ccel.to_str().unwrap()]);
    assert!(exit == Some(0) && of_guest.contains("RTMR0") && !of_guest.contains("PCR  1"));
    std::fs::write(&ccel, &table[..40]).unwrap();
    assert_eq!(shown(&["--ccel", ccel.to_str().unwrap()]).0, Some(2));
}

#[test]
fn findings_and_response_codes_are_explained() {
    let output = bootproof(&["explain", "no-identity-key"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output.stdout);
    assert!(shown.contains("Cause") && shown.contains("Next step") && shown.contains("reconnect"));

    let output = bootproof(&["explain", "0x18b"]);
    assert!(text(&output.stdout).contains("TPM_RC_HANDLE"));

    let output = bootproof(&["explain", "--json"]);
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(all.as_array().unwrap().len(), findings::CATALOGUE.len());

    let output = text(&bootproof(&["explain", "l01"]).stdout);
    assert!(output.contains("TPM 2 SHA-256 PCR bank") && output.contains("sha256-bank-inactive"));
    let json = text(&bootproof(&["explain", "R01", "--json"]).stdout);
    assert!(json.contains("\"role\": \"symptom\""), "{json}");
    let output = bootproof(&["explain", "nonsense"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!text(&output.stderr).contains("meant?"), "like nothing");
    let mistyped = text(&bootproof(&["explain", "secure-bot-off"]).stderr);
    assert!(mistyped.contains("hint: is `secure-boot-off` meant?"), "{mistyped}");
}

#[test]
fn a_response_code_is_told_with_cause_and_next_step() {
    let output = bootproof(&["tpm", "rc", "0x18b"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output.stdout);
    assert_eq!(shown, text(&bootproof(&["explain", "0x18b"]).stdout));
    for part in ["TPM_RC_HANDLE (handle 1)", "harmless", "NV index", "Next step", "ek-cert-absent"]
    {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    let line = "Error: TPM command error code 0xb0922";
    let output = bootproof(&["tpm", "rc", line, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["hex"], &json["weight"]), (&"0xb0922".into(), &"passing".into()));
    assert_eq!(json["position"], serde_json::Value::Null);
    let output = bootproof(&["tpm", "rc", "0x98e", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["position"], serde_json::json!({ "of": "session", "number": 1 }));
    let output = bootproof(&["tpm", "rc", "no code"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("\n\nhint: "));
}

#[test]
fn of_no_log_nothing_is_said() {
    let output = bootproof(&["diagnose", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!text(&output.stdout).contains("nothing wrong"), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("/nonexistent"));
}

#[test]
fn completions_and_manual_pages_are_there() {
    for shell in ["bash", "zsh", "fish"] {
        let output = bootproof(&["completions", shell]);
        assert!(text(&output.stdout).contains("bootproof"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let output = bootproof(&["man", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(folder.path().join("bootproof-host-attest.1").exists());
    assert_eq!(bootproof(&["no-such-command"]).status.code(), Some(2));
}
