//! Evidence with one byte changed, or cut: never a panic, never a better verdict, and never
//! another fact under the same verdict.

use api::appraisal::{Appraisal, Facts};
use cli::evidence_dir::EvidenceFolder;
use verify::RootStore;

use crate::recorded::{Case, NOW, boots, cases, roots, sum_over};

/// Of sound evidence every byte is changed, and every cut is made. Of the rest every so many: a
/// prime, so that no structure escapes in step with it.
const STRIDE_OF_UNSOUND: usize = 61;

#[derive(Clone, Copy, Debug)]
enum Part {
    Attest,
    Signature,
    AkPublic,
    EkCertificate,
    EventLog,
}

const PARTS: [Part; 5] =
    [Part::Attest, Part::Signature, Part::AkPublic, Part::EkCertificate, Part::EventLog];

fn part(folder: &mut EvidenceFolder, part: Part) -> Option<&mut Vec<u8>> {
    match part {
        Part::Attest => folder.quote.as_mut().map(|(attest, _)| attest),
        Part::Signature => folder.quote.as_mut().map(|(_, signature)| signature),
        Part::AkPublic => folder.ak_public.as_mut(),
        Part::EkCertificate => folder.ek_certificate.as_mut(),
        Part::EventLog => folder.event_log.as_mut(),
    }
}

/// Changes `folder` in place, judges, and changes it back.
fn judge_changed(
    folder: &mut EvidenceFolder,
    which: Part,
    change: impl FnOnce(&mut Vec<u8>),
    roots: &RootStore,
) -> Appraisal {
    let kept = part(folder, which).unwrap().clone();
    change(part(folder, which).unwrap());
    let appraisal = cli::judge(folder, roots, NOW);
    *part(folder, which).unwrap() = kept;
    appraisal
}

/// The facts that a verdict vouches for, without the host's own words.
pub(crate) fn vouched(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    for step in &mut facts.boot {
        step.untrusted_path = None;
        step.kind.clear();
    }
    // Types are no digest's business: a driver called an application is the same measurement.
    facts.boot.sort_by_key(|step| step.event);
    facts.event_log = None;
    facts.interface = None;
    facts
}

fn check(case: &Case, roots: &RootStore, stride: usize) -> usize {
    let mut folder = case.folder.clone();
    let base = cli::judge(&folder, roots, NOW);
    let base_facts = vouched(&base.facts);
    let mut n = 0;
    for which in PARTS {
        let Some(len) = part(&mut folder, which).map(|bytes| bytes.len()) else { continue };
        for at in (0..len).step_by(stride) {
            let place = format!("{} {which:?} byte {at} of {len}", case.name);
            let flipped = judge_changed(&mut folder, which, |bytes| bytes[at] ^= 0xff, roots);
            let cut = judge_changed(&mut folder, which, |bytes| bytes.truncate(at), roots);
            n += 2;
            assert_ne!(cut.verdict, "accepted", "{place}, cut");
            if base.verdict != "accepted" {
                assert_ne!(flipped.verdict, "accepted", "{place}");
            } else if flipped.verdict == "accepted" {
                // Only what no digest covers may change unseen, and no fact may rest on it.
                assert!(matches!(which, Part::EventLog), "{place}");
                if flipped.findings == base.findings {
                    assert_covered_facts_stay(&vouched(&flipped.facts), &base_facts, &place);
                }
            }
        }
    }
    n
}

/// All facts, but that a text or an image of an event whose type was changed may be missing: less
/// is known then, and nothing else.
pub(crate) fn assert_covered_facts_stay(now: &Facts, base: &Facts, place: &str) {
    assert_eq!(now.secure_boot, base.secure_boot, "{place}");
    assert_eq!(now.setup_mode, base.setup_mode, "{place}");
    assert_eq!(now.pcrs, base.pcrs, "{place}");
    assert_eq!(now.quote, base.quote, "{place}");
    for variable in &now.secure_boot_variables {
        assert!(base.secure_boot_variables.contains(variable), "{place}: {variable:?}");
    }
    for step in &now.boot {
        let known = base.boot.iter().find(|known| known.event == step.event);
        let same = known.is_none_or(|known| known.digest == step.digest);
        assert!(same, "{place}: {step:?}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "the number of judgements is part of the result")]
fn no_change_of_a_byte_makes_a_better_verdict() {
    let Some(boots) = boots() else { return };
    let roots = roots(&boots);
    let cases = cases(&boots);
    let judged = sum_over(&cases, |case| {
        let stride = match case.expected_verdict() {
            "accepted" => 1,
            _ => STRIDE_OF_UNSOUND,
        };
        check(case, &roots, stride)
    });
    eprintln!("{judged} changed pieces of evidence judged");
}
