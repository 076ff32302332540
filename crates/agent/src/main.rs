//! `bootproof-agent`: see `--help`.

mod args;
mod documents;
mod support;

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

use agent::{
    Sources, courier,
    join::{Order, Patience},
    session::{Presence, Session, SharedSession, TpmChoice},
    source,
    state::{NotJoined, StateFile},
};
use anyhow::Context as _;
use args::{Arguments, Command, Common, Join};
use clap::Parser as _;
use client::ClientError;
use tokio::sync::watch;
use tpm_device::Address;
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

impl Common {
    fn session(&self) -> anyhow::Result<SharedSession> {
        Ok(SharedSession::new(self.session_alone()?))
    }

    fn session_alone(&self) -> anyhow::Result<Session> {
        let choice = match self.tpm.as_deref() {
            None | Some("") => TpmChoice::Discover,
            Some("none") => TpmChoice::Without,
            Some(address) => TpmChoice::At(address.parse::<Address>()?),
        };
        Ok(Session::new(choice))
    }

    fn sources(&self) -> Sources {
        let default = Sources::default();
        Sources {
            event_log: self.event_log.clone().unwrap_or(default.event_log),
            acpi_tpm2: self.acpi_tpm2.clone().unwrap_or(default.acpi_tpm2),
            userspace_log: self.userspace_log.clone().unwrap_or(default.userspace_log),
            ima_list: self
                .ima
                .then(|| self.ima_list.clone().unwrap_or_else(|| source::ima::SECURITYFS.into())),
            dmi: self.dmi.clone().unwrap_or(default.dmi),
            os_release: default.os_release,
            root: default.root,
            fixed: default.fixed,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            let mut stderr = std::io::stderr().lock();
            // Where even standard error is gone, there is nobody to tell.
            let _ = writeln!(stderr, "error: {err:#}");
            let hint = err.chain().find_map(|cause| cause.downcast_ref::<ClientError>()?.hint());
            let tpm =
                err.chain().find_map(|cause| cause.downcast_ref::<agent::tpm::TpmError>()?.hint());
            let not_joined = err.downcast_ref::<NotJoined>().map(|err| err.hint());
            if let Some(hint) = hint.or(tpm.or(not_joined).map(str::to_owned)) {
                let _ = writeln!(stderr, "\nhint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Levels by module alone, such as `info` or `agent=debug`: filters by field need a regular
/// expression engine, which would be a tenth of the program.
fn start_log() {
    let filter: Option<Targets> =
        std::env::var("BOOTPROOF_LOG").ok().and_then(|text| text.parse().ok());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(filter.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO)))
        .with(lines)
        .init();
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let common = &arguments.common;
    let file = || StateFile::in_folder(&common.state_dir);
    match &arguments.command {
        Command::Join(command) => block_on(join(common, command, &file()?)),
        Command::Run => block_on(serve(common, &file()?)),
        Command::Status { json } => block_on(status(common, &file()?, *json)),
        Command::Certificate { json } => block_on(certificate(common, &file()?, *json)),
        Command::Leave => leave(&file()?),
        Command::SupportBundle(command) => {
            let state = file().and_then(|file| file.load());
            let mut session = common.session_alone()?;
            support::write(command, &common.sources(), state, &mut session)
        }
        Command::Completions { shell } => documents::completions(*shell),
        Command::Man { folder } => documents::man(folder),
    }
}

fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

async fn join(common: &Common, command: &Join, file: &StateFile) -> anyhow::Result<()> {
    let session = common.session()?;
    let order = Order {
        server: command.server.clone(),
        ca_pin: command.ca_sha256,
        token: command.token.clone(),
        host: source::host::says(command.name.clone()),
        patience: command.wait.unwrap_or(Patience::None),
    };
    let enrolled = agent::join::join(&order, file, &session).await?;
    let mut stdout = std::io::stdout().lock();
    let name = &order.host.name;
    if let Some(ek_sha256) = &enrolled.quarantined {
        writeln!(stdout, "not joined: the server knows {name} with another TPM")?;
        writeln!(stdout, "this TPM's EK digest: {ek_sha256}")?;
        writeln!(
            stdout,
            "\nnext: if this machine is {name} with a new board or TPM, an administrator says so:\n  \
             bootproof host replace {name} --ek-sha256 {ek_sha256} --reason TEXT\n\
             then run this command again. If it is another machine, give it another --name."
        )?;
        anyhow::bail!("a person has to decide first");
    }
    writeln!(stdout, "joined {} as {name} ({})", order.server, enrolled.host_id)?;
    if enrolled.findings.is_empty() {
        writeln!(stdout, "the identity key of the TPM is stored")?;
    }
    for finding in &enrolled.findings {
        writeln!(stdout, "\nno identity key is stored: {}", finding.cause)?;
        writeln!(stdout, "next: {}", finding.next_step)?;
    }
    writeln!(
        stdout,
        "\n`bootproof-agent run`, or its systemd unit, serves the server from now on"
    )?;
    Ok(())
}

async fn serve(common: &Common, file: &StateFile) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let session = common.session()?;
    let sources = common.sources();
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    let (accepted, told) = watch::channel(None);
    let place = common.certificate.place();
    let certified = async {
        match &place {
            Some(place) => agent::certificate::keep(place, file, &session, told).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        served = courier::run(file, &session, &sources, &accepted) => served,
        () = certified => Ok(()),
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
    }
}

async fn certificate(common: &Common, file: &StateFile, json: bool) -> anyhow::Result<()> {
    let place = common.certificate.place().context("say where to: --certificate-dir FOLDER")?;
    let issued = agent::certificate::fetch(&place, file, &common.session()?).await?;
    let mut stdout = std::io::stdout().lock();
    if json {
        writeln!(stdout, "{}", serde_json::to_string_pretty(&issued)?)?;
        return Ok(());
    }
    writeln!(stdout, "{}, good for {} s", issued.spiffe_id, issued.good_for_s)?;
    writeln!(stdout, "certificate.pem and key.pem are in {}", place.folder.display())?;
    Ok(())
}

async fn status(common: &Common, file: &StateFile, json: bool) -> anyhow::Result<()> {
    let state = file.load()?;
    let presence = common.session()?.run(Session::presence).await?;
    let tpm = match presence {
        Presence::Present => "present",
        Presence::Absent => "absent",
    };
    let server = state.member.as_ref().map(|member| member.server.as_str());
    let credentials = state.member.as_ref().and_then(|member| member.credentials.as_ref());
    let host_id = credentials.map(|credentials| credentials.host_id.as_str());
    let mut stdout = std::io::stdout().lock();
    if json {
        let facts = serde_json::json!({
            "server": server,
            "host_id": host_id,
            "tpm": tpm,
            "has_attestation_key": state.ak.is_some(),
        });
        writeln!(stdout, "{facts:#}")?;
        return Ok(());
    }
    writeln!(stdout, "server           {}", server.unwrap_or("not joined"))?;
    writeln!(stdout, "host             {}", host_id.unwrap_or("-"))?;
    writeln!(stdout, "tpm              {tpm}")?;
    writeln!(stdout, "attestation key  {}", if state.ak.is_some() { "kept" } else { "none yet" })?;
    Ok(())
}

fn leave(file: &StateFile) -> anyhow::Result<()> {
    let mut state = file.load()?;
    let member = state.member.take().ok_or(NotJoined)?;
    state.activating = None;
    state.joining = None;
    file.save(&state)?;
    writeln!(
        std::io::stdout().lock(),
        "left {}; remove the host there too: `bootproof host remove HOST`",
        member.server
    )?;
    Ok(())
}
