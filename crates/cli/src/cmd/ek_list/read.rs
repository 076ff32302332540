//! The endorsement keys in a file or folder of a purchase.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use api::ek_list::{EK_NOTE_CHARS_MAX, Ek, EkDigestOf};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use verify::CertificateLabel;

use crate::{cmd::input, error::CliError, output::plain};

/// A CSV or PEM file of 100,000 certificates has 200 MB.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Certificates of a folder: the largest purchase that is one list.
const FILES_MAX: usize = 200_000;

/// Columns that hold a key, each with what else sellers call it. The first that a line has counts: what says
/// most of the key comes first.
const KEYS: [(Column, &[&str]); 5] = [
    (Column::Certificate, &["ek_certificate", "ek_cert", "certificate", "ekcert"]),
    (Column::Public, &["ek_public", "ek_pub", "ekpub", "tpm2b_public", "tpmt_public"]),
    (Column::SpkiSha256, &["ek_spki_sha256", "ek_sha256", "spki_sha256"]),
    (Column::PublicSha256, &["ek_public_sha256", "ek_pub_sha256", "public_sha256"]),
    (Column::Name, &["ek_name", "tpm_ek_name"]),
];

/// Columns that are kept as words.
const WORDS: [&str; 7] =
    ["serial", "serial_number", "asset", "asset_tag", "hostname", "model", "note"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Certificate,
    Public,
    SpkiSha256,
    PublicSha256,
    Name,
}

/// A key, and where it stands: a line of the file, or a file of the folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) ek: Ek,
    pub(super) place: String,
}

/// All keys in `path`, in their order.
pub(super) fn keys(path: &Path) -> Result<Vec<Read>, CliError> {
    if path.is_dir() {
        return folder(path);
    }
    let text = input::text(path, FILE_BYTES_MAX, "is no list of a purchase: it is too long")?;
    let read = match text.trim_start().starts_with("-----BEGIN ") {
        true => pem(&text),
        false => table(&text),
    };
    read.map_err(|err| {
        let hint = "`bootproof ek-list import --help` says what a list looks like";
        CliError::with_hint(err.context(path.display().to_string()), hint)
    })
}

fn folder(path: &Path) -> Result<Vec<Read>, CliError> {
    let named = || format!("{} cannot be read", path.display());
    let entries = fs::read_dir(path).with_context(named)?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.with_context(named)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_certificate = [".der", ".cer", ".crt", ".pem"].iter().any(|end| name.ends_with(end));
        if is_certificate && entry.path().is_file() {
            files.push((name, entry.path()));
        }
        if files.len() > FILES_MAX {
            let err = anyhow!("{} has more than {FILES_MAX} certificates", path.display());
            return Err(err.into());
        }
    }
    files.sort();
    let mut keys = Vec::new();
    for (name, file) in files {
        // One byte more than a certificate may have is refused as one.
        let bytes =
            fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
        let place = plain(&name);
        if bytes.starts_with(b"-----BEGIN ") {
            let text = String::from_utf8_lossy(&bytes);
            let read = pem(&text).with_context(|| place.clone())?;
            keys.extend(
                read.into_iter()
                    .map(|read| Read { place: format!("{place}, {}", read.place), ..read }),
            );
            continue;
        }
        let ek = of_certificate(&bytes)
            .ok_or_else(|| anyhow!("{place}: this is no certificate with a key that we know"))?;
        keys.push(Read { ek, place });
    }
    if keys.is_empty() {
        return Err(
            anyhow!("{} has no certificates (.der, .cer, .crt, .pem)", path.display()).into()
        );
    }
    Ok(keys)
}

/// A file of certificates, one behind the other.
fn pem(text: &str) -> anyhow::Result<Vec<Read>> {
    let mut keys = Vec::new();
    let mut block: Option<(usize, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        match (line.trim(), &mut block) {
            ("-----BEGIN CERTIFICATE-----", None) => block = Some((number, String::new())),
            ("-----END CERTIFICATE-----", Some((begins, base64))) => {
                let place = format!("line {begins}");
                let der = STANDARD.decode(base64.as_bytes());
                let der = der.map_err(|_| anyhow!("{place}: the certificate is not base64"))?;
                let ek = of_certificate(&der).ok_or_else(|| {
                    anyhow!("{place}: this is no certificate with a key that we know")
                })?;
                keys.push(Read { ek, place });
                block = None;
            }
            (line, Some((_, base64))) if !line.starts_with("-----") => base64.push_str(line),
            (line, _) if line.starts_with("-----") => {
                return Err(anyhow!("line {number}: only certificates are expected here"));
            }
            // Words between certificates say nothing.
            _ => {}
        }
    }
    match block {
        Some((begins, _)) => Err(anyhow!("line {begins}: the certificate does not end")),
        None => Ok(keys),
    }
}

