//! `bootproof doctor`: what a host lacks to be attested, and what to mend first.

mod collect;
mod esxi;
mod kernel;
mod observe;
mod show;

use appraise::{Context, appraise};
use doctor::{Checklist, Outcome, Profile};

use self::{
    collect::Tpm,
    observe::{Examined, observe},
};
use super::{Exit, local_time, verify};
use crate::{args, args::Doctor, error::CliError, output::Output};

pub(super) fn run(command: &Doctor, output: &Output) -> Result<Exit, CliError> {
    let checklist = checklist(command, output)?;
    if output.is_json() {
        output.json(&show::document(&checklist))?;
    } else {
        show::text(&checklist, output)?;
    }
    Ok(match checklist.outcome() {
        Outcome::Sound | Outcome::Warned => Exit::Done,
        Outcome::Failed => Exit::No,
        Outcome::Unsure => Exit::Unsure,
    })
}

/// The checklist as a document.
pub(super) fn document(
    command: &Doctor,
    output: &Output,
) -> Result<api::doctor::Checklist, CliError> {
    Ok(show::document(&checklist(command, output)?))
}

fn checklist(command: &Doctor, output: &Output) -> Result<Checklist, CliError> {
    match command.esxi.is_empty() {
        true => look(command),
        false => esxi::look(command, output),
    }
}

/// Looks at this machine, or at a copy of another's files.
fn look(command: &Doctor) -> Result<Checklist, CliError> {
    let roots = verify::read_roots(&command.ek_root)?;
    let policy = verify::read_policy(command.policy.as_deref(), command.dbx.as_deref())?;
    let collected = collect::collect(command)?;
    let now = local_time::now();
    let judged = verify::with_claims(&policy, &collected.folder, &roots, now, |claims| {
        let judged = appraise(claims, &Context::default(), &policy, now);
        let facts = report::appraisal(claims, &judged).facts;
        (judged.findings, facts)
    });
    let (findings, facts) = judged;
    // A copy has no clock. A TPM that answered is one of a machine that runs.
    let here = command.root.is_none() || collected.tpm == Tpm::Asked;
    let clock = here.then_some(now);
    let examined = Examined { collected: &collected, findings, facts, roots: &roots, clock };
    let profile = command.profile.map_or(Profile::Linux, Profile::from);
    Ok(Checklist::of(observe(examined), profile))
}

impl From<args::Profile> for Profile {
    fn from(profile: args::Profile) -> Self {
        match profile {
            args::Profile::Linux => Self::Linux,
            args::Profile::Esxi67 => Self::Esxi67,
            args::Profile::Esxi7 => Self::Esxi7,
            args::Profile::Esxi8 => Self::Esxi8,
            args::Profile::Esx9 => Self::Esx9,
        }
    }
}
