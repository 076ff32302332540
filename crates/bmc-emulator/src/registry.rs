//! The rules of an attribute registry, as a firmware keeps them. [DSP0268 AttributeRegistry]
//!
//! Written apart from the planner's evaluator on purpose: each is the other's referee.

use serde_json::{Map, Value};

use crate::{Tree, dialect::ValueForm, places::Places};

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The registry has no such attribute.
    Unknown,
    /// It cannot be written, or not now.
    ReadOnly,
    /// The value is none of those listed.
    NotInList,
    /// The value is of another type.
    Type,
}

/// The registry of a tree; without one, anything that exists can be written.
pub(crate) struct Registry<'a> {
    attributes: &'a [Value],
    dependencies: &'a [Value],
}

fn list<'a>(body: &'a Value, pointer: &str) -> &'a [Value] {
    body.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl<'a> Registry<'a> {
    pub(crate) fn of(tree: &'a Tree, places: &Places) -> Option<Self> {
        let body = &tree.find(places.registry.as_deref()?)?.body;
        Some(Self {
            attributes: list(body, "/RegistryEntries/Attributes"),
            dependencies: list(body, "/RegistryEntries/Dependencies"),
        })
    }

    /// Whether `name` may be set to `value` while the attributes are `current`.
    pub(crate) fn check(
        &self,
        name: &str,
        value: &Value,
        current: &Map<String, Value>,
        form: ValueForm,
    ) -> Result<(), Refusal> {
        let attribute =
            self.attributes.iter().find(|attribute| text(attribute, "AttributeName") == name);
        let attribute = attribute.ok_or(Refusal::Unknown)?;
        let fixed = ["ReadOnly", "GrayOut", "Immutable"].iter().any(|property| {
            let always = attribute.get(property).and_then(Value::as_bool) == Some(true);
            self.mapped(name, property, current)
                .map_or(always, |mapped| mapped == &Value::from(true))
        });
        if fixed {
            return Err(Refusal::ReadOnly);
        }
        match text(attribute, "Type") {
            "Enumeration" => {
                let member = match form {
                    ValueForm::Name => "ValueName",
                    ValueForm::DisplayName => "ValueDisplayName",
                };
                let wanted = value.as_str().ok_or(Refusal::Type)?;
                let listed =
                    list(attribute, "/Value").iter().any(|entry| text(entry, member) == wanted);
                if listed { Ok(()) } else { Err(Refusal::NotInList) }
            }
            "Boolean" if !value.is_boolean() => Err(Refusal::Type),
            "Integer" if !value.is_i64() => Err(Refusal::Type),
            _ => Ok(()),
        }
    }

    /// What a dependency makes of a property of `name` now; the last that holds counts.
    fn mapped(
        &self,
        name: &str,
        property: &str,
        current: &Map<String, Value>,
    ) -> Option<&'a Value> {
        let mut of_name =
            self.dependencies.iter().filter_map(|entry| entry.get("Dependency")).filter(
                |dependency| {
                    text(dependency, "MapToAttribute") == name
                        && text(dependency, "MapToProperty") == property
                        && holds(list(dependency, "/MapFrom"), current)
                },
            );
        of_name.next_back()?.get("MapToValue")
    }

    /// Values that follow from others, as a firmware sets them while it boots.
    pub(crate) fn forced(&self, current: &Map<String, Value>) -> Vec<(String, Value)> {
        let forcing = self.dependencies.iter().filter_map(|entry| entry.get("Dependency"));
        let forcing = forcing.filter(|dependency| {
            text(dependency, "MapToProperty") == "CurrentValue"
                && current.contains_key(text(dependency, "MapToAttribute"))
                && holds(list(dependency, "/MapFrom"), current)
        });
        let values = forcing.filter_map(|dependency| {
            Some((
                text(dependency, "MapToAttribute").to_owned(),
                dependency.get("MapToValue")?.clone(),
            ))
        });
        values.collect()
    }
}

/// Terms from left to right; where nothing joins them, one of them is enough, as on Dell.
fn holds(terms: &[Value], current: &Map<String, Value>) -> bool {
    let mut result = None;
    for term in terms {
        let now = current.get(text(term, "MapFromAttribute"));
        let equal = match (now, term.get("MapFromValue")) {
            (Some(Value::String(now)), Some(Value::String(wanted))) => now == wanted,
            (now, wanted) => now.is_some() && now == wanted,
        };
        let holds = match text(term, "MapFromCondition") {
            "EQU" => equal,
            "NEQ" => now.is_some() && !equal,
            _ => false,
        };
        result = Some(match (result, text(term, "MapTerms")) {
            (None, _) => holds,
            (Some(before), "AND") => before && holds,
            (Some(before), _) => before || holds,
        });
    }
    result == Some(true)
}
