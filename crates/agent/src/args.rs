//! What can be said on the command line.

use std::{path::PathBuf, time::Duration};

use agent::{certificate::Place, join::Patience};
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use client::CaPin;

/// Collects quote, event log and facts of this host, and posts them to a Bootproof server
#[derive(Parser)]
#[command(
    name = "bootproof-agent",
    version,
    after_long_help = "\
Examples:
  bootproof-agent join https://bootproof.example.org:8443 --token TOKEN --ca-sha256 PIN
  bootproof-agent join https://bootproof.example.org:8443 --token TOKEN --ca-sha256 PIN --wait=10m
  bootproof-agent join https://bootproof.example.org:8443 --token TOKEN --ca-sha256 PIN --name web-1
      With a new board or disk: under the name that the host has there (`bootproof host replace`).
  bootproof-agent run
  bootproof-agent status --json
  bootproof-agent support-bundle

Exit codes: 0 done, 1 could not be done, 2 wrong use."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args)]
pub(crate) struct Common {
    /// The folder of the agent's state
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "BOOTPROOF_AGENT_STATE",
        default_value = "/var/lib/bootproof-agent"
    )]
    pub(crate) state_dir: PathBuf,
    /// The TPM: device:/dev/tpmrm0, swtpm:unix:PATH, swtpm:tcp:HOST:PORT, or none; otherwise the
    /// one of this machine
    #[arg(long, global = true, value_name = "ADDRESS", env = "BOOTPROOF_TPM")]
    pub(crate) tpm: Option<String>,
    /// The event log, where it is not the kernel's
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_EVENT_LOG")]
    pub(crate) event_log: Option<PathBuf>,
    /// The ACPI table TPM2, where it is not the kernel's
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_ACPI_TPM2")]
    pub(crate) acpi_tpm2: Option<PathBuf>,
    /// The running system's log of its own measurements, where it is not systemd's
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_USERSPACE_LOG")]
    pub(crate) userspace_log: Option<PathBuf>,
    /// Send the measurement list of IMA: it names each program that this host ran
    #[arg(long, global = true, env = "BOOTPROOF_IMA")]
    pub(crate) ima: bool,
    /// That list, where it is not the kernel's; goes with --ima
    #[arg(long, global = true, value_name = "FILE", env = "BOOTPROOF_IMA_LIST")]
    pub(crate) ima_list: Option<PathBuf>,
    /// The folder with the texts of SMBIOS (vendor, model, firmware), where it is not the kernel's
    #[arg(long, global = true, value_name = "FOLDER", env = "BOOTPROOF_DMI")]
    pub(crate) dmi: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) certificate: CertificateArgs,
}

/// Where the client certificate goes.
#[derive(Args)]
pub(crate) struct CertificateArgs {
    /// Keep a client certificate in this folder, while the server accepts this host: certificate.pem, and
    /// key.pem for a key in the TPM
    #[arg(
        long,
        global = true,
        value_name = "FOLDER",
        env = "BOOTPROOF_CERTIFICATE_DIR",
        value_parser = path_or_nothing()
    )]
    pub(crate) certificate_dir: Option<PathBuf>,
    /// The mode of key.pem, in octal digits. Its group is the folder's where that has the set-group-ID bit
    #[arg(
        long,
        global = true,
        value_name = "MODE",
        env = "BOOTPROOF_CERTIFICATE_KEY_MODE",
        default_value = "0640",
        value_parser = mode
    )]
    pub(crate) certificate_key_mode: u32,
    /// A program to run after each renewal, without arguments and without a shell
    #[arg(
        long,
        global = true,
        value_name = "PROGRAM",
        env = "BOOTPROOF_CERTIFICATE_COMMAND",
        value_parser = path_or_nothing()
    )]
    pub(crate) certificate_command: Option<PathBuf>,
}

impl CertificateArgs {
    /// The place, where a folder is named.
    pub(crate) fn place(&self) -> Option<Place> {
        // A variable that is set to nothing names none.
        let named =
            |path: &Option<PathBuf>| path.clone().filter(|path| !path.as_os_str().is_empty());
        Some(Place {
            folder: named(&self.certificate_dir)?,
            key_mode: self.certificate_key_mode,
            command: named(&self.certificate_command),
        })
    }
}

/// A path, or an empty text, which the usual reading of paths refuses: that a variable is set to nothing would
/// keep the agent from its start.
fn path_or_nothing() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// Octal digits, of permissions alone: whoever may read the key beyond its group may use it.
fn mode(text: &str) -> Result<u32, &'static str> {
    match u32::from_str_radix(text, 8) {
        Ok(mode) if mode & !0o777 == 0 && mode & 0o400 != 0 => Ok(mode),
        _ => Err("a mode is octal digits such as 0640, and lets the owner read"),
    }
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Join the inventory of a server, as root
    Join(Join),
    /// Serve the server that this host joined, until ended by a signal
    Run,
    /// Get a client certificate once, now; `run` keeps one by itself
    #[command(after_long_help = "\
