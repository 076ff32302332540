//! Order, attempts and missing parts of a boot -> findings. Digests cover the order of the events of
//! one PCR; what rests on the order of two is told as what the log says.

use boot_claims::{Belief, BootActionKind, BootClaims, Image, ImageKind, Misplaced, State};
use efi::Guid;
use findings::{Argument, Code, Finding};

pub(crate) fn findings(boot: &BootClaims<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(loader(boot));
    findings.extend(boot.late.map(|late| misplaced(Code::MeasuredLate, late)));
    findings.extend(boot.early.map(|early| misplaced(Code::MeasuredEarly, early)));
    findings.extend(attempts(boot));
    findings
}

fn misplaced(code: Code, found: Misplaced) -> Finding {
    Finding::new(code)
        .in_pcr(found.pcr_index)
        .in_event(found.first)
        .with("events", Argument::count(found.n))
}

/// Whether an application stands behind the separator of its own PCR: a loader that was started
/// before the firmware let go of that PCR may have measured what is taken for the firmware's.
fn is_loader(boot: &BootClaims<'_>, image: &Image<'_>) -> bool {
    let pcr = usize::try_from(image.pcr_index).ok();
    let separator = pcr.and_then(|pcr| boot.separators.get(pcr)).copied().flatten();
    image.untrusted_kind == ImageKind::Application
        && image.digest.is_some()
        // Without a separator the finding of that says enough.
        && separator.is_none_or(|separator| separator.event < image.event)
}

/// A boot without a loader that was measured, or with one that nothing allowed.
fn loader(boot: &BootClaims<'_>) -> Option<Finding> {
    if !boot.replayed_pcrs.contains(4) {
        return None;
    }
    if !boot.images.iter().any(|image| is_loader(boot, image)) {
        let mut applications = boot.boot_applications().filter(|image| image.digest.is_some());
        let finding = Finding::new(Code::BootApplicationMissing).in_pcr(4);
        return Some(match applications.next() {
            Some(early) => finding
                .in_event(early.event)
                .because("each was loaded before the firmware let go of the register"),
            None => finding.because("none was measured"),
        });
    }
    // Each authority is told once in a boot, so one for all that was loaded is enough.
    let of_database = |authority: &boot_claims::Authority<'_>| {
        authority.belief == Belief::Verified && authority.guid == Guid::IMAGE_SECURITY_DATABASE
    };
    let is_missing =
        boot.secure_boot.state == State::On && !boot.authorities.iter().any(of_database);
    is_missing.then(|| Finding::new(Code::AuthorityMissing).in_pcr(7))
}

fn attempts(boot: &BootClaims<'_>) -> Option<Finding> {
    let is_return = |action: &&boot_claims::BootAction| {
        action.kind == BootActionKind::Returned && action.belief == Belief::Verified
    };
    let mut returned = boot.boot_actions.iter().filter(is_return);
    let first = returned.next()?;
    let n = returned.count().saturating_add(1);
    let finding = Finding::new(Code::BootAttemptFailed).in_pcr(4).in_event(first.event);
    Some(finding.with("attempts", Argument::count(n)))
}
