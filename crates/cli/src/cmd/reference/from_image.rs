//! A reference of the files that are to boot.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use api::reference::{Hex, ImageFacts, ImageSignature, ImagesFacts, PhaseValue};
use image::{IMAGE_BYTES_MAX, Image, SbatRow, uki};
use references::{
    Baseline, Content, ExpectedImage, ExpectedValue, Hint, IMAGES_MAX, NAMES_MAX, Origin, Told,
    What,
};
use secure_boot_facts::{Revocations, RevokedBy, SbatLevel};
use tpm_wire::{Digest, PcrSet, TpmAlgId};

use super::super::Exit;
use crate::{
    args::ReferenceFromImage,
    error::CliError,
    evidence_dir::read_limited,
    output::{Output, Tone, plain},
};

/// Each bank that a host may be judged by.
const BANKS: [TpmAlgId; 3] = [TpmAlgId::SHA256, TpmAlgId::SHA384, TpmAlgId::SHA512];
/// The phase before any word of a phase.
const BEFORE_PHASES: &str = "before enter-initrd";

/// What the files say together.
#[derive(Default)]
struct Found {
    images: Vec<ExpectedImage>,
    /// Kernels inside of unified kernel images, which newer stubs start through firmware.
    kernels_inside: Vec<ExpectedImage>,
    /// Values of PCR 11 and their phases, per bank.
    values: Vec<(TpmAlgId, String, Digest)>,
    facts: Vec<ImageFacts>,
    /// Files with a kernel inside whose PCR 11 cannot be told, and why.
    untold: Vec<String>,
}

pub(super) fn run(command: &ReferenceFromImage, output: &Output) -> Result<Exit, CliError> {
    let mut found = Found::default();
    for file in &command.files {
        let bytes = read_limited(file, IMAGE_BYTES_MAX as u64)?;
        let image = Image::parse(&bytes).map_err(|err| {
            CliError::with_hint(
                anyhow::Error::from(err).context(format!("{} is not understood", file.display())),
                "give the programs that firmware starts: shim, a boot loader, a kernel, all as .efi",
            )
        })?;
        found.add(&name_of(file), &image)?;
    }
    // A value of one kernel would refuse the other, whose value is not known. And only PCR 11 tells
    // a kernel that its stub started from the same one that was started by itself.
    let mut values = values(&found.values);
    match found.untold.is_empty() {
        true => found.images.append(&mut found.kernels_inside),
        false => values.clear(),
    }
    let n_values = values.first().map_or(0, |value| value.any_of.len());
    if found.images.len() > IMAGES_MAX || n_values > IMAGES_MAX {
        return Err(anyhow!("a reference has {IMAGES_MAX} images at most").into());
    }
    let baseline = Baseline::new(Content {
        origin: Origin::Computed,
        manifest: None,
        complete: PcrSet::EMPTY,
        events: Vec::new(),
        values,
        images: found.images,
    });
    let baseline = baseline.context("these files make no reference")?;
    if let Some(out) = &command.out {
        let bytes = report::reference::write(&baseline).context("the reference is too large")?;
        std::fs::write(out, bytes)
            .with_context(|| format!("{} cannot be written", out.display()))?;
    }
    let facts = ImagesFacts {
        images: found.facts,
        reference: report::reference::document(&baseline),
        not_told: found.untold,
    };
    if output.is_json() {
        output.json(&facts)?;
    } else {
        show(&facts, command.out.as_deref(), output)?;
    }
    Ok(Exit::Done)
}

impl Found {
    fn add(&mut self, name: &str, image: &Image<'_>) -> Result<(), CliError> {
        let mut values = Vec::new();
        let mut sections = Vec::new();
        match uki::measured_sections(image) {
            Ok(measured) => {
                sections = measured.iter().map(|section| section.name.to_owned()).collect();
                for alg in BANKS {
                    let all = uki::values(&measured, alg).context("a bank without a hash")?;
                    let phases = [BEFORE_PHASES].into_iter().chain(uki::PHASES);
                    values.extend(
                        phases.zip(all).map(|(phase, value)| (alg, phase.to_owned(), value)),
                    );
                }
                let kernel = measured.iter().find(|section| section.name == ".linux");
                if let Some(Ok(kernel)) = kernel.map(|section| Image::parse(section.content)) {
                    self.kernels_inside.push(expected(&format!("kernel in {name}"), &kernel)?);
                }
            }
            Err(uki::UkiError::NotUki) => {}
            Err(err) => self.untold.push(plain(&format!("PCR 11 of {name}: {err}"))),
        }
        let (signatures, fault) = image.signatures();
        let certificates = signatures.iter().map(|signature| ImageSignature {
            names_this_image: signature.names(image),
            untrusted_certificates: signature
                .untrusted_certificates
                .iter()
                .map(|certificate| certificate.subject.clone())
                .collect(),
        });
        let sbat = image.sbat().unwrap_or_default();
        self.facts.push(ImageFacts {
            name: name.to_owned(),
            authenticode: by_bank(|alg| image.authenticode(alg)),
            flat: by_bank(|alg| image.flat(alg)),
            signatures: certificates.collect(),
            signature_fault: fault.map(|fault| fault.to_string()),
            sbat: sbat
                .iter()
                .map(|row| plain(&format!("{},{}", row.component, row.generation)))
                .collect(),
            revoked: revoked(image, &sbat),
            measured_sections: sections,
            pcr_11: values
                .iter()
                .map(|(alg, phase, value)| PhaseValue {
                    bank: alg.to_string(),
                    phase: phase.clone(),
                    value: hex(value),
                })
                .collect(),
        });
        self.images.push(expected(name, image)?);
        self.values.extend(values);
        Ok(())
    }
}

