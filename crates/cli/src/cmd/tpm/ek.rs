//! `bootproof tpm ek`: endorsement keys, their certificates, and the chain to the vendor's root.

use std::fs;

use agent::tpm::Endorsement;
use anyhow::{Context as _, anyhow};
use api::{
    finding::Finding,
    tpm::{EndorsementKey, EndorsementKeys},
};
use appraise::{
    EkStatus, KeyRole, absent_certificate_finding, ek_certificate_finding, is_weak_key,
    weak_key_finding, with_key_checked,
};
use tpm_device::{Tpm, TpmError};
use tpm_wire::template::EkTemplate;
use verify::{
    Curve, EkCertError, EkPublic, Fingerprint, PublicKey, RootStore, UnixTime, certificate_in,
    check_ek, verify_ek_certificate,
};

use super::device::{failed, open_to_make_keys};
use crate::{
    args::TpmEk,
    cmd::{Exit, local_time, verify::read_roots},
    error::CliError,
    evidence_dir::pem,
    output::{Output, Tone, plain},
};

const NOT_CHECKED: &str = "not-checked";
const TRUSTED: &str = "trusted";

pub(in crate::cmd) fn run(command: &TpmEk, output: &Output) -> Result<Exit, CliError> {
    let roots = read_roots(&command.ek_root)?;
    let mut opened = open_to_make_keys(&command.device)?;
    let found = find(&mut opened.tpm).map_err(failed)?;
    if command.pem || command.out.is_some() {
        return write_pem(command, &found, output);
    }
    let now = local_time::now();
    let keys: Vec<_> = found.iter().map(|key| document(key, &roots, now)).collect();
    let chain = found.first().map(|key| key.ek.chain()).unwrap_or_default();
    let document = EndorsementKeys {
        address: opened.address.to_string(),
        keys,
        chain: chain.iter().map(|der| Fingerprint::of(der).to_string()).collect(),
    };
    if output.is_json() {
        output.json(&document)?;
    } else {
        in_words(&document, output)?;
    }
    let enrolled = document.keys.iter().find(|key| key.enrolled);
    let holds = enrolled.is_some_and(|key| [TRUSTED, NOT_CHECKED].contains(&&*key.certificate));
    Ok(if holds { Exit::Done } else { Exit::No })
}

/// A key, whether enrolment takes it, and the template whose index its certificate has.
struct Found {
    ek: Endorsement,
    template: Option<EkTemplate>,
    choice: Choice,
}

/// Whether enrolment takes a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Enrolled,
    PassedOver,
}

/// As enrolment looks: the first whose certificate names it, else the first, else one without.
fn find(tpm: &mut Tpm) -> Result<Vec<Found>, TpmError> {
    let certified = Endorsement::certified(tpm)?;
    if certified.is_empty() {
        let ek = Endorsement::find_or_create(tpm)?;
        return Ok(vec![Found { ek, template: None, choice: Choice::Enrolled }]);
    }
    let taken = certified.iter().position(|(_, ek)| ek.fits()).unwrap_or(0);
    let found = certified.into_iter().enumerate().map(|(n, (template, ek))| Found {
        ek,
        template: Some(template),
        choice: if n == taken { Choice::Enrolled } else { Choice::PassedOver },
    });
    Ok(found.collect())
}

fn document(found: &Found, roots: &RootStore, now: UnixTime) -> EndorsementKey {
    let Found { ek, template, choice } = found;
    let public = check_ek(ek.public()).ok();
    let mut findings = Vec::new();
    if public.as_ref().is_some_and(|public| is_weak_key(public.key())) {
        findings.push(Finding::from(&weak_key_finding(KeyRole::Endorsement)));
    }
    let (certificate, endorsement) = match ek.certificate() {
        None => {
            let digest = public.as_ref().map(EkPublic::spki_sha256);
            findings.push(Finding::from(&absent_certificate_finding(digest.as_ref())));
            ("absent", None)
        }
        Some(_) if roots.is_empty() => (NOT_CHECKED, None),
        Some(nv) => {
            let judged = judge(nv, ek.chain(), public.as_ref(), roots, now);
            let status = match judged {
                Ok(verified) => EkStatus::Verified(verified),
                Err(err) => {
                    findings.push(Finding::from(&ek_certificate_finding(&err)));
                    EkStatus::Refused(err)
                }
            };
            let trusted = matches!(status, EkStatus::Verified(_));
            (if trusted { TRUSTED } else { "refused" }, report::endorsement(&status))
        }
    };
    EndorsementKey {
        enrolled: *choice == Choice::Enrolled,
        algorithm: public.as_ref().map(|public| algorithm(public.key())),
        template: template.as_ref().map(|template| template.name.to_owned()),
        persistent: ek.persistent().map(|handle| format!("{:#010x}", handle.0)),
        ek_sha256: public.as_ref().map(|public| hex::encode(public.spki_sha256())),
        nv_index: template.as_ref().map(|ek| format!("{:#010x}", ek.nv_certificate.0)),
        certificate_sha256: ek
            .certificate()
            .and_then(certificate_in)
            .map(|der| Fingerprint::of(der).to_string()),
        certificate: certificate.to_owned(),
        endorsement,
        findings,
    }
}

