//! Who looks at a page, and who acts on it.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::IntoResponse as _,
};
use http_body_util::{BodyExt as _, Limited};
use pages::{Frame, Left, Place, Resume, Said, Visitor};
use store::Role;

use super::{
    answer::{NoPage, bare, page},
    entrance::login_page,
    form::{FORM_BYTES_MAX, Form, HOLDING_FORM_BYTES_MAX},
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
        frame_of(&self.caller.by.actor, &self.caller.role.to_string(), &self.csrf, place)
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
        let visiting = V::from_request_parts(&mut parts, app).await;
        let visiting = match visiting {
            Ok(visiting) => Ok(visiting),
            Err(sign_in @ NoPage::SignIn { .. }) => Err(sign_in),
            Err(no_page) => return Err(no_page),
        };
        require_own_page(&parts, Unsaid::Refused)?;
        let form = read(body, FORM_BYTES_MAX).await?;
        let visiting = match visiting {
            Ok(visiting) => visiting,
            Err(sign_in) => return Err(held_until_signed_in(app, &parts, &form, sign_in).await),
        };
        let secret = session_cookie(&parts).ok_or_else(AppError::unauthenticated)?;
        if !is_csrf_token(form.secret("csrf"), secret) {
            if let Some(fields) = form.held() {
                let SignedIn(now) = SignedIn::from_request_parts(&mut parts, app).await?;
                let frame = now.frame(Place::Elsewhere);
                let address = parts.uri.path().to_owned();
                return Err(resumed(StatusCode::CONFLICT, Resume { frame, address, fields }));
            }
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
        Ok(Self(read(body, HOLDING_FORM_BYTES_MAX).await?))
    }
}

/// A form of a session that has ended: signing in first, then the form once more, to look at and to send.
async fn held_until_signed_in(app: &App, parts: &Parts, form: &Form, otherwise: NoPage) -> NoPage {
    let Some(fields) = form.held() else { return otherwise };
    let said = Said::NotDone(
        "Your session has ended. Sign in: what you wrote is kept, and was not sent yet.".to_owned(),
    );
    let held = Form::held_text(&fields);
    match login_page(app, parts.uri.path(), Left::Nothing, &held, Some(said)).await {
        Ok(page) => NoPage::Instead(Box::new((StatusCode::FORBIDDEN, page).into_response())),
        Err(no_page) => no_page,
    }
}

/// The form once more, in the session that there is.
pub(super) fn resumed(status: StatusCode, resume: Resume) -> NoPage {
    match page(&resume) {
        Ok(page) => NoPage::Instead(Box::new((status, page).into_response())),
        Err(no_page) => no_page,
    }
}

/// What stands around a page of somebody whom the audit log calls `actor`.
pub(super) fn frame_of(actor: &str, role: &str, csrf: &str, place: Place) -> Frame {
    let visitor = Visitor {
        name: actor.split_once(':').map_or(actor, |(_, name)| name).to_owned(),
        role: role.to_owned(),
        csrf: csrf.to_owned(),
    };
    Frame { visitor: Some(visitor), stream: Some(STREAM.to_owned()), ..bare(place) }
}

async fn read(body: axum::body::Body, bytes_max: usize) -> Result<Form, AppError> {
    let too_large = || {
        AppError::plain(
            RefusalKind::TooLarge,
            "form-too-large",
            "the form is too large, or it broke off",
        )
    };
    let bytes = Limited::new(body, bytes_max).collect().await.map_err(|_| too_large())?;
    Ok(Form::read(&bytes.to_bytes()))
}
