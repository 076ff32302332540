//! The courier's round: ready, challenge, evidence, verdict; for ever.

use std::time::Duration;

use anyhow::Context as _;
use api::agent::{EvidenceReply, KeySays, PollReply, PollRequest, TpmSays};
use client::{Client, ClientError, Trust};
use tpm_wire::PcrSet;

use crate::{
    Sources,
    backoff::Backoff,
    enrol::{self, EnrolKey},
    evidence,
    outlook::Outlook,
    presence,
    session::{Presence, Session, SharedSession},
    source::host,
    state::{State, StateFile},
};

/// Serves the server that this host joined, until the process ends: whatever fails is tried again,
/// from before the network is up to after the server's next start. An error where the host is no
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
    presence::wait_at_boot(session).await?;
    let mut backoff = Backoff::new();
    let mut key = None;
    loop {
        let Err(err) = round(&client, file, &mut state, session, sources, &mut key).await else {
            backoff.reset();
            continue;
        };
        let outlook = Outlook::of(&err);
        match outlook {
            Outlook::Passing => {}
            Outlook::Slow => backoff.slow_down_fully(),
            Outlook::Lasting => backoff.slow_down(),
        }
        let pause = backoff.pause();
        let (error, pause_s) = (format!("{err:#}"), pause.as_secs_f32());
        match outlook {
            Outlook::Passing => tracing::warn!(error, "again in {pause_s:.1} s"),
            Outlook::Slow | Outlook::Lasting => {
                tracing::error!(error, "again in {pause_s:.1} s");
            }
        }
        tokio::time::sleep(pause).await;
    }
}

async fn round(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    sources: &Sources,
    key: &mut Option<KeySays>,
) -> anyhow::Result<()> {
    enrol::settle(client, file, state).await?;
    let credentials = state.member.as_ref().and_then(|member| member.credentials.clone());
    let credentials = credentials.context("the enrolment was not completed: join again")?;
    let client = client.with_token(credentials.host_token);
    let presence = look(session).await?;
    let key = match presence {
        Presence::Present => looked_at(key, session, state).await?,
        // It is looked at once there is a TPM.
        Presence::Absent => &mut KeySays::Kept,
    };
    let reply = match presence {
        Presence::Present => poll(&client, TpmSays::Present, key).await?,
        // A TPM that appears is told at once, not at the end of the long poll.
        Presence::Absent => tokio::select! {
            reply = poll(&client, TpmSays::Absent, key) => reply?,
            appeared = wait_for_tpm(session) => return appeared,
        },
    };
    match reply {
        PollReply::Wait { retry_after_s } => {
            tokio::time::sleep(Duration::from_secs(retry_after_s)).await;
        }
        PollReply::Enrol => {
            let wanted = if key.is_kept() { EnrolKey::Kept } else { EnrolKey::Anew };
            *key = enrolled(&client, file, state, session, wanted).await?;
        }
        PollReply::RotateKey => {
            *key = enrolled(&client, file, state, session, EnrolKey::Anew).await?;
        }
        PollReply::Attest { nonce, pcrs, .. } => {
            let pcrs: PcrSet = pcrs.into_iter().collect();
            attest(&client, file, state, session, sources, key, &nonce, pcrs).await?;
        }
    }
    Ok(())
}

/// What is to be told of the kept key: looked at once, since another TPM comes with a start of the
/// machine only. That a TPM was cleared while it runs is seen at the next evidence.
async fn looked_at<'a>(
    key: &'a mut Option<KeySays>,
    session: &SharedSession,
    state: &State,
) -> anyhow::Result<&'a mut KeySays> {
    if key.is_none()
        && let Some(kept) = state.ak.clone()
    {
        let loads = session.run(move |session| session.loads(&kept)).await?;
        // A TPM that fails says nothing of the key: evidence tells what it answers.
        if loads.is_ok_and(|loads| !loads) {
            tracing::warn!("the TPM does not know the kept key: it was cleared, or is another one");
            *key = Some(KeySays::Lost);
        }
    }
    Ok(key.get_or_insert(KeySays::Kept))
}

/// Enrols, and says what is to be told of the key from then on.
async fn enrolled(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    wanted: EnrolKey,
) -> anyhow::Result<KeySays> {
    let enrolled = enrol::enrol(client, file, state, session, wanted).await?;
    if let Some(finding) = enrolled.findings.first() {
        tracing::error!(
            code = finding.code,
            next_step = finding.next_step,
            "the identity key is not stored: {}",
            finding.cause
        );
    }
    match (enrolled.quarantined, enrolled.findings.first(), wanted) {
        (Some(ek_sha256), ..) => Ok(KeySays::Quarantined { ek_sha256 }),
        (None, None, _) => {
            tracing::info!("the identity key is stored");
            Ok(KeySays::Kept)
        }
        (None, Some(_), EnrolKey::Kept) => Ok(KeySays::Kept),
        // It would be asked for at once again, and the cause needs a person.
        (None, Some(finding), EnrolKey::Anew) => {
            Err(anyhow::anyhow!("the new key is not stored: {}", finding.cause))
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "what a round has, each of another kind")]
async fn attest(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    sources: &Sources,
    key: &mut KeySays,
    nonce: &[u8],
    pcrs: PcrSet,
) -> anyhow::Result<()> {
    let (sources, kept, nonce) = (sources.clone(), state.ak.clone(), nonce.to_vec());
    let (evidence, ak) = session
        .run(move |session| evidence::collect(session, &sources, kept.as_ref(), &nonce, pcrs))
        .await?;
    if let Some(ak) = ak {
        let is_lost = state.ak.as_ref().is_some_and(|kept| kept.public != ak.public);
        if is_lost && key.is_kept() {
            // Nobody knows the new key, so that its quote would prove nothing: it is enrolled first.
            tracing::warn!("the TPM was cleared, or is another one: enrolling a new key");
            enrol::save_next_ak(state, file, ak)?;
            *key = KeySays::Lost;
            return Ok(());
        }
        // A server that stored no key of this host wants evidence all the same.
        *key = KeySays::Kept;
        enrol::save_ak(state, file, ak)?;
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

async fn poll(client: &Client, tpm: TpmSays, key: &KeySays) -> Result<PollReply, ClientError> {
    let agent_version = env!("CARGO_PKG_VERSION").to_owned();
    let request = PollRequest { tpm, agent_version, up_s: host::up_s(), key: key.clone() };
    client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await
}

async fn look(session: &SharedSession) -> anyhow::Result<Presence> {
    session.run(Session::presence).await
}

/// Resolves once a TPM is there.
async fn wait_for_tpm(session: &SharedSession) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(presence::LOOK).await;
        if look(session).await? == Presence::Present {
            tracing::info!("a TPM has appeared");
            return Ok(());
        }
    }
}
