//! Each key of a policy has a value that changes a verdict and one that just does not; and no
//! policy takes the proof away.

use std::process::{Command, Output};

use api::appraisal::Appraisal;
use appraise::unchangeable;
use cli::{evidence_dir::EvidenceFolder, judge_under};
use findings::{CATALOGUE, Code, Severity};
use testkit::log::BootLog;
use tpm_wire::{Digest, PcrSet, TpmAlgId, command::PcrExtend};
use verify::{RootStore, UnixTime};

use crate::{
    finding_cases::{Bench, boot_pcrs},
    recorded::{NOW, boots, cases, roots},
};

/// After the end of the certificates of software TPMs, the year 9999.
const TOO_LATE: UnixTime = UnixTime(253_402_300_800);

fn judged(policy: &str, folder: &EvidenceFolder, roots: &RootStore, now: UnixTime) -> Appraisal {
    judge_under(&policy::read(policy).unwrap(), folder, roots, now)
}

/// The verdict, and the codes of the findings that fail.
fn verdict(appraisal: &Appraisal) -> (&str, Vec<&str>) {
    let fails = appraisal.findings.iter().filter(|finding| finding.severity == "fail");
    (&appraisal.verdict, fails.map(|finding| finding.code.as_str()).collect())
}

const ACCEPTED: (&str, Vec<&str>) = ("accepted", Vec::new());

fn refused(code: &'static str) -> (&'static str, Vec<&'static str>) {
    ("not accepted", vec![code])
}

