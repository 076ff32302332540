//! Which BMCs are asked, and how hosts behind them are changed.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use redfish::apply::Window;

/// BMCs, how they are trusted, and who logs in.
#[derive(Debug, Args)]
#[command(next_help_heading = "BMCs")]
pub struct Bmcs {
    /// A file that names BMCs: TOML ([[bmc]] with address and, as they are known, name, credential,
    /// pin, wave, labels) or CSV with these columns
    #[arg(long, value_name = "FILE", conflicts_with = "bmc")]
    pub inventory: Option<PathBuf>,
    /// One BMC: HOST, HOST:PORT or https://HOST:PORT
    #[arg(long, value_name = "ADDRESS")]
    pub bmc: Option<String>,
    /// Only those of the inventory with this label (may be repeated: with one of them)
    #[arg(long, value_name = "LABEL", requires = "inventory")]
    pub label: Vec<String>,
    /// Certificates of the authorities that issued those of the BMCs, PEM
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// SHA-256 of the BMC's certificate, where no authority issued it
    #[arg(long, value_name = "SHA256", requires = "bmc")]
    pub pin: Option<String>,
    /// A file of accounts: TOML, [NAME] with user and password, readable by its owner only. Without,
    /// BOOTPROOF_BMC_USER and BOOTPROOF_BMC_PASSWORD count, or a person is asked
    #[arg(long, value_name = "FILE", env = "BOOTPROOF_BMC_CREDENTIALS")]
    pub credentials: Option<PathBuf>,
    /// Which account of the file, for BMCs whose entry names none
    #[arg(long, value_name = "NAME", requires = "credentials")]
    pub credential: Option<String>,
    /// BMCs that are asked at the same time
    #[arg(long, value_name = "N", default_value_t = redfish::AT_ONCE)]
    pub at_once: usize,
    /// How long a BMC may take for one answer
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub answer_limit: Duration,
}

/// How hosts are changed, for `apply` and `revert`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Changes")]
pub struct Changes {
    /// Where each act is written before it is done, and where a run that was stopped goes on
    #[arg(long, value_name = "FILE", default_value = "bootproof-firmware.journal")]
    pub journal: PathBuf,
    /// Only the hosts of this wave; otherwise one wave after the other
    #[arg(long, value_name = "N")]
    pub wave: Option<u32>,
    /// Hosts that may restart at the same time
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub max_unavailable: usize,
    /// The hours in which steps and restarts may begin, by this machine's clock: 22:00-04:00
    #[arg(long, value_name = "HOURS")]
    pub window: Option<Window>,
    /// Restart without asking the operating system, which loses what it has not written
    #[arg(long)]
    pub force_restart: bool,
    /// Ask nobody
    #[arg(long, short)]
    pub yes: bool,
    /// How often a host that restarts is looked at
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub poll: Duration,
    /// How long a restart with changes of the firmware may take
    #[arg(long, value_name = "TIME", default_value = "45m", value_parser = duration)]
    pub boot_limit: Duration,
    /// How long after its restart a host counts as booted, where its BMC does not tell
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration)]
    pub settle: Duration,
}

/// A time out of `250ms`, `30s`, `15m`, `2h`; more than none.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit_ms = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        other => return Err(format!("{other:?} is not one of ms, s, m, h")),
    };
    let number: u64 = digits.parse().map_err(|_| "begin with a number".to_owned())?;
    match number.checked_mul(unit_ms) {
        Some(0) => Err("it takes more than no time".to_owned()),
        Some(ms) => Ok(Duration::from_millis(ms)),
        None => Err("that is too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("45m"), Ok(Duration::from_secs(2700)));
        for wrong in ["", "s", "0s", "5d", "99999999999999999999h", "18446744073709551615h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
