//! `GET /join`: tokens with which hosts join.

use std::sync::Arc;

use api::{
    admin::{Approval, TokenRequest},
    inventory::{Labels, label},
};
use axum::extract::{Path, Query, State};
use pages::{Join, Joined, Place};
use store::Role;
use uuid::Uuid;

use super::{
    answer::{Page, back, page},
    said::{Done, said},
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, RefusalKind};

pub(super) async fn join(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<Done>,
) -> Page {
    visiting.caller.require(Role::Operator)?;
    visiting.caller.hosts.require_fleet()?;
    let tokens = app.tokens().await?;
    let mut frame = visiting.frame(Place::Join);
    frame.said = said(query.done.as_deref());
    page(&Join { frame, tokens, next_id: Uuid::new_v4().to_string() })
}

pub(super) fn labels(text: &str) -> Result<Labels, AppError> {
    let terms = text.split(',').map(str::trim).filter(|term| !term.is_empty());
    terms
        .map(label)
        .collect::<Result<Labels, _>>()
        .map_err(|fault| AppError::plain(RefusalKind::Invalid, "label-invalid", fault))
}

pub(super) async fn create(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    let hours: u64 = form.number("hours")?.unwrap_or(24);
    let request = TokenRequest {
        expires_in_s: hours.saturating_mul(3600),
        uses_max: form.number("uses")?,
        approval: match form.text("approval") {
            "not-required" => Approval::NotRequired,
            _ => Approval::Required,
        },
        labels: labels(form.text("labels"))?,
        note: form.text("note").to_owned(),
        listed_on: None,
    };
    // A page that is loaded again after it made a token makes no second one.
    let id = Uuid::parse_str(form.text("id")).unwrap_or_else(|_| Uuid::new_v4());
    let token = app.create_token_called(id, request, visiting.caller.by.clone()).await?;
    page(&Joined { frame: visiting.frame(Place::Join), token })
}

pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    acting: Acting,
) -> Page {
    let visiting = acting.visiting;
    visiting.caller.require(Role::Admin)?;
    visiting.caller.hosts.require_fleet()?;
    app.revoke_token(&id, visiting.caller.by).await?;
    back("/join?done=revoke")
}
