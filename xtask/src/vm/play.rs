//! One scenario, played: a server, a machine, and what the server says of it.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use testkit::swtpm::{Ca, Swtpm};

use super::{
    disk, doctor, guest,
    images::Workshop,
    machine::{Machine, Parts},
    packages::Firmware,
    page,
    scenario::{Boot, Judged, Keys, Mok, Revoked, Scenario, Step, Version},
    seen::{Seen, Told, tenths},
    varstore::{Switch, VarStore},
};
use crate::{site::Site, took::Took};

/// For one boot up to its verdict: a busy machine without KVM took less than half of it.
const BOOT_TIME_MAX: Duration = Duration::from_secs(400);
/// Between two looks: each starts a program, and the guest needs the processor.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// What a console says that has nothing left to boot.
const NOTHING_BOOTS: &str = "No bootable option";

/// Of a console, where something went wrong.
const LINES_SHOWN: usize = 25;

/// Where the firmware's keys do not have this image, its digest may be in dbx all the same.
const SOMETHING_ELSE: [u8; 32] = [0x5e; 32];

/// What all scenarios use.
pub(super) struct Lab {
    pub(super) workshop: Workshop,
    pub(super) firmware: [Firmware; 2],
    pub(super) acceleration: &'static str,
    /// Where evidence goes, a folder for each judgement.
    pub(super) evidence: PathBuf,
    /// Whether a person wants no more of it.
    pub(super) interrupted: Arc<AtomicBool>,
}

impl Lab {
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// What the agent writes when it waits for challenges.
const READY: &str = "agent::courier: serving";

/// What a verdict rests on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rests {
    /// On what the machine sent since it was switched on.
    OnThisBoot,
    /// On what the server knows without: there is no TPM, or another one.
    OnNoEvidence,
}

/// Where a scenario is played.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) lab: &'a Lab,
    pub(super) site: &'a Site,
    /// The authority that the host's TPMs are certified by; the site trusts it.
    pub(super) ca: &'a Ca,
    /// For files; its path is short, since that of a socket has 107 bytes at most.
    pub(super) folder: &'a Path,
    /// The host's name.
    pub(super) host: &'a str,
}

/// A scenario that is played.
pub(super) struct Play<'a> {
    place: Place<'a>,
    scenario: &'static Scenario,
    n_tpms: usize,
    n_boots: usize,
    machine: Option<Machine>,
    // What is waited for was judged since then: since the machine was switched on, or a person asked.
    since_ms: i64,
    // From power on to an agent that waits for challenges.
    ready_after: Option<Duration>,
    // What the host is held to, as a file.
    reference: Option<PathBuf>,
    seen: Vec<Seen>,
}

/// Plays `scenario` with a server of its own; an error is the first thing that was not as the table
/// has it.
pub(super) fn play(
    lab: &Lab,
    scenario: &'static Scenario,
    told: &dyn Fn(&str),
) -> anyhow::Result<Vec<Seen>> {
    let mut folder = tempfile::Builder::new().prefix("bootproof-vm-").tempdir()?;
    let path = folder.path().to_owned();
    let ca = Ca::in_folder(path.join("ca"))?;
    let site = Site::start(&path, &[guest::SERVER_ADDRESS])?;
    site.trust(&ca)?;
    let place = Place { lab, site: &site, ca: &ca, folder: &path, host: "lab-1" };
    match Play::to_its_end(place, scenario, told) {
        Ok(play) => Ok(play.seen),
        Err(err) => {
            ensure!(!place.lab.is_interrupted(), "interrupted");
            folder.disable_cleanup(true);
            Err(err.context(format!("all files are in {}", path.display())))
        }
    }
}

impl<'a> Play<'a> {
    /// Plays all steps. The machine runs on until what is returned is dropped.
    pub(super) fn to_its_end(
        place: Place<'a>,
        scenario: &'static Scenario,
        told: &dyn Fn(&str),
    ) -> anyhow::Result<Self> {
        let mut play = Self {
            place,
            scenario,
            n_tpms: 0,
            n_boots: 0,
            machine: None,
            since_ms: 0,
            ready_after: None,
            reference: None,
            seen: Vec::new(),
        };
        play.make_tpm()?;
        play.make_state_disk()?;
        if scenario.has_page() {
            page::make_account(place.site)?;
        }
        for (n, step) in scenario.steps.iter().enumerate() {
            told(&format!("{}: {}", scenario.name, step.text()));
            play.step(step).map_err(|err| {
                let (name, step) = (scenario.name, step.text());
                let last = play.last_lines();
                err.context(format!("{name}, step {} ({step}); its console ends:\n{last}\n", n + 1))
            })?;
        }
        Ok(play)
    }

