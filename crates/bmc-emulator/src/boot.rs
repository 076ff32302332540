//! The host behind the BMC: power, boots, and what a boot makes of what is pending.

use serde_json::{Map, Value, json};

use crate::{Fault, dialect::Dialect, jobs::JobState, machine::Machine, registry::Registry};

/// A boot's length.
const BOOT_MS: u64 = 6_000;

/// How long an operating system takes to end.
const SHUTDOWN_MS: u64 = 2_000;

/// How long a BMC that restarts drops connections, and then how long it answers 503.
const BMC_AWAY_MS: u64 = 3_000;
const BMC_STARTING_MS: u64 = 3_000;

/// Power and boots.
#[derive(Debug, Default)]
pub(crate) struct Host {
    is_off: bool,
    off_at_ms: Option<u64>,
    boot_since_ms: Option<u64>,
    bmc_down_since_ms: Option<u64>,
    pub(crate) n_boots: u32,
}

impl Host {
    pub(crate) fn power_off(&mut self) {
        self.is_off = true;
        self.boot_since_ms = None;
    }

    pub(crate) fn bmc_is_away(&self, now_ms: u64) -> bool {
        self.bmc_down_since_ms.is_some_and(|since| now_ms < since + BMC_AWAY_MS)
    }

    pub(crate) fn bmc_is_starting(&self, now_ms: u64) -> bool {
        self.bmc_down_since_ms.is_some_and(|since| now_ms < since + BMC_AWAY_MS + BMC_STARTING_MS)
    }
}

/// Secure Boot as it is wanted and as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecureBootWish {
    pub(crate) enable: bool,
    pub(crate) in_force: bool,
    has_platform_key: bool,
    /// Boots since `enable` changed.
    n_boots: u32,
}

impl SecureBootWish {
    pub(crate) fn read(body: &Value) -> Self {
        Self {
            enable: body.get("SecureBootEnable") == Some(&Value::from(true)),
            in_force: body.get("SecureBootCurrentBoot") == Some(&Value::from("Enabled")),
            has_platform_key: body.get("SecureBootMode") != Some(&Value::from("SetupMode")),
            n_boots: 0,
        }
    }

    pub(crate) fn set(&mut self, enable: bool) {
        if self.enable != enable {
            *self = Self { enable, n_boots: 0, ..*self };
        }
    }
}

/// Attributes that say of Secure Boot what its resource says, with their two values.
const SECURE_BOOT_ATTRIBUTES: [&str; 4] = [
    "SecureBoot",
    "SecureBootStatus",
    "SecureBootConfiguration_SecureBootSetting",
    "SecureBootConfiguration_SecureBootStatus",
];

/// Attributes that ask for something once, and the one that tells what came of it.
const OPERATIONS: [(&str, &str); 3] = [
    ("Tpm20SoftwareInterfaceOperation", "Tpm20SoftwareInterfaceStatus"),
    ("TpmModeSwitchOperation", "TpmType"),
    ("Tpm2Operation", ""),
];

impl Machine {
    /// Does what time has brought.
    pub(crate) fn settle(&mut self) {
        let now_ms = self.clock.now_ms();
        if self.host.off_at_ms.is_some_and(|at| now_ms >= at) {
            self.host.off_at_ms = None;
            self.host.is_off = true;
        }
        let ended = self.host.boot_since_ms.is_some_and(|since| now_ms >= since + BOOT_MS);
        if ended && !self.faults.on(Fault::NeverBoots) {
            self.host.boot_since_ms = None;
            self.host.n_boots += 1;
            self.apply_pending();
            self.settle_secure_boot();
        }
    }

