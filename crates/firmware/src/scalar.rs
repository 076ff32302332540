//! Values of settings, and texts of a BMC.

use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest text of a BMC that is kept: names and values of recorded ones have up to 120 characters.
pub const TEXT_CHARS_MAX: usize = 256;

/// The value of a setting. [DSP2046 Bios.Attributes]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A text.
    Text(String),
}

impl Scalar {
    /// The value of a property, where it is none of `null`, an array or an object, and no longer than
    /// real ones.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Bool(*value)),
            Value::Number(number) => number.as_i64().map(Self::Number),
            // A text that had to be cut would not be the value any more.
            Value::String(text) if is_clean(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }

    /// Whether both say the same: firmware gives one setting as text here and as a number or as a
    /// truth value there. Case counts not.
    pub fn says(&self, other: &Self) -> bool {
        self == other || self.to_string().eq_ignore_ascii_case(&other.to_string())
    }

    /// The number that it is or spells.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Bool(_) => None,
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// A character that would steer a terminal or turn the order of a line around.
fn is_steering(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_clean(text: &str) -> bool {
    text.len() <= TEXT_CHARS_MAX.saturating_mul(4)
        && text.chars().count() <= TEXT_CHARS_MAX
        && !text.chars().any(is_steering)
}

/// A text of a BMC for people: cut at [`TEXT_CHARS_MAX`], and nothing in it steers a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text
        .chars()
        .take(TEXT_CHARS_MAX)
        .map(|c| if is_steering(c) { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(TEXT_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_what_they_say() {
        let of = |value: Value| Scalar::of(&value).unwrap();
        assert!(of(json!(true)).says(&of(json!("True"))));
        assert!(of(json!(1)).says(&of(json!("1"))));
        assert!(!of(json!("On")).says(&of(json!("Off"))));
        for none in [json!(null), json!([]), json!({}), json!("a\u{1b}[2J"), json!(1.5)] {
            assert_eq!(Scalar::of(&none), None, "{none}");
        }
        assert_eq!(Scalar::of(&json!("x".repeat(TEXT_CHARS_MAX + 1))), None);
        assert!(Scalar::of(&json!("x".repeat(TEXT_CHARS_MAX))).is_some());
    }

    #[test]
    fn texts_of_a_bmc_steer_nothing() {
        assert_eq!(shown("a\u{1b}[2J\u{202e}b"), "a\u{fffd}[2J\u{fffd}b");
        assert_eq!(shown(&"x".repeat(9999)).chars().count(), TEXT_CHARS_MAX + 1);
    }
}