/// A CSV file whose first line names its columns.
fn table(text: &str) -> anyhow::Result<Vec<Read>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let header = text.lines().next().unwrap_or_default();
    let comma = header.matches(',').count();
    let delimiter = if header.matches(';').count() > comma { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let names: Vec<String> = reader
        .headers()
        .map_err(of_csv)?
        .iter()
        .map(|name| name.to_ascii_lowercase().replace([' ', '-'], "_"))
        .collect();
    let mut columns = Vec::new();
    for (column, known) in KEYS {
        let mut found = (0..).zip(&names).filter(|(_, name)| known.contains(&name.as_str()));
        if let Some((index, _)) = found.next() {
            columns.push((column, index));
        }
        if let Some((_, twice)) = found.next() {
            return Err(anyhow!("line 1: {twice:?} is a second column of the same"));
        }
    }
    if columns.is_empty() {
        let known: Vec<_> = KEYS.iter().filter_map(|(_, names)| names.first().copied()).collect();
        return Err(anyhow!("line 1 names no column with a key: {}", known.join(", ")));
    }
    let words: Vec<(usize, &str)> = (0..)
        .zip(&names)
        .filter(|(_, name)| WORDS.contains(&name.as_str()))
        .map(|(index, name)| (index, name.as_str()))
        .collect();
    let mut keys = Vec::new();
    let mut lines = Lines { rest: text, read: 0, line: 1 };
    for record in reader.records() {
        let record = record.map_err(of_csv)?;
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        let value = |index: usize| record.get(index).unwrap_or_default();
        let Some((column, index)) = columns.iter().find(|(_, index)| !value(*index).is_empty())
        else {
            return Err(anyhow!("line {line} has no key"));
        };
        let mut ek = key(*column, value(*index)).map_err(|what| anyhow!("line {line}: {what}"))?;
        let said = words.iter().filter(|(index, _)| !value(*index).is_empty());
        let said: Vec<_> = said.map(|(index, name)| format!("{name} {}", value(*index))).collect();
        if !said.is_empty() {
            ek.note = note(&said.join(", "));
        }
        keys.push(Read { ek, place: format!("line {line}") });
    }
    Ok(keys)
}

/// Counts lines: the reader's own number of a record is that of the empty lines and remarks before it.
struct Lines<'t> {
    rest: &'t str,
    read: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the record that is behind the byte `at`.
    fn at(&mut self, at: u64) -> usize {
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        while let Some((line, rest)) = self.rest.split_once('\n') {
            let says_nothing = line.trim().is_empty() || line.starts_with('#');
            if self.read >= at && !says_nothing {
                break;
            }
            self.read += line.len() + 1;
            self.line += 1;
            self.rest = rest;
        }
        self.line
    }
}

/// Where the file is not CSV, with its line.
fn of_csv(err: csv::Error) -> anyhow::Error {
    match err.position() {
        Some(position) => anyhow!("line {}: {err}", position.line()),
        None => err.into(),
    }
}

