//! How this server is set up, for administrators to look at.

use api::{
    operation::CheckState,
    settings::{Setting, Settings, SettingsCheck, StoreSettings},
};

use super::{App, AppError};
use crate::config::{keys, shown_values};

impl App {
    /// What counts of the configuration, without what is secret, and how the server is.
    pub async fn settings(&self) -> Result<Settings, AppError> {
        // What the operator said, not what the policy made of it.
        let config = self.rules().configured();
        let values = shown_values(&config).map_err(|err| AppError::Bug(err.into()))?;
        let keys = keys()
            .into_iter()
            .map(|key| Setting {
                value: values.get(&key.name).map(ToString::to_string),
                default: key.default.map(|default| default.to_string()),
                meaning: key.meaning.join(" "),
                name: key.name,
            })
            .collect();
        let checks = self.readiness().await.checks.into_iter().map(|check| SettingsCheck {
            name: check.name,
            state: match check.state {
                CheckState::Ok => "ok",
                CheckState::Warn => "warn",
                CheckState::Failed => "failed",
            }
            .to_owned(),
            reason: check.reason,
        });
        let kind = if config.store.is_some() { "postgresql" } else { "sqlite" };
        Ok(Settings {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            address: self.address.clone(),
            ca_sha256: self.authority.pin(),
            certificate_ends_s: self.authority.ends_s(),
            given_certificate_ends_s: self.authority.given_ends_s(),
            store: StoreSettings {
                kind: kind.to_owned(),
                schema: self.store.probe().await?.schema_found,
                n_bytes: self.store.n_bytes().await?,
                n_audit_rows: self.store.audit_head().await?.0,
            },
            checks: checks.collect(),
            keys,
        })
    }
}
