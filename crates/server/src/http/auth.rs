//! Who asks: a host, a person or a program, by the token that the request shows.
//!
//! A browser shows a cookie instead, and also sends it where another site's page makes it ask. So a request
//! that would change something and shows a cookie must come from a page of this server, by what the browser
//! says of it, and know the session's CSRF token, which is in no cookie.
//!
//! Some tokens are for some hosts alone. Where the address names a host, it is looked at here; all else is
//! refused to them, but for the addresses whose extractor ([`ViewerWithin`], [`OperatorWithin`]) says that
//! they ask the application about each host.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use api::people::{CSRF_HEADER, SESSION_COOKIE};
use axum::{
    extract::{FromRequestParts, MatchedPath, RawPathParams},
    http::{Method, header, request::Parts},
};
use store::{By, Host, Role};

use super::{
    listen::Peer,
    operation::{Description, Input, Needs, Schemas, codes},
    problem::Failure,
};
use crate::app::{App, AppError, Caller, RefusalKind, SESSION_PREFIX, is_csrf_token};

/// A request of an enrolled or joined host.
pub(super) struct ByHost(pub(super) Host);

/// A request of whoever is known, be it to choose a password first, and what was shown.
pub(super) struct Known(pub(super) Caller, pub(super) Shown);

/// How a request shows who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// In a cookie.
    Cookie,
    /// In the header `Authorization`.
    Token,
}

/// A request that no page of another site made a browser send.
pub(super) struct FromOwnPages;

/// A request of a person or program that may get attested results of the host that the address names.
pub(super) struct RelyingParty;

/// A request of a person or program that may look.
pub(super) struct Viewer;

/// The same, be it at some hosts only: the application has to look at each.
pub(super) struct ViewerWithin(pub(super) Caller);

/// A request of a person or program that may attest, disconnect and reconnect.
pub(super) struct Operator(pub(super) By);

/// The same, with the role that it has, and be it at some hosts only: the application has to look at each.
pub(super) struct OperatorWithin(pub(super) Caller);

/// A request of a person or program that may do everything.
pub(super) struct Admin(pub(super) By);

fn bearer(parts: &Parts) -> Result<&str, AppError> {
    let value = parts.headers.get(header::AUTHORIZATION).ok_or_else(AppError::unauthenticated)?;
    let value = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    value.ok_or_else(AppError::unauthenticated)
}

/// The address at the other end of the connection. One that nobody noted is one for all such requests.
pub(crate) fn address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(Ipv6Addr::UNSPECIFIED.into(), |Peer(address)| *address)
}

/// What the request shows. A token wins: it was put there on purpose.
fn credential(parts: &Parts) -> Result<(&str, Shown), AppError> {
    if parts.headers.contains_key(header::AUTHORIZATION) {
        return Ok((bearer(parts)?, Shown::Token));
    }
    let secret = session_cookie(parts).ok_or_else(AppError::unauthenticated)?;
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        require_own_page(parts, Unsaid::Refused)?;
        let token = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
        if !token.is_some_and(|token| is_csrf_token(token, secret)) {
            return Err(AppError::refused(
                RefusalKind::Forbidden,
                "csrf-token-wrong",
                "the request shows a cookie and not the token of its session",
                "send csrf_token of GET /v1/whoami as X-CSRF-Token; programs use tokens",
            ));
        }
    }
    Ok((secret, Shown::Cookie))
}

/// The session that the cookie shows. Of several the request is none of ours.
pub(crate) fn session_cookie(parts: &Parts) -> Option<&str> {
    // No other kind of token is shown by a cookie.
    only(cookies(parts, SESSION_COOKIE).filter(|value| value.starts_with(SESSION_PREFIX)))
}

/// The value of the cookie of this name. Of several it is none of ours.
pub(crate) fn cookie_value<'a>(parts: &'a Parts, name: &'a str) -> Option<&'a str> {
    only(cookies(parts, name))
}

fn cookies<'a>(parts: &'a Parts, wanted: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = parts.headers.get_all(header::COOKIE).iter();
    let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
    pairs.filter_map(move |pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == wanted).then_some(value)
    })
}

fn only<'a>(mut values: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// What counts of a request that does not say where it comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsaid {
    /// It is a program's.
    Passes,
    /// Every browser says it.
    Refused,
}

