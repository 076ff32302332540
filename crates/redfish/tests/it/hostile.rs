//! BMCs that lie, hang and break: each ends in time, with an error or a snapshot that says so.

use std::time::{Duration, Instant};

use bmc_emulator::{Fault, Injection, Options};
use firmware::{ResourcePath, Unread};
use redfish::{Pace, RedfishError, Trust};

use crate::support::{block_on, client, client_with, pace, plug, rack};

#[test]
fn what_strikes_everywhere_is_an_error_of_the_whole_bmc() {
    let rack = rack();
    let quick = Pace { request: Duration::from_millis(300), ..pace() };
    for fault in [Fault::Hang, Fault::Refuse, Fault::Unavailable] {
        let emulated = plug(&rack, "dell", Options::default());
        emulated.machine().inject(fault);
        let begun = Instant::now();
        let trust = Trust::Authorities(rack.ca_pem());
        let err = block_on(client_with(&trust, &emulated, quick).gather()).unwrap_err();
        assert!(err.is_transient(), "{fault:?}: {err}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{fault:?}");
    }
}

#[test]
fn what_strikes_one_resource_is_told_of_that_one() {
    let rack = rack();
    let bios = ResourcePath::parse("/redfish/v1/Systems/System.Embedded.1/Bios").unwrap();
    for (fault, is_expected) in [
        (Fault::Html, (|why| *why == Unread::NotJson) as fn(&Unread) -> bool),
        (Fault::DeepJson, |why| *why == Unread::NotJson),
        (Fault::CutJson, |why| *why == Unread::NotJson),
        (Fault::HugeJson, |why| matches!(why, Unread::TooLarge { .. })),
        (Fault::LyingContentLength, |why| {
            matches!(why, Unread::TooLarge { .. } | Unread::Transport(_))
        }),
        (Fault::RedirectLoop, |why| *why == Unread::Elsewhere),
        (Fault::RedirectElsewhere, |why| *why == Unread::Elsewhere),
        (Fault::Unavailable, |why| *why == Unread::Status(503)),
    ] {
        let emulated = plug(&rack, "dell", Options::default());
        emulated.machine().inject(Injection::new(fault).at("/Bios"));
        let snapshot = block_on(client(&rack, &emulated).gather()).unwrap();
        let why = snapshot.why_unread(&bios).unwrap_or_else(|| panic!("{fault:?}: it was read"));
        assert!(is_expected(why), "{fault:?}: {why:?}");
        // The rest was read all the same.
        let system = bios.parent().unwrap();
        assert!(snapshot.resource(&system).is_some(), "{fault:?}");
    }
}

#[test]
fn a_moment_of_weakness_is_waited_for() {
    let rack = rack();
    for fault in [Fault::Unavailable, Fault::Refuse] {
        let emulated = plug(&rack, "dell", Options::default());
        emulated.machine().inject(Injection::new(fault).times(2));
        let snapshot = block_on(client(&rack, &emulated).gather()).unwrap();
        assert_eq!(snapshot.unread().count(), 0, "{fault:?}");
    }
}

#[test]
fn a_whole_host_has_a_limit_of_time() {
    let rack = rack();
    let emulated = plug(&rack, "dell", Options::default());
    emulated.machine().inject(Injection::new(Fault::Hang).at("/Bios"));
    let limited = Pace { host: Duration::from_millis(300), ..pace() };
    let trust = Trust::Authorities(rack.ca_pem());
    let err = block_on(client_with(&trust, &emulated, limited).gather()).unwrap_err();
    assert!(matches!(err, RedfishError::Timeout { .. }), "{err}");
}

#[test]
fn no_fault_makes_a_scan_long_or_change_anything() {
    let rack = rack();
    let quick = Pace { request: Duration::from_millis(250), ..pace() };
    for fault in Fault::ALL {
        let emulated = plug(&rack, "lenovo", Options::default());
        emulated.machine().inject(fault);
        let begun = Instant::now();
        let trust = Trust::Authorities(rack.ca_pem());
        let _ = block_on(client_with(&trust, &emulated, quick).gather());
        assert!(begun.elapsed() < Duration::from_secs(10), "{fault:?}");
        let machine = emulated.machine();
        let is_write =
            |seen: &&bmc_emulator::Seen| seen.method != "GET" && !seen.path.contains("Sessions");
        assert_eq!(machine.seen().iter().find(is_write), None, "{fault:?}");
    }
}
