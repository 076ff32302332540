//! A log that is the one of last time: the judgement is the one in full, and nothing else is taken
//! for the same.

use std::sync::Arc;

use appraise::{
    Appraisal, ClockState, Context, HashedLog, LogMemo, Policy, Verdict, appraise,
    appraise_unchanged, examine,
};
use cli::{evidence_dir::EvidenceFolder, with_inputs};
use report::BootSection;
use verify::{CheckedSignature, RootStore, UnixTime, UntrustedAttest};

use crate::recorded::{NOW, boots, cases, roots};

/// What a judgement gives: findings and document.
type Judged = (Appraisal, api::appraisal::Appraisal);
/// What is kept of one: of the log, and the signature of the quote.
type Memo = (LogMemo, BootSection, CheckedSignature);

/// By what evidence is judged.
#[derive(Clone)]
struct By<'a> {
    policy: Arc<Policy>,
    roots: &'a RootStore,
    previous: Option<ClockState>,
    now: UnixTime,
}

impl<'a> By<'a> {
    fn new(policy: Policy, roots: &'a RootStore) -> Self {
        Self { policy: Arc::new(policy), roots, previous: None, now: NOW }
    }

    fn context(&self) -> Context<'_> {
        Context { previous: self.previous.as_ref(), references: &[] }
    }

    /// Judges `folder` in full, and what is to be kept of it.
    fn in_full(&self, folder: &EvidenceFolder) -> (Judged, Option<Memo>) {
        with_inputs(folder, self.roots, |evidence, known, ek, challenge| {
            let claims = examine(evidence, known, ek, challenge, &self.policy, self.now);
            let memo = evidence.event_log.and_then(|log| {
                let log = HashedLog::new(log);
                let context = self.context();
                let memo = LogMemo::of(&log, evidence, &claims, &context, &self.policy, self.now)?;
                let signature = *claims.quote.verified()?.signature();
                Some((memo, signature))
            });
            let appraisal = appraise(&claims, &self.context(), &self.policy, self.now);
            let document = report::appraisal(&claims, &appraisal);
            let boot = BootSection::take(&mut document.clone()).unwrap();
            ((appraisal, document), memo.map(|(memo, signature)| (memo, boot, signature)))
        })
    }

    /// Judges `folder` by `memo` alone; `None` where it does not fit.
    fn by_memo(&self, folder: &EvidenceFolder, kept: &Memo) -> Option<Judged> {
        let (memo, boot, signature) = kept;
        with_inputs(folder, self.roots, |evidence, known, ek, challenge| {
            let log = HashedLog::new(evidence.event_log?);
            let same = memo.fits(&log, evidence, &self.context(), &self.policy)?;
            let same = same.with_signature(Some(*signature));
            let unchanged = same.examine(known, ek, challenge, self.now)?;
            let appraisal = appraise_unchanged(&unchanged, &self.context(), self.now);
            let head = report::unchanged(&unchanged, &appraisal);
            let document = BootSection::put_back(head, boot.as_bytes()).unwrap();
            Some((appraisal, document))
        })
    }

    /// Judges `folder` in both ways, which must give the same where `memo` fits; whether it does.
    fn is_used(&self, folder: &EvidenceFolder, memo: &Memo, name: &str) -> bool {
        let by_memo = self.by_memo(folder, memo);
        if let Some(by_memo) = &by_memo {
            assert_eq!(*by_memo, self.in_full(folder).0, "{name}");
        }
        by_memo.is_some()
    }
}

/// That the second judgement of `folder` is its first.
pub(crate) fn check_same(folder: &EvidenceFolder, roots: &RootStore, now: UnixTime) {
    let by = By { now, ..By::new(Policy::default(), roots) };
    if let (_, Some(memo)) = by.in_full(folder) {
        assert!(by.is_used(folder, &memo, "the same evidence again"));
    }
}

/// Those of the policies that say of logs what the default says.
const SAY_NOTHING_OF_LOGS: [&str; 4] = ["default", "waivers", "ima", "better bank"];

