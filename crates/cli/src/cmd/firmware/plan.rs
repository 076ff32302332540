//! `bootproof firmware plan`

use firmware::Scalar;
use firmware::plan::{Change, Plan, Revert, Step, Target, plan};

use super::{goal, source};
use crate::{
    args::FirmwarePlan,
    cmd::Exit,
    error::CliError,
    output::{Output, Tone, plain},
};

pub(super) fn run(command: &FirmwarePlan, output: &Output) -> Result<Exit, CliError> {
    let goal = goal(&command.goal);
    let mut plans = Vec::new();
    for source in source::read_all(&command.source, output, move |system| plan(system, goal))? {
        let planned = source.hosts.map_err(|err| {
            let hint = err.hint();
            CliError::with_hint(err, hint).about(&source.name)
        })?;
        plans.extend(planned.into_iter().map(|plan| (source.name.clone(), plan)));
    }
    let is_complete = plans.iter().all(|(_, plan)| plan.is_complete());
    if output.is_json() {
        let plans: Vec<_> = plans.into_iter().map(|(_, plan)| plan).collect();
        output.json(&plans)?;
    } else {
        for (source, plan) in &plans {
            show(source, plan, output)?;
        }
    }
    Ok(if is_complete { Exit::Done } else { Exit::No })
}

fn show(source: &str, plan: &Plan, output: &Output) -> Result<(), CliError> {
    let strong = |text: &str| output.paint(Tone::Strong, text);
    let identity = &plan.identity;
    let names = [&identity.manufacturer, &identity.model, &identity.serial];
    let names: Vec<_> = names.into_iter().flatten().map(String::as_str).collect();
    let head = format!("{} {}", plain(source), plain(&names.join(" ")));
    let restarts = match plan.reboots {
        1 => "1 restart".to_owned(),
        n => format!("{n} restarts"),
    };
    output.line(&format!("{} for {}: {restarts}", strong(head.trim()), plan.profile.as_str()))?;
    for wait in &plan.waits_for {
        let first = output.paint(Tone::Unsure, "first");
        output.line(&format!(
            "{first}  {}: {}",
            plain(&wait.resource.to_string()),
            plain(&wait.what)
        ))?;
    }
    if plan.steps.is_empty() {
        output.line("There is nothing to change by settings.")?;
    }
    for (n, step) in plan.steps.iter().enumerate() {
        show_step(n.saturating_add(1), step, output)?;
    }
    if !plan.blocked.is_empty() {
        output.line(&strong("Not mended by this plan"))?;
    }
    for blocked in &plan.blocked {
        let would = blocked.would.as_deref().unwrap_or(blocked.intent.title());
        output.line(&format!("  {}: {}", plain(would), plain(&blocked.because)))?;
        output.line(&format!(
            "    next: {} ({})",
            plain(&blocked.next_step),
            blocked.by.as_str()
        ))?;
    }
    if !plan.effects.is_empty() {
        output.line(&strong("What it does to measurements"))?;
    }
    for effect in &plan.effects {
        let pcrs: Vec<_> = effect.pcrs.iter().map(ToString::to_string).collect();
        output.line(&format!("  PCR {}: {}", pcrs.join(", "), effect.what))?;
    }
    for note in &plan.notes {
        output.line(&format!("{}  {}", output.paint(Tone::Unsure, "note"), plain(note)))?;
    }
    if !plan.left_alone.is_empty() {
        output.line(&strong("Left alone"))?;
    }
    for kept in &plan.left_alone {
        let value = kept.value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
        output.line(&format!("  {}: {}", plain(&format!("{}{value}", kept.what)), kept.because))?;
    }
    output.line("")?;
    Ok(())
}

fn show_step(n: usize, step: &Step, output: &Output) -> Result<(), CliError> {
    output.line(&output.paint(Tone::Strong, &format!("Step {n}, then a restart")))?;
    if let Some(presence) = &step.presence {
        let at = format!("{}#/{}", presence.resource, presence.property);
        output.line(&format!("  first: physical presence, {} to true (30 minutes)", plain(&at)))?;
    }
    if step.changes.is_empty() {
        output.line("  what was set before comes into force")?;
    }
    for change in &step.changes {
        output.line(&format!("  {}", plain(&of_change(change))))?;
    }
    for follow in &step.follows {
        let from = shown(follow.from.as_ref());
        let text = format!("{}: {from} -> {}, by the firmware itself", follow.attribute, follow.to);
        output.line(&format!("    {}", plain(&text)))?;
    }
    Ok(())
}

fn of_change(change: &Change) -> String {
    let name = match &change.target {
        Target::Attribute { attribute, .. } => attribute.as_str(),
        Target::SecureBootEnable { .. } => "SecureBootEnable",
    };
    let revert = match &change.revert {
        Revert::To { .. } => String::new(),
        Revert::Never { because } => format!("; cannot be taken back: {because}"),
    };
    let from = shown(change.from.as_ref());
    format!("{name}: {from} -> {} ({}){revert}", change.to, change.intent.title())
}

fn shown(value: Option<&Scalar>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}
