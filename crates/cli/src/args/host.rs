//! `bootproof host …`

use std::path::PathBuf;

use api::fleet::Breadth;
use clap::{Args, Subcommand};

use super::{Verb, Watch, end_of_day_ms};

const HOSTS_HELP: &str = "\
Hosts are named one by one, or chosen by labels or a file. One that refuses holds no other up.

Exit codes: 0 done to each, 1 some refused, 2 nothing could be done, or wrong use.

Examples:
  bootproof host disconnect web-1
  bootproof host disconnect --select site=muc,rack=7 --dry-run
  bootproof host disconnect --file hosts.txt --yes";

const ATTEST_HELP: &str = "\
Exit codes: 0 accepted, or asked for of several, 1 not accepted, or some refused, 2 it could not
be asked for, or wrong use.

Examples:
  bootproof host attest web-1
  bootproof host attest --select site=muc --yes
  bootproof host attest --all --yes";

/// One host.
#[derive(Debug, Args)]
pub struct OneHost {
    /// The host's name or identifier
    #[arg(value_name = "HOST")]
    pub host: String,
}

/// `bootproof host show`
#[derive(Debug, Args)]
pub struct HostShow {
    /// The host
    #[command(flatten)]
    pub host: OneHost,
    /// Whether it is kept true
    #[command(flatten)]
    pub watch: Watch,
}

/// `bootproof host …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Host {
    /// Show hosts, with verdict, cause and next step
    #[command(after_help = "\
Examples:
  bootproof host list
  bootproof host list --verdict 'not accepted' --select site=muc
  bootproof host list --sort seen
  bootproof host list --view 'failed in Munich'
  bootproof host list --watch
  bootproof host list --code sha256-bank-inactive --json | jq -r '.[].name'")]
    List(Verb<HostList>),
    /// Keep lists of hosts under a name, for yourself or for everybody
    #[command(subcommand)]
    View(HostViews),
    /// Show all about one host
    #[command(after_help = "\
Verdict with cause and next step, how it was judged before (one mark for a judgement, the newest
on the right), what booted, Secure Boot's keys, TPM and PCRs.

Examples:
  bootproof host show web-1
  bootproof host show web-1 --watch
  bootproof host show web-1 --json | jq '.appraisal.facts.boot'")]
    Show(Verb<HostShow>),
    /// Ask for evidence now; of one host, wait for the verdict
    #[command(after_help = ATTEST_HELP)]
    Attest(Verb<Attest>),
    /// Take hosts out of attestation until they are reconnected
    #[command(after_help = HOSTS_HELP)]
    Disconnect(Verb<Hosts>),
    /// Take hosts back, and store the identity keys of their TPMs anew
    #[command(after_help = HOSTS_HELP)]
    Reconnect(Verb<Hosts>),
    /// Put another TPM in the place of a host's: a new board, a new chip
    #[command(after_help = "\
The machine with the new TPM shows it by itself: its agent runs with the state of before, or,
with a new disk, joins under the host's name. `bootproof host show HOST` shows the digest to
compare. The host keeps its history and what it is held to; the old TPM is good for nothing
from then on.

Exit codes: 0 done, 2 could not be done: no such TPM was shown, or it is another host's.

Example:
  bootproof host replace web-1 --ek-sha256 DIGEST --reason 'new board, ticket 4711'")]
    Replace(Verb<HostReplace>),
    /// Have a host's agent make a new attestation key at its next contact
    #[command(after_help = "\
The key of before counts until the server has bound the new one to the same TPM. Evidence of
before stays, with the key that signed it.

Example:
  bootproof host rotate-key web-1")]
    RotateKey(Verb<Hosts>),
    /// Vouch for hosts whose join tokens ask for it
    #[command(after_help = HOSTS_HELP)]
    Approve(Verb<Hosts>),
    /// Remove hosts and all that is known of them, but for the audit log
    #[command(after_help = HOSTS_HELP)]
    Remove(Verb<Hosts>),
    /// Put labels on hosts, or take them off
    #[command(after_help = "\
Labels order the inventory: by site, rack, cluster or owner. `--select` finds hosts by them.

Examples:
  bootproof host label web-1 web-2 --set site=muc --set rack=7
  bootproof host label --select rack=7 --remove rack --set rack=9")]
    Label(Verb<Label>),
    /// Show the labels and how many hosts have each
    #[command(
        after_help = "Examples:\n  bootproof host labels\n  bootproof host labels site --json"
    )]
    Labels {
        /// Of this key alone
        key: Option<String>,
    },
    /// Say that somebody works on hosts: they are attested as before, and their alarms are expected
    #[command(after_help = "\
Examples:
  bootproof host enter-maintenance web-1 --reason 'new firmware, ticket 4711' --for 2h
  bootproof host enter-maintenance --select rack=7 --reason 'new switch'")]
    EnterMaintenance(Verb<EnterMaintenance>),
    /// Say that nobody works on hosts any more
    #[command(after_help = HOSTS_HELP)]
    LeaveMaintenance(Verb<Hosts>),
    /// Show the last judgements of a host
    #[command(after_help = "\
