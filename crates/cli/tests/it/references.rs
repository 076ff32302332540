//! References over real quotes: each finding of them, and what they hold off.

use api::appraisal::Appraisal;
use appraise::{Context, Learning, Policy};
use cli::{evidence_dir::EvidenceFolder, judge_with, with_claims};
use event_log::parse;
use findings::Code;
use references::{Applied, Baseline, Scope, State};
use testkit::log::{BootLog, BuiltLog, Entry, Extend};
use tpm_wire::{Digest, PcrSet, TpmAlgId};
use verify::{RootStore, UnixTime};

use crate::{
    finding_cases::Bench,
    recorded::{NOW, cases, roots},
};

/// The findings whose cases are here.
pub(crate) const CODES: [Code; 8] = [
    Code::ReferenceRevoked,
    Code::ReferenceMissing,
    Code::ReferenceChange,
    // In `manifest`.
    Code::ReferenceVendorChange,
    Code::ReferenceExpired,
    Code::ReferenceObsolete,
    Code::ReferenceIgnored,
    Code::ReferenceVaried,
];

fn quoted_pcrs() -> PcrSet {
    (0..=14).collect()
}

fn policy(text: &str) -> Policy {
    policy::read(text).unwrap()
}

fn learn(folder: &EvidenceFolder, roots: &RootStore, learning: Learning) -> Option<Baseline> {
    let policy = Policy::default();
    with_claims(&policy, folder, roots, NOW, |claims| {
        appraise::learn(claims, &Context::default(), &policy, NOW, learning).ok()
    })
}

fn applied(baseline: &Baseline, state: State) -> Applied<'_> {
    Applied {
        name: "r1",
        scope: Scope::Host,
        state,
        accepted_by: "ada",
        accepted_at: Some(NOW),
        until: None,
        baseline,
    }
}

fn codes(appraisal: &Appraisal) -> Vec<(&str, &str)> {
    // The TPM of these tests is a program, which is told.
    let findings = appraisal.findings.iter().filter(|found| found.code != "tpm-virtual");
    findings.map(|finding| (finding.code.as_str(), finding.severity.as_str())).collect()
}

#[test]
fn each_finding_of_references_has_a_case_and_one_that_just_does_not() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let made = BootLog::sound().banks(&[TpmAlgId::SHA256]);
    let sound = bench.evidence(&made.build(), quoted_pcrs());
    let other = made.clone().kernel_cmdline("ro init=/bin/sh").build();
    let other = bench.evidence(&other, quoted_pcrs());
    let mut entries = made.entries();
    let flags = event_log::EventType::PLATFORM_CONFIG_FLAGS;
    entries.insert(1, Entry::of_data(1, flags, b"power on by network"));
    let varied = bench.evidence(&made.build_from(&entries), quoted_pcrs());
    let baseline = learn(&sound, &roots, Learning::Accepted).unwrap();

    let judged = |text: &str, all: &[Applied<'_>], folder: &EvidenceFolder| {
        let appraisal = judge_with(&policy(text), all, folder, &roots, NOW);
        assert_eq!(
            appraisal.verdict == "accepted",
            appraisal.findings.iter().all(|finding| finding.severity != "fail"),
        );
        appraisal
    };
    let is =
        |text: &str, all: &[Applied<'_>], folder: &EvidenceFolder, expected: &[(&str, &str)]| {
            let appraisal = judged(text, all, folder);
            let mut found = codes(&appraisal);
            found.dedup();
            assert_eq!(found, expected, "{text} {appraisal:#?}");
        };
    let active = applied(&baseline, State::Active);
    let with = |state| applied(&baseline, state);
    let fail = |code: Code| [(code.as_str(), "fail")];

    is("", &[active], &sound, &[]);
    is("", &[active], &other, &fail(Code::ReferenceChange));
    is("", &[], &other, &[]);
    is("references.mode = 'off'", &[active], &other, &[]);
    is("references.mode = 'observe'", &[active], &other, &[("reference-change", "warn")]);
    is("references.mode = 'require'", &[], &sound, &fail(Code::ReferenceMissing));
    is("references.mode = 'require'", &[active], &sound, &[]);
    // Neither counts for anything.
    for state in [State::Pending, State::Retired] {
        is("", &[with(state)], &other, &[]);
        is("references.mode = 'require'", &[with(state)], &sound, &fail(Code::ReferenceMissing));
    }
    is("", &[with(State::Revoked)], &sound, &fail(Code::ReferenceRevoked));
    is("references.mode = 'off'", &[with(State::Revoked)], &sound, &fail(Code::ReferenceRevoked));
    is("", &[active, with(State::Revoked)], &sound, &fail(Code::ReferenceRevoked));
    is("", &[with(State::Revoked)], &other, &[]);
    // A host that quotes no more than it must does not hide what it booted.
    let hiding = bench.evidence(&made.build(), crate::finding_cases::boot_pcrs());
    is("", &[with(State::Revoked)], &hiding, &fail(Code::ReferenceRevoked));
    is("", &[with(State::Obsolete)], &sound, &[("reference-obsolete", "warn")]);
    is("", &[with(State::Obsolete), active], &sound, &[]);
    let until = |seconds: i64| Applied { until: Some(UnixTime(NOW.0 + seconds)), ..active };
    is("", &[until(0)], &sound, &fail(Code::ReferenceExpired));
    is("", &[until(1)], &sound, &[]);
    is("", &[until(0), active], &sound, &[]);
    is("", &[active], &varied, &[("reference-varied", "info")]);

    // Any active one may fit, and the result says which.
    let learnt = learn(&other, &roots, Learning::Accepted).unwrap();
    let second = Applied { name: "r2", ..applied(&learnt, State::Active) };
    is("", &[active, second], &other, &[]);
    let fits = judged("", &[active, second], &other).facts.reference.unwrap();
    assert_eq!((&*fits.name, &*fits.state), ("r2", "active"));

    // A change is told in words, with the event.
    let change = judged("", &[active], &other);
    let change = change.findings.iter().find(|f| f.cause.contains("+ init=/bin/sh")).unwrap();
    assert_eq!(change.pcr, Some(8));
    assert!(change.event.is_some());

    // Set aside, with reason and end; GRUB's lines have a subject that is measured.
    let line = |text: &str| {
        let data = format!("grub_cmd: {text}\0");
        Entry::of(8, event_log::EventType::IPL, text.as_bytes(), data.as_bytes())
    };
    let mut entries = made.entries();
    let at = entries.iter().rposition(|entry| entry.pcr_index == 8).unwrap();
    entries.insert(at, line("set timeout=9"));
    let timeout = bench.evidence(&made.build_from(&entries), quoted_pcrs());
    is("", &[active], &timeout, &fail(Code::ReferenceChange));
    let rule = "[[references.ignore]]\npcr = 8\nsubject = 'set timeout=*'\nreason = 'racks'\n";
    let rule = format!("{rule}expires = 2999-01-01");
    is(&rule, &[active], &timeout, &[("reference-change-set-aside", "info")]);
    is(&rule, &[active], &sound, &[]);
}

