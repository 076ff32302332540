//! Small steps through what a BMC sent.

use serde_json::Value;

use crate::{PathError, ResourcePath};

/// The value at these names, one below the other.
pub(crate) fn at<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().try_fold(value, |value, name| value.get(name))
}

/// The text at these names.
pub(crate) fn text<'v>(value: &'v Value, names: &[&str]) -> Option<&'v str> {
    at(value, names)?.as_str()
}

/// Where a link leads: an object with `@odata.id`, or, of older firmware, `href`, `extref` or the bare
/// text.
pub(crate) fn link(value: &Value) -> Option<Result<ResourcePath, PathError>> {
    let text = match value {
        Value::String(text) => text,
        _ => ["@odata.id", "href", "extref"].iter().find_map(|name| value.get(name)?.as_str())?,
    };
    Some(ResourcePath::parse(text))
}

/// The link at these names, where there is one that stays on the BMC.
pub(crate) fn link_at(value: &Value, names: &[&str]) -> Option<ResourcePath> {
    link(at(value, names)?)?.ok()
}

/// The members of a collection, or the elements of an array of links.
pub(crate) fn elements(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
