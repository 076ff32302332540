//! Lists of hosts that somebody keeps under a name, for themselves or for everybody.

use api::host_view::{HostView, ViewOf, ViewQuery, view_name_fault};
use store::By;

use super::{App, AppError, Caller, RefusalKind, list};

/// Bytes of what a view shows, as JSON: a search, some labels and words; a selector of labels has no end of its own.
const QUERY_BYTES_MAX: usize = 2_000;

fn invalid(title: impl Into<String>) -> AppError {
    AppError::plain(RefusalKind::Invalid, "host-view-invalid", title)
}

/// The person who asks: programs have no views of their own.
fn person(caller: &Caller) -> Result<String, AppError> {
    match caller.session {
        Some(_) => Ok(caller.by.actor.clone()),
        None => Err(AppError::refused(
            RefusalKind::Invalid,
            "host-view-of-nobody",
            "an API token is a program's, which has no views of its own",
            "log in (`bootproof login`), or keep the view for everybody: --shared",
        )),
    }
}

impl App {
    /// The views that the caller can use: everybody's first, then their own, by name. Who may know of some hosts
    /// only is shown no others' words.
    pub async fn host_views(&self, caller: &Caller) -> Result<Vec<HostView>, AppError> {
        let views = self.store.host_views(person(caller).ok()).await?;
        let view = |row: store::HostView| {
            let of = match row.of {
                store::ViewOf::Everybody => ViewOf::Shared,
                store::ViewOf::Person(_) => ViewOf::Own,
            };
            let query =
                serde_json::from_str(&row.query_json).map_err(|err| AppError::Bug(err.into()))?;
            let store::HostView { name, kept_at_ms, kept_by, .. } = row;
            Ok(HostView { of, name, query, kept_at_ms, kept_by })
        };
        let shown =
            |row: &store::HostView| caller.hosts.is_fleet() || row.of != store::ViewOf::Everybody;
        views.into_iter().filter(shown).map(view).collect()
    }

    /// Keeps a view of the caller's own, in the place of one of its name.
    pub async fn keep_own_view(
        &self,
        name: &str,
        query: ViewQuery,
        caller: &Caller,
    ) -> Result<(), AppError> {
        let of = store::ViewOf::Person(person(caller)?);
        self.keep_view(of, name, query, caller.by.clone()).await
    }

    /// Keeps a view for everybody, in the place of one of its name.
    pub async fn keep_shared_view(
        &self,
        name: &str,
        query: ViewQuery,
        by: By,
    ) -> Result<(), AppError> {
        self.keep_view(store::ViewOf::Everybody, name, query, by).await
    }

    async fn keep_view(
        &self,
        of: store::ViewOf,
        name: &str,
        query: ViewQuery,
        by: By,
    ) -> Result<(), AppError> {
        if let Some(fault) = view_name_fault(name) {
            return Err(invalid(fault));
        }
        list::check(&query.clone().into())?;
        let query_json = serde_json::to_string(&query).map_err(|err| AppError::Bug(err.into()))?;
        if query_json.len() > QUERY_BYTES_MAX {
            return Err(invalid(format!("a view seeks less: {QUERY_BYTES_MAX} bytes at most")));
        }
        Ok(self.store.put_host_view(of, name, &query_json, by).await?)
    }

    /// Removes a view of the caller's own.
    pub async fn remove_own_view(&self, name: &str, caller: &Caller) -> Result<(), AppError> {
        let of = store::ViewOf::Person(person(caller)?);
        Ok(self.store.remove_host_view(of, name, caller.by.clone()).await?)
    }

    /// Removes a view of everybody's.
    pub async fn remove_shared_view(&self, name: &str, by: By) -> Result<(), AppError> {
        Ok(self.store.remove_host_view(store::ViewOf::Everybody, name, by).await?)
    }
}
