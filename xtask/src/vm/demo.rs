//! The demo with machines: two of them boot, and one server judges both.

use anyhow::{Context as _, ensure};
use testkit::swtpm::Ca;

use super::{
    by_name, guest,
    play::{Place, Play},
    prepare,
};
use crate::site::Site;

/// The hosts, and what each boots.
const HOSTS: [(&str, &str); 2] = [("web-1", "sound-own-keys"), ("web-2", "secure-boot-off")];

/// Boots both, shows what the server says of them, and leaves all of it running.
pub(crate) fn run(once: bool) -> anyhow::Result<()> {
    let scenarios: Vec<_> =
        HOSTS.iter().map(|(_, scenario)| by_name(scenario)).collect::<Result<_, _>>()?;
    let evidence = tempfile::tempdir()?;
    let lab = prepare(&scenarios, Some(evidence.path().to_owned()))?;
    let folder = tempfile::Builder::new().prefix("bootproof-demo-").tempdir()?;
    let path = folder.path();
    let ca = Ca::in_folder(path.join("ca"))?;
    let site = Site::start(path, &[guest::SERVER_ADDRESS])?;
    site.trust(&ca)?;
    let folders = HOSTS.map(|(host, _)| path.join(host));
    let played: Vec<anyhow::Result<Play<'_>>> = std::thread::scope(|scope| {
        let both: Vec<_> = HOSTS
            .iter()
            .zip(&scenarios)
            .zip(&folders)
            .map(|(((host, _), scenario), folder)| {
                let place = Place { lab: &lab, site: &site, ca: &ca, folder, host };
                scope.spawn(move || {
                    std::fs::create_dir(folder)?;
                    Play::to_its_end(place, scenario, &|text| println!("{text}"))
                })
            })
            .collect();
        let ended = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a machine's thread panicked")))
        };
        both.into_iter().map(ended).collect()
    });
    let running: Vec<_> = played.into_iter().collect::<Result<_, _>>()?;
    println!("\n$ bootproof host list");
    site.show(&["host", "list"])?;
    println!("\n$ bootproof host show web-2");
    site.show(&["host", "show", "web-2"])?;
    let hosts = site.hosts()?;
    ensure!(hosts.len() == HOSTS.len(), "{} hosts are there", hosts.len());
    let accepted = hosts.iter().filter(|host| host.verdict == "accepted").count();
    println!("\n{accepted} of {} hosts accepted, as they should be", hosts.len());
    if once {
        return Ok(());
    }
    println!("\nBoth machines and the server run. In another terminal:");
    println!("\n  export BOOTPROOF_CONTEXT={}", site.context().display());
    println!("  {} host attest web-1", site.program("bootproof").display());
    println!("\nCtrl-C ends all of it, and removes it.");
    site.wait_for_interrupt().context("while the demo was shown")?;
    drop(running);
    Ok(())
}
