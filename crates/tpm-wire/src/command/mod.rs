//! Commands as types: each knows its request bytes and reads its own response.
//!
//! Sizes in front of whole structures are a matter of framing: what a command takes and gives is
//! always the inside (TPMT_PUBLIC, TPMS_ATTEST, the contents of TPM2B_PRIVATE).

mod capability;
mod key;
mod nv;
mod pcr;
mod policy;
mod sign;
mod startup;

use core::fmt;

pub use capability::{Capability, CapabilityValues, GetCapability, GetRandom};
pub use key::{
    ActivateCredential, Create, CreatePrimary, Created, CreatedPrimary, EvictControl, FlushContext,
    Load, PublicAndName, Quote, QuoteResponse, ReadPublic,
};
pub use nv::{NvPublic, NvRead, NvReadPublic};
pub use pcr::{PCR_READ_MAX, PcrExtend, PcrRead, PcrValues};
pub use policy::{PolicyGetDigest, PolicyOr, PolicySecret, StartPolicySession};
pub use sign::{Certify, Sign};
pub use startup::{Shutdown, Startup, StartupType};

use crate::error::{ParseError, ParseErrorKind};
use crate::handle::Handle;
use crate::rc::ResponseCode;
use crate::reader::Reader;
use crate::writer::{EncodeError, Writer};

/// Bytes of a response's header: tag, size, code.
pub const HEADER_LEN: usize = 10;
/// Largest command and response. TPM_PT_MAX_COMMAND_SIZE is 4096 in every PC Client TPM.
pub const FRAME_LEN_MAX: usize = 4096;

/// TPM_ST_NO_SESSIONS. [TPM2-P2-1.59 §6.9]
const TAG_NO_SESSIONS: u16 = 0x8001;
/// TPM_ST_SESSIONS.
const TAG_SESSIONS: u16 = 0x8002;
/// TPMA_SESSION continueSession: a session without it is gone after the command worked.
const CONTINUE_SESSION: u8 = 1;

/// A command. [TPM2-P3-1.59] describes them; the order of fields here is that of its tables.
pub trait Command {
    /// TPM_CC. [TPM2-P2-1.59 §6.5.2]
    const CODE: u32;
    /// The specification's name, for messages.
    const NAME: &'static str;
    /// Handles in front of the response's parameters: 0 or 1.
    const N_RESPONSE_HANDLES: usize = 0;
    /// Seconds that the slowest TPM may take. Making an RSA key has been seen to take minutes.
    const TIME_S_MAX: u64 = 60;
    /// What a successful response says.
    type Response;

    /// Writes the handle area.
    fn write_handles(&self, _to: &mut Writer) {}

    /// The authorisations of the handles that need one, in their order.
    fn auths(&self) -> Auths {
        Auths::NONE
    }

    /// Writes the parameter area.
    fn write_parameters(&self, _to: &mut Writer) {}

    /// Reads the parameters of a successful response; `handle` is [`Handle::NULL`] where
    /// [`Command::N_RESPONSE_HANDLES`] is 0. What is left behind them is refused.
    fn read_response(handle: Handle, from: &mut Reader<'_>) -> Result<Self::Response, ParseError>;
}

/// How one handle is authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// By an empty password.
    Empty,
    /// By this policy session, which ends with the command.
    Policy(Handle),
}

/// The authorisation area of a command: none, one or two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auths([Option<Auth>; 2]);

impl Auths {
    /// No handle needs one.
    pub const NONE: Self = Self([None, None]);
    /// One handle with an empty password.
    pub const EMPTY: Self = Self::one(Auth::Empty);

    /// One handle.
    pub const fn one(auth: Auth) -> Self {
        Self([Some(auth), None])
    }

    /// Two handles.
    pub const fn two(first: Auth, second: Auth) -> Self {
        Self([Some(first), Some(second)])
    }

