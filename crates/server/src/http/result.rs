//! Addresses for relying parties and auditors.

use std::sync::Arc;

use api::{
    audit::{AuditPage, SignedCheckpoint},
    result::{AttestedResult, ResultQuery},
};
use axum::{Json, extract::State};
use jsonwebtoken::jwk::JwkSet;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    admin::Answer,
    auth::{RelyingParty, Viewer},
    operation::Operations,
    path::Path,
    query::{PageQuery, Query},
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "The keys under which results and checkpoints are signed";
    all.get("/.well-known/jwks.json", "get-keys", about, keys).etag();
    let about = "A host's verdict, signed, for relying parties";
    all.get("/v1/hosts/{id}/result", "get-result", about, result)
        .refuses(&["host-not-found", "nonce-invalid"]);
    all.get("/v1/audit", "list-audit", "Rows of the audit log, oldest first", audit)
        .refuses(&["cursor-invalid"]);
    let about = "The end of the audit log, signed";
    all.get("/v1/audit/checkpoint", "get-audit-checkpoint", about, checkpoint);
}

/// Keys as a set of JWK. [RFC 7517 §5]
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Keys(JwkSet);

impl JsonSchema for Keys {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Keys".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A set of JSON Web Keys (RFC 7517).",
            "required": ["keys"],
            "properties": { "keys": { "type": "array", "items": { "type": "object" } } },
        })
    }
}

/// `GET /.well-known/jwks.json`: nothing secret.
pub(super) async fn keys(State(app): State<Arc<App>>) -> Json<Keys> {
    Json(Keys(app.keys()))
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

/// `GET /v1/audit`.
pub(super) async fn audit(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<PageQuery>,
) -> Answer<AuditPage> {
    Ok(Json(app.audit(query.cursor.as_deref(), query.limit).await?))
}

/// `GET /v1/audit/checkpoint`.
pub(super) async fn checkpoint(State(app): State<Arc<App>>, _: Viewer) -> Answer<SignedCheckpoint> {
    Ok(Json(app.audit_checkpoint().await?))
}
