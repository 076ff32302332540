//! What a host shows of a step.

use std::collections::BTreeSet;

use firmware::ResourcePath;
use serde_json::{Map, Value, json};

use super::work::{Change, Places, Step, same};
use crate::{Bmc, RedfishError, clean};

/// Jobs that are looked at in one collection: queues of BMCs hold up to 255.
const JOBS_MAX: usize = 512;

/// What a host shows now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    pub(crate) attributes: Map<String, Value>,
    /// Values that wait, as far as they differ from those in force.
    pub(crate) pending: Map<String, Value>,
    /// Whether this BMC does not show what waits.
    pub(crate) hides_pending: bool,
    pub(crate) settings_etag: Option<String>,
    /// What the firmware said of the last change that it took or did not.
    pub(crate) messages: Vec<String>,
    pub(crate) secure_boot: Option<SecureBootNow>,
    pub(crate) secure_boot_etag: Option<String>,
    pub(crate) jobs: Vec<JobNow>,
    pub(crate) serial: Option<String>,
    pub(crate) power: Power,
    pub(crate) boot: BootSign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SecureBootNow {
    pub(crate) enable: Option<bool>,
    pub(crate) in_force: Option<bool>,
}

/// `PowerState`, as far as it matters for a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Power {
    /// It runs, or the BMC does not say.
    #[default]
    On,
    Off,
}

/// Who asked for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    Others,
}

/// What tells how far a boot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BootSign {
    /// This BMC has no such sign.
    #[default]
    None,
    /// Under way.
    Under,
    /// The firmware is through.
    Over,
}

/// A job of settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JobNow {
    pub(crate) path: String,
    pub(crate) state: JobSign,
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobSign {
    Waits,
    /// Says that it waits, and never runs.
    Stuck,
    Done,
    Failed,
}

impl Observed {
    pub(crate) fn job_waits(&self) -> Option<&JobNow> {
        self.jobs.iter().find(|job| matches!(job.state, JobSign::Waits | JobSign::Stuck))
    }

    /// Whether a change is in force.
    pub(crate) fn has(&self, change: &Change) -> bool {
        match &change.told_by {
            Some((attribute, value)) => same(self.attributes.get(attribute), value),
            None => same(self.attributes.get(&change.attribute), &change.to),
        }
    }

    pub(crate) fn waits(&self, change: &Change) -> bool {
        same(self.pending.get(&change.attribute), &change.to)
    }

    /// Changes of the step that are not in force.
    pub(crate) fn lacks<'a>(&self, step: &'a Step) -> Vec<&'a Change> {
        step.changes.iter().filter(|change| !self.has(change)).collect()
    }

    /// Values that wait and that this step does not ask for.
    pub(crate) fn foreign(&self, step: &Step) -> Vec<String> {
        let ours = |name: &str, value: &Value| {
            step.changes
                .iter()
                .any(|change| change.attribute == name && same(Some(value), &change.to))
        };
        let foreign = self.pending.iter().filter(|(name, value)| !ours(name, value));
        foreign.map(|(name, _)| clean(name)).collect()
    }

    pub(crate) fn secure_boot_is_set(&self, step: &Step) -> bool {
        let enabled = self.secure_boot.and_then(|now| now.enable);
        step.secure_boot.is_none_or(|switch| enabled == Some(switch.to))
    }

    /// Whether Secure Boot is in force as this step wants it. Not told is not in force.
    pub(crate) fn secure_boot_is_in_force(&self, step: &Step) -> bool {
        let in_force = self.secure_boot.and_then(|now| now.in_force);
        step.secure_boot_in_force.is_none_or(|wanted| in_force == Some(wanted))
    }

    /// All that a step asks for: set, nothing that waits, in force.
    pub(crate) fn is_converged(&self, step: &Step) -> bool {
        self.lacks(step).is_empty()
            && self.job_waits().is_none()
            && !step.changes.iter().any(|change| self.waits(change))
            && self.secure_boot_is_set(step)
            && self.secure_boot_is_in_force(step)
    }
}

/// Looks at hosts, and remembers which jobs need no second look.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    over: BTreeSet<String>,
}

fn attributes(body: &Value) -> Map<String, Value> {
    body.get("Attributes").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn text<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer).and_then(Value::as_str)
}

impl Observer {
    /// Reads what tells of a step. `own_job` is the one that the BMC made for it.
    pub(crate) async fn look(
        &mut self,
        bmc: &Bmc,
        places: &Places,
        own_job: Option<&str>,
    ) -> Result<Observed, RedfishError> {
        // Jobs first: what is set when a job is over was set by it, and not read before it.
        let jobs = self.jobs(bmc, places, own_job).await?;
        let mut seen = Observed { jobs, ..Observed::default() };
        let (system, _) = bmc.get(&places.system.to_uri()).await?;
        seen.serial = text(&system, "/SerialNumber").map(clean);
        seen.power = match text(&system, "/PowerState") {
            Some("Off") => Power::Off,
            _ => Power::On,
        };
        seen.boot = boot_sign(&system);
        if let Some(bios) = &places.bios {
            let (body, _) = bmc.get(&bios.to_uri()).await?;
            seen.attributes = attributes(&body);
            seen.messages = messages(&body);
        }
        if let Some(settings) = &places.settings {
            let (body, etag) = bmc.get(&settings.to_uri()).await?;
            seen.hides_pending = body.get("Attributes").is_none();
            let waiting = attributes(&body).into_iter();
            seen.pending =
                waiting.filter(|(name, value)| !same(seen.attributes.get(name), value)).collect();
            seen.settings_etag = etag;
        }
        if let Some(secure_boot) = &places.secure_boot {
            let (body, etag) = bmc.get(&secure_boot.to_uri()).await?;
            let in_force = match text(&body, "/SecureBootCurrentBoot") {
                Some("Enabled") => Some(true),
                Some("Disabled") => Some(false),
                _ => None,
            };
            let enable = body.get("SecureBootEnable").and_then(Value::as_bool);
            seen.secure_boot = Some(SecureBootNow { enable, in_force });
            seen.secure_boot_etag = etag;
        }
        Ok(seen)
    }

