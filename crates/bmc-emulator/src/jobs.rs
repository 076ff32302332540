//! Dell's job queue.

use serde_json::{Value, json};

/// One job that sets what is pending.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) state: JobState,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    Scheduled,
    /// `PR30`: says that it is scheduled, and never runs.
    Stuck,
    Running,
    Completed,
    Failed,
}

impl Job {
    pub(crate) fn new(number: usize, state: JobState) -> Self {
        Self { id: format!("JID_{:012}", 700_000_000_000 + number), state }
    }

    pub(crate) const fn is_pending(&self) -> bool {
        matches!(self.state, JobState::Scheduled | JobState::Stuck | JobState::Running)
    }

    pub(crate) fn body(&self, collection: &str) -> Value {
        let (state, message_id, message, percent) = match self.state {
            JobState::Scheduled => ("Scheduled", "JCP001", "Task successfully scheduled.", 0),
            JobState::Stuck => ("Scheduled", "PR30", "Job processing initialization failure.", 0),
            JobState::Running => ("Running", "PR20", "Job in progress.", 50),
            JobState::Completed => ("Completed", "PR19", "Job completed successfully.", 100),
            JobState::Failed => ("Failed", "PR21", "Failed: the settings were not applied.", 100),
        };
        json!({
            "@odata.id": format!("{collection}/{}", self.id),
            "@odata.type": "#DellJob.v1_2_0.DellJob",
            "Id": self.id,
            "Name": "Configure: BIOS.Setup.1-1",
            "JobType": "BIOSConfiguration",
            "JobState": state,
            "Message": message,
            "MessageId": message_id,
            "PercentComplete": percent,
        })
    }
}
