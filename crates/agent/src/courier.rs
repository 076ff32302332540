//! The courier's round: ready, challenge, evidence, verdict; for ever.

use std::time::Duration;

use anyhow::Context as _;
use api::{
    Bytes,
    agent::{KeySays, PollReply, PollRequest, TpmSays},
};
use client::{Client, ClientError, Trust};
use tokio::sync::watch;
use tpm_wire::PcrSet;

use crate::{
    Sources,
    backoff::Backoff,
    certificate::Accepted,
    enrol::{self, EnrolKey},
    evidence::{self, Asked, Collected},
    outlook::Outlook,
    presence,
    session::{Presence, Session, SharedSession},
    source::host,
    spent::cpu_during,
    state::{NotJoined, State, StateFile},
};

/// Serves the server that this host joined, until the process ends: whatever fails is tried again,
/// from before the network is up to after the server's next start. An error where the host is no
/// member of anything. Each change of what the server says of this host is told to `accepted`.
pub async fn run(
    file: &StateFile,
    session: &SharedSession,
    sources: &Sources,
    accepted: &watch::Sender<Accepted>,
) -> anyhow::Result<()> {
    let state = file.load()?;
    let member = state.member.as_ref().ok_or(NotJoined)?;
    let client = Client::new(&member.server, &Trust::CaPem(member.ca_pem.clone()))?;
    tracing::info!(server = member.server, "serving");
    presence::wait_at_boot(session).await?;
    let mut courier = Courier { file, session, sources, accepted, state, key: None };
    let mut backoff = Backoff::new();
    loop {
        let Err(err) = courier.round(&client).await else {
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

struct Courier<'a> {
    file: &'a StateFile,
    session: &'a SharedSession,
    sources: &'a Sources,
    /// Who keeps a certificate waits for it.
    accepted: &'a watch::Sender<Accepted>,
    state: State,
    /// What is to be told of the kept key; nothing before it was looked at.
    key: Option<KeySays>,
}

impl Courier<'_> {
    async fn round(&mut self, client: &Client) -> anyhow::Result<()> {
        enrol::settle(client, self.file, &mut self.state).await?;
        let credentials = self.state.member.as_ref().and_then(|member| member.credentials.clone());
        let credentials = credentials.context("the enrolment was not completed: join again")?;
        let client = client.with_token(credentials.host_token);
        let reply = match look(self.session).await? {
            Presence::Present => {
                let key = self.looked_at().await?;
                poll(&client, TpmSays::Present, key).await?
            }
            // A TPM that appears is told at once, not at the end of the long poll; its key is looked
            // at then.
            Presence::Absent => tokio::select! {
                reply = poll(&client, TpmSays::Absent, KeySays::Kept) => reply?,
                appeared = wait_for_tpm(self.session) => return appeared,
            },
        };
        match reply {
            PollReply::Wait { retry_after_s } => {
                tokio::time::sleep(Duration::from_secs(retry_after_s)).await;
                Ok(())
            }
            PollReply::Enrol => {
                let is_kept = self.key.as_ref().is_none_or(KeySays::is_kept);
                self.enrol(&client, if is_kept { EnrolKey::Kept } else { EnrolKey::Anew }).await
            }
            PollReply::RotateKey => self.enrol(&client, EnrolKey::Anew).await,
            PollReply::Attest { nonce, pcrs, known_log_sha256, .. } => {
                let pcrs = pcrs.into_iter().collect();
                self.attest(&client, nonce.0, pcrs, known_log_sha256).await
            }
        }
    }

    /// What is to be told of the kept key: looked at once, since another TPM comes with a start of
    /// the machine only. That a TPM was cleared while it runs is seen at the next evidence.
    async fn looked_at(&mut self) -> anyhow::Result<KeySays> {
        if self.key.is_none()
            && let Some(kept) = self.state.ak.clone()
        {
            let loads = self.session.run(move |session| session.loads(&kept)).await?;
            // A TPM that fails says nothing of the key: evidence tells what it answers.
            if loads.is_ok_and(|loads| !loads) {
                tracing::warn!(
                    "the TPM does not know the kept key: it was cleared, or is another one"
                );
                self.key = Some(KeySays::Lost);
            }
        }
        Ok(self.key.get_or_insert(KeySays::Kept).clone())
    }

    async fn enrol(&mut self, client: &Client, wanted: EnrolKey) -> anyhow::Result<()> {
        let enrolled =
            enrol::enrol(client, self.file, &mut self.state, self.session, wanted).await?;
        if let Some(finding) = enrolled.findings.first() {
            tracing::error!(
                code = finding.code,
                next_step = finding.next_step,
                "the identity key is not stored: {}",
                finding.cause
            );
        }
        self.key = Some(match (enrolled.quarantined, enrolled.findings.first(), wanted) {
            (Some(ek_sha256), ..) => KeySays::Quarantined { ek_sha256 },
            (None, None, _) => {
                tracing::info!("the identity key is stored");
                KeySays::Kept
            }
            (None, Some(_), EnrolKey::Kept) => KeySays::Kept,
            // It would be asked for at once again, and the cause needs a person.
            (None, Some(finding), EnrolKey::Anew) => {
                anyhow::bail!("the new key is not stored: {}", finding.cause)
            }
        });
        Ok(())
    }

    async fn attest(
        &mut self,
        client: &Client,
        nonce: Vec<u8>,
        pcrs: PcrSet,
        known_log_sha256: Option<Bytes>,
    ) -> anyhow::Result<()> {
        let (sources, kept) = (self.sources.clone(), self.state.ak.clone());
        let collect = move |session: &mut _| {
            let known_log_sha256 = known_log_sha256.as_deref();
            let asked = Asked { nonce: &nonce, pcrs, known_log_sha256 };
            evidence::collect(session, &sources, kept.as_ref(), asked)
        };
        let Collected { evidence, ak, mut spent } = self.session.run(collect).await?;
        if let Some(ak) = ak {
            let is_lost = self.state.ak.as_ref().is_some_and(|kept| kept.public != ak.public);
            if is_lost && self.key.as_ref().is_none_or(KeySays::is_kept) {
                // Nobody knows the new key, so that its quote would prove nothing: it is enrolled
                // first.
                tracing::warn!("the TPM was cleared, or is another one: enrolling a new key");
                enrol::save_next_ak(&mut self.state, self.file, ak)?;
                self.key = Some(KeySays::Lost);
                return Ok(());
            }
            // A server that stored no key of this host wants evidence all the same.
            self.key = Some(KeySays::Kept);
            enrol::save_ak(&mut self.state, self.file, ak)?;
        }
        let left_out = async { evidence::whole_log(self.sources) };
        let (reply, sending) = cpu_during(client.show_evidence_or(evidence, left_out)).await;
        let reply = reply?;
        spent.own += sending;
        let accepted = Some(reply.verdict == "accepted");
        self.accepted.send_if_modified(|last| std::mem::replace(last, accepted) != accepted);
        let (tpm_ms, own_ms) = spent.ms();
        match reply.findings.iter().find(|finding| finding.severity == "fail") {
            None => tracing::info!(verdict = reply.verdict, tpm_ms, own_ms, "attested"),
            Some(finding) => tracing::warn!(
                verdict = reply.verdict,
                tpm_ms,
                own_ms,
                code = finding.code,
                next_step = finding.next_step,
                "attested: {}",
                finding.cause
            ),
        }
        Ok(())
    }
}

async fn poll(client: &Client, tpm: TpmSays, key: KeySays) -> Result<PollReply, ClientError> {
    let agent_version = env!("CARGO_PKG_VERSION").to_owned();
    let request = PollRequest { tpm, agent_version, up_s: host::up_s(), key };
    client.poll(&request).await
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
