//! `[quirks]`: known deviations that are refused, and those that are permitted.

use appraise::Policy;
use quirks::{QUIRKS, Quirk};
use serde::Deserialize;
use toml::Spanned;

use super::{ALIKE_MIN, Source};
use crate::{PolicyError, alike};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Quirks {
    refuse: Vec<Spanned<String>>,
    permit: Vec<Spanned<String>>,
}

impl Quirks {
    pub(super) fn apply(
        &self,
        policy: &mut Policy,
        source: &Source<'_>,
    ) -> Result<(), PolicyError> {
        let named = |name: &Spanned<String>| {
            Quirk::from_name(name.get_ref()).ok_or_else(|| unknown(source, name))
        };
        for name in &self.refuse {
            let refused = policy.refuse_quirk(named(name)?);
            refused.map_err(|fault| source.fault(&name.span(), &fault))?;
        }
        for name in &self.permit {
            let permitted = policy.permit_quirk(named(name)?);
            permitted.map_err(|fault| source.fault(&name.span(), &fault))?;
        }
        Ok(())
    }
}

fn unknown(source: &Source<'_>, name: &Spanned<String>) -> PolicyError {
    let named = name.get_ref();
    let error = source.error(&name.span(), format!("there is no quirk {named:?}"));
    error.with_hint(match alike(named, QUIRKS.iter().map(|row| row.name), ALIKE_MIN) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "`bootproof quirks` lists them".to_owned(),
    })
}
