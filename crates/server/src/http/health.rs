//! Addresses for those who run the server. They hold no names of hosts.

use std::{convert::Infallible, sync::Arc};

use api::operation::{CheckState, Readiness};
use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{
    auth::Viewer,
    operation::{Answer, Description, Input, Operations, Output, Schemas},
};
use crate::app::App;

/// [OpenMetrics 1.0 §4.1]
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    all.get("/healthz", "get-health", "Says that the process lives", health);
    all.get("/readyz", "get-readiness", "Says whether the server can do its work", ready).notes(
        "200 where it can, else 503; each check by itself, as text or, where that is accepted, JSON",
    );
    all.get("/metrics", "get-metrics", "What is counted, as OpenMetrics", metrics_of_fleet);
}

/// What a listener on a loopback address serves, to whoever is on this machine.
pub fn operating(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/metrics", get(async |State(app): State<Arc<App>>| Counts::of(&app)))
        .with_state(app)
}

/// `GET /healthz`: the process lives.
async fn health() -> &'static str {
    "ok\n"
}

/// How somebody wants to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    Text,
    Json,
}

impl<S: Sync> FromRequestParts<S> for Telling {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let accept = parts.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
        Ok(match accept.is_some_and(|accept| accept.contains("json")) {
            true => Self::Json,
            false => Self::Text,
        })
    }
}

impl Input for Telling {
    fn describe(_: &mut Description, _: &mut Schemas) {}
}

/// What is told of readiness.
struct Told(Readiness, Telling);

impl Output for Told {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        let schema = serde_json::json!({ "type": ["object", "string"] });
        operation.answer = Some(Answer { media_type: "*/*", schema });
    }
}

impl IntoResponse for Told {
    fn into_response(self) -> Response {
        let Self(readiness, telling) = self;
        let status = match readiness.ready {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = match telling {
            Telling::Json => (status, Json(readiness)).into_response(),
            Telling::Text => (status, text(&readiness)).into_response(),
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// `GET /readyz`: it can do its work.
async fn ready(State(app): State<Arc<App>>, telling: Telling) -> Told {
    Told(app.readiness().await, telling)
}

fn text(readiness: &Readiness) -> String {
    let mut text = String::from(if readiness.ready { "ready\n" } else { "not ready\n" });
    for check in &readiness.checks {
        let state = match check.state {
            CheckState::Ok => "ok",
            CheckState::Warn => "warn",
            CheckState::Failed => "failed",
        };
        text.push_str(&format!("{state:6} {}", check.name));
        if let Some(reason) = &check.reason {
            text.push_str(&format!(": {reason}"));
        }
        text.push('\n');
    }
    text
}

/// All that is counted.
struct Counts(Result<String, std::fmt::Error>);

impl Counts {
    fn of(app: &App) -> Self {
        Self(app.metrics().text())
    }
}

impl Output for Counts {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        let schema = serde_json::json!({ "type": "string" });
        operation.answer = Some(Answer { media_type: OPENMETRICS, schema });
    }
}

impl IntoResponse for Counts {
    fn into_response(self) -> Response {
        match self.0 {
            Ok(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
            Err(err) => {
                tracing::error!(%err, "metrics cannot be written");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// `GET /metrics`, for those who may see the whole fleet.
async fn metrics_of_fleet(_: Viewer, State(app): State<Arc<App>>) -> Counts {
    Counts::of(&app)
}