The newest first; `host diff` takes the numbers.

Examples:
  bootproof host history web-1
  bootproof host history web-1 --json | jq '.[] | select(.verdict != \"accepted\")'")]
    History(Verb<OneHost>),
    /// Say what is another measurement in one boot of a host than in another, in words
    #[command(after_help = "\
Judgements are named by their numbers (`bootproof host history HOST`). Without them the last one
is compared with the last of another boot.

Exit codes: 0 nothing is different, 1 something is, 2 could not be compared.

Examples:
  bootproof host diff web-1
  bootproof host diff web-1 --from 4711 --to 4720 --json | jq -r '.changes[].words'")]
    Diff(Verb<HostDiff>),
    /// Hold a host, or its cohort, to what it booted: from its last judgement, if that is accepted
    #[command(after_help = "\
Examples:
  bootproof host learn web-1 --reason 'as delivered'
  bootproof host learn web-1 --cohort --reason 'all of rack 7'")]
    Learn(Verb<HostLearn>),
    /// Accept what a host booted although its references say otherwise; it is judged anew at once
    #[command(after_help = "\
Only a change is accepted: where anything else speaks against the host (its quote, its log,
Secure Boot), nothing is. What is accepted is what `bootproof host show` shows now, and no
later boot that differs from it.

Exit codes: 0 the host is accepted now, 1 it is not, 2 nothing was done.

Examples:
  bootproof host accept-change web-1 --reason 'kernel update, ticket 4711'
  bootproof host accept-change web-1 --cohort --reason 'firmware 2.4 for all of rack 7'
  bootproof host accept-change web-1 --once --reason 'rescue system'
  bootproof host accept-change web-1 --until 2027-01-31 --reason 'old kernel until the fix'")]
    AcceptChange(Verb<AcceptChange>),
    /// Say how many hosts of the same model have the same PCR values
    #[command(after_help = "\
The model is what the host says of itself: vendor, product and firmware version. A host that is
alone with a PCR 0 has another firmware than it says, or boots another way.

Examples:
  bootproof host peers web-1
  bootproof host peers web-1 --json | jq '.pcrs[] | select(.n_same < .n_most_common)'")]
    Peers(Verb<OneHost>),
    /// Write the evidence of a host's last judgement into a folder, for `bootproof verify`
    #[command(after_help = "Example:\n  bootproof host evidence web-1 --out web-1.evidence")]
    Evidence(Verb<HostEvidence>),
}

/// `bootproof host diff`
#[derive(Debug, Args)]
pub struct HostDiff {
    /// The host
    #[command(flatten)]
    pub host: OneHost,
    /// The judgement to compare with
    #[arg(long, value_name = "NUMBER")]
    pub from: Option<i64>,
    /// The judgement to compare
    #[arg(long, value_name = "NUMBER")]
    pub to: Option<i64>,
}

/// Several hosts.
#[derive(Debug, Args)]
pub struct Hosts {
    /// Names or identifiers
    #[arg(value_name = "HOST", required_unless_present_any = ["select", "file", "all"])]
    pub hosts: Vec<String>,
    /// All hosts with these labels: `site=muc,rack` are those of that site that have a rack
    #[arg(long, value_name = "LABELS", conflicts_with = "hosts", value_parser = selector)]
    pub select: Option<String>,
    /// A file with names or identifiers, one a line; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hosts", "select"])]
    pub file: Option<PathBuf>,
    /// All hosts that there are
    #[arg(long, conflicts_with_all = ["hosts", "select", "file"])]
    pub all: bool,
    /// Show which hosts it would be, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask before many hosts are changed
    #[arg(long, short)]
    pub yes: bool,
}

/// A selector as the server reads it.
pub(super) fn selector(text: &str) -> Result<String, String> {
    api::inventory::selector(text).map(|_| text.to_owned()).map_err(str::to_owned)
}

/// `bootproof host list`
#[derive(Debug, Args)]
pub struct HostList {
    /// Which hosts, in which order
    #[command(flatten)]
    pub choice: HostChoice,
    /// Whether it is kept true
    #[command(flatten)]
    pub watch: Watch,
}

/// Hosts of a list.
#[derive(Debug, Default, Args)]
pub struct HostChoice {
    /// A part of the name
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// Labels: `site=muc,rack` are hosts of that site that have a rack
    #[arg(long, value_name = "LABELS", value_parser = selector)]
    pub select: Option<String>,
    /// What counts of them now
    #[arg(long, value_name = "VERDICT", value_parser = ["accepted", "not accepted", "not appraised"])]
    pub verdict: Option<String>,
    /// Whether they speak
    #[arg(long, value_name = "STATE", value_parser = ["connected", "not responding", "disconnected"])]
    pub connection: Option<String>,
    /// The code of a finding that they have
    #[arg(long, value_name = "CODE")]
    pub code: Option<String>,
    /// Those that somebody works on
    #[arg(long)]
    pub in_maintenance: bool,
    /// What the list is sorted by: `verdict` has first what needs a person, `seen` the longest silent
    #[arg(long, value_name = "WHAT", value_parser = api::inventory::HOST_SORTS)]
    pub sort: Option<String>,
    /// From the other end
    #[arg(long)]
    pub descending: bool,
    /// What a kept view shows; what else is said goes before it
    #[arg(long = "view", value_name = "NAME")]
    pub kept: Option<String>,
}

