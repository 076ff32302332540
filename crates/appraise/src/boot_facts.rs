//! Modes, keys, revocations and authorities of a boot -> findings. Only what the quote proves is
//! judged here; what it does not prove has findings of its own.

use boot_claims::{
    Authority, Belief, BootClaims, Database, DatabaseName, Mode, Standing, State, WarningKind,
};
use efi::Certificate;
use event_log::EventType;
use findings::{Argument, Code, Finding};
use quirks::Quirk;
use secure_boot_facts::{
    DbxState, Era, Revocations, RevokedBy, SbatLevel, TestKey, fingerprint, is_authority_of,
    sbat_date, test_key,
};
use tpm_wire::{Digest, TpmAlgId};

use crate::claims::ReadLog;
use crate::quirk::named;
use crate::secure_boot_rules::SecureBootRules;

/// Findings of one kind that are listed one by one; past that one says how many more there are. A
/// database of more weak certificates than this needs no longer list.
const PER_KIND_MAX: usize = 8;

pub(crate) fn findings(log: &ReadLog<'_>, rules: &SecureBootRules) -> Vec<Finding> {
    let boot = &log.boot;
    let mut findings = Vec::new();
    findings.extend(mode(boot.setup_mode, Code::SetupMode).or_else(|| no_platform_key(boot)));
    findings.extend(mode(boot.audit_mode, Code::AuditMode));
    findings.extend(order(boot));
    findings.extend(databases(boot));
    if let Some(pk) = proved(boot, DatabaseName::Pk) {
        findings.extend(platform_key(pk));
    }
    findings.extend(ca_2011_only(boot));
    findings.extend(weak_certificates(boot));
    match (proved(boot, DatabaseName::Dbx), &log.dbx) {
        (Some(dbx), Some(state)) => findings.extend(outdated_dbx(dbx, state, rules)),
        _ => findings.extend(absent_dbx(boot, rules)),
    }
    findings.extend(revoked_images(boot, &rules.revocations));
    findings.extend(revoked_images_of_other_types(log, &rules.revocations));
    findings.extend(authorities(boot, rules));
    findings.extend(shim(boot, rules));
    findings.extend(warnings(boot));
    capped(findings)
}

/// `findings` without those of a kind beyond [`PER_KIND_MAX`], which are counted in one more.
fn capped(findings: Vec<Finding>) -> Vec<Finding> {
    if findings.len() <= PER_KIND_MAX {
        return findings;
    }
    let mut kept: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut more: Vec<(Code, usize)> = Vec::new();
    for finding in findings {
        let code = finding.code();
        if kept.iter().filter(|kept| kept.code() == code).count() < PER_KIND_MAX {
            kept.push(finding);
        } else if let Some((_, n)) = more.iter_mut().find(|(counted, _)| *counted == code) {
            *n = n.saturating_add(1);
        } else {
            more.push((code, 1));
        }
    }
    let counted = more.into_iter();
    kept.extend(counted.map(|(code, n)| Finding::new(code).because(format!("and {n} more"))));
    kept
}

fn proved<'b, 'a>(boot: &'b BootClaims<'a>, name: DatabaseName) -> Option<&'b Database<'a>> {
    boot.database(name).filter(|database| database.belief == Belief::Verified)
}

fn in_database(code: Code, database: &Database<'_>) -> Finding {
    Finding::new(code).in_pcr(7).in_event(database.event)
}

fn mode(mode: Option<Mode>, code: Code) -> Option<Finding> {
    let mode = mode.filter(|mode| mode.belief == Belief::Verified)?;
    (mode.is_set == Some(true)).then(|| Finding::new(code).in_pcr(7).in_event(mode.event))
}

/// Many firmwares measure no SetupMode; without a platform key it is 1. [UEFI-2.10 §32.3]
fn no_platform_key(boot: &BootClaims<'_>) -> Option<Finding> {
    let pk = proved(boot, DatabaseName::Pk)?;
    (pk.is_empty() && pk.malformed.is_none()).then(|| in_database(Code::SetupMode, pk))
}

fn order(boot: &BootClaims<'_>) -> Option<Finding> {
    let late = boot.out_of_order()?;
    let finding = in_database(Code::SecureBootOrder, late);
    Some(finding.because(format!("{} comes too late", late.name)))
}

