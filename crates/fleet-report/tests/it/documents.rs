use std::{collections::BTreeMap, process::Command};

use api::fleet_report::{Answer, Report, ReportKind};
use fleet_report::{Attached, attachments, csv, html, json, pdf, sha256};

use crate::sample::{named, report};

const JWS: &str = "eyJ..c2lnbmF0dXJl";

fn made(report: &Report) -> (Vec<u8>, Vec<u8>) {
    let json = json(report).unwrap();
    let pdf = pdf(report, Attached { json: &json, jws: JWS }).unwrap();
    (json, pdf)
}

/// What a program of poppler says of a PDF.
fn poppler(program: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, pdf).unwrap();
    let output = Command::new(program)
        .args(arguments.iter().take_while(|argument| **argument != "FILE"))
        .arg(&path)
        .args(arguments.iter().skip_while(|argument| **argument != "FILE").skip(1))
        .current_dir(folder.path())
        .output()
        .unwrap_or_else(|err| {
            panic!("{program}: {err}; `cargo xtask test` installs poppler-utils")
        });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // It takes a truth value where the standard asks for one, and says that it is none. [PDF 1.7 §14.7.1]
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.replace("Syntax Error: Suspects object is wrong type (boolean)\n", "");
    assert_eq!(said, "", "{program} complains");
    String::from_utf8(output.stdout).unwrap()
}

