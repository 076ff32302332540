//! Files that are policies, and files that are not, with the place of the fault.

use appraise::{BankMinimum, ExpiredEndorsement, Policy};
use findings::{CATALOGUE, Code, Severity};
use policy::{PolicyError, defaults, load, read};
use tpm_wire::PcrSet;
use verify::UnixTime;

fn fault(text: &str) -> PolicyError {
    match read(text) {
        Err(err) => err,
        Ok(policy) => panic!("{text}\nis a policy: {policy:?}"),
    }
}

/// Line and column of the fault in `text`, and words that must be in its message.
fn faulty(text: &str, line: usize, column: usize, words: &str) -> PolicyError {
    let err = fault(text);
    assert_eq!((err.line, err.column), (line, column), "{text}\n{err}");
    assert!(err.message.contains(words), "{err}");
    err
}

#[test]
fn nothing_and_the_printed_defaults_are_the_default() {
    assert_eq!(read("").unwrap(), Policy::default());
    assert_eq!(read(&defaults()).unwrap(), Policy::default());
    for entry in CATALOGUE {
        assert!(defaults().contains(entry.name), "{} is not shown", entry.name);
    }
}

#[test]
fn each_commented_key_of_the_defaults_is_one() {
    // The examples with their comment signs taken away.
    let lines = defaults();
    let start = lines.find("# [findings.").unwrap();
    let examples = lines[start..].lines().take(4).map(|line| line.trim_start_matches("# "));
    let examples = examples.collect::<Vec<_>>().join("\n");
    let policy = read(&format!("[verdict]\ngood_for_s = 600\n{examples}")).unwrap();
    assert_eq!(policy.verdict_good_for_s, Some(600));
    assert_eq!(policy.waivers().next().unwrap().0, Code::SecureBootOff);
}

#[test]
fn every_key_is_heeded() {
    let policy = read(
        "[pcrs]
required = [0, 1, 2, 3, 4, 5, 6, 7, 14]
continued = [10]
[banks]
minimum = 'sha384'
[endorsement]
permit_expired = true
[verdict]
good_for_s = 7
[findings.secure-boot-off]
severity = 'warn'
reason = 'lab'
expires = 2027-01-31
[findings.log-padding]
severity = 'fail'
reason = 'a remark'
[findings.log-continued]
severity = 'ignore'
reason = 'known'
expires = '2027-01-31T12:00:00+01:00'
",
    )
    .unwrap();
    assert_eq!(policy.required_pcrs(), PcrSet::FIRMWARE.with(14));
    assert_eq!(policy.continued_pcrs(), PcrSet::EMPTY.with(10));
    assert_eq!(policy.minimum_bank(), BankMinimum::Sha384);
    assert_eq!(policy.expired_endorsement(), ExpiredEndorsement::Permit);
    assert_eq!(policy.verdict_good_for_s, Some(7));
    assert_eq!(policy.raised().collect::<Vec<_>>(), [(Code::LogPadding, Severity::Fail)]);
    let waivers: Vec<_> =
        policy.waivers().map(|(code, severity, waiver)| (code, severity, waiver.expires)).collect();
    assert_eq!(
        waivers,
        [
            (Code::LogContinued, Severity::Ignore, UnixTime(1_801_393_200)),
            (Code::SecureBootOff, Severity::Warn, UnixTime(1_801_440_000)),
        ]
    );
}

