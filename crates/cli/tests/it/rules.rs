//! Rules of a site in Rego: each finding of them, and what they cannot do.

use std::collections::HashMap;

use api::appraisal::Appraisal;
use cli::{evidence_dir::EvidenceFolder, judge_under};
use findings::Code;
use testkit::log::BootLog;
use verify::RootStore;

use crate::{
    finding_cases::{Bench, boot_pcrs},
    recorded::NOW,
};

/// The findings whose cases are here.
pub(crate) const CODES: [Code; 4] =
    [Code::RuleFailed, Code::RuleWarned, Code::RuleTold, Code::RuleError];

fn judged(rego: &str, more: &str, folder: &EvidenceFolder, roots: &RootStore) -> Appraisal {
    let text = format!("package bootproof\n{rego}");
    let files = HashMap::from([("site.rego".to_owned(), text.into_bytes())]);
    let policy = format!("[rules]\nfile = 'site.rego'\n{more}");
    judge_under(&policy::read_with(&policy, &files).unwrap(), folder, roots, NOW)
}

fn codes(appraisal: &Appraisal) -> Vec<(&str, &str)> {
    // The TPM of these tests is a program, which is told.
    let findings = appraisal.findings.iter().filter(|found| found.code != "tpm-virtual");
    findings.map(|finding| (finding.code.as_str(), finding.severity.as_str())).collect()
}

#[test]
fn each_finding_of_rules_has_a_case_and_one_that_just_does_not() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().banks(&[tpm_wire::TpmAlgId::SHA256]).build();
    let sound = bench.evidence(&log, boot_pcrs());
    let cases = [
        (Code::RuleFailed, "fail contains \"no\" if X", "not accepted"),
        (Code::RuleWarned, "warn contains \"no\" if X", "accepted"),
        (Code::RuleTold, "info contains \"so\" if X", "accepted"),
        (Code::RuleFailed, "pass if not X", "not accepted"),
        (
            Code::RuleError,
            "fail contains \"no\" if { X; to_number(input.verdict) > 0 }",
            "not accepted",
        ),
    ];
    for (code, rule, verdict) in cases {
        let on = rule.replace('X', "input.facts.secure_boot == true");
        let appraisal = judged(&on, "", &sound, &roots);
        let severity = code.entry().severity.as_str();
        assert_eq!(codes(&appraisal), [(code.as_str(), severity)], "{rule}");
        assert_eq!(appraisal.verdict, verdict, "{rule}");

        let off = rule.replace('X', "input.facts.secure_boot == false");
        let appraisal = judged(&off, "", &sound, &roots);
        assert_eq!((codes(&appraisal), &*appraisal.verdict), (vec![], "accepted"), "{rule}");
    }
    let told: Vec<_> = cases.iter().map(|(code, ..)| *code).collect();
    assert!(CODES.iter().all(|code| told.contains(code)));
}

#[test]
fn rules_can_make_nothing_better() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().secure_boot_off().banks(&[tpm_wire::TpmAlgId::SHA256]).build();
    let off = bench.evidence(&log, boot_pcrs());
    let appraisal = judged("pass := true\ninfo contains \"fine\"", "", &off, &roots);
    let found = [("secure-boot-off", "fail"), ("rule-told", "info")];
    assert_eq!((codes(&appraisal), &*appraisal.verdict), (found.to_vec(), "not accepted"));
    // A rule sees what was found before it, and a waiver counts for its findings too.
    let waived = "[findings.rule-failed]\nseverity = 'warn'\nreason = 'lab'\nexpires = 9000-01-01\n\
                  [findings.secure-boot-off]\nseverity = 'warn'\nreason = 'lab'\nexpires = 9000-01-01";
    let sees = "fail contains f.code if { some f in input.findings; f.severity != \"info\" }";
    let appraisal = judged(sees, waived, &off, &roots);
    let found = [("secure-boot-off", "warn"), ("rule-failed", "warn")];
    assert_eq!((codes(&appraisal), &*appraisal.verdict), (found.to_vec(), "accepted"));
}

#[test]
fn rules_that_are_none_are_refused_with_their_place() {
    let error = |files: &HashMap<String, Vec<u8>>| {
        policy::read_with("[rules]\nfile = 'site.rego'", files).unwrap_err()
    };
    let with = |text: &str| HashMap::from([("site.rego".to_owned(), text.as_bytes().to_vec())]);
    let err = error(&HashMap::new());
    assert_eq!((err.line, err.column), (2, 8));
    assert!(err.message.contains("site.rego cannot be read"), "{}", err.message);
    assert!(error(&with("package bootproof\nfail := 1")).message.contains("must be a set"));
    assert!(error(&with("package other\nfail contains 1")).message.contains("package other"));
    assert!(error(&with("nonsense")).message.contains("do not compile"));
    assert!(policy::read("[rules]\nfile = 'site.rego'").is_err(), "a policy without its files");
    assert!(policy::read("[ima]\nallow_list = 'a'").is_err(), "without a mode");
    assert!(policy::read("[ima]\nmode = 'enforce'\npcr = 9").is_err(), "a PCR that must replay");
    assert!(policy::read("[ima]\nmode = 'strict'").is_err());
    let off = policy::read("[ima]\nmode = 'off'").unwrap();
    assert_eq!(off, appraise::Policy::default());
}

#[test]
fn the_rules_of_the_manual_work() {
    let manual = include_str!("../../../../docs/policy.md");
    let (_, rego) = manual.split_once("```rego\npackage bootproof\n").unwrap();
    let (rego, _) = rego.split_once("```").unwrap();
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().banks(&[tpm_wire::TpmAlgId::SHA256]).build();
    let sound = bench.evidence(&log, boot_pcrs());
    let appraisal = judged(rego, "", &sound, &roots);
    // A software TPM is not one of theirs.
    assert_eq!(codes(&appraisal), [("rule-failed", "fail")], "{appraisal:?}");
}