/// Databases that the firmware has to measure and did not, and those that it measured again: only the
/// first counts. Where it is not known whether Secure Boot was on, that has a finding of its own.
fn databases(boot: &BootClaims<'_>) -> Vec<Finding> {
    if boot.secure_boot.state != State::On {
        return Vec::new();
    }
    let required =
        [DatabaseName::Pk, DatabaseName::Kek, DatabaseName::Db, DatabaseName::Dbx].into_iter();
    let absent = required.filter(|name| boot.database(*name).is_none()).map(|name| {
        let finding = Finding::new(Code::SecureBootOrder).in_pcr(7);
        finding.because(format!("{name} was not measured"))
    });
    let repeated = boot.databases.iter().filter_map(|database| {
        let again = *database.repeated.first()?;
        let finding = Finding::new(Code::SecureBootOrder).in_pcr(7).in_event(again);
        Some(finding.because(format!("{} was measured more than once", database.name)))
    });
    absent.chain(repeated).collect()
}

fn platform_key(pk: &Database<'_>) -> Vec<Finding> {
    let finding = |code, reason: String| in_database(code, pk).because(reason);
    let mut findings = Vec::new();
    if let Some(error) = pk.malformed {
        findings.push(finding(Code::PlatformKey, format!("it cannot be read: {error}")));
    }
    match pk.len() {
        // None is setup mode, which has a finding of its own.
        0 | 1 => {}
        n => findings.push(finding(Code::PlatformKey, format!("there are {n} of them"))),
    }
    for der in pk.certificates() {
        match (test_key(der), Certificate::parse(der)) {
            (Some(kind), certificate) => {
                let subject = certificate.map(|c| c.subject.to_string()).unwrap_or_default();
                findings.push(
                    in_database(Code::TestPlatformKey, pk)
                        .with("subject", Argument::text(subject))
                        .with(
                            "known",
                            Argument::text(match kind {
                                TestKey::Known => "by its content",
                                TestKey::BySubject => "by its subject",
                            }),
                        ),
                );
            }
            (None, None) => {
                findings.push(finding(Code::PlatformKey, "its certificate cannot be read".into()));
            }
            (None, Some(_)) => {}
        }
    }
    findings
}

/// Databases that have authorities of 2011 and none of 2023, each with what it has.
fn ca_2011_only(boot: &BootClaims<'_>) -> Option<Finding> {
    let of_2011 = |name: &DatabaseName| {
        let database = proved(boot, *name)?;
        let has = |era| database.certificates().any(|der| is_authority_of(der, era));
        is_only_2011(has).then(|| name.to_string())
    };
    let names: Vec<String> =
        [DatabaseName::Kek, DatabaseName::Db].iter().filter_map(of_2011).collect();
    let in_words = names.join(" and ");
    (!names.is_empty())
        .then(|| Finding::new(Code::Ca2011Only).in_pcr(7).with("in", Argument::text(in_words)))
}

/// The new ones are asked for first: where there is one, no certificate of the old ones is hashed.
fn is_only_2011(has: impl Fn(Era) -> bool) -> bool {
    !has(Era::Of2023) && has(Era::Of2011)
}

fn weak_certificates(boot: &BootClaims<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in [DatabaseName::Pk, DatabaseName::Kek, DatabaseName::Db] {
        let Some(database) = proved(boot, name) else { continue };
        for certificate in database.certificates().filter_map(Certificate::parse) {
            if certificate.is_weak() {
                findings.push(
                    in_database(Code::WeakCertificate, database)
                        .with("in", Argument::text(name))
                        .with("subject", Argument::text(certificate.subject))
                        .with("key", Argument::text(certificate.key)),
                );
            }
        }
    }
    findings
}

fn outdated_dbx(dbx: &Database<'_>, state: &DbxState, rules: &SecureBootRules) -> Vec<Finding> {
    let release = || match state.release {
        Some(release) => Argument::text(release),
        None => Argument::text("unknown content"),
    };
    let mut findings = Vec::new();
    if let Some(minimum) = rules.minimum_dbx
        && state.release < Some(minimum)
    {
        findings.push(
            in_database(Code::DbxBelowMinimum, dbx)
                .with("release", release())
                .with("minimum", Argument::text(minimum)),
        );
    }
    let is_behind = state.n_releases_behind > 0;
    // Makers leave out single images of old releases; a list of the operator has each for a reason.
    if is_behind || state.n_missing_of_operator > 0 {
        findings.push(
            in_database(Code::DbxOutdated, dbx)
                .with("release", release())
                .with("newest", Argument::text(rules.revocations.date()))
                .with("releases_behind", Argument::count(state.n_releases_behind))
                .with("images_missing", Argument::count(state.n_missing)),
        );
    }
    findings
}

