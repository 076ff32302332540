//! An exact plan: which settings to change, in which order, with how many restarts.

mod explain;
mod solve;
mod wish;

use serde::{Deserialize, Serialize};

use crate::system::{Identity, System};
use crate::vendor::{Basis, Intent};
use crate::{Profile, ResourcePath, Scalar};

pub(crate) use wish::{is_tpm_12, reading};

/// The version of a plan's JSON. Who reads one with another version refuses it.
pub const PLAN_SCHEMA: u32 = 1;

/// What a plan is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goal {
    /// The system that runs, or shall run.
    pub profile: Profile,
    /// Whether the boot mode may be changed.
    pub installed: Installed,
}

/// How the system of a host was installed, which no BMC knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// Nobody said: a boot mode is not changed, since a system that was installed in legacy mode does
    /// not start in the other.
    Unknown,
    /// A person says that it starts by UEFI, or is installed anew.
    ForUefi,
}

/// A plan for one host. The same facts give the same plan, byte for byte.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_SCHEMA`].
    pub schema: u32,
    /// The host's resource.
    pub system: ResourcePath,
    /// Its names. A plan is for this machine with this BIOS: with another the registry may differ.
    pub identity: Identity,
    /// What it is made for.
    pub profile: Profile,
    /// The registry that allowed the values; `None` where there is none, and then no attribute is
    /// changed.
    pub registry: Option<ResourcePath>,
    /// The steps. Each ends with a restart, and the next begins when what it set is in force.
    pub steps: Vec<Step>,
    /// How many restarts that takes: one a step.
    pub reboots: usize,
    /// What must be over before the first step: jobs, and changes that wait for a restart.
    pub waits_for: Vec<Wait>,
    /// What is wrong and no change of a setting mends now.
    pub blocked: Vec<Blocked>,
    /// What the steps do to measurements.
    pub effects: Vec<Effect>,
    /// Settings that look as if they were meant, and why they are left alone.
    pub left_alone: Vec<Kept>,
    /// What the plan could not be sure of.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Changes that are made together, then a restart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The changes; none where something set before waits for a restart only.
    pub changes: Vec<Change>,
    /// What firmware will change along with them, by its registry.
    pub follows: Vec<Follow>,
    /// The property of a resource that asserts physical presence, to be set to `true` before: it lapses
    /// after 30 minutes.
    pub presence: Option<Presence>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What it is for.
    pub intent: Intent,
    /// What is changed.
    pub target: Target,
    /// The value in force now; `None` where it is an operation that has none.
    pub from: Option<Scalar>,
    /// The value to set.
    pub to: Scalar,
    /// Whether it can be taken back.
    pub revert: Revert,
    /// How the setting was recognised.
    pub basis: Basis,
}

/// What a change is made to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Target {
    /// An attribute: `PATCH settings {"Attributes": {attribute: to}}`.
    Attribute {
        /// The settings resource, out of `@Redfish.Settings`.
        settings: ResourcePath,
        /// The resource that tells what is in force.
        bios: ResourcePath,
        /// The attribute.
        attribute: String,
    },
    /// `PATCH resource {"SecureBootEnable": to}`; it is in force when `SecureBootCurrentBoot` says so.
    SecureBootEnable {
        /// The `SecureBoot` resource.
        resource: ResourcePath,
    },
}

/// Whether a change can be taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Revert {
    /// By setting this value.
    To {
        /// The value.
        value: Scalar,
    },
    /// Not through the BMC.
    Never {
        /// Why.
        because: String,
    },
}

/// A value that firmware changes along.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    /// Whose value.
    pub attribute: String,
    /// What it was.
    pub from: Option<Scalar>,
    /// What it becomes.
    pub to: Scalar,
}

/// Where physical presence is asserted through the BMC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// The resource.
    pub resource: ResourcePath,
    /// The property in it, with slashes between names.
    pub property: String,
}

/// What must be over before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wait {
    /// The job, or the resource with the changes that wait.
    pub resource: ResourcePath,
    /// What it is.
    pub what: String,
}

/// What is wrong and not mended by this plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blocked {
    /// What it is about.
    pub intent: Intent,
    /// What would have been changed, where that is known.
    pub would: Option<String>,
    /// Why not.
    pub because: String,
    /// What to do.
    pub next_step: String,
    /// Who can.
    pub by: By,
}

/// Who mends something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Nobody needs to.
    Nobody,
    /// A change of settings through the BMC, out of a plan.
    Plan,
    /// A restart of the host.
    Restart,
    /// Somebody in the running system.
    System,
    /// Somebody who looks at the BMC or at the host.
    Look,
    /// Somebody in the firmware's setup, or at the machine.
    Person,
    /// The maker's firmware.
    Vendor,
    /// Somebody who installs the system anew.
    Reinstall,
    /// Somebody who changes the TPM module.
    Module,
}

impl By {
    /// A few words for a table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Plan => "firmware plan",
            Self::Restart => "a restart",
            Self::System => "in the system",
            Self::Look => "look there",
            Self::Person => "a person",
            Self::Vendor => "vendor firmware",
            Self::Reinstall => "reinstall",
            Self::Module => "TPM module",
        }
    }
}

/// What a step does to measurements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The PCRs whose values change.
    pub pcrs: Vec<u8>,
    /// Why, and what follows.
    pub what: String,
}

/// A setting that is left alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The attribute or action.
    pub what: String,
    /// Its value.
    pub value: Option<Scalar>,
    /// Why.
    pub because: String,
}

impl Plan {
    /// Whether it reaches its goal, as far as settings do.
    pub fn is_complete(&self) -> bool {
        self.blocked.is_empty()
    }
}

/// The plan for `system`.
pub fn plan(system: &System, goal: Goal) -> Plan {
    let wishes = wish::wishes(system, goal);
    let solved = solve::solve(system, wishes);
    let effects = explain::effects(&solved.steps);
    Plan {
        schema: PLAN_SCHEMA,
        system: system.path.clone(),
        identity: system.identity.clone(),
        profile: goal.profile,
        registry: system.bios.as_ref().and_then(|b| b.registry.as_ref()).map(|(at, _)| at.clone()),
        reboots: solved.steps.len(),
        notes: explain::notes(system, &solved.steps),
        steps: solved.steps,
        waits_for: explain::waits_for(system),
        blocked: solved.blocked,
        effects,
        left_alone: explain::left_alone(system),
    }
}
