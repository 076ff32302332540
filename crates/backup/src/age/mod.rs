//! The format of age, version 1, with X25519 recipients: what `age` and `rage` read and write.
//!
//! [age-v1] <https://age-encryption.org/v1>. A passphrase is no recipient here: a backup is made by a timer, and the
//! machine that makes it should not hold what opens it.

mod bech32;
mod header;
mod stream;

use std::io::{BufRead, Read, Write};
use std::str::FromStr;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use self::stream::{Opened, Sealed};

/// How a file begins.
pub const MAGIC: &[u8] = b"age-encryption.org/v1\n";

/// The label of the key that wraps the file's key.
const X25519_LABEL: &[u8] = b"age-encryption.org/v1/X25519";

/// Why something is not encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// A text is not a recipient.
    #[error("it is not a recipient: those of `age-keygen` begin with age1")]
    NotARecipient,
    /// A text is not an identity.
    #[error("it is not an identity: those of `age-keygen` begin with AGE-SECRET-KEY-1")]
    NotAnIdentity,
    /// The file is for others.
    #[error("none of the identities opens it: it was encrypted to other recipients")]
    NotForUs,
    /// It is not as it was encrypted.
    #[error("it was changed after it was encrypted")]
    Changed,
    /// It ends too early.
    #[error("it is cut off")]
    Truncated,
    /// The random source, or the library, failed.
    #[error("the cryptographic library failed")]
    Library,
}

type FileKey = Zeroizing<[u8; 16]>;

/// Who can decrypt: the public half of an [`Identity`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient([u8; 32]);

impl FromStr for Recipient {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        bech32::decode(text, "age").map(Self).ok_or(AgeError::NotARecipient)
    }
}

/// What decrypts.
pub struct Identity(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl FromStr for Identity {
    type Err = AgeError;

    fn from_str(text: &str) -> Result<Self, AgeError> {
        // In capitals throughout, as it is written; what is mixed is a mistake of who copied it.
        if text.chars().any(|c| c.is_ascii_lowercase()) {
            return Err(AgeError::NotAnIdentity);
        }
        let lower = Zeroizing::new(text.to_ascii_lowercase());
        let secret = bech32::decode(&lower, "age-secret-key-").ok_or(AgeError::NotAnIdentity)?;
        Ok(Self(Zeroizing::new(secret)))
    }
}

/// The recipients or identities of a file: one a line, with empty lines and comments.
///
/// # Errors
/// A line is none.
pub fn lines<T: FromStr<Err = AgeError>>(text: &str) -> Result<Vec<T>, AgeError> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::parse).collect()
}

/// Encrypts what is written to it. Without [`Encryptor::finish`] the file is cut off.
pub struct Encryptor<W: Write>(Sealed<W>);

impl<W: Write> Encryptor<W> {
    /// Begins a file for `recipients`, each of whom can open it.
    ///
    /// # Errors
    /// A recipient is no key, or `out` cannot be written to.
    pub fn begin(mut out: W, recipients: &[Recipient]) -> std::io::Result<Self> {
        let file_key: FileKey = Zeroizing::new(random()?);
        let stanzas = recipients.iter().map(|recipient| wrap(recipient, &file_key));
        let stanzas = stanzas.collect::<Result<Vec<_>, _>>().map_err(std::io::Error::other)?;
        out.write_all(header::write(&stanzas, &file_key)?.as_bytes())?;
        let nonce: [u8; 16] = random()?;
        out.write_all(&nonce)?;
        Ok(Self(Sealed::new(out, payload_key(&file_key, &nonce)?)))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(self) -> std::io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Decrypts what is read from it. Each chunk is authentic when it is given, and the end is when it comes.
pub struct Decryptor<R: Read>(Opened<R>);

impl<R: BufRead> Decryptor<R> {
    /// Opens a file by one of `identities`.
    ///
    /// # Errors
    /// It is not for them, was changed, or cannot be read.
    pub fn open(mut input: R, identities: &[Identity]) -> std::io::Result<Self> {
        let (stanzas, mac) = header::read(&mut input)?;
        let file_key = identities
            .iter()
            .find_map(|identity| stanzas.iter().find_map(|stanza| unwrap(identity, stanza)))
            .ok_or_else(|| std::io::Error::other(AgeError::NotForUs))?;
        mac.verify(&file_key)?;
        let mut nonce = [0; 16];
        input.read_exact(&mut nonce)?;
        Ok(Self(Opened::new(input, payload_key(&file_key, &nonce)?)))
    }
}

impl<R: Read> Read for Decryptor<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

fn random<const N: usize>() -> Result<[u8; N], std::io::Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| std::io::Error::other(AgeError::Library))?;
    Ok(bytes)
}

