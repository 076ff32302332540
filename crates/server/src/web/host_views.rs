//! `POST /hosts/views`: lists of hosts that a person keeps under a name.

use std::sync::Arc;

use api::{host_view::ViewOf, inventory::HostQuery};
use axum::extract::State;
use store::Role;

use super::{
    answer::{Page, back},
    form::Form,
    hosts::of_form,
    visitor::Acting,
};
use crate::app::{App, AppError};

/// Whose view a form means.
fn whose(form: &Form) -> ViewOf {
    match form.text("of") {
        "shared" => ViewOf::Shared,
        _ => ViewOf::Own,
    }
}

/// Back to the list that the form was beside.
fn list(query: &HostQuery, done: &str) -> Page {
    let address = pages::hosts_address(query);
    let joint = if address.contains('?') { '&' } else { '?' };
    back(&format!("{address}{joint}done={done}"))
}

pub(super) async fn keep(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    let query = HostQuery { cursor: None, limit: None, name: None, ..of_form(&form)? };
    let (name, caller) = (form.text("view").trim(), &visiting.caller);
    match whose(&form) {
        ViewOf::Own => app.keep_own_view(name, query.clone().into(), caller).await?,
        ViewOf::Shared => {
            caller.require(Role::Admin)?;
            app.keep_shared_view(name, query.clone().into(), caller.by.clone()).await?;
        }
    }
    list(&query, "view-kept")
}

pub(super) async fn remove(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    let (name, caller) = (form.text("view"), &visiting.caller);
    let removed = match whose(&form) {
        ViewOf::Own => app.remove_own_view(name, caller).await,
        ViewOf::Shared => {
            caller.require(Role::Admin)?;
            app.remove_shared_view(name, caller.by.clone()).await
        }
    };
    match removed {
        // Somebody was faster, or the same form came twice: it is gone.
        Err(AppError::Refused(refusal)) if refusal.code == "host-view-not-found" => {}
        other => other?,
    }
    list(&HostQuery::default(), "view-removed")
}
