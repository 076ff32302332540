//! Addresses of reports.

use std::sync::Arc;

use api::fleet_report::{
    REPORT_FILE_SIGNATURE_HEADER, REPORT_SHA256_HEADER, REPORT_SIGNATURE_HEADER, Report,
    ReportKind, ReportQuery, ReportSchedule, ReportSent,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{
    admin::Answer as Answered,
    auth::{Operator, Viewer, ViewerWithin},
    operation::{Answer, Description, Operations, Output, Schemas},
    path::Path,
    problem::Failure,
    query::Query,
};
use crate::app::{App, AppError, Caller, HostScope, RefusalKind, WrittenReport};

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "A report of a fleet or of one host, signed";
    all.get("/v1/reports/{kind}", "get-report", about, report)
        .refuses(&["report-invalid", "report-too-large", "report-busy", "host-not-found"])
        .notes(
            "`kind` is fleet, host, readiness or compliance. The answer has the media type of its format; as \
             JSON it is the schema `Report`. Its header `bootproof-report-signature` has a detached JWS \
             (RFC 7515, appendix F) over the JSON of the report, byte for byte, under a key of \
             /.well-known/jwks.json, and `bootproof-report-sha256` names that JSON in each format. HTML and CSV \
             carry no JSON: `bootproof-report-file-signature` is a detached JWS over their own bytes.",
        );
    let about = "Reports that the server sends by itself";
    all.get("/v1/report-schedules", "list-report-schedules", about, schedules).etag();
    let about = "Sends a report of the configuration now";
    all.post("/v1/report-schedules/{name}/send", "send-report", about, send).refuses(&[
        "report-schedule-not-found",
        "report-invalid",
        "report-too-large",
        "report-busy",
        "host-not-found",
        "channel-not-found",
        "channel-invalid",
    ]);
}

impl Output for WrittenReport {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        // Readers of JSON want it by its name.
        schemas.of_answer::<Report>();
        let schema = serde_json::json!({ "type": ["object", "string"] });
        operation.answer = Some(Answer { media_type: "*/*", schema });
    }
}

impl IntoResponse for WrittenReport {
    fn into_response(self) -> Response {
        let mut response = self.bytes.into_response();
        let headers = response.headers_mut();
        let disposition = format!("attachment; filename=\"{}\"", self.file_name);
        let file_jws = self.file_jws.as_deref().unwrap_or_default();
        for (name, value) in [
            (header::CONTENT_TYPE.as_str(), self.format.media_type()),
            (header::CONTENT_DISPOSITION.as_str(), &disposition),
            (header::CACHE_CONTROL.as_str(), "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS.as_str(), "nosniff"),
            (REPORT_SIGNATURE_HEADER, &self.jws),
            (REPORT_SHA256_HEADER, &self.sha256),
            (REPORT_FILE_SIGNATURE_HEADER, file_jws),
        ] {
            if value.is_empty() {
                continue;
            }
            if let (Ok(name), Ok(value)) =
                (name.parse::<header::HeaderName>(), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        response
    }
}

/// The kind that an address names.
pub(crate) fn kind(word: &str) -> Result<ReportKind, AppError> {
    ReportKind::of(word).ok_or_else(|| {
        let kinds: Vec<_> = ReportKind::ALL.iter().map(|kind| kind.as_str()).collect();
        AppError::plain(
            RefusalKind::Invalid,
            "report-invalid",
            format!("a report is one of: {}", kinds.join(", ")),
        )
    })
}

/// `GET /v1/reports/{kind}`.
async fn report(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Path(word): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<WrittenReport, Failure> {
    Ok(app.write_report(kind(&word)?, query, &caller).await?)
}

/// `GET /v1/report-schedules`.
async fn schedules(State(app): State<Arc<App>>, _: Viewer) -> Answered<Vec<ReportSchedule>> {
    Ok(Json(app.report_schedules().await?))
}

/// `POST /v1/report-schedules/{name}/send`. Tokens for some hosts do not get here.
async fn send(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(name): Path<String>,
) -> Answered<ReportSent> {
    let caller = Caller {
        by,
        role: store::Role::Operator,
        hosts: HostScope::default(),
        expires_at_ms: None,
        session: None,
    };
    Ok(Json(app.send_report(&name, caller).await?))
}