/// Policies that look at what is kept and at what is not.
fn policies() -> Vec<(&'static str, Policy)> {
    // An hour after the time of all judgements here.
    let waived = |code: &str| {
        format!(
            "[findings.{code}]\nseverity = \"ignore\"\nreason = \"a test\"\n\
             expires = 2100-01-01T01:00:00Z\n"
        )
    };
    let texts = [
        ("default", String::new()),
        ("waivers", ["secure-boot-off", "ek-cert-untrusted", "dbx-outdated"].map(waived).concat()),
        ("fewer continued", "[pcrs]\ncontinued = [10]\n".to_owned()),
        ("strict", "[secure_boot]\nminimum_dbx = \"2026-01-01\"\n".to_owned()),
        ("ima", "[ima]\nmode = \"observe\"\n".to_owned()),
        ("references", "[references]\nmode = \"require\"\n".to_owned()),
        ("better bank", "[banks]\nminimum = \"sha384\"\n".to_owned()),
    ];
    texts.map(|(name, text)| (name, policy::read(&text).expect(name))).into()
}

#[test]
fn the_second_judgement_of_a_log_is_the_first() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let (mut n_kept, mut n_bytes_max) = (0, 0);
    for (policy_name, policy) in policies() {
        let by = By::new(policy, &roots);
        for case in cases(&boots) {
            let name = format!("{} under {policy_name}", case.name);
            let ((_, document), memo) = by.in_full(&case.folder);
            let is_kept = document.facts.quote_verified && document.facts.event_log.is_some();
            assert_eq!(is_kept, memo.is_some(), "{name}");
            let Some(memo) = memo else { continue };
            assert!(by.is_used(&case.folder, &memo, &name), "{name}");
            n_bytes_max = n_bytes_max.max(memo.0.n_bytes() + memo.1.n_bytes());
            n_kept += 1;
        }
    }
    assert!(n_kept > 60, "{n_kept}");
    assert!(n_bytes_max < 24 << 10, "{n_bytes_max}");
}

#[test]
fn what_does_not_come_from_the_log_is_judged_anew() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let none = RootStore::new();
    let mut n_changed = 0;
    // The two under which more than the evidence decides: the time, and another list.
    for (policy_name, policy) in
        policies().into_iter().filter(|p| ["waivers", "ima"].contains(&p.0))
    {
        let by = By::new(policy, &roots);
        for case in cases(&boots) {
            let (first, Some(memo)) = by.in_full(&case.folder) else { continue };
            let mut check = |what: &str, by: &By<'_>, folder: &EvidenceFolder| {
                let name = format!("{} under {policy_name}: {what}", case.name);
                assert!(by.is_used(folder, &memo, &name), "{name}");
                n_changed += usize::from(by.in_full(folder).0 != first);
            };
            let at = |now| By { now, ..by.clone() };
            check("when waivers end", &at(UnixTime(NOW.0 + 86_400)), &case.folder);
            check("before certificates begin", &at(UnixTime(0)), &case.folder);
            check("when certificates end", &at(UnixTime(1 << 40)), &case.folder);
            let counters = |reset_count| ClockState {
                clock_ms: u64::MAX,
                reset_count,
                restart_count: 7,
                firmware_version: 1,
            };
            for reset_count in [0, 1, u32::MAX / 2, u32::MAX] {
                let by = By { previous: Some(counters(reset_count)), ..by.clone() };
                check("other counters before", &by, &case.folder);
            }
            check("no anchors", &By { roots: &none, ..by.clone() }, &case.folder);
            let changed = |change: &dyn Fn(&mut EvidenceFolder)| {
                let mut folder = case.folder.clone();
                change(&mut folder);
                folder
            };
            check("no EK certificate", &by, &changed(&|folder| folder.ek_certificate = None));
            check(
                "a CRB",
                &by,
                &changed(&|folder| {
                    if let Some(table) = &mut folder.acpi_tpm2 {
                        table[48] = 7;
                    }
                }),
            );
            check("an IMA list", &by, &changed(&|folder| folder.ima_list = Some(vec![1; 9])));
            check(
                "another TPM",
                &by,
                &changed(&|folder| {
                    folder.tpm = Some(api::agent::TpmProperties {
                        manufacturer: u32::from_be_bytes(*b"IFX\0"),
                        vendor_string: "SLB9665".to_owned(),
                        firmware_version: [0x0005_0033, 0],
                        ak_parent: Some(vec![0, 11, 1].into()),
                    });
                }),
            );
            check(
                "another machine",
                &by,
                &changed(&|folder| {
                    folder.machine = Some(api::machine::Machine {
                        system_vendor: Some("Dell Inc.".to_owned()),
                        ..Default::default()
                    });
                }),
            );
            check("no banks said", &by, &changed(&|folder| folder.active_banks = None));
        }
    }
    assert!(n_changed > 150, "the changes change judgements: {n_changed}");
}

