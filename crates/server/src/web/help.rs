//! `GET /help`, and the chapters below it.

use axum::extract::{Path, Query};
use pages::{BookPage, Frame, Help, Place};
use serde::Deserialize;

use super::{
    answer::{Page, back, page},
    visitor::Visiting,
};
use crate::app::{AppError, RefusalKind};

#[derive(Deserialize)]
pub(super) struct HelpQuery {
    #[serde(default)]
    q: String,
}

pub(super) async fn help(visiting: Visiting, Query(query): Query<HelpQuery>) -> Page {
    let sought = query.q.chars().take(100).collect();
    page(&Help::of(visiting.frame(Place::Help), sought, api::finding::catalogue()))
}

/// `GET /help/book`: its beginning.
pub(super) async fn book(_: Visiting) -> Page {
    back("/help/book/introduction")
}

/// `GET /help/book/{chapter}`. Nothing of it changes, so that no stream keeps it true.
pub(super) async fn chapter(visiting: Visiting, Path(name): Path<String>) -> Page {
    let frame = Frame { stream: None, ..visiting.frame(Place::Help) };
    match BookPage::of(frame, &name) {
        Some(chapter) => page(&chapter),
        None => {
            let title = "the book has no such chapter";
            let hint = "`/help` lists all of them";
            Err(AppError::refused(RefusalKind::NotFound, "chapter-unknown", title, hint).into())
        }
    }
}
