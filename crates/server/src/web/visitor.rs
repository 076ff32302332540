//! Who looks at a page, and who acts on it.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::request::Parts,
};
use http_body_util::{BodyExt as _, Limited};
use pages::{Frame, Place, Visitor};
use store::Role;

use super::{
    answer::{NoPage, bare},
    form::{FORM_BYTES_MAX, Form},
};
use crate::{
    app::{App, AppError, Caller, RefusalKind, is_csrf_token},
    http::{Unsaid, address, require_own_page, session_cookie},
};

/// The event stream that keeps pages true.
const STREAM: &str = "/v1/events";

/// A person who is signed in and may look.
pub(super) struct Visiting {
    pub(super) caller: Caller,
    csrf: String,
}

impl Visiting {
    /// What stands around a page of theirs.
    pub(super) fn frame(&self, place: Place) -> Frame {
        let actor = self.caller.by.actor.as_str();
        let visitor = Visitor {
            name: actor.split_once(':').map_or(actor, |(_, name)| name).to_owned(),
            role: self.caller.role.to_string(),
            csrf: self.csrf.clone(),
        };
        Frame { visitor: Some(visitor), stream: Some(STREAM.to_owned()), ..bare(place) }
    }
}

/// A person who is signed in, be it to choose another password first.
pub(super) struct SignedIn(pub(super) Visiting);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = NoPage;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, NoPage> {
        let sign_in = || NoPage::sign_in(parts);
        let secret = session_cookie(parts).ok_or_else(sign_in)?;
        let caller = match app.authenticate(secret, address(parts)).await {
            Err(AppError::Refused(refusal)) if refusal.kind == RefusalKind::Unauthenticated => {
                return Err(sign_in());
            }
            other => other?,
        };
        let csrf = caller.session.as_ref().map(|session| session.csrf_token.clone());
        let csrf = csrf.ok_or_else(sign_in)?;
        Ok(Self(Visiting { caller, csrf }))
    }
}

impl FromRequestParts<Arc<App>> for Visiting {
    type Rejection = NoPage;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, NoPage> {
        let SignedIn(visiting) = SignedIn::from_request_parts(parts, app).await?;
        let session = visiting.caller.session.as_ref();
        if session.is_some_and(|session| session.password.must_change()) {
            return Err(NoPage::ChoosePassword);
        }
        visiting.caller.require(Role::Viewer)?;
        Ok(visiting)
    }
}

/// A form that a person sent from a page of ours.
pub(super) struct Acting<V = Visiting> {
    pub(super) visiting: V,
    pub(super) form: Form,
}

impl<V> FromRequest<Arc<App>> for Acting<V>
where
    V: FromRequestParts<Arc<App>, Rejection = NoPage> + Send,
{
    type Rejection = NoPage;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, NoPage> {
        let (mut parts, body) = request.into_parts();
        let visiting = V::from_request_parts(&mut parts, app).await?;
        require_own_page(&parts, Unsaid::Refused)?;
        let form = read(body).await?;
        let secret = session_cookie(&parts).ok_or_else(AppError::unauthenticated)?;
        if !is_csrf_token(form.secret("csrf"), secret) {
            let title = "this page is of a session that has ended";
            let hint = "go back, reload the page, and do it once more: nothing was done";
            return Err(
                AppError::refused(RefusalKind::Forbidden, "csrf-token-wrong", title, hint).into()
            );
        }
        Ok(Self { visiting, form })
    }
}

/// A form of somebody who is not signed in.
pub(super) struct Entering(pub(super) Form);

impl FromRequest<Arc<App>> for Entering {
    type Rejection = NoPage;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, NoPage> {
        let (parts, body) = request.into_parts();
        require_own_page(&parts, Unsaid::Refused)?;
        Ok(Self(read(body).await?))
    }
}

async fn read(body: axum::body::Body) -> Result<Form, AppError> {
    let too_large = || {
        AppError::plain(
            RefusalKind::TooLarge,
            "form-too-large",
            "the form is too large, or it broke off",
        )
    };
    let bytes = Limited::new(body, FORM_BYTES_MAX).collect().await.map_err(|_| too_large())?;
    Ok(Form::read(&bytes.to_bytes()))
}
