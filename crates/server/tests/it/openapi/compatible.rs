//! Whether who knows the frozen document can work with a server of another one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Who reads what a schema describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// The server reads it: it may take more than it did.
    Request,
    /// The client reads it: it may get no value that it does not know, and misses none that it did get.
    Answer,
}

use Side::{Answer, Request};

/// What breaks who knows `frozen`.
pub(crate) fn breaks(frozen: &Value, now: &Value) -> Vec<String> {
    let mut compared = Compared { frozen, now, seen: BTreeSet::new(), faults: Vec::new() };
    compared.operations();
    compared.faults
}

struct Compared<'a> {
    frozen: &'a Value,
    now: &'a Value,
    /// Pairs of named schemas that are or were compared: they name each other in circles.
    seen: BTreeSet<(String, String, bool)>,
    faults: Vec<String>,
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn texts(value: &Value) -> BTreeSet<String> {
    let one = value.as_str().map(str::to_owned);
    let many = value.as_array().into_iter().flatten().map(Value::to_string);
    one.map(|text| json!(text).to_string()).into_iter().chain(many).collect()
}

/// Higher is more to ask for.
fn rank(role: &Value) -> Option<usize> {
    ["nobody", "relying-party", "viewer", "operator", "admin"]
        .iter()
        .position(|known| role == known)
}

impl<'a> Compared<'a> {
    fn fault(&mut self, at: &str, what: impl std::fmt::Display) {
        self.faults.push(format!("{at}: {what}"));
    }

    fn operations(&mut self) {
        for (path, methods) in object(&self.frozen["paths"]) {
            for (method, before) in object(methods) {
                let at = format!("{} {path}", method.to_ascii_uppercase());
                match self.now["paths"][path].get(method) {
                    None => self.fault(&at, "is gone"),
                    Some(now) => self.operation(&at, before, now),
                }
            }
        }
    }

