//! `[quirks]`: known deviations that are refused.

use appraise::Policy;
use quirks::{QUIRKS, Quirk};
use serde::Deserialize;
use toml::Spanned;

use super::{Source, alike};
use crate::PolicyError;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Quirks {
    refuse: Vec<Spanned<String>>,
}

impl Quirks {
    pub(super) fn apply(
        &self,
        policy: &mut Policy,
        source: &Source<'_>,
    ) -> Result<(), PolicyError> {
        for name in &self.refuse {
            let quirk = Quirk::from_name(name.get_ref()).ok_or_else(|| unknown(source, name))?;
            policy.refuse_quirk(quirk).map_err(|fault| source.fault(&name.span(), &fault))?;
        }
        Ok(())
    }
}

fn unknown(source: &Source<'_>, name: &Spanned<String>) -> PolicyError {
    let named = name.get_ref();
    let error = source.error(&name.span(), format!("there is no quirk {named:?}"));
    error.with_hint(match alike(named, QUIRKS.iter().map(|row| row.name)) {
        Some(meant) => format!("did you mean {meant}?"),
        None => "`bootproof quirks` lists them".to_owned(),
    })
}
