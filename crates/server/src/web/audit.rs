//! `GET /audit`.

use std::sync::Arc;

use axum::extract::{Query, State};
use pages::{Audit, AuditDetail, AuditLine, AuditValue, Place};
use serde::Deserialize;
use serde_json::Value;

use super::{
    answer::{Page, page},
    visitor::Visiting,
};
use crate::app::{App, AppError};

/// Rows on a page.
const PAGE_LEN: u32 = 100;

#[derive(Deserialize)]
pub(super) struct AuditQuery {
    before: Option<i64>,
}

pub(super) async fn audit(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Query(query): Query<AuditQuery>,
) -> Page {
    visiting.caller.hosts.require_fleet()?;
    let (lines, older) = newest(&app, query.before, PAGE_LEN).await?;
    page(&Audit { frame: visiting.frame(Place::Audit), lines, older })
}

/// The newest rows below `before`, newest first, and below which number older ones are.
pub(super) async fn newest(
    app: &App,
    before: Option<i64>,
    n: u32,
) -> Result<(Vec<AuditLine>, Option<i64>), AppError> {
    let rows = app.audit_before(before, n).await?;
    let lines: Vec<AuditLine> = rows
        .into_iter()
        .map(|row| AuditLine {
            seq: row.seq,
            at_ms: row.at_ms,
            by: row.actor,
            what: row.action,
            subject: row.subject,
            details: details(&row.detail_json),
        })
        .collect();
    let older = lines.last().map(|line| line.seq).filter(|seq| *seq > 1);
    Ok((lines, older))
}

/// What a row says beside what was done: each thing by its name; a document that is no object as it is.
fn details(json: &str) -> Vec<AuditDetail> {
    let Ok(Value::Object(known)) = serde_json::from_str::<Value>(json) else {
        return vec![AuditDetail { name: String::new(), value: AuditValue::Text(json.to_owned()) }];
    };
    let told = known.into_iter().filter(|(_, value)| !value.is_null());
    told.map(|(name, value)| {
        let value = match (&value, value.as_i64()) {
            (_, Some(at_ms)) if name.ends_with("_ms") => AuditValue::Time(at_ms),
            (Value::String(text), _) => AuditValue::Text(text.clone()),
            _ => AuditValue::Text(value.to_string()),
        };
        // What is a time is said by the time.
        let name = name.strip_suffix("_ms").unwrap_or(&name).replace('_', " ");
        AuditDetail { name, value }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_things_by_their_names() {
        let said =
            details(r#"{"until_ms":7,"reason":"a fan","n":3,"none":null,"hosts":{"a":"b"}}"#);
        let said: Vec<_> = said.iter().map(|one| (one.name.as_str(), one.value.clone())).collect();
        let text = |text: &str| AuditValue::Text(text.to_owned());
        let hosts = ("hosts", text(r#"{"a":"b"}"#));
        let expected =
            [hosts, ("n", text("3")), ("reason", text("a fan")), ("until", AuditValue::Time(7))];
        assert_eq!(said, expected);
        assert!(details("{}").is_empty());
        assert_eq!(details("x")[0].value, text("x"));
    }
}