    fn operation(&mut self, at: &str, before: &'a Value, now: &'a Value) {
        if before["operationId"] != now["operationId"] {
            self.fault(at, "has another operationId");
        }
        let (role, role_now) = (&before["x-bootproof-role"], &now["x-bootproof-role"]);
        let is_lower = rank(role_now).is_some_and(|now| rank(role).is_some_and(|then| now < then));
        if role != role_now && !is_lower {
            self.fault(at, format!("needs {role_now}, not {role} any more"));
        }
        self.parameters(at, before, now);
        let body = |operation: &'a Value| {
            operation["requestBody"]["content"].get("application/json").map(|json| &json["schema"])
        };
        match (body(before), body(now)) {
            (Some(before), Some(now)) => self.schema(&format!("{at} body"), before, now, Request),
            (Some(_), None) => self.fault(at, "takes no body any more"),
            (None, Some(_)) if now["requestBody"]["required"] == true => {
                self.fault(at, "wants a body");
            }
            (None, _) => {}
        }
        for (kind, content) in object(&before["responses"]["200"]["content"]) {
            let at = format!("{at} answer");
            match now["responses"]["200"]["content"].get(kind) {
                None => self.fault(&at, format!("is no {kind} any more")),
                Some(now) => self.schema(&at, &content["schema"], &now["schema"], Answer),
            }
        }
        let statuses = |operation: &Value| -> BTreeMap<String, String> {
            let mut statuses = BTreeMap::new();
            for (status, response) in object(&operation["responses"]) {
                let problem = &response["content"]["application/problem+json"]["schema"];
                for code in texts(&problem["allOf"][1]["properties"]["code"]["enum"]) {
                    statuses.insert(code, status.clone());
                }
            }
            statuses
        };
        let statuses_now = statuses(now);
        for (code, status) in statuses(before) {
            match statuses_now.get(&code) {
                Some(now) if *now != status => {
                    self.fault(at, format!("answers {code} with {now}, not with {status}"));
                }
                _ => {}
            }
        }
    }

    fn parameters(&mut self, at: &str, before: &'a Value, now: &'a Value) {
        let by_name = |operation: &'a Value| -> BTreeMap<String, &'a Value> {
            let all = operation["parameters"].as_array().into_iter().flatten();
            all.map(|one| (format!("{} {}", one["in"], one["name"]), one)).collect()
        };
        let (before, now) = (by_name(before), by_name(now));
        for (name, then) in &before {
            let at = format!("{at} {name}");
            match now.get(name) {
                None => self.fault(&at, "is gone"),
                Some(now) => {
                    if now["required"] == true && then["required"] != true {
                        self.fault(&at, "must be there");
                    }
                    self.schema(&at, &then["schema"], &now["schema"], Request);
                }
            }
        }
        for (name, now) in now {
            if now["required"] == true && !before.contains_key(&name) {
                self.fault(at, format!("{name} must be there"));
            }
        }
    }

    fn resolved(document: &'a Value, schema: &'a Value) -> (&'a Value, Option<&'a str>) {
        match schema["$ref"].as_str() {
            Some(name) => {
                let pointer = name.trim_start_matches('#');
                (document.pointer(pointer).unwrap_or(&Value::Null), Some(name))
            }
            None => (schema, None),
        }
    }

    fn schema(&mut self, at: &str, before: &'a Value, now: &'a Value, side: Side) {
        let (then, name) = Self::resolved(self.frozen, before);
        let (now_is, name_now) = Self::resolved(self.now, now);
        if let (Some(name), Some(name_now)) = (name, name_now) {
            let pair = (name.to_owned(), name_now.to_owned(), side == Request);
            if !self.seen.insert(pair) {
                return;
            }
        }
        self.kinds(at, then, now_is, side);
        self.fields(at, then, now_is, side);
        self.limits(at, then, now_is, side);
        for word in ["oneOf", "anyOf", "allOf"] {
            self.variants(at, &then[word], &now_is[word], side);
        }
        if !then["items"].is_null() && !now_is["items"].is_null() {
            self.schema(&format!("{at}[]"), &then["items"], &now_is["items"], side);
        }
        // What stands beside a reference.
        for (schema, other) in [(before, now)] {
            if name.is_some() && (schema.as_object().map(Map::len), name_now) != (Some(1), None) {
                self.fields(at, schema, other, side);
            }
        }
    }

    /// Types, values that are named one by one, and how texts are written.
    fn kinds(&mut self, at: &str, then: &Value, now: &Value, side: Side) {
        let named = |schema: &Value| {
            let value = schema.get("const").map(|value| BTreeSet::from([value.to_string()]));
            value.or_else(|| schema.get("enum").map(texts))
        };
        let types = |schema: &Value| schema.get("type").map(texts);
        for (what, then, now) in
            [("type", types(then), types(now)), ("values", named(then), named(now))]
        {
            // None: all there are.
            let fits = match (side, &then, &now) {
                (Request, _, None) | (Answer, None, _) => true,
                (Request, None, Some(_)) | (Answer, Some(_), None) => false,
                (Request, Some(then), Some(now)) => then.is_subset(now),
                (Answer, Some(then), Some(now)) => now.is_subset(then),
            };
            if !fits {
                self.fault(at, format!("{what}: {then:?} before, {now:?} now"));
            }
        }
        for word in ["format", "pattern", "contentEncoding"] {
            if then[word] != now[word] {
                self.fault(at, format!("{word}: {} before, {} now", then[word], now[word]));
            }
        }
    }

    fn fields(&mut self, at: &str, then: &'a Value, now: &'a Value, side: Side) {
        for (name, then) in object(&then["properties"]) {
            let at = format!("{at}.{name}");
            match now["properties"].get(name) {
                None => self.fault(&at, "is gone"),
                Some(now) => self.schema(&at, then, now, side),
            }
        }
        let (must, must_now) = (texts(&then["required"]), texts(&now["required"]));
        let lost = match side {
            Request => must_now.difference(&must),
            Answer => must.difference(&must_now),
        };
        for name in lost {
            let what = match side {
                Request => "must be sent",
                Answer => "may be missing",
            };
            self.faults.push(format!("{at}.{name} {what}"));
        }
        let (more, more_now) = (&then["additionalProperties"], &now["additionalProperties"]);
        if more.is_object() && more_now.is_object() {
            self.schema(&format!("{at}.*"), more, more_now, side);
        } else if side == Request && *more != false && *more_now == false {
            self.fault(at, "takes no other fields any more");
        }
    }

    fn limits(&mut self, at: &str, then: &Value, now: &Value, side: Side) {
        if side == Answer {
            return;
        }
        for word in ["maximum", "maxLength", "maxItems", "maxProperties"] {
            if let Some(now) = now[word].as_f64()
                && then[word].as_f64().is_none_or(|then| now < then)
            {
                self.fault(at, format!("{word} is {now} now, {} before", then[word]));
            }
        }
        for word in ["minimum", "minLength", "minItems", "minProperties"] {
            if let Some(now) = now[word].as_f64()
                && then[word].as_f64().is_none_or(|then| now > then)
            {
                self.fault(at, format!("{word} is {now} now, {} before", then[word]));
            }
        }
    }

    fn variants(&mut self, at: &str, then: &'a Value, now: &'a Value, side: Side) {
        let by_name = |list: &'a Value| -> BTreeMap<String, &'a Value> {
            list.as_array().into_iter().flatten().map(|one| (variant(one), one)).collect()
        };
        let (then, now) = (by_name(then), by_name(now));
        for (name, then) in &then {
            match now.get(name) {
                Some(now) => self.schema(&format!("{at}({name})"), then, now, side),
                None if side == Request => self.fault(at, format!("takes no {name} any more")),
                None => {}
            }
        }
        for name in now.keys() {
            if side == Answer && !then.contains_key(name) {
                self.fault(at, format!("can be {name} now"));
            }
        }
    }
}

