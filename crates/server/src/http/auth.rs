//! Who asks: a host, a person or a program, by the token that the request shows.
//!
//! Some tokens are for some hosts alone. Where the address names a host, it is looked at here; all else is
//! refused to them, but for the addresses whose extractor ([`ViewerWithin`], [`OperatorWithin`]) says that
//! they ask the application about each host.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, MatchedPath, RawPathParams},
    http::{header, request::Parts},
};
use store::{By, Host, Role};

use super::{
    operation::{Description, Input, Needs, Schemas, codes},
    problem::Failure,
};
use crate::app::{App, AppError, Caller};

/// A request of an enrolled or joined host.
pub(super) struct ByHost(pub(super) Host);

/// A request of whoever is known.
pub(super) struct Known(pub(super) Caller);

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
    parts
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(AppError::unauthenticated)
}

impl FromRequestParts<Arc<App>> for ByHost {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(app.authenticate_host(bearer(parts)?).await?))
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
    let caller = app.authenticate(bearer(parts)?).await?;
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
        Ok(Self(caller(parts, app, Role::RelyingParty, Reach::EachHost).await?))
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

fn of_person(operation: &mut Description, needs: Needs) {
    operation.needs = needs;
    operation.refuses(codes::WITH_ROLE);
    // A token for some hosts only is shown no other.
    if operation.path.starts_with("/v1/hosts/{id}") {
        operation.refuses(&["host-not-found"]);
    }
}
