//! `GET /references`.

use std::{collections::BTreeMap, sync::Arc};

use api::fleet::{ReferenceScope, ReferenceState, ReferenceStateRequest};
use axum::extract::{Path, Query, State};
use pages::{Place, References};
use serde::Deserialize;
use store::Role;

use super::{
    answer::{Page, back, page},
    said::said,
    visitor::{Acting, Visiting},
};
use crate::app::App;

#[derive(Deserialize)]
pub(super) struct ReferencesQuery {
    cursor: Option<String>,
    done: Option<String>,
}

pub(super) async fn references(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<ReferencesQuery>,
) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let found = app.references(query.cursor.as_deref(), None).await?;
    let mut frame = visiting.frame(Place::References);
    frame.said = said(query.done.as_deref());
    let mut host_names = BTreeMap::new();
    for reference in &found.references {
        if let ReferenceScope::Host(id) = &reference.scope
            && let Some(name) = app.host_name(id).await?
        {
            host_names.insert(id.clone(), name);
        }
    }
    let (references, next_cursor) = (found.references, found.next_cursor);
    page(&References { frame, references, host_names, next_cursor })
}

pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let reason = form.text("reason").to_owned();
    let request = ReferenceStateRequest { state: ReferenceState::Active, reason };
    app.set_reference_state(&id, request, visiting.caller.by).await?;
    back("/references?done=activate")
}
