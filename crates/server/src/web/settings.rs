//! `GET /settings`.

use std::sync::Arc;

use axum::extract::State;
use pages::{Place, SettingsPage};
use store::Role;

use super::{
    answer::{Page, page},
    visitor::Visiting,
};
use crate::app::App;

pub(super) async fn settings(State(app): State<Arc<App>>, visiting: Visiting) -> Page {
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let settings = app.settings().await?;
    let policy = app.policy_now().await?;
    page(&SettingsPage { frame: visiting.frame(Place::Settings), settings, policy })
}
