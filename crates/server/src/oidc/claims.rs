//! What a checked ID token says of a person.

use serde_json::Value;

use super::wire::Object;

/// Characters of a person's name: it stands in the audit log and on pages.
const NAME_CHARS_MAX: usize = 128;

/// Groups that are looked at: a person in more of them needs roles of the application instead.
const GROUPS_MAX: usize = 2_000;

/// The claims of an ID token that was checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claims {
    /// The person's identifier at the provider, which no other gets.
    pub(crate) subject: String,
    pub(super) all: Object,
}

/// Why a person who was vouched for has no name or no groups here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPerson {
    /// The claim is not there.
    #[error("its token has no claim `{0}`, by which this server names people")]
    NoName(String),
    /// It may be anybody's.
    #[error("its token does not say that the e-mail address is verified")]
    EmailUnverified,
    /// Two names could look the same.
    #[error("the name in its claim `{0}` has characters that a name cannot have here")]
    Name(String),
    /// The provider left them out.
    #[error("the provider left the groups out of its token, since they are too many")]
    GroupsLeftOut,
    /// The claim is not there.
    #[error("its token has no claim `{0}`, by which this server knows groups")]
    NoGroups(String),
}

/// Bytes of a session's identifier at the provider.
const SID_BYTES_MAX: usize = 255;

impl Claims {
    /// What the provider calls its own session of this person, by which it says later that it ended.
    /// [OpenID Connect Back-Channel Logout 1.0 §2.1]
    pub(crate) fn sid(&self) -> Option<&str> {
        let sid = self.all.get("sid").and_then(Value::as_str)?;
        (!sid.is_empty() && sid.len() <= SID_BYTES_MAX).then_some(sid)
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        if !name.starts_with('/') {
            return self.all.get(name);
        }
        // Into the token, step by step. [RFC 6901]
        let mut steps =
            name.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
        let first = self.all.get(&steps.next()?)?;
        steps.try_fold(first, |value, step| value.get(&step))
    }

    /// The name of the person by `claim`: letters that look the same to everybody.
    pub(crate) fn name(&self, claim: &str) -> Result<&str, NoPerson> {
        let name = self.claim(claim).and_then(Value::as_str);
        let name = name.ok_or_else(|| NoPerson::NoName(claim.to_owned()))?;
        self.require_own(claim)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-@+'#\\".contains(c);
        let is_name = !name.is_empty() && name.len() <= NAME_CHARS_MAX && name.chars().all(fits);
        if is_name { Ok(name) } else { Err(NoPerson::Name(claim.to_owned())) }
    }

    /// Refuses an address that the person may only have made up.
    fn require_own(&self, claim: &str) -> Result<(), NoPerson> {
        let is_verified = self.all.get("email_verified") == Some(&Value::Bool(true));
        let is_email = matches!(claim, "email" | "/email");
        if is_email && !is_verified { Err(NoPerson::EmailUnverified) } else { Ok(()) }
    }

    /// The person's groups by `claim`. What is no text in it is passed over.
    pub(crate) fn groups(&self, claim: &str) -> Result<Vec<&str>, NoPerson> {
        self.require_own(claim)?;
        match self.claim(claim) {
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(all)) => {
                Ok(all.iter().take(GROUPS_MAX).filter_map(Value::as_str).collect())
            }
            // The provider tells where they could be asked for instead. [OpenID Connect Core 1.0 §5.6.2]
            None if self
                .all
                .get("_claim_names")
                .is_some_and(|names| names.get(claim).is_some()) =>
            {
                Err(NoPerson::GroupsLeftOut)
            }
            _ => Err(NoPerson::NoGroups(claim.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(all: Value) -> Claims {
        let Value::Object(all) = all else { panic!("no object") };
        Claims { subject: "1".to_owned(), all }
    }

    #[test]
    fn a_name_looks_the_same_to_everybody_and_is_its_persons() {
        let named = |name: &str| claims(json!({ "preferred_username": name }));
        for good in ["alice", "a.b+c@example.org", "O'Neil", "CORP\\bob", "g#EXT#@x.example"] {
            assert_eq!(named(good).name("preferred_username"), Ok(good));
        }
        let long = "a".repeat(NAME_CHARS_MAX + 1);
        for bad in ["", "a b", "\u{430}lice", "a\n", "a:b", "<b>", "a\u{202e}b", &long] {
            let refused = named(bad).name("preferred_username").unwrap_err();
            assert_eq!(refused, NoPerson::Name("preferred_username".to_owned()), "{bad:?}");
        }
        let by = |claim: &str| NoPerson::NoName(claim.to_owned());
        assert_eq!(claims(json!({})).name("sub"), Err(by("sub")));
        assert_eq!(claims(json!({ "sub": 7 })).name("sub"), Err(by("sub")));
        for verified in [json!(null), json!(false), json!("true"), json!(1)] {
            let email = claims(json!({ "email": "a@b", "email_verified": verified }));
            assert_eq!(email.name("email"), Err(NoPerson::EmailUnverified), "{verified}");
        }
        assert_eq!(claims(json!({ "email": "a@b" })).name("email"), Err(NoPerson::EmailUnverified));
        let email = claims(json!({ "email": "a@b", "email_verified": true }));
        assert_eq!(email.name("email"), Ok("a@b"));
        // Also where roles are given to addresses, and however the claim is written.
        assert_eq!(email.groups("email"), Ok(vec!["a@b"]));
        let made_up = claims(json!({ "email": "a@b", "email_verified": false }));
        for claim in ["email", "/email"] {
            assert_eq!(made_up.name(claim), Err(NoPerson::EmailUnverified));
            assert_eq!(made_up.groups(claim), Err(NoPerson::EmailUnverified));
        }
    }

    #[test]
    fn groups_are_a_text_or_texts_also_deep_inside() {
        let all = claims(json!({
            "groups": ["a", 7, "b"], "one": "a", "https://x.example/roles": ["c"],
            "realm_access": { "roles": ["d"] }, "a/b": ["e"], "n": 7,
            "_claim_names": { "many": "src1" },
        }));
        for (claim, groups) in [
            ("groups", vec!["a", "b"]),
            ("one", vec!["a"]),
            ("https://x.example/roles", vec!["c"]),
            ("/realm_access/roles", vec!["d"]),
            ("/a~1b", vec!["e"]),
        ] {
            assert_eq!(all.groups(claim), Ok(groups), "{claim}");
        }
        assert_eq!(all.groups("many"), Err(NoPerson::GroupsLeftOut));
        for claim in ["none", "n", "/realm_access/none", "/", "realm_access"] {
            assert_eq!(all.groups(claim), Err(NoPerson::NoGroups(claim.to_owned())), "{claim}");
        }
    }
}
