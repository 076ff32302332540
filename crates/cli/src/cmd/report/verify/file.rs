//! HTML and CSV, which carry no JSON: a signature over their own bytes.

use api::fleet_report::REPORT_FILE_TYPE;
use jsonwebtoken::jwk::JwkSet;
use serde_json::json;

use super::{super::super::signed, refuse};
use crate::{
    cmd::Exit,
    error::CliError,
    output::{Output, Tone, plain},
};

/// A document, and the detached signature over it.
pub(super) struct Signed {
    pub(super) content: Vec<u8>,
    pub(super) jws: String,
}

pub(super) fn is_html(content: &[u8]) -> bool {
    content.starts_with(b"<!doctype html>")
}

/// Ours has each cell in quotes.
pub(super) fn is_csv(content: &[u8]) -> bool {
    content.starts_with(b"\"")
}

pub(super) fn run(file: &Signed, keys: &JwkSet, output: &Output) -> Result<Exit, CliError> {
    let key = match signed::detached(&file.jws, &file.content, REPORT_FILE_TYPE, keys) {
        Ok(key) => key,
        Err(why) => return refuse(&why, output),
    };
    let sha256 = fleet_report::sha256(&file.content);
    if output.is_json() {
        output.json(&json!({ "genuine": true, "key": key, "file_sha256": sha256 }))?;
        return Ok(Exit::Done);
    }
    output.line(&output.paint(Tone::Good, "This report is genuine"))?;
    output.line(&format!("{:<12} {}", "key", plain(&key)))?;
    output.line(&format!("{:<12} {sha256}", "file SHA-256"))?;
    Ok(Exit::Done)
}
