//! What a judgement costs, as a ratio to the least that it can cost, both measured in one run.
//!
//! The floor of a judgement is its cryptography: one signature checked with a key that is kept
//! parsed, one hash for each extend of the log, one hash over all event data that can be checked.
//! Times are CPU times of this thread, so that other work on the machine disturbs less; each ratio
//! is formed within a round and the median of all rounds is printed.
#![expect(clippy::print_stdout, reason = "a benchmark reports to a person")]

mod clock;
mod evidence;
mod floor;
mod judge;
mod size;

use clock::{Spread, rounds};
use evidence::{Case, Key};
use floor::Floor;

/// A ratio and the most that it may be.
struct Bar {
    name: &'static str,
    most: f64,
}

const CORE: Bar = Bar { name: "core/floor", most: 1.3 };
const FULL: Bar = Bar { name: "full/floor", most: 2.0 };
const UNCHANGED: Bar = Bar { name: "unchanged/(signature + one hash of the log)", most: 1.2 };

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_asked = |case: &Case| asked.iter().all(|part| case.name.contains(part));
    let cases: Vec<Case> = evidence::all().into_iter().filter(is_asked).collect();
    for key in [Key::Rsa2048, Key::P256] {
        let mut worst = [(0.0, ""); 3];
        for case in cases.iter().filter(|case| case.key == key) {
            let medians = measure(case);
            for (worst, median) in worst.iter_mut().zip(medians) {
                if median > worst.0 {
                    *worst = (median, &case.name);
                }
            }
        }
        for (bar, (ratio, log)) in [CORE, FULL, UNCHANGED].iter().zip(worst) {
            let holds = if ratio <= bar.most { "holds" } else { "MISSED" };
            let Bar { name, most } = bar;
            println!("ratio {name} ({key}): {ratio:.2}   worst log {log}; bar {most}, {holds}");
        }
        println!();
    }
    if !asked.is_empty() {
        return;
    }
    size::growth();
    size::four_mebibytes();
}

/// Prints what one case costs; gives the medians of core, full and unchanged.
fn measure(case: &Case) -> [f64; 3] {
    let floor = Floor::of(case);
    let core = || judge::core(case);
    let full = || judge::full(case);
    judge::check(case);
    let kept = judge::Kept::of(case);
    let unchanged = || kept.unchanged(case);
    let [floor_us, core_us, full_us, least_us, unchanged_us] =
        rounds([&|| floor.run(), &core, &full, &|| floor.unchanged(), &unchanged]);
    let n_core = allocation_counter::measure(core);
    let n_full = allocation_counter::measure(full);
    let n_unchanged = allocation_counter::measure(unchanged);
    println!(
        "{} ({}, {} events, {} bytes, {} of them checked)",
        case.name,
        case.key,
        floor.n_events(),
        case.log.len(),
        floor.n_checked()
    );
    println!("  floor {} µs", Spread::of(&floor_us));
    let ratios = [(&core_us, &floor_us), (&full_us, &floor_us), (&unchanged_us, &least_us)]
        .map(|(above, below)| Spread::ratio(above, below));
    println!(
        "  core  {} µs, ratio {}; {} allocations, {} bytes",
        Spread::of(&core_us),
        ratios[0],
        n_core.count_total,
        n_core.bytes_total
    );
    println!(
        "  full  {} µs, ratio {}; {} allocations, {} bytes",
        Spread::of(&full_us),
        ratios[1],
        n_full.count_total,
        n_full.bytes_total
    );
    println!(
        "  unchanged {} µs, ratio {} to {} µs; {} allocations, {} bytes",
        Spread::of(&unchanged_us),
        ratios[2],
        Spread::of(&least_us),
        n_unchanged.count_total,
        n_unchanged.bytes_total
    );
    ratios.map(|ratio| ratio.median)
}
