//! `bootproof-server config`: what is wrong with the configuration, what counts, what there is.

use std::{io::Write as _, path::Path};

use anyhow::Context as _;
use clap::Subcommand;
use rustix::process::{Resource, getrlimit};
use server::{
    authority::GivenCertificate,
    config::{Config, Fault, faults, keys, reference, shown_values},
};

/// Descriptors beside those of connections: the database, its readers, the log, files.
const OTHER_FILES: u64 = 128;

/// `bootproof-server config …`
#[derive(Subcommand)]
pub(crate) enum Settings {
    /// Say all that is wrong with the configuration and the files that it names, and warn of this shell's limits
    #[command(after_long_help = "\
Nothing is changed, and no database is opened; where [evidence] names a place outside of it, an
object is written there, read and removed. A limit of the shell is a warning: a unit has its own.
Exit codes: 0 nothing is wrong, 1 something is.

Example:
  bootproof-server --config /etc/bootproof/server.toml config check")]
    Check,
    /// Print the values that count, and where each comes from; secrets are not shown
    #[command(after_long_help = "\
Example:
  bootproof-server --config /etc/bootproof/server.toml config show")]
    Show,
    /// Print what each key means
    #[command(after_long_help = "Example:\n  bootproof-server config reference | less")]
    Reference,
}

/// Where a value comes from that is not the file's: a key, and what said it.
pub(crate) type Origin = (&'static str, &'static str);

pub(crate) fn run(
    command: &Settings,
    file: Option<&Path>,
    config: impl FnOnce() -> anyhow::Result<Config>,
    origins: &[Origin],
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match command {
        Settings::Reference => Ok(out.write_all(reference().as_bytes())?),
        Settings::Check => check(file, config),
        Settings::Show => {
            out.write_all(shown(file, &config()?, origins)?.as_bytes())?;
            Ok(())
        }
    }
}

fn check(
    file: Option<&Path>,
    config: impl FnOnce() -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    let mut found = match file {
        Some(file) => match std::fs::read_to_string(file) {
            Ok(text) => faults(&text),
            Err(err) => vec![fault(format!("it cannot be read: {err}"))],
        },
        None => Vec::new(),
    };
    let mut warnings = Vec::new();
    if found.is_empty() {
        match config() {
            Ok(config) => {
                found = of_files(&config);
                warnings.extend(of_process(&config));
                match ask_provider(&config) {
                    Ok(away) => warnings.extend(away.map(of_provider)),
                    Err(err) => found.push(fault(format!("oidc: {err:#}"))),
                }
            }
            Err(err) => found.push(fault(format!("{err:#}"))),
        }
    }
    let name = file.map_or_else(|| "the defaults".to_owned(), |file| file.display().to_string());
    let mut out = std::io::stdout().lock();
    let mut tell = |kind: &str, fault: &Fault| -> std::io::Result<()> {
        let line = fault.line.map_or_else(String::new, |line| format!("{line}:"));
        writeln!(out, "{name}:{line} {kind}{}", fault.says)?;
        fault.hint.iter().try_for_each(|hint| writeln!(out, "  hint: {hint}"))
    };
    found.iter().try_for_each(|fault| tell("", fault))?;
    warnings.iter().try_for_each(|warning| tell("warning: ", warning))?;
    match found.len() {
        0 => {}
        1 => anyhow::bail!("1 fault in {name}"),
        n => anyhow::bail!("{n} faults in {name}"),
    }
    writeln!(out, "{name}: nothing is wrong")?;
    if file.is_none() {
        writeln!(
            out,
            "  hint: no file was named: --config /etc/bootproof/server.toml is the package's"
        )?;
    }
    Ok(())
}

/// Reads what the identity provider needs, and asks it for its discovery document: what keeps it from
/// answering now is no fault of the configuration.
fn ask_provider(config: &Config) -> anyhow::Result<Option<String>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(server::config::ask_provider(config))
}

fn fault(says: String) -> Fault {
    Fault { line: None, says, hint: None }
}

/// What keeps people of the identity provider out, and the server from nothing.
fn of_provider(away: String) -> Fault {
    Fault {
        line: None,
        says: format!("oidc: {away}"),
        hint: Some(
            "nobody logs in there meanwhile; compare issuer, ca_file and the way there".to_owned(),
        ),
    }
}

/// What is wrong with the files that are named.
fn of_files(config: &Config) -> Vec<Fault> {
    let mut found = Vec::new();
    if let Err(err) = config.load_policy() {
        found.push(fault(format!("policy: {err:#}")));
    }
    if let Err(err) = GivenCertificate::load(config) {
        found.push(fault(format!("tls_certificate: {err:#}")));
    }
    if let Err(err) = probe_evidence(config) {
        found.push(fault(format!("evidence: {err:#}")));
    }
    if config.data_dir.exists() && !config.data_dir.is_dir() {
        found.push(fault(format!("data_dir: {} is no folder", config.data_dir.display())));
    }
    found
}

/// What this process could not do as a server. It is a shell's child, mostly, with limits that a server's unit does not
/// have: so that is no fault of the configuration.
fn of_process(config: &Config) -> Option<Fault> {
    let needed = u64::try_from(config.connections_max).unwrap_or(u64::MAX);
    let needed = needed.saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile).current.filter(|limit| *limit < needed)?;
    Some(Fault {
        line: None,
        says: format!(
            "connections_max is {}, and what starts here may open {limit} files",
            config.connections_max
        ),
        hint: Some(format!(
            "the unit has a limit of its own, LimitNOFILE; elsewhere `ulimit -n {needed}` before the start"
        )),
    })
}

/// Writes, reads and removes an object where evidence is to lie.
fn probe_evidence(config: &Config) -> anyhow::Result<()> {
    let evidence = config.evidence.as_ref().map(|evidence| evidence.open()).transpose()?.flatten();
    let Some(evidence) = evidence else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let probed = runtime.block_on(evidence.objects.probe());
    probed.with_context(|| format!("{} cannot be used", evidence.objects))
}

/// Values as TOML, each with where it comes from.
fn shown(file: Option<&Path>, config: &Config, origins: &[Origin]) -> anyhow::Result<String> {
    let values = shown_values(config)?;
    let text = file.map(std::fs::read_to_string).transpose()?.unwrap_or_default();
    let in_file: toml::Table = toml::from_str(&text)?;
    let mut shown = String::new();
    for key in keys() {
        let said = origins.iter().find(|(name, _)| *name == key.name).map(|(_, origin)| *origin);
        let origin = match (said, file) {
            (Some(origin), _) => origin.to_owned(),
            (None, Some(file)) if in_file.contains_key(&key.name) => file.display().to_string(),
            _ => "default".to_owned(),
        };
        match values.get(&key.name) {
            Some(value) => {
                shown.push_str(&format!("{} = {value} # {origin}\n", key.name));
            }
            None => shown.push_str(&format!("# {} is not set ({origin})\n", key.name)),
        }
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let config = Config {
            store: Some(server::config::StoreUrl("postgres://u:hunter2@localhost/db".to_owned())),
            ..Config::default()
        };
        let shown = super::shown(None, &config, &[("store", "BOOTPROOF_STORE")]).unwrap();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("BOOTPROOF_STORE") && shown.contains("# default"), "{shown}");
    }
}
