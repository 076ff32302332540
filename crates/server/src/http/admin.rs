//! Addresses for administrators' clients.

use std::sync::Arc;

use api::{
    admin::{
        AttestRequested, HostDetail, HostPage, NewToken, PastAppraisal, ReplaceRequest, Replaced,
        Server, Token, TokenRequest, TrustRequest, TrustedCertificate,
    },
    agent::Evidence,
    inventory::HostQuery,
    policy::{PolicyTryPage, PolicyTryRequest},
};
use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    auth::{Admin, Operator, Viewer, ViewerWithin},
    body::Body,
    operation::Operations,
    path::Path,
    problem::Failure,
    query::Query,
};
use crate::app::App;

pub(super) type Answer<T> = Result<Json<T>, Failure>;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    all.get("/v1/server", "get-server", "The server, and the authority that agents pin", server)
        .etag();
    all.get("/v1/hosts", "list-hosts", "Hosts that fit the query, in the order asked for", hosts)
        .refuses(&["cursor-invalid"])
        .etag();
    all.get("/v1/hosts/{id}", "get-host", "All about one host", host)
        .refuses(&["host-not-found"])
        .etag();
    all.delete("/v1/hosts/{id}", "remove-host", "Removes a host", remove_host)
        .refuses(&["host-not-found"]);
    all.post("/v1/hosts/{id}/attest", "attest-host", "Asks a host for evidence now", attest)
        .refuses(&["host-not-found", "host-disconnected"]);
    let about = "Takes a host out of attestation";
    all.post("/v1/hosts/{id}/disconnect", "disconnect-host", about, disconnect)
        .refuses(&["host-not-found"]);
    let about = "Takes a host back, and stores its identity key anew";
    all.post("/v1/hosts/{id}/reconnect", "reconnect-host", about, reconnect)
        .refuses(&["host-not-found"]);
    let about = "Has the host's agent make a new attestation key";
    all.post("/v1/hosts/{id}/rotate-key", "rotate-key", about, rotate_key).refuses(&[
        "host-not-found",
        "host-disconnected",
        "no-identity-key",
    ]);
    let about = "Puts another TPM in the place of the enrolled one";
    all.post("/v1/hosts/{id}/replace", "replace-tpm", about, replace).refuses(&[
        "host-not-found",
        "host-disconnected",
        "no-candidate",
        "candidate-differs",
        "ek-sha256-invalid",
        "ek-taken",
        "reason-invalid",
    ]).example(r#"{"ek_sha256":"abababababababababababababababababababababababababababababababab","reason":"board replaced, ticket 4711"}"#);
    all.post("/v1/hosts/{id}/approve", "approve-host", "Vouches for a host", approve)
        .refuses(&["host-not-found"]);
    let about = "The last judgements of a host, the latest first";
    all.get("/v1/hosts/{id}/appraisals", "list-appraisals", about, appraisals)
        .refuses(&["host-not-found"])
        .etag();
    let about = "The evidence that was judged last, as the host sent it";
    all.get("/v1/hosts/{id}/evidence", "get-evidence", about, evidence)
        .refuses(&["host-not-found", "no-evidence", "evidence-lost"])
        .etag();
    all.get("/v1/tokens", "list-join-tokens", "Join tokens, without their secrets", tokens).etag();
    all.post("/v1/tokens", "create-join-token", "Makes a join token", create_token)
        .refuses(&["token-invalid", "label-invalid", "ek-list-not-found"]).example(r#"{"expires_in_s":3600,"uses_max":40,"approval":"not-required","labels":{"site":"muc"},"note":"rack 7"}"#);
    all.delete("/v1/tokens/{id}", "revoke-join-token", "Ends a join token", revoke_token)
        .refuses(&["join-token-not-found"]);
    all.get("/v1/trust", "list-trust", "The trust anchors", trusted).etag();
    all.post("/v1/trust", "add-trust", "Adds trust anchors", trust)
        .refuses(&["certificate-invalid", "trust-invalid"])
        .example(r#"{"certificates":"MIIB","source":"vendor-root.pem"}"#);
    all.delete("/v1/trust/{sha256}", "remove-trust", "Takes a trust anchor away", remove_trust)
        .refuses(&["certificate-not-found", "fingerprint-invalid"]);
    let about = "Judges stored evidence by a policy that is not in force";
    all.post("/v1/policy/try", "try-policy", about, try_policy)
        .refuses(&["policy-invalid", "cursor-invalid"])
        .example(r#"{"policy":"verdict_good_for_s = 600\n","limit":100}"#);
}

/// `GET /v1/server`: nothing secret, so that anybody may check the pin.
pub(super) async fn server(State(app): State<Arc<App>>) -> Json<Server> {
    Json(app.server())
}

/// `GET /v1/hosts`.
pub(super) async fn hosts(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Query(query): Query<HostQuery>,
) -> Answer<HostPage> {
    Ok(Json(app.hosts(query, &caller.hosts).await?))
}

/// The query of `GET /v1/hosts/{id}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneHostQuery {
    /// Wait for a judgement of evidence that was asked for at or after this time.
    appraised_after_ms: Option<i64>,
}

/// `GET /v1/hosts/{id}`.
pub(super) async fn host(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
    Query(query): Query<OneHostQuery>,
) -> Answer<HostDetail> {
    Ok(Json(app.host(&id, query.appraised_after_ms).await?))
}

/// `DELETE /v1/hosts/{id}`.
pub(super) async fn remove_host(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_host(&id, by).await?))
}

