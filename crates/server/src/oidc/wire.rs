//! Requests to the provider: verified TLS, one connection each, small answers, no redirects.

use std::time::Duration;

use axum::http::{Request, StatusCode, header};
use serde_json::{Map, Value};
use tokio::time::timeout;

use super::OidcError;
use crate::deliver::{Address, Reach, Target, exchange};

/// For one request, from the resolver to the last byte: a person waits, and does not wait longer.
const REQUEST_MAX: Duration = Duration::from_secs(10);

/// An object as JSON.
pub(super) type Object = Map<String, Value>;

/// A form to post.
pub(super) struct Form {
    pub(super) authorization: Option<String>,
    pub(super) body: String,
}

/// Asks for the object at `url`; of more than `bytes_max` it is none.
pub(super) async fn get(
    url: &str,
    ca_pem: Option<&str>,
    bytes_max: usize,
) -> Result<Object, OidcError> {
    let (status, object) = send(url, ca_pem, None, bytes_max).await?;
    match object {
        Some(object) if status == StatusCode::OK => Ok(object),
        _ => {
            Err(OidcError::Away(format!("{url} answers {status}, or with what is no JSON object")))
        }
    }
}

/// Posts a form; the answer's status, and its object where it has one.
pub(super) async fn post(
    url: &str,
    ca_pem: Option<&str>,
    form: Form,
    bytes_max: usize,
) -> Result<(StatusCode, Option<Object>), OidcError> {
    send(url, ca_pem, Some(form), bytes_max).await
}

async fn send(
    url: &str,
    ca_pem: Option<&str>,
    form: Option<Form>,
    bytes_max: usize,
) -> Result<(StatusCode, Option<Object>), OidcError> {
    let away = |why: String| OidcError::Away(format!("{url}: {why}"));
    let Some(Address { host, port, path }) = Address::parse(url) else {
        return Err(away("this is no https address".to_owned()));
    };
    let ca_pem = ca_pem.map(str::to_owned);
    let target = Target { host, port, ca_pem, reach: Reach::Anywhere };
    let mut request = Request::builder().uri(path).header(header::ACCEPT, "application/json");
    let mut body = String::new();
    if let Some(form) = form {
        request = request
            .method("POST")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = form.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        body = form.body;
    }
    let asked = exchange(&target, request, body.into_bytes(), bytes_max);
    let (status, said) = match timeout(REQUEST_MAX, asked).await {
        Ok(answered) => answered.map_err(|err| away(err.to_string()))?,
        Err(_) => return Err(away("no answer in time".to_owned())),
    };
    Ok((status, serde_json::from_slice(&said).ok()))
}
