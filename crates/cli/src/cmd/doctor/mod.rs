//! `bootproof doctor`: what a host lacks to be attested, and what to mend first.

mod collect;
mod kernel;
mod observe;
mod show;

use appraise::{Context, Policy, appraise};
use doctor::{Checklist, Outcome};

use self::{
    collect::Tpm,
    observe::{Examined, observe},
};
use super::{Exit, local_time, verify};
use crate::{args::Doctor, error::CliError, output::Output};

pub(super) fn run(command: &Doctor, output: &Output) -> Result<Exit, CliError> {
    let roots = verify::read_roots(&command.ek_root)?;
    let collected = collect::collect(command)?;
    let (policy, now) = (Policy::default(), local_time::now());
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
    let checklist = Checklist::of(observe(examined));
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