#[test]
fn each_key_changes_a_verdict_and_just_does_not() {
    let mut bench = Bench::new("sha256,sha384");
    let roots = bench.roots();
    let both = BootLog::sound().banks(&[TpmAlgId::SHA256, TpmAlgId::SHA384]).build();
    let base = bench.evidence(&both, boot_pcrs());
    let of = |policy: &str, folder: &EvidenceFolder, now| {
        let appraisal = judged(policy, folder, &roots, now);
        let (word, codes) = verdict(&appraisal);
        (word.to_owned(), codes.join(" "))
    };
    let is = |(word, codes): (&str, Vec<&str>)| (word.to_owned(), codes.join(" "));
    assert_eq!(of("", &base, NOW), is(ACCEPTED));

    // pcrs.required: quoted are 0 to 9 and 14.
    let required = |last: u32| format!("[pcrs]\nrequired = [0, 1, 2, 3, 4, 5, 6, 7, {last}]");
    assert_eq!(of(&required(14), &base, NOW), is(ACCEPTED));
    assert_eq!(of(&required(15), &base, NOW), is(refused("pcr-selection")));

    // banks.minimum: both banks were quoted, and one of them only.
    assert_eq!(of("[banks]\nminimum = 'sha384'", &base, NOW), is(ACCEPTED));
    assert_eq!(of("[banks]\nminimum = 'sha512'", &base, NOW), is(refused("pcr-selection")));

    // endorsement.permit_expired.
    let permit = "[endorsement]\npermit_expired = true";
    assert_eq!(of("", &base, TOO_LATE), is(refused("ek-cert-expired")));
    assert_eq!(of(permit, &base, TOO_LATE), is(ACCEPTED));
    let shown = judged(permit, &base, &roots, TOO_LATE);
    let finding = &shown.findings[0];
    assert_eq!((finding.code.as_str(), finding.severity.as_str()), ("ek-cert-expired", "warn"));
    assert_eq!(finding.arguments["permitted"], "endorsement.permit_expired");
    // What is permitted is the date, not another TPM's certificate, and not one of the future.
    let mut foreign = base.clone();
    foreign.enrolled.as_mut().unwrap().ek_spki_sha256 = [0; 32];
    assert_eq!(of(permit, &foreign, TOO_LATE), is(refused("ek-cert-key-mismatch")));
    assert_eq!(of(permit, &base, UnixTime(0)), is(refused("ek-cert-not-yet-valid")));

    // endorsement.approved: a key without a certificate, up to the last second, and no other key.
    let mut absent = base.clone();
    absent.ek_certificate = None;
    let digest = hex::encode(base.enrolled.as_ref().unwrap().ek_spki_sha256);
    let shown = judged("", &absent, &roots, NOW);
    assert_eq!(verdict(&shown), refused("ek-cert-absent"));
    assert_eq!(shown.findings[0].arguments["ek_sha256"], digest.as_str());
    assert!(shown.findings[0].next_step.contains("[[endorsement.approved]]"));
    let approve = |digest: &str| {
        format!(
            "[[endorsement.approved]]\nek_sha256 = '{digest}'\nreason = 'known, ticket 7'\n\
             expires = 2099-02-01\n"
        )
    };
    let ends = 4_073_673_600;
    assert_eq!(of(&approve(&digest), &absent, UnixTime(ends - 1)), is(ACCEPTED));
    assert_eq!(of(&approve(&digest), &absent, UnixTime(ends)), is(refused("ek-cert-absent")));
    assert_eq!(of(&approve(&"ab".repeat(32)), &absent, NOW), is(refused("ek-cert-absent")));
    let shown = judged(&approve(&digest), &absent, &roots, UnixTime(ends - 1));
    let finding = &shown.findings[0];
    assert_eq!((finding.code.as_str(), finding.severity.as_str()), ("ek-cert-absent", "warn"));
    assert_eq!(finding.arguments["approved"], "known, ticket 7");
    assert_eq!(finding.arguments["until"], "2099-02-01");
    let shown = judged(&approve(&digest), &absent, &roots, UnixTime(ends));
    assert_eq!(shown.findings[0].arguments["approval_ended"], "2099-02-01");
    // A certificate that is there and does not hold is no absent one.
    let stranger = judge_under(
        &policy::read(&approve(&digest)).unwrap(),
        &base,
        &RootStore::default(),
        UnixTime(ends - 1),
    );
    assert_eq!(verdict(&stranger), refused("ek-cert-untrusted"));

    // findings.CODE, up to the last second of its waiver.
    let off = bench.evidence(
        &BootLog::sound().banks(&[TpmAlgId::SHA256, TpmAlgId::SHA384]).secure_boot_off().build(),
        boot_pcrs(),
    );
    let waived = "[findings.secure-boot-off]\nseverity = 'info'\nreason = 'lab, ticket 4711'\n\
                  expires = 2099-01-31";
    let ends = 4_073_587_200;
    assert_eq!(of("", &off, NOW), is(refused("secure-boot-off")));
    assert_eq!(of(waived, &off, UnixTime(ends - 1)), is(ACCEPTED));
    assert_eq!(of(waived, &off, UnixTime(ends)), is(refused("secure-boot-off")));
    let shown = judged(waived, &off, &roots, UnixTime(ends - 1));
    let finding = &shown.findings[0];
    assert_eq!((finding.code.as_str(), finding.severity.as_str()), ("secure-boot-off", "info"));
    assert_eq!(finding.arguments["waived"], "lab, ticket 4711");
    assert_eq!(shown.facts.secure_boot, Some(false), "a waiver changes no fact");
    let shown = judged(waived, &off, &roots, UnixTime(ends));
    assert_eq!(shown.findings[0].arguments["waiver_ended"], "2099-01-31");
    assert!(!shown.findings[0].arguments.contains_key("waived"));

    // findings.CODE, raised: an advice becomes a failure.
    let mut crb = base.clone();
    crb.acpi_tpm2.as_mut().unwrap()[48] = 7;
    let raised = |to: &str| format!("[findings.interface-not-fifo]\nseverity = '{to}'");
    assert_eq!(of("", &crb, NOW), is(ACCEPTED));
    assert_eq!(of(&raised("warn"), &crb, NOW), is(ACCEPTED));
    assert_eq!(of(&raised("fail"), &crb, NOW), is(refused("interface-not-fifo")));

    // pcrs.continued: the running system extended PCR 10.
    bench.evidence(&both, boot_pcrs());
    let digests = [TpmAlgId::SHA256, TpmAlgId::SHA384]
        .map(|alg| (alg, Digest::filled(1, alg.digest_len().unwrap()).unwrap()));
    bench.tpm.client().unwrap().run(&PcrExtend { index: 10, digests: &digests }).unwrap();
    let ima = bench.quote(&both, boot_pcrs().with(10));
    assert_eq!(of("", &ima, NOW), is(ACCEPTED));
    assert_eq!(of("[pcrs]\ncontinued = [10]", &ima, NOW), is(ACCEPTED));
    let (word, codes) = of("[pcrs]\ncontinued = [11, 12]", &ima, NOW);
    assert_eq!(word, "not accepted");
    assert!(codes.split(' ').all(|code| code == "log-replay"), "{codes}");

    // banks.minimum once more: each bank by itself must cover what is required.
    let mut weak = Bench::new("sha256");
    let folder = weak.evidence(&BootLog::sound().build(), boot_pcrs());
    let roots = weak.roots();
    let strict = judged("[banks]\nminimum = 'sha384'", &folder, &roots, NOW);
    assert_eq!(verdict(&strict), refused("pcr-selection"));
    assert_eq!(verdict(&judged("", &folder, &roots, NOW)), ACCEPTED);
}

