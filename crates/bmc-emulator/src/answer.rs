//! What a BMC answers, before it is HTTP.

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::tree::Resource;

/// An answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A whole one.
    Whole { status: u16, headers: Vec<(&'static str, String)>, body: Bytes },
    /// None, and the connection stays.
    Never,
    /// None, and the connection ends.
    Drop,
    /// `piece` so many times, without a length.
    Stream { piece: Bytes, n_pieces: u32 },
    /// `body` under a Content-Length of `claimed` bytes, then the end.
    Short { body: Bytes, claimed: u64 },
}

impl Answer {
    pub(crate) fn empty(status: u16) -> Self {
        Self::Whole { status, headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json;odata.metadata=minimal".to_owned())];
        Self::Whole { status, headers, body: Bytes::from(body.to_string()) }
    }

    pub(crate) fn resource(resource: &Resource) -> Self {
        let headers = vec![
            ("content-type", "application/json;odata.metadata=minimal".to_owned()),
            ("etag", resource.etag.clone()),
        ];
        Self::Whole { status: 200, headers, body: resource.bytes.clone() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        if let Self::Whole { headers, .. } = &mut self {
            headers.push((name, value));
        }
        self
    }

    /// An error with messages of a registry: identifier, its arguments, the text.
    /// [DSP0266 8.6 Error responses]
    pub(crate) fn error(status: u16, messages: &[(&str, Vec<String>, String)]) -> Self {
        let info: Vec<_> = messages
            .iter()
            .map(|(id, args, text)| {
                json!({
                    "@odata.type": "#Message.v1_1_1.Message",
                    "MessageId": id,
                    "MessageArgs": args,
                    "Message": text,
                    "Severity": "Warning",
                })
            })
            .collect();
        let code = "Base.1.18.1.GeneralError";
        let message = "A general error has occurred. See ExtendedInfo for more information.";
        let error = json!({ "code": code, "message": message, "@Message.ExtendedInfo": info });
        Self::json(status, &json!({ "error": error }))
    }

    /// As [`Self::error`], with one message without arguments.
    pub(crate) fn refusal(status: u16, id: &str, text: &str) -> Self {
        Self::error(status, &[(id, Vec::new(), text.to_owned())])
    }
}
