//! Addresses for agents.

use std::sync::Arc;

use api::agent::{
    ActivateReply, ActivateRequest, EnrolReply, EnrolRequest, Evidence, EvidenceReply, JoinRequest,
    Membership, PollReply, PollRequest,
};
use axum::{Extension, Json, extract::State};

use super::{auth::ByHost, body::Body, listen::Peer, problem::Failure};
use crate::app::App;

type Answer<T> = Result<Json<T>, Failure>;

/// `POST /v1/agent/join`: a join token is shown in the body.
pub(super) async fn join(
    State(app): State<Arc<App>>,
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<JoinRequest>,
) -> Answer<EnrolReply> {
    Ok(Json(app.join(address, request).await?))
}

/// `POST /v1/agent/activate`: the proof is its own authentication.
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    Body(request): Body<ActivateRequest>,
) -> Answer<ActivateReply> {
    Ok(Json(app.activate(request).await?))
}

/// `POST /v1/agent/enrol`.
pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
    Body(request): Body<EnrolRequest>,
) -> Answer<EnrolReply> {
    Ok(Json(app.enrol(host, request).await?))
}

/// `GET /v1/agent/member`.
pub(super) async fn member(ByHost(host): ByHost) -> Json<Membership> {
    Json(Membership { host_id: host.id.to_string() })
}

/// `POST /v1/agent/poll`.
pub(super) async fn poll(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
    Body(request): Body<PollRequest>,
) -> Answer<PollReply> {
    Ok(Json(app.poll(host, request).await?))
}

/// `POST /v1/agent/evidence`.
pub(super) async fn evidence(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
    Body(request): Body<Evidence>,
) -> Answer<EvidenceReply> {
    Ok(Json(app.attest(host, request).await?))
}
