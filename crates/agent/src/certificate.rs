//! The client certificate of this host: fetched while the host is accepted, for a key in the TPM, and laid
//! where programs of this host find it.
//!
//! Nothing here reads the time of day: the server says after how many seconds to come again.

mod files;

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use api::client_certificate::{
    CertificateChallenge, CertificateRequest, IssuedCertificate, possession_message,
};
use client::{Client, ClientError, Trust};
use tokio::sync::watch;

pub use files::KEY_MODE;

use crate::{
    backoff::Backoff,
    session::SharedSession,
    state::{NotJoined, StateFile, WrappedKey},
    tpm::{CLIENT_KEY_PARENT, CLIENT_KEY_TEMPLATE, certify},
    tss2_key,
};

/// The longest between two questions of a host that is refused, where it hears of no verdict meanwhile.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// The shortest between two certificates.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The longest that what is run after a renewal may take: programs reload within moments.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(60);

/// Where certificate and key go, and what is done then.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder, which is there. Its group becomes that of the files where it has the set-group-ID bit.
    pub folder: PathBuf,
    /// The mode of the key's file.
    pub key_mode: u32,
    /// A program that is run after each renewal, without arguments and without a shell.
    pub command: Option<PathBuf>,
}

/// Whether the server accepts this host, as the last evidence told; `None` before the first.
pub type Accepted = Option<bool>;

