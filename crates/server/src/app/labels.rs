//! How people order hosts: labels, and that somebody works on one.

use api::inventory::{LabelCount, Labels, LabelsRequest, MaintenanceRequest, label_fault};
use store::{By, HostId, LabelsChange};

use super::{App, AppError, Caller, RefusalKind, words::check_lasting};

/// Labels of one request: twice as many as a host has, to change all of them at once.
const CHANGED_MAX: usize = 64;

/// Refuses what is no label.
pub(super) fn check_labels(labels: &Labels) -> Result<(), AppError> {
    let fault = labels.iter().find_map(|(key, value)| label_fault(key, value));
    let fault =
        fault.or_else(|| (labels.len() > CHANGED_MAX).then_some("these are too many labels"));
    match fault {
        None => Ok(()),
        Some(fault) => Err(AppError::plain(RefusalKind::Invalid, "label-invalid", fault)),
    }
}

impl App {
    /// Changes a host's labels, and gives all of them. Who may know of some hosts only may not change the
    /// labels that make them so.
    pub async fn label(
        &self,
        id: &str,
        request: LabelsRequest,
        caller: &Caller,
    ) -> Result<Labels, AppError> {
        check_labels(&request.set)?;
        let mut changed = request.set.keys().chain(&request.remove);
        if changed.any(|key| caller.hosts.labels().contains_key(key)) {
            caller.hosts.require_fleet()?;
        }
        if request.remove.len() > CHANGED_MAX {
            let title = "these are too many labels";
            return Err(AppError::plain(RefusalKind::Invalid, "label-invalid", title));
        }
        let change = LabelsChange { set: request.set, remove: request.remove };
        let id = HostId::from(id);
        let labels = self.store.change_labels(&id, change, caller.by.clone()).await?;
        // Its schedule may be another now.
        self.hub.wake(&id);
        Ok(labels)
    }

    /// A host's labels.
    pub async fn labels(&self, id: &str) -> Result<Labels, AppError> {
        Ok(self.find(&HostId::from(id)).await?.labels)
    }

    /// Puts `to` in the place of all labels of a host, where they are what the caller looked at: `is_it`
    /// says so of those that it has.
    pub async fn replace_labels(
        &self,
        id: &str,
        to: Labels,
        is_it: impl Fn(&Labels) -> Result<(), AppError>,
        caller: &Caller,
    ) -> Result<Labels, AppError> {
        check_labels(&to)?;
        let from = self.labels(id).await?;
        is_it(&from)?;
        let mut own = caller.hosts.labels().keys();
        if own.any(|key| from.get(key) != to.get(key)) {
            caller.hosts.require_fleet()?;
        }
        let id = HostId::from(id);
        self.store.replace_labels(&id, from, to.clone(), caller.by.clone()).await?;
        self.hub.wake(&id);
        Ok(to)
    }

    /// How many hosts have each label, of this key or of all.
    pub async fn label_counts(&self, key: Option<&str>) -> Result<Vec<LabelCount>, AppError> {
        let counts = self.store.label_counts(key).await?.into_iter();
        let view = |store::LabelCount { key, value, n_hosts }| LabelCount { key, value, n_hosts };
        Ok(counts.map(view).collect())
    }

    /// Somebody works on a host.
    pub async fn enter_maintenance(
        &self,
        id: &str,
        request: MaintenanceRequest,
        by: By,
    ) -> Result<(), AppError> {
        let MaintenanceRequest { reason, until_ms } = &request;
        check_lasting("maintenance-invalid", reason, *until_ms, by.at_ms)?;
        let id = HostId::from(id);
        self.store.enter_maintenance(&id, request.until_ms, &request.reason, by).await?;
        self.hub.news();
        tracing::info!(host = %id, reason = request.reason, "maintenance begins");
        Ok(())
    }

    /// Nobody works on a host any more.
    pub async fn leave_maintenance(&self, id: &str, by: By) -> Result<(), AppError> {
        let id = HostId::from(id);
        self.store.leave_maintenance(&id, by).await?;
        self.hub.news();
        tracing::info!(host = %id, "maintenance ends");
        Ok(())
    }
}
