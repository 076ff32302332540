//! BMCs over HTTPS: reads what [`firmware::Walk`] wants, and carries out changes one step at a time.
//!
//! Each BMC is verified by an authority or by the pin of its certificate; there is no way to turn
//! that off. What a BMC says is bounded in length and time, and is untrusted. A change is written to
//! a [`apply::Journal`] before it is made, so that a run that was stopped goes on where it was.

mod address;
pub mod apply;
mod bmc;
mod clean;
mod credential;
mod error;
mod gather;
mod inventory;
mod login;
mod pace;
mod problem;
mod scan;
mod trust;
mod wire;

pub use address::{Address, AddressError};
pub use bmc::Bmc;
pub use clean::clean;
pub use credential::{Credential, CredentialError, Credentials};
pub use error::RedfishError;
pub use inventory::{Entry, Inventory, InventoryError};
pub use pace::Pace;
pub use scan::{AT_ONCE, scan};
pub use trust::{CertificatePin, PinError, Tls, Trust, TrustError};
pub use wire::Reply;
