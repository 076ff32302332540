//! `GET /alarms`, and what people say of them.

use std::sync::Arc;

use api::alarm::{AcknowledgeRequest, AlarmQuery, Alarms as Which, WithdrawRequest};
use axum::extract::{Path, Query, State};
use findings::Code;
use pages::{AlarmHosts, Alarms, Place};
use serde::Deserialize;
use store::Role;

use super::{
    answer::{Page, back, page},
    said::said,
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, RefusalKind};

const HOUR_MS: i64 = 3_600_000;

/// Alarms on a page.
const PAGE_LEN: u32 = 100;

pub(super) async fn alarms(State(app): State<Arc<App>>, visiting: Visiting) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let groups = app.alarm_groups().await?;
    page(&Alarms { frame: visiting.frame(Place::Alarms), groups })
}

#[derive(Deserialize)]
pub(super) struct HostsQuery {
    cursor: Option<String>,
    #[serde(default)]
    cleared: bool,
    done: Option<String>,
}

pub(super) async fn hosts(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(code): Path<String>,
    Query(query): Query<HostsQuery>,
) -> Page {
    let Some(known) = Code::from_name(&code) else {
        let title = format!("there is no finding {code}");
        let hint = "the page Help has all findings";
        return Err(AppError::refused(RefusalKind::NotFound, "finding-unknown", title, hint).into());
    };
    let wanted = AlarmQuery {
        cursor: query.cursor,
        limit: Some(PAGE_LEN),
        code: Some(code.clone()),
        host: None,
        cleared: query.cleared,
    };
    let found = app.alarms(wanted, &visiting.caller.hosts).await?;
    let mut frame = visiting.frame(Place::Alarms);
    frame.said = said(query.done.as_deref());
    page(&AlarmHosts {
        frame,
        code,
        title: known.entry().title.to_owned(),
        alarms: found.alarms,
        next_cursor: found.next_cursor,
        cleared: query.cleared,
    })
}

pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    let by = by(&visiting)?;
    let hours: Option<u32> = form.number("hours")?;
    let until_ms = hours.map(|hours| by.at_ms.saturating_add(i64::from(hours) * HOUR_MS));
    let reason = form.text("reason").to_owned();
    let request = AcknowledgeRequest { alarms: Which::Code(code.clone()), reason, until_ms };
    app.acknowledge(request, by).await?;
    back(&format!("/alarms/{code}?done=acknowledge"))
}

pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Path(code): Path<String>,
    acting: Acting,
) -> Page {
    let by = by(&acting.visiting)?;
    app.withdraw(WithdrawRequest { alarms: Which::Code(code.clone()) }, by).await?;
    back(&format!("/alarms/{code}?done=withdraw"))
}

/// Who may say so of all hosts of a cause.
fn by(visiting: &Visiting) -> Result<store::By, AppError> {
    visiting.caller.require(Role::Operator)?;
    visiting.caller.hosts.require_fleet()?;
    Ok(visiting.caller.by.clone())
}
