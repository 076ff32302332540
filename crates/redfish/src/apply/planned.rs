//! A plan of [`firmware::plan`] as work: with where to look, and what tells that it was done.

use firmware::{
    ResourcePath, Scalar, Snapshot, System,
    plan::{Change as PlannedChange, Plan, Revert, Target},
    vendor::{Access, Intent, Reading, settings},
};
use serde_json::Value;

use super::work::{Change, Places, Presence, Step, Switch, Work};

/// A plan that is not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlannedError {
    /// Something else must be over first.
    #[error("{what} must be over first")]
    Waits {
        /// What.
        what: String,
    },
    /// The BMC offers no reset, so that nothing would come into force.
    #[error("the BMC offers no way to restart the host")]
    NoReset,
    /// Whether an operation was done could not be told.
    #[error("nothing would tell whether {attribute} was done")]
    NoTelling {
        /// The attribute.
        attribute: String,
    },
    /// The plan names resources that this host does not.
    #[error("the plan is for another host")]
    OtherHost,
}

/// The work that `plan` asks for on `system`, which `snapshot` was read of.
pub fn planned(plan: &Plan, system: &System, snapshot: &Snapshot) -> Result<Work, PlannedError> {
    if let Some(wait) = plan.waits_for.first() {
        let what = format!("{} ({})", wait.what, wait.resource);
        return Err(PlannedError::Waits { what });
    }
    if plan.system != system.path {
        return Err(PlannedError::OtherHost);
    }
    let places = places(system, snapshot)?;
    let steps = plan.steps.iter().map(|step| {
        let mut made = Step::default();
        for change in &step.changes {
            match &change.target {
                Target::Attribute { settings, attribute, .. } => {
                    if Some(settings) != places.settings.as_ref() {
                        return Err(PlannedError::OtherHost);
                    }
                    made.changes.push(attribute_change(change, attribute, system)?);
                }
                Target::SecureBootEnable { resource } => {
                    if Some(resource) != places.secure_boot.as_ref() {
                        return Err(PlannedError::OtherHost);
                    }
                    let to = change.to == Scalar::Bool(true);
                    made.secure_boot = Some(Switch { from: !to, to });
                }
            }
        }
        // A step without changes is a restart that what was set before waits for: Secure Boot alone
        // shows that it does.
        let is_secure_boot = |change: &PlannedChange| change.intent == Intent::SecureBoot;
        let tells = system.secure_boot.as_ref().is_some_and(|now| now.current.is_some());
        if tells && (step.changes.is_empty() || step.changes.iter().any(is_secure_boot)) {
            made.secure_boot_in_force = Some(true);
        }
        made.presence = step.presence.as_ref().map(|presence| Presence {
            resource: presence.resource.clone(),
            property: presence.property.clone(),
        });
        Ok(made)
    });
    let steps = steps.collect::<Result<_, _>>()?;
    Ok(Work { places, steps })
}

fn attribute_change(
    change: &PlannedChange,
    attribute: &str,
    system: &System,
) -> Result<Change, PlannedError> {
    let is_operation = change.from.is_none();
    let told_by = if is_operation {
        let all = system.bios.as_ref().map(settings).unwrap_or_default();
        let told = all.iter().find(|s| s.intent == change.intent && s.access == Access::Read);
        let told = told.and_then(|s| Some((s.attribute.clone(), json(s.value_for(Reading::On)?))));
        Some(told.ok_or_else(|| PlannedError::NoTelling { attribute: attribute.to_owned() })?)
    } else {
        None
    };
    let from = match &change.revert {
        Revert::To { value } => Some(json(value)),
        Revert::Never { .. } => None,
    };
    Ok(Change { attribute: attribute.to_owned(), from, to: json(&change.to), told_by })
}

fn json(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(value) => Value::from(*value),
        Scalar::Number(value) => Value::from(*value),
        Scalar::Text(text) => Value::from(text.as_str()),
    }
}

fn places(system: &System, snapshot: &Snapshot) -> Result<Places, PlannedError> {
    let reset = system.reset.as_ref().ok_or(PlannedError::NoReset)?;
    let settings = system.bios.as_ref().and_then(|bios| bios.settings.as_ref());
    let body = settings.and_then(|settings| snapshot.body(&settings.path));
    let queue = body.and_then(|body| body.pointer("/Oem/Dell/Jobs/@odata.id")?.as_str());
    Ok(Places {
        system: system.path.clone(),
        serial: system.identity.serial.clone(),
        bios: system.bios.as_ref().map(|bios| bios.path.clone()),
        settings: settings.map(|settings| settings.path.clone()),
        apply_times: settings.map(|settings| settings.apply_times.clone()).unwrap_or_default(),
        job_maker: queue.and_then(|queue| ResourcePath::parse(queue).ok()),
        jobs: job_queues(snapshot),
        secure_boot: system.secure_boot.as_ref().map(|secure_boot| secure_boot.path.clone()),
        reset: reset.target.clone(),
        reset_kinds: reset.allowed.clone(),
    })
}

/// Collections of jobs. iDRAC shows the same jobs in several, of which its own says most.
fn job_queues(snapshot: &Snapshot) -> Vec<ResourcePath> {
    let is_queue = |path: &ResourcePath, body: &Value| {
        path.name().eq_ignore_ascii_case("Jobs") && body.get("Members").is_some_and(Value::is_array)
    };
    let queues = snapshot.resources().filter(|(path, resource)| is_queue(path, &resource.body));
    let queues: Vec<_> = queues.map(|(path, _)| path.clone()).collect();
    let own = queues.iter().find(|path| path.as_str().to_ascii_lowercase().contains("/oem/"));
    match own {
        Some(own) => vec![own.clone()],
        None => queues,
    }
}
