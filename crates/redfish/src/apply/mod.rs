//! Changes of hosts: one step at a time, written down first, read back after.

mod error;
mod journal;
mod observe;
mod planned;
mod reset;
mod run;
mod settings;
mod stop;
mod waves;
mod window;
mod work;

pub use error::ApplyError;
pub use journal::{Act, Direction, Event, Journal, JournalError, Progress, Record};
pub use planned::{PlannedError, planned};
pub use reset::Resets;
pub use run::{Execution, Happening, Outcome, Tell};
pub use stop::{Stop, Stopper};
pub use waves::{Campaign, HostReport, Task};
pub use window::{Window, WindowError};
pub use work::{Change, Places, Presence, Step, Switch, Work};
