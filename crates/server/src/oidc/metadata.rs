//! What a provider says of itself. [OpenID Connect Discovery 1.0 §3, RFC 8414 §2]

use super::{OidcError, wire::Object};
use crate::deliver::Address;

/// Bytes of a discovery document: those of large providers have below 16 KiB.
pub(super) const BYTES_MAX: usize = 64 * 1024;

/// How this server shows its secret. [OpenID Connect Core 1.0 §9]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientAuthentication {
    /// In the header.
    Basic,
    /// In the form.
    Post,
}

/// What is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) authorization_endpoint: String,
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    pub(super) end_session_endpoint: Option<String>,
    pub(super) authentication: ClientAuthentication,
    /// Whether it says its name beside each code. [RFC 9207 §3]
    pub(super) names_itself: bool,
}

/// The document's address. [OpenID Connect Discovery 1.0 §4.1]
pub(super) fn address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
}

impl Metadata {
    /// Reads a document, which must be of `issuer` itself, letter for letter.
    pub(super) fn read(document: &Object, issuer: &str) -> Result<Self, OidcError> {
        let text = |name: &str| document.get(name).and_then(|value| value.as_str());
        let unusable = |why: String| OidcError::Away(format!("its discovery document: {why}"));
        let named = text("issuer").unwrap_or_default();
        if named != issuer {
            let named: String = named.chars().filter(|c| !c.is_control()).take(200).collect();
            return Err(unusable(format!(
                "it is the one of {named:?}, and the configuration says {issuer:?}"
            )));
        }
        let endpoint = |name: &str| {
            let url = text(name).ok_or_else(|| unusable(format!("it has no {name}")))?;
            match Address::parse(url) {
                Some(_) if !url.contains('#') => Ok(url.to_owned()),
                _ => Err(unusable(format!("{name} is no https address"))),
            }
        };
        let lists = |name: &str, word: &str| {
            let list = document.get(name).and_then(|value| value.as_array());
            list.map(|list| list.iter().any(|value| value == word))
        };
        if lists("response_types_supported", "code") == Some(false) {
            return Err(unusable("it gives no codes (response_types_supported)".to_owned()));
        }
        // Left out, it says nothing of PKCE; many that have it do so.
        if lists("code_challenge_methods_supported", "S256") == Some(false) {
            return Err(unusable("it does not know PKCE with S256".to_owned()));
        }
        let methods = "token_endpoint_auth_methods_supported";
        let authentication = match lists(methods, "client_secret_basic") {
            Some(false) if lists(methods, "client_secret_post") == Some(true) => {
                ClientAuthentication::Post
            }
            // Without the list this is the one that each has.
            _ => ClientAuthentication::Basic,
        };
        let end_session = endpoint("end_session_endpoint").ok();
        Ok(Self {
            authorization_endpoint: endpoint("authorization_endpoint")?,
            token_endpoint: endpoint("token_endpoint")?,
            jwks_uri: endpoint("jwks_uri")?,
            end_session_endpoint: end_session,
            authentication,
            names_itself: document.get("authorization_response_iss_parameter_supported")
                == Some(&true.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ISSUER: &str = "https://id.example/x";

    fn document() -> Value {
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/auth?tenant=1",
            "token_endpoint": "https://id.example/token",
            "jwks_uri": "https://id.example/jwks",
        })
    }

    fn read(document: &Value) -> Result<Metadata, String> {
        let object = document.as_object().unwrap();
        Metadata::read(object, ISSUER).map_err(|err| err.to_string())
    }

    #[test]
    fn a_document_is_of_its_issuer_and_names_https_addresses() {
        let sound = read(&document()).unwrap();
        assert_eq!(sound.authentication, ClientAuthentication::Basic);
        assert!(!sound.names_itself && sound.end_session_endpoint.is_none());
        for (name, value, said) in [
            ("issuer", json!("https://id.example/x/"), "the configuration says"),
            ("issuer", json!("https://evil.example"), "the configuration says"),
            ("issuer", json!(7), "the configuration says"),
            ("token_endpoint", json!("http://id.example/token"), "token_endpoint"),
            ("authorization_endpoint", json!("javascript:1"), "authorization_endpoint"),
            ("jwks_uri", Value::Null, "no jwks_uri"),
            ("response_types_supported", json!(["id_token"]), "no codes"),
            ("code_challenge_methods_supported", json!(["plain"]), "PKCE"),
        ] {
            let mut changed = document();
            changed[name] = value;
            let refused = read(&changed).unwrap_err();
            assert!(refused.contains(said), "{name}: {refused}");
        }
        assert_eq!(address(ISSUER), "https://id.example/x/.well-known/openid-configuration");
        assert_eq!(address("https://a/"), "https://a/.well-known/openid-configuration");
    }

    #[test]
    fn the_secret_is_shown_in_a_way_that_the_provider_takes() {
        let mut document = document();
        let methods = "token_endpoint_auth_methods_supported";
        document[methods] = json!(["private_key_jwt", "client_secret_post"]);
        assert_eq!(read(&document).unwrap().authentication, ClientAuthentication::Post);
        document[methods] = json!(["client_secret_post", "client_secret_basic"]);
        assert_eq!(read(&document).unwrap().authentication, ClientAuthentication::Basic);
    }
}