    async fn jobs(
        &mut self,
        bmc: &Bmc,
        places: &Places,
        own_job: Option<&str>,
    ) -> Result<Vec<JobNow>, RedfishError> {
        let mut paths: Vec<String> = own_job.map(str::to_owned).into_iter().collect();
        for collection in &places.jobs {
            let (body, _) = bmc.get(&collection.to_uri()).await?;
            let members = body.get("Members").and_then(Value::as_array);
            let members = members.into_iter().flatten().take(JOBS_MAX);
            let links = members.filter_map(|member| text(member, "/@odata.id"));
            let links = links.filter_map(|link| ResourcePath::parse(link).ok());
            paths.extend(links.map(|path| path.to_uri()));
        }
        let mut jobs: Vec<JobNow> = Vec::new();
        for path in paths {
            let name = path.rsplit('/').next().unwrap_or_default().to_owned();
            // iDRAC shows a job in up to three places.
            let is_known = jobs.iter().any(|job| job.path.ends_with(&format!("/{name}")));
            let is_own = own_job.is_some_and(|own| own.ends_with(&format!("/{name}")));
            let whose = if is_own { Whose::Ours } else { Whose::Others };
            if is_known || (!is_own && self.over.contains(&path)) {
                continue;
            }
            let reply = bmc.read(&path).await?;
            if reply.status == 404 {
                continue;
            }
            bmc.succeeded(&path, &reply)?;
            let mut body: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
            // A task monitor has a status instead of a state. [DSP0266-1.20 §12.2]
            if is_own && body.get("JobState").or(body.get("TaskState")).is_none() {
                body = json!({ "TaskState": if reply.status == 202 { "Running" } else { "Completed" } });
            }
            match job(&path, &body, whose) {
                Some(job) if job.state != JobSign::Done || is_own => jobs.push(job),
                _ => {
                    self.over.insert(path);
                }
            }
        }
        // What others failed with is no business of ours.
        jobs.retain(|job| {
            job.state != JobSign::Failed || own_job.is_some_and(|own| same_job(own, &job.path))
        });
        Ok(jobs)
    }
}

fn same_job(one: &str, other: &str) -> bool {
    one.rsplit('/').next() == other.rsplit('/').next()
}

/// A job that sets settings, or the one that was made for us. `None` for others.
fn job(path: &str, body: &Value, whose: Whose) -> Option<JobNow> {
    let says = |pointer: &str, word: &str| {
        text(body, pointer).is_some_and(|text| text.to_ascii_lowercase().contains(word))
    };
    let of_settings = says("/JobType", "biosconfiguration")
        || says("/TargetSettingsURI", "/bios")
        || (says("/Name", "bios") && says("/Name", "config"));
    if !of_settings && whose == Whose::Others {
        return None;
    }
    let state = text(body, "/JobState").or_else(|| text(body, "/TaskState")).unwrap_or_default();
    let id = text(body, "/MessageId").unwrap_or_default();
    let is_stuck = id.rsplit('.').next() == Some("PR30");
    let sign = match state {
        "Completed" => JobSign::Done,
        "CompletedWithErrors"
        | "Failed"
        | "Exception"
        | "Killed"
        | "Cancelled"
        | "RebootFailed" => JobSign::Failed,
        _ if is_stuck => JobSign::Stuck,
        _ => JobSign::Waits,
    };
    let message = text(body, "/Message").unwrap_or_default();
    let message = format!("{} ({})", clean(message), clean(id));
    Some(JobNow { path: path.to_owned(), state: sign, message })
}

/// [DSP2046 ComputerSystem.BootProgress], and HPE's word for the same.
fn boot_sign(system: &Value) -> BootSign {
    match text(system, "/BootProgress/LastState") {
        Some("OSRunning" | "OSBootStarted" | "SetupEntered") => return BootSign::Over,
        Some("None" | "OEM") | None => (),
        Some(_) => return BootSign::Under,
    }
    match text(system, "/Oem/Hpe/PostState") {
        Some("FinishedPost") => BootSign::Over,
        Some("InPost" | "InPostDiscoveryComplete" | "Reset" | "PowerOff") => BootSign::Under,
        _ => BootSign::None,
    }
}

/// Messages of the last change that do not say that it went well.
fn messages(bios: &Value) -> Vec<String> {
    let messages = bios.pointer("/@Redfish.Settings/Messages").and_then(Value::as_array);
    let messages = messages.into_iter().flatten().filter_map(|message| {
        let id = text(message, "/MessageId")?;
        let key = id.rsplit('.').next().unwrap_or(id);
        let is_fine =
            matches!(key, "Success" | "SystemResetRequired" | "SettingsApplied" | "Created")
                || text(message, "/Severity") == Some("OK")
                || text(message, "/MessageSeverity") == Some("OK");
        (!is_fine).then(|| clean(id))
    });
    messages.take(8).collect()
}
