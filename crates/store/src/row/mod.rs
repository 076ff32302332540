//! What goes in and comes out. No SQL here: both databases speak these types.

pub(crate) mod alarm;
pub(crate) mod appraisal;
pub(crate) mod approval;
pub(crate) mod attention;
pub(crate) mod audit;
pub(crate) mod candidate;
pub(crate) mod channel;
pub(crate) mod client_authority;
pub(crate) mod client_certificate;
pub(crate) mod ek_list;
pub(crate) mod enrolment;
pub(crate) mod event;
pub(crate) mod host;
pub(crate) mod host_order;
pub(crate) mod host_view;
pub(crate) mod idempotent;
pub(crate) mod inventory;
pub(crate) mod object;
pub(crate) mod operation;
pub(crate) mod peers;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod reference;
pub(crate) mod report;
pub(crate) mod standing;
pub(crate) mod thinning;
pub(crate) mod token;
pub(crate) mod told;
pub(crate) mod trust;

/// An identifier that the caller makes (a random UUID) and the store only compares.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text of it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}
pub(crate) use text_id;

/// An enum that is a word in a column.
macro_rules! word_enum {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// The word for it in columns, JSON and audit rows.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value for a word of [`Self::as_str`].
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use word_enum;
