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
    /// Whether an identity provider can be asked instead, and its name.
    pub provider: Option<String>,
    /// A form that was sent when its session had ended, as browsers send forms; empty: none.
    pub held: String,
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
