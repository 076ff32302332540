//! What was taken out.

use std::collections::BTreeMap;

/// What kind of thing was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Secret {
    /// The recovery key of an ESXi host's sealed configuration.
    RecoveryKey,
    /// A private key in PEM.
    PrivateKey,
    /// A password, in an address or by its name.
    Password,
    /// A token, by its looks or by its name.
    Token,
    /// What a header carries that opens a session.
    Authorization,
    /// A setting that is on no list of what may be shown.
    Setting,
    /// A comment in a configuration file: anybody may have written anything there.
    Comment,
}

impl Secret {
    /// The word in JSON, and in place of what was there.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecoveryKey => "recovery key",
            Self::PrivateKey => "private key",
            Self::Password => "password",
            Self::Token => "token",
            Self::Authorization => "authorization",
            Self::Setting => "setting",
            Self::Comment => "comment",
        }
    }

    /// What stands in its place. Nothing of it is special in JSON, TOML or a shell's assignment in
    /// quotes.
    pub(crate) fn mark(self) -> String {
        format!("[removed: {}]", self.as_str())
    }
}

/// What was taken out, and how often. A setting is counted by its key, which is no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed(BTreeMap<(Secret, Option<String>), u32>);

impl Removed {
    pub(crate) fn count(&mut self, secret: Secret) {
        self.add(secret, None);
    }

    /// Counts the value of a setting with this key.
    pub fn add_setting(&mut self, key: &str) {
        self.add(Secret::Setting, Some(key.to_owned()));
    }

    fn add(&mut self, secret: Secret, key: Option<String>) {
        let n = self.0.entry((secret, key)).or_default();
        *n = n.saturating_add(1);
    }

    /// Adds what was taken out elsewhere.
    pub fn extend(&mut self, other: Self) {
        for (what, more) in other.0 {
            let n = self.0.entry(what).or_default();
            *n = n.saturating_add(more);
        }
    }

    /// Each kind, the key of a setting, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (Secret, Option<&str>, u32)> {
        self.0.iter().map(|((secret, key), n)| (*secret, key.as_deref(), *n))
    }

    /// How often anything of this kind was taken out.
    pub fn n_of(&self, secret: Secret) -> u32 {
        let of_it = self.0.iter().filter(|((other, _), _)| *other == secret);
        of_it.fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }

    /// Whether nothing was.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A text without what must not leave, and what was taken out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redacted {
    /// The text.
    pub text: String,
    /// What was taken out.
    pub removed: Removed,
}
