//! Syslog over TLS: records of RFC 5424 in the frames of RFC 5425.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{Steps, Target, Undelivered, later, text};

/// Security and authorisation messages. [RFC5424 §6.2.1, table 1]
const FACILITY: u8 = 10;

/// The identifier of our structured data. Its number is the one that is kept for documentation, as there
/// is none of our own yet. [RFC5424 §7.2.2] [RFC5612]
const STRUCTURED_DATA_ID: &str = "bootproof@32473";

/// The longest value of a parameter: receivers must take records of 2,048 bytes. [RFC5425 §4.3.1]
const VALUE_CHARS_MAX: usize = 256;

/// How long it is waited for what a receiver says against it after the last record.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// A receiver.
pub(crate) struct Syslog {
    pub(crate) target: Target,
    /// The name of this machine.
    pub(crate) from: String,
}

/// How bad it is. [RFC5424 §6.2.1, table 2]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyslogSeverity {
    Error,
    Warning,
    Notice,
    Informational,
}

impl SyslogSeverity {
    const fn code(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Notice => 5,
            Self::Informational => 6,
        }
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) severity: SyslogSeverity,
    /// [RFC 3339]
    pub(crate) time: String,
    /// What kind of record it is.
    pub(crate) message_id: String,
    /// Names are ours, values may be a host's.
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) message: String,
}

impl Syslog {
    /// Sends records. Syslog knows no answer: they are sent when the receiver's machine has them.
    pub(crate) async fn send(
        &self,
        records: &[Record],
        steps: &mut Steps,
    ) -> Result<(), Undelivered> {
        let mut stream = self.target.connect(steps).await?;
        let sent = async {
            let lost = |err: std::io::Error| later(format!("the connection broke: {err}"));
            for record in records {
                stream.write_all(&frame(record, &self.from)).await.map_err(lost)?;
            }
            stream.flush().await.map_err(lost)?;
            stream.shutdown().await.map_err(lost)?;
            // A receiver that wants none of it resets the connection; others close it, or say nothing.
            let mut rest = [0; 64];
            match timeout(CLOSE_MAX, stream.read(&mut rest)).await {
                Ok(Err(err)) if err.kind() == std::io::ErrorKind::ConnectionReset => Err(lost(err)),
                _ => Ok(()),
            }
        };
        let sent = sent.await;
        steps.of("sent", sent, |()| format!("{} records", records.len()))
    }
}

/// The length of a record, a space, and the record. [RFC5425 §4.3]
fn frame(record: &Record, from: &str) -> Vec<u8> {
    let text = format(record, from);
    let mut frame = format!("{} ", text.len()).into_bytes();
    frame.extend_from_slice(text.as_bytes());
    frame
}

/// [RFC5424 §6]
fn format(record: &Record, from: &str) -> String {
    let Record { severity, time, message_id, parameters, message } = record;
    let priority = FACILITY * 8 + severity.code();
    let (from, message_id) = (name(from, 255), name(message_id, 32));
    let mut data = String::new();
    for (parameter, value) in parameters {
        data.push_str(&format!(" {parameter}=\"{}\"", escaped(value)));
    }
    // The mark says that what follows is UTF-8. [RFC5424 §6.4]
    format!(
        "<{priority}>1 {time} {from} bootproof - {message_id} [{STRUCTURED_DATA_ID}{data}] \u{feff}{}",
        text::line(message)
    )
}

/// Printable ASCII without spaces, cut; `-` where nothing is left. [RFC5424 §6]
fn name(text: &str, n_max: usize) -> String {
    let plain: String = text.chars().filter(char::is_ascii_graphic).take(n_max).collect();
    if plain.is_empty() { "-".to_owned() } else { plain }
}

/// A value of a parameter: `"`, `\` and `]` stand behind a `\`. [RFC5424 §6.3.3]
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in text::line(value).chars().take(VALUE_CHARS_MAX) {
        if matches!(c, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_cannot_be_broken_by_what_is_in_it() {
        let record = Record {
            severity: SyslogSeverity::Error,
            time: "2026-11-28T10:00:00Z".to_owned(),
            message_id: "alarm.raised".to_owned(),
            parameters: vec![("host", "a\"]\\\n<1>1 x".to_owned())],
            message: "first\nsecond".to_owned(),
        };
        let text = format(&record, "srv 1\n");
        assert_eq!(
            text,
            "<83>1 2026-11-28T10:00:00Z srv1 bootproof - alarm.raised \
             [bootproof@32473 host=\"a\\\"\\]\\\\ <1>1 x\"] \u{feff}first second"
        );
        let frame = frame(&record, "srv 1\n");
        let (length, rest) = frame.split_at(frame.iter().position(|b| *b == b' ').unwrap());
        let length: usize = std::str::from_utf8(length).unwrap().parse().unwrap();
        assert_eq!(length, rest.len() - 1, "octets, and not characters");
    }
}
