//! The attribute registry: which settings there are, what they may be, and what locks what.
//! [DSP2046 AttributeRegistry]

mod condition;
mod evaluate;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Scalar;
use crate::json::{elements, text};
use crate::scalar::shown;

pub use condition::{Condition, Dependency, Operator, Property, Term};
pub use evaluate::{Forced, Lock, Truth, Values};

/// Most attributes that are kept: recorded registries list up to 682.
const ATTRIBUTES_MAX: usize = 8192;

/// Most dependencies that are kept: recorded registries have up to 723, and their evaluation costs time.
const DEPENDENCIES_MAX: usize = 8192;

/// Most values of one enumeration: recorded ones have up to 81.
const VALUES_MAX: usize = 1024;

/// One value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// `ValueName`: what a change names, by the standard.
    pub name: String,
    /// `ValueDisplayName`: what people read. Some firmware takes and gives this instead.
    pub display: Option<String>,
}

/// One attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attribute {
    /// `AttributeName`.
    pub name: String,
    /// `DisplayName`, without spaces around.
    pub display: String,
    /// `HelpText`, cut.
    pub help: String,
    /// `Type`: `Enumeration`, `String`, `Integer`, `Boolean`, `Password`, or what a later standard has.
    pub kind: String,
    /// The values of an enumeration, in their order.
    pub values: Vec<EnumValue>,
    /// `ReadOnly`, before dependencies.
    pub read_only: bool,
    /// `Immutable`: it tells something and is no setting.
    pub immutable: bool,
    /// `GrayOut`, before dependencies.
    pub gray_out: bool,
    /// `Hidden`, before dependencies.
    pub hidden: bool,
    /// `ResetRequired`; a setting counts as one that needs a reset where the registry does not say.
    pub reset_required: bool,
    /// `DefaultValue`.
    pub default: Option<Scalar>,
}

impl Attribute {
    /// Whether the two are the same value of this attribute, by either of its names.
    pub fn same(&self, a: &Scalar, b: &Scalar) -> bool {
        if a.says(b) {
            return true;
        }
        let value = |of: &Scalar| self.value(of);
        matches!((value(a), value(b)), (Some(a), Some(b)) if std::ptr::eq(a, b))
    }

    /// The value of the enumeration that goes by this name, the one of the standard first.
    pub fn value(&self, of: &Scalar) -> Option<&EnumValue> {
        let of = of.to_string();
        let is = |name: &str| name.eq_ignore_ascii_case(&of);
        let by_display = |value: &&EnumValue| value.display.as_deref().is_some_and(is);
        let by_name = self.values.iter().find(|value| is(&value.name));
        by_name.or_else(|| self.values.iter().find(by_display))
    }
}

/// A registry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registry {
    attributes: BTreeMap<String, Attribute>,
    dependencies: Vec<Dependency>,
    /// Where in `dependencies` those stand that change something of an attribute.
    of_attribute: BTreeMap<String, Vec<usize>>,
    /// Attributes whose value others may force.
    forcible: BTreeSet<String>,
    n_not_understood: usize,
}

impl Registry {
    /// Reads what a BMC gave as its registry. Entries that are none are left out and counted.
    pub fn read(body: &Value) -> Self {
        let mut registry = Self::default();
        let entries = elements(body.pointer("/RegistryEntries/Attributes"));
        for entry in entries.iter().take(ATTRIBUTES_MAX) {
            match attribute(entry) {
                Some(attribute) => {
                    registry.attributes.insert(attribute.name.clone(), attribute);
                }
                None => registry.n_not_understood = registry.n_not_understood.saturating_add(1),
            }
        }
        let all = elements(body.pointer("/RegistryEntries/Dependencies"));
        for entry in all.iter().take(DEPENDENCIES_MAX) {
            let Some(dependency) = Dependency::read(entry) else {
                registry.n_not_understood = registry.n_not_understood.saturating_add(1);
                continue;
            };
            if dependency.property == Property::CurrentValue {
                registry.forcible.insert(dependency.target.clone());
            }
            let at = registry.dependencies.len();
            registry.of_attribute.entry(dependency.target.clone()).or_default().push(at);
            registry.dependencies.push(dependency);
        }
        registry
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.get(name)
    }

    /// All attributes, by name.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.values()
    }

    /// How many dependencies there are.
    pub fn n_dependencies(&self) -> usize {
        self.dependencies.len()
    }

    /// How many entries could not be read: what they lock is not known.
    pub fn n_not_understood(&self) -> usize {
        self.n_not_understood
    }

    fn dependencies_of<'r>(&'r self, name: &str) -> impl Iterator<Item = &'r Dependency> + use<'r> {
        let at = self.of_attribute.get(name).map(Vec::as_slice).unwrap_or_default();
        at.iter().filter_map(|at| self.dependencies.get(*at))
    }
}

fn attribute(entry: &Value) -> Option<Attribute> {
    let name = text(entry, &["AttributeName"])?;
    // A name goes back to the BMC: one that had to be cut would be another's.
    let Some(Scalar::Text(name)) = Scalar::of(&Value::from(name)) else { return None };
    let flag = |name| entry.get(name).and_then(Value::as_bool);
    let part = |name| shown(text(entry, &[name]).unwrap_or_default().trim());
    let values = elements(entry.get("Value")).iter().take(VALUES_MAX).filter_map(|value| {
        let name = Scalar::of(value.get("ValueName")?)?.to_string();
        let display = text(value, &["ValueDisplayName"]).map(|text| shown(text.trim()));
        Some(EnumValue { name, display })
    });
    Some(Attribute {
        name,
        display: part("DisplayName"),
        help: part("HelpText"),
        kind: part("Type"),
        values: values.collect(),
        read_only: flag("ReadOnly").unwrap_or(false),
        immutable: flag("Immutable").unwrap_or(false),
        gray_out: flag("GrayOut").unwrap_or(false),
        hidden: flag("Hidden").unwrap_or(false),
        reset_required: flag("ResetRequired").unwrap_or(true),
        default: entry.get("DefaultValue").and_then(Scalar::of),
    })
}

#[cfg(test)]
mod tests;
