//! `bootproof-agent`: see `--help`.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use agent::{
    Sources, courier, enrol,
    session::{Presence, Session, SharedSession, TpmChoice},
    source,
    state::{Member, StateFile},
};
use anyhow::{Context as _, bail};
use clap::{Args, Parser, Subcommand};
use client::{CaPin, Client, ClientError, Trust};
use tpm_device::Address;
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Collects quote, event log and facts of this host, and posts them to a Bootproof server
#[derive(Parser)]
#[command(
    name = "bootproof-agent",
    version,
    after_long_help = "\
Examples:
  bootproof-agent join https://bootproof.example.org:8443 --token TOKEN --ca-sha256 PIN
  bootproof-agent run
  bootproof-agent status --json

Exit codes: 0 done, 1 could not be done, 2 wrong use."
)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Common {
    /// The folder of the agent's state
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "BOOTPROOF_AGENT_STATE",
        default_value = "/var/lib/bootproof-agent"
    )]
    state_dir: PathBuf,
    /// The TPM: device:/dev/tpmrm0, swtpm:unix:PATH, swtpm:tcp:HOST:PORT, or none; otherwise the
    /// one of this machine
    #[arg(long, global = true, value_name = "ADDRESS", env = "BOOTPROOF_TPM")]
    tpm: Option<String>,
    /// The event log, where it is not the kernel's
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_EVENT_LOG")]
    event_log: Option<PathBuf>,
    /// The ACPI table TPM2, where it is not the kernel's
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_ACPI_TPM2")]
    acpi_tpm2: Option<PathBuf>,
    /// The running system's log of its own measurements, where it is not systemd's
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_USERSPACE_LOG")]
    userspace_log: Option<PathBuf>,
    /// Send the measurement list of IMA: it names each program that this host ran
    #[arg(long, global = true, env = "BOOTPROOF_IMA")]
    ima: bool,
    /// That list, where it is not the kernel's; goes with --ima
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_IMA_LIST")]
    ima_list: Option<PathBuf>,
    /// The folder with the texts of SMBIOS (vendor, model, firmware), where it is not the kernel's
    #[arg(long, global = true, value_name = "FOLDER", env = "BOOTPROOF_DMI")]
    dmi: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Join the inventory of a server, as root
    Join(Join),
    /// Serve the server that this host joined, until ended by a signal
    Run,
    /// Show where this host is a member, and whether it has a TPM
    Status {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget the membership; the server keeps the host until it is removed there
    Leave,
}

#[derive(Args)]
struct Join {
    /// The server, https://HOST:PORT
    #[arg(value_name = "URL")]
    server: String,
    /// The join token, as `bootproof token create` prints it
    #[arg(long, env = "BOOTPROOF_JOIN_TOKEN", hide_env_values = true)]
    token: String,
    /// SHA-256 of the server's certificate authority, as `bootproof token create` prints it
    #[arg(long, value_name = "PIN")]
    ca_sha256: CaPin,
    /// The name in the inventory, where it is not this machine's host name
    #[arg(long)]
    name: Option<String>,
}

impl Common {
    fn session(&self) -> anyhow::Result<SharedSession> {
        let choice = match self.tpm.as_deref() {
            None | Some("") => TpmChoice::Discover,
            Some("none") => TpmChoice::Without,
            Some(address) => TpmChoice::At(address.parse::<Address>()?),
        };
        Ok(SharedSession::new(Session::new(choice)))
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
            if let Some(hint) = hint.or(tpm.map(str::to_owned)) {
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let file = StateFile::in_folder(&arguments.common.state_dir)?;
    runtime.block_on(async {
        match &arguments.command {
            Command::Join(command) => join(&arguments.common, command, &file).await,
            Command::Run => serve(&arguments.common, &file).await,
            Command::Status { json } => status(&arguments.common, &file, *json).await,
            Command::Leave => leave(&file),
        }
    })
}

async fn join(common: &Common, command: &Join, file: &StateFile) -> anyhow::Result<()> {
    let mut state = file.load()?;
    if let Some(member) = &state.member
        && member.credentials.is_some()
    {
        bail!("this host is a member of {} already: `bootproof-agent leave` first", member.server);
    }
    let session = common.session()?;
    let client = Client::new(&command.server, &Trust::CaPin(command.ca_sha256))?;
    let server: api::admin::Server = client.get("/v1/server").await?;
    if CaPin::of_pem(&server.ca_pem) != Some(command.ca_sha256) {
        bail!("the server shows another authority than the one that is pinned");
    }
    state.member =
        Some(Member { server: client.base().to_owned(), ca_pem: server.ca_pem, credentials: None });
    let host = source::host::says(command.name.clone());
    let name = host.name.clone();
    let token = command.token.clone();
    let enrolled = enrol::join(&client, file, &mut state, &session, host, token).await?;
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "joined {} as {name} ({})", client.base(), enrolled.host_id)?;
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
    tokio::select! {
        served = courier::run(file, &session, &sources) => served,
        _ = term.recv() => Ok(()),
        _ = int.recv() => Ok(()),
    }
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
    let member = state.member.take().context("this host is a member of nothing")?;
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
