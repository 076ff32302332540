//! To the identity provider and back: addresses that browsers go to, and no program.
//!
//! The cookie between the two is `SameSite=Lax`: the provider sends the browser back, which is another site.
//! It opens nothing by itself; without the state that the provider hands back it is worth nothing.

use std::sync::Arc;

use api::oidc::CliLogin;
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
};
use pages::{Away, Handover, Place};
use serde::Deserialize;
use serde_json::json;

use super::{
    answer::{NoPage, Page, back, bare, page},
    entrance::{gone, own_path, resume},
    visitor::Entering,
};
use crate::{
    app::{App, AppError, HeldForm, RefusalKind, TakenBack},
    http::{Peer, cookie, cookie_value, problem::Chain},
};

/// The cookie of a login that is under way.
const LOGIN_COOKIE: &str = "__Host-bootproof-login";

/// Seconds for which a browser keeps it: as long as a login may take.
const LOGIN_COOKIE_S: u32 = 600;

/// What one wants of the provider.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    then: String,
    port: Option<u16>,
    challenge: Option<String>,
    state: Option<String>,
}

/// The cookie with this value; an empty one takes it away.
fn login_cookie(value: &str) -> Result<HeaderValue, AppError> {
    let age_s = if value.is_empty() { 0 } else { LOGIN_COOKIE_S };
    let text =
        format!("{LOGIN_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age_s}");
    let mut cookie = HeaderValue::try_from(text).map_err(|err| AppError::Bug(err.into()))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}

/// `GET /v1/oidc/login`: to the provider.
pub(super) async fn begin(State(app): State<Arc<App>>, Query(wanted): Query<Wanted>) -> Page {
    let cli = match (wanted.port, wanted.challenge, wanted.state) {
        (Some(port), Some(challenge), Some(state)) => Some(CliLogin { port, challenge, state }),
        _ => None,
    };
    let away = app.begin_at_provider(own_path(&wanted.then), None, cli).await?;
    let kept = [(header::SET_COOKIE, login_cookie(&away.kept)?)];
    Ok((kept, Redirect::to(&away.address)).into_response())
}

/// `POST /login/provider`: to the provider, with a form that is held. Browsers let a form lead to no other site,
/// by a redirect neither; so this is a page that leads on.
pub(super) async fn begin_held(State(app): State<Arc<App>>, Entering(form): Entering) -> Page {
    let held = Some(form.secret("held").to_owned()).filter(|held| !held.is_empty());
    let away = app.begin_at_provider(own_path(form.text("then")), held, None).await?;
    let headers = [
        (header::SET_COOKIE, login_cookie(&away.kept)?),
        (header::REFRESH, refresh(&away.address)?),
    ];
    let frame = bare(Place::Elsewhere);
    Ok((headers, page(&Away { frame, address: away.address })?).into_response())
}

fn refresh(address: &str) -> Result<HeaderValue, AppError> {
    HeaderValue::try_from(format!("0; url={address}")).map_err(|err| AppError::Bug(err.into()))
}

/// `GET /v1/oidc/callback`: back from the provider. The cookie goes, whatever came of it.
pub(super) async fn callback(
    State(app): State<Arc<App>>,
    Extension(Peer(address)): Extension<Peer>,
    parts: Parts,
) -> Page {
    let query = parts.uri.query().unwrap_or_default();
    let kept = cookie_value(&parts, LOGIN_COOKIE);
    let mut answer = match app.take_back(query, kept, address).await {
        Ok(TakenBack::Session { begun, then, held: HeldForm::None }) => {
            let session = [(header::SET_COOKIE, cookie(&begun.secret)?)];
            (session, Redirect::to(&then)).into_response()
        }
        Ok(TakenBack::Session { begun, then, held: HeldForm::Kept(held) }) => {
            resume(&begun, then, &held)?
        }
        Ok(TakenBack::Session { begun, held: HeldForm::Gone, .. }) => gone(&begun)?,
        Ok(TakenBack::ForCli { actor, role, shown, address }) => {
            let frame = bare(Place::Elsewhere);
            let role = role.as_str();
            page(&Handover { frame, actor, role, shown, address })?
        }
        Err(err) => NoPage::from(err).into_response(),
    };
    answer.headers_mut().append(header::SET_COOKIE, login_cookie("")?);
    Ok(answer)
}

/// `GET /v1/oidc/logout`: to where the provider logs its person out.
pub(super) async fn logout(State(app): State<Arc<App>>) -> Page {
    match app.provider_logout().await {
        Some(address) => Ok(Redirect::to(&address).into_response()),
        None => back("/login"),
    }
}

/// `POST /v1/oidc/backchannel-logout`: the provider itself says that a person is logged out there. No browser comes
/// here, so there is no cookie and no page; the token vouches for itself.
/// [OpenID Connect Back-Channel Logout 1.0 §2.5, §2.8]
pub(super) async fn logout_by_provider(
    State(app): State<Arc<App>>,
    Extension(Peer(address)): Extension<Peer>,
    form: Bytes,
) -> Response {
    let mut fields = form_urlencoded::parse(&form);
    let token = fields.find(|(name, _)| name == "logout_token");
    let token = token.map_or_else(String::new, |(_, token)| token.into_owned());
    match app.end_by_provider(&token, address).await {
        Ok(_) => StatusCode::OK.into_response(),
        Err(err) => {
            let (status, error) = match &err {
                AppError::Refused(refusal) => match refusal.kind {
                    RefusalKind::Upstream => (StatusCode::BAD_GATEWAY, "temporarily_unavailable"),
                    RefusalKind::TooMany => (StatusCode::TOO_MANY_REQUESTS, "slow_down"),
                    RefusalKind::NotFound => (StatusCode::NOT_FOUND, "invalid_request"),
                    _ => (StatusCode::BAD_REQUEST, "invalid_request"),
                },
                _ => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            };
            tracing::warn!(error = %Chain(&err), %address, "a logout token was not taken");
            let said = json!({ "error": error, "error_description": err.to_string() });
            (status, Json(said)).into_response()
        }
    }
}