/// A policy that waives whatever can be waived.
fn all_waived() -> String {
    let mut text = String::new();
    for entry in CATALOGUE {
        if unchangeable(entry.code).is_none() && entry.severity != Severity::Info {
            text.push_str(&format!(
                "[findings.{}]\nseverity = 'ignore'\nreason = 'x'\nexpires = 9000-01-01\n",
                entry.name
            ));
        }
    }
    text
}

type Change<'a> = &'a dyn Fn(&mut EvidenceFolder);

#[test]
fn no_policy_accepts_without_a_quote_and_its_log() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let log = BootLog::sound().build();
    let base = bench.evidence(&log, boot_pcrs());
    let policy = policy::read(&all_waived()).unwrap();
    let changed = |change: Change<'_>| {
        let mut folder = base.clone();
        change(&mut folder);
        judge_under(&policy, &folder, &roots, NOW)
    };
    assert_eq!(changed(&|_| {}).verdict, "accepted");
    let other = BootLog::sound().kernel_cmdline("init=/bin/sh").build();
    let cases: [(Code, Change<'_>); 9] = [
        (Code::NoIdentityKey, &|folder| folder.enrolled = None),
        (Code::AkNotEnrolled, &|folder| folder.ak_public = None),
        (Code::NoQuote, &|folder| folder.quote = None),
        (Code::NonceMismatch, &|folder| folder.nonce = None),
        (Code::QuoteSignature, &|folder| {
            *folder.quote.as_mut().unwrap().1.last_mut().unwrap() ^= 1
        }),
        (Code::PcrValues, &|folder| folder.pcrs.clear()),
        (Code::NoEventLog, &|folder| folder.event_log = None),
        (Code::NoEventLog, &|folder| folder.event_log = Some(Vec::new())),
        (Code::LogReplay, &|folder| folder.event_log = Some(other.bytes.clone())),
    ];
    for (code, change) in cases {
        let appraisal = changed(change);
        assert_eq!(appraisal.verdict, "not accepted", "{}", code.as_str());
        let fails = appraisal.findings.iter().filter(|finding| finding.severity == "fail");
        let fails: Vec<_> = fails.map(|finding| finding.code.as_str()).collect();
        assert!(fails.contains(&code.as_str()), "{fails:?}");
    }
    // A quote of too few PCRs.
    let few = bench.quote(&log, PcrSet::EMPTY.with(7));
    let few = judge_under(&policy, &few, &roots, NOW);
    assert_eq!(verdict(&few), refused("pcr-selection"));
}

