//! The OpenAPI document: frozen, complete, and what the server serves.

mod compatible;

use std::path::PathBuf;

use serde_json::Value;
use server::http;

use crate::bench::Server;

/// Set by `cargo xtask docs`: the frozen document is written anew.
const WRITE_ENV: &str = "BOOTPROOF_WRITE_OPENAPI";

fn frozen_path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi-v1.json")
}

/// Nobody who knows the document of before is left behind, also where it is written anew.
#[test]
fn the_frozen_document_is_what_the_server_says() {
    let now = http::document();
    let text = std::fs::read_to_string(frozen_path()).unwrap_or_else(|_| "{}".to_owned());
    let frozen: Value = serde_json::from_str(&text).expect("docs/openapi-v1.json is no JSON");
    let breaks = compatible::breaks(&frozen, &now);
    assert!(breaks.is_empty(), "clients of version 1 would break:\n{}", breaks.join("\n"));
    if std::env::var_os(WRITE_ENV).is_some() {
        let text = serde_json::to_string_pretty(&now).unwrap() + "\n";
        std::fs::write(frozen_path(), text).unwrap();
    } else {
        assert!(frozen == now, "docs/openapi-v1.json is out of date: `cargo xtask docs`");
    }
}

#[test]
fn each_operation_says_what_it_is() {
    let document = http::document();
    let mut ids = std::collections::BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
            let schema = &operation["responses"]["200"]["content"];
            assert!(schema.as_object().is_some_and(|content| content.len() == 1), "{id}");
            let n_parameters = path.matches('{').count();
            let in_path = operation["parameters"].as_array().into_iter().flatten();
            let in_path = in_path.filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(in_path, n_parameters, "{method} {path}");
        }
    }
    assert_resolved(&document, &document);
}

/// Every reference leads somewhere.
fn assert_resolved(document: &Value, value: &Value) {
    if let Some(name) = value.get("$ref").and_then(Value::as_str) {
        let pointer = name.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{name} is not there");
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| assert_resolved(document, item)),
        Value::Object(fields) => fields.values().for_each(|item| assert_resolved(document, item)),
        _ => {}
    }
}

/// Anybody may have it.
#[tokio::test]
async fn the_document_is_served() {
    let server = Server::start().await;
    let anybody = server.admin.with_token("bpa_0000");
    let served: Value = anybody.get("/v1/openapi.json").await.unwrap();
    assert_eq!(served, http::document());
}
