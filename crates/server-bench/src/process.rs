//! Programs beside this one, and what they cost.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;

/// Ticks of a second in /proc: the same on every Linux that programs see.
const TICKS_PER_S: u64 = 100;

/// A program that runs until this value is dropped.
#[derive(Debug)]
pub struct Program(Child);

impl Program {
    /// Starts it; what it says goes to the file `log`.
    pub fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let out = fs::File::options().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{} cannot be started", command.get_program().display()))?;
        Ok(Self(child))
    }

    /// CPU time that it took until now, user and system.
    pub fn cpu(&self) -> anyhow::Result<Duration> {
        cpu(self.0.id())
    }

    /// Bytes of memory that it has.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("no VmRSS")?.trim().parse::<u64>()? * 1024)
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// CPU time of a process, with that of children that it waited for.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks(&stat).map(|ticks| Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

/// utime, stime, cutime and cstime. The name before them may hold anything but is in parentheses.
fn ticks(stat: &str) -> anyhow::Result<u64> {
    let (_, fields) = stat.rsplit_once(')').context("no line of /proc/PID/stat")?;
    let times = fields.split_whitespace().skip(11).take(4);
    times.map(|time| Ok(time.parse::<u64>()?)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 9 0 0 0 150 50 20 3 20 0 1 0 5 1 1";
        assert_eq!(ticks(stat).unwrap(), 223);
        assert!(ticks("").is_err());
        assert!(cpu(std::process::id()).is_ok());
    }
}
