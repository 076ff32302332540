//! Who collects traces: the table `[traces]`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Of a hundred requests, where nothing is said: a fleet's attestations are many and alike.
const PERCENT: f64 = 1.0;

/// Bytes of a file of authorities.
const CA_BYTES_MAX: u64 = 1024 * 1024;

/// The table. What its keys mean stands at the field of [`super::Config`].
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TracesConfig {
    otlp_endpoint: String,
    percent: Option<f64>,
    ca_file: Option<PathBuf>,
}

impl TracesConfig {
    pub(super) fn place_in(&mut self, folder: &Path) {
        if let Some(file) = &mut self.ca_file {
            *file = folder.join(&*file);
        }
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if let Err(err) = crate::traces::check_endpoint(&self.otlp_endpoint) {
            faults.push(format!("{err:#}"));
        }
        if self.percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            faults.push("traces: percent must be 0 to 100".to_owned());
        }
        faults
    }

    /// Where spans are sent: the path of traces, where none is named. [OTLP 1.x, OTLP/HTTP request]
    pub fn endpoint(&self) -> String {
        let endpoint = self.otlp_endpoint.trim_end_matches('/');
        let (_, behind) = endpoint.split_once("://").unwrap_or_default();
        match behind.contains('/') {
            true => endpoint.to_owned(),
            false => format!("{endpoint}/v1/traces"),
        }
    }

    /// The share of traces that is kept, 0 to 1.
    pub fn ratio(&self) -> f64 {
        self.percent.unwrap_or(PERCENT) / 100.0
    }

    /// The authorities that vouch for the collector, where some are named.
    pub fn ca_pem(&self) -> anyhow::Result<Option<Vec<u8>>> {
        use std::io::Read as _;
        let Some(file) = &self.ca_file else { return Ok(None) };
        let mut pem = Vec::new();
        std::fs::File::open(file)
            .and_then(|opened| opened.take(CA_BYTES_MAX).read_to_end(&mut pem))
            .with_context(|| format!("traces: ca_file {} cannot be read", file.display()))?;
        Ok(Some(pem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_said() {
        let faults = |text: &str| toml::from_str::<TracesConfig>(text).unwrap().faults().len();
        assert_eq!(faults("otlp_endpoint = 'http://127.0.0.1:4318/v1/traces'"), 0);
        assert_eq!(faults("otlp_endpoint = 'https://a/v1/traces'\npercent = 100"), 0);
        assert_eq!(faults("otlp_endpoint = 'http://a/v1/traces'\npercent = 101"), 2);
        assert!(toml::from_str::<TracesConfig>("percent = 1").is_err());
        let at = |text: &str| {
            toml::from_str::<TracesConfig>(&format!("otlp_endpoint = '{text}'")).unwrap().endpoint()
        };
        assert_eq!(at("https://a:4318"), "https://a:4318/v1/traces");
        assert_eq!(at("https://a/otlp/v1/traces/"), "https://a/otlp/v1/traces");
        let some = "otlp_endpoint = 'https://a'\npercent = 25";
        assert!((toml::from_str::<TracesConfig>(some).unwrap().ratio() - 0.25).abs() < 1e-9);
    }
}