/// What tells a variant from its neighbours: what it is, its tag, or its only field.
fn variant(schema: &Value) -> String {
    for word in ["$ref", "const", "enum"] {
        if let Some(value) = schema.get(word) {
            return value.to_string();
        }
    }
    let tags: Vec<_> = object(&schema["properties"])
        .filter_map(|(name, field)| Some(format!("{name}={}", field.get("const")?)))
        .collect();
    match (tags.is_empty(), schema["required"].as_array()) {
        (false, _) => tags.join(","),
        (true, Some(required)) => json!(required).to_string(),
        (true, None) => schema["type"].to_string(),
    }
}

/// A document with one operation that has something of everything.
fn sample() -> Value {
    json!({
        "paths": { "/v1/things": { "post": {
            "operationId": "make-thing",
            "x-bootproof-role": "operator",
            "parameters": [{
                "name": "limit", "in": "query", "required": false,
                "schema": { "type": "integer", "maximum": 500 },
            }],
            "requestBody": {
                "required": true,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/New" } } },
            },
            "responses": {
                "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Thing" },
                } } },
                "409": { "content": { "application/problem+json": { "schema": { "allOf": [
                    {}, { "properties": { "code": { "enum": ["taken"] } } },
                ] } } } },
            },
        } } },
        "components": { "schemas": {
            "New": {
                "type": "object",
                "additionalProperties": false,
                "required": ["name"],
                "properties": {
                    "name": { "type": "string", "maxLength": 10, "minLength": 1 },
                    "note": { "type": ["string", "null"] },
                    "kind": { "oneOf": [{ "const": "big" }, { "const": "small" }] },
                    "more": { "$ref": "#/components/schemas/New" },
                },
            },
            "Thing": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": { "type": "string" },
                    "state": { "type": "string", "enum": ["on", "off"] },
                    "parts": { "type": "array", "items": { "type": "integer", "format": "uint32" } },
                    "does": { "oneOf": [
                        { "properties": { "do": { "const": "wait" } }, "required": ["do"] },
                    ] },
                },
            },
        } },
    })
}

const OPERATION: &str = "/paths/~1v1~1things/post";
const NEW: &str = "/components/schemas/New";
const THING: &str = "/components/schemas/Thing";

fn with(pointer: &str, name: &str, value: Value) -> Value {
    let mut document = sample();
    let place = document.pointer_mut(pointer).unwrap();
    match place {
        Value::Array(list) => list.push(value),
        place => place[name] = value,
    }
    document
}

fn without(pointer: &str, name: &str) -> Value {
    let mut document = sample();
    document.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    document
}

