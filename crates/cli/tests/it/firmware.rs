//! `bootproof firmware` on saved trees.

use std::path::PathBuf;
use std::process::{Command, Output};

use api::firmware::Scan;

fn bootproof(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn tree(name: &str) -> Option<String> {
    let root: PathBuf = testkit::corpus::folder("redfish")?;
    Some(root.join(name).to_str().unwrap().to_owned())
}

#[test]
fn a_scan_says_of_each_host_why_not_who_mends_it_and_how_many_restarts() {
    let (Some(dell), Some(gb200)) = (tree("dell"), tree("nvidia_gb200")) else { return };
    let out = bootproof(&["--json", "firmware", "scan", "--tree", &dell, &gb200, "/nowhere"]);
    assert_eq!(out.status.code(), Some(1), "{}", text(&out.stderr));
    let scan: Scan = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((scan.hosts.len(), scan.failed.len()), (2, 1), "what fails hides no other");
    let codes: Vec<_> =
        scan.hosts[0].findings.iter().map(|finding| finding.code.as_str()).collect();
    assert!(codes.contains(&"secure-boot-off") && codes.contains(&"dbx-outdated"), "{codes:?}");
    assert_eq!(scan.hosts[0].menders, ["firmware plan"]);
    assert_eq!(scan.hosts[0].reboots, 1);

    let out = bootproof(&["firmware", "scan", "--tree", &dell, &gb200, "--profile", "esxi-8"]);
    let shown = text(&out.stdout);
    for word in [
        "PowerEdge R750",
        "not ready",
        "secure-boot-off",
        "setup-mode",
        "test-factory-key",
        "interface-unknown",
        "next: ",
    ] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    let widest = shown.lines().filter(|line| line.contains('│')).map(|l| l.chars().count()).max();
    assert!(widest <= Some(120), "a table fits a mail: {widest:?}");
}

#[test]
fn a_plan_is_told_and_written_down() {
    let (Some(dell), Some(supermicro)) = (tree("dell"), tree("supermicro")) else { return };
    let out = bootproof(&["firmware", "plan", "--tree", &dell]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let shown = text(&out.stdout);
    for word in [
        "1 restart",
        "Step 1, then a restart",
        "SecureBoot: Disabled -> Enabled",
        "PCR 7",
        "Left alone",
        "SecureBoot.ResetKeys",
    ] {
        assert!(shown.contains(word), "{word} in {shown}");
    }
    let out = bootproof(&["firmware", "plan", "--tree", &supermicro, "--json"]);
    assert_eq!(out.status.code(), Some(1), "a plan that is blocked");
    let plans: Vec<firmware::plan::Plan> = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!((plans.len(), plans[0].reboots), (1, 0));

    let blocked = text(&bootproof(&["firmware", "plan", "--tree", &supermicro]).stdout);
    assert!(blocked.contains("--installed-for-uefi"), "{blocked}");
}

#[test]
fn what_is_no_tree_is_an_error_with_a_hint() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().to_str().unwrap();
    let out = bootproof(&["firmware", "plan", "--tree", path]);
    assert_eq!(out.status.code(), Some(2));
    let told = text(&out.stderr);
    assert!(told.starts_with("error: ") && told.contains("\n\nhint: "), "{told}");
    assert_eq!(bootproof(&["firmware", "scan", "--tree", path]).status.code(), Some(2));
    assert_eq!(bootproof(&["firmware", "scan"]).status.code(), Some(2), "nothing named");
}

#[test]
fn a_bmcs_words_cannot_steer_the_terminal() {
    let tree = tempfile::tempdir().unwrap();
    let system = r#"{"@odata.type":"ignored","@odata.id":"/redfish/v1/Systems/1","Model":"a\u001b[2Jb","Bios":{}}"#;
    let root = r#"{"Systems":{"@odata.id":"/redfish/v1/Systems"}}"#;
    let systems = r#"{"Members":[{"@odata.id":"/redfish/v1/Systems/1"}]}"#;
    for (folder, body) in [("", root), ("Systems", systems), ("Systems/1", system)] {
        let folder = tree.path().join("redfish/v1").join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("index.json"), body).unwrap();
    }
    let out = bootproof(&["firmware", "scan", "--tree", tree.path().to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2), "nothing that is said fails, and nothing is known");
    assert!(!out.stdout.contains(&0x1b));
    assert!(text(&out.stdout).contains("tpm-not-listed"));
}

#[test]
fn each_finding_of_a_scan_is_explained() {
    for entry in firmware::assess::CODES {
        let out = bootproof(&["explain", entry.name]);
        assert_eq!(out.status.code(), Some(0), "{}", entry.name);
        assert!(text(&out.stdout).contains("Next step"), "{}", entry.name);
    }
}