/// A file's key, as one recipient can open it: the sender's share, and the key under the shared one.
struct Stanza {
    share: [u8; 32],
    wrapped: [u8; 32],
}

fn wrap(recipient: &Recipient, file_key: &FileKey) -> Result<Stanza, AgeError> {
    let once = PrivateKey::generate(&X25519).map_err(|_| AgeError::Library)?;
    let share = once.compute_public_key().map_err(|_| AgeError::Library)?;
    let share: [u8; 32] = share.as_ref().try_into().map_err(|_| AgeError::Library)?;
    // A recipient of low order has no shared key, and is refused here.
    let key = shared(&once, &recipient.0, &share, &recipient.0).ok_or(AgeError::NotARecipient)?;
    let mut wrapped = file_key.to_vec();
    key.seal_in_place_append_tag(zeros(), Aad::empty(), &mut wrapped)
        .map_err(|_| AgeError::Library)?;
    let wrapped = wrapped.try_into().map_err(|_| AgeError::Library)?;
    Ok(Stanza { share, wrapped })
}

fn unwrap(identity: &Identity, stanza: &Stanza) -> Option<FileKey> {
    let own = PrivateKey::from_private_key(&X25519, identity.0.as_slice()).ok()?;
    let public = own.compute_public_key().ok()?;
    let public: [u8; 32] = public.as_ref().try_into().ok()?;
    let key = shared(&own, &stanza.share, &stanza.share, &public)?;
    let mut wrapped = stanza.wrapped;
    let opened = key.open_in_place(zeros(), Aad::empty(), &mut wrapped).ok()?;
    Some(Zeroizing::new((&*opened).try_into().ok()?))
}

/// The key under which a file's key is wrapped. [age-v1, X25519 recipient]
fn shared(
    own: &PrivateKey,
    peer: &[u8; 32],
    share: &[u8; 32],
    recipient: &[u8; 32],
) -> Option<LessSafeKey> {
    let salt = [share.as_slice(), recipient].concat();
    let peer = UnparsedPublicKey::new(&X25519, peer.as_slice());
    agreement::agree(own, peer, (), |secret| expand(secret, &salt, X25519_LABEL).ok_or(())).ok()
}

fn payload_key(file_key: &FileKey, nonce: &[u8; 16]) -> std::io::Result<LessSafeKey> {
    expand(file_key.as_slice(), nonce, b"payload")
        .ok_or_else(|| std::io::Error::other(AgeError::Library))
}

/// HKDF-SHA-256, and a key of ChaCha20-Poly1305 of it.
fn expand(secret: &[u8], salt: &[u8], label: &[u8]) -> Option<LessSafeKey> {
    let bytes = derive(secret, salt, label)?;
    Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, bytes.as_slice()).ok()?))
}

fn derive(secret: &[u8], salt: &[u8], label: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let key = Salt::new(HKDF_SHA256, salt).extract(secret);
    key.expand(&[label], HKDF_SHA256).ok()?.fill(bytes.as_mut_slice()).ok()?;
    Some(bytes)
}

/// The nonce of what is sealed under a key that is used once.
fn zeros() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