    fn last_lines(&self) -> String {
        let console = self.machine.as_ref().map_or_else(String::new, Machine::console);
        let lines: Vec<_> = console.lines().collect();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }

    fn tpm_state(&self) -> PathBuf {
        self.place.folder.join(format!("tpm{}", self.n_tpms))
    }

    fn make_tpm(&mut self) -> anyhow::Result<()> {
        self.n_tpms += 1;
        let name = format!("{}-{}", self.place.host, self.n_tpms);
        let builder =
            Swtpm::builder().banks(self.scenario.banks).ek_cert(self.place.ca).name(&name);
        // Made, and then left to the machine to start.
        drop(builder.folder(self.tpm_state()).start()?);
        Ok(())
    }

    fn state_disk(&self) -> PathBuf {
        self.place.folder.join("state.img")
    }

    fn make_state_disk(&self) -> anyhow::Result<()> {
        let token = self.place.site.join_token(1)?;
        let content = self.place.folder.join("state");
        fs::create_dir_all(&content)?;
        let text = format!(
            "LAB_SERVER=https://{}:{}\nLAB_NAME={}\nLAB_PIN={}\nBOOTPROOF_JOIN_TOKEN={}\n",
            guest::SERVER_ADDRESS,
            guest::SERVER_PORT,
            self.place.host,
            token.pin,
            token.secret,
        );
        fs::write(content.join(guest::JOIN_FILE), text)?;
        if self.scenario.has_doctor() {
            doctor::place(&content, &self.place.site.program("bootproof"), self.place.ca)?;
        }
        disk::write_state(&self.state_disk(), &content)
    }

    fn step(&mut self, step: &'static Step) -> anyhow::Result<()> {
        match step {
            Step::Boot(boot) => self.boot(boot),
            Step::Refused { text } => self.refused(text),
            Step::PowerCut => {
                self.machine = None;
                Ok(())
            }
            Step::Silent => self.silent(),
            Step::Page(shown) => page::check(self.place.site, self.place.host, shown),
            Step::Judged(judged) => self.judged(judged, Rests::OnThisBoot),
            Step::Stands(judged) => self.judged(judged, Rests::OnNoEvidence),
            Step::Doctor(expected) => {
                let said = self.wait_for("what the doctor says", |_, machine| {
                    doctor::said(&machine.console()).transpose()
                })?;
                doctor::check(expected, &said)
            }
            Step::Host(arguments) => self.host(arguments),
            Step::ClearTpm => {
                self.machine = None;
                Ok(Swtpm::builder().folder(self.tpm_state()).start()?.clear()?)
            }
            Step::AcceptTpm => self.accept_tpm(),
            Step::ReplaceDisk => {
                self.machine = None;
                self.make_state_disk()
            }
            Step::DynamicLaunch => {
                self.machine.as_mut().context("the machine is off")?.launch_dynamically()
            }
            Step::ReplaceTpm => {
                self.machine = None;
                self.make_tpm()
            }
        }
    }

    fn boot(&mut self, boot: &Boot) -> anyhow::Result<()> {
        // Off before it is on again.
        self.machine = None;
        self.n_boots += 1;
        let firmware = &self.place.lab.firmware[usize::from(boot.firmware == Version::Other)];
        let disks: Result<Vec<_>, _> =
            boot.disks.iter().map(|disk| self.place.lab.workshop.disk(disk)).collect();
        let parts = Parts {
            firmware,
            variables: self.variables(boot, firmware)?,
            tpm: boot.tpm,
            tpm_state: &self.tpm_state(),
            disks: &disks?,
            state_disk: &self.state_disk(),
            cards: boot.cards,
            server_port: self.server_port()?,
        };
        self.since_ms = now_ms()?;
        self.ready_after = None;
        let folder = self.place.folder.join(format!("boot{}", self.n_boots));
        self.machine = Some(Machine::start(parts, &folder, self.place.lab.acceleration)?);
        Ok(())
    }

