//! `GET /trust`.

use std::sync::Arc;

use axum::extract::State;
use pages::{Place, Trust};

use super::{
    answer::{Page, page},
    visitor::Visiting,
};
use crate::app::App;

pub(super) async fn trust(State(app): State<Arc<App>>, visiting: Visiting) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let certificates = app.trusted().await?;
    page(&Trust { frame: visiting.frame(Place::Trust), certificates })
}
