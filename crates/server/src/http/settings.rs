//! The address of how a server is set up.

use std::sync::Arc;

use api::settings::Settings;
use axum::{Json, extract::State};

use super::{admin::Answer, auth::Admin, operation::Operations};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "How this server is set up, without what is secret, and how it is";
    all.get("/v1/settings", "get-settings", about, settings);
}

/// `GET /v1/settings`. It names files of the server, which is nothing for others.
pub(super) async fn settings(State(app): State<Arc<App>>, _: Admin) -> Answer<Settings> {
    Ok(Json(app.settings().await?))
}
