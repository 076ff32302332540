//! A server and hosts, as processes of this machine.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, ensure};
use testkit::{
    boot::boot,
    log::BootLog,
    swtpm::{Ca, Swtpm},
};

use crate::{process::Process, sh, site::Site, took::Took};

struct Host {
    tpm: Swtpm,
    folder: PathBuf,
    agent: Option<Process>,
}

/// The server and its hosts. Dropping it ends all processes, agents first.
pub(crate) struct Fleet {
    hosts: BTreeMap<String, Host>,
    pub(crate) site: Site,
    ca: Ca,
    agent: PathBuf,
    // Short, since the path of a socket has 107 bytes at most; removed last.
    folder: tempfile::TempDir,
}

impl Fleet {
    /// Starts the server.
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::start_with(sh::target()?.join("debug/bootproof-agent"))
    }

    /// Starts the server; the hosts will run this agent.
    pub(crate) fn start_with(agent: PathBuf) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("bootproof-demo-").tempdir()?;
        let site = Site::start(folder.path(), &[])?;
        let ca = Ca::in_folder(folder.path().join("ca"))?;
        Ok(Self { hosts: BTreeMap::new(), site, ca, agent, folder })
    }

    /// Makes a host's TPM with these banks, and boots it.
    pub(crate) fn add(&mut self, name: &str, banks: &str, log: &BootLog) -> anyhow::Result<()> {
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
    pub(crate) fn trust(&self) -> anyhow::Result<()> {
        self.site.trust(&self.ca)
    }

    /// Joins these hosts with one token, and starts their agents.
    pub(crate) fn join(&mut self, names: &[&str]) -> anyhow::Result<()> {
        let token = self.site.join_token(names.len())?;
        let address = self.site.address();
        for name in names {
            let mut join = self.agent(name)?;
            join.args(["join", &address, "--ca-sha256", &token.pin, "--name", name]);
            let output = join.env("BOOTPROOF_JOIN_TOKEN", &token.secret).output()?;
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
        let mut command = Command::new(&self.agent);
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

    /// Has a host attested now; an error where it is not accepted.
    pub(crate) fn attest(&self, name: &str) -> anyhow::Result<()> {
        self.site.tell(&["host", "attest", name]).map(drop)
    }

    /// What each attestation of a host took, as its agent says.
    pub(crate) fn took(&self, name: &str) -> anyhow::Result<Vec<Took>> {
        let host = self.hosts.get(name).context("no such host")?;
        let log = std::fs::read_to_string(host.folder.join("agent.log"))?;
        Ok(log.lines().filter_map(Took::in_line).collect())
    }

    /// Most bytes that a host's running agent had in memory at one time, as the kernel counted.
    pub(crate) fn agent_bytes_max(&self, name: &str) -> anyhow::Result<u64> {
        let host = self.hosts.get(name).context("no such host")?;
        let pid = host.agent.as_ref().context("no agent runs")?.id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmHWM")?;
        Ok(1024 * kib.trim().parse::<u64>()?)
    }

    /// Takes a host's TPM away.
    pub(crate) fn switch_off(&mut self, name: &str) -> anyhow::Result<()> {
        self.hosts.get_mut(name).context("no such host")?.tpm.stop();
        Ok(())
    }

    /// Gives a host's TPM back, and boots it.
    pub(crate) fn switch_on(&mut self, name: &str, log: &BootLog) -> anyhow::Result<()> {
        let host = self.hosts.get_mut(name).context("no such host")?;
        host.tpm.start()?;
        Ok(boot(&host.tpm, &log.build())?)
    }

    /// Waits until the list shows this of a host.
    pub(crate) fn wait_for(
        &mut self,
        name: &str,
        verdict: &str,
        code: Option<&str>,
        time_max: Duration,
    ) -> anyhow::Result<()> {
        let what = format!("{name} is {verdict} ({})", code.unwrap_or("no finding"));
        self.site.wait_until(&what, time_max, |site| {
            let hosts = site.hosts()?;
            let host = hosts.iter().find(|host| host.name == name);
            Ok(host.is_some_and(|host| host.verdict == verdict && host.has(code)))
        })
    }

    /// The lines of the server's log that tell of a host's identity key.
    pub(crate) fn show_story(&self, name: &str) -> anyhow::Result<()> {
        let told = ["attestation started", "identity key", "attestation finished"];
        let tells = |line: &&str| {
            line.contains(name) && told.iter().any(|words| line.contains(words))
                || line.contains("reconnected")
        };
        for line in self.site.log().lines().filter(tells) {
            println!("  {line}");
        }
        Ok(())
    }
}
