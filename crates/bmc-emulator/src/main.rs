//! `bmc-emulator`: a saved tree as a BMC, to try `bootproof firmware` on.

use std::{io::Write as _, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::Context as _;
use bmc_emulator::{Clock, Options, PASSWORD, Rack, Tree, USER};
use clap::Parser;

/// Serve a saved Redfish tree over TLS, as a BMC would
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Changes are pending until a reset, as on real BMCs, and are lost when this program ends.

Example:
  bmc-emulator --tree trees/dell --listen 127.0.0.1:8443 --ca-out ca.pem"
)]
struct Arguments {
    /// A folder with an index.json for each resource, or one file that maps paths to resources
    #[arg(long, value_name = "DIR")]
    tree: PathBuf,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Write the certificate of the emulator's authority here, PEM
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let rack = Rack::new()?;
    let tree = Tree::read(&arguments.tree)
        .with_context(|| format!("the tree {} cannot be served", arguments.tree.display()))?;
    let options = Options { listen: arguments.listen, clock: Clock::real(), ..Options::default() };
    let bmc = rack.plug(Arc::new(tree), options)?;
    if let Some(path) = &arguments.ca_out {
        std::fs::write(path, rack.ca_pem())
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "address   {}", bmc.url())?;
    writeln!(stdout, "pin       {}", bmc.pin())?;
    writeln!(stdout, "account   {USER}, password {PASSWORD}")?;
    stdout.flush()?;
    drop(stdout);
    // Until somebody ends it.
    loop {
        std::thread::park();
    }
}
