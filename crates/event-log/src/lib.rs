//! The TCG event log of a boot: read, replay, compare with quoted PCRs, check event data, write.
//!
//! The way is bytes → [`Log`] ([`parse`]) → [`Replay`] ([`replay`]) → [`Replayed`] ([`compare`]),
//! and only the stage before makes the next. A [`Log`] is a claim of the host: its event types and
//! data are named `untrusted_`. A [`Replayed`] says which events a quoted PCR stands for, and
//! [`check_data`] whether the data of an event is what was measured.
//!
//! ```
//! use event_log::{EventType, LogWriter, compare, parse, replay};
//! use tpm_wire::TpmAlgId;
//!
//! let mut writer = LogWriter::new([TpmAlgId::SHA256]);
//! writer.measure(7, EventType::SEPARATOR, &[0; 4], &[0; 4]);
//! let bytes = writer.finish();
//!
//! let parsed = parse(&bytes);
//! assert!(parsed.problems.is_empty());
//! let replay = replay(&parsed.log, [TpmAlgId::SHA256]);
//! // A quote would bring the values; here the log is compared with itself.
//! let quoted: Vec<_> = replay.banks().cloned().collect();
//! let comparison = compare(&parsed.log, &replay, &quoted, &Default::default());
//! assert!(comparison.mismatches.is_empty());
//! assert!(comparison.replayed.pcrs().contains(7));
//! ```
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

mod boot_services;
mod check;
mod compare;
mod compared;
mod confidential;
mod event_type;
mod hash;
mod later;
mod log;
mod parse;
mod problem;
mod repeat;
mod replay;
mod separator;
mod several;
mod spec_id;
pub mod untrusted;
mod work;
mod write;

pub use boot_services::UnloggedExit;
pub use check::{Contradiction, Convention, DataCheck, check_data};
pub use compare::{
    BankTrust, Comparison, LedOn, Mismatch, MismatchKind, Replayed, Rules, UnloggedExits, compare,
    compare_with_later,
};
pub use compared::{ComparedLog, data_checks, read_and_compare};
pub use confidential::{CcelTable, ConfidentialType, MeasurementRegister};
pub use event_type::EventType;
pub use hash::{hash, is_supported, sha256};
pub use later::{Continuation, LaterEvent, LaterLog, LaterProblem, leads_on};
pub use log::{Digests, Event, Format, Log, NO_PCR, Parsed};
pub use parse::{EVENTS_MAX, LOG_BYTES_MAX, parse};
pub use problem::{Problem, ProblemKind};
pub use repeat::{RepeatedTail, repeated_tail};
pub use replay::{Replay, Startup, StartupProblem, StartupProblemKind, replay};
pub use separator::{SeparatorValue, separator_of};
pub use several::{LogPlace, parse_last, split_logs};
pub use spec_id::{ALGORITHMS_MAX, SpecId};
pub use work::WORK_MAX;
pub use write::{LogWriter, encode};
