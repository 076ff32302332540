//! `bootproof support-bundle`: this machine, for somebody who helps.

use std::path::Path;

use agent::{
    Sources, evidence,
    source::{acpi, event_log},
};
use api::machine::Machine;
use client::Context;
use serde::Serialize;
use support_bundle::{Bundle, Maker};
use verify::UnixTime;

use super::{Exit, doctor, local_time};
use crate::{args::SupportBundle, error::CliError, output::Output};

/// Of a context what is no secret: not its token.
const ALLOWED: &[&str] = &["server"];

/// Units whose journals are asked for; a machine has one of them at most.
const UNITS: [&str; 2] = ["bootproof-agent", "bootproof-server"];

#[derive(Serialize)]
struct Facts {
    program: &'static str,
    version: &'static str,
    machine: Machine,
}

pub(super) fn run(
    command: &SupportBundle,
    context: Option<&Path>,
    output: &Output,
) -> Result<Exit, CliError> {
    let UnixTime(now_s) = local_time::now();
    let maker = Maker {
        program: "bootproof",
        version: env!("CARGO_PKG_VERSION"),
        now_ms: Some(now_s.saturating_mul(1000)),
    };
    let mut bundle = Bundle::new(maker);
    let sources = match &command.doctor.root {
        Some(root) => Sources::below(root),
        None => Sources::default(),
    };
    let machine = evidence::machine(&sources);
    let facts = Facts { program: maker.program, version: maker.version, machine };
    bundle.document("facts.json", &facts).map_err(anyhow::Error::from)?;
    match doctor::document(&command.doctor, output) {
        Ok(list) => bundle.document("doctor.json", &list).map_err(anyhow::Error::from)?,
        Err(err) => bundle.leave_out("doctor.json", &err),
    }
    for unit in UNITS {
        bundle.journal(unit, support_bundle::unit(&format!("{unit}.service")));
    }
    bundle.journal("kernel", support_bundle::kernel());
    command.log.iter().for_each(|log| bundle.log_file(log));
    let default_paths = Context::default_paths();
    let context = context
        .or_else(|| default_paths.iter().map(AsRef::as_ref).find(|path: &&Path| path.exists()));
    match context {
        Some(path) => bundle.settings_file(path, ALLOWED),
        None => bundle.leave_out("config/context.toml", &"no context file was found"),
    }
    let log = command.doctor.event_log.as_ref().unwrap_or(&sources.event_log);
    let parts = [
        ("evidence/eventlog.bin", event_log::read(log)),
        ("evidence/acpi-TPM2.bin", acpi::read(&sources.acpi_tpm2)),
    ];
    for (name, read) in parts {
        match read {
            Ok(Some(bytes)) => bundle.verbatim(name, bytes),
            Ok(None) => bundle.leave_out(name, &"this machine has none"),
            Err(err) => bundle.leave_out(name, &err),
        }
    }
    let written = bundle.write(&command.out).map_err(|err| {
        CliError::with_hint(err, "name a file in a folder that you may write to with --out")
    })?;
    if output.is_json() {
        output.json(&written.manifest)?;
        return Ok(Exit::Done);
    }
    let manifest = &written.manifest;
    output.line(&format!(
        "{}: {} files, {} bytes",
        command.out.display(),
        manifest.files.len(),
        written.n_bytes
    ))?;
    let n_removed: u32 = manifest.removed.iter().map(|removed| removed.n).sum();
    output.line(&format!(
        "{n_removed} secrets, settings and comments were removed; MANIFEST.json in it says what"
    ))?;
    for left in &manifest.left_out {
        output.line(&format!("not in it: {}: {}", left.what, crate::output::plain(&left.why)))?;
    }
    output.line("look it through before you give it away")?;
    Ok(Exit::Done)
}
