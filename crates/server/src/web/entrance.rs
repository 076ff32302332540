//! Signing in and out, the first account, another password.

use std::sync::Arc;

use api::people::{LoginRequest, PasswordRequest, SetupRequest, ShownAs};
use axum::{
    Extension,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Redirect},
};
use pages::{Left, Login, Message, Password, Place, Provider, Resume, Said, Setup};
use serde::Deserialize;

use super::{
    answer::{NoPage, Page, back, bare, first_upper, page},
    form::Form,
    visitor::{Acting, Entering, SignedIn, frame_of},
};
use crate::{
    app::{App, AppError, Begun, RefusalKind},
    http::{Peer, cookie},
};

#[derive(Deserialize)]
pub(super) struct Then {
    #[serde(default)]
    then: String,
    /// Who was vouched for by the provider has left this server.
    left: Option<String>,
}

/// A path of this server, and nothing that leads elsewhere.
pub(super) fn own_path(text: &str) -> &str {
    let is_own = text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { text } else { "/" }
}

pub(super) async fn login(State(app): State<Arc<App>>, Query(query): Query<Then>) -> Page {
    let ways = app.login_ways().await?;
    if ways.setup_open && ways.oidc.is_none() {
        return back("/setup");
    }
    let left = if query.left.is_some() { Left::NotTheProvider } else { Left::Nothing };
    login_page(&app, own_path(&query.then), left, "", None).await
}

pub(super) async fn login_page(
    app: &App,
    then: &str,
    left: Left,
    held: &str,
    said: Option<Said>,
) -> Page {
    let mut frame = bare(Place::Elsewhere);
    frame.said = said;
    let ways = app.login_ways().await?;
    let provider = ways.oidc.zip(ways.oidc_login).map(|(name, begins)| {
        let address = format!("{begins}?then={}", pages::text::in_address(then));
        Provider { name, address }
    });
    page(&Login {
        frame,
        then: then.to_owned(),
        provider,
        left,
        setup_open: ways.setup_open,
        held: held.to_owned(),
    })
}

pub(super) async fn enter(
    State(app): State<Arc<App>>,
    Extension(Peer(address)): Extension<Peer>,
    Entering(form): Entering,
) -> Page {
    let then = own_path(form.text("then")).to_owned();
    let held = form.secret("held").to_owned();
    let request = LoginRequest {
        name: form.text("name").to_owned(),
        password: form.secret("password").to_owned(),
        shown_as: ShownAs::Cookie,
    };
    match app.log_in(request, address).await {
        Ok(begun) if held.is_empty() => begin(&begun, &then),
        Ok(begun) => resume(&begun, then, &held),
        Err(err) => {
            let (status, said) = refused(err)?;
            let shown = login_page(&app, &then, Left::Nothing, &held, Some(said)).await?;
            Ok((status, shown).into_response())
        }
    }
}

/// A form that was held, in the session that begins: nothing of it is done before its person says so.
pub(super) fn resume(begun: &Begun, address: String, held: &str) -> Page {
    let Some(fields) = Form::read(held.as_bytes()).held() else { return begin(begun, &address) };
    if begun.view.must_change_password {
        return begin(begun, &address);
    }
    let view = &begun.view;
    let frame = frame_of(&view.actor, view.role.as_str(), &view.csrf_token, Place::Elsewhere);
    let cookie = [(header::SET_COOKIE, cookie(&begun.secret)?)];
    Ok((cookie, page(&Resume { frame, address, fields })?).into_response())
}

/// A form that was held and is not there any more: its person is in, and is told.
pub(super) fn gone(begun: &Begun) -> Page {
    let frame = bare(Place::Elsewhere);
    let title = "You are signed in, but what you wrote before is not here any more.".to_owned();
    let next_step =
        "Nothing of it was done. Your browser may still have it: go back to the page on which you \
                     wrote it, and copy it from there."
            .to_owned();
    let message = Message { frame, title, next_step, request: None };
    let cookie = [(header::SET_COOKIE, cookie(&begun.secret)?)];
    Ok((StatusCode::GONE, cookie, page(&message)?).into_response())
}

