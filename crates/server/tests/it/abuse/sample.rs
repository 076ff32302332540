//! Operations of the document, and requests that are as they should be.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use server::http;

/// An operation of the document, with its references resolved.
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The media type of its answer.
    pub(crate) media_type: String,
    /// The schema of its body; null where it has none.
    pub(crate) body: Value,
    told: Value,
    document: std::sync::Arc<Value>,
}

/// All of them, but the long poll of agents, which wants a host's token and would be held.
pub(crate) fn operations() -> Vec<Operation> {
    let document = std::sync::Arc::new(http::document());
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, told) in methods.as_object().unwrap() {
            let body = &told["requestBody"]["content"]["application/json"]["schema"];
            let content = told["responses"]["200"]["content"].as_object().unwrap();
            all.push(Operation {
                id: told["operationId"].as_str().unwrap().to_owned(),
                method: method.clone(),
                path: path.clone(),
                media_type: content.keys().next().unwrap().clone(),
                body: body.clone(),
                told: told.clone(),
                document: std::sync::Arc::clone(&document),
            });
        }
    }
    all.retain(|operation| operation.media_type != "text/event-stream");
    all
}

impl Operation {
    /// The codes that it may answer with this status.
    pub(crate) fn codes(&self, status: u16) -> BTreeSet<String> {
        let problem =
            &self.told["responses"][status.to_string()]["content"]["application/problem+json"];
        let codes = problem["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array();
        codes.into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned)).collect()
    }

    fn parameters(&self, place: &str) -> Vec<String> {
        let all = self.told["parameters"].as_array().into_iter().flatten();
        let of = all.filter(|parameter| parameter["in"] == place);
        of.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn path_parameters(&self) -> Vec<String> {
        self.parameters("path")
    }

    pub(crate) fn query_parameters(&self) -> Vec<String> {
        self.parameters("query")
    }

    /// The rest of a path's parameters as they could be.
    pub(crate) fn with_path_samples(&self, target: &str) -> String {
        let mut target = target.to_owned();
        for name in self.path_parameters() {
            target = target.replace(&format!("{{{name}}}"), "nobody");
        }
        target
    }

    /// The target of a request with these parameters.
    pub(crate) fn target(&self, in_path: &[(&str, &str)], in_query: &[(&str, &str)]) -> String {
        let mut target = self.path.clone();
        for (name, value) in in_path {
            target = target.replace(&format!("{{{name}}}"), &escaped(value));
        }
        let mut target = self.with_path_samples(&target);
        for (n, (name, value)) in in_query.iter().enumerate() {
            target += if n == 0 { "?" } else { "&" };
            target += &format!("{name}={}", escaped(value));
        }
        target
    }

    /// A body that is as it should be, with the fields that must be there.
    pub(crate) fn sample_body(&self) -> Value {
        self.sample(&self.body, "", None, 0)
    }

    /// One that has the field at this place, too.
    pub(crate) fn body_with(&self, place: &str) -> Value {
        self.sample(&self.body, "", Some(place), 0)
    }

    /// Places of texts in the body, as JSON pointers.
    pub(crate) fn text_fields(&self) -> Vec<String> {
        let mut places = Vec::new();
        self.places(&self.body, "", "string", &mut places, 0);
        places
    }

    /// Places of numbers.
    pub(crate) fn number_fields(&self) -> Vec<String> {
        let mut places = Vec::new();
        self.places(&self.body, "", "integer", &mut places, 0);
        places
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(name) => self.document.pointer(name.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// The first variant that is no null.
    fn variants<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let list = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
        let all = list.into_iter().flatten().filter(|one| one["type"] != "null");
        all.collect()
    }

    fn places(&self, schema: &Value, at: &str, kind: &str, places: &mut Vec<String>, depth: u8) {
        let schema = self.resolved(schema);
        if depth > 6 {
            return;
        }
        if has_type(schema, kind) && schema.get("const").is_none() && schema.get("enum").is_none() {
            places.push(at.to_owned());
        }
        if let Some(variant) = self.variants(schema).first() {
            self.places(variant, at, kind, places, depth + 1);
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.places(field, &format!("{at}/{}", pointed(name)), kind, places, depth + 1);
        }
        if schema["items"].is_object() {
            self.places(&schema["items"], &format!("{at}/0"), kind, places, depth + 1);
        }
        if schema["additionalProperties"].is_object() {
            let field = &schema["additionalProperties"];
            self.places(field, &format!("{at}/key"), kind, places, depth + 1);
        }
    }

    fn sample(&self, schema: &Value, at: &str, with: Option<&str>, depth: u8) -> Value {
        let schema = self.resolved(schema);
        let leads = |at: &str| {
            with.is_some_and(|place| place == at || place.starts_with(&format!("{at}/")))
        };
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
            return value.clone();
        }
        if let Some(variant) = self.variants(schema).first()
            && depth < 8
        {
            return self.sample(variant, at, with, depth + 1);
        }
        if schema["properties"].is_object() || schema["additionalProperties"].is_object() {
            let must: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
            let mut fields = Map::new();
            for (name, field) in schema["properties"].as_object().into_iter().flatten() {
                let at = format!("{at}/{}", pointed(name));
                if must.iter().any(|must| *must == name) || leads(&at) {
                    fields.insert(name.clone(), self.sample(field, &at, with, depth + 1));
                }
            }
            let at = format!("{at}/key");
            if schema["additionalProperties"].is_object() && leads(&at) {
                let field = self.sample(&schema["additionalProperties"], &at, with, depth + 1);
                fields.insert("key".to_owned(), field);
            }
            return fields.into();
        }
        if schema["contentEncoding"] == "base64" {
            return json!("AAAA");
        }
        if has_type(schema, "array") {
            let at = format!("{at}/0");
            let is_led = leads(&at) && schema["items"].is_object();
            let item = is_led.then(|| self.sample(&schema["items"], &at, with, depth + 1));
            return item.into_iter().collect();
        }
        if has_type(schema, "integer") {
            return json!(1);
        }
        if has_type(schema, "boolean") {
            return json!(true);
        }
        if has_type(schema, "string") {
            return json!("nobody");
        }
        json!({})
    }
}

fn has_type(schema: &Value, kind: &str) -> bool {
    let kinds = &schema["type"];
    *kinds == kind || kinds.as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind))
}

fn pointed(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A text as a part of a target.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
