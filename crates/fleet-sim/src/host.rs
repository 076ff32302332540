//! A virtual host: what its agent would send.

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, bail};
use api::{
    agent::{
        ActivateReply, ActivateRequest, EnrolReply, Evidence, HOST_TOKEN_PREFIX, HostSays,
        JoinRequest, KeySays, PollReply, PollRequest, Quote, TpmKeys, TpmSays, host_token_message,
    },
    machine::Machine,
};
use aws_lc_rs::{digest, hmac};
use client::{Client, ClientError};
use testkit::log::BuiltLog;
use tpm_wire::{PcrBank, PcrSet, TpmAlgId};

use crate::{chip::Chip, maker::Maker, summary::Answer};

/// What hosts of one kind boot: a log, and the PCRs that it leads to.
pub struct Booted {
    log: Vec<u8>,
    bank: PcrBank,
}

impl Booted {
    /// What leads to this log.
    pub fn new(log: BuiltLog) -> anyhow::Result<Self> {
        let bank = log.pcrs.into_iter().find(|bank| bank.alg() == TpmAlgId::SHA256);
        Ok(Self { log: log.bytes, bank: bank.context("the log has no bank of SHA-256")? })
    }
}

/// What came of one turn of a host.
#[derive(Debug)]
pub(crate) enum Attested {
    /// It has a verdict on its answer to this challenge.
    Judged { nonce: Vec<u8>, verdict: String },
    /// Something that no host does.
    Other(String),
}

/// What goes wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It boots something else from the second round on.
    Drift,
    /// Its quotes are changed on their way.
    BadEvidence,
    /// It never speaks after it joined.
    Silence,
}

/// A virtual host.
pub struct Host {
    name: String,
    /// Empty until it has joined.
    id: String,
    chip: Chip,
    client: Client,
    booted: Arc<Booted>,
    machine: Machine,
    pub(crate) fault: Fault,
    powered_on: Instant,
}

impl Host {
    /// A machine with a chip of `maker` that is in no inventory yet.
    pub fn new(
        name: String,
        maker: &Maker,
        client: &Client,
        booted: Arc<Booted>,
    ) -> anyhow::Result<Self> {
        let n: usize = name.bytes().map(usize::from).sum();
        let machine = Machine {
            system_vendor: Some("Simulated Systems".to_owned()),
            product_name: Some(format!("Model {}", n % 4)),
            firmware_version: Some("2.4".to_owned()),
            os_name: Some("Simulated Linux 1".to_owned()),
            ..Machine::default()
        };
        Ok(Self {
            name,
            id: String::new(),
            chip: Chip::new(maker)?,
            client: client.clone(),
            booted,
            machine,
            fault: Fault::None,
            powered_on: Instant::now(),
        })
    }

    /// Joins with `token`.
    pub async fn join(mut self, token: &str) -> anyhow::Result<Self> {
        // Used only where no identity key can be stored, which here is an error.
        let unused = digest::digest(&digest::SHA256, self.name.as_bytes()).as_ref().to_vec();
        let request = JoinRequest {
            token: token.to_owned(),
            host: HostSays {
                name: self.name.clone(),
                agent_version: env!("CARGO_PKG_VERSION").to_owned(),
                kernel: "6.12.0".to_owned(),
            },
            tpm: Some(self.chip.keys()),
            token_sha256: unused.into(),
        };
        let reply: EnrolReply = self.client.post("/v1/agent/join", &request).await?;
        let EnrolReply::Activate { enrolment_id, credential, .. } = reply else {
            bail!("the server did not take the keys of {}: {reply:?}", self.name);
        };
        let secret = self.chip.activate(&credential)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let mac = hmac::sign(&key, &host_token_message(&enrolment_id));
        let token = format!("{HOST_TOKEN_PREFIX}{}", hex::encode(mac));
        let request = ActivateRequest { enrolment_id, secret: secret.into() };
        let reply: ActivateReply = self.client.post("/v1/agent/activate", &request).await?;
        self.client = self.client.with_token(token);
        self.id = reply.host_id;
        Ok(self)
    }

