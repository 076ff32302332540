//! A host that attests, at the server or at the limit.

use std::{io::Write as _, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use api::agent::{EvidenceReply, KeySays, PollReply, PollRequest, TpmSays};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use client::Client;
use fleet_sim::Host;
use tpm_wire::PcrSet;

use crate::{
    fill::sha256,
    frame::{ANSWER_BYTES, Request, SIGNATURE_BYTES},
    line::Line,
};

/// What all hosts of a run boot.
#[derive(Debug)]
pub struct SharedLog {
    /// The log.
    pub bytes: Vec<u8>,
    sha256: [u8; 32],
    base64: String,
}

impl SharedLog {
    /// Of these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { base64: STANDARD.encode(&bytes), sha256: sha256(&bytes), bytes }
    }
}

/// Whom it attests to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The server: it asks what to do, is challenged, and answers.
    Server,
    /// The limit: the answer alone.
    Limit,
}

/// The PCRs that the limit asks for: those that a server asks for after the log.
pub fn limit_pcrs() -> PcrSet {
    PcrSet::FIRMWARE.union([8, 9, 14].into_iter().collect())
}

/// A host with what it needs to speak.
pub struct Guest {
    host: Host,
    /// Its identifier in the inventory.
    id: String,
    number: u32,
    token: String,
    log: Arc<SharedLog>,
    /// What comes before and after the log in evidence over PCRs, as it was sent last.
    around: Option<(Vec<u32>, [String; 2])>,
    request: Vec<u8>,
    poll: Vec<u8>,
}

impl Guest {
    /// The `number`-th host, a member of this identifier and token.
    pub fn new(
        host: Host,
        number: u32,
        (id, token): (String, String),
        log: Arc<SharedLog>,
    ) -> anyhow::Result<Self> {
        let request = PollRequest {
            tpm: TpmSays::Present,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            up_s: None,
            key: KeySays::Kept,
        };
        let body = serde_json::to_vec(&request)?;
        let mut poll = Vec::new();
        post(&mut poll, "/v1/agent/poll", &token, &[&body])?;
        Ok(Self { host, id, number, token, log, around: None, request: Vec::new(), poll })
    }

    /// Its host, which from now on speaks for itself, through `client`.
    pub fn into_host(self, client: &Client) -> Host {
        self.host.enrolled(self.id, client.with_token(self.token))
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Attests once.
    pub async fn attest(&mut self, peer: Peer, line: &mut Line) -> anyhow::Result<()> {
        match peer {
            Peer::Limit => self.attest_to_limit(line).await,
            Peer::Server => {
                while !self.attest_when_asked(line).await? {}
                Ok(())
            }
        }
    }

    /// Asks what to do, and does it; whether there was something.
    pub async fn attest_when_asked(&mut self, line: &mut Line) -> anyhow::Result<bool> {
        let reply = serde_json::from_slice(line.ask(&self.poll).await?)?;
        let (nonce, pcrs, known) = match reply {
            PollReply::Attest { nonce, pcrs, known_log_sha256, .. } => {
                (nonce, pcrs, known_log_sha256)
            }
            PollReply::Wait { .. } => return Ok(false),
            other => bail!("the server asks {} for {other:?}", self.host.name()),
        };
        self.write_evidence(&nonce, pcrs, known.as_deref())?;
        let reply: EvidenceReply = serde_json::from_slice(line.ask(&self.request).await?)?;
        ensure!(reply.verdict == "accepted", "{}: {:?}", self.host.name(), reply.findings);
        Ok(true)
    }

    fn write_evidence(
        &mut self,
        nonce: &[u8],
        pcrs: Vec<u32>,
        known: Option<&[u8]>,
    ) -> anyhow::Result<()> {
        let quote = self.host.quote(nonce, pcrs.iter().copied().collect())?;
        if self.around.as_ref().is_none_or(|(of, _)| *of != pcrs) {
            let rest = self.host.evidence_but_quote(pcrs.iter().copied().collect());
            let json = serde_json::to_string(&api::agent::Evidence { event_log: None, ..rest })?;
            let json = json.strip_prefix(r#"{"nonce":"","quote":null"#).context("evidence")?;
            let (before, after) = json.split_once(r#""event_log":null"#).context("evidence")?;
            self.around = Some((pcrs, [before.to_owned(), after.to_owned()]));
        }
        let (_, [before, after]) = self.around.as_ref().context("evidence")?;
        let own = format!(
            r#"{{"nonce":"{}","quote":{{"attest":"{}","signature":"{}"}}"#,
            STANDARD.encode(nonce),
            STANDARD.encode(&*quote.attest),
            STANDARD.encode(&*quote.signature)
        );
        // As agents do: the digest alone where the server says that it has the log.
        let log = match known == Some(&self.log.sha256) {
            true => [r#""event_log":null,"event_log_sha256":""#, &STANDARD.encode(self.log.sha256)],
            false => [r#""event_log":""#, &self.log.base64],
        };
        let parts = [&own, before, log[0], log[1], "\"", after];
        self.request.clear();
        post(&mut self.request, "/v1/agent/evidence", &self.token, &parts.map(str::as_bytes))
    }

    async fn attest_to_limit(&mut self, line: &mut Line) -> anyhow::Result<()> {
        // Some challenge: who is asked once cannot be told a new one.
        let quote = self.host.quote(&[7; 32], limit_pcrs())?;
        // TPMT_SIGNATURE: algorithm, hash, then both numbers with their lengths. [TPM2-P2-1.59 §11.3.4]
        let both = quote.signature.get(4..).context("no signature")?;
        let (r, s) = both.split_at_checked(2 + SIGNATURE_BYTES / 2).context("no signature")?;
        let signature = [r.get(2..).context("r")?, s.get(2..).context("s")?].concat();
        ensure!(signature.len() == SIGNATURE_BYTES, "a number of the signature is short");
        let request = Request {
            host: self.number,
            attest: &quote.attest,
            signature: &signature,
            values: &[0; 11 * 32],
            log: &self.log.bytes,
        };
        self.request.clear();
        request.write(&mut self.request)?;
        let answer = line.exchange(&self.request, ANSWER_BYTES).await?;
        ensure!(answer.first() == Some(&1), "the limit does not take the quote");
        Ok(())
    }

    /// The point of the key that signs, as the limit wants to know it.
    pub fn ak_point(&self) -> anyhow::Result<Vec<u8>> {
        let public = self.host.keys().ak_public;
        let both = public.last_chunk::<68>().context("no point")?;
        // Both coordinates with their lengths end the public area. [TPM2-P2-1.59 §12.2.4]
        Ok([&[4], &both[2..34], &both[36..68]].concat())
    }
}

/// Appends a request of HTTP.
fn post(out: &mut Vec<u8>, path: &str, token: &str, body: &[&[u8]]) -> anyhow::Result<()> {
    let n_bytes: usize = body.iter().map(|part| part.len()).sum();
    write!(
        out,
        "POST {path} HTTP/1.1\r\nhost: server\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {n_bytes}\r\n\r\n"
    )?;
    for part in body {
        out.extend_from_slice(part);
    }
    Ok(())
}