#[test]
fn a_bad_file_gives_line_and_column() {
    faulty("[pcrs\n", 1, 6, "");
    faulty("[pcrs]\nrequird = [0]\n", 2, 1, "unknown field `requird`");
    faulty("[pcr]\n", 1, 2, "unknown field `pcr`");
    faulty("[pcrs]\nrequired = '0-7'\n", 2, 12, "invalid type");
    faulty("[pcrs]\nrequired = [0, 24]\n", 2, 16, "0 to 23");
    faulty("[pcrs]\nrequired = [0, 0]\n", 2, 16, "twice");
    faulty("[pcrs]\nrequired = [0, -1]\n", 2, 16, "");
    faulty("[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6]\n", 2, 12, "PCR 7 must be required");
    faulty("[pcrs]\nrequired = []\n", 2, 12, "PCR 0-7 must be required");
    faulty("[pcrs]\ncontinued = [10, 7]\n", 2, 13, "PCR 7 must replay");
    faulty("[pcrs]\ncontinued = [8, 9, 14, 23]\n", 2, 13, "PCR 8,9,14 must replay");
    let err = faulty("[banks]\nminimum = 'sha1'\n", 2, 11, "minimum must be");
    assert!(err.hint.unwrap().contains("collides"));
    faulty("[endorsement]\npermit_expired = 1\n", 2, 18, "invalid type");
    let approved = |digits: &str, rest: &str| {
        format!("[[endorsement.approved]]\nek_sha256 = '{digits}'\n{rest}")
    };
    let (digits, rest) = ("ab".repeat(32), "reason = 'x'\nexpires = 2027-01-31\n");
    assert_eq!(read(&approved(&digits, rest)).unwrap().approved_eks()[0].ek_sha256, [0xab; 32]);
    for wrong in [&digits[1..], &format!("+{}", &digits[1..]), &format!("{digits}ab"), ""] {
        let err = faulty(&approved(wrong, rest), 2, 13, "64 hexadecimal digits");
        assert!(err.hint.unwrap().contains("ek-cert-absent"));
    }
    faulty(&approved(&digits, "reason = 'x'\n"), 1, 1, "missing field `expires`");
    faulty(&approved(&digits, "expires = 2027-01-31\n"), 1, 1, "missing field `reason`");
    let twice = [approved(&digits, rest), approved(&digits.to_uppercase(), rest)].concat();
    faulty(&twice, 6, 13, "approved twice");
    faulty("[verdict]\ngood_for_s = 0\n", 2, 14, "1 to");
    faulty("[verdict]\ngood_for_s = 31622401\n", 2, 14, "1 to");
    assert!(read("[verdict]\ngood_for_s = 31622400\n").is_ok());
    // Columns count characters, not bytes.
    faulty("findings.\"\u{fc}\u{fc}\" = { severity = 'none' }\n", 1, 10, "there is no finding");
    faulty("[findings.separator]\nseverity = 'none'\n", 2, 12, "severity must be");
    faulty("[findings.separator]\nreason = 'x'\n", 1, 1, "missing field `severity`");
    faulty("[findings.separator]\nseverity = 'fail'\nuntil = 1\n", 3, 1, "unknown field");
    faulty("[findings.separator]\nseverity = 'fail'\nseverity = 'warn'\n", 3, 1, "duplicate key");
    let large = format!("#{}", "x".repeat(policy::POLICY_BYTES_MAX));
    faulty(&large, 1, 1, "bytes at most");
    assert!(read(&large[1..].replacen('x', "#", 1)).is_ok());
}

#[test]
fn an_unknown_finding_is_refused_with_the_one_that_was_meant() {
    let err = faulty("[findings.secure-bot-off]\nseverity = 'fail'\n", 1, 11, "secure-bot-off");
    assert_eq!(err.hint.as_deref(), Some("did you mean secure-boot-off?"));
    let err = faulty("\n[findings.xyz]\nseverity = 'fail'\n", 2, 11, "xyz");
    assert!(err.hint.unwrap().contains("bootproof explain"), "no wild guess");
}

#[test]
fn lowering_takes_a_reason_and_an_end() {
    let with = |rest: &str| format!("[findings.separator]\nseverity = 'warn'\n{rest}");
    faulty(&with(""), 2, 12, "takes a reason and an expiry");
    faulty(&with("reason = 'x'"), 2, 12, "takes a reason and an expiry");
    faulty(&with("expires = 2027-01-31"), 2, 12, "takes a reason and an expiry");
    faulty(&with("expires = 2027-01-31\nreason = ' '"), 4, 10, "a reason says something");
    faulty(&with("expires = 2027-01-31\nreason = \"a\\nb\""), 4, 10, "one line");
    faulty(&with("reason = 'x'\nexpires = 2027"), 4, 11, "date of RFC 3339");
    faulty(&with("reason = 'x'\nexpires = 'soon'"), 4, 11, "date of RFC 3339");
    faulty(&with("reason = 'x'\nexpires = 2027-01-31T00:00:00"), 4, 11, "date of RFC 3339");
    assert!(read(&with("reason = 'x'\nexpires = 2027-01-31")).is_ok());
    let raised = "[findings.log-padding]\nseverity = 'warn'\n";
    assert!(read(raised).is_ok(), "more severe needs nobody's leave");
    faulty(&format!("{raised}expires = 2027-01-31"), 2, 12, "nothing to waive");
}

