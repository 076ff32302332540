//! Logs of ESXi, vCenter, Linux and Bootproof: what is wrong, since when, on which host, why, and
//! what to do; which lines prove it, and which look bad and are harmless.
//!
//! [`signatures`] is the table, [`Matcher`] finds all of it in one pass, [`Lines`] cuts a stream into
//! lines of bounded length, and [`Diagnosis`] takes what was found, in any order, and gives a
//! [`Report`]. [`Watch`] takes lines as they are written, and says what begins and what is over.
//! Nothing grows with the size of a log.
//!
//! Trust: none. Whoever can write into a log can write any line of it; a report says what logs say.
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

mod case;
mod codes;
mod commands;
mod diagnosis;
mod fragments;
mod host;
mod lines;
mod matcher;
mod order;
mod report;
mod signature;
mod table;
mod time;
mod watch;

pub use case::{EVIDENCE_BYTES_MAX, EVIDENCE_LINES_MAX, EvidenceLine, Place};
pub use codes::{About, CodeOnLine};
pub use diagnosis::{CASES_MAX, ClockSetBack, Diagnosis};
pub use host::HostName;
pub use lines::{LINE_BYTES_MAX, Lines};
pub use matcher::{Hit, Matcher};
pub use order::Order;
pub use report::{Case, HostReport, Report, State};
pub use signature::{Carries, Role, Signature, Source, Stands, Suspicion};
pub use table::{WITHOUT_TEXT, signatures};
pub use time::{LogTime, Year};
pub use watch::{Event, Watch};
