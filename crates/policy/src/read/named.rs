//! The tables that name files: `[ima]` and `[rules]`.

use std::error::Error as _;
use std::sync::Arc;

use appraise::{IMA_PCR, ImaMode, ImaRules, Policy, SiteRules};
use ima::AllowList;
use serde::Deserialize;
use toml::Spanned;
use verify::FileSigners;

use super::Source;
use crate::{NAMED_FILE_BYTES_MAX, NamedFiles, PolicyError, site_rules::Rego};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Ima {
    mode: Option<Spanned<String>>,
    pcr: Option<Spanned<u32>>,
    allow_list: Option<Spanned<String>>,
    #[serde(default)]
    signers: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rules {
    file: Option<Spanned<String>>,
}

impl Ima {
    /// What `policy` says of IMA; without a mode, nothing.
    pub(super) fn apply(
        &self,
        policy: &mut Policy,
        source: &Source<'_>,
        files: &dyn NamedFiles,
    ) -> Result<(), PolicyError> {
        let Some(mode) = &self.mode else {
            return match self.named() {
                None => Ok(()),
                Some(first) => Err(source
                    .error(&first.span(), "this counts for nothing without a mode")
                    .with_hint("mode = \"observe\" warns, mode = \"enforce\" fails")),
            };
        };
        if mode.get_ref() == "off" {
            return Ok(());
        }
        let known = ImaMode::ALL.into_iter().find(|known| known.as_str() == mode.get_ref());
        let mode = known.ok_or_else(|| {
            source.error(&mode.span(), "mode must be \"off\", \"observe\" or \"enforce\"")
        })?;
        let pcr_index = self.pcr.as_ref().map_or(IMA_PCR, |pcr| *pcr.get_ref());
        if !ImaRules::may_be_in(pcr_index) || !policy.continued_pcrs().contains(pcr_index) {
            let place = self.pcr.as_ref().map_or(0..0, Spanned::span);
            return Err(
                source.error(&place, "IMA can be in one of the continued PCRs below 16 only")
            );
        }
        let allowed = match &self.allow_list {
            None => AllowList::default(),
            Some(file) => AllowList::parse(&named(source, file, files)?)
                .map_err(|err| source.error(&file.span(), format!("{}: {err}", file.get_ref())))?,
        };
        let mut signers = FileSigners::new();
        for file in &self.signers {
            let bytes = named(source, file, files)?;
            signers.add_file_bytes(&bytes).map_err(|err| {
                let why = err.source().map(|why| format!(": {why}")).unwrap_or_default();
                source.error(&file.span(), format!("{}: {err}{why}", file.get_ref()))
            })?;
        }
        policy.ima = Some(Arc::new(ImaRules { mode, pcr_index, allowed, signers }));
        Ok(())
    }

    fn named(&self) -> Option<&Spanned<String>> {
        self.allow_list.as_ref().or(self.signers.first())
    }

    /// The files that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.allow_list.iter().chain(&self.signers).map(|file| file.get_ref().as_str())
    }
}

impl Rules {
    /// The file that it names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.file.iter().map(|file| file.get_ref().as_str())
    }

    /// Compiles the rules, where there are some.
    pub(super) fn apply(
        &self,
        policy: &mut Policy,
        source: &Source<'_>,
        files: &dyn NamedFiles,
    ) -> Result<(), PolicyError> {
        let Some(file) = &self.file else { return Ok(()) };
        let error =
            |message: String| source.error(&file.span(), format!("{}: {message}", file.get_ref()));
        let text = String::from_utf8(named(source, file, files)?)
            .map_err(|_| error("the rules are no UTF-8".to_owned()))?;
        let rules = rules::Rules::compile(&text).map_err(|err| {
            error(err.to_string()).with_hint(
                "`package bootproof` with sets: fail contains \"why\" if { input.facts... }",
            )
        })?;
        policy.site_rules = Some(SiteRules::new(Rego { rules, text }));
        Ok(())
    }
}

fn named(
    source: &Source<'_>,
    file: &Spanned<String>,
    files: &dyn NamedFiles,
) -> Result<Vec<u8>, PolicyError> {
    let name = file.get_ref();
    let bytes = files
        .bytes(name)
        .map_err(|err| source.error(&file.span(), format!("{name} cannot be read: {err}")))?;
    if bytes.len() > NAMED_FILE_BYTES_MAX {
        let message = format!("{name} is over {NAMED_FILE_BYTES_MAX} bytes");
        return Err(source.error(&file.span(), message));
    }
    Ok(bytes)
}
