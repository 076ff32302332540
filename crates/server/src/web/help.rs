//! `GET /help`.

use axum::extract::Query;
use pages::{Help, Place};
use serde::Deserialize;

use super::{
    answer::{Page, page},
    visitor::Visiting,
};

#[derive(Deserialize)]
pub(super) struct HelpQuery {
    #[serde(default)]
    q: String,
}

pub(super) async fn help(visiting: Visiting, Query(query): Query<HelpQuery>) -> Page {
    let sought = query.q.chars().take(100).collect();
    page(&Help::of(visiting.frame(Place::Help), sought, api::finding::catalogue()))
}
