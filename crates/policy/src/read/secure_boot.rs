//! `[secure_boot]`: who may allow something to run, and how old lists may be.

use appraise::Policy;
use secure_boot_facts::{Date, KNOWN_AUTHORITIES};
use serde::Deserialize;
use toml::Spanned;

use super::Source;
use crate::PolicyError;

/// Authorities in one policy: a fleet has below twenty.
const AUTHORITIES_MAX: usize = 256;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SecureBoot {
    allowed_authorities: Option<Spanned<Vec<Spanned<String>>>>,
    minimum_dbx: Option<Spanned<String>>,
    minimum_sbat: Option<Spanned<String>>,
}

impl SecureBoot {
    pub(super) fn apply(
        &self,
        policy: &mut Policy,
        source: &Source<'_>,
    ) -> Result<(), PolicyError> {
        let rules = &mut policy.secure_boot;
        if let Some(named) = &self.allowed_authorities {
            let many = named.get_ref().len();
            if many == 0 || many > AUTHORITIES_MAX {
                let message = format!("name 1 to {AUTHORITIES_MAX} authorities, or leave this out");
                return Err(source.error(&named.span(), message));
            }
            let authorities = named.get_ref().iter().map(|name| authority(source, name));
            rules.allowed_authorities = Some(authorities.collect::<Result<_, _>>()?);
        }
        if let Some(minimum) = &self.minimum_dbx {
            let date = Date::parse(minimum.get_ref()).ok_or_else(|| {
                source
                    .error(&minimum.span(), "minimum_dbx must be the date of a release")
                    .with_hint("write \"2025-09-02\"")
            })?;
            let newest = rules.revocations.date();
            if date > newest {
                let message =
                    format!("the newest release of dbx that is known here is of {newest}");
                return Err(source.error(&minimum.span(), message));
            }
            rules.minimum_dbx = Some(date);
        }
        if let Some(minimum) = &self.minimum_sbat {
            let stamp = minimum.get_ref();
            if stamp.len() != 10 || !stamp.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(source
                    .error(&minimum.span(), "minimum_sbat must be the stamp of a level")
                    .with_hint("write its ten digits: \"2025051000\""));
            }
            rules.minimum_sbat = Some(stamp.clone());
        }
        Ok(())
    }
}

/// A fingerprint (colons are allowed), or the name of an authority that is known here.
fn authority(source: &Source<'_>, name: &Spanned<String>) -> Result<[u8; 32], PolicyError> {
    let known = KNOWN_AUTHORITIES.iter().find(|known| known.name == name.get_ref());
    let digits = known.map_or(name.get_ref().as_str(), |known| known.sha256);
    let mut bytes = [0; 32];
    if hex::decode_to_slice(digits.replace(':', ""), &mut bytes).is_err() {
        let names: Vec<_> = KNOWN_AUTHORITIES.iter().map(|known| known.name).collect();
        return Err(source
            .error(&name.span(), "an authority is the SHA-256 of its certificate, or a known name")
            .with_hint(format!("known by name: {}", names.join(", "))));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use crate::read;

    #[test]
    fn authorities_are_fingerprints_or_known_names() {
        let fingerprint = "AB:".repeat(31) + "AB";
        let text = format!(
            "[secure_boot]\nallowed_authorities = [\"Microsoft UEFI CA 2023\", \"{fingerprint}\"]\n\
             minimum_dbx = \"2025-05-07\"\nminimum_sbat = \"2024010900\"\n"
        );
        let rules = read(&text).unwrap().secure_boot;
        let allowed = rules.allowed_authorities.unwrap();
        assert_eq!((allowed.len(), allowed[0][0], allowed[1]), (2, 0xf6, [0xab; 32]));
        assert_eq!(rules.minimum_dbx.unwrap().to_string(), "2025-05-07");
        assert_eq!(rules.minimum_sbat.as_deref(), Some("2024010900"));
    }

    #[test]
    fn what_no_host_could_fulfil_is_refused() {
        for line in [
            "allowed_authorities = []",
            "allowed_authorities = [\"Microsoft\"]",
            "allowed_authorities = [\"abcd\"]",
            "minimum_dbx = \"2199-01-01\"",
            "minimum_dbx = \"soon\"",
            "minimum_sbat = \"5\"",
            "minimum_sbta = \"2024010900\"",
        ] {
            let error = read(&format!("[secure_boot]\n{line}\n")).unwrap_err();
            assert_eq!(error.line, 2, "{line}");
        }
    }
}
