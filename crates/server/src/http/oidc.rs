//! What a command line asks after its person logged in at the identity provider.

use std::sync::Arc;

use api::oidc::CodeRequest;
use axum::{Extension, extract::State};

use super::{
    auth::FromOwnPages, body::Body, listen::Peer, operation::Operations, problem::Failure,
    session::InSession,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "Begins the session of a command line, by the code that a browser brought it";
    all.post("/v1/oidc/session", "log-in-by-code", about, redeem)
        .refuses(&["login-delayed", "login-failed", "oidc-not-configured"])
        .notes(BROWSER);
}

const BROWSER: &str = "The browser gets the code: the command line has it open `/v1/oidc/login?port=PORT&challenge=\
                       SHA256&state=STATE`, where its person logs in at the identity provider, and listens on that \
                       port of 127.0.0.1. The code is good once, for three minutes, with the secret of that SHA-256.";

/// `POST /v1/oidc/session`: the code is shown in the body.
async fn redeem(
    State(app): State<Arc<App>>,
    _: FromOwnPages,
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<CodeRequest>,
) -> Result<InSession, Failure> {
    Ok(InSession(app.redeem_code(request, address).await?))
}
