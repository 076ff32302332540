//! A virtual host: what its agent would send.

use std::{sync::Arc, time::Instant};

use anyhow::{Context as _, bail};
use api::{
    agent::{
        ActivateReply, ActivateRequest, EnrolReply, Evidence, EvidenceReply, HOST_TOKEN_PREFIX,
        HostSays, JoinRequest, KeySays, PollReply, PollRequest, TpmSays, host_token_message,
    },
    machine::Machine,
};
use aws_lc_rs::{digest, hmac};
use client::{Client, ClientError};
use testkit::log::BuiltLog;
use tpm_wire::{PcrBank, PcrSet, TpmAlgId};

use crate::{chip::Chip, maker::Maker, summary::Answer};

/// What hosts of one kind boot: a log, and the PCRs that it leads to.
pub(crate) struct Booted {
    log: Vec<u8>,
    bank: PcrBank,
}

impl Booted {
    pub(crate) fn new(log: BuiltLog) -> anyhow::Result<Self> {
        let bank = log.pcrs.into_iter().find(|bank| bank.alg() == TpmAlgId::SHA256);
        Ok(Self { log: log.bytes, bank: bank.context("the log has no bank of SHA-256")? })
    }
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

/// A host.
pub(crate) struct Host {
    name: String,
    chip: Chip,
    client: Client,
    booted: Arc<Booted>,
    machine: Machine,
    pub(crate) fault: Fault,
    powered_on: Instant,
}

impl Host {
    /// Makes a chip and joins with `token`.
    pub(crate) async fn join(
        name: String,
        maker: &Maker,
        client: &Client,
        token: &str,
        booted: Arc<Booted>,
        fault: Fault,
    ) -> anyhow::Result<Self> {
        let chip = Chip::new(maker)?;
        let n: usize = name.bytes().map(usize::from).sum();
        let machine = Machine {
            system_vendor: Some("Simulated Systems".to_owned()),
            product_name: Some(format!("Model {}", n % 4)),
            firmware_version: Some("2.4".to_owned()),
            os_name: Some("Simulated Linux 1".to_owned()),
            ..Machine::default()
        };
        // Used only where no identity key can be stored, which here is an error.
        let unused = digest::digest(&digest::SHA256, name.as_bytes()).as_ref().to_vec();
        let request = JoinRequest {
            token: token.to_owned(),
            host: HostSays {
                name: name.clone(),
                agent_version: env!("CARGO_PKG_VERSION").to_owned(),
                kernel: "6.12.0".to_owned(),
            },
            tpm: Some(chip.keys()),
            token_sha256: unused.into(),
        };
        let reply: EnrolReply = client.post("/v1/agent/join", &request).await?;
        let EnrolReply::Activate { enrolment_id, credential, .. } = reply else {
            bail!("the server did not take the keys of {name}: {reply:?}");
        };
        let secret = chip.activate(&credential)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let mac = hmac::sign(&key, &host_token_message(&enrolment_id));
        let token = format!("{HOST_TOKEN_PREFIX}{}", hex::encode(mac));
        let request = ActivateRequest { enrolment_id, secret: secret.into() };
        let _: ActivateReply = client.post("/v1/agent/activate", &request).await?;
        let client = client.with_token(token);
        Ok(Self { name, chip, client, booted, machine, fault, powered_on: Instant::now() })
    }

    /// Another boot, of `booted`.
    pub(crate) fn reboot(&mut self, booted: &Arc<Booted>) {
        self.booted = Arc::clone(booted);
        self.chip.reset_count = self.chip.reset_count.wrapping_add(1);
        self.powered_on = Instant::now();
    }

    /// Waits for a challenge, and answers it.
    pub(crate) async fn attest(&self) -> anyhow::Result<Answer> {
        let (nonce, pcrs) = loop {
            let request = PollRequest {
                tpm: TpmSays::Present,
                agent_version: env!("CARGO_PKG_VERSION").to_owned(),
                up_s: Some(self.powered_on.elapsed().as_secs()),
                key: KeySays::Kept,
            };
            let reply = self.client.post_waiting("/v1/agent/poll", &request, api::POLL_S_MAX).await;
            match reply? {
                PollReply::Attest { nonce, pcrs, .. } => break (nonce, pcrs),
                PollReply::Wait { .. } => {}
                other => bail!("the server asks {} for {other:?}", self.name),
            }
        };
        let evidence = self.evidence(&nonce, pcrs.into_iter().collect())?;
        let begun = Instant::now();
        let reply: Result<EvidenceReply, ClientError> =
            self.client.post("/v1/agent/evidence", &evidence).await;
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
        let bank = &self.booted.bank;
        let clock_ms = u64::try_from(self.powered_on.elapsed().as_millis())?
            .saturating_add(u64::from(self.chip.reset_count).saturating_mul(1_000_000));
        let mut quote = self.chip.quote(nonce, pcrs, bank, clock_ms)?;
        if self.fault == Fault::BadEvidence
            && let Some(byte) = quote.signature.0.last_mut()
        {
            *byte ^= 1;
        }
        let values =
            pcrs.iter().filter_map(|pcr| Some((pcr, hex::encode(bank.get(pcr)?.as_bytes()))));
        let all = std::iter::once(("sha256".to_owned(), values.collect()));
        Ok(Evidence {
            nonce: nonce.into(),
            quote: Some(quote),
            pcrs: api::pcrs::Pcrs(all.collect()),
            event_log: Some(self.booted.log.clone().into()),
            ak_public: Some(self.chip.ak_public().into()),
            active_banks: vec!["sha256".to_owned()],
            machine: Some(self.machine.clone()),
            tpm: Some(self.chip.properties()),
            ..Evidence::default()
        })
    }
}
