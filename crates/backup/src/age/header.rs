//! The header: for whom a file is. [age-v1, header]

use std::io::{self, BufRead, Read as _};

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

use super::{AgeError, FileKey, MAGIC, Stanza, derive};

/// Bytes of a header: a recipient takes 100, and a thousand of them are too many for one key to be safe.
const HEADER_BYTES_MAX: usize = 100 * 1024;

/// The header of a file with this key.
pub(super) fn write(stanzas: &[Stanza], file_key: &FileKey) -> io::Result<String> {
    let mut text = String::from_utf8_lossy(MAGIC).into_owned();
    for Stanza { share, wrapped } in stanzas {
        let (share, wrapped) = (STANDARD_NO_PAD.encode(share), STANDARD_NO_PAD.encode(wrapped));
        // 43 letters: less than the 64 after which a line would be wrapped.
        text += &format!("-> X25519 {share}\n{wrapped}\n");
    }
    text += "---";
    let mac = STANDARD_NO_PAD.encode(hmac::sign(&mac_key(file_key)?, text.as_bytes()));
    Ok(format!("{text} {mac}\n"))
}

fn mac_key(file_key: &FileKey) -> io::Result<hmac::Key> {
    let key = derive(file_key.as_slice(), &[], b"header");
    let key = key.ok_or_else(|| io::Error::other(AgeError::Library))?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, key.as_slice()))
}

/// What the header is checked by, once the file's key is known.
pub(super) struct Mac {
    text: Vec<u8>,
    mac: Vec<u8>,
}

impl Mac {
    pub(super) fn verify(&self, file_key: &FileKey) -> io::Result<()> {
        hmac::verify(&mac_key(file_key)?, &self.text, &self.mac).map_err(|_| changed())
    }
}

fn changed() -> io::Error {
    io::Error::other(AgeError::Changed)
}

/// Reads a header. Recipients of other kinds are passed over.
pub(super) fn read(input: &mut impl BufRead) -> io::Result<(Vec<Stanza>, Mac)> {
    let mut text: Vec<u8> = Vec::new();
    let mut stanzas = Vec::new();
    let mut share: Option<[u8; 32]> = None;
    loop {
        let start = text.len();
        let room = HEADER_BYTES_MAX.saturating_sub(start);
        let n = input.take(u64::try_from(room).unwrap_or(0)).read_until(b'\n', &mut text)?;
        let line = text.get(start..).unwrap_or_default();
        let Some(line) = line.strip_suffix(b"\n") else {
            return Err(if n == room { changed() } else { io::ErrorKind::UnexpectedEof.into() });
        };
        let line = std::str::from_utf8(line).map_err(|_| changed())?;
        if start == 0 {
            if format!("{line}\n").as_bytes() != MAGIC {
                return Err(changed());
            }
        } else if let Some(mac) = line.strip_prefix("--- ") {
            let mac = STANDARD_NO_PAD.decode(mac).map_err(|_| changed())?;
            text.truncate(start.saturating_add(3));
            return Ok((stanzas, Mac { text, mac }));
        } else if let Some(arguments) = line.strip_prefix("-> ") {
            share = match arguments.split(' ').collect::<Vec<_>>().as_slice() {
                ["X25519", share] => Some(thirty_two(share)?),
                _ => None,
            };
        } else if let Some(share) = share.take() {
            stanzas.push(Stanza { share, wrapped: thirty_two(line)? });
        }
    }
}

fn thirty_two(text: &str) -> io::Result<[u8; 32]> {
    let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| changed())?;
    bytes.try_into().map_err(|_| changed())
}
