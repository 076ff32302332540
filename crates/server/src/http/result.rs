//! Addresses for relying parties and auditors.

use std::sync::Arc;

use api::{
    audit::{AuditPage, SignedCheckpoint},
    result::{AttestedResult, ResultQuery},
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use jsonwebtoken::jwk::JwkSet;
use serde::Deserialize;

use super::{
    admin::Answer,
    auth::{RelyingParty, Viewer},
};
use crate::app::App;

/// `GET /.well-known/jwks.json`: nothing secret.
pub(super) async fn keys(State(app): State<Arc<App>>) -> Json<JwkSet> {
    Json(app.keys())
}

/// `GET /v1/hosts/{id}/result`.
pub(super) async fn result(
    State(app): State<Arc<App>>,
    _: RelyingParty,
    Path(id): Path<String>,
    Query(query): Query<ResultQuery>,
) -> Answer<AttestedResult> {
    Ok(Json(app.result(&id, query).await?))
}

/// The query of `GET /v1/audit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    #[serde(default)]
    after: i64,
    limit: Option<u32>,
}

/// `GET /v1/audit`.
pub(super) async fn audit(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditPage> {
    Ok(Json(app.audit(query.after, query.limit).await?))
}

/// `GET /v1/audit/checkpoint`.
pub(super) async fn checkpoint(State(app): State<Arc<App>>, _: Viewer) -> Answer<SignedCheckpoint> {
    Ok(Json(app.audit_checkpoint().await?))
}
