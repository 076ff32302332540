//! What the kernel says of this process, read at each scrape.

use std::{fs, time::SystemTime};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::Unit,
};

/// Ticks of the kernel's clock in a second, for programs: the same on all machines. [proc(5)]
const TICKS_PER_S: u64 = 100;

/// This process, and when it began to count: `/proc` tells that only where it shows more than processes.
#[derive(Debug)]
pub(super) struct Process {
    began_s: f64,
}

impl Process {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { began_s: since.as_secs_f64() }
    }
}

/// Of `/proc/self`. What cannot be read is left out, never told as 0.
struct Seen {
    cpu_s: Option<f64>,
    n_threads: Option<i64>,
    resident_bytes: Option<i64>,
    n_open_files: Option<i64>,
    n_open_files_max: Option<i64>,
}

impl Seen {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let field = |n| stat_field(&stat, n);
        #[expect(clippy::cast_precision_loss, reason = "fractions of seconds are enough")]
        let seconds = |ticks: u64| ticks as f64 / TICKS_PER_S as f64;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let resident = resident.and_then(|kib| kib.trim().strip_suffix(" kB")?.parse::<i64>().ok());
        let n_open = fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        Self {
            cpu_s: field(14).zip(field(15)).map(|(user, system)| seconds(user + system)),
            n_threads: field(20).and_then(|n| i64::try_from(n).ok()),
            resident_bytes: resident.map(|kib| kib.saturating_mul(1024)),
            n_open_files: n_open.and_then(|n| i64::try_from(n).ok()),
            n_open_files_max: limit.and_then(|limit| i64::try_from(limit).ok()),
        }
    }
}

/// A field of `/proc/self/stat`, counted from 1; the second one is a name with any characters.
fn stat_field(stat: &str, n: usize) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(n.checked_sub(3)?)?.trim().parse().ok()
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let seen = Seen::now();
        if let Some(cpu_s) = seen.cpu_s {
            let counter = ConstCounter::new(cpu_s);
            let (help, kind) = ("Time on processors", counter.metric_type());
            let unit = Unit::Seconds;
            counter.encode(encoder.encode_descriptor("process_cpu", help, Some(&unit), kind)?)?;
        }
        let gauge = ConstGauge::new(self.began_s);
        let (help, kind) = ("When the process began", gauge.metric_type());
        let unit = Unit::Seconds;
        gauge.encode(encoder.encode_descriptor(
            "process_start_time",
            help,
            Some(&unit),
            kind,
        )?)?;
        for (name, help, unit, n) in [
            ("process_resident_memory", "Memory in use", Some(Unit::Bytes), seen.resident_bytes),
            ("process_threads", "Threads", None, seen.n_threads),
            ("process_open_fds", "Open file descriptors", None, seen.n_open_files),
            ("process_max_fds", "File descriptors that may be open", None, seen.n_open_files_max),
        ] {
            let Some(n) = n else { continue };
            let gauge = ConstGauge::new(n);
            let kind = gauge.metric_type();
            gauge.encode(encoder.encode_descriptor(name, help, unit.as_ref(), kind)?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_moves_no_field() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 10 0 0 0 31 12 0 0 20 0 5 0 99 0 400";
        assert_eq!(stat_field(stat, 14), Some(31));
        assert_eq!(stat_field(stat, 20), Some(5));
        assert_eq!(stat_field(stat, 22), Some(99));
        assert_eq!(stat_field(stat, 24), Some(400));
        assert_eq!(stat_field("", 14), None);
    }

    #[test]
    fn this_process_is_seen() {
        let seen = Seen::now();
        assert!(seen.cpu_s.is_some() && Process::now().began_s > 1e9);
        assert!(seen.n_threads.unwrap() >= 1 && seen.n_open_files.unwrap() >= 3);
        assert!(seen.resident_bytes.unwrap() > 1 << 20);
    }
}