#[test]
fn recorded_boots_that_prove_nothing_are_refused_under_every_waiver() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let policy = policy::read(&all_waived()).unwrap();
    let fixed = |code: &String| {
        Code::from_name(code).is_some_and(|code| {
            unchangeable(code).is_some() && code.entry().severity == Severity::Fail
        })
    };
    let mut refused = 0;
    for case in cases(&boots) {
        let appraisal = judge_under(&policy, &case.folder, &roots, NOW);
        let by_default = cli::judge(&case.folder, &roots, NOW);
        let codes = |appraisal: &Appraisal| {
            appraisal.findings.iter().map(|finding| finding.code.clone()).collect::<Vec<_>>()
        };
        assert_eq!(codes(&appraisal), codes(&by_default), "{}: what is waived stays", case.name);
        if codes(&appraisal).iter().any(fixed) {
            assert_eq!(appraisal.verdict, "not accepted", "{}", case.name);
            refused += 1;
        }
    }
    assert!(refused >= 20, "only {refused} cases");
}

fn bootproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bootproof")).args(arguments).output().unwrap()
}

#[test]
fn a_file_is_checked_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml").display().to_string();
    assert_eq!(bootproof(&["policy", "check", &file]).status.code(), Some(2), "not there");

    let shown = bootproof(&["policy", "show"]);
    assert_eq!(shown.status.code(), Some(0));
    std::fs::write(&file, &shown.stdout).unwrap();
    assert_eq!(bootproof(&["policy", "check", &file]).status.code(), Some(0));
    let json =
        |output: &Output| -> serde_json::Value { serde_json::from_slice(&output.stdout).unwrap() };
    let checked = json(&bootproof(&["policy", "check", &file, "--json"]));
    assert_eq!(checked, json(&bootproof(&["policy", "show", "--json"])), "both are the default");

    let waiver = "[findings.separator]\nseverity = 'warn'\nreason = 'old'\nexpires = 2020-01-31\n";
    std::fs::write(&file, waiver).unwrap();
    let checked = json(&bootproof(&["policy", "check", &file, "--json"]));
    assert_eq!(checked["valid"], true);
    assert_eq!(checked["findings"][0]["code"], "separator");
    assert_eq!(checked["findings"][0]["ended"], true);
    let text = bootproof(&["policy", "check", &file]);
    assert!(String::from_utf8(text.stdout).unwrap().contains("ended, counts no more"));

    std::fs::write(&file, "[banks]\nminimum = 'sha1'\n").unwrap();
    let bad = bootproof(&["policy", "check", &file]);
    assert_eq!(bad.status.code(), Some(1));
    let stderr = String::from_utf8(bad.stderr).unwrap();
    assert!(stderr.contains("policy.toml:2:11: ") && stderr.contains("\n\nhint: "), "{stderr}");
    let bad = bootproof(&["policy", "check", &file, "--json"]);
    assert_eq!(bad.status.code(), Some(1));
    let bad = json(&bad);
    assert_eq!(
        (&bad["valid"], &bad["line"], &bad["column"]),
        (&false.into(), &2.into(), &11.into())
    );

    // Neither a verdict nor a trial under a bad file: both end before anything else is asked.
    let empty = folder.path().display().to_string();
    for arguments in [&["verify", &empty, "--policy", &file][..], &["policy", "try", &file][..]] {
        let output = bootproof(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("line 2, column 11"), "{stderr}");
    }
}

#[test]
fn verify_judges_by_the_file() {
    let Some(boots) = boots() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    std::fs::write(
        &file,
        "[findings.secure-boot-off]\nseverity = 'warn'\nreason = 'x'\nexpires = 9000-01-01",
    )
    .unwrap();
    let verify = |policy: &[&str]| {
        let evidence = boots.join("s-sb-off").display().to_string();
        let root = boots.join("ca/root.pem").display().to_string();
        let mut arguments = vec!["verify", &evidence, "--ek-root", &root];
        arguments.extend(policy);
        bootproof(&arguments).status.code()
    };
    assert_eq!(verify(&[]), Some(1));
    assert_eq!(verify(&["--policy", file.to_str().unwrap()]), Some(0));
}