    /// The reset action. [DSP0268 ComputerSystem.Reset]
    pub(crate) fn reset(&mut self, kind: &str) -> Result<(), &'static str> {
        let now_ms = self.clock.now_ms();
        if self.faults.on(Fault::ResetRefused) {
            return Err("The requested resource is in use or transition.");
        }
        let is_graceful = kind.starts_with("Graceful");
        if is_graceful && self.faults.on(Fault::GracefulIgnored) {
            return Ok(());
        }
        match (kind, self.host.is_off) {
            ("On", true) | ("GracefulRestart" | "ForceRestart" | "PowerCycle", false) => {
                self.begin_boot(now_ms)
            }
            ("GracefulShutdown", false) => self.host.off_at_ms = Some(now_ms + SHUTDOWN_MS),
            ("ForceOff", false) => self.host.power_off(),
            ("On", false) | ("GracefulShutdown" | "ForceOff", true) => (),
            _ => return Err("The operation is not possible in this power state."),
        }
        Ok(())
    }

    fn begin_boot(&mut self, now_ms: u64) {
        self.host.is_off = false;
        self.host.off_at_ms = None;
        self.host.boot_since_ms = Some(now_ms);
        for job in self.jobs.iter_mut().filter(|job| job.state == JobState::Scheduled) {
            job.state = JobState::Running;
        }
        let forgets = self.faults.on(Fault::BmcRestartsAndForgets);
        if forgets {
            self.pending.clear();
            self.jobs.retain(|job| !job.is_pending());
        }
        if forgets || self.faults.on(Fault::BmcRestarts) {
            self.host.bmc_down_since_ms = Some(now_ms);
            self.sessions.close_all();
        }
    }

    fn apply_pending(&mut self) {
        let runs = self.jobs.iter().any(|job| job.state == JobState::Running);
        if self.dialect == Dialect::Dell && !runs {
            return;
        }
        let job_fails = runs && self.faults.on(Fault::JobFails);
        let refused = self.faults.on(Fault::RefusedAtBoot) && !self.pending.is_empty();
        let ignored = self.faults.on(Fault::SettingsIgnored);
        let pending = std::mem::take(&mut self.pending);
        let n_pending = pending.len();
        if !(job_fails || refused || ignored) {
            for (name, value) in pending {
                self.apply(name, value);
            }
            self.apply_forced();
        }
        let end = if job_fails { JobState::Failed } else { JobState::Completed };
        for job in self.jobs.iter_mut().filter(|job| job.state == JobState::Running) {
            job.state = end;
        }
        if n_pending > 0 && !ignored {
            let id =
                if refused { "Base.1.18.1.PropertyValueIncorrect" } else { "Base.1.18.1.Success" };
            let severity = if refused { "Warning" } else { "OK" };
            self.settings_messages = Some(json!([{ "MessageId": id, "Severity": severity }]));
        }
    }

    fn apply(&mut self, name: String, value: Value) {
        if let Some((_, status)) = OPERATIONS.iter().find(|(operation, _)| *operation == name) {
            if self.attributes.contains_key(*status) && value != "NoAction" {
                self.attributes.insert((*status).to_owned(), value);
            }
            self.attributes.insert(name, Value::from("NoAction"));
            return;
        }
        if SECURE_BOOT_ATTRIBUTES.contains(&&*name) || name.starts_with("SecureBootEnable") {
            let enable = value == "Enabled" || value == true;
            if let Some(wish) = &mut self.secure_boot {
                wish.set(enable);
            }
        }
        self.attributes.insert(name, value);
    }

    fn apply_forced(&mut self) {
        let Some(registry) = Registry::of(&self.tree, &self.places) else { return };
        let forced = registry.forced(&self.attributes);
        self.attributes.extend(forced);
    }

    fn settle_secure_boot(&mut self) {
        let Some(mut wish) = self.secure_boot else { return };
        wish.n_boots += 1;
        let never = self.faults.on(Fault::SecureBootNever);
        let needed = if self.faults.on(Fault::SecureBootNeedsTwoBoots) { 2 } else { 1 };
        if !never && wish.n_boots >= needed {
            wish.in_force = wish.enable && wish.has_platform_key;
            let text = if wish.in_force { "Enabled" } else { "Disabled" };
            for name in SECURE_BOOT_ATTRIBUTES {
                if let Some(value) = self.attributes.get_mut(name) {
                    *value = Value::from(text);
                }
            }
        }
        self.secure_boot = Some(wish);
    }

    pub(crate) fn show_secure_boot(&self, body: &mut Map<String, Value>) {
        let Some(wish) = self.secure_boot else { return };
        let now = if wish.in_force { "Enabled" } else { "Disabled" };
        body.insert("SecureBootEnable".to_owned(), Value::from(wish.enable));
        body.insert("SecureBootCurrentBoot".to_owned(), Value::from(now));
    }

    /// A TPM that the firmware hides is one that is disabled.
    fn show_modules(&self, body: &mut Map<String, Value>) {
        let visible = [("TpmSecurity", "Off"), ("TpmVisibility", "Hidden")];
        let visible =
            visible.iter().find_map(|(name, hidden)| Some(self.attributes.get(*name)? != *hidden));
        let modules = body.get_mut("TrustedModules").and_then(Value::as_array_mut);
        let (Some(visible), Some(modules)) = (visible, modules) else { return };
        for module in modules {
            if let Some(state) = module.pointer_mut("/Status/State") {
                *state = Value::from(if visible { "Enabled" } else { "Disabled" });
            }
        }
    }

    pub(crate) fn show_system(&self, body: &mut Map<String, Value>) {
        let now_ms = self.clock.now_ms();
        let power = if self.host.is_off { "Off" } else { "On" };
        body.insert("PowerState".to_owned(), Value::from(power));
        self.show_modules(body);
        let boots = self.host.boot_since_ms.is_some();
        if let Some(progress) = body.get_mut("BootProgress").filter(|value| value.is_object()) {
            let state = match self.host.boot_since_ms {
                _ if self.host.is_off => "None",
                Some(since) if now_ms < since + BOOT_MS / 2 => {
                    "PrimaryProcessorInitializationStarted"
                }
                Some(_) => "SystemHardwareInitializationComplete",
                None => "OSRunning",
            };
            progress["LastState"] = Value::from(state);
        }
        if let Some(state) =
            body.get_mut("Oem").and_then(|oem| oem.get_mut("Hpe")?.get_mut("PostState"))
        {
            *state = Value::from(if boots { "InPost" } else { "FinishedPost" });
        }
        let asserted = self.presence_until_ms.is_some_and(|until| now_ms < until);
        let settings =
            body.get_mut("Oem").and_then(|oem| oem.get_mut("Lenovo")?.get_mut("TPMSettings"));
        if let Some(settings) = settings {
            settings["AssertRPP"] = Value::from(asserted);
        }
    }
}
