//! What can be said on the command line.

mod alarm;
mod approval;
mod audit;
mod bmc;
mod certificate;
mod channel;
mod doctor;
mod ek_list;
mod events;
mod firmware;
mod firmware_changes;
mod fleet;
mod host;
mod noun;
mod people;
mod policy;
mod report;
mod support_bundle;
mod tpm;
mod watch;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use tpm_wire::PcrSet;

pub use alarm::{Alarm, AlarmAcknowledge, AlarmShow, WhichAlarms};
pub use approval::{Approval, ApprovalList, Decide, WhatWaits};
pub use audit::{AttestedResult, Audit, AuditVerify, Dialect, ResultGet, ResultVerify};
pub use bmc::{Bmcs, Changes};
pub use certificate::{Certificate, CertificateList, CertificateRevoke, CertificateRotate};
pub use channel::{Channel, ChannelAdd, OneChannel};
pub use doctor::{Doctor, Profile};
pub use ek_list::{EkList, EkListImport, EkListShow};
pub use events::Events;
pub use firmware::{
    Firmware, FirmwareGoal, FirmwarePlan, FirmwareProfile, FirmwareScan, FirmwareSource,
};
pub use firmware_changes::{FirmwareApply, FirmwareRevert};
pub use fleet::{Fleet, FleetStanding};
pub use host::{
    AcceptChange, Attest, EnterMaintenance, Host, HostChoice, HostDiff, HostEvidence, HostLearn,
    HostList, HostReplace, HostShow, HostViews, Hosts, KeepHostView, Label, OneHost,
};
pub use noun::{Noun, Verb};
pub use people::{
    ApiToken, ApiTokenCreate, ApiTokenRevoke, Login, Role, Session, Setup, User, UserAdd,
    UserPassword, Where,
};
pub use policy::{Policy, PolicyActivate, PolicyDiff, PolicyFile, PolicyPut, PolicyShow};
pub use report::{Report, ReportFormat, ReportHost, ReportMake, ReportVerify};
pub use support_bundle::SupportBundle;
pub use tpm::{Tpm, TpmDevice, TpmEk, TpmInfo, TpmPcrs, TpmRc};
pub use watch::Watch;

const EXIT_CODES: &str = "\
Exit codes: 0 done, and for a verdict: accepted; 1 not accepted or not appraised; 2 could not be done \
or wrong use.";

/// Proof that Secure Boot did its job, on every host of a fleet
#[derive(Debug, Parser)]
#[command(
    name = "bootproof",
    version,
    after_help = EXIT_CODES,
    after_long_help = "\
Examples:
  bootproof host list
  bootproof token create --expires 1h --uses 1
  bootproof trust import tpm-vendor-root.pem
  bootproof verify evidence/ --ek-root root.pem
  bootproof doctor
  bootproof explain no-identity-key

Exit codes:
  0  done, and for a verdict: accepted
  1  not accepted or not appraised
  2  could not be done, or wrong use

