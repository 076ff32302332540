//! Each recorded boot gets its verdict, and each of its reasons is found.

use std::process::Command;

use crate::recorded::{NOW, boots, cases, roots};

/// What a careful administrator is warned of also where a boot is sound: lists and keys that are
/// older than today's.
const TRUE_OF_ALL: [&str; 3] = ["dbx-outdated", "ca-2011-only", "sbat-outdated"];

#[test]
#[expect(clippy::print_stderr, reason = "the number of cases is part of the result")]
fn each_recorded_boot_gets_its_verdict_and_reasons() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let cases = cases(&boots);
    let mut wrong = Vec::new();
    for case in &cases {
        let appraisal = cli::judge(&case.folder, &roots, NOW);
        let found: Vec<_> = appraisal.findings.iter().map(|finding| &finding.code).collect();
        if appraisal.verdict != case.expected_verdict() {
            wrong.push(format!("{}: {} {found:?}", case.name, appraisal.verdict));
        }
        for code in case.expected_codes() {
            if !found.contains(&&code) {
                wrong.push(format!("{}: {code} is missing in {found:?}", case.name));
            }
        }
        // What fails a host must be among the reasons, or follow from them.
        if case.expected_verdict() == "accepted" {
            // True of these boots: their firmware revokes next to nothing, and has Microsoft's
            // authorities of 2011 or the owner's, and a shim of its year.
            let is_true = |code: &str| TRUE_OF_ALL.contains(&code);
            let fails = appraisal.findings.iter();
            let fails =
                fails.filter(|finding| finding.severity != "info" && !is_true(&finding.code));
            wrong.extend(fails.map(|finding| format!("{}: {}", case.name, finding.code)));
            assert_eq!(appraisal.facts.secure_boot, Some(true), "{}", case.name);
        }
    }
    eprintln!("{} recorded boots judged, {} wrong", cases.len(), wrong.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(cases.len() >= 60, "only {} cases", cases.len());
}

#[test]
fn the_program_says_the_same_with_its_exit_code() {
    let Some(boots) = boots() else { return };
    for (name, code, verdict) in [
        ("s-golden", 0, "accepted"),
        ("s-sb-off", 1, "not accepted"),
        ("g-notpm", 1, "not accepted"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
            .arg("verify")
            .arg(boots.join(name))
            .arg("--ek-root")
            .arg(boots.join("ca/root.pem"))
            .arg("--json")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{name}");
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(json["verdict"], verdict);
        for finding in json["findings"].as_array().unwrap() {
            assert!(finding["code"].is_string() && finding["severity"].is_string());
            assert!(finding["cause"].is_string() && finding["next_step"].is_string());
        }
        assert!(json["facts"].is_object());
    }
}

#[test]
fn replayed_pcrs_are_those_of_the_tpm() {
    let Some(boots) = boots() else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_bootproof"))
        .args(["eventlog", "--json"])
        .arg(boots.join("f-all-banks/eventlog.bin"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let said = std::fs::read(boots.join("f-all-banks/pcrs.json")).unwrap();
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    for bank in ["sha1", "sha256", "sha384", "sha512"] {
        for pcr in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "14"] {
            assert_eq!(json["pcrs"][bank][pcr], said[bank][pcr], "{bank} {pcr}");
        }
    }
}
