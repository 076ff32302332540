//! Where a BMC is.

use std::{fmt, str::FromStr};

use hyper::Uri;

/// `https://HOST[:PORT]`, without a path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

/// A text is not the address of a BMC.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A password in an address ends up in process lists and logs.
    #[error("an address holds no account: name the credential instead")]
    Account,
    /// Only HTTPS is spoken.
    #[error("a BMC is asked over https only")]
    Scheme,
    /// Something else.
    #[error("not the address of a BMC: write HOST, HOST:PORT or https://HOST:PORT")]
    Form,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let text = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest,
            Some(_) => return Err(AddressError::Scheme),
            None => text,
        };
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.contains('@') {
            return Err(AddressError::Account);
        }
        let base = format!("https://{}", text.to_ascii_lowercase());
        let uri: Uri = base.parse().map_err(|_| AddressError::Form)?;
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        if !has_host || uri.path() != "/" || text.ends_with(':') || text.contains(['/', '#', '?']) {
            return Err(AddressError::Form);
        }
        Ok(Self(base))
    }
}

impl Address {
    /// `https://HOST[:PORT]`
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path and query of `location` where it is one of this BMC, absolute or not.
    pub(crate) fn local<'a>(&self, location: &'a str) -> Option<&'a str> {
        if location.starts_with('/') && !location.starts_with("//") {
            return Some(location);
        }
        let authority = self.0.strip_prefix("https://")?;
        let (scheme, rest) = location.split_once("://")?;
        let at = rest.find('/')?;
        let (there, path) = rest.split_at(at);
        let same = scheme.eq_ignore_ascii_case("https")
            && there
                .trim_end_matches(":443")
                .eq_ignore_ascii_case(authority.trim_end_matches(":443"));
        same.then_some(path)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_perhaps_a_port() {
        for (text, expected) in [
            ("bmc-1", "https://bmc-1"),
            ("10.0.0.7:8443", "https://10.0.0.7:8443"),
            ("https://BMC-1.example/", "https://bmc-1.example"),
            ("https://[2001:db8::1]:443", "https://[2001:db8::1]:443"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), expected, "{text}");
        }
        for (text, why) in [
            ("http://bmc-1", AddressError::Scheme),
            ("https://root:calvin@bmc-1", AddressError::Account),
            ("bmc-1/redfish/v1", AddressError::Form),
            ("https://bmc-1?x", AddressError::Form),
            ("", AddressError::Form),
            ("https://", AddressError::Form),
            ("a b", AddressError::Form),
        ] {
            assert_eq!(text.parse::<Address>(), Err(why), "{text}");
        }
    }

    #[test]
    fn a_location_elsewhere_is_no_path_of_this_bmc() {
        let address: Address = "bmc-1:8443".parse().unwrap();
        assert_eq!(address.local("/redfish/v1/"), Some("/redfish/v1/"));
        assert_eq!(address.local("https://BMC-1:8443/a"), Some("/a"));
        for elsewhere in
            ["//other/a", "https://other/a", "http://bmc-1:8443/a", "https://bmc-1/a", "a"]
        {
            assert_eq!(address.local(elsewhere), None, "{elsewhere}");
        }
        let usual: Address = "bmc-1".parse().unwrap();
        assert_eq!(usual.local("https://bmc-1:443/a"), Some("/a"));
    }
}
