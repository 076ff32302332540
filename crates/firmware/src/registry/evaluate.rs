//! What dependencies come to with the values of a host.

use std::collections::BTreeMap;

use super::{Attribute, Condition, Dependency, Operator, Property, Registry, Term};
use crate::Scalar;

/// The values of settings, by the names of attributes.
pub type Values = BTreeMap<String, Scalar>;

/// How far one condition may lead to another's property: registries of recorded BMCs look at values
/// only, which is a depth of one. What lies deeper, and what goes in a circle, is not known.
const DEPTH_MAX: usize = 8;

/// How often values are settled: forced values force others, in recorded registries two deep.
const ROUNDS_MAX: usize = 8;

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// The BMC does not give what it hangs on.
    Unknown,
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    fn join(self, term: Term, other: Self) -> Self {
        match (term, self, other) {
            (Term::And, Self::No, _) | (Term::And, _, Self::No) => Self::No,
            (Term::And, Self::Yes, Self::Yes) => Self::Yes,
            (Term::Or, Self::Yes, _) | (Term::Or, _, Self::Yes) => Self::Yes,
            (Term::Or, Self::No, Self::No) => Self::No,
            (Term::And | Term::Or, _, _) => Self::Unknown,
        }
    }
}

/// What keeps an attribute from being changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    /// `ReadOnly`, `GrayOut` or `Hidden`.
    pub property: Property,
    /// The conditions that hold and lock it; empty where the registry locks it whatever else is set.
    pub because: Vec<Condition>,
}

/// A value that others force.
#[derive(Clone, Debug, PartialEq)]
pub struct Forced {
    /// Whose value.
    pub attribute: String,
    /// What it was.
    pub from: Option<Scalar>,
    /// What it becomes.
    pub to: Scalar,
    /// The conditions that hold.
    pub because: Vec<Condition>,
}

impl Registry {
    /// What keeps `name` from being changed while these values are in force; empty if nothing does.
    /// An attribute that the registry does not list is not locked by it.
    pub fn locks(&self, name: &str, values: &Values) -> Vec<Lock> {
        let Some(attribute) = self.attribute(name) else { return Vec::new() };
        let mut locks = Vec::new();
        for (property, plain) in [
            (Property::ReadOnly, attribute.read_only || attribute.immutable),
            (Property::GrayOut, attribute.gray_out),
            (Property::Hidden, attribute.hidden),
        ] {
            // Of several that hold, any that locks does: the last word would hang on an order that
            // the standard does not give.
            let mut freed = false;
            let mut found = Vec::new();
            for dependency in self.dependencies_of(name).filter(|d| d.property == property) {
                if self.holds(dependency, values, 0) != Truth::Yes {
                    continue;
                }
                match dependency.value {
                    Some(Scalar::Bool(false)) => freed = true,
                    _ => found.push(Lock { property, because: self.held(dependency, values) }),
                }
            }
            if found.is_empty() && plain && !freed {
                found.push(Lock { property, because: Vec::new() });
            }
            locks.extend(found);
        }
        locks
    }

    /// Whether there are dependencies that may lock `name` and hang on what the BMC does not give.
    pub fn may_be_locked(&self, name: &str, values: &Values) -> bool {
        let locks = [Property::ReadOnly, Property::GrayOut];
        let mut all = self.dependencies_of(name).filter(|d| locks.contains(&d.property));
        all.any(|dependency| self.holds(dependency, values, 0) == Truth::Unknown)
    }

    /// The value that others force on `name`.
    pub fn forced(&self, name: &str, values: &Values) -> Option<Forced> {
        let mut all = self.dependencies_of(name).filter(|d| d.property == Property::CurrentValue);
        let dependency = all.find(|dependency| {
            dependency.value.is_some() && self.holds(dependency, values, 0) == Truth::Yes
        })?;
        Some(Forced {
            attribute: name.to_owned(),
            from: values.get(name).cloned(),
            to: dependency.value.clone()?,
            because: self.held(dependency, values),
        })
    }