    fn write(self, to: &mut Writer) {
        for auth in self.0.into_iter().flatten() {
            let (session, attributes) = match auth {
                Auth::Empty => (Handle::PASSWORD, CONTINUE_SESSION),
                Auth::Policy(session) => (session, 0),
            };
            to.u32(session.0);
            to.sized("TPMS_AUTH_COMMAND.nonce", &[]);
            to.u8(attributes);
            to.sized("TPMS_AUTH_COMMAND.hmac", &[]);
        }
    }
}

/// The whole of `command` as bytes, at most [`FRAME_LEN_MAX`].
pub fn encode<C: Command>(command: &C) -> Result<Vec<u8>, EncodeError> {
    let mut body = Writer::new();
    command.write_handles(&mut body);
    let auths = command.auths();
    if auths != Auths::NONE {
        let mut area = Writer::new();
        auths.write(&mut area);
        let area = area.finish()?;
        body.u32(u32::try_from(area.len()).unwrap_or(u32::MAX));
        body.bytes(&area);
    }
    command.write_parameters(&mut body);
    let body = body.finish()?;
    let len = HEADER_LEN.saturating_add(body.len());
    let mut frame = Writer::new();
    frame.u16(if auths == Auths::NONE { TAG_NO_SESSIONS } else { TAG_SESSIONS });
    if len > FRAME_LEN_MAX {
        frame.refuse(C::NAME, len, FRAME_LEN_MAX);
    }
    frame.u32(u32::try_from(len).unwrap_or(u32::MAX));
    frame.u32(C::CODE);
    frame.bytes(&body);
    frame.finish()
}

/// Why a response was not what the command asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseError {
    /// The TPM refused.
    Code(ResponseCode),
    /// The response cannot be read.
    Parse(ParseError),
}

impl From<ParseError> for ResponseError {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => code.fmt(f),
            Self::Parse(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ResponseError {}

/// The header of `response`: its code, once tag and size fit the bytes. Trust: none, a bus can
/// be tampered with; what matters is signed.
pub fn response_code(response: &[u8]) -> Result<ResponseCode, ParseError> {
    header(&mut Reader::new(response), response.len()).map(|(_, code)| code)
}

fn header(from: &mut Reader<'_>, len: usize) -> Result<(u16, ResponseCode), ParseError> {
    let field = *from;
    let tag = from.u16("response tag")?;
    // A TPM 1.2 answers with its own tag and TPM_BADTAG: then the code says what is wrong.
    if !matches!(tag, TAG_NO_SESSIONS | TAG_SESSIONS | 0x00C4) {
        let kind = ParseErrorKind::Value { have: u64::from(tag) };
        return Err(field.error("response tag", kind));
    }
    let field = *from;
    let size = from.u32("response size")?;
    if usize::try_from(size) != Ok(len) {
        let kind = ParseErrorKind::Value { have: u64::from(size) };
        return Err(field.error("response size", kind));
    }
    let code = ResponseCode(from.u32("response code")?);
    Ok((tag, code))
}

/// Reads the whole of `response` as the answer to a `C`.
pub fn decode<C: Command>(response: &[u8]) -> Result<C::Response, ResponseError> {
    let mut from = Reader::new(response);
    let (tag, code) = header(&mut from, response.len())?;
    if !code.is_success() {
        return Err(ResponseError::Code(code));
    }
    let handle = match C::N_RESPONSE_HANDLES {
        0 => Handle::NULL,
        _ => Handle(from.u32("response handle")?),
    };
    if tag == TAG_SESSIONS {
        // The authorisation area behind the parameters says nothing without an HMAC session.
        let field = from;
        let size = from.u32("parameterSize")?;
        let n = usize::try_from(size).unwrap_or(usize::MAX);
        let Some(at) = response.len().checked_sub(from.left().len()) else {
            return Err(field
                .error("parameterSize", ParseErrorKind::Short { want: n, have: 0 })
                .into());
        };
        let end = at.saturating_add(n);
        let Some(front) = response.get(..end) else {
            let kind = ParseErrorKind::Short { want: n, have: from.left().len() };
            return Err(field.error("parameterSize", kind).into());
        };
        from = Reader::new(front);
        from.take("response header", at)?;
    }
    let read = C::read_response(handle, &mut from)?;
    from.finish(C::NAME)?;
    Ok(read)
}
