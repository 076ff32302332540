//! Hosts that are put into a store past the API: to enrol 100,000 of them takes minutes, and is not what is
//! measured. What is stored of each is what an enrolment would have stored.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use anyhow::Context as _;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand,
};
use client::{Client, Trust};
use fleet_sim::{Booted, Host, Maker};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use store::{
    ApprovalRule, By, Completion, EnrolledKeys, Identity, NewJoinToken, NewTrustRoot, Origin,
    PendingEnrolment, Sha256, Store,
};
use testkit::log::BootLog;
use tokio::task::JoinSet;
use verify::{check_ak, check_ek};

use crate::guest::{Guest, SharedLog};

/// Racks, by which hosts are labelled.
pub const N_RACKS: usize = 100;

/// Hosts that are enrolled at one time: as many as the store commits together.
const AT_ONE_TIME: usize = 256;

/// A log as a server with Secure Boot has it: option ROM, machine owner's keys, a full list of what is revoked.
pub(crate) fn log() -> BootLog {
    BootLog::sound().option_rom().mok_kernel().dbx_hashes(430)
}

fn by() -> By {
    By::new("server-bench", 1)
}

pub(crate) fn sha256(bytes: &[u8]) -> Sha256 {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)?;
    Ok(bytes)
}

/// Enrols `n` hosts; `enrolled` hears of each. In the order of their names.
pub async fn fill(
    store: &Arc<dyn Store>,
    n: usize,
    enrolled: impl Fn(),
) -> anyhow::Result<Vec<Guest>> {
    let maker = Arc::new(Maker::new()?);
    let root = CertificateDer::from_pem_slice(maker.root_pem().as_bytes())?;
    let root = NewTrustRoot {
        der: root.to_vec(),
        name: "Simulated".to_owned(),
        source: "bench".to_owned(),
    };
    store.add_trust_root(root, by()).await?;
    for rack in 0..N_RACKS.min(n) {
        let labels = [("site", "sim".to_owned()), ("rack", rack.to_string())];
        let token = NewJoinToken {
            id: rack.to_string().as_str().into(),
            secret_sha256: random()?,
            expires_at_ms: i64::MAX,
            n_uses_max: None,
            approval: ApprovalRule::NotRequired,
            labels: labels.map(|(key, value)| (key.to_owned(), value)).into(),
            admitted: store::AdmittedEks::Any,
            note: String::new(),
        };
        store.add_join_token(token, by()).await?;
    }
    let built = log().build();
    let shared = Arc::new(SharedLog::new(built.bytes.clone()));
    let booted = Arc::new(Booted::new(built)?);
    // Speaks to nobody: hosts of a benchmark have connections of their own.
    let nobody = Client::new("https://127.0.0.1:1", &Trust::CaPem(maker.root_pem().to_owned()))?;

    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..AT_ONE_TIME {
        let (store, next, maker) = (Arc::clone(store), Arc::clone(&next), Arc::clone(&maker));
        let (shared, booted, nobody) = (Arc::clone(&shared), Arc::clone(&booted), nobody.clone());
        tasks.spawn(async move {
            let mut guests = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= n {
                    return anyhow::Ok(guests);
                }
                let name = format!("sim-{i:06}");
                let host = Host::new(name, &maker, &nobody, Arc::clone(&booted))?;
                let member = enrol(&*store, i, &host).await?;
                let guest = Guest::new(host, u32::try_from(i)?, member, Arc::clone(&shared))?;
                guests.push((i, guest));
            }
        });
    }
    let mut guests = Vec::with_capacity(n);
    while let Some(done) = tasks.join_next().await {
        let done = done?.context("a host could not be enrolled")?;
        done.iter().for_each(|_| enrolled());
        guests.extend(done);
    }
    guests.sort_by_key(|(i, _)| *i);
    Ok(guests.into_iter().map(|(_, guest)| guest).collect())
}

/// Stores what an enrolment stores, and gives the host's identifier and token.
async fn enrol(store: &dyn Store, n: usize, host: &Host) -> anyhow::Result<(String, String)> {
    let id = uuid(n)?;
    let keys = host.keys();
    let ek_spki_sha256 = check_ek(&keys.ek_public)?.spki_sha256();
    let ak_name = check_ak(&keys.ak_public)?.name().as_bytes().to_vec();
    let token = format!("{}{}", api::agent::HOST_TOKEN_PREFIX, hex::encode(random()?));
    let (pending, proof_sha256) = (format!("p{n}"), random()?);
    let begun = PendingEnrolment {
        id: pending.as_str().into(),
        origin: Origin::JoinToken((n % N_RACKS).to_string().as_str().into()),
        keys: EnrolledKeys { ek_spki_sha256, ak_name: ak_name.clone() },
        host_name: host.name().to_owned(),
        documents_json: "{}".to_owned(),
        proof_sha256,
        expires_at_ms: i64::MAX,
    };
    store.begin_enrolment(begun, by()).await?;
    let completion = Completion {
        pending: pending.as_str().into(),
        proof_sha256,
        new_host: id.as_str().into(),
        api_token_sha256: sha256(token.as_bytes()),
        identity: Identity {
            ek_public: keys.ek_public.0,
            ek_cert_der: keys.ek_certificate.map(|certificate| certificate.0),
            ek_chain_der: Vec::new(),
            ek_spki_sha256,
            ak_public: keys.ak_public.0,
            ak_name,
            judgement_json: "{}".to_owned(),
            enrolled_at_ms: 1,
        },
        approval: ApprovalRule::NotRequired,
    };
    store.complete_enrolment(completion, by()).await?;
    Ok((id, token))
}

/// Identifiers of hosts are random: an index has them in no order that helps.
fn uuid(n: usize) -> anyhow::Result<String> {
    let random = hex::encode(&random()?[..12]);
    Ok(format!("{random}{n:08x}"))
}