    fn variables(&self, boot: &Boot, firmware: &Firmware) -> anyhow::Result<Vec<u8>> {
        let file = match boot.keys {
            Keys::Microsoft | Keys::MicrosoftSwitchedOff => &firmware.microsoft,
            Keys::Owner | Keys::Nobody => &firmware.blank,
        };
        let bytes = fs::read(file).with_context(|| format!("{}", file.display()))?;
        let mut store = VarStore::read(bytes)?;
        let keys = self.place.lab.workshop.keys();
        match boot.keys {
            Keys::Microsoft | Keys::Nobody => {}
            Keys::MicrosoftSwitchedOff => store.switch_secure_boot(Switch::Off),
            Keys::Owner => {
                store.enrol(&keys.pk.certificate, &keys.kek.certificate, &keys.db.certificate);
            }
        }
        match boot.revoked {
            Revoked::Nothing => {}
            Revoked::SomethingElse => store.revoke(&SOMETHING_ELSE),
            Revoked::Loader => {
                let disk = boot.disks.first().context("no disk")?;
                store.revoke(&self.place.lab.workshop.loader_digest(disk)?);
            }
        }
        if boot.mok == Mok::Enrolled {
            store.enrol_mok(&keys.mok.certificate);
        }
        store.into_bytes()
    }

    fn server_port(&self) -> anyhow::Result<u16> {
        let address = self.place.site.address();
        let (_, port) = address.rsplit_once(':').context("the server's address has no port")?;
        Ok(port.parse()?)
    }

    /// Looks until `found` gives something, the machine goes off, or the time is over.
    fn wait_for<T>(
        &mut self,
        what: &str,
        found: impl Fn(&Self, &Machine) -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        loop {
            ensure!(!self.place.lab.is_interrupted(), "interrupted");
            self.place.site.check_runs()?;
            let mut machine = self.machine.take().context("the machine is off")?;
            let on = machine.check_is_on();
            let result = found(self, &machine);
            let age = machine.age();
            if self.ready_after.is_none() && machine.console().contains(READY) {
                self.ready_after = Some(age);
            }
            self.machine = Some(machine);
            if let Some(result) = result? {
                return Ok(result);
            }
            on?;
            ensure!(age < BOOT_TIME_MAX, "not within {} s: {what}", BOOT_TIME_MAX.as_secs());
            sleep(LOOK_AGAIN);
        }
    }

    fn refused(&mut self, text: &'static str) -> anyhow::Result<()> {
        let after = self.wait_for(text, |_, machine| {
            Ok(machine.console().contains(text).then(|| machine.age()))
        })?;
        let verdict = "nothing boots".to_owned();
        self.seen.push(Seen {
            verdict,
            findings: Vec::new(),
            ready_s: None,
            after_s: tenths(after),
            took: None,
        });
        Ok(())
    }

    fn silent(&self) -> anyhow::Result<()> {
        // Whether the machine is on or off, nothing of it comes.
        self.place.site.wait_until("a host that does not respond", BOOT_TIME_MAX, |_| {
            ensure!(!self.place.lab.is_interrupted(), "interrupted");
            let detail = self.detail()?.context("the host has not joined")?;
            Ok(detail["connection"] == "not responding")
        })
    }

    fn judged(&mut self, judged: &'static Judged, rests: Rests) -> anyhow::Result<()> {
        let (detail, after) = self.wait_for("a verdict of this boot", |play, machine| {
            if machine.console().contains(NOTHING_BOOTS) {
                bail!("nothing boots");
            }
            let detail = play.detail()?;
            let is_told = |detail: &Value| match rests {
                Rests::OnThisBoot => {
                    let judged_at_ms = detail["appraised_at_ms"].as_i64();
                    judged_at_ms.is_some_and(|at_ms| at_ms >= play.since_ms)
                }
                Rests::OnNoEvidence => detail["verdict"] == judged.verdict,
            };
            Ok(detail.filter(is_told).map(|detail| (detail, machine.age())))
        })?;
        let seen = Seen {
            verdict: text(&detail["verdict"]),
            findings: findings(&detail),
            ready_s: self.ready_after.map(tenths),
            after_s: tenths(after),
            took: self.took(rests),
        };
        check(judged, &seen)?;
        self.keep_evidence(judged, &seen)?;
        self.seen.push(seen);
        Ok(())
    }

