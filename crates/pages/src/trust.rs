//! Whose TPMs are believed.

use api::admin::TrustedCertificate;
use askama::Template;

use crate::frame::Frame;

/// The page.
#[derive(Debug, Template)]
#[template(path = "trust.html")]
pub struct Trust {
    /// What stands around it.
    pub frame: Frame,
    /// The certificates at which chains of endorsement certificates may end.
    pub certificates: Vec<TrustedCertificate>,
}
