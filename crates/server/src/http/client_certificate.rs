//! Addresses for client certificates: of hosts that get them, of relying parties, of people.

use std::sync::Arc;

use api::client_certificate::{
    CertificateChallenge, CertificateRequest, ClientAuthority, ClientCertificatePage,
    ClientCertificateQuery, ClientCrlQuery, IssuedCertificate, RevokeRequest, Revoked,
    RotateClientAuthority,
};
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    auth::{Admin, ByHost, Operator, Viewer, ViewerWithin},
    body::Body,
    operation::{self, Description, Operations, Output, Schemas},
    path::Path,
    problem::Failure,
    query::Query,
};
use crate::app::App;

type Answer<T> = Result<T, Failure>;

/// For how long caches may keep what relying parties get: so much later they hear of a revocation.
const CACHED: &str = "public, max-age=30";

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let may = [
        "client-certificates-off",
        "awaiting-approval",
        "host-disconnected",
        "host-not-accepted",
        "host-not-found",
    ];
    let about = "Gives a challenge for which to certify a key";
    all.post("/v1/agent/certificate-challenge", "challenge-certificate", about, challenge)
        .refuses(&may);
    let about = "Gives an accepted host a client certificate for a key in its TPM";
    all.post("/v1/agent/certificate", "issue-client-certificate", about, issue)
        .refuses(&may)
        .refuses(&[
            "client-authority-replaced",
            "client-key-refused",
            "client-key-revoked",
            "host-rebooted",
            "no-identity-key",
            "nonce-foreign",
            "nonce-invalid",
            "nonce-stale",
            "nonce-used",
            "too-many",
        ]);
    let about = "The list of revoked client certificates of an authority, DER";
    all.get("/v1/crl", "get-client-crl", about, crl)
        .refuses(&["client-authority-not-found", "client-certificates-off"]);
    let about = "The authorities of client certificates, PEM: the one that issues first";
    all.get("/v1/client-ca", "get-client-ca", about, authority)
        .refuses(&["client-certificates-off"]);
    let about = "The authorities of client certificates that relying parties need now";
    all.get("/v1/client-authorities", "list-client-authorities", about, authorities)
        .refuses(&["client-certificates-off"]);
    let about = "Makes another authority of client certificates, which follows the one that issues";
    all.post("/v1/client-authorities/rotate", "rotate-client-authority", about, rotate)
        .refuses(&[
            "client-authority-known",
            "client-certificates-off",
            "rotation-invalid",
            "too-many",
        ])
        .example(r#"{"reason":"yearly, ticket 4711"}"#);
    let about = "The trust bundle of the hosts' trust domain, as SPIFFE has it";
    all.get("/v1/spiffe-bundle", "get-spiffe-bundle", about, bundle)
        .refuses(&["client-certificates-off"]);
    let about = "Client certificates of all hosts, newest first";
    all.get("/v1/client-certificates", "list-client-certificates", about, list)
        .refuses(&["cursor-invalid"]);
    let about = "Client certificates of a host, newest first";
    all.get("/v1/hosts/{id}/client-certificates", "list-host-client-certificates", about, of_host)
        .refuses(&["cursor-invalid", "host-not-found"]);
    let about = "Revokes a host's client certificates, and their keys";
    all.post(
        "/v1/hosts/{id}/client-certificates/revoke",
        "revoke-client-certificates",
        about,
        revoke,
    )
    .refuses(&["host-not-found", "revocation-invalid"])
    .example(r#"{"reason":"a copy of its disk was found, ticket 4711"}"#);
}

/// `POST /v1/agent/certificate-challenge`.
async fn challenge(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
) -> Answer<Json<CertificateChallenge>> {
    Ok(Json(app.certificate_challenge(host).await?))
}

/// `POST /v1/agent/certificate`.
async fn issue(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
    Body(request): Body<CertificateRequest>,
) -> Answer<Json<IssuedCertificate>> {
    Ok(Json(app.issue_certificate(host, request).await?))
}

/// A list of revoked certificates. [RFC2585 §4.2]
struct Crl(Arc<[u8]>);

const CRL: &str = "application/pkix-crl";

impl Output for Crl {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        let schema = serde_json::json!({});
        operation.answer = Some(operation::Answer { media_type: CRL, schema });
    }
}

impl IntoResponse for Crl {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, CRL), (header::CACHE_CONTROL, CACHED)];
        (headers, self.0.to_vec()).into_response()
    }
}

/// `GET /v1/crl`: signed, so nothing to hide.
async fn crl(State(app): State<Arc<App>>, Query(query): Query<ClientCrlQuery>) -> Answer<Crl> {
    Ok(Crl(app.client_crl(query.authority).await?))
}

/// Certificates in PEM. [RFC8555 §9.1]
struct Pem(String);

const PEM: &str = "application/pem-certificate-chain";

impl Output for Pem {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        let schema = serde_json::json!({ "type": "string" });
        operation.answer = Some(operation::Answer { media_type: PEM, schema });
    }
}

impl IntoResponse for Pem {
    fn into_response(self) -> Response {
        let headers = [(header::CONTENT_TYPE, PEM), (header::CACHE_CONTROL, CACHED)];
        (headers, self.0).into_response()
    }
}

/// `GET /v1/client-ca`.
async fn authority(State(app): State<Arc<App>>) -> Answer<Pem> {
    Ok(Pem(app.client_authority_pem().await?))
}

/// `GET /v1/client-authorities`: nothing secret.
async fn authorities(State(app): State<Arc<App>>) -> Answer<Json<Vec<ClientAuthority>>> {
    Ok(Json(app.client_authorities_known().await?))
}

/// `POST /v1/client-authorities/rotate`.
async fn rotate(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<RotateClientAuthority>,
) -> Answer<Json<ClientAuthority>> {
    Ok(Json(app.rotate_client_authority(request, by).await?))
}

/// A trust bundle. [SPIFFE-BUNDLE §4]
#[derive(Serialize)]
#[serde(transparent)]
struct Bundle(serde_json::Value);

impl JsonSchema for Bundle {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SpiffeBundle".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "description": "A trust bundle: a set of JSON Web Keys (RFC 7517), as SPIFFE has it.",
            "required": ["keys", "spiffe_sequence"],
            "properties": {
                "keys": { "type": "array", "items": { "type": "object" } },
                "spiffe_sequence": { "type": "integer" },
                "spiffe_refresh_hint": { "type": "integer" },
            },
        })
    }
}

/// `GET /v1/spiffe-bundle`.
async fn bundle(State(app): State<Arc<App>>) -> Answer<Json<Bundle>> {
    Ok(Json(Bundle(app.spiffe_bundle().await?)))
}

/// `GET /v1/client-certificates`.
async fn list(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Query(query): Query<ClientCertificateQuery>,
) -> Answer<Json<ClientCertificatePage>> {
    Ok(Json(app.client_certificates(query, &caller.hosts).await?))
}

/// `GET /v1/hosts/{id}/client-certificates`.
async fn of_host(
    State(app): State<Arc<App>>,
    _: Viewer,
    Path(id): Path<String>,
    Query(query): Query<ClientCertificateQuery>,
) -> Answer<Json<ClientCertificatePage>> {
    Ok(Json(app.client_certificates_of(&id, query).await?))
}

/// `POST /v1/hosts/{id}/client-certificates/revoke`.
async fn revoke(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(id): Path<String>,
    Body(request): Body<RevokeRequest>,
) -> Answer<Json<Revoked>> {
    Ok(Json(app.revoke_client_certificates(&id, &request.reason, by).await?))
}