#[test]
fn nothing_is_learnt_from_what_is_not_accepted() {
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let made = BootLog::sound().banks(&[TpmAlgId::SHA256]);
    let sound = bench.evidence(&made.build(), quoted_pcrs());
    let off = bench.evidence(&made.clone().secure_boot_off().build(), quoted_pcrs());
    assert!(learn(&sound, &roots, Learning::Accepted).is_some());
    for learning in [Learning::Accepted, Learning::Change] {
        assert_eq!(learn(&off, &roots, learning), None, "{learning:?}");
        assert_eq!(learn(&sound, &RootStore::new(), learning), None, "{learning:?}");
        let unsigned = EvidenceFolder { quote: None, ..sound.clone() };
        assert_eq!(learn(&unsigned, &roots, learning), None, "{learning:?}");
        let foreign = EvidenceFolder { nonce: Some(vec![1; 20]), ..sound.clone() };
        assert_eq!(learn(&foreign, &roots, learning), None, "{learning:?}");
    }
    // A change is learnt when a person accepts it; a revoked state never.
    let baseline = learn(&sound, &roots, Learning::Accepted).unwrap();
    let other = made.kernel_cmdline("ro init=/bin/sh").build();
    let other = bench.evidence(&other, quoted_pcrs());
    let learn_against = |all: &[Applied<'_>], learning| {
        let policy = Policy::default();
        with_claims(&policy, &other, &roots, NOW, |claims| {
            let context = Context { references: all, ..Context::default() };
            appraise::learn(claims, &context, &policy, NOW, learning)
        })
    };
    let all = [applied(&baseline, State::Active)];
    assert!(learn_against(&all, Learning::Accepted).is_err());
    let learnt = learn_against(&all, Learning::Change).unwrap();
    let revoked = [applied(&learnt, State::Revoked)];
    assert!(learn_against(&revoked, Learning::Change).is_err());
}