/// `bootproof host view …`
#[derive(Debug, Subcommand)]
pub enum HostViews {
    /// Show the views that you can use: everybody's, and your own
    #[command(after_help = "\
Example:
  bootproof host view list")]
    List,
    /// Keep what a list shows, in the place of a view of this name
    #[command(after_help = "\
Exit codes: 0 kept, 2 it could not be, or wrong use.

Examples:
  bootproof host view keep 'failed in Munich' --verdict 'not accepted' --select site=muc
  bootproof host view keep silent --sort seen --shared
  bootproof host list --view 'failed in Munich'")]
    Keep(KeepHostView),
    /// Remove a view
    #[command(after_help = "\
Exit codes: 0 removed, 2 it could not be, or wrong use.

Example:
  bootproof host view remove silent --shared")]
    Remove(OneHostView),
}

/// `bootproof host view keep`
#[derive(Debug, Args)]
pub struct KeepHostView {
    /// Which view
    #[command(flatten)]
    pub view: OneHostView,
    /// What it shows
    #[command(flatten)]
    pub choice: HostChoice,
}

/// A view by its name.
#[derive(Debug, Args)]
pub struct OneHostView {
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Everybody's: administrators keep and remove them
    #[arg(long)]
    pub shared: bool,
}

/// `bootproof host label`
#[derive(Debug, Args)]
pub struct Label {
    /// The hosts
    #[command(flatten)]
    pub hosts: Hosts,
    /// Put this label on, or give it this value (may be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = api::inventory::label, required_unless_present = "remove")]
    pub set: Vec<(String, String)>,
    /// Take the label of this key off (may be repeated)
    #[arg(long, value_name = "KEY")]
    pub remove: Vec<String>,
}

/// `bootproof host enter-maintenance`
#[derive(Debug, Args)]
pub struct EnterMaintenance {
    /// The hosts
    #[command(flatten)]
    pub hosts: Hosts,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How long: seconds, or with s, m, h or d behind the number; without, until somebody ends it
    #[arg(long = "for", value_name = "TIME", value_parser = super::seconds)]
    pub lasts_s: Option<u64>,
}

/// `bootproof host attest`
#[derive(Debug, Args)]
pub struct Attest {
    /// The hosts
    #[command(flatten)]
    pub hosts: Hosts,
    /// Seconds to wait for the verdict, where it is one host
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub wait: u64,
}

/// `bootproof host replace`
#[derive(Debug, Args)]
pub struct HostReplace {
    /// The host's name or identifier
    #[arg(value_name = "HOST")]
    pub host: String,
    /// SHA-256 of the new TPM's endorsement key, as `host show` shows it
    #[arg(long, value_name = "DIGEST")]
    pub ek_sha256: String,
    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// `bootproof host learn`
#[derive(Debug, Args)]
pub struct HostLearn {
    /// The host's name or identifier
    #[arg(value_name = "HOST")]
    pub host: String,
    /// For all hosts of the same vendor, model and firmware
    #[arg(long)]
    pub cohort: bool,
    /// Hold nobody to it yet: `reference activate` does
    #[arg(long)]
    pub pending: bool,
    /// What to call it
    #[arg(long, value_name = "TEXT")]
    pub name: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl HostLearn {
    /// For whom.
    pub(crate) const fn breadth(&self) -> Breadth {
        if self.cohort { Breadth::Cohort } else { Breadth::Host }
    }
}

/// `bootproof host accept-change`
#[derive(Debug, Args)]
pub struct AcceptChange {
    /// The host's name or identifier
    #[arg(value_name = "HOST")]
    pub host: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// For all hosts of the same vendor, model and firmware
    #[arg(long)]
    pub cohort: bool,
    /// Up to the end of this day, by UTC: YYYY-MM-DD
    #[arg(long, value_name = "DATE", value_parser = end_of_day_ms)]
    pub until: Option<i64>,
    /// For one boot of each host: the first that is accepted by it
    #[arg(long)]
    pub once: bool,
}

impl AcceptChange {
    /// For whom.
    pub(crate) const fn breadth(&self) -> Breadth {
        if self.cohort { Breadth::Cohort } else { Breadth::Host }
    }
}

/// `bootproof host evidence`
#[derive(Debug, Args)]
pub struct HostEvidence {
    /// The host
    #[command(flatten)]
    pub host: OneHost,
    /// The folder to make
    #[arg(long, value_name = "FOLDER")]
    pub out: PathBuf,
}
