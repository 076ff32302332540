//! Where in a tree the resources lie that behave.

use serde_json::Value;

use crate::{EmulatorError, Tree};

/// Paths of the resources that a change goes through.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) system: String,
    pub(crate) bios: String,
    pub(crate) settings: String,
    pub(crate) secure_boot: Option<String>,
    pub(crate) reset: String,
    pub(crate) registry: Option<String>,
    /// Collections in which a Dell job shows.
    pub(crate) jobs: Vec<String>,
}

fn link(body: &Value, pointer: &str) -> Option<String> {
    Some(body.pointer(pointer)?.as_str()?.to_owned())
}

impl Places {
    pub(crate) fn find(tree: &Tree) -> Result<Self, EmulatorError> {
        let missing = |what| EmulatorError::Incomplete { what };
        let systems = tree.find("/redfish/v1/Systems").ok_or(missing("collection of systems"))?;
        let members = systems.body.pointer("/Members").and_then(Value::as_array);
        let members = members.into_iter().flatten();
        let paths = members.filter_map(|member| link(member, "/@odata.id"));
        let with_bios = paths.filter_map(|path| {
            let body = &tree.find(&path)?.body;
            Some((path, body, link(body, "/Bios/@odata.id")?))
        });
        let (system, body, bios) =
            { with_bios }.next().ok_or(missing("system with settings of its firmware"))?;
        let bios_body = &tree.find(&bios).ok_or(missing("Bios resource"))?.body;
        let settings = link(bios_body, "/@Redfish.Settings/SettingsObject/@odata.id")
            .ok_or(missing("pending settings"))?;
        let reset = link(body, "/Actions/#ComputerSystem.Reset/target")
            .ok_or(missing("reset action of the system"))?;
        let secure_boot = link(body, "/SecureBoot/@odata.id");
        let registry = tree.iter().find(|resource| {
            resource.body.pointer("/RegistryEntries/Attributes").is_some_and(Value::is_array)
        });
        let jobs = tree.iter().filter(|resource| {
            let path = resource.path.trim_end_matches('/');
            path.ends_with("/Oem/Dell/Jobs") || path.ends_with("/JobService/Jobs")
        });
        let jobs = jobs.map(|resource| resource.path.clone()).collect();
        let registry = registry.map(|resource| resource.path.clone());
        Ok(Self { system, bios, settings, secure_boot, reset, registry, jobs })
    }
}
