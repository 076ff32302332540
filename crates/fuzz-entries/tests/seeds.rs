//! Every seed, and every seed with something changed, through the functions that fuzzing calls;
//! and what fuzzing once found.

use std::collections::BTreeMap;

use fuzz_entries::{ENTRIES, Seed, run, seeds};

fn seeds_of(target: &str) -> Vec<Seed> {
    seeds().into_iter().filter(|seed| seed.target == target).collect()
}

#[test]
fn each_target_has_seeds_and_takes_them() {
    let mut n = BTreeMap::new();
    for seed in seeds() {
        run(seed.target, &seed.bytes);
        *n.entry(seed.target).or_insert(0) += 1;
    }
    let names: Vec<_> = ENTRIES.iter().map(|entry| entry.name).collect();
    assert!(names.iter().all(|name| n.get(name).is_some_and(|n| *n > 1)), "{n:?}");
    assert_eq!(n.len(), names.len());
}

/// Cuts at each length, and each byte replaced: 0, 7Fh, FFh, one bit. Of a long seed only some.
fn mutations(target: &str) {
    for seed in seeds_of(target) {
        let step = seed.bytes.len() / 600 + 1;
        for at in (0..seed.bytes.len()).step_by(step) {
            run(target, &seed.bytes[..at]);
            let mut bytes = seed.bytes.clone();
            for value in [0, 0x7f, 0xff, seed.bytes[at] ^ 1] {
                bytes[at] = value;
                run(target, &bytes);
            }
        }
        run(target, &[&seed.bytes[..], &seed.bytes].concat());
    }
}

macro_rules! mutations {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            mutations(stringify!($name));
        })*

        #[test]
        fn no_target_is_forgotten() {
            assert_eq!(ENTRIES.map(|entry| entry.name), [$(stringify!($name)),*]);
        }
    };
}

mutations! {
    event_log efi_variable signature_lists device_path attest public signature certificate
    evidence_json ima_list allow_list image base_rim corim policy cabinet log_lines log_time
    tar_archive gzip_stream zip_archive log_encodings redfish_registry redfish_walk redaction
    esxi_outputs report_pdf
}