#[test]
fn what_proves_the_rest_cannot_be_changed() {
    // Written out here once more, by hand: the table of the product must not shrink unseen.
    let fixed = [
        "no-identity-key",
        "ak-not-enrolled",
        "ak-unfit",
        "ek-cert-key-mismatch",
        "no-quote",
        "quote-parse",
        "quote-magic",
        "quote-type",
        "quote-signature",
        "nonce-mismatch",
        "pcr-selection",
        "pcr-digest",
        "pcr-values",
        "sha256-bank-inactive",
        "sha256-not-quoted",
        "no-event-log",
        "log-replay",
        "rule-error",
        "reference-revoked",
        "key-weak-roca",
        "qualified-signer",
        "tpm-fault",
        "ek-changed",
        "state-copied",
        "ak-renewed",
        "no-tpm",
        "awaiting-approval",
        "never-appraised",
        "verdict-expired",
    ];
    for code in fixed {
        let text =
            format!("[findings.{code}]\nseverity = 'warn'\nreason = 'x'\nexpires = 2027-01-31\n");
        faulty(&text, 1, 11, "cannot be changed by a policy");
    }
    for entry in CATALOGUE.iter().filter(|entry| entry.severity != Severity::Info) {
        let text = format!(
            "[findings.{}]\nseverity = 'info'\nreason = 'x'\nexpires = 2027-01-31\n",
            entry.name
        );
        assert_eq!(read(&text).is_err(), fixed.contains(&entry.name), "{}", entry.name);
    }
}

#[test]
fn the_document_has_every_key_and_every_fixed_finding() {
    let document = include_str!("../../../docs/policy.md");
    for key in [
        "pcrs.required",
        "pcrs.continued",
        "banks.minimum",
        "endorsement.permit_expired",
        "endorsement.approved",
        "verdict.good_for_s",
        "ima.mode",
        "ima.pcr",
        "ima.allow_list",
        "ima.signers",
        "references.mode",
        "references.pcrs",
        "references.ignore",
        "rules.file",
        "findings.CODE.severity",
        "findings.CODE.reason",
        "findings.CODE.expires",
    ] {
        assert!(document.contains(&format!("| `{key}` |")), "{key}");
    }
    let (_, table) = document.split_once("## What no policy changes").unwrap();
    for entry in CATALOGUE {
        let fixed = appraise::unchangeable(entry.code).is_some();
        assert_eq!(table.contains(&format!("`{}`", entry.name)), fixed, "{}", entry.name);
    }
}

#[test]
fn one_finding_is_decided_once() {
    let rule =
        "[findings.ek-cert-expired]\nseverity = 'info'\nreason = 'x'\nexpires = 2027-01-31\n";
    faulty(&format!("{rule}[endorsement]\npermit_expired = true\n"), 6, 18, "decided twice");
    assert!(read(&format!("{rule}[endorsement]\npermit_expired = false\n")).is_ok());
}

#[test]
fn a_file_is_named_where_it_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.toml");
    assert!(load(&path).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&path, [0xff]).unwrap();
    assert!(load(&path).unwrap_err().to_string().contains("cannot be read"));
    std::fs::write(&path, "[").unwrap();
    let err = load(&path).unwrap_err();
    assert!(err.to_string().contains("policy.toml is not a policy") && err.hint().is_some());
    std::fs::write(&path, "#".repeat(policy::POLICY_BYTES_MAX + 2)).unwrap();
    assert!(load(&path).is_err());
    std::fs::write(&path, defaults()).unwrap();
    assert_eq!(load(&path).unwrap().0, Policy::default());
}

#[test]
fn no_cut_and_no_changed_byte_is_a_panic() {
    let text = defaults();
    for at in 0..text.len() {
        if let Some(cut) = text.get(..at) {
            drop(read(cut));
        }
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 0x21;
        if let Ok(changed) = String::from_utf8(bytes) {
            drop(read(&changed));
        }
    }
}

