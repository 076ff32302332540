//! Facts of the server as web pages: text in, HTML out; no socket, no store, no rule.
//!
//! Each page is a type whose fields are what it shows, in the words of [`api`]. Templates are checked
//! when they are compiled, and what they show goes through [`text::Shown`], which escapes HTML and what
//! would steer a terminal or turn the reading direction: host names, event texts and certificates are
//! untrusted, and no page has to think of it. Pages have no style and no script of their own, so that
//! they are served with a Content-Security-Policy that allows files of the server and nothing else
//! ([`CONTENT_SECURITY_POLICY`]).
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

mod alarms;
mod approvals;
mod assets;
mod audit;
mod book;
mod boot_diff;
mod channels;
mod entrance;
mod event_log;
mod frame;
mod help;
mod host;
mod hosts;
mod hosts_order;
mod hosts_views;
mod join;
mod menu;
mod message;
mod overview;
mod pcr_table;
mod people;
mod plot;
mod policies;
mod references;
mod reports;
mod settings;
pub mod text;
mod time;
mod trust;
mod words;

pub use askama::Template;

pub use alarms::{AlarmHosts, Alarms};
pub use approvals::Approvals;
pub use assets::{Asset, asset};
pub use audit::{Audit, AuditDetail, AuditLine, AuditValue, Change};
pub use book::BookPage;
pub use boot_diff::BootDiffPage;
pub use channels::{ChannelAdded, ChannelEdit, ChannelFields, ChannelPage, Channels};
pub use entrance::{
    Away, COME_AGAIN, Handover, HeldField, Left, Login, Password, Provider, Resume, Setup,
};
pub use event_log::{EventLog, LoggedEvent};
pub use frame::{CONTENT_SECURITY_POLICY, Frame, Place, Said, Visitor};
pub use help::Help;
pub use host::{HostPage, Past, change_of};
pub use hosts::{Bulk, Hosts, Verb};
pub use hosts_views::hosts_address;
pub use join::{Join, Joined};
pub use menu::place_of;
pub use message::Message;
pub use overview::{FirstSteps, Overview, Standing};
pub use pcr_table::{PcrBank, PcrRow, pcr_banks};
pub use people::{NewToken, People, TokenDraft, UserDraft};
pub use policies::{Policies, Policy, PolicyEdit, PolicyTrial};
pub use references::References;
pub use reports::Reports;
pub use settings::SettingsPage;
pub use trust::Trust;

/// A page as HTML. A template fails where a value cannot be written, which no value of ours does; the
/// page then is empty, and the server answers with an error.
pub fn html<T: Template>(page: &T) -> Option<String> {
    page.render().ok()
}
