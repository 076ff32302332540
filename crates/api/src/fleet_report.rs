//! Reports: what counted of a fleet, or of one host, at one moment, for people to hand on.
//!
//! The JSON of [`Report`] is the report; PDF, HTML and CSV show it and name its digest. Its bytes are
//! signed as they are: who checks a signature checks bytes, and never writes the JSON anew.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::inventory::{Labels, Maintenance};

/// What [`Report::schema`] says. A change that a reader of it could stumble over is another number.
pub const REPORT_SCHEMA: &str = "bootproof-report/1";

/// The type in the header of a report's signature, so that it is taken for nothing else.
pub const REPORT_TYPE: &str = "bootproof-report";

/// The header of an answer that has the detached signature over the report's JSON. [RFC 7515 §F]
pub const REPORT_SIGNATURE_HEADER: &str = "bootproof-report-signature";

/// The type in the header of a signature over a report as HTML or CSV, byte for byte.
pub const REPORT_FILE_TYPE: &str = "bootproof-report-file";

/// The header of an answer that has the detached signature over the answer's own bytes, of HTML and CSV: those
/// carry no JSON out of which they could be made anew.
pub const REPORT_FILE_SIGNATURE_HEADER: &str = "bootproof-report-file-signature";

/// The header of an answer that names the SHA-256 of the report's JSON, in hex.
pub const REPORT_SHA256_HEADER: &str = "bootproof-report-sha256";

/// Bytes of a report in any format: 10,000 hosts have below 64 MiB.
pub const REPORT_BYTES_MAX: usize = 512 * 1024 * 1024;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReportKind {
    /// All hosts: verdicts, readiness, controls, exceptions, decisions, and each host.
    Fleet,
    /// One host, with its history and what it booted.
    Host,
    /// What hosts lack of the changes of Secure Boot in 2026.
    Readiness,
    /// Controls of standards, and which hosts meet them.
    Compliance,
}

impl ReportKind {
    /// All.
    pub const ALL: [Self; 4] = [Self::Fleet, Self::Host, Self::Readiness, Self::Compliance];

    /// The word in addresses and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Host => "host",
            Self::Readiness => "readiness",
            Self::Compliance => "compliance",
        }
    }

    /// The kind of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReportFormat {
    /// The report itself; its detached signature is in a header of the answer.
    #[default]
    Json,
    /// The report inside its signature, as one file (compact JWS).
    Jws,
    /// A document to hand on (PDF/A-3, tagged), with JSON and signature attached.
    Pdf,
    /// One self-contained file for browsers, without script.
    Html,
    /// A table for spreadsheets.
    Csv,
}

impl ReportFormat {
    /// All.
    pub const ALL: [Self; 5] = [Self::Pdf, Self::Html, Self::Csv, Self::Json, Self::Jws];

    /// The word in queries, and the end of files' names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jws => "jws",
            Self::Pdf => "pdf",
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }

    /// The format of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// What answers with it say that they are.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Jws => "application/jose",
            Self::Pdf => "application/pdf",
            Self::Html => "text/html; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// The query of `GET /v1/reports/{kind}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// How it is written.
    #[serde(default)]
    pub format: ReportFormat,
    /// Hosts with these labels: [`crate::inventory::selector`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// The identifier of the host that a report of a host is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(max = 128)))]
    pub host: Option<String>,
}

/// `GET /v1/report-schedules`: a report that is sent by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportSchedule {
    /// Its name in the server's configuration.
    pub name: String,
    /// What it is about.
    pub kind: ReportKind,
    /// How it is written; JSON and signature come with it.
    pub format: ReportFormat,
    /// Hosts with these labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// When, as the configuration writes it: `weekly mon 06:00 UTC`.
    pub every: String,
    /// The channel of mail through which it goes.
    pub channel: String,
    /// When it is due next, in milliseconds since 1970.
    pub next_ms: i64,
    /// When it was sent last, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at_ms: Option<i64>,
    /// Why it could not be sent the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The answer to `POST /v1/report-schedules/{name}/send`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportSent {
    /// SHA-256 of the report's JSON, in hex.
    pub sha256: String,
    /// Hosts in it.
    pub n_hosts: usize,
    /// Whether the relay took it.
    pub sent: bool,
    /// What was done, in order.
    pub steps: Vec<crate::channel::ChannelStep>,
}

/// A report: what counted at one moment, and how one knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// [`REPORT_SCHEMA`].
    pub schema: String,
    /// What it is about.
    pub kind: ReportKind,
    /// When, where and by whom it was made.
    pub made: Made,
    /// Of which hosts it tells.
    pub selection: Selection,
    /// By what hosts are judged.
    pub policy: JudgedBy,
    /// How they stand.
    pub summary: Summary,
    /// Controls of standards, and how many hosts meet each.
    pub controls: Vec<Control>,
    /// What is set aside, by whom and until when.
    pub exceptions: Exceptions,
    /// What people decided lately, newest first.
    pub decisions: Vec<Decision>,
    /// Whether there were more decisions than are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_decisions: bool,
    /// The hosts, by name.
    pub hosts: Vec<ReportedHost>,
    /// The judgements of the one host, newest first; of reports of a host alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<PastVerdict>,
}

