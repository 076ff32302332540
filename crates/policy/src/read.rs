//! The shape of the file, and the rules that it makes.

mod endorsement;
mod named;
mod quirks;
mod references;
mod schedule;
mod secure_boot;

use std::{collections::BTreeMap, ops::Range};

use appraise::{BankMinimum, Policy, PolicyFault, Waiver, is_lowered, unchangeable};
use findings::{CATALOGUE, Code, Severity};
use serde::Deserialize;
use toml::Spanned;
use tpm_vendors::{FirmwareVersion, Vendor};
use tpm_wire::{PCR_COUNT, PcrSet};

use crate::{
    GOOD_FOR_S_MAX, NamedFiles, NoFiles, POLICY_BYTES_MAX, PolicyError, REASON_CHARS_MAX, expiry,
};

/// How alike two codes must be for one to be meant: 1 is equal. Below this, guesses mislead.
const ALIKE_MIN: f64 = 0.8;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    pcrs: Pcrs,
    banks: Banks,
    endorsement: endorsement::Endorsement,
    tpm: Tpm,
    verdict: Verdict,
    schedule: Vec<schedule::Table>,
    secure_boot: secure_boot::SecureBoot,
    ima: named::Ima,
    rules: named::Rules,
    references: references::References,
    quirks: quirks::Quirks,
    findings: BTreeMap<Spanned<String>, Spanned<Finding>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Pcrs {
    required: Option<Spanned<Vec<Spanned<u32>>>>,
    continued: Option<Spanned<Vec<Spanned<u32>>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Banks {
    minimum: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tpm {
    minimum_firmware: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Verdict {
    good_for_s: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    severity: Spanned<String>,
    reason: Option<Spanned<String>>,
    expires: Option<Spanned<toml::Value>>,
}

/// The policy that `text` says.
///
/// # Errors
/// The first fault, with its place (a policy that names files is one here): no TOML, an unknown key, a value of another type, a finding
/// that is not known, and all that [`PolicyFault`] names.
pub fn read(text: &str) -> Result<Policy, PolicyError> {
    read_with(text, &NoFiles)
}

/// The policy that `text` says, with the files that it names.
///
/// # Errors
/// Those of [`read`], and a file that is not there or not what it should be.
pub fn read_with(text: &str, files: &dyn NamedFiles) -> Result<Policy, PolicyError> {
    if text.len() > POLICY_BYTES_MAX {
        let message = format!("a policy has {POLICY_BYTES_MAX} bytes at most");
        return Err(PolicyError::at(text, &(0..0), message));
    }
    let file: File = toml::from_str(text).map_err(|err| PolicyError::of_toml(text, &err))?;
    let source = Source { text };
    let mut policy = Policy::default();
    if let Some(pcrs) = &file.pcrs.required {
        let set = source.pcr_set(pcrs)?;
        policy.require_pcrs(set).map_err(|fault| source.fault(&pcrs.span(), &fault))?;
    }
    if let Some(pcrs) = &file.pcrs.continued {
        let set = source.pcr_set(pcrs)?;
        policy.continue_pcrs(set).map_err(|fault| source.fault(&pcrs.span(), &fault))?;
    }
    if let Some(minimum) = &file.banks.minimum {
        policy.require_bank(source.bank(minimum)?);
    }
    for (vendor, version) in &file.tpm.minimum_firmware {
        let (vendor, version) = source.tpm_firmware(vendor, version)?;
        policy.require_tpm_firmware(vendor, version);
    }
    if let Some(seconds) = &file.verdict.good_for_s {
        if !(1..=GOOD_FOR_S_MAX).contains(seconds.get_ref()) {
            let message = format!("good_for_s must be 1 to {GOOD_FOR_S_MAX}");
            return Err(source.error(&seconds.span(), message));
        }
        policy.verdict_good_for_s = Some(*seconds.get_ref());
    }
    schedule::apply(file.schedule, &mut policy, &source)?;
    file.secure_boot.apply(&mut policy, &source)?;
    file.ima.apply(&mut policy, &source, files)?;
    file.rules.apply(&mut policy, &source, files)?;
    file.references.apply(&mut policy, &source)?;
    file.quirks.apply(&mut policy, &source)?;
    for (code, finding) in &file.findings {
        source.finding(&mut policy, code, finding.get_ref())?;
    }
    // After the findings, since both may speak of the same one.
    file.endorsement.apply(&mut policy, &source)?;
    Ok(policy)
}

/// The names of the files that `text` names, for who sends them along with it; none where `text` is
/// no policy, which [`read`] explains.
pub fn named_files(text: &str) -> Vec<String> {
    let Ok(file) = toml::from_str::<File>(text) else { return Vec::new() };
    file.ima.names().chain(file.rules.names()).map(str::to_owned).collect()
}

struct Source<'a> {
    text: &'a str,
}

impl Source<'_> {
    fn error(&self, span: &Range<usize>, message: impl Into<String>) -> PolicyError {
        PolicyError::at(self.text, span, message)
    }

    fn fault(&self, span: &Range<usize>, fault: &PolicyFault) -> PolicyError {
        let error = self.error(span, fault.to_string());
        match fault {
            PolicyFault::NotWaived { .. } => error.with_hint(
                "say why in `reason` and until when in `expires`, a date such as 2027-01-31",
            ),
            PolicyFault::NothingToWaive { .. } => {
                error.with_hint("leave `reason` and `expires` out: they belong to a lower severity")
            }
            PolicyFault::Twice { .. } => {
                error.with_hint("keep either the finding's table or endorsement.permit_expired")
            }
            PolicyFault::Unchangeable { code, .. } => {
                error.with_hint(format!("`bootproof explain {}` says what to do", code.as_str()))
            }
            PolicyFault::NothingToRefuse { quirk } | PolicyFault::NothingToPermit { quirk } => {
                error.with_hint(format!("`bootproof quirks {}` says why", quirk.as_str()))
            }
            PolicyFault::ApprovedTwice => error.with_hint("keep the one that shall count"),
            PolicyFault::FirmwareNotRequired { .. } | PolicyFault::MustReplay { .. } => error,
        }
    }

    fn pcr_set(&self, indices: &Spanned<Vec<Spanned<u32>>>) -> Result<PcrSet, PolicyError> {
        let mut set = PcrSet::EMPTY;
        for index in indices.get_ref() {
            let known = usize::try_from(*index.get_ref()).is_ok_and(|index| index < PCR_COUNT);
            if !known {
                return Err(self.error(&index.span(), "a PCR is a number from 0 to 23"));
            }
            if set.contains(*index.get_ref()) {
                return Err(self.error(&index.span(), "this PCR is named twice"));
            }
            set = set.with(*index.get_ref());
        }
        Ok(set)
    }

    fn bank(&self, minimum: &Spanned<String>) -> Result<BankMinimum, PolicyError> {
        let known = [BankMinimum::Sha256, BankMinimum::Sha384, BankMinimum::Sha512];
        let found = known.into_iter().find(|bank| bank.as_str() == minimum.get_ref());
        found.ok_or_else(|| {
            let error =
                self.error(&minimum.span(), "minimum must be \"sha256\", \"sha384\" or \"sha512\"");
            match minimum.get_ref().as_str() {
                "sha1" => error.with_hint(
                    "SHA-1 collides, so that its PCR values prove nothing: enable the SHA-256 bank",
                ),
                _ => error,
            }
        })
    }

    fn tpm_firmware(
        &self,
        vendor: &Spanned<String>,
        version: &Spanned<String>,
    ) -> Result<(Vendor, FirmwareVersion), PolicyError> {
        let Some(known) = Vendor::from_short_name(vendor.get_ref()) else {
            let names: Vec<_> = Vendor::short_names().collect();
            return Err(self
                .error(&vendor.span(), format!("there is no TPM vendor {:?}", vendor.get_ref()))
                .with_hint(format!("the vendors are {}", names.join(", "))));
        };
        let version = version.get_ref().parse().map_err(|()| {
            self.error(&version.span(), "a version is two or four numbers: \"7.85\", \"1.3.2.20\"")
        })?;
        Ok((known, version))
    }

    fn finding(
        &self,
        policy: &mut Policy,
        code: &Spanned<String>,
        table: &Finding,
    ) -> Result<(), PolicyError> {
        let place = code.span();
        let code = Code::from_name(code.get_ref()).ok_or_else(|| self.unknown(code))?;
        // Before its values: that nothing may be said of it is what its author has to know.
        if let Some(why) = unchangeable(code) {
            return Err(self.fault(&place, &PolicyFault::Unchangeable { code, why }));
        }
        let severity = self.severity(&table.severity)?;
        let reason = table.reason.as_ref().map(|reason| self.reason(reason)).transpose()?;
        let expires = table.expires.as_ref().map(|expires| self.expires(expires)).transpose()?;
        let place = table.severity.span();
        let set = match (is_lowered(code, severity), reason, expires) {
            (true, Some(reason), Some((until, expires))) => {
                policy.waive(code, severity, Waiver { reason, expires, until })
            }
            (true, ..) => Err(PolicyFault::NotWaived { code, to: severity }),
            (false, _, Some(_)) => Err(PolicyFault::NothingToWaive { code }),
            // A reason for more severity needs nobody's leave; it is a remark.
            (false, _, None) => policy.raise(code, severity),
        };
        set.map_err(|fault| self.fault(&place, &fault))
    }

    fn unknown(&self, code: &Spanned<String>) -> PolicyError {
        let named = code.get_ref();
        let error = self.error(&code.span(), format!("there is no finding {named:?}"));
        error.with_hint(
            match crate::alike(named, CATALOGUE.iter().map(|entry| entry.name), ALIKE_MIN) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "`bootproof explain` lists the findings".to_owned(),
            },
        )
    }

    fn severity(&self, severity: &Spanned<String>) -> Result<Severity, PolicyError> {
        match severity.get_ref().as_str() {
            "fail" => Ok(Severity::Fail),
            "warn" => Ok(Severity::Warn),
            "info" => Ok(Severity::Info),
            "ignore" => Ok(Severity::Ignore),
            _ => Err(self.error(
                &severity.span(),
                "severity must be \"fail\", \"warn\", \"info\" or \"ignore\"",
            )),
        }
    }

    fn reason(&self, reason: &Spanned<String>) -> Result<String, PolicyError> {
        let text = reason.get_ref().trim();
        if text.is_empty() {
            return Err(self.error(&reason.span(), "a reason says something"));
        }
        if text.chars().count() > REASON_CHARS_MAX || text.chars().any(char::is_control) {
            let message = format!("a reason is one line of {REASON_CHARS_MAX} characters at most");
            return Err(self.error(&reason.span(), message));
        }
        Ok(text.to_owned())
    }

    fn expires(
        &self,
        expires: &Spanned<toml::Value>,
    ) -> Result<(String, verify::UnixTime), PolicyError> {
        expiry::ends(expires.get_ref()).ok_or_else(|| {
            self.error(&expires.span(), "expires must be a date of RFC 3339")
                .with_hint("write 2027-01-31, or 2027-01-31T18:00:00+01:00 with its offset")
        })
    }
}
