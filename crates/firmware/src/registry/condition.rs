//! Dependencies between settings, as the registry writes them.

use serde_json::Value;

use crate::Scalar;
use crate::json::{elements, text};

/// Most conditions of one dependency: recorded ones have up to eight.
const CONDITIONS_MAX: usize = 64;

/// A property of an attribute that a dependency reads or changes. [DSP2046 AttributeRegistry
/// MapFromProperty, MapToProperty]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// The value that is in force.
    CurrentValue,
    /// The value at the factory.
    DefaultValue,
    /// It cannot be changed.
    ReadOnly,
    /// It cannot be changed now.
    GrayOut,
    /// It is not shown.
    Hidden,
    /// Another one, of which nothing here depends: texts, bounds, order.
    Other,
}

impl Property {
    fn of(text: &str) -> Self {
        match text {
            "CurrentValue" => Self::CurrentValue,
            "DefaultValue" => Self::DefaultValue,
            "ReadOnly" => Self::ReadOnly,
            // Both spellings are in use.
            "GrayOut" | "GreyOut" => Self::GrayOut,
            "Hidden" => Self::Hidden,
            _ => Self::Other,
        }
    }
}

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `EQU`: equal.
    Equal,
    /// `NEQ`: not equal.
    NotEqual,
    /// `GTR`: greater.
    Greater,
    /// `GEQ`: greater or equal.
    GreaterOrEqual,
    /// `LSS`: less.
    Less,
    /// `LEQ`: less or equal.
    LessOrEqual,
    /// One that this program does not know: whether it holds is not known.
    Unknown,
}

/// How a condition is joined to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// Both.
    And,
    /// Either.
    Or,
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Whose property is looked at.
    pub attribute: String,
    /// Which.
    pub property: Property,
    /// How it is compared.
    pub operator: Operator,
    /// With what; `None` for `null`.
    pub value: Option<Scalar>,
}

/// While its conditions hold, a property of an attribute is something else than the registry says.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// The conditions, each with how it is joined to those before it. They are taken from left to
    /// right; a BMC that joins by no word means that any of them will do.
    pub conditions: Vec<(Term, Condition)>,
    /// Whose property changes.
    pub target: String,
    /// Which.
    pub property: Property,
    /// To what; `None` for `null`.
    pub value: Option<Scalar>,
}

impl Dependency {
    pub(super) fn read(entry: &Value) -> Option<Self> {
        // The standard has one type, `Map`; of another we do not know what it means.
        if entry.get("Type").and_then(Value::as_str).is_some_and(|kind| kind != "Map") {
            return None;
        }
        let body = entry.get("Dependency")?;
        let all = elements(body.get("MapFrom"));
        if all.is_empty() || all.len() > CONDITIONS_MAX {
            return None;
        }
        let term = |condition: &Value| match text(condition, &["MapTerms"])? {
            "AND" => Some(Term::And),
            "OR" => Some(Term::Or),
            _ => None,
        };
        let mut before = None;
        let mut conditions = Vec::with_capacity(all.len());
        for condition in all {
            let own = term(condition);
            // The word stands with the later of the two; some write it with the earlier.
            conditions.push((own.or(before).unwrap_or(Term::Or), Condition::read(condition)?));
            before = own;
        }
        let target = text(body, &["MapToAttribute"]).or_else(|| text(entry, &["DependencyFor"]))?;
        Some(Self {
            conditions,
            target: name(target)?,
            property: Property::of(text(body, &["MapToProperty"])?),
            value: body.get("MapToValue").and_then(Scalar::of),
        })
    }
}

impl Condition {
    fn read(condition: &Value) -> Option<Self> {
        let operator = match text(condition, &["MapFromCondition"]).unwrap_or("EQU") {
            "EQU" => Operator::Equal,
            "NEQ" => Operator::NotEqual,
            "GTR" => Operator::Greater,
            "GEQ" => Operator::GreaterOrEqual,
            "LSS" => Operator::Less,
            "LEQ" => Operator::LessOrEqual,
            _ => Operator::Unknown,
        };
        Some(Self {
            attribute: name(text(condition, &["MapFromAttribute"])?)?,
            property: Property::of(text(condition, &["MapFromProperty"]).unwrap_or("CurrentValue")),
            operator,
            value: condition.get("MapFromValue").and_then(Scalar::of),
        })
    }
}

fn name(text: &str) -> Option<String> {
    Scalar::of(&Value::from(text)).map(|name| name.to_string())
}