/// The text, with each run of space as one.
fn text(pdf: &[u8]) -> String {
    let text = poppler("pdftotext", &["FILE", "-"], pdf);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn info(pdf: &[u8]) -> BTreeMap<String, String> {
    let said = poppler("pdfinfo", &[], pdf);
    let pairs = said.lines().filter_map(|line| line.split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()
}

#[test]
fn a_fleet_is_told_from_verdict_to_digest() {
    let report = report(ReportKind::Fleet, 20);
    let (json, pdf) = made(&report);
    if let Ok(folder) = std::env::var("BOOTPROOF_KEEP_REPORTS") {
        std::fs::write(format!("{folder}/fleet.pdf"), &pdf).unwrap();
        let html = html(&report, &sha256(&json)).unwrap();
        std::fs::write(format!("{folder}/fleet.html"), html).unwrap();
    }
    let text = text(&pdf);
    for said in [
        "Secure Boot has done its job on 18 of 20 hosts, and here is how we know.",
        "Secure Boot was off when the machine started",
        "Turn Secure Boot on in the firmware setup",
        "new firmware, ticket 4711",
        "test machines, ticket 12",
        "board comes on Monday",
        "board replaced, ticket 4712",
        "SI-7(10)",
        "ESXI-80-000094",
        "NTC NPCT75x",
        "\\EFI\\debian\\shimx64.efi",
        "2026-09-21 14:13 UTC",
        "Page 1 of ",
    ] {
        assert!(text.contains(said), "{said:?} is not in\n{text}");
    }
    // A digest may be broken into lines.
    assert!(text.replace(' ', "").contains(&sha256(&json)), "the JSON is named");
    let info = info(&pdf);
    assert_eq!(info["Title"], "Secure Boot of the fleet · Bootproof");
    assert_eq!(info["Tagged"], "yes");
    assert_eq!(info["JavaScript"], "no");
    let structure = poppler("pdfinfo", &["-struct"], &pdf);
    for tag in ["H1 \"Secure Boot of the fleet\" (block)", "Table", "TH", "TD"] {
        assert!(structure.contains(tag), "{tag:?} is not in\n{structure}");
    }
}

#[test]
fn json_and_signature_are_attached_as_they_are() {
    let (json, pdf) = made(&report(ReportKind::Compliance, 3));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.pdf");
    std::fs::write(&path, &pdf).unwrap();
    let done = Command::new("pdfdetach")
        .arg("-saveall")
        .arg(&path)
        .current_dir(folder.path())
        .status()
        .unwrap();
    assert!(done.success());
    assert_eq!(std::fs::read(folder.path().join("report.json")).unwrap(), json);
    assert_eq!(std::fs::read(folder.path().join("report.jws")).unwrap(), JWS.as_bytes());
    // We read them as others do, and nothing that is cut or changed makes us stumble.
    assert!(attachments(&pdf) == Some((json.clone(), JWS.to_owned())));
    for len in (0..pdf.len()).step_by(97) {
        let cut = attachments(&pdf[..len]);
        assert!(cut.is_none_or(|cut| cut == (json.clone(), JWS.to_owned())));
    }
    for at in (0..pdf.len()).step_by(97) {
        let mut changed = pdf.clone();
        changed[at] ^= 0x55;
        attachments(&changed);
    }
}

#[test]
fn each_kind_is_made_of_no_host_of_one_and_of_many() {
    for kind in ReportKind::ALL {
        let mut n_pages = Vec::new();
        for n in [0, 1, 150] {
            let report = report(kind, if kind == ReportKind::Host { n.min(1) } else { n });
            let (json, pdf) = made(&report);
            if let (Ok(folder), true) = (std::env::var("BOOTPROOF_KEEP_REPORTS"), n == 150) {
                std::fs::write(format!("{folder}/{}.pdf", kind.as_str()), &pdf).unwrap();
            }
            assert_eq!(made(&report).1, pdf, "the same report makes the same bytes");
            let text = text(&pdf);
            if n == 0 {
                let said = "There is no host in this report, so it proves nothing of any.";
                assert!(text.contains(said), "{kind:?}\n{text}");
            }
            n_pages.push(info(&pdf)["Pages"].parse::<usize>().unwrap());
            let read: Report = serde_json::from_slice(&json).unwrap();
            assert_eq!(read, report);
            let html = String::from_utf8(html(&report, &sha256(&json)).unwrap()).unwrap();
            assert!(html.contains(&sha256(&json)) && !html.contains("<script"));
            let csv = csv(&report, &sha256(&json)).unwrap();
            let mut lines = csv::Reader::from_reader(csv.as_slice());
            assert!(lines.records().all(|line| line.is_ok()));
        }
        assert!(n_pages.is_sorted(), "{kind:?}: {n_pages:?}");
        assert!(n_pages[0] >= 1 && n_pages[2] <= 80, "{kind:?}: {n_pages:?}");
    }
}

#[test]
fn a_hostile_name_is_text_that_steers_nothing_and_takes_no_room() {
    let hostile = [
        "<img src=x onerror=alert(1)>",
        "=cmd|'/c calc'!A1",
        "a\u{202e}fdp.exe\u{200b}",
        "\u{1b}[2J\0\r\nbell\u{7}",
        "主機 שלום",
        &"W".repeat(1 << 20),
        "(parens) \\escapes % and >> <<",
    ];
    let report = named(ReportKind::Fleet, hostile.iter().map(|name| (*name).to_owned()).collect());
    let (json, pdf) = made(&report);
    let text = text(&pdf);
    let without_breaks = text.replace(' ', "");
    assert!(without_breaks.contains("a\\u{202e}fdp.exe\\u{200b}"), "{text}");
    assert!(without_breaks.contains("\\u{1b}[2J\\u{0}\\u{d}bell\\u{7}"), "{text}");
    assert!(without_breaks.contains("\\u{4e3b}\\u{6a5f}"), "{text}");
    assert!(text.contains("more characters)"), "{text}");
    assert!(info(&pdf)["Pages"].parse::<usize>().unwrap() < 20);
    let html = String::from_utf8(html(&report, &sha256(&json)).unwrap()).unwrap();
    assert!(html.contains("&lt;img src=x") && !html.contains("<img"), "{html}");
    assert!(!html.contains('\u{202e}') && html.len() < 400_000);
    let csv = csv(&report, &sha256(&json)).unwrap();
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let names: Vec<String> = reader.records().map(|line| line.unwrap()[0].to_owned()).collect();
    assert_eq!(names[1], "'=cmd|'/c calc'!A1");
    assert_eq!(names[3], " [2J   bell ");
    assert!(names.iter().all(|name| !name.contains(char::is_control)));
}

#[test]
fn what_was_not_checked_is_never_met() {
    let report = report(ReportKind::Compliance, 3);
    let by_id = |id: &str| report.controls.iter().find(|control| control.id == id).unwrap();
    let nine = by_id("SI-7(9)").answers;
    assert_eq!((nine.met, nine.not_met, nine.not_checked), (1, 1, 1));
    let ten = by_id("SI-7(10)").answers;
    assert_eq!((ten.met, ten.not_checked), (0, 3), "no host has a reference");
    assert_eq!(by_id("ESXI-80-000238").answers.not_applicable, 3);
    let unjudged = &report.hosts[2];
    assert!(unjudged.readiness.values().all(|answer| *answer == Answer::NotChecked));
}

#[test]
fn many_hosts_fit() {
    // 10,000 are for the benchmark: `cargo bench -p server --bench report`.
    let (_, pdf) = made(&report(ReportKind::Fleet, 1_000));
    let n_pages = info(&pdf)["Pages"].parse::<usize>().unwrap();
    assert!((100..400).contains(&n_pages), "{n_pages}");
}
