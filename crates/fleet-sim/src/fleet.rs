//! Many virtual hosts, so many at one time.

use std::{sync::Arc, time::Instant};

use anyhow::Context as _;
use api::{
    admin::{Approval, NewToken, TokenRequest, TrustRequest, TrustedCertificate},
    inventory::Labels,
};
use client::Client;
use testkit::log::BootLog;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    host::{Booted, Fault, Host},
    maker::Maker,
    summary::Round,
};

/// Seconds for which the join token is good: a run of a large fleet takes minutes.
const TOKEN_S: u64 = 24 * 3600;

/// How many of a hundred hosts have which fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Boot something else from the second round on.
    pub drift: u32,
    /// Send quotes that were changed on their way.
    pub bad_evidence: u32,
    /// Never speak after they joined.
    pub silent: u32,
}

impl Faults {
    /// That of the `n`-th host: spread, and the same in each run.
    fn of(self, n: usize) -> Fault {
        let place = u32::try_from(n * 37 % 100).unwrap_or(0);
        if place < self.drift {
            Fault::Drift
        } else if place < self.drift + self.bad_evidence {
            Fault::BadEvidence
        } else if place < self.drift + self.bad_evidence + self.silent {
            Fault::Silence
        } else {
            Fault::None
        }
    }
}

/// What a fleet is to be like.
#[derive(Clone, Debug)]
pub struct Order {
    /// How many hosts.
    pub hosts: usize,
    /// How many of them do something at one time.
    pub at_one_time: usize,
    /// Labels of all of them.
    pub labels: Labels,
    /// Bytes that make each log larger.
    pub log_padding: usize,
    /// What goes wrong.
    pub faults: Faults,
}

/// A fleet that has joined.
pub struct Fleet {
    hosts: Vec<Host>,
    at_one_time: usize,
    usual: Arc<Booted>,
    drifted: Arc<Booted>,
}

impl Fleet {
    /// Has a server, of which `admin` is an administrator, trust a new maker of chips, and joins all hosts;
    /// `joined` hears of each.
    pub async fn join(
        order: &Order,
        admin: &Client,
        joined: impl Fn() + Send + Sync,
    ) -> anyhow::Result<Self> {
        let maker = Arc::new(Maker::new()?);
        let certificates = maker.root_pem().as_bytes().into();
        let request = TrustRequest { certificates, source: "fleet-sim".to_owned() };
        let _: Vec<TrustedCertificate> = admin.post("/v1/trust", &request).await?;
        let request = TokenRequest {
            expires_in_s: TOKEN_S,
            uses_max: None,
            approval: Approval::NotRequired,
            labels: order.labels.clone(),
            listed_on: None,
            note: "fleet-sim".to_owned(),
        };
        let token: NewToken = admin.post("/v1/tokens", &request).await?;
        let token: Arc<str> = token.token.into();
        let log = BootLog::sound().padding(0, order.log_padding);
        let usual = Arc::new(Booted::new(log.build())?);
        let drifted = Arc::new(Booted::new(log.kernel_cmdline("init=/bin/sh").build())?);

        let gate = Arc::new(Semaphore::new(order.at_one_time));
        let mut tasks = JoinSet::new();
        for n in 0..order.hosts {
            let (maker, client, token) = (Arc::clone(&maker), admin.clone(), Arc::clone(&token));
            let (gate, booted) = (Arc::clone(&gate), Arc::clone(&usual));
            let fault = order.faults.of(n);
            tasks.spawn(async move {
                let _place = gate.acquire().await?;
                let name = format!("sim-{n:06}");
                let mut host = Host::new(name, &maker, &client, booted)?.join(&token).await?;
                host.fault = fault;
                anyhow::Ok((n, host))
            });
        }
        let mut hosts = Vec::with_capacity(order.hosts);
        while let Some(done) = tasks.join_next().await {
            hosts.push(done?.context("a host could not join")?);
            joined();
        }
        hosts.sort_by_key(|(n, _)| *n);
        let hosts = hosts.into_iter().map(|(_, host)| host).collect();
        Ok(Self { hosts, at_one_time: order.at_one_time, usual, drifted })
    }

    /// The hosts.
    pub fn into_hosts(self) -> Vec<Host> {
        self.hosts
    }

    /// How many hosts there are.
    pub fn n_hosts(&self) -> usize {
        self.hosts.len()
    }

    /// All hosts boot once more; those that drift boot something else from now on.
    pub fn reboot(&mut self) {
        for host in &mut self.hosts {
            let booted = match host.fault {
                Fault::Drift => &self.drifted,
                Fault::None | Fault::BadEvidence | Fault::Silence => &self.usual,
            };
            host.reboot(booted);
        }
    }

    /// Each host that speaks attests once; `attested` hears of each.
    pub async fn attest(&mut self, attested: impl Fn() + Send + Sync) -> anyhow::Result<Round> {
        let gate = Arc::new(Semaphore::new(self.at_one_time));
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for host in self.hosts.drain(..) {
            let gate = Arc::clone(&gate);
            tasks.spawn(async move {
                let answer = match host.fault {
                    Fault::Silence => None,
                    _ => {
                        // Closed by nobody.
                        let _place = gate.acquire().await.ok();
                        Some(host.attest().await)
                    }
                };
                (host, answer)
            });
        }
        let mut answers = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (host, answer) = done?;
            self.hosts.push(host);
            answers.extend(answer);
            attested();
        }
        Ok(Round::of(answers, begun.elapsed()))
    }
}
