//! A rack, and clients of its BMCs.

use std::{sync::Arc, time::Duration};

use bmc_emulator::{Bmc as Emulated, Options, PASSWORD, Rack, Tree, USER};
use firmware::ResourcePath;
use redfish::{
    Bmc, Credential, Pace, Trust,
    apply::{
        ApplyError, Change, Direction, Event, Execution, Happening, Journal, Outcome, Places,
        Presence, Progress, Resets, Step, Stopper, Switch, Work,
    },
};

/// As fast as a virtual clock lets one be.
pub(crate) fn pace() -> Pace {
    Pace {
        request: Duration::from_secs(20),
        host: Duration::from_secs(60),
        retry: Duration::from_millis(1),
        poll: Duration::from_millis(1),
        boot: Duration::from_secs(20),
        shutdown: Duration::from_secs(10),
        away: Duration::from_secs(5),
        lag: Duration::from_millis(40),
        ..Pace::default()
    }
}

pub(crate) fn rack() -> Rack {
    Rack::new().unwrap()
}

/// A BMC over one of the small trees.
pub(crate) fn plug(rack: &Rack, tree: &str, options: Options) -> Emulated {
    rack.plug(Tree::small(tree).unwrap().into(), options).unwrap()
}

pub(crate) fn credential(password: &str) -> Credential {
    Credential::new(USER, password.to_owned().into())
}

/// A client that knows the rack's authority.
pub(crate) fn client(rack: &Rack, bmc: &Emulated) -> Bmc {
    client_with(&Trust::Authorities(rack.ca_pem()), bmc, pace())
}

pub(crate) fn client_with(trust: &Trust, bmc: &Emulated, pace: Pace) -> Bmc {
    Bmc::new(bmc.url().parse().unwrap(), &trust.tls().unwrap(), credential(PASSWORD), pace)
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

const DELL: &str = "/redfish/v1/Systems/System.Embedded.1";
const ONE: &str = "/redfish/v1/Systems/1";

fn path(text: &str) -> ResourcePath {
    ResourcePath::parse(text).unwrap()
}

fn change(attribute: &str, from: &str, to: &str) -> Change {
    Change {
        attribute: attribute.to_owned(),
        from: Some(from.into()),
        to: to.into(),
        told_by: None,
    }
}

fn places(system: &str, bios: &str, settings: &str, kinds: &[&str]) -> Places {
    Places {
        system: path(system),
        serial: None,
        bios: Some(path(bios)),
        settings: Some(path(&format!("{bios}/{settings}"))),
        apply_times: Vec::new(),
        job_maker: None,
        jobs: Vec::new(),
        secure_boot: Some(path(&format!("{system}/SecureBoot"))),
        reset: path(&format!("{system}/Actions/ComputerSystem.Reset")),
        reset_kinds: kinds.iter().map(|&kind| kind.to_owned()).collect(),
    }
}

/// What mends the small tree of this name, written by hand: the planner has tests of its own.
pub(crate) fn work(tree: &str) -> Work {
    let secure_boot = Some(Switch { from: false, to: true });
    let secure_boot_in_force = Some(true);
    let graceful = ["On", "ForceOff", "GracefulShutdown", "GracefulRestart", "ForceRestart"];
    match tree {
        "dell" => {
            let mut places = places(DELL, &format!("{DELL}/Bios"), "Settings", &graceful);
            places.apply_times = vec!["OnReset".to_owned()];
            places.jobs = vec![path("/redfish/v1/Managers/iDRAC.Embedded.1/Oem/Dell/Jobs")];
            let on = Step { changes: vec![change("TpmSecurity", "Off", "On")], ..Step::default() };
            let bank = change("Tpm2Algorithm", "SHA1", "SHA256");
            let enable = change("SecureBoot", "Disabled", "Enabled");
            let bank =
                Step { changes: vec![bank, enable], secure_boot_in_force, ..Step::default() };
            Work { places, steps: vec![on, bank] }
        }
        "hpe" => {
            let places = places(ONE, "/redfish/v1/systems/1/bios", "settings", &graceful);
            let mut fifo = change("Tpm20SoftwareInterfaceOperation", "NoAction", "Fifo");
            fifo.told_by = Some(("Tpm20SoftwareInterfaceStatus".to_owned(), "Fifo".into()));
            let bank = change("TpmActivePcrs", "Sha1", "Sha256");
            let changes = vec![fifo, bank];
            let step = Step { changes, secure_boot, secure_boot_in_force, ..Step::default() };
            Work { places, steps: vec![step] }
        }
        "lenovo" => {
            let places = places(ONE, &format!("{ONE}/Bios"), "Pending", &graceful);
            let changes = vec![
                change("TrustedComputingGroup_SHA_1PCRBank", "Enabled", "Disabled"),
                change("Processors_TrustedExecutionTechnology", "Enabled", "Disabled"),
            ];
            let resource = places.system.clone();
            let property = "Oem/Lenovo/TPMSettings/AssertRPP".to_owned();
            let presence = Some(Presence { resource, property });
            let step = Step { changes, secure_boot, secure_boot_in_force, presence };
            Work { places, steps: vec![step] }
        }
        _ => {
            let kinds = ["On", "ForceOff", "GracefulShutdown", "ForceRestart"];
            let places = places(ONE, &format!("{ONE}/Bios"), "SD", &kinds);
            let changes = vec![
                change("SHA256PCRBank_0065", "Disabled", "Enabled"),
                change("TXTSupport_0062", "Enabled", "Disabled"),
                change("TXTSupport_0072", "Enabled", "Disabled"),
            ];
            let step = Step { changes, secure_boot, secure_boot_in_force, ..Step::default() };
            Work { places, steps: vec![step] }
        }
    }
}

/// A change that is under way: its journal is a file, as in life.
pub(crate) struct Run {
    pub(crate) rack: Rack,
    pub(crate) emulated: Emulated,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) stopper: Stopper,
    pub(crate) pace: Pace,
    pub(crate) resets: Resets,
}