    /// What the agent says that the attestation took which the verdict rests on: it says so when the
    /// answer has come back to it.
    fn took(&self, rests: Rests) -> Option<Took> {
        let machine = self.machine.as_ref()?;
        let is_told = rests == Rests::OnThisBoot;
        is_told.then(|| machine.console().lines().filter_map(Took::in_line).next_back()).flatten()
    }

    /// All about the host; nothing where it has not joined yet.
    fn detail(&self) -> anyhow::Result<Option<Value>> {
        if !self.place.site.hosts()?.iter().any(|host| host.name == self.place.host) {
            return Ok(None);
        }
        self.place.site.json(&["host", "show", self.place.host]).map(Some)
    }

    /// Writes what `bootproof verify` needs to come to the same verdict.
    fn keep_evidence(&self, judged: &Judged, seen: &Seen) -> anyhow::Result<()> {
        let Some(name) = judged.evidence else { return Ok(()) };
        let out = self.place.lab.evidence.join(name);
        let _ = fs::remove_dir_all(&out);
        fs::create_dir_all(&self.place.lab.evidence)?;
        self.place.site.tell(&[
            "host",
            "evidence",
            self.place.host,
            "--out",
            &out.to_string_lossy(),
        ])?;
        fs::write(out.join("root.pem"), self.place.ca.root_pem()?)?;
        fs::create_dir(out.join("ca"))?;
        fs::write(out.join("ca/issuer.pem"), self.place.ca.issuer_pem()?)?;
        if let Some(reference) = &self.reference {
            fs::copy(reference, out.join("reference.json"))?;
        }
        fs::write(out.join("expect.txt"), seen.judgement())?;
        Ok(())
    }

    fn host(&mut self, arguments: &[&str]) -> anyhow::Result<()> {
        let (verb, more) = arguments.split_first().context("no command")?;
        let asked_at_ms = now_ms()?;
        self.place.site.tell(&[&["host", *verb, self.place.host], more].concat())?;
        if *verb == "learn" {
            let list = self.place.site.json(&["reference", "list"])?;
            let id = list[0]["id"].as_str().context("no reference was learnt")?;
            let file = self.place.folder.join("reference.json");
            self.place.site.tell(&["reference", "export", id, "--out", &file.to_string_lossy()])?;
            self.reference = Some(file);
        }
        self.since_ms = asked_at_ms;
        Ok(())
    }

    fn accept_tpm(&mut self) -> anyhow::Result<()> {
        let detail = self.detail()?.context("the host is gone")?;
        let candidate = &detail["candidate"]["ek_sha256"];
        let digest = candidate.as_str().context("the host has shown no other TPM")?;
        self.host(&["replace", "--ek-sha256", digest, "--reason", "new board"])
    }
}

/// Whether it is what the table has.
fn check(judged: &Judged, seen: &Seen) -> anyhow::Result<()> {
    let against: Vec<_> = seen.codes(|severity| matches!(severity, "fail" | "hold")).collect();
    let is_missing =
        |codes: &[&str], from: &dyn Fn(&str) -> bool| codes.iter().any(|code| !from(code));
    let wrong = seen.verdict != judged.verdict
        || is_missing(judged.against, &|code| against.contains(&code))
        || is_missing(&against, &|code| judged.against.contains(&code))
        || is_missing(judged.told, &|code: &str| seen.codes(|_| true).any(|found| found == code));
    ensure!(
        !wrong,
        "the verdict is {} with {:?}; expected was {} with {:?} against it and {:?} told",
        seen.verdict,
        seen.findings,
        judged.verdict,
        judged.against,
        judged.told
    );
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn findings(detail: &Value) -> Vec<Told> {
    let listed = detail["findings"].as_array();
    let one = |finding: &Value| Told {
        severity: text(&finding["severity"]),
        code: text(&finding["code"]),
    };
    listed.map(|findings| findings.iter().map(one).collect()).unwrap_or_default()
}

fn now_ms() -> anyhow::Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}