Environment:
  BOOTPROOF_CONTEXT  the context file: server, authority, token
  NO_COLOR           no colours, where it is not empty"
)]
pub struct Arguments {
    /// The context file: server, certificate authority, token
    #[arg(long, global = true, value_name = "FILE", env = client::CONTEXT_ENV)]
    pub context: Option<PathBuf>,
    /// Print facts as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The nouns. Each is described when it is asked for: to describe all takes longer than to judge a
/// folder of evidence.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// See and steer the hosts of the inventory
    #[command(visible_alias = "hosts")]
    Host(Noun<Host>),
    /// See how the fleet stands over time, what of it wants a look, and how the server is set up
    Fleet(Noun<Fleet>),
    /// See what stands against hosts, and say that you know of it
    #[command(visible_alias = "alarms")]
    Alarm(Noun<Alarm>),
    /// Say who is told of alarms: webhooks, Alertmanager, mail, syslog
    #[command(visible_alias = "channels")]
    Channel(Noun<Channel>),
    /// Show what changed, and wait for what changes next
    Events(Verb<Events>),
    /// Read the audit log, and check that it was not tampered with
    Audit(Noun<Audit>),
    /// Get and check what counts of a host, signed for relying parties
    #[command(visible_alias = "results")]
    Result(Noun<AttestedResult>),
    /// Make reports to hand on, and check that one is genuine
    #[command(visible_alias = "reports")]
    Report(Noun<Report>),
    /// Make and end join tokens
    #[command(visible_alias = "tokens")]
    Token(Noun<Token>),
    /// Make and end API tokens: what programs show
    #[command(visible_alias = "api-tokens")]
    ApiToken(Noun<ApiToken>),
    /// Log in with an account's password, and keep the session in a context file
    Login(Verb<Login>),
    /// End the session of your context, and forget it
    #[command(after_help = "Example:\n  bootproof logout")]
    Logout,
    /// See and end sessions of people
    #[command(visible_alias = "sessions")]
    Session(Noun<Session>),
    /// See and change the accounts of people
    #[command(visible_alias = "users")]
    User(Noun<User>),
    /// Make the first account, with the code that the server prints
    Setup(Verb<Setup>),
    /// Say as whom the server knows you, and what you may do
    #[command(after_help = "Example:\n  bootproof whoami --json | jq -r .role")]
    Whoami,
    /// Know the endorsement keys of a purchase: who is expected, and who has not joined yet
    #[command(visible_alias = "ek-lists")]
    EkList(Noun<EkList>),
    /// See and revoke the client certificates that hosts have for keys in their TPMs
    #[command(visible_alias = "certificates")]
    Certificate(Noun<Certificate>),
    /// See and decide what waits for a person
    #[command(visible_alias = "approvals")]
    Approval(Noun<Approval>),
    /// See and change whose TPMs are trusted
    Trust(Noun<Trust>),
    /// Check, show and try policies: what must hold for a host to be accepted
    Policy(Noun<Policy>),
    /// Learn, show and compare references: what hosts are expected to boot
    #[command(visible_alias = "references")]
    Reference(Noun<Reference>),
    /// Judge a folder of evidence, without a server
    Verify(Verb<Verify>),
    /// Look whether this host can be attested, and say what to mend first
    Doctor(Verb<Doctor>),
    /// See, plan and change the firmware settings of hosts through their BMCs
    Firmware(Noun<Firmware>),
    /// Read a TCG event log and replay it
    Eventlog(Verb<Eventlog>),
    /// Say what a finding means and what to do about it
    Explain(Verb<Explain>),
    /// List the known deviations of firmware, boot loaders and certificates, or tell one
    Quirks(Verb<Quirks>),
    /// Read logs and tell what is wrong: cause, since when, on which host, next step
    Diagnose(Verb<Diagnose>),
    /// Write logs, settings and facts of this machine into one archive for somebody who helps, without
    /// secrets
    SupportBundle(Verb<SupportBundle>),
    /// Ask about TPMs
    Tpm(Noun<Tpm>),
    /// Print a script for shell completions
    Completions(Verb<Completions>),
    /// Write the manual pages into a folder
    Man(Verb<Man>),
}

/// `bootproof token …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Token {
    /// Make a join token, and show the command that joins a host
    #[command(after_help = "\
Examples:
  bootproof token create                       one host, within an hour
  bootproof token create --uses 40 --expires 2d --label site=muc --label rack=7
  bootproof token create --approval            a person approves each host")]
    Create(Verb<TokenCreate>),
    /// Show the join tokens, without their secrets
    #[command(
        after_help = "Example:\n  bootproof token list --json | jq '.[] | select(.revoked | not) | .note'"
    )]
    List,
    /// End a join token; hosts that joined with it stay
    #[command(
        after_help = "Example:\n  bootproof token revoke 0b1ffb1c-58f2-4ac5-9d2c-6e1f4a5b7c80"
    )]
    Revoke {
        /// The token's identifier, as `token list` shows it
        id: String,
    },
}

