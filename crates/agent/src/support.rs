//! `bootproof-agent support-bundle`: what this host and its agent say of themselves.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use agent::{
    Sources, evidence,
    session::{Presence, Session},
    source::{acpi, event_log, userspace_log},
    state::{State, StateError},
};
use api::machine::Machine;
use serde::Serialize;
use support_bundle::{Bundle, Maker};

use crate::args::SupportBundle;

/// Settings that are no secrets. `BOOTPROOF_JOIN_TOKEN` is one.
const ALLOWED: &[&str] = &[
    "BOOTPROOF_LOG",
    "BOOTPROOF_TPM",
    "BOOTPROOF_EVENT_LOG",
    "BOOTPROOF_ACPI_TPM2",
    "BOOTPROOF_USERSPACE_LOG",
    "BOOTPROOF_IMA",
    "BOOTPROOF_IMA_LIST",
    "BOOTPROOF_DMI",
    "BOOTPROOF_AGENT_STATE",
];

/// What the agent knows of itself, without what it keeps secret.
#[derive(Serialize)]
struct Facts {
    program: &'static str,
    version: &'static str,
    machine: Machine,
    tpm: &'static str,
    member: Option<Member>,
    has_attestation_key: bool,
    /// An enrolment or a join whose end the server has not confirmed.
    unfinished: bool,
    state_error: Option<String>,
}

#[derive(Serialize)]
struct Member {
    server: String,
    host_id: Option<String>,
}

pub(crate) fn write(
    command: &SupportBundle,
    sources: &Sources,
    state: Result<State, StateError>,
    session: &mut Session,
) -> anyhow::Result<()> {
    // No time of day: clocks of hosts go wrong, and nothing here needs one.
    let maker =
        Maker { program: "bootproof-agent", version: env!("CARGO_PKG_VERSION"), now_ms: None };
    let mut bundle = Bundle::new(maker);
    bundle.document("facts.json", &facts(maker, sources, state, session))?;
    doctor(&mut bundle);
    bundle.journal("bootproof-agent", support_bundle::unit("bootproof-agent.service"));
    bundle.journal("kernel", support_bundle::kernel());
    command.log.iter().for_each(|log| bundle.log_file(log));
    bundle.settings_file(&command.settings, ALLOWED);
    let parts = [
        ("evidence/eventlog.bin", event_log::read(&sources.event_log)),
        ("evidence/userspace.log", userspace_log::read(&sources.userspace_log)),
        ("evidence/acpi-TPM2.bin", acpi::read(&sources.acpi_tpm2)),
    ];
    for (name, read) in parts {
        match read {
            Ok(Some(bytes)) => bundle.verbatim(name, bytes),
            Ok(None) => bundle.leave_out(name, &"this host has none"),
            Err(err) => bundle.leave_out(name, &err),
        }
    }
    bundle
        .leave_out("the agent's state.json", &"it holds the host's token; facts.json has the rest");
    let written = bundle.write(&command.out)?;
    let mut stdout = std::io::stdout().lock();
    let n_removed: u32 = written.manifest.removed.iter().map(|removed| removed.n).sum();
    writeln!(
        stdout,
        "{}: {} files, {} bytes",
        command.out.display(),
        written.manifest.files.len(),
        written.n_bytes
    )?;
    writeln!(
        stdout,
        "{n_removed} secrets, settings and comments were removed; MANIFEST.json in it says what"
    )?;
    writeln!(stdout, "look it through before you give it away")?;
    Ok(())
}

fn facts(
    maker: Maker,
    sources: &Sources,
    state: Result<State, StateError>,
    session: &mut Session,
) -> Facts {
    let (state, state_error) = match state {
        Ok(state) => (state, None),
        Err(err) => (State::default(), Some(err.to_string())),
    };
    let host_id = |member: &agent::state::Member| {
        member.credentials.as_ref().map(|credentials| credentials.host_id.clone())
    };
    Facts {
        program: maker.program,
        version: maker.version,
        machine: evidence::machine(sources),
        tpm: match session.presence() {
            Presence::Present => "present",
            Presence::Absent => "absent",
        },
        member: state
            .member
            .as_ref()
            .map(|member| Member { server: member.server.clone(), host_id: host_id(member) }),
        has_attestation_key: state.ak.is_some(),
        unfinished: state.activating.is_some() || state.joining.is_some(),
        state_error,
    }
}

/// The checklist, where who can judge is installed beside the agent, which judges nothing.
fn doctor(bundle: &mut Bundle) {
    const NAME: &str = "doctor.json";
    let done = Command::new("bootproof").args(["doctor", "--json"]).stdin(Stdio::null()).output();
    match done {
        Ok(done) => match serde_json::from_slice::<serde_json::Value>(&done.stdout) {
            // A document that was one stays one.
            Ok(list) => drop(bundle.document(NAME, &list)),
            Err(_) => bundle.leave_out(NAME, &String::from_utf8_lossy(&done.stderr).trim()),
        },
        Err(err) => bundle.leave_out(NAME, &format!("`bootproof` cannot be run ({err})")),
    }
}