/// As `bootproof verify` and the server do. A key that cannot be used is none that a certificate fits.
fn judge(
    nv: &[u8],
    chain: &[Vec<u8>],
    public: Option<&EkPublic>,
    roots: &RootStore,
    now: UnixTime,
) -> Result<verify::VerifiedEk, EkCertError> {
    let intermediates: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let judged = verify_ek_certificate(nv, &intermediates, roots, now);
    with_key_checked(judged, |certified| match public {
        Some(public) => certified.check_key(public),
        None => Err(EkCertError::KeyMismatch),
    })
}

fn algorithm(key: &PublicKey) -> String {
    match key {
        PublicKey::Rsa(key) => format!("RSA-{}", key.bits()),
        PublicKey::Ec(key) => match key.curve() {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
        .to_owned(),
    }
}

fn write_pem(command: &TpmEk, found: &[Found], output: &Output) -> Result<Exit, CliError> {
    let enrolled = found.iter().find(|key| key.choice == Choice::Enrolled);
    let certificate = enrolled.and_then(|key| Some((key, certificate_in(key.ek.certificate()?)?)));
    let Some((key, certificate)) = certificate else {
        return Err(CliError::with_hint(
            anyhow!("the TPM has no certificate of its endorsement key that can be read"),
            "`bootproof tpm ek` shows the digest by which a policy approves the key without one",
        ));
    };
    let chain = key.ek.chain().iter().map(Vec::as_slice);
    let text: String = std::iter::once(certificate).chain(chain).map(pem).collect();
    match &command.out {
        Some(file) => {
            fs::write(file, text)
                .with_context(|| format!("{} cannot be written", file.display()))?;
            output.note(&format!("written into {}", file.display()));
        }
        None => output.line(text.trim_end())?,
    }
    Ok(Exit::Done)
}

fn in_words(keys: &EndorsementKeys, output: &Output) -> Result<(), CliError> {
    let line = |name: &str, value: &str| output.line(&format!("  {name:<12} {}", plain(value)));
    for key in &keys.keys {
        let algorithm = key.algorithm.as_deref().unwrap_or("a key that cannot be used");
        let taken = if key.enrolled { ", which enrolment takes" } else { "" };
        output.line(&output.paint(Tone::Strong, &format!("{algorithm}{taken}")))?;
        let place = match &key.persistent {
            Some(handle) => format!("kept at {handle}"),
            None => "made anew each time, always the same".to_owned(),
        };
        let template = key.template.as_ref().map(|name| format!(", template {name}"));
        line("key", &format!("{place}{}", template.unwrap_or_default()))?;
        line("ek_sha256", key.ek_sha256.as_deref().unwrap_or("none"))?;
        if let (Some(index), Some(sha256)) = (&key.nv_index, &key.certificate_sha256) {
            line("certificate", &format!("NV {index}, SHA-256 {sha256}"))?;
        }
        match &key.endorsement {
            Some(said) => {
                let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "?".to_owned());
                line(
                    "says",
                    &format!(
                        "{} {} {}",
                        part(&said.manufacturer),
                        part(&said.model),
                        part(&said.version)
                    ),
                )?;
                let known = said.root.as_deref().unwrap_or("not a known root of a TPM vendor");
                line("root", &format!("{known}, SHA-256 {}", said.root_sha256))?;
            }
            None if key.certificate == NOT_CHECKED => {
                line("chain", "not followed: name the vendor's root with --ek-root")?;
            }
            None => {}
        }
        let (tone, words) = match key.certificate.as_str() {
            TRUSTED => (Tone::Good, "the chain leads to a root that you named"),
            NOT_CHECKED => (Tone::Unsure, "not judged"),
            "absent" => (Tone::Bad, "there is no certificate"),
            _ => (Tone::Bad, "the certificate is refused"),
        };
        output.line(&format!("  {:<12} {}", "judged", output.paint(tone, words)))?;
        for finding in &key.findings {
            line("", &format!("{}: {}", finding.code, finding.cause))?;
            line("", &format!("next: {}", finding.next_step))?;
        }
        output.line("")?;
    }
    let chain = keys.chain.len();
    Ok(output.line(&format!("{chain} certificates of a chain lie in NV from 0x01c00100 on"))?)
}