Examples:
  bootproof-agent certificate --certificate-dir /etc/nginx/bootproof
  bootproof-agent certificate --certificate-dir /etc/nginx/bootproof --json")]
    Certificate {
        /// Print what was issued as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show where this host is a member, and whether it has a TPM
    Status {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget the membership; the server keeps the host until it is removed there
    Leave,
    /// Write logs, settings and facts into one archive for somebody who helps, without secrets
    #[command(after_long_help = "\
MANIFEST.json in it says what was removed and what is not in it. Boot log and ACPI table are in it
as they are. `bootproof diagnose FILE` reads it. Look it through before you give it away.")]
    SupportBundle(SupportBundle),
    /// Print a script for shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual pages into a folder
    Man {
        /// The folder
        folder: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct SupportBundle {
    /// The archive to write
    #[arg(long, short, value_name = "FILE", default_value = "bootproof-agent-support.tar.gz")]
    pub(crate) out: PathBuf,
    /// A log to put in (may be repeated); the journal of the agent and the kernel's are in it anyhow
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Vec<PathBuf>,
    /// The file of the agent's settings
    #[arg(long, value_name = "FILE", default_value = "/etc/default/bootproof-agent")]
    pub(crate) settings: PathBuf,
}

#[derive(Args)]
pub(crate) struct Join {
    /// The server, https://HOST:PORT
    #[arg(value_name = "URL")]
    pub(crate) server: String,
    /// The join token, as `bootproof token create` prints it
    #[arg(long, env = "BOOTPROOF_JOIN_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
    /// SHA-256 of the server's certificate authority, as `bootproof token create` prints it
    #[arg(long, value_name = "PIN")]
    pub(crate) ca_sha256: CaPin,
    /// The name in the inventory, where it is not this machine's host name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Wait for network, server and TPM, so long (90s, 10m, 2h) or without end; what waiting does
    /// not mend ends it at once
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "endless",
        value_parser = patience
    )]
    pub(crate) wait: Option<Patience>,
}

/// `endless`, or a number of seconds, or one with its unit.
fn patience(text: &str) -> Result<Patience, &'static str> {
    const WANTED: &str = "a time is a number with its unit, such as 90s, 10m or 2h";
    if text == "endless" {
        return Ok(Patience::Endless);
    }
    let (number, unit_s) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3600),
        _ => (text, 1),
    };
    let number: u32 = number.parse().map_err(|_| WANTED)?;
    Ok(Patience::For(Duration::from_secs(u64::from(number) * unit_s)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_time_has_a_unit() {
        let of = |s| Ok(Patience::For(Duration::from_secs(s)));
        assert_eq!(patience("90"), of(90));
        assert_eq!(patience("90s"), of(90));
        assert_eq!(patience("10m"), of(600));
        assert_eq!(patience("2h"), of(7200));
        assert_eq!(patience("endless"), Ok(Patience::Endless));
        for wrong in ["", "s", "-1s", "1d", "1.5m", "99999999999h", "\u{20ac}"] {
            assert!(patience(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_mode_is_octal_and_a_place_is_named() {
        assert_eq!((mode("0640"), mode("400")), (Ok(0o640), Ok(0o400)));
        for wrong in ["", "rw", "0800", "4640", "0240", "-1"] {
            assert!(mode(wrong).is_err(), "{wrong}");
        }
        let place = |words: &[&str]| {
            let words = [&["bootproof-agent", "run"], words].concat();
            Arguments::parse_from(words).common.certificate.place()
        };
        assert!(place(&[]).is_none() && place(&["--certificate-dir="]).is_none());
        let named = place(&["--certificate-dir", "/run/x"]).unwrap();
        assert_eq!(
            (named.folder, named.key_mode),
            (PathBuf::from("/run/x"), agent::certificate::KEY_MODE)
        );
    }

    #[test]
    fn wait_takes_no_word_that_follows() {
        let join = ["bootproof-agent", "join", "--wait", "https://server", "--token", "t"];
        let pin = "ab".repeat(32);
        let arguments = Arguments::parse_from(join.into_iter().chain(["--ca-sha256", &pin]));
        let Command::Join(join) = arguments.command else { panic!("a join") };
        assert_eq!((join.server.as_str(), join.wait), ("https://server", Some(Patience::Endless)));
    }
}
