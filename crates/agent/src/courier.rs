//! The courier's round: ready, challenge, evidence, verdict; for ever.

use std::time::Duration;

use anyhow::Context as _;
use api::agent::{EvidenceReply, PollReply, PollRequest, TpmSays};
use client::{Client, ClientError, Trust};
use tpm_wire::PcrSet;

use crate::{
    Sources, enrol,
    enrol::SettleError,
    evidence,
    session::{Presence, Session, SharedSession},
    source::host,
    state::{State, StateFile},
};

/// Seconds between two looks for a TPM that is absent.
const LOOK_S: u64 = 2;

/// Seconds to wait after the first failure; doubled after each further one.
const BACKOFF_S_MIN: u64 = 1;
/// Seconds to wait at most: a server that is back is found within a minute.
const BACKOFF_S_MAX: u64 = 60;

/// Why the round ends.
enum Stop {
    /// Wait, then begin anew.
    Transient(ClientError),
    /// Something that waiting alone does not mend; tried again nevertheless, at the longest pause.
    Lasting(anyhow::Error),
}

impl From<ClientError> for Stop {
    fn from(err: ClientError) -> Self {
        if err.is_transient() { Self::Transient(err) } else { Self::Lasting(err.into()) }
    }
}

/// Serves the server that this host joined, until the process ends. An error where the host is no
/// member of anything.
pub async fn run(
    file: &StateFile,
    session: &SharedSession,
    sources: &Sources,
) -> anyhow::Result<()> {
    let mut state = file.load()?;
    let member = state.member.as_ref().context("this host has not joined a server yet")?;
    let client = Client::new(&member.server, &Trust::CaPem(member.ca_pem.clone()))?;
    tracing::info!(server = member.server, "serving");
    let mut pause_s = BACKOFF_S_MIN;
    loop {
        let stop = match round(&client, file, &mut state, session, sources).await {
            Ok(()) => {
                pause_s = BACKOFF_S_MIN;
                continue;
            }
            Err(stop) => stop,
        };
        match stop {
            Stop::Transient(err) => {
                tracing::warn!(error = %chain(&err), "again in {pause_s} s");
            }
            Stop::Lasting(err) => {
                pause_s = pause_s.max(BACKOFF_S_MAX / 4);
                tracing::error!(error = format!("{err:#}"), "again in {pause_s} s");
            }
        }
        tokio::time::sleep(Duration::from_secs(pause_s)).await;
        pause_s = (pause_s * 2).min(BACKOFF_S_MAX);
    }
}

async fn round(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    sources: &Sources,
) -> Result<(), Stop> {
    enrol::settle(client, file, state).await.map_err(|err| match err {
        SettleError::Client(err) => err.into(),
        SettleError::State(err) => Stop::Lasting(err),
    })?;
    let credentials = state.member.as_ref().and_then(|member| member.credentials.clone());
    let credentials = credentials.ok_or_else(|| {
        Stop::Lasting(anyhow::anyhow!("the enrolment was not completed: join again"))
    })?;
    let client = client.with_token(credentials.host_token);
    let presence = look(session).await?;
    let reply = match presence {
        Presence::Present => poll(&client, TpmSays::Present).await?,
        // A TPM that appears is told at once, not at the end of the long poll.
        Presence::Absent => tokio::select! {
            reply = poll(&client, TpmSays::Absent) => reply?,
            appeared = wait_for_tpm(session) => return appeared,
        },
    };
    match reply {
        PollReply::Wait { retry_after_s } => {
            tokio::time::sleep(Duration::from_secs(retry_after_s)).await;
        }
        PollReply::Enrol => {
            let enrolled = enrol::enrol(&client, file, state, session).await.map_err(lasting)?;
            match enrolled.findings.first() {
                None => tracing::info!("the identity key is stored"),
                Some(finding) => tracing::error!(
                    code = finding.code,
                    next_step = finding.next_step,
                    "the identity key is not stored: {}",
                    finding.cause
                ),
            }
        }
        PollReply::Attest { nonce, pcrs, .. } => {
            let pcrs: PcrSet = pcrs.into_iter().collect();
            attest(&client, file, state, session, sources, &nonce, pcrs).await?;
        }
    }
    Ok(())
}

async fn attest(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    sources: &Sources,
    nonce: &[u8],
    pcrs: PcrSet,
) -> Result<(), Stop> {
    let (sources, kept, nonce) = (sources.clone(), state.ak.clone(), nonce.to_vec());
    let (evidence, ak) = session
        .run(move |session| evidence::collect(session, &sources, kept.as_ref(), &nonce, pcrs))
        .await
        .map_err(Stop::Lasting)?;
    if let Some(ak) = ak {
        enrol::save_ak(state, file, ak).map_err(Stop::Lasting)?;
    }
    let reply: EvidenceReply = client.post("/v1/agent/evidence", &evidence).await?;
    match reply.findings.iter().find(|finding| finding.severity == "fail") {
        None => tracing::info!(verdict = reply.verdict, "attested"),
        Some(finding) => tracing::warn!(
            verdict = reply.verdict,
            code = finding.code,
            next_step = finding.next_step,
            "attested: {}",
            finding.cause
        ),
    }
    Ok(())
}

async fn poll(client: &Client, tpm: TpmSays) -> Result<PollReply, ClientError> {
    let agent_version = env!("CARGO_PKG_VERSION").to_owned();
    let request = PollRequest { tpm, agent_version, up_s: host::up_s() };
    client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await
}

async fn look(session: &SharedSession) -> Result<Presence, Stop> {
    session.run(Session::presence).await.map_err(Stop::Lasting)
}

/// Resolves once a TPM is there.
async fn wait_for_tpm(session: &SharedSession) -> Result<(), Stop> {
    loop {
        tokio::time::sleep(Duration::from_secs(LOOK_S)).await;
        if look(session).await? == Presence::Present {
            tracing::info!("a TPM has appeared");
            return Ok(());
        }
    }
}

fn lasting(err: anyhow::Error) -> Stop {
    match err.downcast::<ClientError>() {
        Ok(err) => err.into(),
        Err(err) => Stop::Lasting(err),
    }
}

fn chain(err: &dyn std::error::Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
