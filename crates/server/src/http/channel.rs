//! Addresses of channels.

use std::sync::Arc;

use api::channel::{
    Channel, ChannelChange, ChannelRequest, ChannelTest, DeadLetterPage, DeadLetterQuery,
    NewChannel, RedeliverRequest, Redelivered,
};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Admin, Operator},
    body::Body,
    operation::Operations,
    path::Path,
    query::Query,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let invalid = &["channel-invalid", "event-type-unknown", "label-invalid"];
    let unknown = &["channel-not-found"];
    all.get("/v1/channels", "list-channels", "Who is told of alarms, and how that goes", channels);
    all.post("/v1/channels", "add-channel", "Adds a channel", add)
        .refuses(invalid)
        .refuses(&["name-taken", "too-many"]);
    all.get("/v1/channels/{name}", "get-channel", "One channel", channel).refuses(unknown);
    let about = "Removes a channel with its dead letters";
    all.delete("/v1/channels/{name}", "remove-channel", about, remove).refuses(unknown);
    let about = "Gives a channel other settings, another secret or filter";
    all.post("/v1/channels/{name}/change", "change-channel", about, change)
        .refuses(invalid)
        .refuses(unknown);
    let about = "Lets a channel wait";
    all.post("/v1/channels/{name}/pause", "pause-channel", about, pause).refuses(unknown);
    let about = "Lets a channel go on where it was";
    all.post("/v1/channels/{name}/resume", "resume-channel", about, resume).refuses(unknown);
    let about = "Sends a message that says it is a test, and says step by step what happened";
    all.post("/v1/channels/{name}/test", "test-channel", about, test).refuses(unknown);
    let about = "What could not be told through a channel, oldest first";
    all.get("/v1/channels/{name}/dead-letters", "list-dead-letters", about, dead_letters)
        .refuses(unknown)
        .refuses(&["cursor-invalid"]);
    let about = "Tells dead letters again";
    all.post("/v1/channels/{name}/redeliver", "redeliver", about, redeliver)
        .refuses(unknown)
        .refuses(&["channel-invalid"]);
}

/// `GET /v1/channels`. Their addresses are nothing for who only looks: some let in whoever knows them.
pub(super) async fn channels(State(app): State<Arc<App>>, _: Operator) -> Answer<Vec<Channel>> {
    Ok(Json(app.channels().await?))
}

/// `POST /v1/channels`.
pub(super) async fn add(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Body(request): Body<ChannelRequest>,
) -> Answer<NewChannel> {
    Ok(Json(app.add_channel(request, by).await?))
}

/// `GET /v1/channels/{name}`.
pub(super) async fn channel(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Answer<Channel> {
    Ok(Json(app.channel(&name).await?))
}

/// `DELETE /v1/channels/{name}`.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
) -> Answer<()> {
    Ok(Json(app.remove_channel(&name, by).await?))
}

/// `POST /v1/channels/{name}/change`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    Admin(by): Admin,
    Path(name): Path<String>,
    Body(change): Body<ChannelChange>,
) -> Answer<Channel> {
    Ok(Json(app.change_channel(&name, change, by).await?))
}

/// `POST /v1/channels/{name}/pause`.
pub(super) async fn pause(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(name): Path<String>,
) -> Answer<Channel> {
    Ok(Json(app.pause_channel(&name, by).await?))
}

/// `POST /v1/channels/{name}/resume`.
pub(super) async fn resume(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(name): Path<String>,
) -> Answer<Channel> {
    Ok(Json(app.resume_channel(&name, by).await?))
}

/// `POST /v1/channels/{name}/test`.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
) -> Answer<ChannelTest> {
    Ok(Json(app.test_channel(&name).await?))
}

/// `GET /v1/channels/{name}/dead-letters`.
pub(super) async fn dead_letters(
    State(app): State<Arc<App>>,
    _: Operator,
    Path(name): Path<String>,
    Query(query): Query<DeadLetterQuery>,
) -> Answer<DeadLetterPage> {
    Ok(Json(app.dead_letters(&name, query).await?))
}

/// `POST /v1/channels/{name}/redeliver`.
pub(super) async fn redeliver(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Body(request): Body<RedeliverRequest>,
) -> Answer<Redelivered> {
    Ok(Json(app.redeliver(&name, request, by).await?))
}
