//! A server of this machine, and the administrator's command line to it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use testkit::swtpm::Ca;

use crate::{
    process::{LOOK_AGAIN, Process},
    sh,
};

/// How long the server may take to start.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// What a list says of a host.
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) verdict: String,
    pub(crate) codes: Vec<String>,
}

impl Listed {
    pub(crate) fn has(&self, code: Option<&str>) -> bool {
        code.is_none_or(|code| self.codes.iter().any(|known| known == code))
    }
}

/// A token, as an agent needs it to join.
pub(crate) struct JoinToken {
    pub(crate) secret: String,
    /// SHA-256 of the server's certificate authority.
    pub(crate) pin: String,
}

/// A server with its data in a folder. Dropping it ends the server; the folder stays.
pub(crate) struct Site {
    server: Mutex<Process>,
    programs: PathBuf,
    folder: PathBuf,
}

impl Site {
    /// Starts a server on a free port of the loopback interface, with its data below `folder`. It
    /// is reached under `names` too.
    pub(crate) fn start(folder: &Path, names: &[&str]) -> anyhow::Result<Self> {
        let programs = sh::target()?.join("debug");
        let folder = folder.to_owned();
        let data = folder.join("server");
        std::fs::create_dir(&data)?;
        let mut command = Command::new(programs.join("bootproof-server"));
        command.arg("--data-dir").arg(&data);
        command.args(["--listen", "127.0.0.1:0", "--attest-interval-s", "60"]);
        for name in names {
            command.args(["--name", name]);
        }
        let server = Process::spawn(&mut command, &folder.join("server.log"))?;
        let site = Self { server: Mutex::new(server), programs, folder };
        site.wait_until("the server answers", START_TIME_MAX, |site| {
            Ok(site.context().exists() && site.hosts().is_ok())
        })?;
        Ok(site)
    }

    /// Trusts the authority of TPMs.
    pub(crate) fn trust(&self, ca: &Ca) -> anyhow::Result<()> {
        let root = self.folder.join("tpm-root.pem");
        let issuer = self.folder.join("tpm-issuer.pem");
        std::fs::write(&root, ca.root_pem()?)?;
        std::fs::write(&issuer, ca.issuer_pem()?)?;
        let files = [root.to_string_lossy(), issuer.to_string_lossy()];
        self.json(&["trust", "import", &files[0], &files[1]]).map(drop)
    }

    /// A token with which this many hosts may join.
    pub(crate) fn join_token(&self, uses: usize) -> anyhow::Result<JoinToken> {
        let token =
            self.json(&["token", "create", "--uses", &uses.to_string(), "--note", "demo"])?;
        let text =
            |key: &str| token[key].as_str().map(str::to_owned).with_context(|| format!("no {key}"));
        Ok(JoinToken { secret: text("token")?, pin: text("ca_sha256")? })
    }

    /// Waits until `holds`, and no longer than the server runs.
    pub(crate) fn wait_until(
        &self,
        what: &str,
        time_max: Duration,
        holds: impl Fn(&Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + time_max;
        while !holds(self)? {
            self.check_runs()?;
            if Instant::now() > deadline {
                let limit = time_max.as_secs();
                bail!("not within {limit} s: {what}\n{}", self.log());
            }
            sleep(LOOK_AGAIN);
        }
        Ok(())
    }

    /// An error where the server ended.
    pub(crate) fn check_runs(&self) -> anyhow::Result<()> {
        let status = self.server.lock().unwrap_or_else(PoisonError::into_inner).ended()?;
        if let Some(status) = status {
            bail!("the server ended ({status}):\n{}", self.log());
        }
        Ok(())
    }

    /// What the server wrote about itself.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    /// The hosts, as the list shows them.
    pub(crate) fn hosts(&self) -> anyhow::Result<Vec<Listed>> {
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

    /// What `bootproof` prints of facts.
    pub(crate) fn json(&self, arguments: &[&str]) -> anyhow::Result<serde_json::Value> {
        let printed = self.tell(&[arguments, &["--json"]].concat())?;
        Ok(serde_json::from_str(&printed)?)
    }

    /// Runs `bootproof` without showing what it says.
    pub(crate) fn tell(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.cli(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "bootproof {}: {said}", arguments.join(" "));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs `bootproof` for people to see.
    pub(crate) fn show(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.cli(arguments).status()?;
        ensure!(status.success(), "bootproof {} failed", arguments.join(" "));
        Ok(())
    }

    /// A program of the project.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// The administrator's context.
    pub(crate) fn context(&self) -> PathBuf {
        self.folder.join("server/admin.toml")
    }

    /// The server's address.
    pub(crate) fn address(&self) -> String {
        let context = std::fs::read_to_string(self.context()).unwrap_or_default();
        let line = context.lines().find_map(|line| line.strip_prefix("server = "));
        line.unwrap_or_default().trim_matches('"').to_owned()
    }

    /// Waits for Ctrl-C, which reaches the server too; an error where it ends by itself.
    pub(crate) fn wait_for_interrupt(&self) -> anyhow::Result<()> {
        let status = self.server.lock().unwrap_or_else(PoisonError::into_inner).wait()?;
        ensure!(status.success(), "the server ended: {status}\n{}", self.log());
        Ok(())
    }
}
