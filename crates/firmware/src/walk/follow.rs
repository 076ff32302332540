//! Which links of a resource are followed.

use serde_json::Value;

use crate::ResourcePath;
use crate::json::{self, elements, link, link_at};

/// What a resource is wanted as. Each role leads to later ones only, so that a walk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Role {
    ServiceRoot,
    Systems,
    System,
    Bios,
    BiosSettings,
    SecureBoot,
    Databases,
    Database,
    Chassis,
    TrustedComponents,
    TrustedComponent,
    Certificates,
    Signatures,
    ComponentIntegrities,
    Managers,
    Manager,
    JobService,
    TaskService,
    Jobs,
    /// Nothing of it is followed.
    Leaf,
}

/// What a resource leads to.
#[derive(Default)]
pub(super) struct Found {
    pub(super) wanted: Vec<(ResourcePath, Role)>,
    /// Members that came with their collection.
    pub(super) inline: Vec<(ResourcePath, Value)>,
    pub(super) next_page: Option<ResourcePath>,
}

impl Role {
    /// The role of the members of such a collection, and how many of them are looked at.
    const fn members(self) -> Option<(Self, usize)> {
        Some(match self {
            // A BMC of a multi-node chassis has up to eight.
            Self::Systems => (Self::System, 16),
            // db, dbx, KEK, PK, dbt, dbr, and what they were at the factory.
            Self::Databases => (Self::Database, 32),
            Self::TrustedComponents => (Self::TrustedComponent, 16),
            Self::Managers => (Self::Manager, 16),
            Self::Certificates => (Self::Leaf, 128),
            // Nine times what was ever published for dbx.
            Self::Signatures => (Self::Leaf, 4096),
            // SPDM parts, of which a machine with eight GPUs has forty.
            Self::ComponentIntegrities => (Self::Leaf, 64),
            // iDRAC keeps 256.
            Self::Jobs => (Self::Leaf, 256),
            _ => return None,
        })
    }

    /// Whether it is a collection whose members are wanted, so that they may come with it.
    pub(super) const fn has_members(self) -> bool {
        matches!(self, Self::Certificates | Self::Signatures | Self::Jobs)
    }
}

/// Whether the service root says that `$expand=.($levels=1)` works.
pub(super) fn expands(root: &Value) -> bool {
    let says = |name| {
        let names = ["ProtocolFeaturesSupported", "ExpandQuery", name];
        json::at(root, &names).and_then(Value::as_bool) == Some(true)
    };
    says("NoLinks") && says("Levels")
}

/// Where `body`, wanted as `role`, leads to.
pub(super) fn links(role: Role, body: &Value) -> Found {
    let mut found = Found::default();
    let mut one = |names: &[&str], role| {
        found.wanted.extend(link_at(body, names).map(|path| (path, role)));
    };
    match role {
        Role::ServiceRoot => {
            one(&["Systems"], Role::Systems);
            one(&["Managers"], Role::Managers);
            one(&["Registries"], Role::Leaf);
            one(&["JobService"], Role::JobService);
            one(&["Tasks"], Role::TaskService);
            one(&["ComponentIntegrity"], Role::ComponentIntegrities);
        }
        Role::System => {
            one(&["Bios"], Role::Bios);
            // iLO 4 before its firmware spoke Redfish in full.
            one(&["Oem", "Hp", "links", "BIOS"], Role::Bios);
            one(&["SecureBoot"], Role::SecureBoot);
            one(&["Oem", "Hp", "links", "SecureBoot"], Role::SecureBoot);
            many(&mut found, body, &["Links", "Chassis"], Role::Chassis);
            many(&mut found, body, &["Links", "ManagedBy"], Role::Manager);
            many(&mut found, body, &["Links", "TrustedComponents"], Role::TrustedComponent);
        }
        Role::Bios => {
            one(&["@Redfish.Settings", "SettingsObject"], Role::BiosSettings);
            one(&["links", "Settings"], Role::BiosSettings);
        }
        Role::BiosSettings => one(&["Oem", "Dell", "Jobs"], Role::Jobs),
        Role::SecureBoot => one(&["SecureBootDatabases"], Role::Databases),
        Role::Database => {
            one(&["Certificates"], Role::Certificates);
            one(&["Signatures"], Role::Signatures);
        }
        Role::Chassis => one(&["TrustedComponents"], Role::TrustedComponents),
        Role::TrustedComponent => one(&["Certificates"], Role::Certificates),
        Role::Manager => one(&["Links", "Oem", "Dell", "Jobs"], Role::Jobs),
        Role::JobService => one(&["Jobs"], Role::Jobs),
        Role::TaskService => one(&["Tasks"], Role::Jobs),
        Role::Systems
        | Role::Databases
        | Role::TrustedComponents
        | Role::Certificates
        | Role::Signatures
        | Role::ComponentIntegrities
        | Role::Managers
        | Role::Jobs
        | Role::Leaf => {}
    }
    if matches!(role, Role::System | Role::Bios | Role::SecureBoot | Role::Database) {
        action_infos(&mut found, body);
    }
    if let Some((of_members, n_max)) = role.members() {
        members(&mut found, body, of_members, n_max);
    }
    found
}

fn many(found: &mut Found, body: &Value, names: &[&str], role: Role) {
    // A machine has one chassis and one BMC; a tray of GPUs two of each.
    const LINKS_MAX: usize = 8;
    let links = elements(json::at(body, names)).iter().take(LINKS_MAX);
    found.wanted.extend(links.filter_map(|value| Some((link(value)?.ok()?, role))));
}

/// The values that an action takes stand beside it, or in a resource of their own.
/// [DSP0266-1.20 §9.3]
fn action_infos(found: &mut Found, body: &Value) {
    // A resource has a handful of actions.
    const ACTIONS_MAX: usize = 16;
    let actions = body.get("Actions").and_then(Value::as_object);
    for action in actions.into_iter().flat_map(|actions| actions.values()).take(ACTIONS_MAX) {
        let info = action.get("@Redfish.ActionInfo").and_then(link);
        found.wanted.extend(info.and_then(Result::ok).map(|path| (path, Role::Leaf)));
    }
}

fn members(found: &mut Found, body: &Value, role: Role, n_max: usize) {
    for member in elements(body.get("Members")).iter().take(n_max) {
        let Some(Ok(path)) = link(member) else { continue };
        let own = |name: &&String| !name.starts_with('@');
        if member.as_object().is_some_and(|object| object.keys().any(|name| own(&name))) {
            found.inline.push((path.clone(), member.clone()));
        }
        found.wanted.push((path, role));
    }
    found.next_page = link_at(body, &["Members@odata.nextLink"]);
}
