//! `GET /reports`: reports to hand on.

use std::sync::Arc;

use api::fleet_report::{ReportFormat, ReportQuery};
use axum::{
    extract::{RawQuery, State},
    http::header,
    response::IntoResponse as _,
};
use pages::{Place, Reports};

use super::{
    answer::{Page, page},
    form::Form,
    visitor::Visiting,
};
use crate::{
    app::{App, AppError, RefusalKind},
    http::report_kind,
};

pub(super) async fn reports(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    RawQuery(raw): RawQuery,
) -> Page {
    let form = Form::read(raw.unwrap_or_default().as_bytes());
    let is_fleet = visiting.caller.hosts.is_fleet();
    let host = match form.maybe("host") {
        Some(id) => {
            app.require_host(&visiting.caller.hosts, &id).await?;
            app.host_name(&id).await?.map(|name| (id, name))
        }
        None => None,
    };
    let labels = if is_fleet { app.known_labels().await?.to_vec() } else { Vec::new() };
    let schedules = if is_fleet { app.report_schedules().await? } else { Vec::new() };
    page(&Reports { frame: visiting.frame(Place::Reports), labels, schedules, host })
}

/// `GET /reports/file`: a report as a person chose it.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    RawQuery(raw): RawQuery,
) -> Page {
    let form = Form::read(raw.unwrap_or_default().as_bytes());
    let kind = report_kind(form.text("kind"))?;
    let format = ReportFormat::of(form.text("format")).ok_or_else(|| {
        let title = "a report is pdf, html, csv, json or jws";
        AppError::plain(RefusalKind::Invalid, "report-invalid", title)
    })?;
    let query = ReportQuery { format, labels: form.maybe("labels"), host: form.maybe("host") };
    let written = app.write_report(kind, query, &visiting.caller).await?;
    let beside = written.signature_beside().filter(|_| form.text("signature") == "beside");
    let Some(jws) = beside.map(str::to_owned) else { return Ok(written.into_response()) };
    let packed = written.packed(jws).await?;
    let disposition = format!("attachment; filename=\"{}\"", packed.file_name);
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, packed.bytes).into_response())
}