#[test]
fn what_breaks_clients_is_found() {
    let cases = [
        ("an operation is gone", without("/paths/~1v1~1things", "post")),
        ("another id", with(OPERATION, "operationId", json!("x"))),
        ("a higher role", with(OPERATION, "x-bootproof-role", json!("admin"))),
        ("another kind of token", with(OPERATION, "x-bootproof-role", json!("host"))),
        ("a parameter is gone", with(OPERATION, "parameters", json!([]))),
        (
            "a parameter must be there",
            with(&format!("{OPERATION}/parameters/0"), "required", json!(true)),
        ),
        (
            "a parameter is narrower",
            with(&format!("{OPERATION}/parameters/0/schema"), "maximum", json!(499)),
        ),
        (
            "a new parameter must be there",
            with(
                &format!("{OPERATION}/parameters"),
                "",
                json!({ "name": "x", "in": "query", "required": true, "schema": {} }),
            ),
        ),
        ("no body any more", without(OPERATION, "requestBody")),
        ("a field is gone", without(&format!("{NEW}/properties"), "note")),
        ("a new field must be sent", with(&format!("{NEW}/required"), "", json!("note"))),
        ("a type is narrower", with(&format!("{NEW}/properties/note"), "type", json!("string"))),
        ("a text is shorter", with(&format!("{NEW}/properties/name"), "maxLength", json!(9))),
        ("a text is longer", with(&format!("{NEW}/properties/name"), "minLength", json!(2))),
        (
            "a value is not taken any more",
            with(&format!("{NEW}/properties/kind"), "oneOf", json!([{ "const": "big" }])),
        ),
        (
            "a text is written otherwise",
            with(&format!("{NEW}/properties/name"), "pattern", json!("^a")),
        ),
        (
            "another kind of answer",
            without(&format!("{OPERATION}/responses/200/content"), "application/json"),
        ),
        ("an answer's field is gone", without(&format!("{THING}/properties"), "parts")),
        ("an answer's field may be missing", with(THING, "required", json!(["id"]))),
        (
            "an answer's type is wider",
            with(&format!("{THING}/properties/id"), "type", json!(["string", "null"])),
        ),
        (
            "an answer has a new value",
            with(&format!("{THING}/properties/state/enum"), "", json!("asleep")),
        ),
        (
            "an answer has a new variant",
            with(
                &format!("{THING}/properties/does/oneOf"),
                "",
                json!({ "properties": { "do": { "const": "dance" } }, "required": ["do"] }),
            ),
        ),
        (
            "an item is another number",
            with(&format!("{THING}/properties/parts/items"), "format", json!("uint64")),
        ),
        ("a code has another status", {
            let mut document = sample();
            let responses = document.pointer_mut(&format!("{OPERATION}/responses")).unwrap();
            let problem = responses.as_object_mut().unwrap().remove("409").unwrap();
            responses["400"] = problem;
            document
        }),
    ];
    for (what, now) in cases {
        assert_eq!(breaks(&sample(), &now).len(), 1, "{what}: {:?}", breaks(&sample(), &now));
    }
}

#[test]
fn what_breaks_nobody_is_let_through() {
    let cases = [
        ("nothing", sample()),
        ("a new operation", with("/paths", "/v1/others", json!({ "get": {} }))),
        ("a lower role", with(OPERATION, "x-bootproof-role", json!("viewer"))),
        (
            "a new parameter",
            with(
                &format!("{OPERATION}/parameters"),
                "",
                json!({ "name": "x", "in": "query", "required": false, "schema": {} }),
            ),
        ),
        ("a new field", with(&format!("{NEW}/properties"), "size", json!({ "type": "integer" }))),
        ("a field may be missing", with(NEW, "required", json!([]))),
        ("a longer text", with(&format!("{NEW}/properties/name"), "maxLength", json!(11))),
        (
            "a new value",
            with(&format!("{NEW}/properties/kind/oneOf"), "", json!({ "const": "huge" })),
        ),
        (
            "an answer's new field",
            with(&format!("{THING}/properties"), "at", json!({ "type": "integer" })),
        ),
        (
            "an answer's value that does not come any more",
            with(&format!("{THING}/properties/state"), "enum", json!(["on"])),
        ),
        (
            "a new code",
            with(
                &format!(
                    "{OPERATION}/responses/409/content/application~1problem+json/schema/allOf/1/properties/code/enum"
                ),
                "",
                json!("late"),
            ),
        ),
        ("other words", with(OPERATION, "summary", json!("words"))),
    ];
    for (what, now) in cases {
        assert_eq!(breaks(&sample(), &now), Vec::<String>::new(), "{what}");
    }
}
