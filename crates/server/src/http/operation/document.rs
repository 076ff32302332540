//! The OpenAPI 3.1 document.

use std::collections::BTreeMap;

use api::{BODY_BYTES_MAX, problem::Problem};
use serde_json::{Map, Value, json};

use super::{Description, Needs, Schemas, codes, schemas::rename};

/// The version of the contract, not of the program: it is frozen.
const VERSION: &str = "1";

const ABOUT: &str = "\
Inventory, verdicts and their reasons, alarms, references and tokens of a fleet.

Every error is `application/problem+json` (RFC 9457) with a stable `code`, a `title` that says what is \
wrong and, where there is one, a `hint` that says what to do. Requests refuse fields and parameters that \
they do not know. Answers may gain fields: readers ignore those that they do not know. Times are \
milliseconds since 1970, UTC, unless the name says otherwise; bytes are base64 (RFC 4648 section 4).";

pub(super) fn document(operations: &[Description], mut schemas: Schemas) -> Value {
    schemas.of_answer::<Problem>();
    let (schemas, names) = schemas.into_definitions();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let method = operation.method.as_str().to_ascii_lowercase();
        let mut told = one(operation);
        rename(&mut told, &names);
        paths.entry(operation.path).or_default().insert(method, told);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bootproof",
            "version": VERSION,
            "description": ABOUT,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/", "description": "the server that serves this document" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "person": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "the token of a person or program; `x-bootproof-role` says which role it needs",
                },
                "host": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "the token of a host, which its agent keeps",
                },
            },
            "headers": {
                "ETag": {
                    "description": "Names this version of the answer.",
                    "required": true,
                    "schema": { "type": "string" },
                },
                "RequestId": {
                    "description": "Names the request in the server's log.",
                    "required": true,
                    "schema": { "type": "string" },
                },
            },
        },
    });
    tidy(&mut document);
    document
}

fn one(operation: &Description) -> Value {
    let mut told = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag(operation.path)],
        "x-bootproof-role": operation.needs.as_str(),
        "responses": responses(operation),
    });
    let Value::Object(fields) = &mut told else { return told };
    let scheme = match operation.needs {
        Needs::Nobody => None,
        Needs::Host => Some("host"),
        Needs::RelyingParty | Needs::Viewer | Needs::Operator | Needs::Admin => Some("person"),
    };
    let security: Vec<_> = scheme.into_iter().map(|scheme| json!({ scheme: [] })).collect();
    fields.insert("security".to_owned(), security.into());
    if let Some(notes) = operation.notes {
        fields.insert("description".to_owned(), notes.into());
    }
    let parameters = parameters(operation);
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(schema) = &operation.body {
        let mut content = json!({ "schema": schema });
        let example = operation.example.and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(example) = example {
            content["example"] = example;
        }
        let body = json!({
            "required": true,
            "description": format!("{BODY_BYTES_MAX} bytes at most"),
            "content": { "application/json": content },
        });
        fields.insert("requestBody".to_owned(), body);
    }
    told
}

/// What documents group operations by: the first word of the path behind the version.
fn tag(path: &str) -> &str {
    let mut words = path.split('/').filter(|word| !word.is_empty());
    match words.next() {
        Some("v1") => words.next().unwrap_or("server"),
        _ => "server",
    }
}

fn parameters(operation: &Description) -> Vec<Value> {
    let in_path = operation.path.split('/').filter_map(|word| {
        let name = word.strip_prefix('{')?.strip_suffix('}')?;
        Some(json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": {
                "type": "string",
                "minLength": 1,
                "maxLength": crate::http::path::PARAMETER_BYTES_MAX,
            },
        }))
    });
    let in_query = operation.query.iter().flatten().map(|parameter| {
        let mut schema = parameter.schema.clone();
        let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut told = json!({
            "name": parameter.name,
            "in": "query",
            "required": parameter.required,
            "schema": schema,
        });
        if let (Value::Object(fields), Some(about)) = (&mut told, about) {
            fields.insert("description".to_owned(), about);
        }
        told
    });
    let in_head = operation.headers.iter().map(|header| {
        json!({
            "name": header.name,
            "in": "header",
            "description": header.about,
            "required": header.required,
            "schema": header.schema,
        })
    });
    let known = operation.has_etag.then(|| {
        json!({
            "name": "If-None-Match",
            "in": "header",
            "description": "the ETag of what the client has: 304 where that is still so",
            "required": false,
            "schema": { "type": "string" },
        })
    });
    in_path.chain(in_query).chain(in_head).chain(known).collect()
}

fn responses(operation: &Description) -> Value {
    let headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
    let mut responses = Map::new();
    let mut headers_of_answer = headers.clone();
    if operation.has_etag {
        let etag = json!({ "$ref": "#/components/headers/ETag" });
        let not_modified =
            json!({ "description": "the client has it already", "headers": headers });
        responses.insert("304".to_owned(), not_modified);
        headers_of_answer["etag"] = etag;
    }
    if let Some(answer) = &operation.answer {
        let answer = json!({
            "description": "done",
            "headers": headers_of_answer,
            "content": { answer.media_type: { "schema": answer.schema } },
        });
        responses.insert("200".to_owned(), answer);
    }
    let mut by_status: BTreeMap<u16, Vec<&codes::Code>> = BTreeMap::new();
    for code in operation.codes.iter().filter_map(|name| codes::of(name)) {
        by_status.entry(code.status).or_default().push(code);
    }
    for (status, codes) in by_status {
        let about: Vec<_> =
            codes.iter().map(|code| format!("- `{}`: {}", code.name, code.means)).collect();
        let names: Vec<_> = codes.iter().map(|code| code.name).collect();
        let schema = json!({
            "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "properties": { "code": { "enum": names } } },
            ],
        });
        let answer = json!({
            "description": about.join("\n"),
            "headers": headers,
            "content": { "application/problem+json": { "schema": schema } },
        });
        responses.insert(status.to_string(), answer);
    }
    responses.into()
}

/// Numbers get the limits that their format has, and texts lose the links of our own documentation.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = without_links(text);
            }
            let limits = match fields.get("format").and_then(Value::as_str) {
                Some("uint8") => Some((json!(0), json!(u8::MAX))),
                Some("uint16") => Some((json!(0), json!(u16::MAX))),
                Some("uint32") => Some((json!(0), json!(u32::MAX))),
                Some("uint64" | "uint") => Some((json!(0), json!(u64::MAX))),
                Some("int32") => Some((json!(i32::MIN), json!(i32::MAX))),
                Some("int64") => Some((json!(i64::MIN), json!(i64::MAX))),
                _ => None,
            };
            if let Some((minimum, maximum)) = limits {
                fields.entry("minimum").or_insert(minimum);
                fields.entry("maximum").or_insert(maximum);
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// [`Type::field`] is `field` to who reads JSON.
fn without_links(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("[`") {
        told.push_str(before);
        let Some((link, after)) = after.split_once("`]") else {
            told.push_str("[`");
            rest = after;
            continue;
        };
        told.push('`');
        told.push_str(link.rsplit("::").next().unwrap_or(link));
        told.push('`');
        rest = after;
    }
    told.push_str(rest);
    told
}
