//! Response codes, explained.

use findings::response_code::Explanation;
use serde::{Deserialize, Serialize};
use tpm_wire::Position;

/// What a response code means, for `bootproof tpm rc` and `bootproof explain`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResponseCode {
    /// The code.
    pub response_code: u32,
    /// The code in hexadecimal, `0x18b`.
    pub hex: String,
    /// Who made it: `TPM 2.0`, `TPM 1.2`, or a layer of software.
    pub origin: String,
    /// The specification's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it complains about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<CodePosition>,
    /// Code, name, position and what the specification says, in one line.
    pub meaning: String,
    /// `harmless`, `passing` (the same command may work later) or `fault`.
    pub weight: String,
    /// Why this happens.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// The finding that it leads to where what it names is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}

/// The part of a command that a response code complains about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodePosition {
    /// Of what.
    pub of: PositionOf,
    /// Which one, from 1; 0 where the TPM does not say.
    pub number: u8,
}

/// What positions are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PositionOf {
    /// A handle of the command.
    Handle,
    /// A session of the authorisation area.
    Session,
    /// A parameter.
    Parameter,
}

impl From<&Explanation> for ResponseCode {
    fn from(explanation: &Explanation) -> Self {
        let position = explanation.position.map(|position| {
            let (of, number) = match position {
                Position::Handle(n) => (PositionOf::Handle, n),
                Position::Session(n) => (PositionOf::Session, n),
                Position::Parameter(n) => (PositionOf::Parameter, n),
            };
            CodePosition { of, number }
        });
        Self {
            response_code: explanation.code.0,
            hex: format!("{:#x}", explanation.code.0),
            origin: explanation.origin.to_string(),
            name: explanation.name.map(str::to_owned),
            position,
            meaning: explanation.to_string(),
            weight: explanation.weight.as_str().to_owned(),
            cause: explanation.cause.to_owned(),
            next_step: explanation.next_step.to_owned(),
            finding: explanation.finding.map(|code| code.as_str().to_owned()),
        }
    }
}
