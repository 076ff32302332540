//! `GET /channels`: who is told of alarms, and what is done to channels.

use std::sync::Arc;

use api::channel::{
    ChannelChange, ChannelFilter, ChannelRequest, ChannelSettings, ChannelTest, DeadLetterQuery,
    RedeliverRequest, SmtpSecurity,
};
use axum::{
    extract::{Path, Query, State},
    response::IntoResponse as _,
};
use pages::{ChannelAdded, ChannelEdit, ChannelFields, ChannelPage, Channels, Place, Said};
use serde::Deserialize;
use store::Role;

use super::{
    answer::{Page, back, page},
    entrance::refused,
    form::Form,
    said::{Done, said},
    visitor::{Acting, Visiting},
};
use crate::app::{App, AppError, RefusalKind};

/// Dead letters on a page.
const DEAD_LETTERS: u32 = 50;

/// Refuses who may not look at addresses, some of which let in whoever knows them.
fn require(visiting: &Visiting, role: Role) -> Result<(), AppError> {
    visiting.caller.require(role)?;
    visiting.caller.hosts.require_fleet()
}

pub(super) async fn channels(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<Done>,
) -> Page {
    require(&visiting, Role::Operator)?;
    let channels = app.channels().await?;
    let mut frame = visiting.frame(Place::Channels);
    frame.said = said(query.done.as_deref());
    page(&Channels { frame, channels })
}

#[derive(Deserialize)]
pub(super) struct ChannelQuery {
    cursor: Option<String>,
    done: Option<String>,
}

pub(super) async fn channel(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(name): Path<String>,
    Query(query): Query<ChannelQuery>,
) -> Page {
    require(&visiting, Role::Operator)?;
    let said = said(query.done.as_deref());
    channel_page(&app, &visiting, &name, query.cursor, said, None).await
}

async fn channel_page(
    app: &App,
    visiting: &Visiting,
    name: &str,
    cursor: Option<String>,
    said: Option<Said>,
    test: Option<ChannelTest>,
) -> Page {
    let channel = app.channel(name).await?;
    let query = DeadLetterQuery { cursor, limit: Some(DEAD_LETTERS) };
    let dead = app.dead_letters(name, query).await?;
    let mut frame = visiting.frame(Place::Channels);
    frame.said = said;
    let (dead_letters, next_cursor) = (dead.dead_letters, dead.next_cursor);
    page(&ChannelPage { frame, channel, test, dead_letters, next_cursor })
}

#[derive(Deserialize)]
pub(super) struct KindQuery {
    #[serde(default)]
    kind: String,
}

pub(super) async fn new(visiting: Visiting, Query(query): Query<KindQuery>) -> Page {
    require(&visiting, Role::Admin)?;
    let kind = match query.kind.as_str() {
        kind @ ("webhook" | "alertmanager" | "smtp" | "syslog") => kind.to_owned(),
        _ => "webhook".to_owned(),
    };
    let frame = visiting.frame(Place::Channels);
    let fields = ChannelFields { kind, ..ChannelFields::default() };
    page(&ChannelEdit { frame, is_known: false, fields })
}

pub(super) async fn edit(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(name): Path<String>,
) -> Page {
    require(&visiting, Role::Admin)?;
    let fields = ChannelFields::of(&app.channel(&name).await?);
    page(&ChannelEdit { frame: visiting.frame(Place::Channels), is_known: true, fields })
}

fn fields(form: &Form) -> ChannelFields {
    let text = |name: &str| form.text(name).to_owned();
    ChannelFields {
        name: text("name"),
        kind: text("kind"),
        url: text("url"),
        server: text("server"),
        security: text("security"),
        from: text("from"),
        to: text("to"),
        username: text("username"),
        gather_s: text("gather_s"),
        ca_pem: form.lines("ca_pem"),
        types: text("types"),
        severity: text("severity"),
        labels: text("labels"),
    }
}

