//! A server and hosts, as processes of this machine.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use testkit::{
    boot::boot,
    log::BootLog,
    swtpm::{Ca, Swtpm},
};

use crate::sh;

/// Between two looks at what is waited for.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long the server may take to start.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// A process that ends with this value: by SIGTERM, then, where that does not help, at once.
struct Process(Child);

impl Process {
    fn spawn(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let out = File::create(log).with_context(|| format!("{}", log.display()))?;
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{program} cannot be started"))?;
        Ok(Self(child))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).stderr(Stdio::null()).status();
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(LOOK_AGAIN);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Host {
    tpm: Swtpm,
    folder: PathBuf,
    agent: Option<Process>,
}

/// What a list says of a host.
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) verdict: String,
    pub(super) codes: Vec<String>,
}

impl Listed {
    pub(super) fn has(&self, code: Option<&str>) -> bool {
        code.is_none_or(|code| self.codes.iter().any(|known| known == code))
    }
}

/// The server and its hosts. Dropping it ends all processes, agents first.
pub(super) struct Fleet {
    hosts: BTreeMap<String, Host>,
    server: Process,
    ca: Ca,
    programs: PathBuf,
    // Short, since the path of a socket has 107 bytes at most; removed last.
    folder: tempfile::TempDir,
}

impl Fleet {
    /// Starts a server on a free port of the loopback interface.
    pub(super) fn start() -> anyhow::Result<Self> {
        let programs = sh::target()?.join("debug");
        let folder = tempfile::Builder::new().prefix("bootproof-demo-").tempdir()?;
        let data = folder.path().join("server");
        std::fs::create_dir(&data)?;
        let mut command = Command::new(programs.join("bootproof-server"));
        command.arg("--data-dir").arg(&data);
        command.args(["--listen", "127.0.0.1:0", "--attest-interval-s", "60"]);
        let server = Process::spawn(&mut command, &folder.path().join("server.log"))?;
        let ca = Ca::in_folder(folder.path().join("ca"))?;
        let mut fleet = Self { hosts: BTreeMap::new(), server, ca, programs, folder };
        fleet.wait_until("the server answers", START_TIME_MAX, |fleet| {
            Ok(fleet.context().exists() && fleet.hosts().is_ok())
        })?;
        Ok(fleet)
    }

