//! What was expected of this host -> findings.

use findings::{Argument, Code, Finding, Severity};
use references::{Applied, Boot, Change, Comparison, Mode, Origin, Rules, State};
use tpm_wire::PcrSet;
use verify::UnixTime;

use crate::claims::{Claims, LogStatus};

/// References of one host that are looked at: the store keeps 64 of its own and 64 of its cohort.
/// More are a fault of the store, and the first are taken.
const APPLIED_MAX: usize = 128;

/// References that do not fit and are still compared event by event, to tell what changed from the
/// closest one.
const EXPLAINED_MAX: usize = 4;

/// Changes that are findings of their own; past that one finding says how many more.
const LISTED_MAX: usize = 24;

/// Changes in PCRs that need not be equal, of which one finding tells.
const VARIED_MAX: usize = 6;

/// What is known of the host beside its evidence.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The counters of the last accepted quote under the same key.
    pub previous: Option<&'a crate::ClockState>,
    /// The references that apply to the host, in whatever state.
    pub references: &'a [Applied<'a>],
}

/// The reference that a boot fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Its name.
    pub name: String,
    /// Active or obsolete.
    pub state: State,
    /// The PCRs that were compared, and are equal but for what is set aside.
    pub pcrs: PcrSet,
}

/// What `references` say of the boot, and the one that it fits.
///
/// In order: a revoked one that the boot fits; those of the site; those of vendors. Vendors only ask
/// for more: what their manifests say of the firmware is held beside what the site accepted, one never
/// stands for the other, and theirs are not what a policy means that requires a reference.
pub(crate) fn findings(
    claims: &Claims<'_>,
    references: &[Applied<'_>],
    rules: &Rules,
    now: UnixTime,
) -> (Vec<Finding>, Option<Matched>) {
    let mut findings = Vec::new();
    let all = references.get(..APPLIED_MAX).unwrap_or(references);
    let accepting = all.iter().filter(|applied| applied.state.accepts());
    let (vendors, own): (Vec<_>, Vec<_>) = accepting.partition(|applied| is_of_vendor(applied));
    if rules.mode == Mode::Require && own.is_empty() {
        findings.push(Finding::new(Code::ReferenceMissing));
    }
    // Without a quote nothing of the boot is proved, and findings of their own say so.
    let Some(boot) = boot(claims) else { return (findings, None) };
    for revoked in all.iter().filter(|applied| applied.state == State::Revoked) {
        let agreement = revoked.baseline.agrees_by_digests(&boot, rules.pcrs);
        // Hosts are asked to quote what a policy holds: what they do not tell does not help them.
        let may_be = rules.mode != Mode::Off
            && agreement.differing.is_empty()
            && !agreement.equal.is_empty();
        let fits = may_be
            || agreement.is_match()
            || (!agreement.differing.is_empty()
                && revoked.baseline.compare(&boot, rules, now).is_match());
        if fits {
            findings.push(of(Code::ReferenceRevoked, revoked));
        }
    }
    if rules.mode == Mode::Off {
        return (findings, None);
    }
    let fits_own = of_group(&boot, &own, rules, now, &mut findings);
    let fits_vendor = of_group(&boot, &vendors, rules, now, &mut findings);
    let is_unfit = |group: &[_], fits: &Option<Matched>| !group.is_empty() && fits.is_none();
    let matched = match is_unfit(&own, &fits_own) || is_unfit(&vendors, &fits_vendor) {
        true => None,
        false => fits_own.or(fits_vendor),
    };
    (findings, matched)
}

fn is_of_vendor(applied: &Applied<'_>) -> bool {
    applied.baseline.content().origin == Origin::Vendor
}

/// What `group` says of the boot, all of the site or all of vendors, and the one that it fits.
///
/// In order: those that count; the active one that it fits, else the obsolete one; else what changed
/// from the closest. One whose time is over counts no more, and a host that has only such ones is not
/// accepted: somebody set that time.
fn of_group(
    boot: &Boot<'_, '_>,
    group: &[&Applied<'_>],
    rules: &Rules,
    now: UnixTime,
    findings: &mut Vec<Finding>,
) -> Option<Matched> {
    let judged = |finding: Finding| match rules.mode {
        Mode::Observe => finding.with_severity(Severity::Warn),
        Mode::Off | Mode::Enforce | Mode::Require => finding,
    };
    let (ended, live): (Vec<&Applied<'_>>, Vec<_>) = group.iter().partition(|a| a.has_ended(now));
    let (matched, closest) = search(boot, &live, rules, now);
    match (matched, closest) {
        (Some((applied, comparison)), _) => {
            if applied.state == State::Obsolete {
                findings.push(of(Code::ReferenceObsolete, applied));
            }
            findings.extend(set_aside(applied, &comparison, rules));
            findings.extend(varied(applied, &comparison.varied));
            return Some(Matched {
                name: applied.name.to_owned(),
                state: applied.state,
                pcrs: comparison.agreement.equal.union(comparison.agreement.differing),
            });
        }
        (None, Some((applied, comparison))) => {
            findings.extend(changes(applied, &comparison).into_iter().map(judged));
            findings.extend(set_aside(applied, &comparison, rules));
            findings.extend(varied(applied, &comparison.varied));
        }
        (None, None) => {}
    }
    let fits = |applied: &&Applied<'_>| applied.baseline.agrees(boot, rules.pcrs).is_match();
    let is_explained = !live.is_empty();
    let told = ended.into_iter().filter(|applied| !is_explained || fits(applied));
    findings.extend(told.map(|applied| judged(of(Code::ReferenceExpired, applied))));
    None
}

/// The boot that `claims` show, for a comparison with a reference; `None` where no verified quote
/// proves it or there is no log.
pub fn boot<'c, 'a>(claims: &'c Claims<'a>) -> Option<Boot<'c, 'a>> {
    let quote = claims.quote.verified()?;
    let LogStatus::Read(read) = &claims.log else { return None };
    Some(Boot { log: read.log(), replayed: &read.replayed, quoted: quote.values() })
}

type Compared<'r, 'x> = (&'x Applied<'r>, Comparison);

/// The reference that `boot` fits, active ones first; else the closest.
fn search<'r, 'x>(
    boot: &Boot<'_, '_>,
    live: &[&'x Applied<'r>],
    rules: &Rules,
    now: UnixTime,
) -> (Option<Compared<'r, 'x>>, Option<Compared<'r, 'x>>) {
    let mut unfit: Vec<(u32, &Applied<'_>)> = Vec::new();
    for state in [State::Active, State::Obsolete] {
        for applied in live.iter().filter(|applied| applied.state == state) {
            // One pass tells of all PCRs: an unchanged log is looked at once.
            let all = applied.baseline.agrees(boot, PcrSet::ALL);
            let agreement = all.within(rules.pcrs);
            if agreement.is_match() {
                let varied = match all.differing.minus(rules.pcrs).is_empty() {
                    true => Vec::new(),
                    false => applied.baseline.varied(boot, rules.pcrs),
                };
                return (Some((applied, Comparison::equal(agreement, varied))), None);
            }
            let n_unequal = agreement.differing.union(agreement.incomparable).len();
            unfit.push((n_unequal, applied));
        }
    }
    // Stable: of equally close ones the active and the first.
    unfit.sort_by_key(|(n_unequal, _)| *n_unequal);
    let mut closest: Option<Compared<'_, '_>> = None;
    for (_, applied) in unfit.into_iter().take(EXPLAINED_MAX) {
        let comparison = applied.baseline.compare(boot, rules, now);
        if comparison.is_match() {
            return (Some((applied, comparison)), None);
        }
        let n =
            |comparison: &Comparison| comparison.changes.len().saturating_add(comparison.n_more);
        if closest.as_ref().is_none_or(|(_, best)| n(&comparison) < n(best)) {
            closest = Some((applied, comparison));
        }
    }
    (None, closest)
}

fn of(code: Code, applied: &Applied<'_>) -> Finding {
    let text = |text: &str| Argument::Text(text.to_owned());
    let finding = Finding::new(code)
        .with("reference", text(applied.name))
        .with("scope", text(applied.scope.as_str()));
    match applied.accepted_by {
        "" => finding,
        who => finding.with("accepted_by", text(who)),
    }
}

/// `change` as a finding: what changed, where, and from which reference.
fn change(code: Code, applied: &Applied<'_>, change: &Change) -> Finding {
    let mut finding = Finding::new(code);
    let pcrs = change.pcrs;
    let mut indices = pcrs.iter();
    if let (Some(pcr), None) = (indices.next(), indices.next()) {
        finding = finding.in_pcr(pcr);
    }
    if let Some(event) = change.event {
        finding = finding.in_event(event);
    }
    finding = finding.because(change.words.as_str());
    if pcrs.len() > 1 {
        finding = finding.with("pcrs", Argument::Pcrs(pcrs));
    }
    finding
        .with("change", Argument::Text(change.kind.as_str().to_owned()))
        .with("reference", Argument::Text(applied.name.to_owned()))
}

fn changes(applied: &Applied<'_>, comparison: &Comparison) -> Vec<Finding> {
    let code = match is_of_vendor(applied) {
        true => Code::ReferenceVendorChange,
        false => Code::ReferenceChange,
    };
    let listed = comparison.changes.iter().take(LISTED_MAX);
    let mut findings: Vec<_> = listed.map(|found| change(code, applied, found)).collect();
    let more =
        comparison.changes.len().saturating_sub(LISTED_MAX).saturating_add(comparison.n_more);
    if more > 0 {
        findings.push(
            Finding::new(code)
                .because(format!("and {more} more changes"))
                .with("reference", Argument::Text(applied.name.to_owned())),
        );
    }
    findings
}

fn set_aside(applied: &Applied<'_>, comparison: &Comparison, rules: &Rules) -> Vec<Finding> {
    let listed = comparison.ignored.iter().take(LISTED_MAX);
    let findings = listed.filter_map(|(found, rule)| {
        let rule = rules.ignore.get(*rule)?;
        let finding = change(Code::ReferenceIgnored, applied, found);
        let finding = finding.with("set_aside", Argument::Text(rule.reason.clone()));
        Some(finding.with("until", Argument::Text(rule.until.clone())))
    });
    findings.collect()
}

/// One finding for all that varied: that it does is normal.
fn varied(applied: &Applied<'_>, varied: &[Change]) -> Option<Finding> {
    let pcrs = varied.iter().fold(PcrSet::EMPTY, |all, change| all.union(change.pcrs));
    // A vendor's settings and boot order are nobody's, so that none has them is no news.
    if varied.is_empty() || is_of_vendor(applied) {
        return None;
    }
    let mut words: Vec<String> = varied
        .iter()
        .take(VARIED_MAX)
        .map(|change| format!("{} (PCR {})", change.words, change.pcrs))
        .collect();
    let more = varied.len().saturating_sub(VARIED_MAX);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    let finding = Finding::new(Code::ReferenceVaried).because(words.join("; "));
    Some(
        finding
            .with("pcrs", Argument::Pcrs(pcrs))
            .with("reference", Argument::Text(applied.name.to_owned())),
    )
}