    /// Lets values force others, until nothing changes, as firmware does when it starts. Only what the
    /// BMC gives a value of is forced. Settings that force each other in a circle stay as they are
    /// after [`ROUNDS_MAX`] rounds.
    pub fn settle(&self, values: &mut Values) -> Vec<Forced> {
        let mut all = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let mut changed = false;
            for name in &self.forcible {
                if !values.contains_key(name) {
                    continue;
                }
                let Some(forced) = self.forced(name, values) else { continue };
                let is_so = |value: &Scalar| self.same(name, value, &forced.to);
                if values.get(name).is_some_and(is_so) {
                    continue;
                }
                values.insert(name.clone(), forced.to.clone());
                all.push(forced);
                changed = true;
            }
            if !changed {
                break;
            }
        }
        all
    }

    fn same(&self, name: &str, a: &Scalar, b: &Scalar) -> bool {
        self.attribute(name).map_or_else(|| a.says(b), |attribute| attribute.same(a, b))
    }

    /// The conditions of `dependency` that hold.
    fn held(&self, dependency: &Dependency, values: &Values) -> Vec<Condition> {
        let conditions = dependency.conditions.iter().map(|(_, condition)| condition);
        conditions.filter(|c| self.condition(c, values, 0) == Truth::Yes).cloned().collect()
    }

    pub(super) fn holds(&self, dependency: &Dependency, values: &Values, depth: usize) -> Truth {
        let mut all = dependency.conditions.iter();
        let Some((_, first)) = all.next() else { return Truth::Unknown };
        all.fold(self.condition(first, values, depth), |truth, (term, condition)| {
            truth.join(*term, self.condition(condition, values, depth))
        })
    }

    fn condition(&self, condition: &Condition, values: &Values, depth: usize) -> Truth {
        let attribute = self.attribute(&condition.attribute);
        let have = match condition.property {
            Property::CurrentValue => values.get(&condition.attribute).cloned(),
            Property::DefaultValue => attribute.and_then(|attribute| attribute.default.clone()),
            Property::ReadOnly | Property::GrayOut | Property::Hidden => {
                self.flag(&condition.attribute, condition.property, values, depth)
            }
            Property::Other => None,
        };
        let Some(have) = have else { return Truth::Unknown };
        // Beside a value, `null` is a value that is not there.
        let Some(want) = &condition.value else {
            return match condition.operator {
                Operator::Equal => Truth::No,
                Operator::NotEqual => Truth::Yes,
                _ => Truth::Unknown,
            };
        };
        compare(attribute, condition.operator, &have, want)
    }

    fn flag(
        &self,
        name: &str,
        property: Property,
        values: &Values,
        depth: usize,
    ) -> Option<Scalar> {
        let attribute = self.attribute(name)?;
        let depth = depth.checked_add(1).filter(|depth| *depth < DEPTH_MAX)?;
        let mut flag = match property {
            Property::ReadOnly => attribute.read_only,
            Property::GrayOut => attribute.gray_out,
            _ => attribute.hidden,
        };
        for dependency in self.dependencies_of(name).filter(|d| d.property == property) {
            match (self.holds(dependency, values, depth), &dependency.value) {
                (Truth::Yes, Some(Scalar::Bool(value))) => flag = *value,
                (Truth::Unknown, _) => return None,
                _ => {}
            }
        }
        Some(Scalar::Bool(flag))
    }
}

fn compare(
    attribute: Option<&Attribute>,
    operator: Operator,
    have: &Scalar,
    want: &Scalar,
) -> Truth {
    let same = || attribute.map_or_else(|| have.says(want), |a| a.same(have, want));
    let ordered = |holds: fn(i64, i64) -> bool| match (have.number(), want.number()) {
        (Some(have), Some(want)) => Truth::of(holds(have, want)),
        _ => Truth::Unknown,
    };
    match operator {
        Operator::Equal => Truth::of(same()),
        Operator::NotEqual => Truth::of(!same()),
        Operator::Greater => ordered(|have, want| have > want),
        Operator::GreaterOrEqual => ordered(|have, want| have >= want),
        Operator::Less => ordered(|have, want| have < want),
        Operator::LessOrEqual => ordered(|have, want| have <= want),
        Operator::Unknown => Truth::Unknown,
    }
}
