//! Changes of sound machines of each maker: set, read back, taken back.

use std::sync::atomic::{AtomicBool, Ordering};

use redfish::apply::{Act, ApplyError, Direction, Happening, Outcome};
use serde_json::json;

use crate::support::{Run, work};

const TREES: [(&str, u32); 4] = [("dell", 2), ("hpe", 1), ("lenovo", 1), ("supermicro", 1)];

#[test]
fn each_makers_machine_comes_to_what_was_planned_with_as_many_boots_as_steps() {
    for (tree, n_boots) in TREES {
        let run = Run::of(tree);
        assert_eq!(run.apply(tree).unwrap(), Outcome::Done, "{tree}");
        run.assert_in_force(&work(tree));
        assert_eq!(run.emulated.machine().boots(), n_boots, "{tree}");
        assert_eq!(run.emulated.machine().sessions_open(), 0, "{tree}");
        let machine = run.emulated.machine();
        let destructive = machine.seen().iter().any(|seen| {
            let path = seen.path.to_ascii_lowercase();
            path.contains("resetkeys")
                || path.contains("resetbios")
                || path.contains("clearpending")
        });
        assert!(!destructive, "{tree}");
        let forced = machine.seen().iter().any(|seen| {
            seen.body["ResetType"].as_str().is_some_and(|kind| kind.starts_with("Force"))
        });
        assert!(!forced, "{tree}: nobody permitted it");
    }
}

#[test]
fn what_is_in_force_already_costs_no_boot() {
    let run = Run::of("dell");
    run.emulated.machine().set_attribute("TpmSecurity", "On");
    assert_eq!(run.apply("dell").unwrap(), Outcome::Done);
    assert_eq!(run.emulated.machine().boots(), 1);
    // The same command again has nothing to do.
    assert_eq!(run.go_on().unwrap(), Outcome::Done);
    assert_eq!(run.emulated.machine().boots(), 1);
}

#[test]
fn a_revert_puts_back_what_was_there_last_step_first() {
    for (tree, _) in TREES {
        let run = Run::of(tree);
        assert_eq!(run.apply(tree).unwrap(), Outcome::Done, "{tree}");
        let (back, left) = work(tree).reversed();
        run.plan(Direction::Revert, back.clone());
        assert_eq!(run.go_on().unwrap(), Outcome::Done, "{tree}");
        run.assert_in_force(&back);
        // An operation has no way back, and is told.
        let operations: &[&str] =
            if tree == "hpe" { &["Tpm20SoftwareInterfaceOperation"] } else { &[] };
        assert_eq!(left, operations, "{tree}");
    }
}

#[test]
fn each_write_names_the_version_that_was_read() {
    let run = Run::of("lenovo");
    run.apply("lenovo").unwrap();
    let machine = run.emulated.machine();
    let patches = machine.seen().iter().filter(|seen| seen.method == "PATCH");
    let statuses: Vec<_> = patches.map(|seen| seen.status).collect();
    assert_eq!(statuses, [200, 200, 200], "presence, Secure Boot, settings");
}

#[test]
fn dells_job_is_asked_for_with_the_change_itself() {
    let run = Run::of("dell");
    run.apply("dell").unwrap();
    let machine = run.emulated.machine();
    let patches: Vec<_> = machine.seen().iter().filter(|seen| seen.method == "PATCH").collect();
    assert_eq!(patches.len(), 2);
    assert!(patches.iter().all(|seen| seen.status == 202));
    assert_eq!(patches[0].body["Attributes"], json!({ "TpmSecurity": "On" }));
    assert_eq!(patches[0].body["@Redfish.SettingsApplyTime"]["ApplyTime"], "OnReset");
    // One job is enough: a second would be refused.
    assert!(
        !machine.seen().iter().any(|seen| seen.method == "POST" && seen.path.ends_with("/Jobs"))
    );
}

#[test]
fn a_host_that_is_off_is_started() {
    let run = Run::of("hpe");
    run.emulated.machine().power_off();
    assert_eq!(run.apply("hpe").unwrap(), Outcome::Done);
    run.assert_in_force(&work("hpe"));
}

#[test]
fn presence_that_lapsed_meanwhile_is_asserted_once_more() {
    let run = Run::of("lenovo");
    run.plan(Direction::Apply, work("lenovo"));
    let (emulated, has_lapsed) = (run.emulated.clone(), AtomicBool::new(false));
    let outcome = run.go_on_telling(move |happening| {
        let before = matches!(happening, Happening::Act(Act::SecureBoot));
        if before && !has_lapsed.swap(true, Ordering::SeqCst) {
            emulated.machine().advance(31 * 60 * 1_000);
        }
    });
    assert_eq!(outcome.unwrap(), Outcome::Done);
    run.assert_in_force(&work("lenovo"));
    let machine = run.emulated.machine();
    let patches = machine.seen().iter().filter(|seen| seen.method == "PATCH");
    let statuses: Vec<_> = patches.map(|seen| seen.status).collect();
    assert_eq!(statuses, [200, 403, 200, 200, 200]);
}

#[test]
fn another_machine_behind_the_same_address_is_left_alone() {
    let run = Run::of("hpe");
    let mut work = work("hpe");
    work.places.serial = Some("EMU9999".to_owned());
    run.plan(Direction::Apply, work);
    let err = run.go_on().unwrap_err();
    assert!(matches!(err, ApplyError::OtherMachine { .. }), "{err}");
    assert!(!run.emulated.machine().seen().iter().any(|seen| seen.method == "PATCH"));
}
