//! `GET /hosts/{id}/diff`: two boots of a host beside each other.

use std::sync::Arc;

use api::boot_diff::BootDiffQuery;
use axum::extract::{Path, Query, State};
use pages::{BootDiffPage, Place};

use super::{
    answer::{Page, page},
    host::past,
    visitor::Visiting,
};
use crate::app::App;

pub(super) async fn diff(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(id): Path<String>,
    Query(query): Query<BootDiffQuery>,
) -> Page {
    app.require_host(&visiting.caller.hosts, &id).await?;
    let history: Vec<_> = app.history(&id).await?.iter().map(past).collect();
    let diff = app.boot_diff(&id, query).await?;
    let is_last = history.first().is_some_and(|last| last.id == diff.to.id);
    let host = app.host(&id, None).await?.host;
    let can_be_accepted = is_last && pages::change_of(&host).is_some();
    let frame = visiting.frame(Place::Hosts);
    page(&BootDiffPage { frame, host_id: id, diff, history, can_be_accepted })
}
