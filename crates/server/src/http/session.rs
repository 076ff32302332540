//! Addresses of people: logging in and out, accounts, and the first of them.

use std::sync::Arc;

use api::people::{
    GivenPasswordRequest, LoginRequest, LoginWays, PasswordRequest, SESSION_COOKIE, Session,
    SessionBegun, SessionsQuery, SetupRequest, ShownAs, User, UserChangeRequest, UserRequest,
};
use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{
    admin::Answer,
    auth::{Admin, FromOwnPages, Known, Shown, ViewerWithin},
    body::Body,
    listen::Peer,
    operation::{Description, Operations, Output, Schemas},
    path::Path,
    problem::Failure,
    query::Query,
};
use crate::app::{App, AppError, Begun, Whose};

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let begins = ["login-busy", "login-delayed", "login-failed"];
    all.get("/v1/login", "get-login-ways", "How one can log in", login_ways);
    all.post("/v1/session", "log-in", "Logs a person in", log_in).refuses(&begins).notes(COOKIE);
    let about = "Makes the first account, an administrator's, and logs its person in";
    all.post("/v1/setup", "set-up", about, set_up)
        .refuses(&begins)
        .refuses(&["name-invalid", "password-invalid", "setup-code-wrong", "name-taken"])
        .notes(COOKIE);
    all.delete("/v1/session", "log-out", "Ends the session that asks", log_out)
        .refuses(&["no-session", "session-not-found"]);
    let about = "Changes one's own password; all sessions end, and one begins";
    all.post("/v1/password", "change-password", about, change_own_password)
        .refuses(&begins)
        .refuses(&["no-session", "password-invalid", "password-wrong", "user-not-found"])
        .notes(COOKIE);
    all.get("/v1/sessions", "list-sessions", "One's own sessions, or everybody's", sessions);
    let about = "Ends a session: one's own, or for administrators anybody's";
    all.delete("/v1/sessions/{session}", "end-session", about, end_session)
        .refuses(&["session-not-found"]);
    all.get("/v1/users", "list-users", "Accounts of people", users);
    let about = "Adds an account, whose person must choose another password";
    all.post("/v1/users", "add-user", about, add_user).refuses(&[
        "login-busy",
        "name-invalid",
        "name-taken",
        "password-invalid",
        "role-invalid",
        "user-not-found",
    ]);
    let about = "Changes an account, which ends its sessions";
    all.post("/v1/users/{name}", "change-user", about, change_user).refuses(&[
        "last-administrator",
        "role-invalid",
        "user-not-found",
    ]);
    let about = "Removes an account with its sessions";
    all.delete("/v1/users/{name}", "remove-user", about, remove_user)
        .refuses(&["last-administrator", "user-not-found"]);
    let about = "Gives an account a password, which its person must change";
    all.post("/v1/users/{name}/password", "give-password", about, give_password).refuses(&[
        "login-busy",
        "password-invalid",
        "user-not-found",
    ]);
}

const COOKIE: &str = "Sets the cookie `__Host-bootproof`, unless the session is to be shown as a token. Requests \
                      with the cookie that change something show `csrf_token` as `X-CSRF-Token`.";

/// A session that has begun, with its cookie where it is shown as one. It is nobody's to keep.
pub(super) struct InSession(pub(super) Begun);

impl IntoResponse for InSession {
    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.0.view.token.is_none() {
            match cookie(&self.0.secret) {
                Ok(cookie) => headers.insert(header::SET_COOKIE, cookie),
                Err(err) => return Failure::from(err).into_response(),
            };
        }
        (headers, Json(self.0.view)).into_response()
    }
}

impl Output for InSession {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        Json::<SessionBegun>::describe(operation, schemas);
    }
}

/// A session that has ended; its cookie goes.
pub(super) struct OutOfSession;

impl IntoResponse for OutOfSession {
    fn into_response(self) -> Response {
        match cookie("") {
            Ok(cookie) => ([(header::SET_COOKIE, cookie)], Json(())).into_response(),
            Err(err) => Failure::from(err).into_response(),
        }
    }
}

impl Output for OutOfSession {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        Json::<()>::describe(operation, schemas);
    }
}

/// The cookie with this value; an empty one takes it away.
pub(crate) fn cookie(value: &str) -> Result<HeaderValue, AppError> {
    let ends = if value.is_empty() { "; Max-Age=0" } else { "" };
    let text = format!("{SESSION_COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict{ends}");
    let mut cookie = HeaderValue::try_from(text).map_err(|err| AppError::Bug(err.into()))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}

/// `GET /v1/login`: nothing secret.
pub(super) async fn login_ways(State(app): State<Arc<App>>) -> Answer<LoginWays> {
    Ok(Json(app.login_ways().await?))
}

/// `POST /v1/session`: name and password are shown in the body.
pub(super) async fn log_in(
    State(app): State<Arc<App>>,
    _: FromOwnPages,
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<LoginRequest>,
) -> Result<InSession, Failure> {
    Ok(InSession(app.log_in(request, address).await?))
}

/// `POST /v1/setup`: the code is shown in the body.
pub(super) async fn set_up(
    State(app): State<Arc<App>>,
    _: FromOwnPages,
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<SetupRequest>,
) -> Result<InSession, Failure> {
    Ok(InSession(app.set_up(request, address).await?))
}

/// `DELETE /v1/session`: log out.
pub(super) async fn log_out(
    State(app): State<Arc<App>>,
    Known(caller, _): Known,
) -> Result<OutOfSession, Failure> {
    app.log_out(&caller).await?;
    Ok(OutOfSession)
}

/// `POST /v1/password`.
pub(super) async fn change_own_password(
    State(app): State<Arc<App>>,
    Known(caller, shown): Known,
    Extension(Peer(address)): Extension<Peer>,
    Body(request): Body<PasswordRequest>,
) -> Result<InSession, Failure> {
    let shown_as = match shown {
        Shown::Cookie => ShownAs::Cookie,
        Shown::Token => ShownAs::Token,
    };
    let begun = app.change_own_password(&caller, request, address).await?;
    Ok(InSession(begun.shown_as(shown_as)))
}

/// `GET /v1/sessions`.
pub(super) async fn sessions(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Query(query): Query<SessionsQuery>,
) -> Answer<Vec<Session>> {
    let whose = if query.all { Whose::Everybodys } else { Whose::Own };
    Ok(Json(app.sessions(&caller, whose).await?))
}

/// `DELETE /v1/sessions/{session}`.
pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Path(id): Path<String>,
) -> Answer<()> {
    Ok(Json(app.end_session(&id, &caller).await?))
}

/// `GET /v1/users`.
pub(super) async fn users(State(app): State<Arc<App>>, _: Admin) -> Answer<Vec<User>> {
    Ok(Json(app.users().await?))
}

/// `POST /v1/users`.
pub(super) async fn add_user(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<UserRequest>,
) -> Answer<User> {
    Ok(Json(app.add_user(request, by).await?))
}

/// `POST /v1/users/{name}`.
pub(super) async fn change_user(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Body(request): Body<UserChangeRequest>,
) -> Answer<User> {
    Ok(Json(app.change_user(&name, request, by).await?))
}

/// `DELETE /v1/users/{name}`.
pub(super) async fn remove_user(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_user(&name, by).await?))
}

/// `POST /v1/users/{name}/password`.
pub(super) async fn give_password(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Body(request): Body<GivenPasswordRequest>,
) -> Answer<()> {
    Ok(Json(app.give_password(&name, request, by).await?))
}