/// Refuses a request that a page of another site made a browser send.
pub(crate) fn require_own_page(parts: &Parts, unsaid: Unsaid) -> Result<(), AppError> {
    let said = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = said("sec-fetch-site").map(|site| site == "same-origin");
    let host = said("host").unwrap_or_default();
    let is_ours = |origin: &str| {
        let named = origin.strip_prefix("https://");
        named.is_some_and(|named| !host.is_empty() && named.eq_ignore_ascii_case(host))
    };
    let origin = said("origin").map(is_ours);
    let is_own = match (site, origin) {
        (Some(false), _) | (_, Some(false)) => false,
        (Some(true), _) | (_, Some(true)) => true,
        (None, None) => unsaid == Unsaid::Passes,
    };
    if is_own {
        return Ok(());
    }
    Err(AppError::refused(
        RefusalKind::Forbidden,
        "other-site",
        "the request does not come from a page of this server",
        "open this server's own address; programs use tokens",
    ))
}

impl<S: Sync> FromRequestParts<S> for FromOwnPages {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        require_own_page(parts, Unsaid::Passes)?;
        Ok(Self)
    }
}

impl FromRequestParts<Arc<App>> for ByHost {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(app.authenticate_host(bearer(parts)?, address(parts)).await?))
    }
}

/// Where the answer of an address comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// From the host that the address names, else from the whole fleet.
    Address,
    /// From hosts about each of which the application is asked.
    EachHost,
}

/// Who asks, if it may: its role first, then the hosts of which it may know.
async fn caller(
    parts: &mut Parts,
    app: &Arc<App>,
    needed: Role,
    reach: Reach,
) -> Result<Caller, AppError> {
    let caller = app.authenticate(credential(parts)?.0, address(parts)).await?;
    caller.require(needed)?;
    if !caller.hosts.is_fleet() {
        match (host_of_address(parts).await, reach) {
            (Some(id), _) => app.require_host(&caller.hosts, &id).await?,
            (None, Reach::EachHost) => {}
            (None, Reach::Address) => caller.hosts.require_fleet()?,
        }
    }
    Ok(caller)
}

/// The host that the address names.
async fn host_of_address(parts: &mut Parts) -> Option<String> {
    let route = parts.extensions.get::<MatchedPath>()?.as_str();
    let behind = route.strip_prefix("/v1/hosts/{id}")?;
    if !behind.is_empty() && !behind.starts_with('/') {
        return None;
    }
    let values = RawPathParams::from_request_parts(parts, &()).await.ok()?;
    values.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned())
}

impl FromRequestParts<Arc<App>> for Known {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let (secret, shown) = credential(parts)?;
        Ok(Self(app.authenticate(secret, address(parts)).await?, shown))
    }
}

impl FromRequestParts<Arc<App>> for RelyingParty {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        caller(parts, app, Role::RelyingParty, Reach::Address).await?;
        Ok(Self)
    }
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        caller(parts, app, Role::Viewer, Reach::Address).await?;
        Ok(Self)
    }
}

impl FromRequestParts<Arc<App>> for ViewerWithin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(caller(parts, app, Role::Viewer, Reach::EachHost).await?))
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(caller(parts, app, Role::Operator, Reach::Address).await?.by))
    }
}

impl FromRequestParts<Arc<App>> for OperatorWithin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(caller(parts, app, Role::Operator, Reach::EachHost).await?))
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(caller(parts, app, Role::Admin, Reach::Address).await?.by))
    }
}

impl Input for ByHost {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        operation.needs = Needs::Host;
        operation.refuses(codes::WITH_TOKEN);
    }
}

impl Input for Known {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::RelyingParty);
    }
}

impl Input for RelyingParty {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::RelyingParty);
    }
}

impl Input for Viewer {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::Viewer);
    }
}

impl Input for ViewerWithin {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::Viewer);
    }
}

impl Input for Operator {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::Operator);
    }
}

impl Input for OperatorWithin {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::Operator);
    }
}

impl Input for Admin {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        of_person(operation, Needs::Admin);
    }
}

impl Input for FromOwnPages {
    fn describe(operation: &mut Description, _: &mut Schemas) {
        operation.refuses(&["other-site"]);
    }
}

fn of_person(operation: &mut Description, needs: Needs) {
    operation.needs = needs;
    operation.refuses(codes::WITH_ROLE);
    // What a cookie needs beside itself.
    if operation.method != Method::GET {
        operation.refuses(&["csrf-token-wrong", "other-site"]);
    }
    // A token for some hosts only is shown no other.
    if operation.path.starts_with("/v1/hosts/{id}") {
        operation.refuses(&["host-not-found"]);
    }
}
