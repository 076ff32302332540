//! What a BMC says of a request that it refuses. [DSP0266-1.20 §8.6]

use serde_json::Value;

use crate::clean;

/// Most messages that are shown of one answer: nobody reads more.
const MESSAGES_MAX: usize = 4;

/// The messages of an answer, in words.
pub(crate) fn messages(body: &[u8]) -> Vec<String> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let info = body
        .pointer("/error/@Message.ExtendedInfo")
        .or_else(|| body.get("@Message.ExtendedInfo"))
        .and_then(Value::as_array);
    let texts = info.into_iter().flatten().filter_map(|entry| {
        let text =
            |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (id, message) = (text("MessageId"), text("Message"));
        Some(match (id, message) {
            (Some(id), Some(message)) => format!("{} ({})", clean(message), clean(id)),
            (id, message) => clean(id.or(message)?),
        })
    });
    let mut texts: Vec<_> = texts.take(MESSAGES_MAX).collect();
    if texts.is_empty() {
        let message = body.pointer("/error/message").and_then(Value::as_str);
        texts.extend(message.map(clean));
    }
    texts
}

/// Whether one of the messages has this name, whichever registry and version it comes from.
pub(crate) fn names(body: &[u8], name: &str) -> bool {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return false };
    let info = body
        .pointer("/error/@Message.ExtendedInfo")
        .or_else(|| body.get("@Message.ExtendedInfo"))
        .and_then(Value::as_array);
    let ids = info.into_iter().flatten().filter_map(|entry| entry.get("MessageId")?.as_str());
    ids.into_iter().any(|id| id.rsplit('.').next() == Some(name))
}
