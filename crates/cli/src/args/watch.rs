//! `--watch`

use clap::Args;

/// Whether what is shown is kept true.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Watch {
    /// Stay, and show it anew whenever something of it changes; Ctrl-C ends with the exit code of what was
    /// shown last
    #[arg(long, short)]
    pub watch: bool,
}
