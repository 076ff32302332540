//! Queries: refused where they have a parameter that is not known, and with a text that helps.

use axum::{extract::FromRequestParts, http::request::Parts};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    operation::{Description, Input, QueryParameter, Schemas},
    problem::Failure,
};
use crate::app::{AppError, RefusalKind};

/// The fields of a query. `T` refuses those that it does not know (`deny_unknown_fields`).
pub(super) struct Query<T>(pub(super) T);

/// The query of a page that has nothing to choose.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// Where the page begins: `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
    /// How much is on the page at most.
    pub(super) limit: Option<u32>,
}

/// What is said of a query that cannot be read.
pub(super) fn invalid(title: impl Into<String>) -> Failure {
    let hint = "`/v1/openapi.json` lists the parameters of each address";
    AppError::refused(RefusalKind::Invalid, "query-invalid", title, hint).into()
}

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|query| Self(query.0)).map_err(|err| {
            // It names the parameter, and what the client wrote only where that is no secret: a query
            // stands in logs.
            let text =
                std::error::Error::source(&err).map_or_else(String::new, ToString::to_string);
            let text: String = text.chars().filter(|c| !c.is_control()).take(160).collect();
            invalid(format!("the query is not what this address takes: {text}"))
        })
    }
}

impl<T: JsonSchema> Input for Query<T> {
    fn describe(operation: &mut Description, schemas: &mut Schemas) {
        let schema = schemas.of_query::<T>();
        let required: Vec<_> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let fields = schema.get("properties").and_then(Value::as_object);
        let parameters = fields.into_iter().flatten().map(|(name, schema)| QueryParameter {
            name: name.clone(),
            required: required.contains(name),
            schema: without_null(schema.clone()),
        });
        operation.query = Some(parameters.collect());
    }
}

/// A parameter that is not there is left out: none is written as null.
fn without_null(mut schema: Value) -> Value {
    let Value::Object(fields) = &mut schema else { return schema };
    if fields.get("default").is_some_and(Value::is_null) {
        fields.remove("default");
    }
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            let kind = kind.clone();
            fields.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(either)) = fields.get_mut("anyOf") {
        either.retain(|kind| kind.get("type").is_none_or(|kind| kind != "null"));
    }
    schema
}