/// Keeps a certificate in `place`, until the process ends. What fails is tried again: at once when the verdict
/// changes, else after a pause. Where the server says that the host may have none, the certificate's file goes:
/// a program that starts must not show one that is revoked. Where the server cannot be reached it stays, and
/// ends by itself: unreachable is not untrusted.
pub async fn keep(
    place: &Place,
    file: &StateFile,
    session: &SharedSession,
    mut accepted: watch::Receiver<Accepted>,
) {
    let mut backoff = Backoff::new();
    loop {
        // What is told from here on is not known to the server's answer yet.
        accepted.mark_unchanged();
        let pause = match fetch(place, file, session).await {
            Ok(issued) => {
                backoff.reset();
                Duration::from_secs(issued.renew_after_s).max(PAUSE_MIN)
            }
            Err(err) => {
                let (error, refused) = (format!("{err:#}"), is_refusal(&err));
                let pause = if refused { REFUSED_PAUSE } else { backoff.pause() };
                match refused {
                    true => tracing::warn!(error, "no client certificate"),
                    false => tracing::warn!(
                        error,
                        "no client certificate; again in {:.1} s",
                        pause.as_secs_f32()
                    ),
                }
                pause
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            changed = accepted.changed() => {
                if changed.is_err() {
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}

/// Gets one certificate, lays it into `place`, and runs the command. Where the server refuses, the
/// certificate's file is removed.
pub async fn fetch(
    place: &Place,
    file: &StateFile,
    session: &SharedSession,
) -> anyhow::Result<IssuedCertificate> {
    files::check_folder(&place.folder)?;
    let fetched = fetched(file, session).await;
    let (issued, key) = match fetched {
        Ok(fetched) => fetched,
        Err(err) => {
            if is_refusal(&err) && files::remove_certificate(&place.folder)? {
                tracing::warn!("the client certificate was removed");
                run_command(place).await;
            }
            return Err(err);
        }
    };
    let pem = tss2_key::pem(CLIENT_KEY_PARENT, &key.public, &key.private);
    // The key first: a certificate whose key is not there is of no use.
    files::write_key(place, &pem)?;
    files::write_certificate(&place.folder, &issued.certificate_pem)?;
    tracing::info!(serial = issued.serial, good_for_s = issued.good_for_s, "client certificate");
    run_command(place).await;
    Ok(issued)
}

/// Whether the server knows this host and gives it none, rather than that it could not be asked.
fn is_refusal(err: &anyhow::Error) -> bool {
    const REFUSED: [&str; 6] = [
        "awaiting-approval",
        "client-certificates-off",
        "host-disconnected",
        "host-not-accepted",
        "host-rebooted",
        "unauthenticated",
    ];
    code_of(err).is_some_and(|code| REFUSED.contains(&code))
}

fn code_of(err: &anyhow::Error) -> Option<&str> {
    err.chain().find_map(|cause| cause.downcast_ref::<ClientError>()?.code())
}

async fn fetched(
    file: &StateFile,
    session: &SharedSession,
) -> anyhow::Result<(IssuedCertificate, WrappedKey)> {
    let state = file.load()?;
    let member = state.member.as_ref().ok_or(NotJoined)?;
    let credentials = member.credentials.as_ref().context("the enrolment was not completed")?;
    let client = Client::new(&member.server, &Trust::CaPem(member.ca_pem.clone()))?;
    let client = client.with_token(credentials.host_token.clone());
    let ak = state.ak.context("there is no attestation key yet")?;
    let key = file.load_client_key()?;
    match issued(&client, file, session, &ak, key).await {
        // A person revoked the key: another one is as good as it was.
        Err(err) if code_of(&err) == Some("client-key-revoked") => {
            tracing::warn!("the key was revoked; making another one");
            issued(&client, file, session, &ak, None).await
        }
        issued => issued,
    }
}

async fn issued(
    client: &Client,
    file: &StateFile,
    session: &SharedSession,
    ak: &WrappedKey,
    kept: Option<WrappedKey>,
) -> anyhow::Result<(IssuedCertificate, WrappedKey)> {
    let challenge: CertificateChallenge = client.challenge_certificate().await?;
    let (request, key) = certified(session, ak, kept.clone(), challenge.nonce.0).await?;
    if kept.is_none_or(|kept| kept.public != key.public) {
        // Before its name is told to anybody.
        file.save_client_key(&key)?;
    }
    let issued = client.issue_client_certificate(&request).await?;
    Ok((issued, key))
}

/// What the TPM says of the kept key, or of a new one where there is none or the TPM does not know it.
pub async fn certified(
    session: &SharedSession,
    ak: &WrappedKey,
    kept: Option<WrappedKey>,
    nonce: Vec<u8>,
) -> anyhow::Result<(CertificateRequest, WrappedKey)> {
    let ak = ak.clone();
    let work = move |session: &mut crate::session::Session| {
        session.with_key(Some(&ak), |tpm, ak| {
            let kept = kept.as_ref().map(|kept| (&*kept.public.0, &*kept.private.0));
            let message = |public: &[u8]| possession_message(&nonce, public);
            let key = certify(tpm, ak, kept, CLIENT_KEY_TEMPLATE, &nonce, message)?;
            let ak_parent = ak.parent().map(<[u8]>::to_vec);
            Ok((key, ak_parent, nonce.clone()))
        })
    };
    let (key, ak_parent, nonce) = session.run(work).await?.context("the TPM certifies no key")?;
    let wrapped =
        WrappedKey { public: key.public.clone().into(), private: key.private.clone().into() };
    let request = CertificateRequest {
        nonce: nonce.into(),
        public: key.public.into(),
        attest: key.attest.into(),
        signature: key.signature.into(),
        ak_parent: ak_parent.map(Into::into),
        possession: key.possession.into(),
    };
    Ok((request, wrapped))
}

/// Runs the command of `place`. That it fails is told, and ends nothing: the files are there.
async fn run_command(place: &Place) {
    let Some(program) = &place.command else { return };
    let mut command = tokio::process::Command::new(program);
    command
        .env("BOOTPROOF_CERTIFICATE_DIR", &place.folder)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(COMMAND_TIME_MAX, command.status()).await;
    let program = program.display();
    match ended {
        Ok(Ok(status)) if status.success() => {}
        Ok(Ok(status)) => tracing::error!("{program} after a renewal: {status}"),
        Ok(Err(err)) => tracing::error!("{program} after a renewal cannot be run: {err}"),
        Err(_) => tracing::error!(
            "{program} after a renewal took over {} s and was ended",
            COMMAND_TIME_MAX.as_secs()
        ),
    }
}
