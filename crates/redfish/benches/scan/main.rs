//! How long a scan of 1,000 BMCs takes on the loopback interface.
//!
//! The BMCs are emulated on one thread of this process, with a TLS handshake, a login and all that a
//! walk asks for at each; a tenth of them is broken in one of several ways. Each has the tree of a
//! real machine where BOOTPROOF_CORPUS is set (a registry of a megabyte), else a small one.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use bmc_emulator::{Bmc as Emulated, Fault, Injection, Options, PASSWORD, Rack, Tree, USER};
use firmware::{
    Profile,
    plan::{Goal, Installed},
};
use redfish::{AT_ONCE, Bmc, Credential, Pace, Trust, scan};

/// What the issue asks for.
const BMCS: usize = 1_000;
const BAR: Duration = Duration::from_secs(60);

/// What is planned for.
const GOAL: Goal = Goal { profile: Profile::Esxi8, installed: Installed::Unknown };

/// Faults of each tenth BMC, in turns.
const FAULTS: [Fault; 4] = [Fault::Html, Fault::RedirectLoop, Fault::CutJson, Fault::SessionLimit];

fn trees() -> Vec<(String, Arc<Tree>)> {
    let corpus = std::env::var_os("BOOTPROOF_CORPUS").map(PathBuf::from);
    let real = corpus.map(|corpus| corpus.join("redfish"));
    let names = ["dell", "hpe", "supermicro"].into_iter();
    let trees = names.map(|name| match &real {
        Some(real) => (format!("real {name}"), Tree::read(&real.join(name)).unwrap()),
        None => (format!("small {name}"), Tree::small(name).unwrap()),
    });
    trees.map(|(name, tree)| (name, Arc::new(tree))).collect()
}

/// Asks these; returns how long it took, and how many answered and did not.
fn measure(rack: &Rack, emulated: &[Emulated]) -> (Duration, usize, usize) {
    let tls = Trust::Authorities(rack.ca_pem()).tls().unwrap();
    let account = || Credential::new(USER, PASSWORD.to_owned().into());
    let client =
        |bmc: &Emulated| Bmc::new(bmc.url().parse().unwrap(), &tls, account(), Pace::default());
    let bmcs: Vec<_> = emulated.iter().map(client).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let begun = Instant::now();
    let (mut n_read, mut n_failed) = (0, 0);
    // As the program does: read, judged and planned on the spot.
    let read = |gathered: Result<firmware::Snapshot, _>| {
        let snapshot = gathered.ok()?;
        let systems = firmware::read(&snapshot);
        let plans: Vec<_> = systems.iter().map(|system| firmware::plan(system, GOAL)).collect();
        (!plans.is_empty()).then_some(plans)
    };
    runtime.block_on(scan(bmcs, AT_ONCE, read, |_, plans| match plans {
        Some(_) => n_read += 1,
        None => n_failed += 1,
    }));
    (begun.elapsed(), n_read, n_failed)
}

fn main() {
    let rack = Rack::new().unwrap();
    let trees = trees();
    let mut emulated = Vec::with_capacity(BMCS);
    for n in 0..BMCS {
        let (_, tree) = &trees[n % trees.len()];
        let bmc = rack.plug(Arc::clone(tree), Options::default()).unwrap();
        if n % 10 == 9 {
            let fault = FAULTS[n / 10 % FAULTS.len()];
            bmc.machine().inject(Injection::new(fault));
        }
        emulated.push(bmc);
    }
    let kinds: Vec<_> = trees.iter().map(|(name, _)| name.as_str()).collect();
    let (took, n_read, n_failed) = measure(&rack, &emulated);
    let n_requests: usize = emulated.iter().map(|bmc| bmc.machine().seen().len()).sum();
    let holds = if took <= BAR { "holds" } else { "MISSED" };
    println!(
        "scan of {BMCS} BMCs ({}), {AT_ONCE} at once: {:.1} s, {n_read} read, {n_failed} not, \
         {n_requests} requests; bar {} s, {holds}",
        kinds.join(", "),
        took.as_secs_f64(),
        BAR.as_secs(),
    );
}