/// What to say of a refusal beside the form that was sent. What is no refusal is no page.
pub(super) fn refused(err: AppError) -> Result<(StatusCode, Said), NoPage> {
    let AppError::Refused(refusal) = err else { return Err(err.into()) };
    let status = match refusal.kind {
        RefusalKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Unauthenticated | RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    };
    let hint = refusal.hint.map(|hint| first_upper(&hint)).unwrap_or_default();
    let text = format!("{} {hint}", first_upper(&refusal.title));
    Ok((status, Said::NotDone(text.trim().to_owned())))
}

/// On to a page, with the cookie of the session.
fn begin(begun: &Begun, then: &str) -> Page {
    let cookie = [(header::SET_COOKIE, cookie(&begun.secret)?)];
    let then = if begun.view.must_change_password { "/password" } else { then };
    Ok((cookie, Redirect::to(then)).into_response())
}

pub(super) async fn leave(State(app): State<Arc<App>>, acting: Acting<SignedIn>) -> Page {
    let caller = acting.visiting.0.caller;
    app.log_out(&caller).await?;
    // The way there is a link: a form may lead to no other site, not by a redirect either.
    let is_vouched_for = caller.by.actor.starts_with("oidc:");
    let to = match is_vouched_for && app.provider_logout().await.is_some() {
        true => "/login?left=provider",
        false => "/login",
    };
    Ok(([(header::SET_COOKIE, cookie("")?)], Redirect::to(to)).into_response())
}

pub(super) async fn setup(State(app): State<Arc<App>>) -> Page {
    if !app.login_ways().await?.setup_open {
        return back("/login");
    }
    page(&Setup { frame: bare(Place::Elsewhere) })
}

pub(super) async fn make_first(
    State(app): State<Arc<App>>,
    Extension(Peer(address)): Extension<Peer>,
    Entering(form): Entering,
) -> Page {
    let request = SetupRequest {
        code: form.text("code").to_owned(),
        name: form.text("name").to_owned(),
        password: form.secret("password").to_owned(),
        shown_as: ShownAs::Cookie,
    };
    match app.set_up(request, address).await {
        Ok(begun) => begin(&begun, "/"),
        Err(err) => {
            let (status, said) = refused(err)?;
            let mut frame = bare(Place::Elsewhere);
            frame.said = Some(said);
            Ok((status, page(&Setup { frame })?).into_response())
        }
    }
}

pub(super) async fn password(SignedIn(visiting): SignedIn) -> Page {
    let session = visiting.caller.session.as_ref();
    if session.is_none_or(|session| session.account.is_none()) {
        let title = "an identity provider vouches for you: there is no password of yours here";
        let hint = "change the one that you have there";
        return Err(AppError::refused(RefusalKind::Conflict, "no-session", title, hint).into());
    }
    page(&Password { frame: visiting.frame(Place::Elsewhere) })
}

pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    Extension(Peer(address)): Extension<Peer>,
    acting: Acting<SignedIn>,
) -> Page {
    let Acting { visiting: SignedIn(visiting), form } = acting;
    let request =
        PasswordRequest { old: form.secret("old").to_owned(), new: form.secret("new").to_owned() };
    match app.change_own_password(&visiting.caller, request, address).await {
        Ok(begun) => begin(&begun, "/"),
        Err(err) => {
            let (status, said) = refused(err)?;
            let mut frame = visiting.frame(Place::Elsewhere);
            frame.said = Some(said);
            Ok((status, page(&Password { frame })?).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(own_path("/hosts?verdict=not%20accepted"), "/hosts?verdict=not%20accepted");
        for other in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "",
            "/a\r\nb",
            "javascript:1",
        ] {
            assert_eq!(own_path(other), "/", "{other:?}");
        }
    }
}
