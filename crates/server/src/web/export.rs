//! What a person takes away as a file.

use std::sync::Arc;

use api::{admin::Host, inventory::HostQuery};
use axum::{
    Json,
    extract::{Path, RawQuery, State},
    http::header,
    response::IntoResponse as _,
};

use super::{answer::Page, hosts::query, visitor::Visiting};
use crate::app::App;

/// Hosts of one file: above it a program with the API does it better than a person with a table.
const ROWS_MAX: usize = 100_000;

/// `GET /hosts.csv`: the list as it is filtered, all pages of it.
pub(super) async fn hosts(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    RawQuery(raw): RawQuery,
) -> Page {
    let mut query = HostQuery { limit: Some(500), ..query(raw.as_deref())? };
    let mut text = String::from(
        "name,id,verdict,code,cause,next step,connection,judged (ms since 1970),labels\r\n",
    );
    let mut n = 0;
    loop {
        let found = app.hosts(query.clone(), &visiting.caller.hosts).await?;
        for host in &found.hosts {
            text.push_str(&line(host));
        }
        n += found.hosts.len();
        match found.next_cursor {
            Some(cursor) if n < ROWS_MAX => query.cursor = Some(cursor),
            _ => break,
        }
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"hosts.csv\""),
    ];
    Ok((headers, text).into_response())
}

fn line(host: &Host) -> String {
    let finding = host.findings.first().filter(|_| host.verdict != "accepted");
    let labels: Vec<String> =
        host.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let judged = host.appraised_at_ms.map(|at| at.to_string()).unwrap_or_default();
    let cells: [&str; 9] = [
        &host.name,
        &host.id,
        &host.verdict,
        finding.map_or("", |finding| finding.code.as_str()),
        finding.map_or("", |finding| finding.cause.as_str()),
        finding.map_or("", |finding| finding.next_step.as_str()),
        &host.connection,
        &judged,
        &labels.join(" "),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell, by the rules of reports.
fn quoted(text: &str) -> String {
    format!("\"{}\"", fleet_report::cell(text).replace('"', "\"\""))
}

/// `GET /hosts/{id}/evidence.json`: what the last judgement rests on, for `bootproof verify`.
pub(super) async fn evidence(
    State(app): State<Arc<App>>,
    visiting: Visiting,
    Path(id): Path<String>,
) -> Page {
    app.require_host(&visiting.caller.hosts, &id).await?;
    let evidence = app.evidence(&id).await?;
    let headers = [(header::CONTENT_DISPOSITION, "attachment; filename=\"evidence.json\"")];
    Ok((headers, Json(evidence)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_formula() {
        assert_eq!(quoted("=cmd|'/c calc'!A1"), "\"'=cmd|'/c calc'!A1\"");
        assert_eq!(quoted("web-1"), "\"web-1\"");
        assert_eq!(quoted("a\"b\r\n-1"), "\"a\"\"b  -1\"");
        assert_eq!(quoted("-1"), "\"'-1\"");
    }
}
