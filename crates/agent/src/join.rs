//! Joining as a program does it that starts with the machine: before the network is up, perhaps
//! before the TPM's driver is there.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use api::agent::HostSays;
use client::{CaPin, Client, Trust};

use crate::{
    backoff::Backoff,
    enrol::{self, Enrolled},
    outlook::Outlook,
    presence,
    session::SharedSession,
    state::{Member, State, StateFile},
};

/// How long what may pass is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Not at all: the first error is the last.
    None,
    /// So long from now on.
    For(Duration),
    /// Until it has passed.
    Endless,
}

/// What it takes to join.
#[derive(Clone, Debug)]
pub struct Order {
    /// The server, `https://HOST:PORT`.
    pub server: String,
    /// SHA-256 of its authority.
    pub ca_pin: CaPin,
    /// The join token: a secret.
    pub token: String,
    /// What the host says of itself.
    pub host: HostSays,
    /// How long to wait for network, server and TPM.
    pub patience: Patience,
}

/// Joins as `order` says. A host whose name the server knows with another TPM waits for the person who
/// takes it, as long as the patience lasts. What cannot heal by waiting (a wrong token, another
/// authority than the pinned one, a state file that cannot be written) ends it at once.
pub async fn join(
    order: &Order,
    file: &StateFile,
    session: &SharedSession,
) -> anyhow::Result<Enrolled> {
    let mut state = file.load()?;
    if let Some(member) = &state.member
        && member.credentials.is_some()
    {
        bail!("this host is a member of {} already: `bootproof-agent leave` first", member.server);
    }
    let client = Client::new(&order.server, &Trust::CaPin(order.ca_pin))?;
    let begun = Instant::now();
    if order.patience != Patience::None {
        presence::wait_for_driver(session, left(order.patience, begun)).await?;
    }
    let mut backoff = Backoff::new();
    loop {
        let attempted = attempt(order, &client, file, &mut state, session).await;
        let outlook = match &attempted {
            Ok(Enrolled { quarantined: None, .. }) => return attempted,
            // A person is to compare digests: that takes minutes, or days.
            Ok(_) => Outlook::Slow,
            Err(err) => Outlook::of(err),
        };
        match outlook {
            Outlook::Lasting => return attempted,
            Outlook::Slow => backoff.slow_down_fully(),
            Outlook::Passing => {}
        }
        let pause = backoff.pause();
        if left(order.patience, begun).is_some_and(|left| left <= pause) {
            return attempted;
        }
        let pause_s = pause.as_secs_f32();
        match &attempted {
            Ok(Enrolled { quarantined, .. }) => tracing::warn!(
                ek_sha256 = quarantined,
                "the server knows {name} with another TPM; waiting for an administrator's \
                 `bootproof host replace {name} --ek-sha256 DIGEST --reason TEXT`, again in {pause_s:.1} s",
                name = order.host.name,
            ),
            Err(err) => tracing::warn!(error = format!("{err:#}"), "again in {pause_s:.1} s"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// What is left of the patience; `None`: it has no end.
fn left(patience: Patience, begun: Instant) -> Option<Duration> {
    match patience {
        Patience::None => Some(Duration::ZERO),
        Patience::For(time) => Some(time.saturating_sub(begun.elapsed())),
        Patience::Endless => None,
    }
}

async fn attempt(
    order: &Order,
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
) -> anyhow::Result<Enrolled> {
    let server: api::admin::Server = client.get("/v1/server").await?;
    ensure!(
        CaPin::of_pem(&server.ca_pem) == Some(order.ca_pin),
        "the server shows another authority than the one that is pinned"
    );
    // An activation whose answer was lost on its way: its token is shown to no other server.
    let same = state.member.as_ref().is_some_and(|member| member.server == client.base());
    if same && state.activating.is_some() {
        enrol::settle(client, file, state).await?;
        let settled = state.member.as_ref().and_then(|member| member.credentials.as_ref());
        if let Some(credentials) = settled {
            let host_id = credentials.host_id.clone();
            return Ok(Enrolled { host_id, findings: Vec::new(), quarantined: None });
        }
    }
    state.member =
        Some(Member { server: client.base().to_owned(), ca_pem: server.ca_pem, credentials: None });
    let (host, token) = (order.host.clone(), order.token.clone());
    enrol::join(client, file, state, session, host, token).await
}
