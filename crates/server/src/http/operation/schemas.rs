//! The schemas of what is sent and of what is answered.
//!
//! They differ for one type: a field with a default may be left out of a request, and is always in an
//! answer. Both stand in one list of the document; where a type is in both and is not the same, the one of
//! requests is called `…Input`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

/// Where schemas of requests stand until they get their names.
const REQUESTS: &str = "/components/requests";

/// Where all of them stand in the end.
const SCHEMAS: &str = "/components/schemas";

/// Schemas, as operations name them.
pub(in crate::http) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let at = |place: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = place.into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: at(REQUESTS).for_deserialize().into_generator(),
            answers: at(SCHEMAS).for_serialize().into_generator(),
        }
    }

    /// Of a request's body.
    pub(in crate::http) fn of_request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().into()
    }

    /// Of a query: its fields one by one.
    pub(in crate::http) fn of_query<T: JsonSchema>(&mut self) -> Map<String, Value> {
        match T::json_schema(&mut self.requests).into() {
            Value::Object(schema) => schema,
            _ => Map::new(),
        }
    }

    /// Of an answer.
    pub(in crate::http) fn of_answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().into()
    }

    /// All by name, and what the places of requests are called now.
    pub(super) fn into_definitions(
        mut self,
    ) -> (BTreeMap<String, Value>, BTreeMap<String, String>) {
        let requests: BTreeMap<_, _> = self.requests.take_definitions(true).into_iter().collect();
        let mut all: BTreeMap<_, _> = self.answers.take_definitions(true).into_iter().collect();
        let apart = apart(&requests, &all);
        let name = |name: &String| {
            let name_now = if apart.contains(name) { format!("{name}Input") } else { name.clone() };
            (format!("#{REQUESTS}/{name}"), format!("#{SCHEMAS}/{name_now}"))
        };
        let names: BTreeMap<_, _> = requests.keys().map(name).collect();
        for (name, mut schema) in requests {
            rename(&mut schema, &names);
            let name = if apart.contains(&name) { format!("{name}Input") } else { name };
            all.insert(name, schema);
        }
        (all, names)
    }
}

/// The names that mean something else in requests: by themselves, or by what they name.
fn apart(requests: &BTreeMap<String, Value>, all: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let same: BTreeMap<_, _> = requests
        .keys()
        .map(|name| (format!("#{REQUESTS}/{name}"), format!("#{SCHEMAS}/{name}")))
        .collect();
    let differs = |name: &String, schema: &Value| {
        let mut schema = schema.clone();
        rename(&mut schema, &same);
        all.get(name).is_some_and(|other| *other != schema)
    };
    let mut apart: BTreeSet<String> = BTreeSet::new();
    for (name, schema) in requests {
        if differs(name, schema) {
            apart.insert(name.clone());
        }
    }
    loop {
        let names_one_apart = |schema: &Value| {
            let text = schema.to_string();
            apart.iter().any(|name| text.contains(&format!("\"#{REQUESTS}/{name}\"")))
        };
        let more: Vec<_> = requests
            .iter()
            .filter(|(name, schema)| {
                all.contains_key(*name) && !apart.contains(*name) && names_one_apart(schema)
            })
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return apart;
        }
        apart.extend(more);
    }
}

/// Calls places by their new names.
pub(super) fn rename(schema: &mut Value, names: &BTreeMap<String, String>) {
    match schema {
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                name.clone_into(text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
