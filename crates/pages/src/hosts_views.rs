//! Lists of hosts that are kept under a name: links above the list, and the forms to keep and remove them.

use api::{
    host_view::{HostView, ViewOf, ViewQuery},
    inventory::HostQuery,
};

use crate::hosts::{Hosts, address};

/// The address of a list of hosts.
pub fn hosts_address(query: &HostQuery) -> String {
    address(query, "/hosts")
}

/// The address of a view.
pub(crate) fn address_of(view: &HostView) -> String {
    hosts_address(&view.query.clone().into())
}

/// Whose a view is, as forms say it.
pub(crate) const fn whose(view: &HostView) -> &'static str {
    match view.of {
        ViewOf::Own => "own",
        ViewOf::Shared => "shared",
    }
}

impl Hosts {
    /// Whether the list shows what this view shows.
    pub(crate) fn is_shown(&self, view: &HostView) -> bool {
        ViewQuery::from(self.query.clone()) == view.query
    }

    /// The views of which the list shows one that the visitor may remove.
    pub(crate) fn removable(&self) -> Vec<&HostView> {
        let may = |view: &&HostView| view.of == ViewOf::Own || self.frame.may_administer();
        self.views.iter().filter(|view| self.is_shown(view)).filter(may).collect()
    }

    /// What is sought and in which order, as hidden fields of a form.
    pub(crate) fn sought(&self) -> Vec<(&'static str, String)> {
        let ViewQuery { search, labels, verdict, connection, code, maintenance, sort } =
            self.query.clone().into();
        let maintenance = maintenance.map(|is_so| is_so.to_string());
        let fields = [
            ("search", search),
            ("labels", labels),
            ("verdict", verdict),
            ("connection", connection),
            ("code", code),
            ("maintenance", maintenance),
            ("sort", sort),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