fn key(column: Column, value: &str) -> Result<Ek, &'static str> {
    let digest = |of, digits: &str, what| {
        let digits = digits.replace(':', "").to_ascii_lowercase();
        match hex::decode(&digits) {
            Ok(bytes) if bytes.len() == 32 => Ok(Ek { of, sha256: digits, note: String::new() }),
            _ => Err(what),
        }
    };
    match column {
        Column::Certificate => {
            let no_certificate = "this is no certificate with a key that we know, in base64 or PEM";
            if value.starts_with("-----BEGIN ") {
                let mut keys = pem(value).map_err(|_| no_certificate)?;
                return match (keys.pop(), keys.is_empty()) {
                    (Some(read), true) => Ok(read.ek),
                    _ => Err("there must be one certificate"),
                };
            }
            let base64: String = value.split_whitespace().collect();
            let der = STANDARD.decode(base64).map_err(|_| no_certificate)?;
            of_certificate(&der).ok_or(no_certificate)
        }
        Column::Public => {
            let no_public = "this is no public area of an endorsement key, in base64 or hex";
            let bytes = hex::decode(value).or_else(|_| STANDARD.decode(value));
            let bytes = bytes.map_err(|_| no_public)?;
            let ek = verify::check_ek(&bytes).map_err(|_| no_public)?;
            let sha256 = hex::encode(ek.spki_sha256());
            Ok(Ek { of: EkDigestOf::Spki, sha256, note: String::new() })
        }
        Column::SpkiSha256 => {
            digest(EkDigestOf::Spki, value, "this is no SHA-256: 64 hexadecimal digits")
        }
        Column::PublicSha256 => {
            digest(EkDigestOf::PublicArea, value, "this is no SHA-256: 64 hexadecimal digits")
        }
        Column::Name => {
            let what = "this is no name with SHA-256: 000b and 64 hexadecimal digits";
            let value = value.to_ascii_lowercase();
            let value = value.strip_prefix("0x").unwrap_or(&value);
            digest(EkDigestOf::PublicArea, value.strip_prefix("000b").ok_or(what)?, what)
        }
    }
}

/// The key of a certificate, whoever made that.
fn of_certificate(bytes: &[u8]) -> Option<Ek> {
    // Copies of what lies in a TPM have padding behind the certificate.
    let der = verify::certificate_in(bytes).unwrap_or(bytes);
    let label = CertificateLabel::of(der)?;
    let said = format!("certificate {} by {}", hex::encode(&label.serial), label.issuer);
    let sha256 = hex::encode(label.spki_sha256);
    Some(Ek { of: EkDigestOf::Spki, sha256, note: note(&said) })
}

/// As much of it as a note may have, on one line.
fn note(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(EK_NOTE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spki(digit: &str) -> String {
        digit.repeat(64)
    }

    fn fault(text: &str) -> String {
        format!("{:#}", table(text).unwrap_err())
    }

    #[test]
    fn columns_are_known_by_their_names() {
        let text = format!(
            "Serial;EK SPKI SHA256;Colour;ek-name\nX1;{};red;\n# a remark\nX2;;blue;000B{}\n",
            spki("A"),
            spki("b")
        );
        let read = table(&text).unwrap();
        let ek = |of, sha256, note: &str| Ek { of, sha256, note: note.to_owned() };
        assert_eq!(read[0].ek, ek(EkDigestOf::Spki, spki("a"), "serial X1"));
        assert_eq!(read[1].ek, ek(EkDigestOf::PublicArea, spki("b"), "serial X2"));
        assert_eq!((read[0].place.as_str(), read[1].place.as_str()), ("line 2", "line 4"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        assert!(fault("serial,colour\nX,red\n").contains("line 1 names no column with a key"));
        assert!(fault("").contains("line 1"));
        let digest = spki("0");
        assert!(
            fault(&format!("ek_sha256\n{digest}\nff\n")).contains("line 3: this is no SHA-256")
        );
        assert!(fault(&format!("ek_name\n000c{digest}\n")).contains("line 2: this is no name"));
        assert!(fault("ek_name,serial\n,X\n").contains("line 2 has no key"));
        assert!(fault(&format!("ek_sha256,serial\n{digest}\n")).contains("line 2"));
        assert!(fault("ek_sha256,spki_sha256\n").contains("a second column of the same"));
        assert!(fault("ek_certificate\nMAA=\n").contains("line 2: this is no certificate"));
        assert!(fault("ek_public\n00\n").contains("line 2: this is no public area"));
        let cut = format!("{:#}", pem("-----BEGIN CERTIFICATE-----\nMAA=\n").unwrap_err());
        assert!(cut.contains("line 1: the certificate does not end"), "{cut}");
        let key = format!("{:#}", pem("\n-----BEGIN PRIVATE KEY-----\n").unwrap_err());
        assert!(key.contains("line 2: only certificates"), "{key}");
    }
}
