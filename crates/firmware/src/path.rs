//! The path of a resource, in one form.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

/// Longest path that is taken: the longest in recorded trees has 150 bytes, and a path is logged,
/// compared and sent back.
pub const PATH_BYTES_MAX: usize = 1024;

/// The path of a Redfish resource, as `/redfish/v1/Systems/1`, with its query where it has one.
///
/// Firmware differs from itself in case and in trailing slashes between a link and what it leads to,
/// so that neither counts when paths are compared. It is shown and asked for as it was first written.
/// [DSP0266-1.20 §6.5]
#[derive(Clone)]
pub struct ResourcePath {
    /// Escapes resolved, no slash at the end, no empty segment.
    decoded: Box<str>,
    /// The same in lower case, for comparison.
    folded: Box<str>,
}

/// Why a text is no path of a resource on the same BMC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not begin with one slash: another server, or relative to we do not know what.
    #[error("a path on the same BMC begins with one slash")]
    NotLocal,
    /// It is longer than [`PATH_BYTES_MAX`].
    #[error("a path has {PATH_BYTES_MAX} bytes at most")]
    TooLong,
    /// It leaves its folder: `..`, an escaped slash, a backslash.
    #[error("a path has no segment that leads elsewhere")]
    Traversal,
    /// It holds control characters, or escapes that are none or no UTF-8.
    #[error("a path is text without control characters")]
    Malformed,
}

impl ResourcePath {
    /// The service root, where each walk begins. [DSP0266-1.20 §6.2]
    pub fn service_root() -> Self {
        Self::of_decoded("/redfish/v1")
    }

    fn of_decoded(decoded: &str) -> Self {
        Self { decoded: decoded.into(), folded: decoded.to_lowercase().into() }
    }

    /// Reads a path or the value of `@odata.id`. A fragment is dropped: it names a part of the same
    /// resource.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        if !text.starts_with('/') || text.starts_with("//") {
            return Err(PathError::NotLocal);
        }
        let text = text.split_once('#').map_or(text, |(path, _)| path);
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        let mut decoded = String::with_capacity(text.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            let segment = decode(segment)?;
            if segment == ".." || segment == "." || segment.contains(['/', '\\']) {
                return Err(PathError::Traversal);
            }
            decoded.push('/');
            decoded.push_str(&segment);
        }
        if decoded.is_empty() {
            decoded.push('/');
        }
        if let Some(query) = query {
            if query.chars().any(char::is_control) {
                return Err(PathError::Malformed);
            }
            decoded.push('?');
            decoded.push_str(query);
        }
        Ok(Self::of_decoded(&decoded))
    }

    /// The path in which escapes are resolved, for people and for comparison with names of files.
    pub fn as_str(&self) -> &str {
        &self.decoded
    }

    /// The form that goes into a request: what a URI may not hold is escaped. [RFC 3986 §3.3]
    pub fn to_uri(&self) -> String {
        let (path, query) = match self.decoded.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (&*self.decoded, None),
        };
        let mut uri = String::with_capacity(self.decoded.len());
        for byte in path.bytes() {
            let is_plain = byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
            if is_plain {
                uri.push(char::from(byte));
            } else {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
        if let Some(query) = query {
            uri.push('?');
            for byte in query.bytes() {
                if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
                    uri.push(char::from(byte));
                } else {
                    uri.push_str(&format!("%{byte:02X}"));
                }
            }
        }
        uri
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        let path = self.decoded.split_once('?').map_or(&*self.decoded, |(path, _)| path);
        path.rsplit('/').next().unwrap_or(path)
    }

    /// The path without its last segment; `None` at the top.
    pub fn parent(&self) -> Option<Self> {
        let path = self.decoded.split_once('?').map_or(&*self.decoded, |(path, _)| path);
        let (parent, _) = path.rsplit_once('/')?;
        (!parent.is_empty()).then(|| Self::of_decoded(parent))
    }

    /// What lies at `segment` below this path.
    pub fn child(&self, segment: &str) -> Result<Self, PathError> {
        if segment.is_empty() || segment.contains(['/', '\\']) || segment == ".." || segment == "."
        {
            return Err(PathError::Traversal);
        }
        if segment.chars().any(char::is_control) || segment.contains(['?', '#']) {
            return Err(PathError::Malformed);
        }
        let path = self.decoded.split_once('?').map_or(&*self.decoded, |(path, _)| path);
        if path.len().saturating_add(segment.len()) >= PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        Ok(Self::of_decoded(&format!("{}/{segment}", path.trim_end_matches('/'))))
    }
}

