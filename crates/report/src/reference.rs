//! Baselines <-> documents of JSON.

use std::collections::BTreeMap;

use api::{
    machine::Cohort,
    reference::{
        Change, Comparison, Event, FORMAT, Hex, Hint, Image, Manifest, ManifestFile,
        REFERENCE_BYTES_MAX, Reference, VERSION, Value,
    },
};
use event_log::EventType;
use references::{
    Baseline, Content, ContentFault, Expected, ExpectedImage, ExpectedValue, Model, Origin, Told,
    What,
};
use tpm_wire::{Digest, TpmAlgId};

/// Why bytes are no reference.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// More bytes than a reference has.
    #[error("a reference has {REFERENCE_BYTES_MAX} bytes at most")]
    TooLarge,
    /// Not JSON, a field that is not known, or one of another type; it says the line.
    #[error("it is not a reference")]
    Json(#[source] serde_json::Error),
    /// Another document, or another version.
    #[error("it is {format} of version {version}, not {FORMAT} of version {VERSION}")]
    Format {
        /// What it says that it is.
        format: String,
        /// Its version.
        version: u32,
    },
    /// A value that does not exist.
    #[error("{place}: there is no {what} {have:?}")]
    Unknown {
        /// Which part of the document.
        place: String,
        /// What it should be.
        what: &'static str,
        /// What it is.
        have: String,
    },
    /// A digest that no hash has.
    #[error("{place}: a digest of {n_bytes} bytes")]
    Digest {
        /// Which part of the document.
        place: String,
        /// Its length.
        n_bytes: usize,
    },
    /// It does not hold together.
    #[error("it does not hold together")]
    Content(#[source] ContentFault),
}

/// Reads a document. One that [`write`] wrote gives the same bytes again.
pub fn read(bytes: &[u8]) -> Result<Baseline, ReferenceError> {
    if bytes.len() > REFERENCE_BYTES_MAX {
        return Err(ReferenceError::TooLarge);
    }
    from_document(serde_json::from_slice(bytes).map_err(ReferenceError::Json)?)
}

/// The baseline that a document says.
pub fn from_document(document: Reference) -> Result<Baseline, ReferenceError> {
    let Reference { format, version, origin, manifest, complete_pcrs, events, values, images } =
        document;
    if format != FORMAT || version != VERSION {
        return Err(ReferenceError::Format { format, version });
    }
    let unknown = |place: &str, what, have: &str| ReferenceError::Unknown {
        place: place.to_owned(),
        what,
        have: have.to_owned(),
    };
    if let Some(pcr) = complete_pcrs.iter().find(|pcr| **pcr > 23) {
        return Err(unknown("complete_pcrs", "PCR", &pcr.to_string()));
    }
    let events = events.into_iter().enumerate().map(|(n, event)| {
        let place = format!("events[{n}]");
        let event_type = event_type(&event.event_type)
            .ok_or_else(|| unknown(&place, "type", &event.event_type))?;
        let digests = digests(&place, &event.digests)?;
        let hint = hint(&place, event.hint)?;
        Ok(Expected { pcr_index: event.pcr, event_type, digests, hint })
    });
    let values = values.into_iter().enumerate().map(|(n, value)| {
        let place = format!("values[{n}]");
        let alg = TpmAlgId::from_hash_name(&value.bank)
            .ok_or_else(|| unknown(&place, "bank", &value.bank))?;
        let any_of: Result<_, _> = value.any_of.iter().map(|hex| digest(&place, hex)).collect();
        Ok(ExpectedValue { pcr_index: value.pcr, alg, any_of: any_of? })
    });
    let images = images.into_iter().enumerate().map(|(n, image)| {
        let place = format!("images[{n}]");
        let digests = digests(&place, &image.digests)?;
        Ok(ExpectedImage { digests, hint: hint(&place, image.hint)? })
    });
    let content = Content {
        origin: Origin::from_name(&origin).ok_or_else(|| unknown("origin", "origin", &origin))?,
        manifest: manifest.map(manifest_of).transpose()?.map(Box::new),
        complete: complete_pcrs.into_iter().collect(),
        events: events.collect::<Result<_, ReferenceError>>()?,
        values: values.collect::<Result<_, ReferenceError>>()?,
        images: images.collect::<Result<_, ReferenceError>>()?,
    };
    Baseline::new(content).map_err(ReferenceError::Content)
}

/// The document of a baseline.
pub fn document(baseline: &Baseline) -> Reference {
    let Content { origin, manifest, complete, events, values, images } = baseline.content();
    let hex = |digest: &Digest| Hex(digest.as_bytes().to_vec());
    let by_bank = |digests: &[(TpmAlgId, Digest)]| -> BTreeMap<String, Hex> {
        digests.iter().map(|(alg, digest)| (alg.to_string(), hex(digest))).collect()
    };
    Reference {
        format: FORMAT.to_owned(),
        version: VERSION,
        origin: origin.as_str().to_owned(),
        manifest: manifest.as_deref().map(shown_manifest),
        complete_pcrs: complete.iter().collect(),
        events: events
            .iter()
            .map(|event| Event {
                pcr: event.pcr_index,
                event_type: event.event_type.to_string(),
                digests: by_bank(&event.digests),
                hint: shown_hint(&event.hint),
            })
            .collect(),
        values: values
            .iter()
            .map(|value| Value {
                pcr: value.pcr_index,
                bank: value.alg.to_string(),
                any_of: value.any_of.iter().map(hex).collect(),
            })
            .collect(),
        images: images
            .iter()
            .map(|image| Image { digests: by_bank(&image.digests), hint: shown_hint(&image.hint) })
            .collect(),
    }
}

/// The document of a baseline as bytes: indented, with a line's end.
pub fn write(baseline: &Baseline) -> Result<Vec<u8>, ReferenceError> {
    let mut bytes = serde_json::to_vec_pretty(&document(baseline)).map_err(ReferenceError::Json)?;
    bytes.push(b'\n');
    if bytes.len() > REFERENCE_BYTES_MAX {
        return Err(ReferenceError::TooLarge);
    }
    Ok(bytes)
}

/// A comparison as a document.
pub fn comparison(comparison: &references::Comparison) -> Comparison {
    let change = |change: &references::Change| Change {
        change: change.kind.as_str().to_owned(),
        pcrs: change.pcrs.iter().collect(),
        event: change.event,
        words: change.words.clone(),
    };
    Comparison {
        is_match: comparison.is_match(),
        equal_pcrs: comparison.agreement.equal.iter().collect(),
        changes: comparison.changes.iter().map(change).collect(),
        n_more: comparison.n_more,
        set_aside: comparison.ignored.iter().map(|(found, _)| change(found)).collect(),
        varied: comparison.varied.iter().map(change).collect(),
    }
}

/// The machines that a manifest is about, as hosts name theirs.
pub fn cohort(model: &Model) -> Cohort {
    let Model { system_vendor, product_name, firmware_version } = model.clone();
    Cohort { system_vendor, product_name, firmware_version }
}

fn shown_manifest(manifest: &references::Manifest) -> Manifest {
    let sha256 = |digest: &[u8; 32]| Hex(digest.to_vec());
    let files = manifest.files.iter();
    Manifest {
        cohort: cohort(&manifest.model),
        id: manifest.id.clone(),
        signer: manifest.signer.clone(),
        signer_sha256: sha256(&manifest.signer_sha256),
        anchor_sha256: sha256(&manifest.anchor_sha256),
        files: files
            .map(|(name, digest)| ManifestFile { name: name.clone(), sha256: sha256(digest) })
            .collect(),
    }
}

fn manifest_of(manifest: Manifest) -> Result<references::Manifest, ReferenceError> {
    let sha256 = |Hex(bytes): Hex| {
        let n_bytes = bytes.len();
        let digest = bytes.try_into();
        digest.map_err(|_| ReferenceError::Digest { place: "manifest".to_owned(), n_bytes })
    };
    let Cohort { system_vendor, product_name, firmware_version } = manifest.cohort;
    let files = manifest.files.into_iter();
    Ok(references::Manifest {
        model: Model { system_vendor, product_name, firmware_version },
        id: manifest.id,
        signer: manifest.signer,
        signer_sha256: sha256(manifest.signer_sha256)?,
        anchor_sha256: sha256(manifest.anchor_sha256)?,
        files: files
            .map(|file| Ok((file.name, sha256(file.sha256)?)))
            .collect::<Result<_, ReferenceError>>()?,
    })
}

fn event_type(name: &str) -> Option<EventType> {
    let known = EventType::KNOWN.iter().copied().find(|known| known.name() == Some(name));
    known.or_else(|| {
        let digits = name.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
        let number = EventType(u32::from_str_radix(digits, 16).ok()?);
        // One form for each type, so that reading and writing are each other's inverse.
        (number.to_string() == name).then_some(number)
    })
}

fn digest(place: &str, hex: &Hex) -> Result<Digest, ReferenceError> {
    let Hex(bytes) = hex;
    Digest::new(bytes)
        .ok_or_else(|| ReferenceError::Digest { place: place.to_owned(), n_bytes: bytes.len() })
}

fn digests(
    place: &str,
    digests: &BTreeMap<String, Hex>,
) -> Result<Vec<(TpmAlgId, Digest)>, ReferenceError> {
    let pairs = digests.iter().map(|(bank, hex)| {
        let alg = TpmAlgId::from_hash_name(bank).ok_or_else(|| ReferenceError::Unknown {
            place: place.to_owned(),
            what: "bank",
            have: bank.clone(),
        })?;
        Ok((alg, digest(place, hex)?))
    });
    pairs.collect()
}

fn hint(place: &str, hint: Hint) -> Result<references::Hint, ReferenceError> {
    let Hint { what, subject, text, names, measured } = hint;
    let what = What::from_name(&what).ok_or_else(|| ReferenceError::Unknown {
        place: place.to_owned(),
        what: "kind of event",
        have: what,
    })?;
    let told = if measured { Told::Measured } else { Told::Untrusted };
    Ok(references::Hint { what, subject, text, names, told })
}

fn shown_hint(hint: &references::Hint) -> Hint {
    Hint {
        what: hint.what.as_str().to_owned(),
        subject: hint.subject.clone(),
        text: hint.text.clone(),
        names: hint.names.clone(),
        measured: hint.told == Told::Measured,
    }
}
