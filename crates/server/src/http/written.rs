//! Answers to agents, which are written without growing on the way: an attestation is two of them.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    operation::{Answer, Description, Output, Schemas},
    problem::Failure,
};
use crate::app::AppError;

/// Bytes for which there is room at once: what most verdicts with their findings take. Longer ones grow.
const ANSWER_BYTES: usize = 2 << 10;

/// An answer, written as JSON.
pub(super) struct Written<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Written<T> {
    fn into_response(self) -> Response {
        let mut json = Vec::with_capacity(ANSWER_BYTES);
        if let Err(err) = serde_json::to_writer(&mut json, &self.0) {
            return Failure::from(AppError::Bug(err.into())).into_response();
        }
        let mut response = Response::new(Body::from(json));
        let kind = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl<T: JsonSchema> Output for Written<T> {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        let schema = schemas.of_answer::<T>();
        operation.answer = Some(Answer { media_type: "application/json", schema });
    }
}