#[test]
fn references_are_read_with_their_rules() {
    use references::{Mode, Rules};
    assert_eq!(policy::read("").unwrap().references, Rules::default());
    let text = "[references]\nmode = 'require'\npcrs = [0, 8]\n[[references.ignore]]\npcr = 8\n\
                subject = 'set timeout=*'\nreason = 'racks'\nexpires = 2027-01-31\n";
    let rules = policy::read(text).unwrap().references;
    assert_eq!((rules.mode, rules.pcrs.iter().collect::<Vec<_>>()), (Mode::Require, vec![0, 8]));
    let [rule] = &rules.ignore[..] else { panic!("{rules:?}") };
    assert_eq!((rule.pcr_index, &*rule.subject, &*rule.reason), (8, "set timeout=*", "racks"));
    assert_eq!(rule.expires.0, 1_801_440_000);
    let ignore = |more: &str| format!("[[references.ignore]]\npcr = 8\nsubject = 'x'\n{more}");
    for (wrong, line) in [
        ("references.mode = 'perhaps'".to_owned(), 1),
        ("references.pcrs = []".to_owned(), 1),
        ("references.pcrs = [24]".to_owned(), 1),
        ("references.what = 1".to_owned(), 1),
        (ignore("reason = 'r'"), 1),
        (ignore("reason = ''\nexpires = 2027-01-31"), 4),
        (ignore("reason = 'r'\nexpires = 'soon'"), 5),
        (text.replace("'set timeout=*'", "'*'"), 6),
        (text.replace("pcr = 8", "pcr = 5"), 5),
    ] {
        let err = policy::read(&wrong).unwrap_err();
        assert_eq!(err.line, line, "{wrong}: {err}");
    }
}

#[test]
fn schedules_are_read_in_their_order() {
    let policy = read(
        "[[schedule]]
labels = { site = 'muc', role = 'pay' }
interval_s = 60
jitter_pct = 0
verdict_good_for_s = 60
[[schedule]]
labels = { site = 'muc' }
interval_s = 3600
[[schedule]]
interval_s = 600
",
    )
    .unwrap();
    let read: Vec<_> = policy
        .schedules
        .iter()
        .map(|known| {
            (known.labels.len(), known.interval_s, known.jitter_pct, known.verdict_good_for_s)
        })
        .collect();
    assert_eq!(read, [(2, 60, 0, 60), (1, 3600, 10, 7200), (0, 600, 10, 1200)]);
}

#[test]
fn a_schedule_that_cannot_be_kept_is_none() {
    faulty("[[schedule]]\ninterval_s = 0", 2, 14, "1 to 2592000");
    faulty("[[schedule]]\ninterval_s = 2592001", 2, 14, "1 to 2592000");
    faulty("[[schedule]]\ninterval_s = 60\njitter_pct = 51", 3, 14, "0 to 50");
    // Up to 66 seconds may be between two of them.
    let counts =
        |seconds: u64| format!("[[schedule]]\ninterval_s = 60\nverdict_good_for_s = {seconds}");
    assert!(read(&counts(66)).is_ok());
    faulty(&counts(65), 3, 22, "66 to");
    faulty("[[schedule]]\ninterval_s = 60\nlabels = { 'a b' = 'c' }", 3, 12, "key");
    faulty("[[schedule]]\ninterval_s = 60\nlabels = { a = '' }", 3, 12, "value");
    faulty("[[schedule]]\ninterval_s = 60\nevery = 1", 3, 1, "unknown field");
    assert!(fault("[[schedule]]\nlabels = {}").message.contains("interval_s"));
    let one = "[[schedule]]\ninterval_s = 60\nlabels = { site = 'muc' }\n";
    let narrower = "[[schedule]]\ninterval_s = 9\nlabels = { site = 'muc', rack = '7' }\n";
    assert!(read(&format!("{narrower}{one}")).is_ok());
    faulty(&format!("{one}{narrower}"), 5, 14, "number 1 takes them all");
    let all = "[[schedule]]\ninterval_s = 60\n";
    faulty(&format!("{all}{one}"), 4, 14, "number 1");
    let many: String = (0..65)
        .map(|n| format!("[[schedule]]\nlabels = {{ n = '{n}' }}\ninterval_s = 60\n"))
        .collect();
    assert!(fault(&many).message.contains("at most 64"));
}