impl Run {
    pub(crate) fn of(tree: &str) -> Self {
        let rack = rack();
        let emulated = plug(&rack, tree, Options::default());
        let folder = tempfile::tempdir().unwrap();
        let (stopper, resets) = (Stopper::default(), Resets::Graceful);
        Self { rack, emulated, folder, stopper, pace: pace(), resets }
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::open(&self.folder.path().join("journal")).unwrap()
    }

    pub(crate) fn client(&self) -> Bmc {
        let trust = Trust::Authorities(self.rack.ca_pem());
        client_with(&trust, &self.emulated, self.pace)
    }

    /// Writes the plan into the journal.
    pub(crate) fn plan(&self, direction: Direction, work: Work) {
        let system = work.places.system.clone();
        let bmc = self.client();
        let event = Event::Planned { direction, work: work.into() };
        self.journal().write(bmc.address(), &system, event).unwrap();
    }

    /// Goes on as the journal says, and tells of each happening.
    pub(crate) fn go_on_telling(
        &self,
        tell: impl Fn(&Happening) + Send + Sync + 'static,
    ) -> Result<Outcome, ApplyError> {
        let (journal, bmc) = (self.journal(), self.client());
        let system = journal.records()[0].system.clone();
        let progress = Progress::of(journal.records(), bmc.address(), &system).unwrap();
        let execution = Execution {
            journal: journal.into(),
            stopper: self.stopper.clone(),
            resets: self.resets,
            window: None,
            tell: Arc::new(move |_, happening| tell(happening)),
        };
        block_on(execution.run("web-1", &bmc, &progress))
    }

    pub(crate) fn go_on(&self) -> Result<Outcome, ApplyError> {
        self.go_on_telling(|_| ())
    }

    /// Plans what mends `tree`, and does it.
    pub(crate) fn apply(&self, tree: &str) -> Result<Outcome, ApplyError> {
        self.plan(Direction::Apply, work(tree));
        self.go_on()
    }

    /// That all of `work` is in force on the machine itself.
    pub(crate) fn assert_in_force(&self, work: &Work) {
        let machine = self.emulated.machine();
        for change in work.steps.iter().flat_map(|step| &step.changes) {
            let (name, value) = match &change.told_by {
                Some((name, value)) => (name, value),
                None => (&change.attribute, &change.to),
            };
            assert_eq!(machine.attribute(name), Some(value), "{name}");
        }
        let wanted = work.steps.iter().filter_map(|step| step.secure_boot_in_force).next_back();
        if let Some(wanted) = wanted {
            assert_eq!(machine.secure_boot_in_force(), wanted);
        }
        assert!(machine.pending().is_empty());
    }
}
