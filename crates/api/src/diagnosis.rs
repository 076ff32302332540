//! What logs say, for `bootproof diagnose`.

use serde::{Deserialize, Serialize};

/// What was found in logs. Untrusted: whoever can write into a log can write any line of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// Whether anything is wrong: a cause, or a symptom whose cause is not in these logs.
    pub trouble: bool,
    /// The hosts, those with a cause first.
    pub hosts: Vec<HostDiagnosis>,
    /// How much was read.
    pub read: Read,
}

/// How much was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// Files.
    pub files: u64,
    /// Lines.
    pub lines: u64,
    /// Bytes, after unpacking.
    pub bytes: u64,
    /// Lines of which only the start was looked at, since they are too long.
    pub lines_cut: u64,
    /// Lines that belong to more hosts than are kept.
    pub lines_left_out: u64,
    /// Where times go back inside a file, which leaves the order of things before and behind unsure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks_set_back: Vec<ClockSetBack>,
    /// What could not be read, or not to its end.
    pub unread: Vec<Unread>,
}

/// A place in a file at which time goes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockSetBack {
    /// The file.
    pub file: String,
    /// The line that is earlier than the one before it.
    pub line: u64,
    /// The time before it, in milliseconds since 1970.
    pub from_ms: i64,
    /// Its time.
    pub to_ms: i64,
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// Why.
    pub why: String,
}

/// What was found of one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostDiagnosis {
    /// The host's name; `null` where lines name none.
    pub host: Option<String>,
    /// Lines that name no host are among these, since no other host is named.
    pub has_unnamed_lines: bool,
    /// What is to be mended: what lasts before what is over, the earliest first.
    pub causes: Vec<Case>,
    /// What may be wrong besides.
    pub suspicions: Vec<Case>,
    /// What went wrong because of something else.
    pub symptoms: Vec<Case>,
    /// What looks like trouble and is none.
    pub harmless: Vec<Case>,
}

/// What a line of a log that grows changed, for `bootproof diagnose --follow --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// `began`, or `over`.
    pub event: String,
    /// The host's name; `null` where lines name none.
    pub host: Option<String>,
    /// `cause`, `symptom` or `harmless`.
    pub role: String,
    /// What it is; its evidence is the line that changed it.
    #[serde(flatten)]
    pub case: Case,
}

/// One thing that lines of one host say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The stable name of the text that was recognised.
    pub signature: String,
    /// Who prints it.
    pub source: String,
    /// What it means, in a line.
    pub says: String,
    /// Why it happens.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// The finding of Bootproof that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// The TPM's response code in its lines, `0x18b`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_code: Option<String>,
    /// The command that the code answers, `TPM2_NV_ReadPublic`, where its lines name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// How many lines say it.
    pub n_lines: u64,
    /// The first of them, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
    /// When a line said that it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<i64>,
    /// The causes on this host of which it is the consequence, by their signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explained_by: Vec<String>,
    /// The earliest lines.
    pub evidence: Vec<Line>,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The file.
    pub file: String,
    /// Its number, from 1.
    pub line: u64,
    /// Its start.
    pub text: String,
}

/// A text of logs that `bootproof diagnose` recognises, for `bootproof explain`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Its stable name, `L01`.
    pub signature: String,
    /// Who prints it.
    pub source: String,
    /// `cause`, `symptom` or `harmless`.
    pub role: String,
    /// The texts, any of which will do; `*` stands for what varies, `^` for the start of a message.
    pub texts: Vec<String>,
    /// What it means, in a line.
    pub says: String,
    /// Why it happens.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// The finding of Bootproof that is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
}
