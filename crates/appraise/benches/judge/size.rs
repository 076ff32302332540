//! How the cost grows with the log.

use event_log::EventType;
use testkit::log::{BootLog, Entry};
use tpm_wire::TpmAlgId;

use crate::clock::{Spread, rounds};
use crate::judge::log_alone;

/// A boot of 99 events, the Spec ID event among them.
fn boot_of_99() -> Vec<Entry> {
    crate::evidence::with_grub_lines(&BootLog::sound(), 98)
}

/// CPU time per event of a log that holds the same boot again and again.
pub(crate) fn growth() {
    let small = boot_of_99();
    let large: Vec<_> = small.iter().cycle().take(10_000).cloned().collect();
    let [small, large] = [small, large].map(|entries| {
        let n_events = entries.len() as f64;
        (BootLog::sound().build_from(&entries), n_events)
    });
    let judge = |(log, _): &(testkit::log::BuiltLog, f64)| {
        log_alone(&log.bytes, &log.pcrs);
    };
    let [mut small_us, mut large_us] = rounds([&|| judge(&small), &|| judge(&large)]);
    small_us.iter_mut().for_each(|us| *us /= small.1);
    large_us.iter_mut().for_each(|us| *us /= large.1);
    let (of_small, of_large) = (Spread::of(&small_us), Spread::of(&large_us));
    println!("CPU per event, log alone: {of_small} µs at 99 events, {of_large} µs at 10,000");
    let ratio = Spread::ratio(&large_us, &small_us);
    println!("ratio of growth: {ratio}   bar 1.2");
}

/// The largest logs that are read.
pub(crate) fn four_mebibytes() {
    const LEN: usize = 4 << 20;
    let entry = |text: &[u8]| Entry::of(8, EventType::IPL, b"other", text);
    let boots: Vec<_> = boot_of_99().into_iter().cycle().take(100_000).collect();
    let many: Vec<_> = (0..60_000).map(|_| entry(b"grub_cmd: a\0")).collect();
    let one = vec![Entry::of_data(4, EventType::IPL, &vec![7; LEN - 300])];
    let wrong = vec![entry(&[&b"grub_cmd: "[..], &vec![7; LEN - 300]].concat())];
    let sha256 = [TpmAlgId::SHA256];
    let all = [TpmAlgId::SHA256, TpmAlgId::SHA384, TpmAlgId::SHA512, TpmAlgId::SM3_256];
    for (name, entries, banks) in [
        ("the same boot again and again", boots, &sha256[..]),
        ("as many small events as fit", many.clone(), &sha256),
        ("one event", one.clone(), &sha256),
        ("one event with a wrong digest", wrong, &sha256),
        ("one event, SHA-384", one.clone(), &all[1..2]),
        ("one event, SHA-512", one.clone(), &all[2..3]),
        ("one event, SM3", one.clone(), &all[3..]),
        ("one event, SHA-256 and SHA-384", one.clone(), &all[..2]),
        ("one event, four banks", one, &all),
        ("as many small events as fit, SHA-256 and SHA-384", many.clone(), &all[..2]),
        ("as many small events as fit, four banks", many, &all),
    ] {
        let mut log = BootLog::sound().banks(banks).build_from(&entries);
        log.bytes.truncate(LEN);
        let [us] = rounds([&|| {
            log_alone(&log.bytes, &log.pcrs);
        }]);
        let ms: Vec<_> = us.iter().map(|us| us / 1000.0).collect();
        let spread = Spread::of(&ms);
        let holds = if spread.median <= 25.0 { "holds" } else { "MISSED" };
        let n_events = log_alone(&log.bytes, &log.pcrs);
        let outcome = if n_events == 0 { "refused" } else { "judged" };
        println!("4 MiB, {name}: {spread} ms of CPU, {outcome}   bar 25, {holds}");
    }
}
