//! `GET /audit`.

use std::sync::Arc;

use axum::extract::{Query, State};
use pages::{Audit, AuditLine, Place};
use serde::Deserialize;

use super::{
    answer::{Page, page},
    visitor::Visiting,
};
use crate::app::{App, AppError};

/// Rows on a page.
const PAGE_LEN: u32 = 100;

#[derive(Deserialize)]
pub(super) struct AuditQuery {
    before: Option<i64>,
}

pub(super) async fn audit(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<AuditQuery>,
) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let (lines, older) = newest(&app, query.before, PAGE_LEN).await?;
    page(&Audit { frame: visiting.frame(Place::Audit), lines, older })
}

/// The newest rows below `before`, newest first, and below which number older ones are.
pub(super) async fn newest(
    app: &App,
    before: Option<i64>,
    n: u32,
) -> Result<(Vec<AuditLine>, Option<i64>), AppError> {
    let rows = app.audit_before(before, n).await?;
    let lines: Vec<AuditLine> = rows
        .into_iter()
        .map(|row| AuditLine {
            seq: row.seq,
            at_ms: row.at_ms,
            by: row.actor,
            what: row.action,
            subject: row.subject,
            detail: if row.detail_json == "{}" { String::new() } else { row.detail_json },
        })
        .collect();
    let older = lines.last().map(|line| line.seq).filter(|seq| *seq > 1);
    Ok((lines, older))
}