/// `bootproof token create`
#[derive(Debug, Args)]
pub struct TokenCreate {
    /// How long it is good: seconds, or with s, m, h or d behind the number
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = seconds)]
    pub expires: u64,
    /// How many hosts may join with it
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "any_uses")]
    pub uses: u32,
    /// Any number of hosts may join with it
    #[arg(long)]
    pub any_uses: bool,
    /// A person must approve each host that joins with it
    #[arg(long)]
    pub approval: bool,
    /// Label each host that joins with it, as `site=muc` (may be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = api::inventory::label)]
    pub label: Vec<(String, String)>,
    /// Admit only hosts whose endorsement keys are on this list of a purchase, or on any list
    #[arg(long, value_name = "LIST", num_args = 0..=1, default_missing_value = "*")]
    pub listed: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
}

/// `bootproof trust …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Trust {
    /// Trust certificates of files, folders and cabinets: roots of TPM vendors
    Import(Verb<TrustImportArguments>),
    /// Show the trusted certificates
    #[command(after_help = "Example:\n  bootproof trust list --json | jq -r '.[].subject'")]
    List,
    /// Trust a certificate no more
    #[command(after_help = "\
Hosts whose certificates led to it fail at their next attestation.

Example:
  bootproof trust remove \"$(bootproof trust list --json | jq -r '.[0].sha256')\"")]
    Remove {
        /// Its SHA-256, as `trust list` shows it
        sha256: String,
    },
}

/// `bootproof trust import`
#[derive(Debug, Args)]
#[command(after_help = "\
What a file holds is known by its content: PEM, one certificate in DER, or a cabinet
(TrustedTpm.cab of Microsoft). A certificate whose file is named becomes a trust anchor,
whatever it is. Of folders and cabinets only roots do, which signed themselves; with
--intermediates the authorities below them, too. A chain that stops at a root needs the
certificates between from the host's TPM.

The signature of a cabinet is not checked. Roots that are known by their fingerprints are
named in the list; for the others it matters how the file came.

Examples:
  bootproof trust import vendor-root.pem vendor-issuing-ca.pem
  bootproof trust import --dry-run TrustedTpm.cab
  bootproof trust import --intermediates TrustedTpm.cab
  bootproof trust import /var/lib/swtpm-localca/ --json")]
pub struct TrustImportArguments {
    /// Files with certificates, cabinets, or folders of both
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Of folders and cabinets take intermediate authorities as trust anchors, too
    #[arg(long)]
    pub intermediates: bool,
    /// Show what would be imported, and import nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `bootproof verify`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 accepted, 1 not accepted, 2 could not be judged.

Examples:
  bootproof verify evidence/ --ek-root root.pem
  bootproof verify evidence/ --ek-root root.pem --nonce challenge.hex --json
  bootproof verify evidence/ --ek-root root.pem --reference web-1.json")]
pub struct Verify {
    /// What to judge, and by what
    #[command(flatten)]
    pub evidence: FolderOfEvidence,
    /// What the host is expected to boot, a file of `bootproof reference learn` (may be repeated:
    /// one of them must fit)
    #[arg(long, value_name = "FILE")]
    pub reference: Vec<PathBuf>,
}

/// `bootproof reference …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Reference {
    /// Write what a folder of evidence shows as a reference, if the evidence is accepted
    #[command(after_help = "\
Example:
  bootproof reference learn web-1.evidence --ek-root root.pem --out web-1.json")]
    Learn(Verb<ReferenceLearn>),
    /// Tell what programs will measure when they boot, and write it as a reference
    #[command(after_help = "\
Give the programs that firmware may start: shim, a boot loader, a unified kernel image. PCR 4
may then hold these and no others, and PCR 11 one of the values that the unified kernel images
lead to. Of signatures the names in them are shown; none is verified.

Examples:
  bootproof reference from-image shimx64.efi grubx64.efi vmlinuz --out debian.json
  bootproof reference from-image systemd-bootx64.efi linux.efi --json | jq '.images[].pcr_11'")]
    FromImage(Verb<ReferenceFromImage>),
    /// Show what a reference expects: of a file, or one that the server keeps
    #[command(after_help = "\
Examples:
  bootproof reference show web-1.json
  bootproof reference show ref-0c61b94be2d1")]
    Show(Verb<ReferenceFile>),
    /// Say what differs between a reference and what a folder of evidence shows
    #[command(after_help = "\
Exit codes: 0 it fits, 1 it differs, 2 it could not be compared.

Examples:
  bootproof reference compare web-1.json web-1.evidence --ek-root root.pem
  bootproof reference compare web-1.json web-1.evidence --json | jq '.changes[].words'")]
    Compare(Verb<ReferenceCompare>),
    /// Show the references that the server keeps
    #[command(after_help = "Example:\n  bootproof reference list")]
    List,
    /// Have the server keep a reference of a file, or of a manifest that a vendor signed
    #[command(after_help = "\
FILE is a reference of Bootproof, a manifest that a vendor signed (a base RIM of the TCG in
XML, *.swidtag, or a CoRIM, *.corim), or a folder with one. A manifest is used only if its
signature holds, who signed it is whom you name, and its log is the one that was signed. It is
for the vendor, model and firmware version that it names.

Examples:
  bootproof reference import golden.json --host web-1 --reason 'ticket 4711'
  bootproof reference import golden.json --cohort-of web-1 --reason 'all of rack 7' --active
  bootproof reference import vendor/ --signer vendor-signer.pem --reason 'firmware 1.2'
  bootproof reference import bios.swidtag --support bios.rimel --trust vendor-ca.pem --out bios.json")]
    Import(Verb<ReferenceImport>),
    /// Write a reference that the server keeps into a file
    #[command(
        after_help = "Example:\n  bootproof reference export ref-0c61b94be2d1 --out golden.json"
    )]
    Export(Verb<ReferenceExport>),
    /// Hold hosts to a pending reference from now on
    #[command(after_help = "\
