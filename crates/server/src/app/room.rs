//! How much memory may hold what was worked out of hosts.

/// Where the kernel says how much memory the machine has.
const MEMINFO: &str = "/proc/meminfo";

/// Where it says how much this process and its neighbours of the same unit or container may have.
const CGROUPS: &[&str] =
    &["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// Bytes of a machine that does not say how much it has: a small one.
const UNKNOWN_BYTES: u64 = 1 << 30;

/// The part that is taken where nobody says how much. The rest is for connections, the database and its files.
const PART: u64 = 4;

/// Room in memory, shared between what is kept of boots and of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Bytes for what was found in logs.
    pub(super) boots_bytes: usize,
    /// Bytes for identity keys.
    pub(super) keys_bytes: usize,
}

impl Room {
    /// So many MiB, or with 0 a quarter of what this process may have.
    pub(super) fn of(memory_mib: u64) -> Self {
        let bytes = match memory_mib {
            0 => machine_bytes() / PART,
            mib => mib.saturating_mul(1 << 20),
        };
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        Self { boots_bytes: bytes - bytes / 3, keys_bytes: bytes / 3 }
    }
}

/// What the machine has, or what this process may have of it where that is less.
fn machine_bytes() -> u64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let limits = CGROUPS.iter().filter_map(|path| limit(&read(path)?));
    limits.chain(read(MEMINFO).and_then(|text| total(&text))).min().unwrap_or(UNKNOWN_BYTES)
}

/// Of the first line of `/proc/meminfo`.
fn total(text: &str) -> Option<u64> {
    let kib = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Of a control group; none where it has no limit.
fn limit(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let meminfo = "MemTotal:       24684092 kB\nMemFree:         9000000 kB\n";
        assert_eq!(total(meminfo), Some(24_684_092 * 1024));
        for other in ["", "MemTotal: x kB", "MemTotal: 5", "MemTotal: 18446744073709551615 kB"] {
            assert_eq!(total(other), None, "{other:?}");
        }
        assert_eq!(limit("536870912\n"), Some(512 << 20));
        assert_eq!(limit("max\n"), None, "no limit");
    }

    #[test]
    fn what_is_set_counts_and_else_a_part_of_the_machine() {
        let set = Room::of(300);
        assert_eq!((set.boots_bytes, set.keys_bytes), (200 << 20, 100 << 20));
        let part = Room::of(0);
        let all = u64::try_from(part.boots_bytes + part.keys_bytes).unwrap();
        assert_eq!(all, machine_bytes() / PART);
    }
}