/// When, where and by whom a report was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Made {
    /// When, in milliseconds since 1970, by the server's clock.
    pub at_ms: i64,
    /// By whom: a person, a program, or the server on its schedule.
    pub by: String,
    /// The server's address.
    pub server: String,
    /// The server's version.
    pub version: String,
    /// SHA-256 of the server's certificate authority, in hex: which server it is.
    pub authority_sha256: String,
    /// The audit log's last row as the report was begun, and the digest that seals all up to it, in hex.
    pub audit_seq: i64,
    /// That digest.
    pub audit_sha256: String,
}

/// Of which hosts a report tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Selection {
    /// Those with these labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Those that who asked may know of; none: all.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub scope: Labels,
    /// This one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// By what hosts are judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JudgedBy {
    /// SHA-256 over all that the policy was read from, in hex.
    pub sha256: String,
}

/// How hosts stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Summary {
    /// All hosts of the report.
    pub n_hosts: usize,
    /// Whose boot is as it should be.
    pub n_accepted: usize,
    /// Whose is not.
    pub n_not_accepted: usize,
    /// Of which nothing counts now.
    pub n_not_appraised: usize,
    /// Which should speak and do not, whatever their verdict.
    pub n_not_responding: usize,
    /// What holds hosts back, the most frequent first. A host may have several.
    pub causes: Vec<CauseCount>,
    /// How many hosts have what 2026 asks for.
    pub readiness: BTreeMap<ReadinessItem, Answers>,
}

/// A cause, and how many hosts have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CauseCount {
    /// The finding's code.
    pub code: String,
    /// A line that names it.
    pub title: String,
    /// `fail` or `hold`.
    pub severity: String,
    /// Hosts that have it.
    pub n_hosts: usize,
    /// What to do.
    pub next_step: String,
}

/// An answer to a question about a host. What nobody looked at is never met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Evidence shows it.
    Met,
    /// Evidence shows that it is not so.
    NotMet,
    /// No evidence shows either.
    NotChecked,
    /// The question is not asked of this host.
    NotApplicable,
}

impl Answer {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::NotChecked => "not checked",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// How many hosts answer how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answers {
    /// Evidence shows it.
    pub met: usize,
    /// Evidence shows that it is not so.
    pub not_met: usize,
    /// No evidence shows either.
    pub not_checked: usize,
    /// The question is not asked of these.
    pub not_applicable: usize,
}

impl Answers {
    /// Counts one more.
    pub const fn count(&mut self, answer: Answer) {
        let n = match answer {
            Answer::Met => &mut self.met,
            Answer::NotMet => &mut self.not_met,
            Answer::NotChecked => &mut self.not_checked,
            Answer::NotApplicable => &mut self.not_applicable,
        };
        *n = n.saturating_add(1);
    }

    /// Hosts of which it is asked.
    pub const fn n_asked(&self) -> usize {
        self.met.saturating_add(self.not_met).saturating_add(self.not_checked)
    }
}

/// What 2026 asks of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadinessItem {
    /// The key exchange key of 2023, without which no later update of db and dbx is taken.
    Kek2023,
    /// The authority of 2023 for loaders of others than Microsoft.
    UefiCa2023,
    /// The authority of 2023 for option ROMs, or the one for loaders, which vouches for them, too.
    OptionRomCa2023,
    /// The newest list of revoked images.
    DbxCurrent,
    /// The newest level of SBAT.
    SbatCurrent,
    /// A platform key that is not one made for tests (PKfail).
    PlatformKeySound,
    /// No dynamic launch (Intel TXT and the like), which hypervisors trip over.
    NoDynamicLaunch,
}

impl ReadinessItem {
    /// All, in their order.
    pub const ALL: [Self; 7] = [
        Self::Kek2023,
        Self::UefiCa2023,
        Self::OptionRomCa2023,
        Self::DbxCurrent,
        Self::SbatCurrent,
        Self::PlatformKeySound,
        Self::NoDynamicLaunch,
    ];
}

/// A control of a standard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Control {
    /// Its identifier.
    pub id: String,
    /// The standard.
    pub standard: String,
    /// What it asks for, in our words.
    pub asks: String,
    /// What is taken for an answer.
    pub shown_by: String,
    /// How many hosts answer how.
    pub answers: Answers,
}

/// What is set aside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Exceptions {
    /// Findings that the policy makes less severe.
    pub waivers: Vec<Waiver>,
    /// Endorsement keys that count without a certificate.
    pub approved_keys: Vec<ApprovedKey>,
    /// Alarms of which a person said that nothing else is to be done now.
    pub acknowledged: Vec<AcknowledgedAlarm>,
    /// Whether there were more of those than are told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_acknowledged: bool,
}