Example:
  bootproof reference activate ref-0c61b94be2d1 --reason 'tried on rack 7'")]
    Activate(Verb<ReferenceStep>),
    /// Say of a reference that it should be left behind; it still counts
    #[command(after_help = "\
Hosts that boot like it are accepted, with the warning reference-obsolete.

Example:
  bootproof reference obsolete ref-0c61b94be2d1 --reason 'kernel of August'")]
    Obsolete(Verb<ReferenceStep>),
    /// Let a reference count no more
    #[command(after_help = "\
Example:
  bootproof reference retire ref-0c61b94be2d1 --reason 'no host boots like it any more'")]
    Retire(Verb<ReferenceStep>),
    /// Let no host that boots like a reference be accepted ever again
    #[command(after_help = "\
This is for a kernel, a loader or a firmware that has a flaw, and for a host that was found to
be compromised. It cannot be taken back. Hosts are judged anew at once.

Example:
  bootproof reference revoke ref-0c61b94be2d1 --reason 'CVE in the loader, ticket 4711'")]
    Revoke(Verb<ReferenceStep>),
}

/// A reference.
#[derive(Debug, Args)]
pub struct ReferenceFile {
    /// The reference: a file, or an identifier as `reference list` shows it
    #[arg(value_name = "FILE|ID")]
    pub file: PathBuf,
}

/// `bootproof reference import`
#[derive(Debug, Args)]
pub struct ReferenceImport {
    /// The reference: a file of Bootproof, a manifest of a vendor, or a folder with one
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The host that it is for
    #[arg(long, value_name = "HOST", conflicts_with = "cohort_of")]
    pub host: Option<String>,
    /// A host of the cohort that it is for: same vendor, model and firmware
    #[arg(long, value_name = "HOST")]
    pub cohort_of: Option<String>,
    /// What to call it; otherwise the file's name
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present = "out")]
    pub reason: Option<String>,
    /// Hold hosts to it at once; otherwise it is pending
    #[arg(long)]
    pub active: bool,
    /// Of a manifest: the certificate of who signed it, PEM or DER; nobody else may have signed then
    #[arg(long, value_name = "FILE", conflicts_with = "trust")]
    pub signer: Option<PathBuf>,
    /// Of a manifest: certificates of authorities whose signers are trusted, a file or a folder (may
    /// be repeated)
    #[arg(long, value_name = "PATH")]
    pub trust: Vec<PathBuf>,
    /// Of a manifest: the log that it names; otherwise the file of that name beside it
    #[arg(long, value_name = "FILE")]
    pub support: Vec<PathBuf>,
    /// Of a manifest: the PCRs that are taken out of its log, 0 to 7
    #[arg(long, value_name = "LIST", value_parser = firmware_pcrs, default_value = "0-3,6")]
    pub pcrs: PcrSet,
    /// Of a manifest: write it as a reference into this file, and ask no server
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["host", "cohort_of", "name", "active"])]
    pub out: Option<PathBuf>,
}

