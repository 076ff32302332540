//! Changes: pending settings, Secure Boot, physical presence.

use hyper::HeaderMap;
use serde_json::{Map, Value};

use crate::{
    Fault,
    answer::Answer,
    dialect::Dialect,
    jobs::{Job, JobState},
    machine::{Machine, not_found},
    registry::{Refusal, Registry},
    tree::key,
};

/// How long physical presence stays asserted on Lenovo.
const PRESENCE_MS: u64 = 30 * 60 * 1_000;

impl Machine {
    pub(crate) fn patch(&mut self, path: &str, headers: &HeaderMap, sent: &Value) -> Answer {
        if self.faults.strikes(Fault::EtagMoves, path) {
            self.etag_salt += 1;
        }
        let Some(resource) = self.resource(path) else { return not_found(path) };
        match headers.get("if-match").map(|value| value.as_bytes()) {
            None if self.dialect.demands_if_match() => {
                let text = "The request needs an If-Match header.";
                return Answer::refusal(428, "Base.1.18.1.PreconditionRequired", text);
            }
            Some(shown) if shown != b"*" && shown != resource.etag.as_bytes() => {
                let text = "The ETag supplied did not match the ETag required.";
                return Answer::refusal(412, "Base.1.18.1.PreconditionFailed", text);
            }
            _ => (),
        }
        if self.faults.strikes(Fault::LockedDown, path) {
            let text = "Unable to complete the operation because the system is in lockdown mode.";
            return Answer::refusal(403, "IDRAC.2.8.RAC0719", text);
        }
        let at = key(path);
        let places = &self.places;
        if at == key(&places.settings) {
            self.patch_settings(path, sent)
        } else if places.secure_boot.as_deref().map(key).as_deref() == Some(&at) {
            self.patch_secure_boot(sent)
        } else if at == key(&places.system) {
            self.patch_system(sent)
        } else {
            Answer::empty(405)
        }
    }

    fn patch_settings(&mut self, path: &str, sent: &Value) -> Answer {
        let Some(wanted) = sent.get("Attributes").and_then(Value::as_object) else {
            let text = "The property Attributes is required.";
            return Answer::refusal(400, "Base.1.18.1.PropertyMissing", text);
        };
        let refusals = self.refusals(wanted);
        if !refusals.is_empty() {
            return Answer::error(400, &refusals);
        }
        if wanted.contains_key("TrustedComputingGroup_DeviceOperation") && !self.presence() {
            return presence_required();
        }
        let apply_time = sent.pointer("/@Redfish.SettingsApplyTime/ApplyTime");
        if self.jobs.iter().any(Job::is_pending) {
            let text = "Pending configuration values are already committed.";
            return Answer::refusal(400, "IDRAC.2.8.SYS011", text);
        }
        if self.faults.strikes(Fault::ForgetsSettings, path) {
            return Answer::empty(200);
        }
        self.pending.extend(wanted.clone());
        let answer = match self.dialect {
            Dialect::Dell if apply_time.is_some() => self.add_job(),
            Dialect::Hpe => {
                let text = "One or more properties were changed and will not take effect until system is reset.";
                Answer::refusal(200, "iLO.2.13.SystemResetRequired", text)
            }
            Dialect::Supermicro => Answer::empty(204),
            _ => Answer::empty(200),
        };
        if self.faults.strikes(Fault::TakesAndSays400, path) {
            return Answer::refusal(
                400,
                "Base.1.18.1.GeneralError",
                "A general error has occurred.",
            );
        }
        answer
    }

    fn refusals(&self, wanted: &Map<String, Value>) -> Vec<(&'static str, Vec<String>, String)> {
        let Some(registry) = Registry::of(&self.tree, &self.places) else { return Vec::new() };
        let form = self.dialect.value_form();
        let checks = wanted.iter().filter_map(|(name, value)| {
            let refusal = registry.check(name, value, &self.attributes, form).err()?;
            let id = match refusal {
                Refusal::Unknown => "Base.1.18.1.PropertyUnknown",
                Refusal::ReadOnly => "Base.1.18.1.PropertyNotWritable",
                Refusal::NotInList => "Base.1.18.1.PropertyValueNotInList",
                Refusal::Type => "Base.1.18.1.PropertyValueTypeError",
            };
            let text = format!("The value {value} for the property {name} was refused.");
            Some((id, vec![value.to_string(), name.clone()], text))
        });
        checks.collect()
    }

    /// Answers that a job was made, with its place. [config of Dell: 202, Location]
    pub(crate) fn add_job(&mut self) -> Answer {
        let stuck = self.faults.on(Fault::JobStuck);
        let state = if stuck { JobState::Stuck } else { JobState::Scheduled };
        let job = Job::new(self.jobs.len(), state);
        let collection = self.places.jobs.iter().find(|path| path.contains("/Oem/Dell/"));
        let collection = collection.or(self.places.jobs.first()).map_or("", String::as_str);
        let place = format!("{collection}/{}", job.id);
        self.jobs.push(job);
        Answer::empty(202).with("location", place)
    }

    pub(crate) fn add_foreign_job(&mut self) {
        self.jobs.push(Job::new(self.jobs.len(), JobState::Scheduled));
    }

    fn patch_secure_boot(&mut self, sent: &Value) -> Answer {
        let Some(enable) = sent.get("SecureBootEnable").and_then(Value::as_bool) else {
            return Answer::refusal(
                400,
                "Base.1.18.1.PropertyMissing",
                "SecureBootEnable is missing.",
            );
        };
        if self.dialect == Dialect::Lenovo && !self.presence() {
            return presence_required();
        }
        if let Some(wish) = &mut self.secure_boot {
            wish.set(enable);
        }
        match self.dialect {
            Dialect::Supermicro => Answer::empty(204),
            _ => Answer::empty(200),
        }
    }

    fn patch_system(&mut self, sent: &Value) -> Answer {
        let asserted = sent.pointer("/Oem/Lenovo/TPMSettings/AssertRPP").and_then(Value::as_bool);
        let Some(asserted) = asserted else { return Answer::empty(405) };
        self.presence_until_ms = asserted.then(|| self.clock.now_ms() + PRESENCE_MS);
        Answer::empty(200)
    }

    fn presence(&self) -> bool {
        self.presence_until_ms.is_some_and(|until| self.clock.now_ms() < until)
    }
}

fn presence_required() -> Answer {
    let text = "Remote physical presence is not asserted.";
    Answer::refusal(403, "ExtendedError.1.2.PhysicalPresenceRequired", text)
}