/// A segment without its escapes. A question mark or a number sign that was escaped would be read as
/// another part of the address when it is shown, so that both stay escaped.
fn decode(segment: &str) -> Result<String, PathError> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(rest.next()), digit(rest.next())) else {
            return Err(PathError::Malformed);
        };
        let value = high.wrapping_mul(16).wrapping_add(low);
        bytes.push(u8::try_from(value).map_err(|_| PathError::Malformed)?);
    }
    let text = String::from_utf8(bytes).map_err(|_| PathError::Malformed)?;
    if text.chars().any(char::is_control) || text.contains('?') {
        return Err(PathError::Malformed);
    }
    Ok(text)
}

impl FromStr for ResourcePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl PartialEq for ResourcePath {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for ResourcePath {}

impl Hash for ResourcePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl PartialOrd for ResourcePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourcePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl fmt::Display for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.decoded)
    }
}

impl fmt::Debug for ResourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.decoded)
    }
}

impl serde::Serialize for ResourcePath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.decoded)
    }
}

impl<'de> serde::Deserialize<'de> for ResourcePath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        // What was written decoded is read as it stands: a percent sign in it is one.
        Self::parse(&text.replace('%', "%25").replace('#', "%23")).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> ResourcePath {
        ResourcePath::parse(text).unwrap()
    }

    #[test]
    fn case_and_slashes_do_not_count_and_segments_do() {
        assert_eq!(path("/redfish/v1/systems/1/bios/"), path("/redfish/v1/Systems/1/Bios"));
        assert_eq!(path("/redfish//v1/"), ResourcePath::service_root());
        assert_eq!(path("/redfish/v1/Systems/1#/Fans/0").as_str(), "/redfish/v1/Systems/1");
        assert_ne!(path("/redfish/v1/Systems/1"), path("/redfish/v1/Systems/11"));
        assert_ne!(path("/a?x=1"), path("/a?x=2"));
        assert_eq!(path("/a/B/").name(), "B");
        assert_eq!(path("/a/B").parent(), Some(path("/a")));
        assert_eq!(path("/a").parent(), None);
    }

    #[test]
    fn escapes_are_resolved_once_and_put_back_in_requests() {
        let odd = path("/redfish/v1/Registries/%23Smart%20Storage");
        assert_eq!(odd.as_str(), "/redfish/v1/Registries/#Smart Storage");
        assert_eq!(odd.to_uri(), "/redfish/v1/Registries/%23Smart%20Storage");
        assert_eq!(path("/a/100%25").to_uri(), "/a/100%25");
        assert_eq!(path("/a?$skip=5&x=y z").to_uri(), "/a?$skip=5&x=y%20z");
        let json = serde_json::to_string(&odd).unwrap();
        assert_eq!(serde_json::from_str::<ResourcePath>(&json).unwrap(), odd);
    }

    #[test]
    fn what_leads_elsewhere_is_refused() {
        for (text, why) in [
            ("", PathError::NotLocal),
            ("redfish/v1", PathError::NotLocal),
            ("https://other/redfish/v1", PathError::NotLocal),
            ("//other/redfish/v1", PathError::NotLocal),
            ("/redfish/../../etc/passwd", PathError::Traversal),
            ("/redfish/%2e%2E/x", PathError::Traversal),
            ("/redfish/./x", PathError::Traversal),
            ("/redfish/a%2fb", PathError::Traversal),
            ("/redfish/a\\b", PathError::Traversal),
            ("/redfish/a%00", PathError::Malformed),
            ("/redfish/a\n", PathError::Malformed),
            ("/redfish/%zz", PathError::Malformed),
            ("/redfish/%f", PathError::Malformed),
            ("/redfish/%ff", PathError::Malformed),
            ("/redfish/a%3Fb", PathError::Malformed),
        ] {
            assert_eq!(ResourcePath::parse(text), Err(why), "{text:?}");
        }
        let long = format!("/{}", "a".repeat(PATH_BYTES_MAX - 1));
        assert!(ResourcePath::parse(&long).is_ok());
        assert_eq!(ResourcePath::parse(&format!("{long}a")), Err(PathError::TooLong));
        assert_eq!(path(&long).child("b"), Err(PathError::TooLong));
        assert_eq!(path("/a").child("../b"), Err(PathError::Traversal));
    }
}