/// Where the policy asks for a release of dbx, none that is proved is not enough. A PCR 7 that does not
/// replay has a finding of its own.
fn absent_dbx(boot: &BootClaims<'_>, rules: &SecureBootRules) -> Option<Finding> {
    let minimum = rules.minimum_dbx.filter(|_| boot.replayed_pcrs.contains(7))?;
    let finding = Finding::new(Code::DbxBelowMinimum).in_pcr(7);
    Some(finding.with("minimum", Argument::text(minimum)).because("no dbx was measured"))
}

fn revoked_images(boot: &BootClaims<'_>, revocations: &Revocations) -> Vec<Finding> {
    let mut findings = Vec::new();
    for image in &boot.images {
        let sha256 = image.digest_in_sha256;
        let Some(sha256) = sha256 else { continue };
        let Some(by) = revocations.image(sha256.as_bytes()) else { continue };
        findings.push(revoked_image(image.event, image.pcr_index, sha256, by));
    }
    for authority in boot.authorities.iter().filter(|a| a.belief == Belief::Verified) {
        if revocations.certificate(authority.data) {
            findings.push(
                at(Code::ImageRevoked, authority)
                    .because(format!("its authority is revoked: {}", name_of(authority))),
            );
        }
    }
    findings
}

/// Revoked images that the log calls something else. No digest covers a type, and a digest of the list
/// is that of an image, whatever stands beside it.
fn revoked_images_of_other_types(log: &ReadLog<'_>, revocations: &Revocations) -> Vec<Finding> {
    let replayed = log.compared.replayed();
    let hidden = log.log().events().iter().filter(|event| {
        let is_image = matches!(
            event.untrusted_event_type,
            EventType::EFI_BOOT_SERVICES_APPLICATION
                | EventType::EFI_BOOT_SERVICES_DRIVER
                | EventType::EFI_RUNTIME_SERVICES_DRIVER
        );
        event.pcr_index <= 7 && !is_image
    });
    let findings = hidden.filter_map(|event| {
        let sha256 = event.digests.of(TpmAlgId::SHA256)?;
        // The digest of nothing is on lists that were made to be empty.
        let by = revocations.image(sha256).filter(|_| *sha256 != event_log::sha256(&[]))?;
        let is_proved = replayed.covers(event)
            && replayed.banks_of(event.pcr_index).any(|alg| alg == TpmAlgId::SHA256);
        let sha256 = Digest::new(sha256).filter(|_| is_proved)?;
        Some(revoked_image(event.number, event.pcr_index, sha256, by))
    });
    findings.collect()
}

fn revoked_image(event: u32, pcr_index: u32, sha256: Digest, by: RevokedBy) -> Finding {
    let finding = Finding::new(Code::ImageRevoked)
        .in_pcr(pcr_index)
        .in_event(event)
        .with("digest", Argument::Digest(sha256));
    match by {
        RevokedBy::Published(image) => finding
            .with("product", Argument::text(image.product))
            .with("since", Argument::text(image.date)),
        RevokedBy::Operator => finding.because("the operator's list of revocations has it"),
    }
}

fn at(code: Code, authority: &Authority<'_>) -> Finding {
    Finding::new(code).in_pcr(7).in_event(authority.event)
}

/// What people call an authority.
fn name_of(authority: &Authority<'_>) -> String {
    match Certificate::parse(authority.data) {
        Some(certificate) => certificate.subject.to_string(),
        None => match Digest::new(authority.data).filter(|_| authority.owner.is_some()) {
            Some(digest) => format!("the digest {digest}"),
            None => format!("{}", authority.variable),
        },
    }
}

/// A digest that allows an image has at least as many bytes.
const STATE_BYTES: usize = 20;

