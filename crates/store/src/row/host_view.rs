//! Lists of hosts that somebody keeps under a name: what is sought, and in which order.

use crate::{By, Reply};

/// Views of one person, and views that everybody sees: each is a line of a choice on the page.
pub const HOST_VIEWS_MAX: u32 = 50;

/// Whose a view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewOf {
    /// Everybody's: administrators keep them.
    Everybody,
    /// A person's, by their name in the audit log: one with an account (`user:ada`), with which it goes, or one of
    /// whom an identity provider tells.
    Person(String),
}

impl ViewOf {
    /// The column: nobody's name is everybody.
    pub(crate) fn column(&self) -> &str {
        match self {
            Self::Everybody => "",
            Self::Person(name) => name,
        }
    }

    /// Of the column.
    pub(crate) fn from_column(name: String) -> Self {
        if name.is_empty() { Self::Everybody } else { Self::Person(name) }
    }
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostView {
    /// Whose it is; of one there is one of each name.
    pub of: ViewOf,
    /// Its name.
    pub name: String,
    /// What is sought and in which order, as the server wrote it (JSON).
    pub query_json: String,
    /// When it was kept last.
    pub kept_at_ms: i64,
    /// By whom.
    pub kept_by: String,
}

/// What a store does with views: a part of [`crate::Store`].
pub trait HostViews {
    /// Everybody's views, then those of `person` (their name in the audit log), by name.
    fn host_views(&self, person: Option<String>) -> Reply<'_, Vec<HostView>>;
    /// Keeps a view, in the place of one of its name; [`HOST_VIEWS_MAX`] of one owner. Told in the audit log where it
    /// is everybody's.
    fn put_host_view(&self, of: ViewOf, name: &str, query_json: &str, by: By) -> Reply<'_, ()>;
    /// Removes a view.
    fn remove_host_view(&self, of: ViewOf, name: &str, by: By) -> Reply<'_, ()>;
}
