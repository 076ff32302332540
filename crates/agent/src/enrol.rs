//! Joining a server's inventory, and enrolling anew.

use anyhow::Context as _;
use api::agent::{
    ActivateRequest, EnrolReply, EnrolRequest, HOST_TOKEN_PREFIX, HostSays, JoinRequest, TpmKeys,
    host_token_message,
};
use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac, rand,
};
use client::Client;
use zeroize::Zeroizing;

use crate::{
    session::{Presence, SharedSession},
    state::{Credentials, State, StateFile, WrappedKey},
    tpm::Endorsement,
};

/// What became of an enrolment.
#[derive(Debug)]
pub struct Enrolled {
    /// The host's identifier.
    pub host_id: String,
    /// Why no identity key was stored; empty where one was.
    pub findings: Vec<api::finding::Finding>,
    /// SHA-256 of this TPM's endorsement key, where it is not the TPM of the host: a person has to
    /// decide.
    pub quarantined: Option<String>,
}

/// Which attestation key to enrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolKey {
    /// The kept one, or a new one where there is none.
    Kept,
    /// Another one: the kept one is kept until the server has bound the other.
    Anew,
}

/// Joins with a join token. The state is saved at each step, so that no crash loses a membership.
pub async fn join(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    host: HostSays,
    token: String,
) -> anyhow::Result<Enrolled> {
    let (tpm, ek) = keys(session, state, file, EnrolKey::Kept).await?.unzip();
    let credentials = joining(file, state)?;
    let hash = digest(&SHA256, credentials.host_token.as_bytes());
    let request = JoinRequest { token, host, tpm, token_sha256: hash.as_ref().into() };
    let reply = client.join(&request).await?;
    finish(client, file, state, session, ek, reply).await
}

/// Enrols anew, as a host of the inventory.
pub async fn enrol(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    key: EnrolKey,
) -> anyhow::Result<Enrolled> {
    let (tpm, ek) = keys(session, state, file, key).await?.context("the TPM is gone")?;
    let reply = client.enrol(&EnrolRequest { tpm }).await?;
    finish(client, file, state, session, Some(ek), reply).await
}

/// The keys of the TPM, where there is one; the attestation key is saved before it is named to
/// anybody.
async fn keys(
    session: &SharedSession,
    state: &mut State,
    file: &StateFile,
    key: EnrolKey,
) -> anyhow::Result<Option<(TpmKeys, Endorsement)>> {
    let (kept, next) = (state.ak.clone(), state.next_ak.clone());
    let keys = session
        .run(move |session| match (session.presence(), key) {
            (Presence::Absent, _) => None,
            (Presence::Present, EnrolKey::Kept) => Some(session.keys(kept.as_ref())),
            (Presence::Present, EnrolKey::Anew) => Some(session.keys_anew(next.as_ref())),
        })
        .await?;
    let Some(keys) = keys else { return Ok(None) };
    let (keys, ek, ak) = keys.context("the TPM's keys cannot be had")?;
    match key {
        EnrolKey::Kept => {
            // What was begun with another key is over.
            state.next_ak = None;
            save_ak(state, file, ak)?;
        }
        EnrolKey::Anew => save_next_ak(state, file, ak)?,
    }
    Ok(Some((keys, ek)))
}

/// Saves the attestation key where it is not the kept one.
pub(crate) fn save_ak(state: &mut State, file: &StateFile, ak: WrappedKey) -> anyhow::Result<()> {
    if state.ak.as_ref().is_none_or(|kept| kept.public != ak.public) {
        state.ak = Some(ak);
        file.save(state)?;
    }
    Ok(())
}

/// Saves a key that the server has not bound yet.
pub(crate) fn save_next_ak(
    state: &mut State,
    file: &StateFile,
    ak: WrappedKey,
) -> anyhow::Result<()> {
    if state.next_ak.as_ref().is_none_or(|next| next.public != ak.public) {
        state.next_ak = Some(ak);
        file.save(state)?;
    }
    Ok(())
}

