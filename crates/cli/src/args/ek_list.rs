//! `bootproof ek-list …`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Verb;

/// `bootproof ek-list …`
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum EkList {
    /// Make a list of the endorsement keys of a purchase, or put more on it
    #[command(after_help = "\
FILE is one of
  a CSV file whose first line names its columns, separated by commas or semicolons. The key of a
  line is the first of these that it has:
    ek_certificate   a certificate, base64 or PEM
    ek_public        a public area (TPM2B_PUBLIC or TPMT_PUBLIC), base64 or hex
    ek_spki_sha256   SHA-256 of its SubjectPublicKeyInfo: `bootproof tpm ek`, `host show`
    ek_public_sha256 SHA-256 of its public area (TPMT_PUBLIC)
    ek_name          its name: 000b and that digest, 68 hexadecimal digits
  serial, asset, hostname, model and note are kept beside it; other columns are passed over.
  a PEM file of certificates, or a folder of certificates in DER or PEM.

A list is no trust: certificates on it are not checked, and each TPM proves its key and shows its
own certificate when it joins. Hosts whose keys are on it get its labels; with --expected no
person is asked.

Exit codes: 0 all is on the list, 1 some was on a list before, 2 nothing was done: a line is wrong.

Examples:
  bootproof ek-list import po-4711.csv --name po-4711 --label site=muc --expected
  bootproof ek-list import certificates/ --name po-4711 --dry-run")]
    Import(Verb<EkListImport>),
    /// Show the lists, with how many of their hosts have joined
    #[command(after_help = "Example:\n  bootproof ek-list list --json")]
    List,
    /// Show the keys of a list, and which host has each
    #[command(after_help = "\
Examples:
  bootproof ek-list show po-4711 --missing      what has not joined yet
  bootproof ek-list show po-4711 --json | jq -r '.[] | select(.host) | .host'")]
    Show(Verb<EkListShow>),
    /// Show enrolled hosts whose keys are on no list
    #[command(after_help = "\
Exit codes: 0 there is none, 1 there are some, 2 could not be asked.

Example:
  bootproof ek-list unlisted --json | jq -r '.[].name'")]
    Unlisted,
    /// Remove a list; hosts that joined by it stay as they are
    #[command(after_help = "Example:\n  bootproof ek-list remove po-4711")]
    Remove {
        /// The list's name
        name: String,
    },
}

/// `bootproof ek-list import`
#[derive(Debug, Args)]
pub struct EkListImport {
    /// The file or folder
    pub file: PathBuf,
    /// What to call the list: letters, digits, `.`, `_` and `-`
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Label each host whose key is on it, as `site=muc` (may be repeated)
    #[arg(long, value_name = "KEY=VALUE", value_parser = api::inventory::label)]
    pub label: Vec<(String, String)>,
    /// Ask no person about hosts whose keys are on it, whatever their join token says
    #[arg(long)]
    pub expected: bool,
    /// What it is
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub note: String,
    /// Put more keys on a list that is there
    #[arg(long, conflicts_with_all = ["label", "expected", "note"])]
    pub append: bool,
    /// Read the file and say what is in it, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `bootproof ek-list show`
#[derive(Debug, Args)]
pub struct EkListShow {
    /// The list's name
    pub name: String,
    /// Those with which no host is enrolled
    #[arg(long, conflicts_with = "joined")]
    pub missing: bool,
    /// Those with which a host is enrolled
    #[arg(long)]
    pub joined: bool,
}