fn authorities(boot: &BootClaims<'_>, rules: &SecureBootRules) -> Vec<Finding> {
    let mut findings = Vec::new();
    for authority in boot.authorities.iter().filter(|a| a.belief == Belief::Verified) {
        if authority.standing == Standing::NotInDatabase {
            findings.push(
                at(Code::AuthorityUnknown, authority)
                    .with("authority", Argument::text(name_of(authority))),
            );
        }
        let Some(allowed) = &rules.allowed_authorities else { continue };
        // SBAT levels and states of shim, of a byte or a few, are measured in the same way, and allow
        // nothing. All else does, also in a form that we cannot read and that shim perhaps can.
        let is_state = authority.data.len() < STATE_BYTES || authority.data.starts_with(b"sbat,");
        let allows = authority.owner.is_some() || !is_state;
        let is_allowed = || {
            let Some(fingerprint) = fingerprint(authority.data) else { return false };
            let is_it =
                |known: &[u8; 32]| fingerprint.as_bytes() == known || authority.data == known;
            allowed.iter().any(is_it)
        };
        if allows && !is_allowed() {
            let finding = at(Code::AuthorityNotAllowed, authority)
                .with("authority", Argument::text(name_of(authority)));
            findings.push(match fingerprint(authority.data) {
                Some(digest) => finding.with("fingerprint", Argument::Digest(digest)),
                None => finding,
            });
        }
    }
    findings
}

fn shim(boot: &BootClaims<'_>, rules: &SecureBootRules) -> Vec<Finding> {
    let mut findings = Vec::new();
    let shim = &boot.shim;
    if let Some(off) = shim.validation_off.filter(|off| off.belief == Belief::Verified) {
        findings.push(Finding::new(Code::MokInsecure).in_pcr(7).in_event(off.event));
    }
    if let Some(event) = shim.mok_list.filter(|_| boot.replayed_pcrs.contains(14)) {
        findings.push(Finding::new(Code::MokEnrolled).in_pcr(14).in_event(event));
    }
    let level = shim.sbat_level.filter(|level| level.belief == Belief::Verified);
    let stamp = level.and_then(|level| sbat_date(level.value));
    let at = |code| match level {
        Some(level) => Finding::new(code).in_pcr(7).in_event(level.event),
        None => Finding::new(code).in_pcr(7),
    };
    let shown = || Argument::text(stamp.unwrap_or("none that can be read"));
    // Without shim there is no level, and none that could be too old. A minimum asks for one.
    if let Some(minimum) = &rules.minimum_sbat
        && stamp < Some(minimum.as_str())
    {
        findings.push(
            at(Code::SbatBelowMinimum)
                .with("level", shown())
                .with("minimum", Argument::text(minimum)),
        );
    }
    if let (Some(level), Some(newest)) = (level, SbatLevel::newest())
        && (stamp < Some(newest.stamp)
            || (stamp == Some(newest.stamp) && newest.behind(level.value).next().is_some()))
    {
        findings.push(
            at(Code::SbatOutdated)
                .with("level", shown())
                .with("newest", Argument::text(newest.stamp))
                .with("behind", Argument::text(behind(level.value, newest))),
        );
    }
    findings
}

/// The components that a level lets through and the `newest` does not: `grub 4 of 5, grub.peimage`.
fn behind(level: &[u8], newest: &SbatLevel) -> String {
    let words = newest.behind(level).map(|(component, have, want)| match have {
        Some(have) => format!("{component} {have} of {want}"),
        None => component.to_owned(),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn warnings(boot: &BootClaims<'_>) -> Vec<Finding> {
    let verified = boot.warnings.iter().filter(|warning| warning.belief == Belief::Verified);
    verified
        .map(|warning| {
            let code = match warning.kind {
                WarningKind::DebugMode => Code::DebugMode,
                WarningKind::DmaProtectionDisabled => Code::DmaProtectionDisabled,
                WarningKind::SecurityLevelDowngraded => Code::SecurityLevelDowngraded,
            };
            let finding = Finding::new(code).in_pcr(warning.pcr_index).in_event(warning.event);
            match warning.kind {
                WarningKind::SecurityLevelDowngraded => named(finding, Quirk::SecurityLevelText),
                WarningKind::DebugMode | WarningKind::DmaProtectionDisabled => finding,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_of_2011_alone_are_told() {
        let among = |eras: &[Era]| is_only_2011(|era| eras.contains(&era));
        assert!(among(&[Era::Of2011]));
        assert!(!among(&[Era::Of2023]));
        assert!(!among(&[Era::Of2011, Era::Of2023]));
        assert!(!among(&[]), "keys of the owner have no era");
    }
}
