//! Addresses of alarms.

use std::sync::Arc;

use api::alarm::{
    AcknowledgeRequest, AlarmGroup, AlarmPage, AlarmQuery, AlarmsChanged, WithdrawRequest,
};
use axum::{
    Json,
    extract::{Query, State},
};

use super::{
    admin::Answer,
    auth::{Operator, Viewer, ViewerWithin},
    body::Body,
};
use crate::app::App;

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
