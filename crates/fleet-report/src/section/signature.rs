//! How one checks that nothing was changed.

use api::fleet_report::Report;

use super::{Block, Sink, part, say};

pub(super) fn tell(report: &Report, json_sha256: &str, sink: &mut Sink<'_>) {
    let made = &report.made;
    part(sink, "Signature");
    say(
        sink,
        "This document shows a report that is JSON. The server signed that JSON (JWS, ES256) with the key \
         under which it also signs attested results and checkpoints of its audit log. The PDF carries both \
         as attachments (report.json, report.jws). Check them, and this document against them, with \
         `bootproof report verify FILE`.",
    );
    sink(Block::Facts(vec![
        ("JSON", format!("SHA-256 {json_sha256}")),
        ("Schema", report.schema.clone()),
        ("Server", made.server.clone()),
        ("Authority", format!("SHA-256 {}", made.authority_sha256)),
        ("Audit log", {
            let (seq, seal) = (made.audit_seq, &made.audit_sha256);
            format!("begun behind row {seq}, which is sealed by {seal}")
        }),
    ]));
}