#[test]
fn a_memo_is_used_for_nothing_else() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let by = By::new(Policy::default(), &roots);
    let cases = cases(&boots);
    let kept: Vec<_> =
        cases.iter().filter_map(|case| Some((case, by.in_full(&case.folder).1?))).collect();
    for (case, memo) in &kept {
        let name = &case.name;
        let mut folder = case.folder.clone();
        assert!(by.is_used(&folder, memo, name));
        // Of another policy only what it says of logs has to be the same.
        for (policy_name, other) in policies() {
            let other = By { policy: Arc::new(other), ..by.clone() };
            let is_same = SAY_NOTHING_OF_LOGS.contains(&policy_name);
            assert_eq!(other.is_used(&folder, memo, name), is_same, "{name}: {policy_name}");
        }
        let len = folder.event_log.as_ref().unwrap().len();
        for at in (0..len).step_by(197) {
            folder.event_log.as_mut().unwrap()[at] ^= 1;
            assert!(!by.is_used(&folder, memo, name), "{name}: byte {at} of the log");
            folder.event_log.as_mut().unwrap()[at] ^= 1;
        }
        folder.event_log.as_mut().unwrap().pop();
        assert!(!by.is_used(&folder, memo, name), "{name}: a shorter log");
        folder.event_log.clone_from(&case.folder.event_log);
        // Of the values, those that are not quoted may be any.
        let selection =
            UntrustedAttest::parse(&folder.quote.as_ref().unwrap().0).unwrap().selection;
        let selection = selection.unwrap();
        for i in 0..folder.pcrs.len() {
            let before = folder.pcrs[i].clone();
            let quoted = selection.banks().iter().find(|(alg, _)| *alg == before.alg());
            for index in before.present().iter() {
                let is_quoted = quoted.is_some_and(|(_, pcrs)| pcrs.contains(index));
                folder.pcrs[i].value_mut(index).unwrap()[0] ^= 1;
                assert_eq!(by.is_used(&folder, memo, name), !is_quoted, "{name}: PCR {index}");
                folder.pcrs[i] = before.clone();
            }
        }
        let is_used = |what: &str, change: &dyn Fn(&mut EvidenceFolder)| {
            let mut folder = case.folder.clone();
            change(&mut folder);
            by.is_used(&folder, memo, &format!("{name}: {what}"))
        };
        let area = |n_bytes: u32| {
            move |folder: &mut EvidenceFolder| {
                let mut table = b"TPM2".to_vec();
                table.resize(64, 0);
                table.extend(n_bytes.to_le_bytes());
                folder.acpi_tpm2 = Some(table);
            }
        };
        assert!(!is_used("another area of the log", &area(0x1_2345)), "{name}");
        let userspace = |folder: &mut EvidenceFolder| folder.userspace_log = Some(b"{}".to_vec());
        assert!(!is_used("a log of the running system", &userspace), "{name}");
        assert!(!is_used("no challenge", &|folder| folder.nonce = None), "{name}");
        assert!(
            !is_used("another challenge", &|folder| folder.nonce = Some(vec![9; 20])),
            "{name}"
        );
        assert!(!is_used("no key", &|folder| folder.enrolled = None), "{name}");
        assert!(!is_used("no log", &|folder| folder.event_log = None), "{name}");
        assert!(!is_used("no quote", &|folder| folder.quote = None), "{name}");
        for at in [0, 5, 40] {
            let attest = |folder: &mut EvidenceFolder| folder.quote.as_mut().unwrap().0[at] ^= 1;
            assert!(!is_used("the quote", &attest), "{name}");
        }
        let signature = |folder: &mut EvidenceFolder| folder.quote.as_mut().unwrap().1[20] ^= 1;
        assert!(!is_used("the signature", &signature), "{name}");
        let others = kept.iter().filter(|(other, _)| {
            other.folder.event_log != case.folder.event_log || other.folder.pcrs != case.folder.pcrs
        });
        for (other, _) in others {
            assert!(!by.is_used(&other.folder, memo, name), "{name} for {}", other.name);
        }
    }
    let (accepted, refused): (Vec<_>, Vec<_>) = kept
        .iter()
        .map(|(case, _)| by.in_full(&case.folder).0.0.verdict)
        .partition(|verdict| *verdict == Verdict::Accepted);
    assert!(!accepted.is_empty() && !refused.is_empty(), "sound and unsound evidence");
}
