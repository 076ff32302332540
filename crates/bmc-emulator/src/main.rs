//! `bmc-emulator`: saved trees as BMCs, to try `bootproof firmware` on.

use std::{fmt::Write as _, io::Write as _, net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, ensure};
use bmc_emulator::{Bmc, Clock, Options, PASSWORD, Rack, Tree, USER};
use clap::Parser;

/// BMCs that are told one by one: nobody reads more, and the inventory has them all.
const TOLD_MAX: usize = 8;

/// Serve saved Redfish trees over TLS, as BMCs would
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Changes are pending until a reset, as on real BMCs, and are lost when this program ends.

Examples:
  bmc-emulator --tree trees/dell --listen 127.0.0.1:8443 --ca-out ca.pem
  bmc-emulator --tree dell.json --tree hpe.json --count 1000 --ca-out ca.pem --inventory-out fleet.csv"
)]
struct Arguments {
    /// A folder with an index.json for each resource, or one file that maps paths to resources (may be
    /// repeated)
    #[arg(long, value_name = "DIR", required = true)]
    tree: Vec<PathBuf>,
    /// BMCs, which have the trees in turns; one for each tree where nothing is said
    #[arg(long, value_name = "N")]
    count: Option<usize>,
    /// Where to listen; each BMC has a port of its own
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Write the certificate of the emulator's authority here, PEM
    #[arg(long, value_name = "FILE")]
    ca_out: Option<PathBuf>,
    /// Write the addresses and pins here, as an inventory in CSV
    #[arg(long, value_name = "FILE")]
    inventory_out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let count = arguments.count.unwrap_or(arguments.tree.len());
    let any_port = arguments.listen.port() == 0;
    ensure!(any_port || count <= 1, "several BMCs need ports of their own: listen on port 0");
    let rack = Rack::new()?;
    let trees = arguments.tree.iter().map(|path| {
        let tree = Tree::read(path);
        tree.map(Arc::new).with_context(|| format!("{} cannot be served", path.display()))
    });
    let trees = trees.collect::<anyhow::Result<Vec<_>>>()?;
    let mut bmcs = Vec::with_capacity(count);
    for tree in trees.iter().cycle().take(count) {
        let options =
            Options { listen: arguments.listen, clock: Clock::real(), ..Options::default() };
        bmcs.push(rack.plug(Arc::clone(tree), options)?);
    }
    if let Some(path) = &arguments.ca_out {
        write(path, &rack.ca_pem())?;
    }
    if let Some(path) = &arguments.inventory_out {
        write(path, &inventory(&bmcs)?)?;
    }
    tell(&bmcs)?;
    // Until somebody ends it.
    loop {
        std::thread::park();
    }
}

fn write(path: &std::path::Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

fn inventory(bmcs: &[Bmc]) -> Result<String, std::fmt::Error> {
    let mut csv = "name,address,pin\n".to_owned();
    for (n, bmc) in bmcs.iter().enumerate() {
        writeln!(csv, "emulated-{n},{},{}", bmc.url(), bmc.pin())?;
    }
    Ok(csv)
}

fn tell(bmcs: &[Bmc]) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    for bmc in bmcs.iter().take(TOLD_MAX) {
        writeln!(stdout, "address   {}", bmc.url())?;
        writeln!(stdout, "pin       {}", bmc.pin())?;
    }
    if bmcs.len() > TOLD_MAX {
        writeln!(stdout, "and {} more", bmcs.len() - TOLD_MAX)?;
    }
    writeln!(stdout, "account   {USER}, password {PASSWORD}")?;
    stdout.flush()
}
