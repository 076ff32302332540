//! Addresses of alarms.

use std::sync::Arc;

use api::alarm::{
    AcknowledgeRequest, AlarmGroup, AlarmPage, AlarmQuery, AlarmsChanged, WithdrawRequest,
};
use axum::{Json, extract::State};

use super::{
    admin::Answer,
    auth::{Operator, Viewer, ViewerWithin},
    body::Body,
    operation::Operations,
    query::Query,
};
use crate::app::App;

/// The operations of this module.
pub(super) fn operations(all: &mut Operations) {
    let about = "All alarms that stand, by cause, the worst first";
    all.get("/v1/alarm-groups", "list-alarm-groups", about, groups).etag();
    all.get("/v1/alarms", "list-alarms", "Alarms that fit the query, newest first", alarms)
        .refuses(&["cursor-invalid", "host-not-found"])
        .etag();
    let about = "Says that a person knows of alarms";
    all.post("/v1/alarms/acknowledge", "acknowledge-alarms", about, acknowledge)
        .refuses(&["acknowledgement-invalid", "too-many-alarms"]).example(r#"{"alarms":{"code":"dbx-outdated"},"reason":"update is planned, ticket 4711","until_ms":4102444800000}"#);
    let about = "Takes back what was acknowledged";
    all.post("/v1/alarms/withdraw", "withdraw-acknowledgements", about, withdraw)
        .refuses(&["too-many-alarms"])
        .example(r#"{"alarms":{"ids":[17]}}"#);
}

/// `GET /v1/alarm-groups`.
pub(super) async fn groups(State(app): State<Arc<App>>, _: Viewer) -> Answer<Vec<AlarmGroup>> {
    Ok(Json(app.alarm_groups().await?))
}

/// `GET /v1/alarms`.
pub(super) async fn alarms(
    State(app): State<Arc<App>>,
    ViewerWithin(caller): ViewerWithin,
    Query(query): Query<AlarmQuery>,
) -> Answer<AlarmPage> {
    Ok(Json(app.alarms(query, &caller.hosts).await?))
}

/// `POST /v1/alarms/acknowledge`.
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Body(request): Body<AcknowledgeRequest>,
) -> Answer<AlarmsChanged> {
    Ok(Json(app.acknowledge(request, by).await?))
}

/// `POST /v1/alarms/withdraw`.
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Operator(by): Operator,
    Body(request): Body<WithdrawRequest>,
) -> Answer<AlarmsChanged> {
    Ok(Json(app.withdraw(request, by).await?))
}
