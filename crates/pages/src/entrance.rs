//! The ways in: signing in, and making the first account.

use askama::Template;

use crate::frame::Frame;

/// Signing in.
#[derive(Debug, Template)]
#[template(path = "login.html")]
pub struct Login {
    /// What stands around it.
    pub frame: Frame,
    /// Where to go on then: a path of this server.
    pub then: String,
    /// The identity provider that can be asked instead, where there is one.
    pub provider: Option<Provider>,
    /// Whether its person has just left, and is still signed in at the provider.
    pub left: Left,
    /// Whether the first account is still to be made.
    pub setup_open: bool,
    /// A form that was sent when its session had ended, as browsers send forms; empty: none.
    pub held: String,
}

/// What somebody has left who comes to the page on which one signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing that is known of.
    Nothing,
    /// This server, and not the provider that vouched for them.
    NotTheProvider,
}

impl Login {
    fn is_at_provider(&self) -> bool {
        self.left == Left::NotTheProvider
    }
}

/// An identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// What it is called.
    pub name: String,
    /// Where one begins to sign in at it: an address of this server.
    pub address: String,
}

/// On the way to an identity provider, with a form that is held meanwhile.
#[derive(Debug, Template)]
#[template(path = "away.html")]
pub struct Away {
    /// What stands around it.
    pub frame: Frame,
    /// Where to.
    pub address: String,
}

/// Letting a command line in.
#[derive(Debug, Template)]
#[template(path = "handover.html")]
pub struct Handover {
    /// What stands around it.
    pub frame: Frame,
    /// Whom it would act as.
    pub actor: String,
    /// What that person may do.
    pub role: &'static str,
    /// What the command line shows, too.
    pub shown: String,
    /// Where it listens, with its code.
    pub address: String,
}

/// A form that was sent when its session had ended: to look at, and to send once more.
#[derive(Debug, Template)]
#[template(path = "resume.html")]
pub struct Resume {
    /// What stands around it.
    pub frame: Frame,
    /// Where it goes: a path of this server.
    pub address: String,
    /// What is in it.
    pub fields: Vec<HeldField>,
}

/// A field of a form that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldField {
    /// Its name.
    pub name: String,
    /// What was written.
    pub value: String,
}

impl HeldField {
    /// Whether it is a text of lines.
    fn is_text(&self) -> bool {
        self.value.contains('\n')
    }
}

/// Making the first administrator.
#[derive(Debug, Template)]
#[template(path = "setup.html")]
pub struct Setup {
    /// What stands around it.
    pub frame: Frame,
}

/// Choosing another password.
#[derive(Debug, Template)]
#[template(path = "password.html")]
pub struct Password {
    /// What stands around it.
    pub frame: Frame,
}

/// A page that asks for itself once more: a browser that another site sent here shows no cookie at
/// first, and does when the site is this one.
pub const COME_AGAIN: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
     <meta http-equiv=\"refresh\" content=\"0\"><title>Bootproof</title></html>";
