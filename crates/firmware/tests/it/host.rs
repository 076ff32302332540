//! Hosts for tests: a recorded one with changes, or one out of a few resources.

use std::collections::BTreeMap;

use firmware::assess::Readiness;
use firmware::plan::{Goal, Installed, Plan};
use firmware::system::System;
use firmware::{Answer, Profile, ResourcePath, Snapshot, Tree, Unread, Walk, assess, plan, read};
use secure_boot_facts::Date;
use serde_json::{Value, json};

pub(crate) const TODAY: Date = Date { year: 2026, month: 11, day: 28 };

pub(crate) fn path(text: &str) -> ResourcePath {
    ResourcePath::parse(text).unwrap()
}

pub(crate) fn goal(profile: Profile) -> Goal {
    Goal { profile, installed: Installed::Unknown }
}

/// The resources of a host by path; a change of them is a change of what its BMC says.
pub(crate) struct Host {
    bodies: BTreeMap<ResourcePath, Value>,
}

impl Host {
    /// A recorded tree; `None` without the folder of those.
    pub(crate) fn recorded(name: &str) -> Option<Self> {
        let folder = testkit::corpus::folder("redfish")?;
        let snapshot = Tree::open(&folder.join(name)).unwrap().snapshot();
        let bodies = snapshot.resources().map(|(path, found)| (path.clone(), found.body.clone()));
        Some(Self { bodies: bodies.collect() })
    }

    /// A host with settings of these names, values and values that they can have, by the standard, with
    /// these dependencies and a Secure Boot resource with keys, that is off.
    pub(crate) fn made(settings: &[(&str, &str, &[&str])], dependencies: Value) -> Self {
        let values: serde_json::Map<_, _> =
            settings.iter().map(|(name, value, _)| ((*name).to_owned(), json!(value))).collect();
        let attributes: Vec<_> = settings
            .iter()
            .map(|(name, _, values)| {
                let values: Vec<_> = values.iter().map(|v| json!({"ValueName": v})).collect();
                json!({"AttributeName": name, "Type": "Enumeration", "Value": values})
            })
            .collect();
        let link = |at: &str| json!({"@odata.id": at});
        let mut host = Self { bodies: BTreeMap::new() };
        let mut put = |at: &str, body: Value| host.bodies.insert(path(at), body);
        put(
            "/redfish/v1",
            json!({"Systems": link("/redfish/v1/Systems"),
            "Registries": link("/redfish/v1/Registries")}),
        );
        put("/redfish/v1/Systems", json!({"Members": [link("/redfish/v1/Systems/1")]}));
        put(
            "/redfish/v1/Systems/1",
            json!({"Id": "1", "Bios": link("/redfish/v1/Systems/1/Bios"),
            "SecureBoot": link("/redfish/v1/Systems/1/SecureBoot"),
            "TrustedModules": [{"InterfaceType": "TPM2_0", "Status": {"State": "Enabled"}}]}),
        );
        put(
            "/redfish/v1/Systems/1/Bios",
            json!({"Attributes": values, "AttributeRegistry": "BiosAttributeRegistry",
            "@Redfish.Settings": {"SettingsObject": link("/redfish/v1/Systems/1/Bios/Settings")}}),
        );
        put("/redfish/v1/Systems/1/Bios/Settings", json!({"Attributes": {}}));
        put(
            "/redfish/v1/Systems/1/SecureBoot",
            json!({"SecureBootEnable": false,
            "SecureBootCurrentBoot": "Disabled", "SecureBootMode": "UserMode"}),
        );
        put(
            "/redfish/v1/Registries",
            json!({"Members": [link("/redfish/v1/Registries/BiosAttributeRegistry")]}),
        );
        put(
            "/redfish/v1/Registries/BiosAttributeRegistry",
            json!({"RegistryEntries":
            {"Attributes": attributes, "Dependencies": dependencies}}),
        );
        host
    }

    /// With a resource changed, or a new one.
    pub(crate) fn with(mut self, at: &str, change: impl FnOnce(&mut Value)) -> Self {
        change(self.bodies.entry(path(at)).or_insert_with(|| json!({})));
        self
    }

    /// With settings changed, of a host with one system.
    pub(crate) fn with_settings(self, at: &str, changes: &[(&str, &str)]) -> Self {
        self.with(at, |bios| {
            for (name, value) in changes {
                bios["Attributes"][*name] = json!(value);
            }
        })
    }

    pub(crate) fn without(mut self, at: &str) -> Self {
        self.bodies.remove(&path(at)).unwrap();
        self
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let texts: BTreeMap<_, _> =
            self.bodies.iter().map(|(path, body)| (path, body.to_string())).collect();
        Walk::new().run(|ask| match texts.get(&ask.path) {
            Some(text) => Answer::Body { bytes: text.as_bytes(), etag: None },
            None => Answer::Unread(Unread::NotFound),
        })
    }

    pub(crate) fn system(&self) -> System {
        let mut systems = read(&self.snapshot());
        assert_eq!(systems.len(), 1);
        systems.remove(0)
    }

    pub(crate) fn assess(&self, profile: Profile) -> Readiness {
        assess(&self.system(), goal(profile), TODAY)
    }

    pub(crate) fn plan(&self, goal: Goal) -> Plan {
        plan(&self.system(), goal)
    }
}

/// The codes of what was found, each once, in the order in which they are told.
pub(crate) fn codes(readiness: &Readiness) -> Vec<&'static str> {
    let mut codes: Vec<_> =
        readiness.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.dedup();
    codes
}

/// The changes of each step, as `Attribute=value`.
pub(crate) fn steps(plan: &Plan) -> Vec<Vec<String>> {
    let change = |change: &firmware::plan::Change| match &change.target {
        firmware::plan::Target::Attribute { attribute, .. } => format!("{attribute}={}", change.to),
        firmware::plan::Target::SecureBootEnable { .. } => {
            format!("SecureBootEnable={}", change.to)
        }
    };
    plan.steps.iter().map(|step| step.changes.iter().map(change).collect()).collect()
}