/// `bootproof reference export`
#[derive(Debug, Args)]
pub struct ReferenceExport {
    /// The reference's identifier, as `reference list` shows it
    pub id: String,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// A step in a reference's life.
#[derive(Debug, Args)]
pub struct ReferenceStep {
    /// The reference's identifier, as `reference list` shows it
    pub id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `bootproof reference from-image`
#[derive(Debug, Args)]
pub struct ReferenceFromImage {
    /// The programs, in the order in which they start one another
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The reference to write; without it what was found is only shown
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `bootproof reference learn`
#[derive(Debug, Args)]
pub struct ReferenceLearn {
    /// What to learn from, and by what it is judged
    #[command(flatten)]
    pub evidence: FolderOfEvidence,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
}

/// `bootproof reference compare`
#[derive(Debug, Args)]
pub struct ReferenceCompare {
    /// The reference, a file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to compare, and by what it is judged
    #[command(flatten)]
    pub evidence: FolderOfEvidence,
}

/// A folder of evidence, and by what it is judged.
#[derive(Debug, Args)]
pub struct FolderOfEvidence {
    /// The folder of evidence
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// Certificates to trust as roots of TPM vendors, PEM or DER (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub ek_root: Vec<PathBuf>,
    /// The challenge that the quote must answer, in hex; otherwise the folder's `nonce`
    #[arg(long, value_name = "FILE")]
    pub nonce: Option<PathBuf>,
    /// The policy to judge by, a TOML file; otherwise the default one
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// A newer list of revoked images than this program has: a signed update of dbx, or bare
    /// signature lists
    #[arg(long, value_name = "FILE")]
    pub dbx: Option<PathBuf>,
}

/// `bootproof eventlog`
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the whole log was read, 1 it was read up to a fault, 2 it could not be read.

Examples:
  bootproof eventlog /sys/kernel/security/tpm0/binary_bios_measurements
  bootproof eventlog log.bin --json | jq '.pcrs.sha256.\"7\"'
  bootproof eventlog --ccel /sys/firmware/acpi/tables/CCEL /sys/firmware/acpi/tables/data/CCEL")]
pub struct Eventlog {
    /// The log, as the kernel gives it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Which log, where the file holds several behind one another: 1 is the first; otherwise the last
    #[arg(long, value_name = "N")]
    pub log: Option<usize>,
    /// The ACPI table CCEL of a confidential guest: events are of its registers then
    #[arg(long, value_name = "FILE")]
    pub ccel: Option<PathBuf>,
}

/// `bootproof quirks`
#[derive(Debug, Args)]
#[command(after_help = "\
Each row of the table says who deviates, how, what is permitted because of it, and what the
match rests on. A deviation that no row names is judged as it stands.

Examples:
  bootproof quirks
  bootproof quirks separator-fixed-slot
  bootproof quirks --json | jq -r '.[] | select(.refusable) | .name'")]
pub struct Quirks {
    /// The name of one; otherwise all are listed
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// `bootproof explain`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  bootproof explain\n  bootproof explain sha256-bank-inactive\n  bootproof explain
L01\n  bootproof explain 0x18b"
)]
pub struct Explain {
    /// A finding's code, the name of a line of logs (L01), or a TPM response code (0x18b); without
    /// one: all findings
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// `bootproof diagnose`
#[derive(Debug, Args)]
#[command(after_help = "\
Reads vmkernel.log, vmkwarning.log, hostd.log and vpxd.log of ESXi and vCenter, dmesg, journal
and syslog of Linux, the logs of Bootproof, and response codes of TPMs in any of them; plain, gzip,
in tar or zip archives, in any order; folders with all that is in them; support bundles as they
are. Nothing is unpacked to disk. Hosts are told apart by the names in the lines, by the folder of
a support bundle, and by its file of host names. No server is asked and nothing is changed.

With --follow files are read to their end and then as they grow, also when they are renamed or
cut, until Ctrl-C. What begins and what is over is told once; with --json, a line each.

Exit codes: 0 nothing wrong was found; 1 a cause was found, or a symptom whose cause is not in
these logs; 2 nothing was found, and not all could be read.

Examples:
  bootproof diagnose vmkernel.log vpxd-11.log
  bootproof diagnose /var/log/
  bootproof diagnose vcenter-support.zip esx-esxi-117-2018-05-10--14.30.tgz
  journalctl -k -o short-iso | bootproof diagnose -
  bootproof diagnose logs/ --json | jq -r '.hosts[] | .host, .causes[].next_step'
  bootproof diagnose --follow /var/log/vmkernel.log /var/log/hostd.log
  journalctl -f -o short-iso | bootproof diagnose --follow --json - | jq -r .next_step")]
pub struct Diagnose {
    /// Logs, folders of logs, or `-` for standard input
    #[arg(value_name = "FILE|DIR|-", required = true)]
    pub files: Vec<PathBuf>,
    /// Go on reading files as they grow, until Ctrl-C
    #[arg(long, short)]
    pub follow: bool,
}

/// `bootproof completions`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bootproof completions bash > /etc/bash_completion.d/bootproof")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Shells with completions.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[expect(missing_docs, reason = "the names of shells")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// `bootproof man`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bootproof man /usr/local/share/man/man1")]
pub struct Man {
    /// The folder
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
}

/// The end of a day `2027-01-31`, by UTC, in milliseconds since 1970.
fn end_of_day_ms(text: &str) -> Result<i64, String> {
    // jiff reads more forms than this one.
    let is_a_day = matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _]);
    let day = text.parse::<jiff::civil::Date>().ok().filter(|_| is_a_day);
    let end = day
        .and_then(|day| day.tomorrow().ok())
        .and_then(|after| format!("{after}T00:00:00Z").parse::<jiff::Timestamp>().ok());
    end.map(jiff::Timestamp::as_millisecond)
        .ok_or_else(|| "a day is written as 2027-01-31".to_owned())
}

/// PCRs of firmware out of `0-3,6`.
fn firmware_pcrs(text: &str) -> Result<PcrSet, String> {
    pcrs_up_to(7, text)
}

/// PCRs out of `0-3,6`, none above `last_pcr`.
fn pcrs_up_to(last_pcr: u32, text: &str) -> Result<PcrSet, String> {
    let mut pcrs = PcrSet::EMPTY;
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| {
            let pcr = text.trim().parse::<u32>().ok().filter(|pcr| *pcr <= last_pcr);
            pcr.ok_or_else(|| format!("PCRs are written as 0-3,6, each from 0 to {last_pcr}"))
        };
        pcrs = (number(first)?..=number(last)?).fold(pcrs, PcrSet::with);
    }
    match pcrs.is_empty() {
        true => Err("no PCR".to_owned()),
        false => Ok(pcrs),
    }
}

