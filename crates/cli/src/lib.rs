//! `bootproof`: the administrator's command.
//!
//! `args` declares what can be said, `cmd` has a file per noun, `render` makes tables and texts.
//! Facts are computed by the core crates and the server; here they are only shown.

pub mod args;
mod cmd;
mod error;
pub mod evidence_dir;
mod output;

pub use cmd::verify::{judge, judge_under, judge_with, with_claims, with_inputs};
pub use cmd::{Exit, run};
pub use error::{CliError, report_error};
pub use output::{Output, Tone};
