//! `[references]`: what must be equal to what was expected.

use std::ops::Range;

use appraise::Policy;
use references::{IgnoreRule, Mode};
use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::PolicyError;

/// Changes that one policy sets aside: nobody oversees more.
const IGNORED_MAX: usize = 64;
/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = references::NAME_CHARS_MAX;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct References {
    mode: Option<Spanned<String>>,
    pcrs: Option<Spanned<Vec<Spanned<u32>>>>,
    ignore: Vec<Ignore>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ignore {
    pcr: Spanned<u32>,
    subject: Spanned<String>,
    reason: Spanned<String>,
    expires: Spanned<toml::Value>,
}

impl References {
    pub(super) fn apply(self, policy: &mut Policy, source: &Source<'_>) -> Result<(), PolicyError> {
        let rules = &mut policy.references;
        if let Some(mode) = &self.mode {
            let known = Mode::ALL.into_iter().find(|known| known.as_str() == mode.get_ref());
            rules.mode = known.ok_or_else(|| {
                let message = "mode must be \"off\", \"observe\", \"enforce\" or \"require\"";
                source.error(&mode.span(), message)
            })?;
        }
        if let Some(pcrs) = &self.pcrs {
            rules.pcrs = source.pcr_set(pcrs)?;
            if rules.pcrs.is_empty() {
                let error = source.error(&pcrs.span(), "no PCR would be compared");
                return Err(error.with_hint("to compare nothing, set mode = \"off\""));
            }
        }
        if let Some(rule) = self.ignore.get(IGNORED_MAX) {
            let message = format!("at most {IGNORED_MAX} rules that set changes aside");
            return Err(source.error(&rule.pcr.span(), message));
        }
        for rule in &self.ignore {
            let subject = subject(source, &rule.subject.span(), rule.subject.get_ref())?;
            let pcr_index = *rule.pcr.get_ref();
            if !rules.pcrs.contains(pcr_index) {
                let message = format!("PCR {pcr_index} is not held to be equal");
                return Err(source.error(&rule.pcr.span(), message));
            }
            let (until, expires) = source.expires(&rule.expires)?;
            let reason = source.reason(&rule.reason)?;
            rules.ignore.push(IgnoreRule { pcr_index, subject, reason, expires, until });
        }
        Ok(())
    }
}

/// A subject that is not empty, and not a `*` alone: that would be a whole PCR.
fn subject(source: &Source<'_>, span: &Range<usize>, text: &str) -> Result<String, PolicyError> {
    if text.trim_end_matches('*').is_empty() {
        let error = source.error(span, "a subject names an event");
        return Err(error.with_hint("to leave a whole PCR out, leave it out of `pcrs`"));
    }
    if text.chars().count() > SUBJECT_CHARS_MAX {
        let message = format!("a subject has {SUBJECT_CHARS_MAX} characters at most");
        return Err(source.error(span, message));
    }
    Ok(text.to_owned())
}
