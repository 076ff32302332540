//! Actions, and what can be deleted.

use hyper::HeaderMap;
use serde_json::Value;

use crate::{
    answer::Answer,
    dialect::Dialect,
    machine::{Machine, not_found},
    tree::key,
};

impl Machine {
    pub(crate) fn post(&mut self, path: &str, sent: &Value) -> Answer {
        let at = key(path);
        if at == key(&self.places.reset) {
            let Some(kind) = sent.get("ResetType").and_then(Value::as_str) else {
                let text = "The action needs the parameter ResetType.";
                return Answer::refusal(400, "Base.1.18.1.ActionParameterMissing", text);
            };
            if !self.reset_kinds().iter().any(|known| known == kind) {
                let text = "The value of ResetType is not supported.";
                return Answer::refusal(400, "Base.1.18.1.ActionParameterNotSupported", text);
            }
            return match self.reset(kind) {
                Ok(()) => Answer::empty(204),
                Err(text) => Answer::refusal(409, "Base.1.18.1.ResourceInUse", text),
            };
        }
        if self.dialect == Dialect::Dell && at.ends_with("/jobs") {
            return self.post_job(sent);
        }
        if at.ends_with("dellmanager.clearpending") {
            self.pending.clear();
            return Answer::empty(200);
        }
        // Keys and defaults: what was asked stands in `seen`, for tests that say that nothing was.
        if at.ends_with("resetkeys") || at.ends_with("resetbios") {
            return Answer::empty(200);
        }
        not_found(path)
    }

    fn post_job(&mut self, sent: &Value) -> Answer {
        let target = sent.get("TargetSettingsURI").and_then(Value::as_str).map(key);
        if target != Some(key(&self.places.settings)) {
            let text = "TargetSettingsURI names nothing that can be set.";
            return Answer::refusal(400, "IDRAC.2.8.SYS403", text);
        }
        if self.jobs.iter().any(crate::jobs::Job::is_pending) {
            let text = "Pending configuration values are already committed.";
            return Answer::refusal(400, "IDRAC.2.8.SYS011", text);
        }
        if self.pending.is_empty() {
            let text = "No pending data is present for which a job can be made.";
            return Answer::refusal(400, "IDRAC.2.8.SYS035", text);
        }
        self.add_job()
    }

    fn reset_kinds(&self) -> Vec<String> {
        let Some(system) = self.tree.find(&self.places.system) else { return Vec::new() };
        let Some(action) = system.body.pointer("/Actions/#ComputerSystem.Reset") else {
            return Vec::new();
        };
        let inline = action.get("ResetType@Redfish.AllowableValues").and_then(Value::as_array);
        let link = action.get("@Redfish.ActionInfo").and_then(Value::as_str);
        let linked = link.and_then(|path| self.tree.find(path)).and_then(|info| {
            let parameters = info.body.get("Parameters")?.as_array()?;
            parameters
                .iter()
                .find(|parameter| parameter.get("Name") == Some(&"ResetType".into()))?
                .get("AllowableValues")?
                .as_array()
        });
        let values = inline.or(linked).into_iter().flatten();
        values.filter_map(|value| Some(value.as_str()?.to_owned())).collect()
    }

    pub(crate) fn delete(&mut self, path: &str, headers: &HeaderMap) -> Answer {
        let name = path.rsplit('/').next().unwrap_or_default();
        if path.contains("/Sessions/") {
            let own = headers
                .get("x-auth-token")
                .is_some_and(|token| token.as_bytes() == name.as_bytes());
            return if own && self.sessions.close(name) {
                Answer::empty(204)
            } else {
                not_found(path)
            };
        }
        let before = self.jobs.len();
        self.jobs.retain(|job| job.id != name || !job.is_pending());
        if self.jobs.len() < before {
            self.pending.clear();
            return Answer::empty(200);
        }
        not_found(path)
    }
}
