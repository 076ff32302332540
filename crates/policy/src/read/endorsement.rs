//! `[endorsement]`: what of an endorsement key's certificate is let pass.

use appraise::{ExpiredEndorsement, Policy, Waiver};
use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::PolicyError;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Endorsement {
    permit_expired: Option<Spanned<bool>>,
    approved: Vec<Approved>,
}

/// One endorsement key without a certificate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approved {
    ek_sha256: Spanned<String>,
    reason: Spanned<String>,
    expires: Spanned<toml::Value>,
}

impl Endorsement {
    /// After the findings' own tables, since both may speak of the same finding.
    pub(super) fn apply(self, policy: &mut Policy, source: &Source<'_>) -> Result<(), PolicyError> {
        if let Some(permit) = &self.permit_expired {
            let expired = match permit.get_ref() {
                true => ExpiredEndorsement::Permit,
                false => ExpiredEndorsement::Refuse,
            };
            policy
                .expire_endorsement(expired)
                .map_err(|fault| source.fault(&permit.span(), &fault))?;
        }
        for approved in &self.approved {
            let ek_sha256 = sha256(source, &approved.ek_sha256)?;
            let (until, expires) = source.expires(&approved.expires)?;
            let waiver = Waiver { reason: source.reason(&approved.reason)?, expires, until };
            policy
                .approve_ek(ek_sha256, waiver)
                .map_err(|fault| source.fault(&approved.ek_sha256.span(), &fault))?;
        }
        Ok(())
    }
}

fn sha256(source: &Source<'_>, text: &Spanned<String>) -> Result<[u8; 32], PolicyError> {
    let mut sha256 = [0; 32];
    // It wants exactly the digits of 32 bytes.
    hex::decode_to_slice(text.get_ref(), &mut sha256).map_err(|_| {
        source
            .error(&text.span(), "ek_sha256 has 64 hexadecimal digits")
            .with_hint("it is the argument of the finding ek-cert-absent, as `host show` shows it")
    })?;
    Ok(sha256)
}
