//! `GET /hosts`, and what is done to many of them.

use std::sync::Arc;

use api::inventory::{Action, ActionRequest, HostQuery, MaintenanceRequest};
use axum::{
    extract::{RawQuery, State},
    response::IntoResponse as _,
};
use pages::{Bulk, Hosts, Message, Place, Verb};

use super::{
    answer::{Page, back, page},
    form::Form,
    said::said,
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, RefusalKind};

/// Hosts on a page.
const PAGE_LEN: u32 = 50;

/// What a person filled in. An empty field asks for nothing.
pub(super) fn query(raw: Option<&str>) -> Result<HostQuery, AppError> {
    of_form(&Form::read(raw.unwrap_or_default().as_bytes()))
}

/// The same of a form that is sent.
pub(super) fn of_form(form: &Form) -> Result<HostQuery, AppError> {
    Ok(HostQuery {
        cursor: form.maybe("cursor"),
        limit: Some(form.number::<u32>("limit")?.unwrap_or(PAGE_LEN)),
        name: form.maybe("name"),
        search: form.maybe("search"),
        labels: form.maybe("labels"),
        verdict: form.maybe("verdict"),
        connection: form.maybe("connection"),
        code: form.maybe("code"),
        sort: form.maybe("sort"),
        maintenance: match form.text("maintenance") {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
    })
}

pub(super) async fn hosts(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    RawQuery(raw): RawQuery,
) -> Page {
    let mut query = query(raw.as_deref())?;
    let found = app.hosts(query.clone(), &visiting.caller.hosts).await?;
    let labels = if visiting.caller.hosts.is_fleet() {
        app.known_labels().await?.to_vec()
    } else {
        Vec::new()
    };
    query.limit = query.limit.filter(|limit| *limit != PAGE_LEN);
    let views = app.host_views(&visiting.caller).await?;
    let mut frame = visiting.frame(Place::Hosts);
    frame.said = said(Form::read(raw.unwrap_or_default().as_bytes()).maybe("done").as_deref());
    let (hosts, next_cursor) = (found.hosts, found.next_cursor);
    page(&Hosts { frame, query, hosts, next_cursor, labels, views })
}

fn verb(form: &Form) -> Result<Verb, AppError> {
    Verb::of(form.text("verb")).ok_or_else(|| {
        AppError::plain(RefusalKind::Invalid, "verb-unknown", "this cannot be done to hosts")
    })
}

/// What would be done, and to which hosts.
pub(super) async fn preview(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let verb = verb(&acting.form)?;
    let mut hosts = Vec::new();
    for id in marked(&acting.form)? {
        app.require_host(&acting.visiting.caller.hosts, &id).await?;
        match app.host(&id, None).await {
            Ok(detail) => hosts.push(detail.host),
            // Removed meanwhile: the list says what is left.
            Err(AppError::Refused(refusal)) if refusal.kind == RefusalKind::NotFound => {}
            Err(err) => return Err(err.into()),
        }
    }
    page(&Bulk { frame: acting.visiting.frame(Place::Hosts), verb, hosts })
}

fn marked(form: &Form) -> Result<Vec<String>, AppError> {
    let hosts = form.all("host");
    if hosts.is_empty() {
        let hint = "go back and mark the hosts that are meant";
        let title = "no host is marked";
        return Err(AppError::refused(RefusalKind::Invalid, "no-host-marked", title, hint));
    }
    Ok(hosts)
}

pub(super) async fn act(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    let verb = verb(&form)?;
    let action = match verb.verb {
        "attest" => Action::Attest,
        "disconnect" => Action::Disconnect,
        "reconnect" => Action::Reconnect,
        "rotate-key" => Action::RotateKey,
        "approve" => Action::Approve,
        "remove" => Action::Remove,
        "leave-maintenance" => Action::LeaveMaintenance,
        _ => Action::EnterMaintenance(MaintenanceRequest {
            reason: form.text("reason").to_owned(),
            until_ms: None,
        }),
    };
    let request = ActionRequest { hosts: marked(&form)?, action };
    let reply = app.act(request, &visiting.caller).await?;
    let refused: Vec<String> = reply
        .outcomes
        .iter()
        .filter_map(|outcome| {
            Some(format!("{}: {}", outcome.host, outcome.problem.as_ref()?.title))
        })
        .collect();
    if refused.is_empty() {
        return back("/hosts");
    }
    let n_done = reply.outcomes.len().saturating_sub(refused.len());
    let message = Message {
        frame: visiting.frame(Place::Hosts),
        title: format!("{}: {n_done} done, {} not", verb.word, refused.len()),
        next_step: refused.join("; "),
        request: None,
    };
    Ok((axum::http::StatusCode::CONFLICT, page(&message)?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_field_asks_for_nothing() {
        let query = query(Some("search=&labels=site%3Dmuc&verdict=&connection=")).ok().unwrap();
        assert_eq!(query.search, None);
        assert_eq!(query.verdict, None);
        assert_eq!(query.labels.as_deref(), Some("site=muc"));
    }
}