    /// The same as a member: enrolled past the API as `id`, and speaking through `client`.
    #[must_use]
    pub fn enrolled(self, id: String, client: Client) -> Self {
        Self { id, client, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its identifier in the inventory; empty until it has joined.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The keys of its chip, with the certificate.
    pub fn keys(&self) -> TpmKeys {
        self.chip.keys()
    }

    /// Another boot, of `booted`.
    pub(crate) fn reboot(&mut self, booted: &Arc<Booted>) {
        self.booted = Arc::clone(booted);
        self.chip.reset_count = self.chip.reset_count.wrapping_add(1);
        self.powered_on = Instant::now();
    }

    /// Asks once what to do; answers where it is asked for evidence. A poll that ends without a challenge is
    /// followed by the next.
    pub(crate) async fn attest_once(&self) -> Result<Attested, ClientError> {
        let (nonce, pcrs, known_log) = loop {
            let request = PollRequest {
                tpm: TpmSays::Present,
                agent_version: env!("CARGO_PKG_VERSION").to_owned(),
                up_s: Some(self.powered_on.elapsed().as_secs()),
                key: KeySays::Kept,
            };
            let reply = self.client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await;
            match reply? {
                PollReply::Attest { nonce, pcrs, known_log_sha256, .. } => {
                    break (nonce, pcrs, known_log_sha256);
                }
                PollReply::Wait { .. } => {}
                other => return Ok(Attested::Other(format!("the server asks for {other:?}"))),
            }
        };
        let evidence = match self.evidence(&nonce, pcrs.into_iter().collect()) {
            Ok(evidence) => evidence,
            Err(err) => return Ok(Attested::Other(format!("{err:#}"))),
        };
        let reply = self.client.show_evidence(evidence, known_log.as_deref()).await?;
        Ok(Attested::Judged { nonce: nonce.0, verdict: reply.verdict })
    }

    /// Waits for a challenge, and answers it.
    pub(crate) async fn attest(&self) -> anyhow::Result<Answer> {
        let (nonce, pcrs, known_log) = loop {
            let request = PollRequest {
                tpm: TpmSays::Present,
                agent_version: env!("CARGO_PKG_VERSION").to_owned(),
                up_s: Some(self.powered_on.elapsed().as_secs()),
                key: KeySays::Kept,
            };
            let reply = self.client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await;
            match reply? {
                PollReply::Attest { nonce, pcrs, known_log_sha256, .. } => {
                    break (nonce, pcrs, known_log_sha256);
                }
                PollReply::Wait { .. } => {}
                other => bail!("the server asks {} for {other:?}", self.name),
            }
        };
        let evidence = self.evidence(&nonce, pcrs.into_iter().collect())?;
        let begun = Instant::now();
        let reply = self.client.show_evidence(evidence, known_log.as_deref()).await;
        let took = begun.elapsed();
        match reply {
            Ok(reply) => Ok(Answer::Judged { verdict: reply.verdict, took }),
            Err(err) => match err.code() {
                Some(code) => Ok(Answer::Refused { code: code.to_owned(), took }),
                None => Err(err.into()),
            },
        }
    }

    fn evidence(&self, nonce: &[u8], pcrs: PcrSet) -> anyhow::Result<Evidence> {
        let mut quote = self.quote(nonce, pcrs)?;
        if self.fault == Fault::BadEvidence
            && let Some(byte) = quote.signature.0.last_mut()
        {
            *byte ^= 1;
        }
        let rest = self.evidence_but_quote(pcrs);
        Ok(Evidence { nonce: nonce.into(), quote: Some(quote), ..rest })
    }

    /// A quote over `pcrs` for the challenge `nonce`.
    pub fn quote(&self, nonce: &[u8], pcrs: PcrSet) -> anyhow::Result<Quote> {
        let clock_ms = u64::try_from(self.powered_on.elapsed().as_millis())?
            .saturating_add(u64::from(self.chip.reset_count).saturating_mul(1_000_000));
        self.chip.quote(nonce, pcrs, &self.booted.bank, clock_ms)
    }

    /// What is the same for each challenge that asks for `pcrs`.
    pub fn evidence_but_quote(&self, pcrs: PcrSet) -> Evidence {
        let bank = &self.booted.bank;
        let values =
            pcrs.iter().filter_map(|pcr| Some((pcr, hex::encode(bank.get(pcr)?.as_bytes()))));
        let all = std::iter::once(("sha256".to_owned(), values.collect()));
        Evidence {
            pcrs: api::pcrs::Pcrs(all.collect()),
            event_log: Some(self.booted.log.clone().into()),
            ak_public: Some(self.chip.ak_public().into()),
            active_banks: vec!["sha256".to_owned()],
            machine: Some(self.machine.clone()),
            tpm: Some(self.chip.properties()),
            ..Evidence::default()
        }
    }
}
