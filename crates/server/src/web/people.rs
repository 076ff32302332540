//! `GET /people`: accounts, sessions, tokens of programs, and what is done to them.

use std::sync::Arc;

use api::people::{
    ApiTokenRequest, GivenPasswordRequest, Role as RoleView, UserChangeRequest, UserRequest,
};
use axum::{
    extract::{Path, Query, State},
    response::IntoResponse as _,
};
use pages::{NewToken, People, Place, Said, TokenDraft, UserDraft};
use store::Role;

use super::{
    answer::{Page, back, page},
    entrance::refused,
    form::Form,
    join::labels,
    said::{Done, said},
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, RefusalKind, Whose};

const DAY_S: u64 = 24 * 3600;

pub(super) async fn people(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<Done>,
) -> Page {
    let said = said(query.done.as_deref());
    people_page(&app, &visiting, said, UserDraft::default(), TokenDraft::default()).await
}

/// What an administrator sees of everybody, and others of themselves.
async fn people_page(
    app: &Arc<App>,
    visiting: &Visiting,
    said: Option<Said>,
    user_draft: UserDraft,
    token_draft: TokenDraft,
) -> Page {
    let caller = &visiting.caller;
    let is_admin = caller.role == Role::Admin;
    let whose = if is_admin { Whose::Everybodys } else { Whose::Own };
    let sessions = app.sessions(caller, whose).await?;
    let (users, tokens) = match is_admin {
        true => (app.users().await?, app.api_tokens().await?),
        false => (Vec::new(), Vec::new()),
    };
    let mut frame = visiting.frame(Place::People);
    frame.said = said;
    page(&People { frame, users, sessions, tokens, user_draft, token_draft })
}

fn role(form: &Form) -> Result<RoleView, AppError> {
    match form.text("role") {
        "relying-party" => Ok(RoleView::RelyingParty),
        "viewer" => Ok(RoleView::Viewer),
        "operator" => Ok(RoleView::Operator),
        "admin" => Ok(RoleView::Admin),
        _ => Err(AppError::plain(RefusalKind::Invalid, "role-invalid", "there is no such role")),
    }
}

pub(super) async fn add_user(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    let (name, given) = (form.text("name").to_owned(), role(&form)?);
    let password = form.secret("password").to_owned();
    let request = UserRequest { name: name.clone(), role: given, password };
    match app.add_user(request, visiting.caller.by.clone()).await {
        Ok(_) => back("/people?done=user-added"),
        Err(err) => {
            // What was filled in stays, but for the password.
            let (status, said) = refused(err)?;
            let draft = UserDraft { name, role: given.as_str().to_owned() };
            let again = people_page(&app, &visiting, Some(said), draft, TokenDraft::default());
            Ok((status, again.await?).into_response())
        }
    }
}

pub(super) async fn change_user(
    State(app): State<Arc<App>>,
    Path((name, verb)): Path<(String, String)>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    let by = visiting.caller.by.clone();
    let disabled = |disabled| UserChangeRequest { role: None, disabled: Some(disabled) };
    let (done, word) = match verb.as_str() {
        "role" => {
            let change = UserChangeRequest { role: Some(role(&form)?), disabled: None };
            (app.change_user(&name, change, by).await.map(drop), "user-changed")
        }
        "disable" => (app.change_user(&name, disabled(true), by).await.map(drop), "user-disabled"),
        "enable" => (app.change_user(&name, disabled(false), by).await.map(drop), "user-enabled"),
        "password" => {
            let request = GivenPasswordRequest { password: form.secret("password").to_owned() };
            (app.give_password(&name, request, by).await, "password-given")
        }
        "remove" => (app.remove_user(&name, by).await, "user-removed"),
        _ => {
            let title = "this cannot be done to an account";
            return Err(AppError::plain(RefusalKind::NotFound, "verb-unknown", title).into());
        }
    };
    match done {
        Ok(()) => back(&format!("/people?done={word}")),
        Err(err) => {
            let (status, said) = refused(err)?;
            let (user, token) = (UserDraft::default(), TokenDraft::default());
            let again = people_page(&app, &visiting, Some(said), user, token);
            Ok((status, again.await?).into_response())
        }
    }
}

pub(super) async fn end_session(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    acting: Acting,
) -> Page {
    app.end_session(&id, &acting.visiting.caller).await?;
    back("/people?done=session-ended")
}

pub(super) async fn create_token(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    visiting.caller.require(Role::Admin)?;
    let given = role(&form)?;
    let text = |name: &str| form.text(name).to_owned();
    let draft = TokenDraft {
        name: text("name"),
        role: given.as_str().to_owned(),
        hosts: text("hosts"),
        days: text("days"),
    };
    let made = async {
        let days: u64 = form.number("days")?.unwrap_or(90);
        let request = ApiTokenRequest {
            name: draft.name.clone(),
            role: given,
            hosts: labels(&draft.hosts)?,
            expires_in_s: days.saturating_mul(DAY_S),
        };
        app.create_api_token(request, visiting.caller.by.clone()).await
    };
    match made.await {
        Ok(token) => {
            let mut frame = visiting.frame(Place::People);
            frame.stream = None;
            page(&NewToken { frame, token })
        }
        Err(err) => {
            let (status, said) = refused(err)?;
            let again = people_page(&app, &visiting, Some(said), UserDraft::default(), draft);
            Ok((status, again.await?).into_response())
        }
    }
}

pub(super) async fn revoke_token(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    acting: Acting,
) -> Page {
    acting.visiting.caller.require(Role::Admin)?;
    app.revoke_api_token(&name, acting.visiting.caller.by).await?;
    back("/people?done=token-revoked")
}
