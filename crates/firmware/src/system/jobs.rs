//! Jobs and tasks that are not over.

use serde_json::Value;

use super::Job;
use crate::json::text;
use crate::scalar::shown;
use crate::{ResourcePath, Snapshot};

/// States of `JobState` and `TaskState` in which nothing more happens. Dell's words are among them.
/// [DSP2046 Job.JobState, Task.TaskState]
const OVER: &[&str] = &[
    "Completed",
    "CompletedWithErrors",
    "Cancelled",
    "Exception",
    "Killed",
    "Failed",
    "RebootFailed",
    "RebootCompleted",
];

/// Each job once, though iDRAC shows it in three places: by its name.
pub(super) fn read(snapshot: &Snapshot) -> Vec<Job> {
    let mut jobs: Vec<Job> =
        snapshot.resources().filter_map(|(path, resource)| job(path, &resource.body)).collect();
    jobs.sort_by_key(|job| (!job.of_settings, job.path.name().to_owned()));
    jobs.dedup_by(|a, b| a.path.name() == b.path.name());
    jobs
}

fn job(path: &ResourcePath, body: &Value) -> Option<Job> {
    let state = text(body, &["JobState"]).or_else(|| text(body, &["TaskState"]))?;
    if OVER.contains(&state) {
        return None;
    }
    let says = |name: &str, word: &str| {
        text(body, &[name]).is_some_and(|text| text.to_ascii_lowercase().contains(word))
    };
    let of_settings = says("JobType", "biosconfiguration")
        || says("TargetSettingsURI", "/bios")
        || (says("Name", "bios") && says("Name", "config"));
    let is_stuck =
        text(body, &["MessageId"]).is_some_and(|id| id.rsplit('.').next() == Some("PR30"));
    Some(Job { path: path.clone(), state: shown(state), of_settings, is_stuck })
}