/// Seconds out of `90`, `90s`, `15m`, `12h`, `7d`.
fn seconds(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        other => return Err(format!("{other:?} is not one of s, m, h, d")),
    };
    let number: u64 = digits.parse().map_err(|_| "begin with a number".to_owned())?;
    number.checked_mul(unit).ok_or_else(|| "that is too long".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_declaration_holds() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_day_counts_whole() {
        assert_eq!(end_of_day_ms("1970-01-01"), Ok(86_400_000));
        assert_eq!(end_of_day_ms("2024-02-29"), Ok(1_709_251_200_000));
        for wrong in ["", "2023-02-29", "tomorrow", "1"] {
            assert!(end_of_day_ms(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_of_pcrs() {
        assert_eq!(firmware_pcrs("0-3,6"), Ok(manifests::FIRMWARE_PCRS));
        assert_eq!(firmware_pcrs("7"), Ok(PcrSet::EMPTY.with(7)));
        for wrong in ["", "8", "0-8", "3-1", "a", "0,", "-1"] {
            assert!(firmware_pcrs(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(seconds("90"), Ok(90));
        assert_eq!(seconds("15m"), Ok(900));
        assert_eq!(seconds("2d"), Ok(172_800));
        for wrong in ["", "m", "1w", "-1", "1.5h", "99999999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