    /// Makes a host's TPM with these banks, and boots it.
    pub(super) fn add(&mut self, name: &str, banks: &str, log: &BootLog) -> anyhow::Result<()> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir(&folder)?;
        let tpm = Swtpm::builder()
            .banks(banks)
            .ek_cert(&self.ca)
            .name(name)
            .folder(folder.join("tpm"))
            .start()?;
        let built = log.build();
        boot(&tpm, &built)?;
        std::fs::write(folder.join("eventlog.bin"), &built.bytes)?;
        self.hosts.insert(name.to_owned(), Host { tpm, folder, agent: None });
        Ok(())
    }

    /// Imports the authority of the TPMs.
    pub(super) fn trust(&self) -> anyhow::Result<()> {
        let root = self.folder.path().join("tpm-root.pem");
        let issuer = self.folder.path().join("tpm-issuer.pem");
        std::fs::write(&root, self.ca.root_pem()?)?;
        std::fs::write(&issuer, self.ca.issuer_pem()?)?;
        let files = [root.to_string_lossy(), issuer.to_string_lossy()];
        self.json(&["trust", "import", &files[0], &files[1]]).map(drop)
    }

    /// Joins these hosts with one token, and starts their agents.
    pub(super) fn join(&mut self, names: &[&str]) -> anyhow::Result<()> {
        let uses = names.len().to_string();
        let token = self.json(&["token", "create", "--uses", &uses, "--note", "demo"])?;
        let text =
            |key: &str| token[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
        let (secret, pin, address) = (text("token")?, text("ca_sha256")?, self.address());
        for name in names {
            let mut join = self.agent(name)?;
            join.args(["join", &address, "--ca-sha256", &pin, "--name", name]);
            let output = join.env("BOOTPROOF_JOIN_TOKEN", &secret).output()?;
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(output.status.success(), "{name} could not join: {said}");
        }
        for name in names {
            let mut serve = self.agent(name)?;
            let host = self.hosts.get_mut(*name).context("no such host")?;
            let agent = Process::spawn(serve.arg("run"), &host.folder.join("agent.log"))?;
            host.agent = Some(agent);
        }
        Ok(())
    }

    /// The agent of a host, with its TPM and its log.
    fn agent(&self, name: &str) -> anyhow::Result<Command> {
        let host = self.hosts.get(name).context("no such host")?;
        let mut command = Command::new(self.programs.join("bootproof-agent"));
        command
            .arg("--state-dir")
            .arg(host.folder.join("agent"))
            .args(["--tpm", &host.tpm.address()])
            .arg("--event-log")
            .arg(host.folder.join("eventlog.bin"))
            .arg("--acpi-tpm2")
            .arg(host.folder.join("acpi-TPM2.bin"));
        Ok(command)
    }

    /// Takes a host's TPM away.
    pub(super) fn switch_off(&mut self, name: &str) -> anyhow::Result<()> {
        self.hosts.get_mut(name).context("no such host")?.tpm.stop();
        Ok(())
    }

    /// Gives a host's TPM back, and boots it.
    pub(super) fn switch_on(&mut self, name: &str, log: &BootLog) -> anyhow::Result<()> {
        let host = self.hosts.get_mut(name).context("no such host")?;
        host.tpm.start()?;
        Ok(boot(&host.tpm, &log.build())?)
    }

    /// Waits until the list shows this of a host.
    pub(super) fn wait_for(
        &mut self,
        name: &str,
        verdict: &str,
        code: Option<&str>,
        time_max: Duration,
    ) -> anyhow::Result<()> {
        let what = format!("{name} is {verdict} ({})", code.unwrap_or("no finding"));
        self.wait_until(&what, time_max, |fleet| {
            let hosts = fleet.hosts()?;
            let host = hosts.iter().find(|host| host.name == name);
            Ok(host.is_some_and(|host| host.verdict == verdict && host.has(code)))
        })
    }

    fn wait_until(
        &mut self,
        what: &str,
        time_max: Duration,
        holds: impl Fn(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + time_max;
        while !holds(self)? {
            if let Some(status) = self.server.0.try_wait()? {
                bail!("the server ended ({status}):\n{}", self.server_log());
            }
            if Instant::now() > deadline {
                let limit = time_max.as_secs();
                bail!("not within {limit} s: {what}\n{}", self.server_log());
            }
            sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    fn server_log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// The lines of the server's log that tell of a host's identity key.
    pub(super) fn show_story(&self, name: &str) -> anyhow::Result<()> {
        let told = ["attestation started", "identity key", "attestation finished"];
        let tells = |line: &&str| {
            line.contains(name) && told.iter().any(|words| line.contains(words))
                || line.contains("reconnected")
        };
        for line in self.server_log().lines().filter(tells) {
            println!("  {line}");
        }
        Ok(())
    }

    /// The hosts, as the list shows them.
    pub(super) fn hosts(&self) -> anyhow::Result<Vec<Listed>> {
        let list = self.json(&["host", "list"])?;
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let listed = list.as_array().context("no list")?.iter().map(|host| Listed {
            name: text(&host["name"]),
            verdict: text(&host["verdict"]),
            codes: host["findings"]
                .as_array()
                .map(|findings| findings.iter().map(|finding| text(&finding["code"])).collect())
                .unwrap_or_default(),
        });
        Ok(listed.collect())
    }

    fn cli(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program("bootproof"));
        command.arg("--context").arg(self.context()).args(arguments);
        command
    }

    fn json(&self, arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let output = self.cli(arguments).arg("--json").output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "bootproof {}: {said}", arguments.join(" "));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Runs `bootproof` for people to see.
    pub(super) fn show(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.cli(arguments).status()?;
        ensure!(status.success(), "bootproof {} failed", arguments.join(" "));
        Ok(())
    }

    /// A program of the project.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The administrator's context.
    pub(super) fn context(&self) -> PathBuf {
        self.folder.path().join("server/admin.toml")
    }

    /// The server's address.
    pub(super) fn address(&self) -> String {
        let context = std::fs::read_to_string(self.context()).unwrap_or_default();
        let line = context.lines().find_map(|line| line.strip_prefix("server = "));
        line.unwrap_or_default().trim_matches('"').to_owned()
    }

    /// Waits for Ctrl-C, which reaches the children too; an error where the server ends by itself.
    pub(super) fn wait_for_interrupt(mut self) -> anyhow::Result<()> {
        let status = self.server.0.wait()?;
        ensure!(status.success(), "the server ended: {status}\n{}", self.server_log());
        Ok(())
    }
}