/// A finding that the policy makes less severe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waiver {
    /// The finding's code.
    pub code: String,
    /// How severe it is until then.
    pub severity: String,
    /// Why.
    pub reason: String,
    /// Until when, as the policy says it.
    pub until: String,
    /// Whether it counts at the time of the report.
    pub in_force: bool,
}

/// An endorsement key that counts without a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApprovedKey {
    /// SHA-256 of its SubjectPublicKeyInfo, in hex.
    pub ek_sha256: String,
    /// Why.
    pub reason: String,
    /// Until when, as the policy says it.
    pub until: String,
    /// Whether it counts at the time of the report.
    pub in_force: bool,
}

/// An alarm of which a person knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AcknowledgedAlarm {
    /// The host's identifier.
    pub host_id: String,
    /// The host's name.
    pub host: String,
    /// The finding's code.
    pub code: String,
    /// Who said it.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why.
    pub reason: String,
    /// When it ends by itself, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

/// What a person decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Decision {
    /// Its row of the audit log.
    pub audit_seq: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub by: String,
    /// What, in the audit log's words.
    pub action: String,
    /// Of what: a host's name, or what the audit log calls it.
    pub subject: String,
    /// Why, in that person's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One host of a report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportedHost {
    /// The identifier.
    pub id: String,
    /// The name that it said.
    pub name: String,
    /// `accepted`, `not accepted` or `not appraised`.
    pub verdict: String,
    /// `connected`, `not responding` or `disconnected`.
    pub connection: String,
    /// Why: the findings that decide the verdict first.
    pub findings: Vec<ReportedFinding>,
    /// Since when the first of them stands, in milliseconds since 1970, as far as an alarm tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<i64>,
    /// When it was judged last, in milliseconds since 1970.
    pub appraised_at_ms: Option<i64>,
    /// Up to when that counts, in milliseconds since 1970.
    pub good_until_ms: Option<i64>,
    /// When it joined, in milliseconds since 1970.
    pub joined_at_ms: i64,
    /// How people order it.
    pub labels: Labels,
    /// That somebody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
    /// SHA-256 of its endorsement key, in hex, where an identity key is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ek_sha256: Option<String>,
    /// What its last evidence shows; absent where it was never judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Shown>,
    /// What it has of what 2026 asks for.
    pub readiness: BTreeMap<ReadinessItem, Answer>,
    /// How it answers each control, by its identifier.
    pub controls: BTreeMap<String, Answer>,
}

/// A finding in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportedFinding {
    /// The stable code.
    pub code: String,
    /// `fail`, `hold`, `warn`, `info` or `ignore`.
    pub severity: String,
    /// What was found, in a sentence.
    pub cause: String,
    /// What to do.
    pub next_step: String,
    /// Why it counts less than it would, where the policy waives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<String>,
}

/// What a host's last evidence shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shown {
    /// Whether the quote is verified under a key that is bound to a known TPM.
    pub quote_verified: bool,
    /// Secure Boot, where PCR 7 proves it.
    pub secure_boot: Option<bool>,
    /// The TPM by its certificate, whose chain is trusted: maker, model, version, whose root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certified_tpm: Option<String>,
    /// The TPM by its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_tpm: Option<String>,
    /// The machine by its own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_machine: Option<String>,
    /// The firmware by the machine's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_firmware: Option<String>,
    /// The operating system by the machine's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_system: Option<String>,
    /// Keys of Secure Boot: `db: Microsoft UEFI CA 2023`.
    pub keys: Vec<String>,
    /// The release of dbx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dbx: Option<String>,
    /// The level of SBAT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sbat_level: Option<String>,
    /// The reference that the boot fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What booted, in order.
    pub boot: Vec<BootedStep>,
    /// Steps beyond those that are told.
    #[serde(default)]
    pub n_more_steps: usize,
    /// How often the machine booted since its TPM was cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_count: Option<u32>,
    /// Banks and PCRs of the quote: `sha256:0-7`.
    pub quoted: Vec<String>,
    /// The quoted values, bank by bank; of reports of a host alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcrs: Option<crate::pcrs::Pcrs>,
    /// SHA-256 over the quoted values of the first bank in the order of their PCRs, as a TPM makes it, in
    /// hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr_digest: Option<String>,
}

/// A step of a boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootedStep {
    /// What it is.
    pub what: String,
    /// The PCR.
    pub pcr: u32,
    /// The digest that was extended, with its bank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the log says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untrusted_path: Option<String>,
}

/// A judgement of before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PastVerdict {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The verdict's word.
    pub verdict: String,
    /// Codes of the findings that decided it.
    pub codes: Vec<String>,
    /// The boot, counted by the TPM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_count: Option<u32>,
}
