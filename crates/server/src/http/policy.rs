//! Addresses of policies that are kept, and of the one that counts.

use std::sync::Arc;

use api::policy::{
    PolicyActivateRequest, PolicyCheck, PolicyCheckRequest, PolicyDiff, PolicyDiffQuery,
    PolicyDocument, PolicyInForce, PolicyPutRequest, PolicyTryPage, PolicyVersion,
    PolicyVersionPage, PolicyVersionTryRequest, PolicyVersionsQuery,
};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Admin, Operator, Viewer},
    body::Body,
    operation::Operations,
    path::Path,
    query::Query,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let unknown = &["policy-version-not-found"];
    let about = "Policies that are kept, the newest first, and what counts now";
    all.get("/v1/policy/versions", "list-policies", about, versions)
        .refuses(&["cursor-invalid"])
        .etag();
    let about = "Keeps a policy, which does not count before it is activated";
    all.post("/v1/policy/versions", "put-policy", about, put)
        .refuses(unknown)
        .refuses(&["policy-invalid", "reason-invalid"])
        .example(r#"{"policy":"[banks]\nminimum = 'sha384'\n","note":"ticket 4711"}"#);
    let about = "Whether a text is a policy, and what is wrong first";
    all.post("/v1/policy/check", "check-policy", about, check)
        .refuses(unknown)
        .example(r#"{"policy":"[banks]\nminimum = 'sha1'\n"}"#);
    all.get("/v1/policy/versions/{number}", "get-policy", "One policy that is kept", version)
        .refuses(unknown)
        .etag();
    let about = "What is another line than in what counts now, or in another version";
    all.get("/v1/policy/versions/{number}/diff", "diff-policy", about, diff).refuses(unknown);
    let about = "Judges stored evidence by a version that does not count";
    all.post("/v1/policy/versions/{number}/try", "try-version", about, try_version)
        .refuses(unknown)
        .refuses(&["policy-invalid", "cursor-invalid"]);
    let about = "Has hosts judged by a version from now on";
    all.post("/v1/policy/versions/{number}/activate", "activate-policy", about, activate)
        .refuses(unknown)
        .refuses(&["policy-changed", "policy-from-file", "policy-invalid", "reason-invalid"])
        .example(r#"{"before":null,"reason":"tried, ticket 4711"}"#);
}

/// `GET /v1/policy/versions`.
pub(super) async fn versions(
    State(app): State<Arc<App>>,
    _: Viewer,
    Query(query): Query<PolicyVersionsQuery>,
) -> Answer<PolicyVersionPage> {
    Ok(Json(app.policy_versions(query).await?))
}

/// `POST /v1/policy/versions`.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<PolicyPutRequest>,
) -> Answer<PolicyVersion> {
    Ok(Json(app.put_policy(request, by).await?))
}

/// `POST /v1/policy/check`.
pub(super) async fn check(
    State(app): State<Arc<App>>,
    _: Operator,
    Body(request): Body<PolicyCheckRequest>,
) -> Answer<PolicyCheck> {
    Ok(Json(app.check_policy(request).await?))
}

/// `GET /v1/policy/versions/{number}`.
pub(super) async fn version(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(number): Path<String>,
) -> Answer<PolicyDocument> {
    Ok(Json(app.policy_version(&number).await?))
}

/// `GET /v1/policy/versions/{number}/diff`.
pub(super) async fn diff(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(number): Path<String>,
    Query(query): Query<PolicyDiffQuery>,
) -> Answer<PolicyDiff> {
    Ok(Json(app.policy_diff(&number, query.from).await?))
}

/// `POST /v1/policy/versions/{number}/try`. It changes nothing, but costs as much as judging each host.
pub(super) async fn try_version(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(number): Path<String>,
    Body(request): Body<PolicyVersionTryRequest>,
) -> Answer<PolicyTryPage> {
    Ok(Json(app.try_version(&number, request).await?))
}

/// `POST /v1/policy/versions/{number}/activate`.
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(number): Path<String>,
    Body(request): Body<PolicyActivateRequest>,
) -> Answer<PolicyInForce> {
    Ok(Json(app.activate_policy(&number, request, by).await?))
}