fn list(text: &str) -> Vec<String> {
    let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

fn maybe(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn settings(fields: &ChannelFields, form: &Form) -> Result<ChannelSettings, AppError> {
    let ca_pem = maybe(&fields.ca_pem);
    let (url, server) = (fields.url.clone(), fields.server.clone());
    Ok(match fields.kind.as_str() {
        "webhook" => ChannelSettings::Webhook { url, ca_pem },
        "alertmanager" => ChannelSettings::Alertmanager { url, ca_pem },
        "syslog" => ChannelSettings::Syslog { server, ca_pem },
        "smtp" => ChannelSettings::Smtp {
            server,
            security: match fields.security.as_str() {
                "starttls" => SmtpSecurity::Starttls,
                _ => SmtpSecurity::Tls,
            },
            from: fields.from.clone(),
            to: list(&fields.to),
            username: maybe(&fields.username),
            gather_s: form.number("gather_s")?,
            ca_pem,
        },
        _ => {
            let title = "there is no such kind of channel";
            return Err(AppError::plain(RefusalKind::Invalid, "channel-invalid", title));
        }
    })
}

fn filter(fields: &ChannelFields) -> ChannelFilter {
    ChannelFilter {
        types: list(&fields.types),
        severities: list(&fields.severity),
        labels: maybe(&fields.labels),
    }
}

fn secret(form: &Form) -> Option<String> {
    Some(form.secret("secret")).filter(|secret| !secret.is_empty()).map(str::to_owned)
}

/// The form once more, with what was filled in but for the secret.
fn again(visiting: &Visiting, is_known: bool, fields: ChannelFields, err: AppError) -> Page {
    let (status, said) = refused(err)?;
    let mut frame = visiting.frame(Place::Channels);
    frame.said = Some(said);
    Ok((status, page(&ChannelEdit { frame, is_known, fields })?).into_response())
}

pub(super) async fn add(State(app): State<Arc<App>>, acting: Acting) -> Page {
    let Acting { visiting, form } = acting;
    require(&visiting, Role::Admin)?;
    let fields = fields(&form);
    let added = async {
        let request = ChannelRequest {
            name: fields.name.clone(),
            settings: settings(&fields, &form)?,
            secret: secret(&form),
            filter: filter(&fields),
        };
        app.add_channel(request, visiting.caller.by.clone()).await
    };
    match added.await {
        Ok(new) => match new.secret {
            Some(secret) => {
                let mut frame = visiting.frame(Place::Channels);
                frame.stream = None;
                page(&ChannelAdded { frame, name: new.name, secret })
            }
            None => back(&format!("/channels/{}?done=channel-added", new.name)),
        },
        Err(err) => again(&visiting, false, fields, err),
    }
}

pub(super) async fn change(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    acting: Acting,
) -> Page {
    let Acting { visiting, form } = acting;
    require(&visiting, Role::Admin)?;
    let mut fields = fields(&form);
    fields.name.clone_from(&name);
    let changed = async {
        let change = ChannelChange {
            settings: Some(settings(&fields, &form)?),
            secret: secret(&form),
            filter: Some(filter(&fields)),
        };
        app.change_channel(&name, change, visiting.caller.by.clone()).await
    };
    match changed.await {
        Ok(channel) => back(&format!("/channels/{}?done=channel-changed", channel.name)),
        Err(err) => again(&visiting, true, fields, err),
    }
}

pub(super) async fn act(
    State(app): State<Arc<App>>,
    Path((name, verb)): Path<(String, String)>,
    acting: Acting,
) -> Page {
    let visiting = acting.visiting;
    require(&visiting, Role::Operator)?;
    let by = visiting.caller.by.clone();
    match verb.as_str() {
        "test" => {
            let test = app.test_channel(&name).await?;
            return channel_page(&app, &visiting, &name, None, None, Some(test)).await;
        }
        "pause" => drop(app.pause_channel(&name, by).await?),
        "resume" => drop(app.resume_channel(&name, by).await?),
        "redeliver" => {
            let _: api::channel::Redelivered =
                app.redeliver(&name, RedeliverRequest::default(), by).await?;
        }
        "remove" => {
            require(&visiting, Role::Admin)?;
            app.remove_channel(&name, by).await?;
            return back("/channels?done=channel-removed");
        }
        _ => {
            let title = "this cannot be done to a channel";
            return Err(AppError::plain(RefusalKind::NotFound, "verb-unknown", title).into());
        }
    }
    back(&format!("/channels/{name}?done=channel-{verb}"))
}