async fn finish(
    client: &Client,
    file: &StateFile,
    state: &mut State,
    session: &SharedSession,
    ek: Option<Endorsement>,
    reply: EnrolReply,
) -> anyhow::Result<Enrolled> {
    let (enrolment_id, host_id, credential) = match reply {
        EnrolReply::Joined { host_id, findings } => {
            // Where the host is a member already, it keeps the token that it has.
            if let Some(made) = state.joining.take() {
                let made = Credentials { host_id: host_id.clone(), ..made };
                become_member(state, file, made)?;
            }
            return Ok(Enrolled { host_id, findings, quarantined: None });
        }
        EnrolReply::Quarantined { host_id, ek_sha256, findings } => {
            return Ok(Enrolled { host_id, findings, quarantined: Some(ek_sha256) });
        }
        EnrolReply::Activate { enrolment_id, host_id, credential, .. } => {
            (enrolment_id, host_id, credential)
        }
    };
    let ek = ek.context("the server sent a credential, but no keys were sent to it")?;
    let ak = state.next_ak.clone().or_else(|| state.ak.clone());
    let ak = ak.context("the attestation key is gone")?;
    let secret = session.run(move |session| session.activate(&ek, &ak, &credential)).await?;
    let secret = secret.context("the TPM did not open the server's credential")?;

    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let mac = hmac::sign(&key, &host_token_message(&enrolment_id));
    let host_token = format!("{HOST_TOKEN_PREFIX}{}", hex::encode(mac));
    let credentials = Credentials { host_id: host_id.clone(), host_token };
    state.activating = Some(credentials.clone());
    file.save(state)?;
    let request = ActivateRequest { enrolment_id, secret: secret.as_slice().into() };
    match client.activate(&request).await {
        Ok(_) => {}
        // An answer that was lost on its way: the token is good all the same.
        Err(err) if err.code() == Some("already-activated") => {}
        Err(err) => {
            if !err.is_transient() {
                state.activating = None;
                file.save(state)?;
            }
            return Err(err.into());
        }
    }
    become_member(state, file, credentials)?;
    Ok(Enrolled { host_id, findings: Vec::new(), quarantined: None })
}

/// The credentials for a membership without an identity key, saved before the server hears of
/// them; those of an attempt before, where its answer never came.
fn joining(file: &StateFile, state: &mut State) -> anyhow::Result<Credentials> {
    if let Some(kept) = &state.joining {
        return Ok(kept.clone());
    }
    let mut bytes = Zeroizing::new([0; 32]);
    rand::fill(&mut *bytes).map_err(|_| anyhow::anyhow!("no randomness"))?;
    let host_token = format!("{HOST_TOKEN_PREFIX}{}", hex::encode(*bytes));
    let made = Credentials { host_id: String::new(), host_token };
    state.joining = Some(made.clone());
    file.save(state)?;
    Ok(made)
}

fn become_member(
    state: &mut State,
    file: &StateFile,
    credentials: Credentials,
) -> anyhow::Result<()> {
    // An activation ended well, so that the key it was made for is the enrolled one.
    if state.activating.take().is_some()
        && let Some(next) = state.next_ak.take()
    {
        state.ak = Some(next);
    }
    state.joining = None;
    if let Some(member) = &mut state.member {
        member.credentials = Some(credentials);
    }
    Ok(file.save(state)?)
}

/// Settles an activation whose answer never came: the token that it would have made either works,
/// or it was never made.
pub(crate) async fn settle(
    client: &Client,
    file: &StateFile,
    state: &mut State,
) -> anyhow::Result<()> {
    let Some(credentials) = state.activating.clone() else { return Ok(()) };
    let probe = client.with_token(credentials.host_token.clone());
    match probe.get_membership().await {
        Ok(_) => become_member(state, file, credentials),
        Err(err) if err.code() == Some("unauthenticated") => {
            state.activating = None;
            Ok(file.save(state)?)
        }
        Err(err) => Err(err.into()),
    }
}
