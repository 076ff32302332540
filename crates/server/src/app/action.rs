//! The same to many hosts.

use std::sync::Arc;

use api::inventory::{ACTION_HOSTS_MAX, Action, ActionOutcome, ActionReply, ActionRequest};
use store::Role;

use super::{App, AppError, Caller, RefusalKind};

/// Changes that are under way at one time: the store writes what waits in one go.
const AT_ONCE: usize = 32;

/// The role that this needs.
const fn needed(action: &Action) -> Role {
    match action {
        Action::Attest
        | Action::Disconnect
        | Action::Reconnect
        | Action::RotateKey
        | Action::Label(_)
        | Action::EnterMaintenance(_)
        | Action::LeaveMaintenance => Role::Operator,
        Action::Approve | Action::Remove => Role::Admin,
    }
}

impl App {
    /// Does it to each host. One that refuses holds no other up.
    pub async fn act(
        self: &Arc<Self>,
        request: ActionRequest,
        caller: &Caller,
    ) -> Result<ActionReply, AppError> {
        caller.require(needed(&request.action))?;
        if request.hosts.len() > ACTION_HOSTS_MAX {
            let title = format!("one request names {ACTION_HOSTS_MAX} hosts at most");
            return Err(AppError::plain(RefusalKind::Invalid, "too-many-hosts", title));
        }
        let mut outcomes = Vec::with_capacity(request.hosts.len());
        for hosts in request.hosts.chunks(AT_ONCE) {
            let tasks: Vec<_> = hosts
                .iter()
                .map(|host| {
                    let (app, host) = (Arc::clone(self), host.clone());
                    let (action, caller) = (request.action.clone(), caller.clone());
                    let done = async move {
                        let done = app.act_on(&host, action, &caller).await;
                        ActionOutcome { host, problem: done.err().map(crate::http::problem::of) }
                    };
                    tokio::spawn(done)
                })
                .collect();
            for task in tasks {
                outcomes.push(task.await.map_err(|err| AppError::Bug(err.into()))?);
            }
        }
        Ok(ActionReply { outcomes })
    }

    async fn act_on(&self, host: &str, action: Action, caller: &Caller) -> Result<(), AppError> {
        self.require_host(&caller.hosts, host).await?;
        let by = caller.by.clone();
        match action {
            Action::Attest => self.request_attestation(host, by).await.map(drop),
            Action::Disconnect => self.disconnect(host, by).await,
            Action::Reconnect => self.reconnect(host, by).await,
            Action::RotateKey => self.rotate_key(host, by).await,
            Action::Label(request) => self.label(host, request, caller).await.map(drop),
            Action::EnterMaintenance(request) => self.enter_maintenance(host, request, by).await,
            Action::LeaveMaintenance => self.leave_maintenance(host, by).await,
            Action::Approve => self.approve(host, by).await,
            Action::Remove => self.remove_host(host, by).await,
        }
    }
}
