//! Addresses for agents.

use std::sync::Arc;

use api::agent::{
    ActivateReply, ActivateRequest, EnrolReply, EnrolRequest, Evidence, EvidenceReply, JoinRequest,
    Membership, PollReply, PollRequest,
};
use axum::{Extension, Json, extract::State};

use super::{
    auth::ByHost, body::Body, in_turn::InTurn, listen::Peer, operation::Operations,
    problem::Failure, written::Written,
};
use crate::app::App;

type Answer<T> = Result<Json<T>, Failure>;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let keys = [
        "tpm-keys-invalid",
        "ek-taken",
        "awaiting-approval",
        "host-disconnected",
        "too-many",
        "too-many-enrolments",
        "too-many-joins",
    ];
    all.post("/v1/agent/join", "join", "Asks to be added to the inventory", join)
        .refuses(&keys)
        .refuses(&[
            "ek-not-listed",
            "join-token-unknown",
            "join-token-revoked",
            "join-token-expired",
            "join-token-used-up",
            "host-name-invalid",
            "name-taken",
            "other-tpm",
            "reconnect-first",
            "too-many-guesses",
        ]);
    all.post("/v1/agent/activate", "activate", "Proves which TPM it is", activate)
        .refuses(&keys)
        .refuses(&[
            "ek-not-listed",
            "enrolment-not-found",
            "activation-failed",
            "already-activated",
            "reconnect-first",
            "other-tpm",
            "host-not-found",
            "join-token-unknown",
            "join-token-revoked",
            "join-token-expired",
            "join-token-used-up",
        ]);
    all.post("/v1/agent/enrol", "enrol", "Gives the TPM's keys of a member", enrol)
        .refuses(&keys)
        .refuses(&["reconnect-first", "other-tpm", "host-not-found"]);
    all.get("/v1/agent/member", "get-membership", "Whose token this is", member);
    let about = "Waits until there is something to do, 45 seconds at most";
    all.post("/v1/agent/poll", "poll", about, poll).refuses(&["host-not-found"]);
    all.post("/v1/agent/evidence", "send-evidence", "Shows what booted", evidence).refuses(&[
        "ak-not-enrolled",
        "awaiting-approval",
        "evidence-invalid",
        "host-disconnected",
        "host-not-found",
        "log-wanted",
        "no-identity-key",
        "nonce-foreign",
        "nonce-invalid",
        "nonce-stale",
        "nonce-used",
    ]);
}

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
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<ActivateRequest>,
) -> Answer<ActivateReply> {
    Ok(Json(app.activate(address, request).await?))
}

/// `POST /v1/agent/enrol`.
pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<EnrolRequest>,
) -> Answer<EnrolReply> {
    Ok(Json(app.enrol(address, host, request).await?))
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
) -> Result<Written<PollReply>, Failure> {
    Ok(Written(app.poll(host, request).await?))
}

/// `POST /v1/agent/evidence`.
pub(super) async fn evidence(
    State(app): State<Arc<App>>,
    ByHost(host): ByHost,
    InTurn(request, _turn): InTurn<Evidence>,
) -> Result<Written<EvidenceReply>, Failure> {
    Ok(Written(app.attest(host, request).await?))
}
