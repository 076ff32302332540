//! Secrets in documents of JSON: a value whose key calls it one, and those in texts.

use redaction::{Removed, is_secret_name};
use serde_json::Value;

/// Takes them out of `value`, at whichever depth.
pub(crate) fn redact(value: &mut Value) -> Removed {
    let mut removed = Removed::default();
    walk(value, &mut removed);
    removed
}

fn walk(value: &mut Value, removed: &mut Removed) {
    match value {
        Value::String(text) => {
            let redacted = redaction::text(text);
            removed.extend(redacted.removed);
            *text = redacted.text;
        }
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, removed)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    // Whether there is one is no secret.
                    Value::Null | Value::Bool(_) => {}
                    _ if is_secret_name(key) => {
                        removed.add_setting(key);
                        *value = Value::String("[removed: setting]".to_owned());
                    }
                    value => walk(value, removed),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_stays_one_and_loses_its_secrets() {
        let mut value = json!({
            "token": "hunter1", "n_tokens": 3, "owner_password": false,
            "deep": [{"why": "see https://u:hunter2@host/", "api_key": ["hunter3"]}],
        });
        let removed = redact(&mut value);
        let text = value.to_string();
        assert!(!text.contains("hunter"), "{text}");
        assert_eq!(
            (value["n_tokens"].as_u64(), value["owner_password"].as_bool()),
            (Some(3), Some(false))
        );
        assert_eq!(removed.iter().map(|(.., n)| n).sum::<u32>(), 3);
    }
}