/// Why the newest lists that this program knows revoke `image`.
fn revoked(image: &Image<'_>, sbat: &[SbatRow<'_>]) -> Vec<String> {
    let by_generation = SbatLevel::newest().into_iter().flat_map(|level| {
        sbat.iter().filter_map(|row| {
            let want = level.revokes(row.component, row.generation)?;
            let SbatRow { component, generation, .. } = row;
            Some(plain(&format!("{component} {generation} is below {want}, SBAT {}", level.stamp)))
        })
    });
    let sha256 = image.authenticode(TpmAlgId::SHA256);
    let listed = sha256.and_then(|digest| Revocations::default().image(digest.as_bytes()));
    let by_digest = listed.map(|by| match by {
        RevokedBy::Published(image) => format!("{} is in dbx since {}", image.product, image.date),
        RevokedBy::Operator => "it is in a list of revocations".to_owned(),
    });
    by_generation.chain(by_digest).collect()
}

fn values(found: &[(TpmAlgId, String, Digest)]) -> Vec<ExpectedValue> {
    let of = |alg| found.iter().filter(move |(have, ..)| *have == alg).map(|(.., value)| *value);
    let banks = BANKS.into_iter().filter(|alg| of(*alg).next().is_some());
    let value = |alg| ExpectedValue { pcr_index: uki::PCR, alg, any_of: of(alg).collect() };
    banks.map(value).collect()
}

fn expected(name: &str, image: &Image<'_>) -> Result<ExpectedImage, CliError> {
    let digests = BANKS.into_iter().map(|alg| Some((alg, image.authenticode(alg)?)));
    let digests: Option<Vec<_>> = digests.collect();
    let (signatures, _) = image.signatures();
    let certificates = signatures.iter().flat_map(|signature| &signature.untrusted_certificates);
    let names = certificates.take(NAMES_MAX).map(|certificate| certificate.subject.clone());
    let hint = Hint {
        what: What::Application,
        subject: name.to_owned(),
        text: String::new(),
        names: names.collect(),
        told: Told::Untrusted,
    };
    Ok(ExpectedImage { digests: digests.context("a bank without a hash")?, hint })
}

fn by_bank(digest: impl Fn(TpmAlgId) -> Option<Digest>) -> std::collections::BTreeMap<String, Hex> {
    let pairs = BANKS.into_iter().filter_map(|alg| Some((alg.to_string(), hex(&digest(alg)?))));
    pairs.collect()
}

fn hex(digest: &Digest) -> Hex {
    Hex(digest.as_bytes().to_vec())
}

/// The name of a file, short enough for a reference.
fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    plain(&name).chars().take(200).collect()
}

fn show(facts: &ImagesFacts, out: Option<&Path>, output: &Output) -> Result<(), CliError> {
    let line = |text: &str| output.line(&plain(text));
    for image in &facts.images {
        output.line(&output.paint(Tone::Strong, &plain(&image.name)))?;
        for (bank, Hex(digest)) in &image.authenticode {
            line(&format!("  PCR 4, {bank}: {}", ::hex::encode(digest)))?;
        }
        for signature in &image.signatures {
            let names = signature.untrusted_certificates.join("; ");
            let whose = if signature.names_this_image { "" } else { "of ANOTHER image, " };
            line(&format!("  signature, {whose}not verified: {names}"))?;
        }
        if let Some(fault) = &image.signature_fault {
            line(&format!("  a signature that cannot be shown: {fault}"))?;
        }
        if !image.sbat.is_empty() {
            line(&format!("  SBAT: {}", image.sbat.join(" ")))?;
        }
        for reason in &image.revoked {
            output.line(&output.paint(Tone::Bad, &plain(&format!("  REVOKED: {reason}"))))?;
        }
        if !image.measured_sections.is_empty() {
            line(&format!("  PCR 11 measures: {}", image.measured_sections.join(" ")))?;
        }
        for value in image.pcr_11.iter().filter(|value| value.bank == "sha256") {
            let Hex(digest) = &value.value;
            line(&format!("  PCR 11, sha256, {}: {}", value.phase, ::hex::encode(digest)))?;
        }
    }
    for untold in &facts.not_told {
        output.note(&format!("not told, so PCR 11 is not compared: {untold}"));
    }
    output.note(
        "not told: PCR 12 and 13, which command lines and extensions beside the image change",
    );
    if let Some(out) = out {
        line(&format!("{}: a reference for PCR 4 and 11", out.display()))?;
    }
    Ok(())
}
