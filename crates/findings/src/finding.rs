//! One finding: its arguments, where it points, and its cause in words.

use std::fmt::Write as _;

use tpm_wire::{Digest, PcrSet, TpmAlgId};

use crate::{Code, Entry, Severity};

/// Where in the evidence a finding points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pointer {
    /// The PCR.
    pub pcr: Option<u32>,
    /// The event's number in the log, from 0.
    pub event: Option<u32>,
    /// The byte offset in the log or the structure.
    pub offset: Option<u64>,
}

/// The value of an argument; a closed set, so that each reader can show each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A text, not for parsing. Parts that a host said are escaped by whoever shows it.
    Text(String),
    /// A number.
    Number(u64),
    /// Bytes, shown in hex.
    Digest(Digest),
    /// Indices of PCRs.
    Pcrs(PcrSet),
    /// A hash algorithm.
    Bank(TpmAlgId),
}

impl Argument {
    /// What `value` displays as.
    pub fn text(value: impl ToString) -> Self {
        Self::Text(value.to_string())
    }

    /// How many.
    pub fn count(n: usize) -> Self {
        Self::Number(u64::try_from(n).unwrap_or(u64::MAX))
    }
}

/// One finding. Equal findings have equal code, severity, pointer and arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    code: Code,
    severity: Severity,
    at: Pointer,
    arguments: Vec<(&'static str, Argument)>,
}

impl Finding {
    /// A finding without arguments, as severe as the catalogue says.
    pub const fn new(code: Code) -> Self {
        let at = Pointer { pcr: None, event: None, offset: None };
        Self { code, severity: code.entry().severity, at, arguments: Vec::new() }
    }

    /// With the severity that a policy gives it.
    #[must_use]
    pub const fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// With this pointer's PCR.
    #[must_use]
    pub const fn in_pcr(mut self, pcr: u32) -> Self {
        self.at.pcr = Some(pcr);
        self
    }

    /// With this event's number.
    #[must_use]
    pub const fn in_event(mut self, event: u32) -> Self {
        self.at.event = Some(event);
        self
    }

    /// With this byte offset.
    #[must_use]
    pub const fn at_offset(mut self, offset: u64) -> Self {
        self.at.offset = Some(offset);
        self
    }

    /// With the reason of this very case, as an argument named `reason`.
    #[must_use]
    pub fn because(self, reason: impl Into<String>) -> Self {
        self.with("reason", Argument::Text(reason.into()))
    }

    /// With one more argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Argument) -> Self {
        self.arguments.push((name, value));
        self
    }

    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// What it does to the verdict, under the policy that judged; before that, by the catalogue.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// The catalogue's row.
    pub const fn entry(&self) -> &'static Entry {
        self.code.entry()
    }

    /// Where it points.
    pub const fn at(&self) -> Pointer {
        self.at
    }

    /// The arguments, in the order in which they were given.
    pub fn arguments(&self) -> &[(&'static str, Argument)] {
        &self.arguments
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// What was found, in a sentence without a full stop: the catalogue's title, and then where
    /// it was found and with which arguments.
    pub fn cause(&self) -> String {
        let mut text = String::from(self.entry().title);
        let mut separator = ": ";
        let mut part = |text: &mut String, piece: &str| {
            text.push_str(separator);
            text.push_str(piece);
            separator = ", ";
        };
        if let Some(Argument::Bank(bank)) = self.argument("bank") {
            part(&mut text, &format!("{bank} bank"));
        }
        if let Some(pcr) = self.at.pcr {
            part(&mut text, &format!("PCR {pcr}"));
        }
        if let Some(event) = self.at.event {
            part(&mut text, &format!("event {event}"));
        }
        if let Some(offset) = self.at.offset {
            part(&mut text, &format!("byte {offset}"));
        }
        for (name, value) in &self.arguments {
            let mut piece = String::new();
            // Writing into a String cannot fail.
            let _ = match (*name, value) {
                ("bank", _) => continue,
                ("reason", Argument::Text(reason)) => write!(piece, "{reason}"),
                (name, Argument::Text(value)) => write!(piece, "{name} {value}"),
                (name, Argument::Number(value)) => write!(piece, "{name} {value}"),
                (name, Argument::Digest(value)) => write!(piece, "{name} {value}"),
                (name, Argument::Pcrs(value)) => write!(piece, "{name} {value}"),
                (name, Argument::Bank(value)) => write!(piece, "{name} {value}"),
            };
            part(&mut text, &piece);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_tells_where_and_what() {
        let finding = Finding::new(Code::LogReplay)
            .in_pcr(7)
            .with("bank", Argument::Bank(TpmAlgId::SHA256))
            .with("quoted", Argument::Digest(Digest::new(&[1, 2]).unwrap()));
        assert_eq!(
            finding.cause(),
            "The event log does not replay to the quoted PCR values: sha256 bank, PCR 7, quoted 0102"
        );
        assert_eq!(
            Finding::new(Code::SecureBootOff).in_event(6).cause(),
            "Secure Boot is off: event 6"
        );
        assert_eq!(Finding::new(Code::NoQuote).cause(), "There is no quote");
    }
}
