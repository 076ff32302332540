//! Alertmanager, as its API of version 2 takes alerts. [Alertmanager API v2, POST /alerts]

use std::collections::BTreeMap;

use serde::Serialize;
use zeroize::Zeroizing;

use super::{Steps, Target, Undelivered, http};

/// An Alertmanager.
pub(crate) struct Alertmanager {
    pub(crate) target: Target,
    /// What stands before `/api/v2`.
    pub(crate) path: String,
    /// A bearer token, where it wants one.
    pub(crate) token: Option<Zeroizing<String>>,
}

/// One alert. Those of the same labels are one, so nothing that changes is among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alert {
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    /// [RFC 3339]
    pub(crate) starts_at: String,
    /// When it is over, or when it is to be taken for over where nothing is heard of it. [RFC 3339]
    pub(crate) ends_at: String,
}

impl Alertmanager {
    pub(crate) async fn send(
        &self,
        alerts: &[Alert],
        steps: &mut Steps,
    ) -> Result<(), Undelivered> {
        let body = serde_json::to_vec(alerts)
            .map_err(|err| Undelivered::Refused(format!("the alerts cannot be written: {err}")))?;
        let token = self.token.as_ref();
        let post = http::Post {
            path: &format!("{}/api/v2/alerts", self.path.trim_end_matches('/')),
            content_type: "application/json",
            headers: token
                .map(|token| ("authorization", format!("Bearer {}", token.as_str())))
                .into_iter()
                .collect(),
            body,
        };
        http::post(&self.target, post, steps).await
    }
}

/// A name of a label, of any text. [Prometheus, Data model]
pub(crate) fn label_name(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    format!("label_{}", plain.collect::<String>())
}
