//! The ways in which makers' BMCs differ.
//!
//! An emulator may choose them by the maker's name; the tool that is tested may not.

use serde_json::Value;

/// Whose ways a BMC has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// iDRAC: 202 and a job, where the request names an apply time; settings wait for their job.
    Dell,
    /// iLO: 200 and messages, lower-case links with a trailing slash, paths in any case.
    Hpe,
    /// XCC: no change without If-Match; physical presence for Secure Boot and for the TPM.
    Lenovo,
    /// Supermicro: 204; values are the texts of the menus.
    Supermicro,
    /// What the standard says.
    Generic,
}

/// Which form a value of an enumeration has in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueForm {
    /// `ValueName` of the registry.
    Name,
    /// `ValueDisplayName` of the registry.
    DisplayName,
}

impl Dialect {
    /// Read from the service root.
    pub(crate) fn of(root: &Value) -> Self {
        let oem = root.get("Oem").and_then(Value::as_object);
        let named = |name: &str| {
            root.get("Vendor").and_then(Value::as_str) == Some(name)
                || oem.is_some_and(|oem| oem.contains_key(name))
        };
        if named("Dell") {
            Self::Dell
        } else if named("Hpe") || named("HPE") {
            Self::Hpe
        } else if named("Lenovo") {
            Self::Lenovo
        } else if named("Supermicro") {
            Self::Supermicro
        } else {
            Self::Generic
        }
    }

    pub(crate) const fn demands_if_match(self) -> bool {
        matches!(self, Self::Lenovo)
    }

    pub(crate) const fn ignores_case(self) -> bool {
        matches!(self, Self::Hpe)
    }

    /// Whether the pending resource shows all attributes, or only those that wait.
    pub(crate) const fn pending_shows_all(self) -> bool {
        matches!(self, Self::Hpe | Self::Lenovo)
    }

    pub(crate) const fn value_form(self) -> ValueForm {
        match self {
            Self::Supermicro => ValueForm::DisplayName,
            _ => ValueForm::Name,
        }
    }
}