/// `POST /v1/hosts/{id}/attest`.
pub(super) async fn attest(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
) -> Answer<AttestRequested> {
    Ok(Json(app.request_attestation(&id, by).await?))
}

/// `POST /v1/hosts/{id}/disconnect`.
pub(super) async fn disconnect(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.disconnect(&id, by).await?))
}

/// `POST /v1/hosts/{id}/reconnect`.
pub(super) async fn reconnect(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.reconnect(&id, by).await?))
}

/// `POST /v1/hosts/{id}/rotate-key`.
pub(super) async fn rotate_key(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.rotate_key(&id, by).await?))
}

/// `POST /v1/hosts/{id}/replace`: another TPM takes the place of the enrolled one.
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
    Body(request): Body<ReplaceRequest>,
) -> Answer<Replaced> {
    Ok(Json(app.replace(&id, request, by).await?))
}

/// `POST /v1/hosts/{id}/approve`.
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.approve(&id, by).await?))
}

/// `GET /v1/hosts/{id}/appraisals`.
pub(super) async fn appraisals(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
) -> Answer<Vec<PastAppraisal>> {
    Ok(Json(app.appraisals(&id).await?))
}

/// `GET /v1/hosts/{id}/evidence`.
pub(super) async fn evidence(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
) -> Answer<Evidence> {
    Ok(Json(app.evidence(&id).await?))
}

/// `POST /v1/tokens`.
pub(super) async fn create_token(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<TokenRequest>,
) -> Answer<NewToken> {
    Ok(Json(app.create_token(request, by).await?))
}

/// `GET /v1/tokens`.
pub(super) async fn tokens(State(app): State<Arc<App>>, _: Admin) -> Answer<Vec<Token>> {
    Ok(Json(app.tokens().await?))
}

/// `DELETE /v1/tokens/{id}`.
pub(super) async fn revoke_token(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.revoke_token(&id, by).await?))
}

/// `POST /v1/trust`.
pub(super) async fn trust(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<TrustRequest>,
) -> Answer<Vec<TrustedCertificate>> {
    Ok(Json(app.import_trust(request, by).await?))
}

/// `GET /v1/trust`.
pub(super) async fn trusted(
    State(app): State<Arc<App>>,
    _: Viewer,
) -> Answer<Vec<TrustedCertificate>> {
    Ok(Json(app.trusted().await?))
}

/// `DELETE /v1/trust/{sha256}`.
pub(super) async fn remove_trust(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(sha256): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_trust(&sha256, by).await?))
}

/// `POST /v1/policy/try`. It changes nothing, but costs as much as judging each host.
pub(super) async fn try_policy(
    State(app): State<Arc<App>>,
    _: Operator,
    Body(request): Body<PolicyTryRequest>,
) -> Answer<PolicyTryPage> {
    Ok(Json(app.try_policy(request).await?))
}
