//! What is to be changed on one host, in steps that each end with a boot.
//!
//! Made of a plan, and kept whole in the journal: a run that goes on needs no plan made anew, and a
//! revert knows each value of before.

use firmware::ResourcePath;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where on one BMC a host is changed and looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Places {
    /// The host.
    pub system: ResourcePath,
    /// Its serial number: an address may lead to another machine one day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// The settings in force.
    pub bios: Option<ResourcePath>,
    /// The resource that takes changes of settings.
    pub settings: Option<ResourcePath>,
    /// When it can apply them; empty where the BMC does not say.
    pub apply_times: Vec<String>,
    /// Where a job for pending settings is asked for, on BMCs that need one and take no apply time.
    pub job_maker: Option<ResourcePath>,
    /// Collections of jobs and tasks.
    pub jobs: Vec<ResourcePath>,
    /// The Secure Boot resource.
    pub secure_boot: Option<ResourcePath>,
    /// Where a reset is asked for.
    pub reset: ResourcePath,
    /// The resets that it takes; empty where the BMC does not say.
    pub reset_kinds: Vec<String>,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The attribute.
    pub attribute: String,
    /// Its value of before; `None` where the BMC does not show it, so that it cannot be put back.
    pub from: Option<Value>,
    /// The value that is wanted, in the form that this BMC takes.
    pub to: Value,
    /// The attribute and value that tell that it was done, where that is another one: operations
    /// fall back to "no action" when they are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_by: Option<(String, Value)>,
}

/// `SecureBootEnable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// Before.
    pub from: bool,
    /// After.
    pub to: bool,
}

/// Where physical presence is asserted through the BMC, for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The resource.
    pub resource: ResourcePath,
    /// The property in it that is set to `true`, with slashes between names.
    pub property: String,
}

/// Changes that come into force with one boot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Settings.
    #[serde(default)]
    pub changes: Vec<Change>,
    /// Secure Boot, through its own resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_boot: Option<Switch>,
    /// What `SecureBootCurrentBoot` must say after this step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secure_boot_in_force: Option<bool>,
    /// What must come first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

/// All that is to be changed on one host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Where.
    pub places: Places,
    /// In this order.
    pub steps: Vec<Step>,
}

impl Work {
    /// The same changes taken back, last first. What has no value of before stays, and is told.
    pub fn reversed(&self) -> (Self, Vec<String>) {
        let mut left = Vec::new();
        let mut steps = Vec::new();
        for step in self.steps.iter().rev() {
            let mut reversed = Step { presence: step.presence.clone(), ..Step::default() };
            for change in &step.changes {
                // An operation cannot be undone by asking for "no action": the value that told of it
                // is what it was before, and only another operation leads there.
                match (&change.from, &change.told_by) {
                    (Some(from), None) => reversed.changes.push(Change {
                        attribute: change.attribute.clone(),
                        from: Some(change.to.clone()),
                        to: from.clone(),
                        told_by: None,
                    }),
                    _ => left.push(change.attribute.clone()),
                }
            }
            reversed.secure_boot =
                step.secure_boot.map(|switch| Switch { from: switch.to, to: switch.from });
            reversed.secure_boot_in_force = step.secure_boot_in_force.map(|in_force| !in_force);
            if reversed.changes.is_empty() && reversed.secure_boot.is_none() {
                continue;
            }
            steps.push(reversed);
        }
        (Self { places: self.places.clone(), steps }, left)
    }
}

/// Whether a BMC's value is the one that is wanted: firmware differs from itself in the case of words.
pub(crate) fn same(have: Option<&Value>, wanted: &Value) -> bool {
    match (have, wanted) {
        (Some(Value::String(have)), Value::String(wanted)) => have.eq_ignore_ascii_case(wanted),
        (have, wanted) => have == Some(wanted),
    }
}
