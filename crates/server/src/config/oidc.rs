//! `[oidc]`: people who log in at an identity provider.

use std::path::{Path, PathBuf};

use api::{inventory::Labels, people::Role};
use serde::{Deserialize, Serialize};

use super::Config;
use crate::{deliver::Address, oidc::Provider};

/// An identity provider, and what its people may do here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The provider's issuer, letter for letter as it names itself in its discovery document. It is an https
    /// address, below which `/.well-known/openid-configuration` lies.
    pub issuer: String,
    /// How the provider knows this server.
    pub client_id: String,
    /// A file with the secret that the provider gave with it; without one the server is a public client, and
    /// PKCE alone vouches for it. Relative as the policy is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// A file with a private key by which this server proves to the provider that it is this client
    /// (`private_key_jwt`), instead of a secret: PKCS #8, PEM, on P-256 or of RSA with 2,048 bits and more. The provider
    /// has its public half. Relative as the policy is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key_file: Option<PathBuf>,
    /// What the provider calls that key (`kid`); without it the provider has one alone of this client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_key_id: Option<String>,
    /// What the button on the page calls the provider.
    #[serde(default = "name")]
    pub name: String,
    /// What is asked for.
    #[serde(default = "scopes")]
    pub scopes: Vec<String>,
    /// The claim of the ID token by whose value the audit log knows a person. `email` counts only where the
    /// token says that it is verified.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// The claim that says the person's groups: a text or a list of texts. With a slash in front it is a
    /// path into the token (a JSON pointer), as `/realm_access/roles`.
    #[serde(default = "role_claim")]
    pub role_claim: String,
    /// What groups may do, as `[[oidc.role]]`: the first entry that fits counts, and who has none is not let
    /// in.
    #[serde(default)]
    pub role: Vec<OidcRole>,
    /// Certificates of the authorities that vouch for the provider's, PEM; without it those of the system.
    /// Relative as the policy is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// This server's address as browsers have it, such as `https://bootproof.example.org`; without it that
    /// for agents. The provider sends people back to `/v1/oidc/callback` below it, and must know that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// What people of some groups may do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OidcRole {
    /// Values of the claim, of which a person has one.
    pub groups: Vec<String>,
    /// `viewer`, `operator` or `admin`.
    pub role: Role,
    /// Labels that a host must have, all of them, for these people to see it; none: all hosts.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub hosts: Labels,
}

fn name() -> String {
    "single sign-on".to_owned()
}

fn scopes() -> Vec<String> {
    ["openid", "profile", "email"].map(str::to_owned).to_vec()
}

fn name_claim() -> String {
    "preferred_username".to_owned()
}

fn role_claim() -> String {
    "groups".to_owned()
}

impl Oidc {
    /// Makes paths relative to the folder of the file that names them.
    pub(super) fn in_folder(&mut self, folder: &Path) {
        let named = [&mut self.client_secret_file, &mut self.client_key_file, &mut self.ca_file];
        for named in named.into_iter().flatten() {
            *named = folder.join(&*named);
        }
    }

    /// The files that it names.
    pub fn files(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.client_secret_file, &self.client_key_file, &self.ca_file].into_iter().flatten()
    }

    /// Values with which nobody could log in, or more than the operator means.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if Address::parse(&self.issuer).is_none() || self.issuer.contains(['?', '#']) {
            faults.push(format!(
                "oidc: the issuer {:?} is not an https address without query; write it as the provider's \
                 discovery document does",
                self.issuer
            ));
        }
        if self.client_id.is_empty() {
            faults.push("oidc: client_id is empty".to_owned());
        }
        if self.client_secret_file.is_some() && self.client_key_file.is_some() {
            faults.push(
                "oidc: client_secret_file and client_key_file are two ways of one proof; take one away"
                    .to_owned(),
            );
        }
        if self.client_key_id.is_some() && self.client_key_file.is_none() {
            faults.push("oidc: client_key_id names the key of client_key_file".to_owned());
        }
        if let Some(address) = &self.address
            && Address::parse(address).is_none_or(|parts| parts.path != "/")
        {
            faults.push(format!(
                "oidc: address {address:?} is not https://NAME or https://NAME:PORT"
            ));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            faults.push(
                "oidc: scopes must have `openid`: without it there is no ID token".to_owned(),
            );
        }
        if self.role.is_empty() {
            faults.push(
                "oidc: there is no [[oidc.role]], so that nobody is let in; the least is one with groups \
                 and role"
                    .to_owned(),
            );
        }
        for (n, rule) in self.role.iter().enumerate() {
            let n = n + 1;
            if rule.groups.is_empty() || rule.groups.iter().any(String::is_empty) {
                faults.push(format!("oidc: role {n} names no group, or an empty one"));
            }
            match rule.role {
                Role::RelyingParty => faults.push(format!(
                    "oidc: role {n} is relying-party, which is for programs: those have API tokens"
                )),
                // Who may do everything could give itself the rest.
                Role::Admin if !rule.hosts.is_empty() => faults
                    .push(format!("oidc: role {n} is admin, which cannot be limited to hosts")),
                Role::Admin | Role::Operator | Role::Viewer => {}
            }
        }
        faults
    }
}

/// Asks the provider of a configuration, if any, for its discovery document: `Ok(Some)` says why it does not
/// answer as it should.
pub async fn ask_provider(config: &Config) -> anyhow::Result<Option<String>> {
    let Some(settings) = config.oidc.clone() else { return Ok(None) };
    let provider = Provider::load(settings)?;
    Ok(provider.reach().await.err().map(|err| err.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        toml::from_str::<Config>(text).unwrap().faults()
    }

    const SOUND: &str = "[oidc]\nissuer = 'https://id.example/realms/x'\nclient_id = 'bootproof'\n";
    const ROLE: &str = "[[oidc.role]]\ngroups = ['ops']\nrole = 'operator'\n";

    #[test]
    fn what_would_let_nobody_or_too_many_in_is_a_fault() {
        assert_eq!(faults(&format!("{SOUND}{ROLE}")), Vec::<String>::new());
        let one = |text: &str, word: &str| {
            let found = faults(text);
            assert!(found.len() == 1 && found[0].contains(word), "{found:?}");
        };
        one(SOUND, "no [[oidc.role]]");
        one(&format!("{SOUND}{ROLE}").replace("https:", "http:"), "issuer");
        one(&format!("{SOUND}{ROLE}").replace("realms/x", "x?y=1"), "issuer");
        one(&format!("{SOUND}scopes = ['email']\n{ROLE}"), "openid");
        one(&format!("{SOUND}client_key_id = 'a'\n{ROLE}"), "client_key_file");
        let both = "client_secret_file = 'a'\nclient_key_file = 'b'\n";
        one(&format!("{SOUND}{both}{ROLE}"), "two ways");
        one(&format!("{SOUND}address = 'https://a/b'\n{ROLE}"), "address");
        one(&format!("{SOUND}{ROLE}").replace("operator", "relying-party"), "relying-party");
        let limited = format!("{SOUND}{ROLE}hosts = {{ site = 'muc' }}\n");
        assert_eq!(faults(&limited), Vec::<String>::new());
        one(&limited.replace("operator", "admin"), "limited");
        one(&format!("{SOUND}{ROLE}").replace("'ops'", ""), "names no group");
        let unknown = toml::from_str::<Config>(&format!("{SOUND}secret = 'x'\n{ROLE}"));
        assert!(unknown.unwrap_err().to_string().contains("unknown field"));
    }
}
