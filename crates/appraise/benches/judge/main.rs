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

/// Walks over all cases. What else a machine does comes in phases of seconds, which so meet a few
/// rounds of each case and not all rounds of one.
const WALKS: usize = 5;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_asked = |case: &Case| asked.iter().all(|part| case.name.contains(part));
    let cases: Vec<Case> = evidence::all().into_iter().filter(is_asked).collect();
    let mut measured: Vec<Measured<'_>> = cases.iter().map(Measured::new).collect();
    for _ in 0..WALKS {
        measured.iter_mut().for_each(Measured::rounds);
    }
    for key in [Key::Rsa2048, Key::P256] {
        let mut worst = [(0.0, ""); 3];
        for measured in measured.iter().filter(|measured| measured.case.key == key) {
            let medians = measured.print();
            for (worst, median) in worst.iter_mut().zip(medians) {
                if median > worst.0 {
                    *worst = (median, &measured.case.name);
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

/// What one case costs.
struct Measured<'a> {
    case: &'a Case,
    floor: Floor<'a>,
    kept: judge::Kept,
    /// Microseconds of the floor, core, full, the floor of an unchanged log, and that.
    us: [Vec<f64>; 5],
}

impl<'a> Measured<'a> {
    fn new(case: &'a Case) -> Self {
        judge::check(case);
        let (floor, kept) = (Floor::of(case), judge::Kept::of(case));
        Self { case, floor, kept, us: Default::default() }
    }

    fn rounds(&mut self) {
        let Self { case, floor, kept, us } = self;
        let more = rounds([
            &|| floor.run(),
            &|| judge::core(case),
            &|| judge::full(case),
            &|| floor.unchanged(),
            &|| kept.unchanged(case),
        ]);
        us.iter_mut().zip(more).for_each(|(us, more)| us.extend(more));
    }

    /// Prints it; gives the medians of core, full and unchanged.
    fn print(&self) -> [f64; 3] {
        let Self { case, floor, kept, us: [floor_us, core_us, full_us, least_us, unchanged_us] } =
            self;
        let n_core = allocation_counter::measure(|| judge::core(case));
        let n_full = allocation_counter::measure(|| judge::full(case));
        let n_unchanged = allocation_counter::measure(|| kept.unchanged(case));
        println!(
            "{} ({}, {} events, {} bytes, {} of them checked)",
            case.name,
            case.key,
            floor.n_events(),
            case.log.len(),
            floor.n_checked()
        );
        println!("  floor {} µs", Spread::of(floor_us));
        let ratios = [(core_us, floor_us), (full_us, floor_us), (unchanged_us, least_us)]
            .map(|(above, below)| Spread::ratio(above, below));
        println!(
            "  core  {} µs, ratio {}; {} allocations, {} bytes",
            Spread::of(core_us),
            ratios[0],
            n_core.count_total,
            n_core.bytes_total
        );
        println!(
            "  full  {} µs, ratio {}; {} allocations, {} bytes",
            Spread::of(full_us),
            ratios[1],
            n_full.count_total,
            n_full.bytes_total
        );
        println!(
            "  unchanged {} µs, ratio {} to {} µs; {} allocations, {} bytes",
            Spread::of(unchanged_us),
            ratios[2],
            Spread::of(least_us),
            n_unchanged.count_total,
            n_unchanged.bytes_total
        );
        ratios.map(|ratio| ratio.median)
    }
}
