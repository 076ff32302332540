//! Who asks: a host or a person, by the token that the request shows.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use store::{By, Host, Role};

use super::problem::Failure;
use crate::app::{App, AppError};

/// A request of an enrolled or joined host.
pub(super) struct ByHost(pub(super) Host);

/// A request of a person or program that may look.
pub(super) struct Viewer;

/// A request of a person or program that may attest, disconnect and reconnect.
pub(super) struct Operator(pub(super) By);

/// The same, with the role that it has: some of what it may ask for needs a higher one.
pub(super) struct OperatorOrHigher(pub(super) By, pub(super) Role);

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

async fn person(parts: &Parts, app: &Arc<App>, needed: Role) -> Result<(By, Role), AppError> {
    app.authenticate_person(bearer(parts)?, needed).await
}

impl FromRequestParts<Arc<App>> for Viewer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        person(parts, app, Role::Viewer).await?;
        Ok(Self)
    }
}

impl FromRequestParts<Arc<App>> for Operator {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(person(parts, app, Role::Operator).await?.0))
    }
}

impl FromRequestParts<Arc<App>> for OperatorOrHigher {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let (by, role) = person(parts, app, Role::Operator).await?;
        Ok(Self(by, role))
    }
}

impl FromRequestParts<Arc<App>> for Admin {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        Ok(Self(person(parts, app, Role::Admin).await?.0))
    }
}
