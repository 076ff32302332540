//! What stands around each page: where one is, who one is, what was just done.

use std::borrow::Borrow;

use crate::{
    assets,
    menu::{self, For},
    time::When,
};

/// What browsers may load for a page: files of the server itself, and nothing that a host sent could
/// name. Forms go to the server alone, and no other site may frame a page.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Where a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    Overview,
    /// Hosts, and one of them.
    Hosts,
    /// What stands against hosts.
    Alarms,
    /// What waits for a person.
    Approvals,
    /// What is expected to boot.
    References,
    /// What must hold for a host to pass.
    Policies,
    /// Whose TPMs are believed.
    Trust,
    /// How hosts join.
    Join,
    /// What one hands on.
    Reports,
    /// Who did what.
    Audit,
    /// Who may do what.
    People,
    /// Who is told.
    Channels,
    /// How the server is set up.
    Settings,
    /// What findings mean.
    Help,
    /// None of these.
    Elsewhere,
}

/// Who looks at the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visitor {
    /// Their name.
    pub name: String,
    /// `viewer`, `operator` or `admin`.
    pub role: String,
    /// What forms send, so that no other site can act in their name.
    pub csrf: String,
}

impl Visitor {
    /// Whether actions on hosts are shown. The server refuses them in any case.
    pub(crate) fn may_operate(&self) -> bool {
        matches!(self.role.as_str(), "operator" | "admin")
    }

    pub(crate) fn may_administer(&self) -> bool {
        self.role == "admin"
    }
}

/// What came of what the visitor did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It was done.
    Done(String),
    /// It was not, and this is why and what to do.
    NotDone(String),
}

impl Said {
    pub(crate) const fn look(&self) -> &'static str {
        match self {
            Self::Done(_) => "good",
            Self::NotDone(_) => "bad",
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Done(text) | Self::NotDone(text) => text,
        }
    }
}

/// What stands around a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Where one is.
    pub place: Place,
    /// Who looks; `None` before signing in.
    pub visitor: Option<Visitor>,
    /// What came of the last action.
    pub said: Option<Said>,
    /// The event stream's address that keeps the page true, where it is kept so.
    pub stream: Option<String>,
    /// In how many milliseconds a look shows more than this one; `None`: nothing is on its way.
    pub again_ms: Option<u32>,
    /// The time of the page, in milliseconds since 1970, by the server's clock.
    pub now_ms: i64,
    /// The server's version.
    pub version: &'static str,
}

impl Frame {
    pub(crate) fn menu(&self) -> &'static [menu::Group] {
        if self.visitor.is_some() { menu::GROUPS } else { &[] }
    }

    /// Whether the menu names this page to who looks.
    pub(crate) fn names(&self, entry: &menu::Entry) -> bool {
        match entry.for_whom {
            For::Viewers => true,
            For::Operators => self.may_operate(),
            For::Administrators => self.may_administer(),
        }
    }

    /// What the menu calls the place where one is.
    pub(crate) fn here(&self) -> &'static str {
        menu::word(self.place)
    }

    pub(crate) fn style(&self) -> String {
        assets::style()
    }

    pub(crate) fn script(&self) -> String {
        assets::script()
    }

    pub(crate) fn icon(&self) -> String {
        assets::icon()
    }

    pub(crate) fn csrf(&self) -> &str {
        self.visitor.as_ref().map_or("", |visitor| &visitor.csrf)
    }

    pub(crate) fn may_operate(&self) -> bool {
        self.visitor.as_ref().is_some_and(Visitor::may_operate)
    }

    pub(crate) fn may_administer(&self) -> bool {
        self.visitor.as_ref().is_some_and(Visitor::may_administer)
    }

    // Templates give what they hold by reference, and what they made by value.
    pub(crate) fn when(&self, ms: impl Borrow<i64>) -> When {
        When::new(*ms.borrow(), self.now_ms)
    }
}
