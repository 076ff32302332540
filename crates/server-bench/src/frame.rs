//! What the limit program and its hosts say to each other: a length and so many bytes, there and back.
//!
//! A request is the same evidence that the server gets, as raw bytes: the shortest form that it can have.

use anyhow::Context as _;

/// Bytes of a request: twice what is sent here.
pub const REQUEST_BYTES_MAX: usize = 1 << 20;

/// Bytes of an answer: what a verdict with some findings takes.
pub const ANSWER_BYTES: usize = 1024;

/// Bytes of a verdict's row: who, when, what, and the findings in short.
pub const VERDICT_BYTES: usize = 600;

/// Bytes of a signature of P-256: both numbers.
pub const SIGNATURE_BYTES: usize = 64;

/// A request, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Which host.
    pub host: u32,
    /// TPMS_ATTEST.
    pub attest: &'a [u8],
    /// Both numbers of the signature.
    pub signature: &'a [u8],
    /// Values of the quoted PCRs.
    pub values: &'a [u8],
    /// The event log.
    pub log: &'a [u8],
}

impl<'a> Request<'a> {
    /// Appends it with its length.
    pub fn write(&self, out: &mut Vec<u8>) -> anyhow::Result<()> {
        let Self { host, attest, signature, values, log } = self;
        let n_bytes = 4 + 2 + attest.len() + signature.len() + 2 + values.len() + log.len();
        out.extend_from_slice(&u32::try_from(n_bytes)?.to_be_bytes());
        out.extend_from_slice(&host.to_be_bytes());
        out.extend_from_slice(&u16::try_from(attest.len())?.to_be_bytes());
        out.extend_from_slice(attest);
        out.extend_from_slice(signature);
        out.extend_from_slice(&u16::try_from(values.len())?.to_be_bytes());
        out.extend_from_slice(values);
        out.extend_from_slice(log);
        Ok(())
    }

    /// Reads what comes after the length.
    pub fn read(bytes: &'a [u8]) -> anyhow::Result<Self> {
        let short = "a request is cut short";
        let (host, rest) = bytes.split_first_chunk().context(short)?;
        let (len, rest) = rest.split_first_chunk().context(short)?;
        let (attest, rest) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*len))).context(short)?;
        let (signature, rest) = rest.split_at_checked(SIGNATURE_BYTES).context(short)?;
        let (len, rest) = rest.split_first_chunk().context(short)?;
        let (values, log) =
            rest.split_at_checked(usize::from(u16::from_be_bytes(*len))).context(short)?;
        Ok(Self { host: u32::from_be_bytes(*host), attest, signature, values, log })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_out_as_it_went_in() {
        let signature = [7; SIGNATURE_BYTES];
        let request =
            Request { host: 5, attest: b"quote", signature: &signature, values: b"v", log: b"log" };
        let mut bytes = Vec::new();
        request.write(&mut bytes).unwrap();
        let (len, rest) = bytes.split_first_chunk().unwrap();
        assert_eq!(u32::from_be_bytes(*len), u32::try_from(rest.len()).unwrap());
        assert_eq!(Request::read(rest).unwrap(), request);
        // The log is what is left, so what is cut before it cannot be read.
        for n in 0..rest.len() - request.log.len() {
            assert!(Request::read(&rest[..n]).is_err(), "{n} bytes");
        }
    }
}