#[test]
fn a_document_is_read_and_written_byte_for_byte() {
    let mut bench = Bench::new("sha256");
    let log = BootLog::sound().banks(&[TpmAlgId::SHA256]).mok_kernel().build();
    let folder = bench.evidence(&log, quoted_pcrs());
    let baseline = learn(&folder, &bench.roots(), Learning::Accepted).unwrap();
    let bytes = report::reference::write(&baseline).unwrap();
    let read = report::reference::read(&bytes).unwrap();
    assert_eq!(read, baseline);
    assert_eq!(report::reference::write(&read).unwrap(), bytes);
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [
        ("bootproof-reference", "other"),
        ("\"version\": 1", "\"version\": 2"),
        ("\"pcr\"", "\"pcrr\""),
        ("\"sha256\"", "\"md5\""),
        ("EV_SEPARATOR", "EV_NOTHING"),
        ("\"measured\": true", "\"measured\": 1"),
        ("learnt", "dreamt"),
    ] {
        let wrong = text.replacen(from, to, 1);
        assert_ne!(wrong, text, "{from}");
        assert!(report::reference::read(wrong.as_bytes()).is_err(), "{from}");
    }
    for cut in (0..text.len() - 2).step_by(97) {
        assert!(report::reference::read(&text.as_bytes()[..cut]).is_err());
    }
}

/// A recorded log as one that can be booted, in the strong bank.
fn recorded_log(bytes: &[u8]) -> BuiltLog {
    let parsed = parse(bytes);
    assert_eq!(parsed.problems, []);
    let events = parsed.log.events().iter().filter(|event| event.is_extended());
    let extends = events.map(|event| Extend {
        pcr_index: event.pcr_index,
        digests: event
            .digests
            .iter()
            .filter(|(alg, _)| *alg == TpmAlgId::SHA256)
            .map(|(alg, digest)| (alg, Digest::new(digest).unwrap()))
            .collect(),
    });
    let extends = extends.collect();
    BuiltLog { bytes: bytes.to_vec(), locality: 0, extends, pcrs: Vec::new() }
}

/// Each forged log of the corpus, quoted by a TPM that was extended with what it says.
#[test]
fn every_adversarial_log_is_refused_under_the_baseline_of_the_control() {
    let Some(corpus) = testkit::corpus::root() else { return };
    let folder = corpus.join("adversarial");
    let mut bench = Bench::new("sha256");
    let roots = bench.roots();
    let control = std::fs::read(folder.join("00-clean-copy.bin")).unwrap();
    let control = bench.evidence(&recorded_log(&control), quoted_pcrs());
    let baseline = with_claims(&Policy::default(), &control, &roots, NOW, |claims| {
        Baseline::learn(&appraise::boot(claims).unwrap()).unwrap()
    });
    let all = [applied(&baseline, State::Active)];
    let judge = |folder: &EvidenceFolder| judge_with(&Policy::default(), &all, folder, &roots, NOW);
    let of_references = |appraisal: &Appraisal| {
        let codes = appraisal.findings.iter().map(|finding| finding.code.clone());
        codes.filter(|code| code.starts_with("reference-")).collect::<Vec<_>>()
    };
    let judged = judge(&control);
    assert_eq!(of_references(&judged), Vec::<String>::new());
    assert_eq!(judged.facts.reference.unwrap().name, "r1");
    let mut n = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".bin") || name.starts_with("00-") {
            continue;
        }
        let log = recorded_log(&std::fs::read(&path).unwrap());
        let forged = judge(&bench.evidence(&log, quoted_pcrs()));
        assert_eq!(forged.verdict, "not accepted", "{name}");
        let told = of_references(&forged);
        assert!(told.contains(&"reference-change".to_owned()), "{name}: {told:?}");
        // The text of the control beside another digest: the log contradicts itself, too.
        let has = |code: &str| forged.findings.iter().any(|finding| finding.code == code);
        assert!(!name.starts_with("01-") || has("event-data"), "{name}");
        n += 1;
    }
    assert_eq!(n, 4);
}

#[test]
fn two_boots_of_one_recorded_machine_fit_each_other() {
    let Some(corpus) = testkit::corpus::root() else { return };
    let boots = corpus.join("boots");
    let roots = roots(&boots);
    let cases = cases(&boots);
    let of = |name: &str| {
        let case = cases.iter().find(|case| case.name.ends_with(name)).unwrap();
        case.folder.clone()
    };
    let (first, again) = (of("a-shim-tis-ms"), of("a-shim-tis-ms-again"));
    let baseline = learn(&first, &roots, Learning::Accepted).unwrap();
    let all = [applied(&baseline, State::Active)];
    let judged = judge_with(&Policy::default(), &all, &again, &roots, NOW);
    assert_eq!(judged.verdict, "accepted", "{:#?}", judged.findings);
    assert_eq!(judged.facts.reference.unwrap().name, "r1");
}
